//! Failed logins.

use std::collections::BTreeMap;

use diesel::prelude::*;
use tillgate_auth_core::ports::{Attempts, Count, CountKey, Settled};
use tillgate_domain::{Instant, Stored};
use uuid::Uuid;

use super::removed;
use crate::failure::classify;
use crate::row::instant;
use crate::schema::attempts;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

// where nothing is counted yet the row is made, and of two that make it one wins
const CHARGE_FIRST: &str = "INSERT INTO attempts (key, principal_id, failures, failed_at, open, opened_at, touched_at) \
     VALUES ($1, $2, 0, NULL, 1, $3, $3) \
     ON CONFLICT (key) DO UPDATE SET open = 1, opened_at = excluded.opened_at, touched_at = excluded.touched_at, \
     principal_id = COALESCE(attempts.principal_id, excluded.principal_id) \
     WHERE attempts.failures = 0 AND attempts.open = 0";
const CHARGE: &str = "UPDATE attempts SET open = open + 1, opened_at = $3, touched_at = $3, \
     principal_id = COALESCE(principal_id, $2) WHERE key = $1 AND failures = $4 AND open = $5";
const FAILED: &str = "INSERT INTO attempts (key, principal_id, failures, failed_at, open, opened_at, touched_at) \
     VALUES ($1, NULL, 1, $2, 0, NULL, $2) \
     ON CONFLICT (key) DO UPDATE SET failures = attempts.failures + 1, failed_at = excluded.failed_at, \
     open = CASE WHEN attempts.open > 0 THEN attempts.open - 1 ELSE 0 END, touched_at = excluded.touched_at";
const SUCCEEDED: &str = "UPDATE attempts SET failures = 0, failed_at = NULL, \
     open = CASE WHEN open > 0 THEN open - 1 ELSE 0 END, touched_at = $2 WHERE key = $1";
const RETURNED: &str =
    "UPDATE attempts SET open = CASE WHEN open > 0 THEN open - 1 ELSE 0 END, touched_at = $2 WHERE key = $1";
// asked again outside: in PostgreSQL another unit of work may have counted since the inner reading
const SWEEP: &str = "DELETE FROM attempts WHERE key IN (\
     SELECT key FROM attempts WHERE touched_at < $1 ORDER BY touched_at LIMIT $2) AND touched_at < $1";

type Row = (Vec<u8>, i64, Option<i64>, i64, Option<i64>);

impl Attempts for Transaction<'_> {
    fn counts(&mut self, keys: &[CountKey]) -> Stored<Vec<Count>> {
        let wanted: Vec<&[u8]> = keys.iter().map(|key| key.0.as_slice()).collect();
        let rows: Vec<Row> = attempts::table
            .filter(attempts::key.eq_any(&wanted))
            .select((attempts::key, attempts::failures, attempts::failed_at, attempts::open, attempts::opened_at))
            .load(self.connection)
            .map_err(classify)?;
        let count = |(key, failures, failed_at, open, opened_at): Row| {
            (key, Count { failures, failed_at: instant(failed_at), open, opened_at: instant(opened_at) })
        };
        let found: BTreeMap<Vec<u8>, Count> = rows.into_iter().map(count).collect();
        Ok(keys.iter().map(|key| found.get(key.0.as_slice()).copied().unwrap_or_default()).collect())
    }

    fn charge(&mut self, key: CountKey, principal: Option<Uuid>, from: &Count, at: Instant) -> Stored<bool> {
        let mut binds = vec![Bind::Bytes(&key.0), principal.as_ref().into(), at.into()];
        let text = if (from.failures, from.open) == (0, 0) {
            CHARGE_FIRST
        } else {
            binds.extend([Bind::from(from.failures), Bind::from(from.open)]);
            CHARGE
        };
        Ok(self.run(&Statement::new(text, binds))? == 1)
    }

    fn settle(&mut self, key: CountKey, how: Settled, at: Instant) -> Stored<()> {
        let text = match how {
            Settled::Failed => FAILED,
            Settled::Succeeded => SUCCEEDED,
            Settled::Returned => RETURNED,
        };
        self.run(&Statement::new(text, [Bind::Bytes(&key.0), at.into()])).map(drop)
    }

    fn forgive(&mut self, principal: Uuid) -> Stored<u32> {
        let forgiven = attempts::table.filter(attempts::principal_id.eq(principal.as_bytes().as_slice()));
        diesel::delete(forgiven).execute(self.writing()?).map(removed).map_err(classify)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32> {
        self.run(&Statement::new(SWEEP, [before.into(), i64::from(limit).into()])).map(removed)
    }
}
