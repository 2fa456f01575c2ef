//! Wrong passwords.

use std::collections::BTreeMap;

use diesel::prelude::*;
use tillgate_auth_core::ports::{Attempts, Bucket, CountKey, Settled};
use tillgate_domain::{Instant, Stored};
use uuid::Uuid;

use super::removed;
use crate::failure::classify;
use crate::row::instant;
use crate::schema::{attempts, guesses};
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

// where nothing is stored yet the row is made, and of two that make it one wins
const CHARGE_FIRST: &str = "INSERT INTO attempts (key, principal_id, full_at, open, opened_at, touched_at) \
     VALUES ($1, $2, $3, $4, $8, $5) \
     ON CONFLICT (key) DO UPDATE SET full_at = excluded.full_at, open = excluded.open, \
     opened_at = excluded.opened_at, touched_at = excluded.touched_at, \
     principal_id = COALESCE(attempts.principal_id, excluded.principal_id) \
     WHERE attempts.full_at = $6 AND attempts.open = $7";
const CHARGE: &str = "UPDATE attempts SET full_at = $3, open = $4, opened_at = $8, touched_at = $5, \
     principal_id = COALESCE(principal_id, $2) WHERE key = $1 AND full_at = $6 AND open = $7";
const SETTLE: &str = "UPDATE attempts SET full_at = full_at - $2, open = CASE WHEN open > 0 THEN open - 1 ELSE 0 END, \
     touched_at = $3 WHERE key = $1";
const BAR: &str = "UPDATE attempts SET barred_until = $2 WHERE key = $1";
const REMEMBER: &str = "INSERT INTO guesses (key, guess, guessed_at) VALUES ($1, $2, $3) \
     ON CONFLICT (key, guess) DO UPDATE SET guessed_at = excluded.guessed_at WHERE guesses.guessed_at <= $4";
const FORGET: &str = "DELETE FROM guesses WHERE key IN (SELECT key FROM attempts WHERE principal_id = $1)";
// asked again outside: in PostgreSQL another unit of work may have counted since the inner reading
const SWEEP: &str = "DELETE FROM attempts WHERE key IN (\
     SELECT key FROM attempts WHERE touched_at < $1 ORDER BY touched_at LIMIT $2) AND touched_at < $1";
const SWEEP_REMEMBERED: &str = "DELETE FROM guesses WHERE (key, guess) IN (\
     SELECT key, guess FROM guesses WHERE guessed_at < $1 ORDER BY guessed_at LIMIT $2) AND guessed_at < $1";

type Row = (Vec<u8>, i64, i64, Option<i64>, Option<i64>);

impl Attempts for Transaction<'_> {
    fn buckets(&mut self, keys: &[CountKey]) -> Stored<Vec<Bucket>> {
        let wanted: Vec<&[u8]> = keys.iter().map(|key| key.0.as_slice()).collect();
        let rows: Vec<Row> = attempts::table
            .filter(attempts::key.eq_any(&wanted))
            .select((attempts::key, attempts::full_at, attempts::open, attempts::opened_at, attempts::barred_until))
            .load(self.connection)
            .map_err(classify)?;
        let bucket = |(key, full_at, open, opened_at, barred_until): Row| {
            let (opened_at, barred_until) = (instant(opened_at), instant(barred_until));
            (key, Bucket { full_at: Instant::from_millis(full_at), open, opened_at, barred_until })
        };
        let found: BTreeMap<Vec<u8>, Bucket> = rows.into_iter().map(bucket).collect();
        Ok(keys.iter().map(|key| found.get(key.0.as_slice()).copied().unwrap_or_default()).collect())
    }

    fn charge(
        &mut self,
        key: CountKey,
        principal: Option<Uuid>,
        from: &Bucket,
        to: &Bucket,
        at: Instant,
    ) -> Stored<bool> {
        let nothing = Bucket::default();
        let first = (from.full_at, from.open) == (nothing.full_at, nothing.open);
        let binds = [
            Bind::Bytes(&key.0),
            principal.as_ref().into(),
            to.full_at.into(),
            to.open.into(),
            at.into(),
            from.full_at.into(),
            from.open.into(),
            to.opened_at.into(),
        ];
        Ok(self.run(&Statement::new(if first { CHARGE_FIRST } else { CHARGE }, binds))? == 1)
    }

    fn settle(&mut self, key: CountKey, how: Settled, at: Instant) -> Stored<()> {
        let back = match how {
            Settled::Spent => 0,
            Settled::Returned(span) => i64::try_from(span.as_millis()).unwrap_or(i64::MAX),
        };
        self.run(&Statement::new(SETTLE, [Bind::Bytes(&key.0), back.into(), at.into()])).map(drop)
    }

    fn bar(&mut self, key: CountKey, until: Instant) -> Stored<()> {
        self.run(&Statement::new(BAR, [Bind::Bytes(&key.0), until.into()])).map(drop)
    }

    fn remember(&mut self, key: CountKey, guess: &CountKey, since: Instant, at: Instant) -> Stored<bool> {
        let binds = [Bind::Bytes(&key.0), Bind::Bytes(&guess.0), at.into(), since.into()];
        Ok(self.run(&Statement::new(REMEMBER, binds))? == 1)
    }

    fn remembered(&mut self, key: CountKey, since: Instant) -> Stored<u32> {
        let count: i64 = guesses::table
            .filter(guesses::key.eq(key.0.as_slice()))
            .filter(guesses::guessed_at.gt(since.millis()))
            .count()
            .get_result(self.connection)
            .map_err(classify)?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    fn forgive(&mut self, principal: Uuid) -> Stored<u32> {
        self.run(&Statement::new(FORGET, [Bind::from(&principal)]))?;
        let forgiven = attempts::table.filter(attempts::principal_id.eq(principal.as_bytes().as_slice()));
        diesel::delete(forgiven).execute(self.writing()?).map(removed).map_err(classify)
    }

    fn refill(&mut self, key: CountKey) -> Stored<bool> {
        let stored =
            attempts::table.filter(attempts::key.eq(key.0.as_slice())).filter(attempts::principal_id.is_null());
        Ok(diesel::delete(stored).execute(self.writing()?).map_err(classify)? > 0)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32> {
        self.run(&Statement::new(SWEEP, [before.into(), i64::from(limit).into()])).map(removed)
    }

    fn sweep_remembered(&mut self, before: Instant, limit: u32) -> Stored<u32> {
        self.run(&Statement::new(SWEEP_REMEMBERED, [before.into(), i64::from(limit).into()])).map(removed)
    }
}
