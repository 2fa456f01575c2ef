//! Password resets: requests and tokens.

use diesel::prelude::*;
use tillgate_domain::office::ports::{Reset, ResetDigest, ResetRequest, Resets};
use tillgate_domain::{Instant, ResetId, StoreResult, UserId};

use super::removed_rows;
use crate::error_class::classify;
use crate::row::{ResetRequestRow, ResetRow, from_millis};
use crate::schema::{reset_requests, resets};
use crate::statement::{Bind, Statement, placeholders};
use crate::transaction::Transaction;

const CLAIM: &str = "UPDATE reset_requests SET due_at = $1 WHERE id = $2 AND due_at = $3";
const POSTPONE: &str = "UPDATE reset_requests SET due_at = $1, tries = tries + 1 WHERE id = $2 AND due_at = $3";
const SETTLE: &str = "DELETE FROM reset_requests WHERE id = $1";
const SPEND: &str = "DELETE FROM resets WHERE digest = $1";
const VOID: &str = "DELETE FROM resets WHERE user_id = $1";
const SWEEP: &str = "DELETE FROM resets WHERE digest IN (\
     SELECT digest FROM resets WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";

impl Resets for Transaction<'_> {
    fn insert_request(&mut self, request: &ResetRequest) -> StoreResult<()> {
        let insert = diesel::insert_into(reset_requests::table).values(ResetRequestRow::from_domain(request));
        insert.execute(self.write_connection()?).map(drop).map_err(classify)
    }

    fn list_due(&mut self, now: Instant, limit: u32) -> StoreResult<Vec<ResetRequest>> {
        let rows: Vec<ResetRequestRow> = reset_requests::table
            .filter(reset_requests::due_at.le(now.millis()))
            .order((reset_requests::due_at, reset_requests::id))
            .limit(i64::from(limit))
            .select(ResetRequestRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        rows.into_iter().map(ResetRequestRow::into_domain).collect()
    }

    fn claim(&mut self, id: ResetId, from: Instant, to: Instant) -> StoreResult<bool> {
        Ok(self.execute(&Statement::new(CLAIM, [to.into(), Bind::from(&id.0), from.into()]))? == 1)
    }

    fn postpone(&mut self, id: ResetId, from: Instant, to: Instant) -> StoreResult<bool> {
        Ok(self.execute(&Statement::new(POSTPONE, [to.into(), Bind::from(&id.0), from.into()]))? == 1)
    }

    fn remove_request(&mut self, id: ResetId) -> StoreResult<()> {
        self.execute(&Statement::new(SETTLE, [Bind::from(&id.0)])).map(drop)
    }

    fn remove_requests(&mut self, ids: &[ResetId]) -> StoreResult<u32> {
        if ids.is_empty() {
            return Ok(0);
        }
        let text = format!("DELETE FROM reset_requests WHERE id IN {}", placeholders(1, 1, ids.len()));
        let binds = ids.iter().map(|id| Bind::from(&id.0)).collect();
        self.execute(&Statement::uncached(text, binds)).map(removed_rows)
    }

    fn insert_reset(&mut self, reset: &Reset) -> StoreResult<()> {
        let insert = diesel::insert_into(resets::table).values(ResetRow::from_domain(reset));
        insert.execute(self.write_connection()?).map(drop).map_err(classify)
    }

    fn find(&mut self, digest: &ResetDigest) -> StoreResult<Option<Reset>> {
        let found: Option<ResetRow> = resets::table
            .find(digest.as_slice())
            .select(ResetRow::as_select())
            .get_result(self.connection)
            .optional()
            .map_err(classify)?;
        found.map(ResetRow::into_domain).transpose()
    }

    fn find_newest_grant(&mut self, user: UserId, but: ResetId) -> StoreResult<Option<Instant>> {
        let newest: Option<i64> = resets::table
            .filter(resets::user_id.eq(user.0.as_bytes().as_slice()))
            .filter(resets::request_id.ne(but.0.as_bytes().as_slice()))
            .select(diesel::dsl::max(resets::granted_at))
            .get_result(self.connection)
            .map_err(classify)?;
        Ok(from_millis(newest))
    }

    fn consume(&mut self, digest: &ResetDigest) -> StoreResult<bool> {
        Ok(self.execute(&Statement::new(SPEND, [Bind::Bytes(digest)]))? == 1)
    }

    fn revoke_by_user(&mut self, user: UserId) -> StoreResult<()> {
        self.execute(&Statement::new(VOID, [Bind::from(&user.0)])).map(drop)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        self.execute(&Statement::new(SWEEP, [before.into(), i64::from(limit).into()])).map(removed_rows)
    }
}
