//! The networks in which a principal has logged in.

use diesel::prelude::*;
use tillgate_auth_core::ports::{CountKey, KnownNetworks};
use tillgate_domain::{Instant, StoreResult};
use uuid::Uuid;

use super::removed_rows;
use crate::error_class::classify;
use crate::row::from_millis;
use crate::schema::places;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

const UPSERT_NETWORK: &str = "INSERT INTO places (principal_id, place, succeeded_at) VALUES ($1, $2, $3) \
     ON CONFLICT (principal_id, place) DO UPDATE SET succeeded_at = excluded.succeeded_at \
     WHERE places.succeeded_at < excluded.succeeded_at";
const TRIM: &str = "DELETE FROM places WHERE principal_id = $1 AND place NOT IN (\
     SELECT place FROM places WHERE principal_id = $1 ORDER BY succeeded_at DESC, place DESC LIMIT $2)";
// the condition is repeated outside of the subquery: on PostgreSQL, another unit of work may have
// recorded a login since the subquery read the row
const SWEEP: &str = "DELETE FROM places WHERE (principal_id, place) IN (\
     SELECT principal_id, place FROM places WHERE succeeded_at < $1 ORDER BY succeeded_at LIMIT $2) AND succeeded_at < $1";

impl KnownNetworks for Transaction<'_> {
    fn find(&mut self, principal: Uuid, network: &CountKey) -> StoreResult<Option<Instant>> {
        let found: Option<i64> = places::table
            .find((principal.as_bytes().as_slice(), network.0.as_slice()))
            .select(places::succeeded_at)
            .get_result(self.connection)
            .optional()
            .map_err(classify)?;
        Ok(from_millis(found))
    }

    fn record_success(&mut self, principal: Uuid, network: &CountKey, at: Instant) -> StoreResult<()> {
        self.execute(&Statement::new(UPSERT_NETWORK, [Bind::from(&principal), Bind::Bytes(&network.0), at.into()]))
            .map(drop)
    }

    fn trim(&mut self, principal: Uuid, keep: u32) -> StoreResult<()> {
        self.execute(&Statement::new(TRIM, [Bind::from(&principal), i64::from(keep).into()])).map(drop)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        self.execute(&Statement::new(SWEEP, [before.into(), i64::from(limit).into()])).map(removed_rows)
    }
}
