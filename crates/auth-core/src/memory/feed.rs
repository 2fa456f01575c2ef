//! What has changed, who follows it and the store's own identity, in memory. Units of work follow one another, so a change's
//! number tells the order of commits.

use std::ops::Bound;

use tillgate_domain::{Instant, NodeId, Stored};

use super::transaction::{Transaction, many, most};
use crate::Session;
use crate::ports::{Cursor, Feed, Instance, Instances, Look, Node, Nodes};

impl Feed for Transaction<'_> {
    fn look(&mut self, from: Option<Cursor>) -> Stored<Look> {
        let tables = self.tables();
        let next = tables.next_change.get(&()).copied().unwrap_or(1);
        let from = from.map(|cursor| cursor.0).filter(|from| *from <= next);
        let start = from.map_or(Bound::Unbounded, Bound::Included);
        let changes = tables.changes.rows().range((start, Bound::Unbounded)).map(|(_, change)| *change).collect();
        Ok(Look { changes, next: Cursor(next) })
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32> {
        let changes = &mut self.writing()?.changes;
        let old = changes.rows().iter().filter(|(_, (_, at))| *at < before).take(most(limit));
        let old: Vec<_> = old.map(|(number, _)| *number).collect();
        for number in &old {
            changes.remove(number);
        }
        Ok(many(old.len()))
    }
}

impl Nodes for Transaction<'_> {
    fn note(&mut self, node: &Node) -> Stored<()> {
        self.writing()?.nodes.put(node.id, *node);
        Ok(())
    }

    fn live(&mut self, since: Instant) -> Stored<Vec<Node>> {
        Ok(self.tables().nodes.rows().values().filter(|node| node.seen_at >= since).copied().collect())
    }

    fn leave(&mut self, id: NodeId) -> Stored<()> {
        self.writing()?.nodes.remove(&id);
        Ok(())
    }
}

impl Instances for Transaction<'_> {
    fn find(&mut self) -> Stored<Instance> {
        Ok(self.rows.instance)
    }

    fn newest(&mut self) -> Stored<Option<Instant>> {
        let tables = self.tables();
        let sessions = tables.sessions.rows().values().filter_map(newest_of);
        let changes = tables.changes.rows().values().map(|(_, at)| *at);
        let told = self.rows.told.iter().map(|event| event.at).chain(self.rows.told_until);
        let nodes = tables.nodes.rows().values().map(|node| node.seen_at);
        Ok(sessions.chain(changes).chain(told).chain(nodes).max())
    }
}

/// The newest instant that the session bears of what has happened; when it expires has not.
fn newest_of(session: &Session) -> Option<Instant> {
    let ended = session.ended.map(|(at, _)| at);
    [Some(session.created_at), session.rotated_at, session.last_used_at, ended].into_iter().flatten().max()
}
