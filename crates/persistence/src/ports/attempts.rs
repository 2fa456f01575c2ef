//! Failed logins: token buckets and guesses.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable};
use tillgate_auth_core::ports::{Attempts, Bucket, CountKey, PrincipalBucket, TokenDisposition};
use tillgate_domain::{BranchId, Instant, StoreResult, TenantId};
use uuid::Uuid;

use super::removed_rows;
use crate::error_class::classify;
use crate::row::{Column, from_millis};
use crate::schema::{attempts, guesses};
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

// if nothing is stored yet, the row is inserted, and one of two concurrent inserts succeeds
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
const REMEMBER_GUESS: &str = "INSERT INTO guesses (key, guess, guessed_at) VALUES ($1, $2, $3) \
     ON CONFLICT (key, guess) DO UPDATE SET guessed_at = excluded.guessed_at WHERE guesses.guessed_at <= $4";
const FORGET_GUESSES: &str = "DELETE FROM guesses WHERE key IN (SELECT key FROM attempts WHERE principal_id = $1)";
// the condition is repeated outside of the subquery: on PostgreSQL, another unit of work may have
// used the bucket since the subquery read it
const SWEEP: &str = "DELETE FROM attempts WHERE key IN (\
     SELECT key FROM attempts WHERE touched_at < $1 AND full_at <= $1 ORDER BY touched_at LIMIT $2) \
     AND touched_at < $1 AND full_at <= $1";
const SWEEP_GUESSES: &str = "DELETE FROM guesses WHERE (key, guess) IN (\
     SELECT key, guess FROM guesses WHERE guessed_at < $1 ORDER BY guessed_at LIMIT $2) AND guessed_at < $1";

const FIND_DEPLETED: &str = "SELECT attempts.key, attempts.principal_id, attempts.full_at, attempts.open, \
     attempts.opened_at, attempts.barred_until FROM attempts \
     WHERE attempts.principal_id IS NOT NULL AND attempts.full_at > $1 \
     AND (EXISTS (SELECT 1 FROM users WHERE users.id = attempts.principal_id AND users.tenant_id = $2) \
     OR EXISTS (SELECT 1 FROM devices WHERE devices.id = attempts.principal_id AND devices.tenant_id = $2)) LIMIT $3";
const FIND_DEPLETED_IN_BRANCH: &str = "SELECT attempts.key, attempts.principal_id, attempts.full_at, attempts.open, \
     attempts.opened_at, attempts.barred_until FROM attempts \
     WHERE attempts.principal_id IS NOT NULL AND attempts.full_at > $1 \
     AND EXISTS (SELECT 1 FROM devices WHERE devices.id = attempts.principal_id AND devices.tenant_id = $2 \
     AND devices.branch_id = $4) LIMIT $3";

#[derive(QueryableByName)]
struct PrincipalBucketRow {
    #[diesel(sql_type = Binary)]
    key: Vec<u8>,
    #[diesel(sql_type = Binary)]
    principal_id: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    full_at: i64,
    #[diesel(sql_type = BigInt)]
    open: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    opened_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    barred_until: Option<i64>,
}

impl PrincipalBucketRow {
    fn into_domain(self) -> StoreResult<PrincipalBucket> {
        let key = Column("attempts", "key");
        let wrong_length =
            |key_bytes: Vec<u8>| key.corrupt(format!("a key has 32 bytes, but this one has {}", key_bytes.len()));
        Ok(PrincipalBucket {
            principal: Column("attempts", "principal_id").parse_uuid(&self.principal_id)?,
            key: CountKey(self.key.try_into().map_err(wrong_length)?),
            bucket: Bucket {
                full_at: Instant::from_millis(self.full_at),
                open_attempts: self.open,
                opened_at: from_millis(self.opened_at),
                blocked_until: from_millis(self.barred_until),
            },
        })
    }
}

type BucketRow = (Vec<u8>, i64, i64, Option<i64>, Option<i64>);

