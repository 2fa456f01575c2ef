//! The processes that use the store.

use diesel::prelude::*;
use diesel::sql_types::Text;
use tillgate_auth_core::ports::{FeedCursor, MachineClock, Node, NodeAcknowledgment, Nodes};
use tillgate_domain::{Instant, NodeId, StoreResult};
use uuid::Uuid;

use super::removed_rows;
use crate::error_class::{Cause, classify};
use crate::migration::newest_known;
use crate::row::Column;
use crate::schema::nodes;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

// a process that reports no clock keeps the one it reported before
const UPSERT_NODE: &str = "INSERT INTO nodes (id, applied, seen_at, boot_id, origin) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (id) DO UPDATE SET applied = excluded.applied, seen_at = excluded.seen_at, \
     boot_id = COALESCE(excluded.boot_id, nodes.boot_id), origin = COALESCE(excluded.origin, nodes.origin)";
const RECORD_ACKNOWLEDGMENT: &str = "UPDATE nodes SET name = $2, applied = $3, applied_at = $4 WHERE id = $1";
// the record stays: the last process that leaves a machine has reported its clock
const LEAVE: &str = "UPDATE nodes SET left_at = $2 WHERE id = $1";
const SWEEP_LEFT: &str = "DELETE FROM nodes WHERE left_at IS NOT NULL AND (boot_id IS NULL \
     OR (id <> $1 AND boot_id = (SELECT mine.boot_id FROM nodes mine WHERE mine.id = $1)))";
const SWEEP: &str = "DELETE FROM nodes WHERE seen_at < $1";

// versions are digits of equal length, so their text sorts correctly
const NEWER: &str = "SELECT version FROM __diesel_schema_migrations WHERE version > $1 LIMIT 1";

/// A migration that was run.
#[derive(QueryableByName)]
struct MigrationRow {
    #[diesel(sql_type = Text)]
    #[expect(dead_code, reason = "only the existence of the row matters")]
    version: String,
}

/// A row of the acknowledgment of a live process.
type AcknowledgmentRow = (Vec<u8>, Option<String>, i64, Option<i64>);

/// A row of a live process.
type NodeRow = (Vec<u8>, i64, i64, Option<Vec<u8>>, Option<i64>);

impl Nodes for Transaction<'_> {
    /// Also checks whether a newer version has migrated the database. Every process calls this
    /// every few seconds, so it stops writing soon after.
    fn upsert(&mut self, node: &Node) -> StoreResult<()> {
        let newest = newest_known()?;
        let newer: Vec<MigrationRow> =
            Statement::new(NEWER, [Bind::Text(newest)]).load(self.connection).map_err(classify)?;
        if !newer.is_empty() {
            return Err(Cause::NewerSchema.into_error());
        }
        let (boot, origin) = (node.clock.map(|clock| clock.boot_id), node.clock.map(|clock| clock.origin));
        let binds =
            [Bind::from(&node.id.0), node.applied.0.into(), node.seen_at.into(), boot.as_ref().into(), origin.into()];
        self.execute(&Statement::new(UPSERT_NODE, binds)).map(drop)
    }

    fn list_live(&mut self, since: Instant) -> StoreResult<Vec<Node>> {
        let rows: Vec<NodeRow> = nodes::table
            .filter(nodes::left_at.is_null())
            .filter(nodes::seen_at.ge(since.millis()))
            .order(nodes::id)
            .select((nodes::id, nodes::applied, nodes::seen_at, nodes::boot_id, nodes::origin))
            .load(self.connection)
            .map_err(classify)?;
        let node = |(id, applied, seen_at, boot, origin): NodeRow| {
            let boot = boot.map(|boot| Column("nodes", "boot_id").parse_uuid(&boot)).transpose()?;
            let origin = origin.map(Instant::from_millis);
            let clock = boot.zip(origin).map(|(boot, origin)| MachineClock { boot_id: boot, origin });
            let id = NodeId(Column("nodes", "id").parse_uuid(&id)?);
            Ok(Node { id, applied: FeedCursor(applied), seen_at: Instant::from_millis(seen_at), clock })
        };
        rows.into_iter().map(node).collect()
    }

    fn record_acknowledgment(&mut self, acknowledgment: &NodeAcknowledgment) -> StoreResult<()> {
        let NodeAcknowledgment { id, name, applied, applied_at } = acknowledgment;
        let binds = [Bind::from(&id.0), Bind::Text(name), applied.0.into(), (*applied_at).into()];
        self.execute(&Statement::new(RECORD_ACKNOWLEDGMENT, binds)).map(drop)
    }

    fn list_acknowledgments(&mut self, since: Instant) -> StoreResult<Vec<NodeAcknowledgment>> {
        let rows: Vec<AcknowledgmentRow> = nodes::table
            .filter(nodes::left_at.is_null())
            .filter(nodes::seen_at.ge(since.millis()))
            .order(nodes::id)
            .select((nodes::id, nodes::name, nodes::applied, nodes::applied_at))
            .load(self.connection)
            .map_err(classify)?;
        let acknowledgment = |(id, name, applied, applied_at): AcknowledgmentRow| {
            Ok(NodeAcknowledgment {
                id: NodeId(Column("nodes", "id").parse_uuid(&id)?),
                name: name.unwrap_or_default(),
                applied: FeedCursor(applied),
                applied_at: applied_at.map(Instant::from_millis),
            })
        };
        rows.into_iter().map(acknowledgment).collect()
    }

    fn find_origin(&mut self, boot: Uuid) -> StoreResult<Option<Instant>> {
        let rows: Vec<(i64, Option<i64>)> = nodes::table
            .filter(nodes::boot_id.eq(boot.as_bytes().as_slice()))
            .select((nodes::seen_at, nodes::origin))
            .load(self.connection)
            .map_err(classify)?;
        // the latest report by the time since the machine's start: a clock that was set does not
        // decide
        let reported = rows.into_iter().filter_map(|(seen, origin)| Some((seen, origin?)));
        let last = reported.max_by_key(|(seen, origin)| seen.saturating_sub(*origin));
        Ok(last.map(|(_, origin)| Instant::from_millis(origin)))
    }

    fn mark_left(&mut self, id: NodeId, at: Instant) -> StoreResult<()> {
        self.execute(&Statement::new(LEAVE, [Bind::from(&id.0), at.into()]))?;
        self.execute(&Statement::new(SWEEP_LEFT, [Bind::from(&id.0)])).map(drop)
    }

    fn sweep(&mut self, before: Instant) -> StoreResult<u32> {
        self.execute(&Statement::new(SWEEP, [before.into()])).map(removed_rows)
    }
}
