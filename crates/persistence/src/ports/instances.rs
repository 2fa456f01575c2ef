//! The identity and state of the store.

use diesel::dsl::max;
use diesel::prelude::*;
use tillgate_auth_core::ports::{Instance, Instances};
use tillgate_domain::{Instant, StoreError, StoreResult};

use crate::error_class::classify;
use crate::row::Column;
use crate::row::instance::parse_state;
use crate::schema::{audit, meta, nodes, sessions};
use crate::statement::Statement;
use crate::transaction::Transaction;

#[derive(QueryableByName)]
struct WrittenAtRow {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    written_at: i64,
}

impl Instances for Transaction<'_> {
    fn find(&mut self) -> StoreResult<Instance> {
        let (id, word): (Option<Vec<u8>>, String) = meta::table
            .find(1_i64)
            .select((meta::instance, meta::state))
            .get_result(self.connection)
            .map_err(classify)?;
        let id = id.ok_or_else(|| StoreError::Fault("the store has not been given its identity yet".to_owned()))?;
        Ok(Instance { id: Column("meta", "instance").parse_uuid(&id)?, state: parse_state(&word)? })
    }

    /// Ids begin with an instant, so the newest row of a table is the last by its key: four short
    /// reads.
    fn newest_instant(&mut self) -> StoreResult<Option<Instant>> {
        let made: Option<i64> = sessions::table
            .order(sessions::id.desc())
            .select(sessions::created_at)
            .first(self.connection)
            .optional()
            .map_err(classify)?;
        let newest_event: Option<i64> = audit::table
            .order(audit::id.desc())
            .select(audit::at)
            .first(self.connection)
            .optional()
            .map_err(classify)?;
        let changed: Option<WrittenAtRow> =
            Statement::new("SELECT written_at FROM changes ORDER BY position DESC LIMIT 1", [])
                .get_result(self.connection)
                .optional()
                .map_err(classify)?;
        let changed = changed.map(|change| change.written_at);
        let seen: Option<i64> = nodes::table
            .filter(nodes::left_at.is_null())
            .select(max(nodes::seen_at))
            .get_result(self.connection)
            .map_err(classify)?;
        Ok([made, newest_event, changed, seen].into_iter().flatten().max().map(Instant::from_millis))
    }
}