impl Attempts for Transaction<'_> {
    fn find_buckets(&mut self, keys: &[CountKey]) -> StoreResult<Vec<Bucket>> {
        let wanted: Vec<&[u8]> = keys.iter().map(|key| key.0.as_slice()).collect();
        let rows: Vec<BucketRow> = attempts::table
            .filter(attempts::key.eq_any(&wanted))
            .select((attempts::key, attempts::full_at, attempts::open, attempts::opened_at, attempts::barred_until))
            .load(self.connection)
            .map_err(classify)?;
        let bucket = |(key, full_at, open, opened_at, barred_until): BucketRow| {
            let (opened_at, barred_until) = (from_millis(opened_at), from_millis(barred_until));
            (
                key,
                Bucket {
                    full_at: Instant::from_millis(full_at),
                    open_attempts: open,
                    opened_at,
                    blocked_until: barred_until,
                },
            )
        };
        let found: BTreeMap<Vec<u8>, Bucket> = rows.into_iter().map(bucket).collect();
        Ok(keys.iter().map(|key| found.get(key.0.as_slice()).copied().unwrap_or_default()).collect())
    }

    fn find_depleted(
        &mut self,
        tenant: TenantId,
        branch: Option<BranchId>,
        full_after: Instant,
        limit: u32,
    ) -> StoreResult<Vec<PrincipalBucket>> {
        let mut binds = vec![full_after.into(), Bind::from(&tenant.0), i64::from(limit).into()];
        binds.extend(branch.as_ref().map(|branch| Bind::from(&branch.0)));
        let text = if branch.is_some() { FIND_DEPLETED_IN_BRANCH } else { FIND_DEPLETED };
        let rows: Vec<PrincipalBucketRow> =
            Statement::uncached(text.to_owned(), binds).load(self.connection).map_err(classify)?;
        rows.into_iter().map(PrincipalBucketRow::into_domain).collect()
    }

    fn take_token(
        &mut self,
        key: CountKey,
        principal: Option<Uuid>,
        from: &Bucket,
        to: &Bucket,
        at: Instant,
    ) -> StoreResult<bool> {
        let nothing = Bucket::default();
        let first = (from.full_at, from.open_attempts) == (nothing.full_at, nothing.open_attempts);
        let binds = [
            Bind::Bytes(&key.0),
            principal.as_ref().into(),
            to.full_at.into(),
            to.open_attempts.into(),
            at.into(),
            from.full_at.into(),
            from.open_attempts.into(),
            to.opened_at.into(),
        ];
        Ok(self.execute(&Statement::new(if first { CHARGE_FIRST } else { CHARGE }, binds))? == 1)
    }

    fn settle(&mut self, key: CountKey, disposition: TokenDisposition, at: Instant) -> StoreResult<()> {
        let back = match disposition {
            TokenDisposition::Spent => 0,
            TokenDisposition::Returned(span) => i64::try_from(span.as_millis()).unwrap_or(i64::MAX),
        };
        self.execute(&Statement::new(SETTLE, [Bind::Bytes(&key.0), back.into(), at.into()])).map(drop)
    }

    fn block(&mut self, key: CountKey, until: Instant) -> StoreResult<()> {
        self.execute(&Statement::new(BAR, [Bind::Bytes(&key.0), until.into()])).map(drop)
    }

    fn record_guess(&mut self, key: CountKey, guess: &CountKey, since: Instant, at: Instant) -> StoreResult<bool> {
        let binds = [Bind::Bytes(&key.0), Bind::Bytes(&guess.0), at.into(), since.into()];
        Ok(self.execute(&Statement::new(REMEMBER_GUESS, binds))? == 1)
    }

    fn count_guesses(&mut self, key: CountKey, since: Instant) -> StoreResult<u32> {
        let count: i64 = guesses::table
            .filter(guesses::key.eq(key.0.as_slice()))
            .filter(guesses::guessed_at.gt(since.millis()))
            .count()
            .get_result(self.connection)
            .map_err(classify)?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    fn clear_failed_logins(&mut self, principal: Uuid) -> StoreResult<u32> {
        self.execute(&Statement::new(FORGET_GUESSES, [Bind::from(&principal)]))?;
        let forgiven = attempts::table.filter(attempts::principal_id.eq(principal.as_bytes().as_slice()));
        diesel::delete(forgiven).execute(self.write_connection()?).map(removed_rows).map_err(classify)
    }

    fn refill(&mut self, key: CountKey) -> StoreResult<bool> {
        let stored =
            attempts::table.filter(attempts::key.eq(key.0.as_slice())).filter(attempts::principal_id.is_null());
        Ok(diesel::delete(stored).execute(self.write_connection()?).map_err(classify)? > 0)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        self.execute(&Statement::new(SWEEP, [before.into(), i64::from(limit).into()])).map(removed_rows)
    }

    fn sweep_guesses(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        self.execute(&Statement::new(SWEEP_GUESSES, [before.into(), i64::from(limit).into()])).map(removed_rows)
    }
}
