//! The in-memory ports for the change feed, its readers and the identity of the store. Units of
//! work run one after the other, so the numbers of changes are in the order of commits.

use std::ops::Bound;

use tillgate_domain::{Instant, NodeId, StoreResult};
use uuid::Uuid;

use super::transaction::{Transaction, to_u32, to_usize};
use tillgate_auth_core::Session;
use tillgate_auth_core::ports::{
    Bookmark, Feed, FeedBatch, FeedCursor, FeedEntry, Instance, Instances, Node, NodeAcknowledgment, Nodes,
};

impl Feed for Transaction<'_> {
    fn poll(&mut self, from: Option<&Bookmark>) -> StoreResult<FeedBatch> {
        let tables = self.tables();
        let next = tables.next_change.get(&()).copied().unwrap_or(1);
        let from = from.map(|from| from.cursor.0).filter(|from| *from <= next);
        let start = from.map_or(Bound::Unbounded, Bound::Included);
        let rows = tables.changes.rows().range((start, Bound::Unbounded));
        let changes =
            rows.map(|(number, (change, at))| FeedEntry { number: *number, change: *change, at: *at }).collect();
        Ok(FeedBatch {
            entries: changes,
            next: Bookmark::from_cursor(FeedCursor(next)),
            restarted: from.is_none(),
            clock: self.server_time(),
        })
    }

    fn find_end(&mut self) -> StoreResult<FeedCursor> {
        Ok(FeedCursor(self.tables().next_change.get(&()).copied().unwrap_or(1)))
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        let changes = &mut self.tables_mut()?.changes;
        let old = changes.rows().iter().filter(|(_, (_, at))| *at < before).take(to_usize(limit));
        let old: Vec<_> = old.map(|(number, _)| *number).collect();
        for number in &old {
            changes.remove(number);
        }
        Ok(to_u32(old.len()))
    }
}

impl Nodes for Transaction<'_> {
    fn upsert(&mut self, node: &Node) -> StoreResult<()> {
        let tables = self.tables_mut()?;
        let before = tables.nodes.get(&node.id).and_then(|before| before.clock);
        tables.nodes.put(node.id, Node { clock: node.clock.or(before), ..*node });
        Ok(())
    }

    fn list_live(&mut self, since: Instant) -> StoreResult<Vec<Node>> {
        Ok(self.tables().nodes.rows().values().filter(|node| node.seen_at >= since).copied().collect())
    }

    fn record_acknowledgment(&mut self, acknowledgment: &NodeAcknowledgment) -> StoreResult<()> {
        let tables = self.tables_mut()?;
        if tables.nodes.change(&acknowledgment.id, |node| node.applied = acknowledgment.applied).is_some() {
            tables.acknowledgments.put(acknowledgment.id, acknowledgment.clone());
        }
        Ok(())
    }

    fn list_acknowledgments(&mut self, since: Instant) -> StoreResult<Vec<NodeAcknowledgment>> {
        let live = self.list_live(since)?;
        let tables = self.tables();
        let acknowledgment = |node: &Node| {
            let recorded = tables.acknowledgments.get(&node.id);
            NodeAcknowledgment {
                id: node.id,
                name: recorded.map(|acknowledgment| acknowledgment.name.clone()).unwrap_or_default(),
                applied: node.applied,
                applied_at: recorded.and_then(|acknowledgment| acknowledgment.applied_at),
            }
        };
        Ok(live.iter().map(acknowledgment).collect())
    }

    fn find_origin(&mut self, boot: Uuid) -> StoreResult<Option<Instant>> {
        let tables = self.tables();
        let all = tables.nodes.rows().values().chain(tables.left_nodes.rows().values());
        let clocks = all.filter_map(|node| Some((node.seen_at, node.clock.filter(|clock| clock.boot_id == boot)?)));
        // By the time since the machine started, which no clock setting changes.
        let last = clocks.max_by_key(|(seen, clock)| seen.millis().saturating_sub(clock.origin.millis()));
        Ok(last.map(|(_, clock)| clock.origin))
    }

    fn mark_left(&mut self, id: NodeId, _at: Instant) -> StoreResult<()> {
        let tables = self.tables_mut()?;
        let Some(node) = tables.nodes.get(&id).copied() else { return Ok(()) };
        tables.nodes.remove(&id);
        let Some(clock) = node.clock else { return Ok(()) };
        let is_of_boot = |left: &&Node| left.clock.is_some_and(|left| left.boot_id == clock.boot_id);
        let earlier: Vec<_> = tables.left_nodes.rows().values().filter(is_of_boot).map(|left| left.id).collect();
        for id in earlier {
            tables.left_nodes.remove(&id);
        }
        tables.left_nodes.put(id, node);
        Ok(())
    }

    fn sweep(&mut self, before: Instant) -> StoreResult<u32> {
        let tables = self.tables_mut()?;
        let all = tables.nodes.rows().values().chain(tables.left_nodes.rows().values());
        let old: Vec<_> = all.filter(|node| node.seen_at < before).map(|node| node.id).collect();
        for id in &old {
            tables.nodes.remove(id);
            tables.left_nodes.remove(id);
            tables.acknowledgments.remove(id);
        }
        Ok(to_u32(old.len()))
    }
}

impl Instances for Transaction<'_> {
    fn find(&mut self) -> StoreResult<Instance> {
        Ok(self.rows.instance)
    }

    fn newest_instant(&mut self) -> StoreResult<Option<Instant>> {
        let tables = self.tables();
        let sessions = tables.sessions.rows().values().filter_map(newest_instant);
        let changes = tables.changes.rows().values().map(|(_, at)| *at);
        let events = self.rows.new_events.iter().map(|event| event.at).chain(self.rows.newest_event_at);
        let nodes = tables.nodes.rows().values().map(|node| node.seen_at);
        Ok(sessions.chain(changes).chain(events).chain(nodes).max())
    }
}

/// The newest instant of an event of the session; its expiry is not one.
fn newest_instant(session: &Session) -> Option<Instant> {
    let ended = session.ended.map(|(at, _)| at);
    [Some(session.created_at), session.rotated_at, session.last_used_at, ended].into_iter().flatten().max()
}
