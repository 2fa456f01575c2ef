//! The store's own identity.

use diesel::dsl::max;
use diesel::prelude::*;
use tillgate_auth_core::ports::{Instance, InstanceState, Instances};
use tillgate_domain::{Instant, StoreError, Stored};

use crate::failure::classify;
use crate::row::Cell;
use crate::schema::{audit, meta, nodes, sessions};
use crate::statement::Statement;
use crate::transaction::Transaction;

/// The state by its word in the store.
pub(crate) fn state(word: &str) -> Stored<InstanceState> {
    let name = |state| match state {
        InstanceState::Open => "open",
        InstanceState::Draining => "draining",
        InstanceState::Moved => "moved",
    };
    Cell("meta", "state").word(&[InstanceState::Open, InstanceState::Draining, InstanceState::Moved], name, word)
}

#[derive(QueryableByName)]
struct Newest {
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    newest: Option<i64>,
}

impl Instances for Transaction<'_> {
    fn find(&mut self) -> Stored<Instance> {
        let (id, word): (Option<Vec<u8>>, String) =
            meta::table.find(1_i64).select((meta::instance, meta::state)).first(self.connection).map_err(classify)?;
        let id = id.ok_or_else(|| StoreError::Fault("the store has not been given its identity yet".to_owned()))?;
        Ok(Instance { id: Cell("meta", "instance").uuid(&id)?, state: state(&word)? })
    }

    /// Reads every session: for the start of a process and for `doctor`, not for requests.
    fn newest(&mut self) -> Stored<Option<Instant>> {
        let (made, rotated, used, ended): (Option<i64>, Option<i64>, Option<i64>, Option<i64>) = sessions::table
            .select((
                max(sessions::created_at),
                max(sessions::rotated_at),
                max(sessions::last_used_at),
                max(sessions::ended_at),
            ))
            .first(self.connection)
            .map_err(classify)?;
        let told: Option<i64> = audit::table.select(max(audit::at)).first(self.connection).map_err(classify)?;
        let seen: Option<i64> = nodes::table.select(max(nodes::seen_at)).first(self.connection).map_err(classify)?;
        let changed: Newest = Statement::new("SELECT MAX(written_at) AS newest FROM changes", [])
            .get_result(self.connection)
            .map_err(classify)?;
        let newest = [made, rotated, used, ended, told, seen, changed.newest].into_iter().flatten().max();
        Ok(newest.map(Instant::from_millis))
    }
}
