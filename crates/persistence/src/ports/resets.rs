//! Resets of forgotten passwords.

use diesel::prelude::*;
use tillgate_domain::office::ports::{Reset, ResetDigest, ResetRequest, Resets};
use tillgate_domain::{Instant, ResetId, Stored, UserId};

use super::removed;
use crate::failure::classify;
use crate::row::{ResetRequestRow, ResetRow, instant};
use crate::schema::{reset_requests, resets};
use crate::statement::{Bind, Statement, places};
use crate::transaction::Transaction;

const POSTPONE: &str = "UPDATE reset_requests SET due_at = $1, tries = tries + 1 WHERE id = $2 AND due_at = $3";
const SETTLE: &str = "DELETE FROM reset_requests WHERE id = $1";
const SPEND: &str = "DELETE FROM resets WHERE digest = $1";
const VOID: &str = "DELETE FROM resets WHERE user_id = $1";
const SWEEP: &str = "DELETE FROM resets WHERE digest IN (\
     SELECT digest FROM resets WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";

impl Resets for Transaction<'_> {
    fn ask(&mut self, request: &ResetRequest) -> Stored<()> {
        let insert = diesel::insert_into(reset_requests::table).values(ResetRequestRow::of(request));
        insert.execute(self.writing()?).map(drop).map_err(classify)
    }

    fn due(&mut self, now: Instant, limit: u32) -> Stored<Vec<ResetRequest>> {
        let rows: Vec<ResetRequestRow> = reset_requests::table
            .filter(reset_requests::due_at.le(now.millis()))
            .order((reset_requests::due_at, reset_requests::id))
            .limit(i64::from(limit))
            .select(ResetRequestRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        rows.into_iter().map(ResetRequestRow::request).collect()
    }

    fn postpone(&mut self, id: ResetId, from: Instant, to: Instant) -> Stored<bool> {
        Ok(self.run(&Statement::new(POSTPONE, [to.into(), Bind::from(&id.0), from.into()]))? == 1)
    }

    fn settle(&mut self, id: ResetId) -> Stored<()> {
        self.run(&Statement::new(SETTLE, [Bind::from(&id.0)])).map(drop)
    }

    fn settle_all(&mut self, ids: &[ResetId]) -> Stored<u32> {
        if ids.is_empty() {
            return Ok(0);
        }
        let text = format!("DELETE FROM reset_requests WHERE id IN {}", places(1, 1, ids.len()));
        let binds = ids.iter().map(|id| Bind::from(&id.0)).collect();
        self.run(&Statement::once(text, binds)).map(removed)
    }

    fn grant(&mut self, reset: &Reset) -> Stored<()> {
        let insert = diesel::insert_into(resets::table).values(ResetRow::of(reset));
        insert.execute(self.writing()?).map(drop).map_err(classify)
    }

    fn find(&mut self, digest: &ResetDigest) -> Stored<Option<Reset>> {
        let found: Option<ResetRow> = resets::table
            .find(digest.as_slice())
            .select(ResetRow::as_select())
            .get_result(self.connection)
            .optional()
            .map_err(classify)?;
        found.map(ResetRow::reset).transpose()
    }

    fn newest(&mut self, user: UserId, but: ResetId) -> Stored<Option<Instant>> {
        let newest: Option<i64> = resets::table
            .filter(resets::user_id.eq(user.0.as_bytes().as_slice()))
            .filter(resets::request_id.ne(but.0.as_bytes().as_slice()))
            .select(diesel::dsl::max(resets::granted_at))
            .get_result(self.connection)
            .map_err(classify)?;
        Ok(instant(newest))
    }

    fn spend(&mut self, digest: &ResetDigest) -> Stored<bool> {
        Ok(self.run(&Statement::new(SPEND, [Bind::Bytes(digest)]))? == 1)
    }

    fn void(&mut self, user: UserId) -> Stored<()> {
        self.run(&Statement::new(VOID, [Bind::from(&user.0)])).map(drop)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32> {
        self.run(&Statement::new(SWEEP, [before.into(), i64::from(limit).into()])).map(removed)
    }
}
