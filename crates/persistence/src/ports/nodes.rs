//! The processes over the store.

use diesel::prelude::*;
use diesel::sql_types::Text;
use tillgate_auth_core::ports::{Cursor, MachineClock, Node, Nodes};
use tillgate_domain::{Instant, NodeId, StoreError, Stored};
use uuid::Uuid;

use super::removed;
use crate::failure::{MIGRATED, classify};
use crate::migrate::newest_known;
use crate::row::Cell;
use crate::schema::nodes;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

// a process that says nothing of its clock keeps what it said of it before
const NOTE: &str = "INSERT INTO nodes (id, applied, seen_at, boot_id, origin) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (id) DO UPDATE SET applied = excluded.applied, seen_at = excluded.seen_at, \
     boot_id = COALESCE(excluded.boot_id, nodes.boot_id), origin = COALESCE(excluded.origin, nodes.origin)";
// of those that have left a machine the last says what its clock was
const LEAVE: &str = "UPDATE nodes SET left_at = $2 WHERE id = $1";
const LEFT_BEFORE: &str = "DELETE FROM nodes WHERE left_at IS NOT NULL AND (boot_id IS NULL \
     OR (id <> $1 AND boot_id = (SELECT mine.boot_id FROM nodes mine WHERE mine.id = $1)))";
const SWEEP: &str = "DELETE FROM nodes WHERE seen_at < $1";

// versions are digits of one length, so their texts stand in their order
const NEWER: &str = "SELECT version FROM __diesel_schema_migrations WHERE version > $1 LIMIT 1";

/// A migration that was run.
#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    #[expect(dead_code, reason = "that there is a row is all that is asked")]
    version: String,
}

/// A row of a live process.
type Row = (Vec<u8>, i64, i64, Option<Vec<u8>>, Option<i64>);

impl Nodes for Transaction<'_> {
    /// Also finds out whether a newer program has migrated the database: every process asks every few seconds in this way, and
    /// writes nothing more once it knows.
    fn note(&mut self, node: &Node) -> Stored<()> {
        let newest = newest_known()?;
        let newer: Vec<Applied> =
            Statement::new(NEWER, [Bind::Text(newest)]).load(self.connection).map_err(classify)?;
        if !newer.is_empty() {
            return Err(StoreError::Unavailable(MIGRATED.to_owned()));
        }
        let (boot, origin) = (node.clock.map(|clock| clock.boot), node.clock.map(|clock| clock.origin));
        let binds =
            [Bind::from(&node.id.0), node.applied.0.into(), node.seen_at.into(), boot.as_ref().into(), origin.into()];
        self.run(&Statement::new(NOTE, binds)).map(drop)
    }

    fn live(&mut self, since: Instant) -> Stored<Vec<Node>> {
        let rows: Vec<Row> = nodes::table
            .filter(nodes::left_at.is_null())
            .filter(nodes::seen_at.ge(since.millis()))
            .order(nodes::id)
            .select((nodes::id, nodes::applied, nodes::seen_at, nodes::boot_id, nodes::origin))
            .load(self.connection)
            .map_err(classify)?;
        let node = |(id, applied, seen_at, boot, origin): Row| {
            let boot = boot.map(|boot| Cell("nodes", "boot_id").uuid(&boot)).transpose()?;
            let origin = origin.map(Instant::from_millis);
            let clock = boot.zip(origin).map(|(boot, origin)| MachineClock { boot, origin });
            let id = NodeId(Cell("nodes", "id").uuid(&id)?);
            Ok(Node { id, applied: Cursor(applied), seen_at: Instant::from_millis(seen_at), clock })
        };
        rows.into_iter().map(node).collect()
    }

    fn origin(&mut self, boot: Uuid) -> Stored<Option<Instant>> {
        let rows: Vec<(i64, Option<i64>)> = nodes::table
            .filter(nodes::boot_id.eq(boot.as_bytes().as_slice()))
            .select((nodes::seen_at, nodes::origin))
            .load(self.connection)
            .map_err(classify)?;
        // the one that was said latest, by the time since the machine started: no clock that was set decides
        let said = rows.into_iter().filter_map(|(seen, origin)| Some((seen, origin?)));
        let last = said.max_by_key(|(seen, origin)| seen.saturating_sub(*origin));
        Ok(last.map(|(_, origin)| Instant::from_millis(origin)))
    }

    fn leave(&mut self, id: NodeId, at: Instant) -> Stored<()> {
        self.run(&Statement::new(LEAVE, [Bind::from(&id.0), at.into()]))?;
        self.run(&Statement::new(LEFT_BEFORE, [Bind::from(&id.0)])).map(drop)
    }

    fn sweep(&mut self, before: Instant) -> Stored<u32> {
        self.run(&Statement::new(SWEEP, [before.into()])).map(removed)
    }
}
