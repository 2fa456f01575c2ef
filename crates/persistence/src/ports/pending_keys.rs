//! Keys that wait to be accepted, for the engine and the back office.

use diesel::prelude::*;
use tillgate_auth_core::ports as auth;
use tillgate_domain::office::ports as office;
use tillgate_domain::{DeviceId, EnrollmentDigest, Instant, PendingKey, PendingKeyState, StoreResult, TenantId};

use super::removed_rows;
use crate::error_class::classify;
use crate::row::PendingKeyRow;
use crate::schema::pending_keys;
use crate::statement::{Bind, OnConflictDoNothing, Statement};
use crate::transaction::Transaction;

const COUNT_ATTEMPT: &str = "UPDATE pending_keys SET fingerprint_attempts = fingerprint_attempts + 1 \
     WHERE code_digest = $1 AND state = 'waiting'";
const ACCEPT: &str = "UPDATE pending_keys SET state = $2, device_id = $3, expires_at = $4 \
     WHERE code_digest = $1 AND state = 'waiting'";
const DENY: &str = "UPDATE pending_keys SET state = $2 WHERE code_digest = $1 AND state = 'waiting'";
const RENEW: &str = "UPDATE pending_keys SET poll_digest = $2, expires_at = $3 \
     WHERE code_digest = $1 AND state = 'waiting'";
const RECORD_POLL: &str = "UPDATE pending_keys SET polled_at = $2 WHERE poll_digest = $1";
const EXTEND: &str = "UPDATE pending_keys SET expires_at = $2 WHERE poll_digest = $1";
const SWEEP: &str = "DELETE FROM pending_keys WHERE code_digest IN (\
     SELECT code_digest FROM pending_keys WHERE expires_at < $1 AND NOT EXISTS (\
     SELECT 1 FROM enrollments WHERE digest = code_digest AND completed_at IS NULL) ORDER BY expires_at LIMIT $2)";

impl Transaction<'_> {
    fn find_pending_key(&mut self, code: &EnrollmentDigest) -> StoreResult<Option<PendingKey>> {
        let found: Option<PendingKeyRow> = pending_keys::table
            .find(code.as_slice())
            .select(PendingKeyRow::as_select())
            .get_result(self.connection)
            .optional()
            .map_err(classify)?;
        found.map(PendingKeyRow::into_domain).transpose()
    }
}

impl office::PendingKeys for Transaction<'_> {
    fn find_by_code(&mut self, code: &EnrollmentDigest) -> StoreResult<Option<PendingKey>> {
        self.find_pending_key(code)
    }

    fn list_waiting(&mut self, tenant: TenantId, now: Instant, limit: u32) -> StoreResult<Vec<PendingKey>> {
        let rows: Vec<PendingKeyRow> = pending_keys::table
            .filter(pending_keys::expires_at.gt(now.millis()))
            .filter(pending_keys::state.eq(PendingKeyState::Waiting.name()))
            .filter(pending_keys::tenant_id.eq(tenant.0.as_bytes().as_slice()))
            .order(pending_keys::expires_at.desc())
            .limit(limit.into())
            .select(PendingKeyRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        rows.into_iter().map(PendingKeyRow::into_domain).collect()
    }

    fn count_attempt(&mut self, code: &EnrollmentDigest) -> StoreResult<Option<PendingKey>> {
        // this locks the row, whose digits and count then stay as they are read
        let counted = self.execute(&Statement::new(COUNT_ATTEMPT, [Bind::Bytes(code)]))? == 1;
        if counted { self.find_pending_key(code) } else { Ok(None) }
    }

    fn accept(&mut self, code: &EnrollmentDigest, device: DeviceId, expires_at: Instant) -> StoreResult<bool> {
        let state = PendingKeyState::Accepted.name();
        let binds = [Bind::Bytes(code), state.into(), Bind::from(&device.0), expires_at.into()];
        Ok(self.execute(&Statement::new(ACCEPT, binds))? == 1)
    }

    fn deny(&mut self, code: &EnrollmentDigest) -> StoreResult<bool> {
        let binds = [Bind::Bytes(code), PendingKeyState::Denied.name().into()];
        Ok(self.execute(&Statement::new(DENY, binds))? == 1)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        self.execute(&Statement::new(SWEEP, [before.into(), i64::from(limit).into()])).map(removed_rows)
    }
}

impl auth::PendingKeys for Transaction<'_> {
    fn insert(&mut self, key: &PendingKey) -> StoreResult<bool> {
        let insert = diesel::insert_into(pending_keys::table).values(PendingKeyRow::from_domain(key));
        Ok(OnConflictDoNothing(insert).execute(self.write_connection()?).map_err(classify)? == 1)
    }

    fn find_by_code(&mut self, code: &EnrollmentDigest) -> StoreResult<Option<PendingKey>> {
        self.find_pending_key(code)
    }

    fn find_by_device_code(&mut self, device_code: &EnrollmentDigest) -> StoreResult<Option<PendingKey>> {
        let found: Option<PendingKeyRow> = pending_keys::table
            .filter(pending_keys::poll_digest.eq(device_code.as_slice()))
            .select(PendingKeyRow::as_select())
            .get_result(self.connection)
            .optional()
            .map_err(classify)?;
        found.map(PendingKeyRow::into_domain).transpose()
    }

    fn renew(
        &mut self,
        code: &EnrollmentDigest,
        device_code: &EnrollmentDigest,
        expires_at: Instant,
    ) -> StoreResult<bool> {
        let binds = [Bind::Bytes(code), Bind::Bytes(device_code), expires_at.into()];
        Ok(self.execute(&Statement::new(RENEW, binds))? == 1)
    }

    fn record_poll(&mut self, device_code: &EnrollmentDigest, at: Instant) -> StoreResult<()> {
        self.execute(&Statement::new(RECORD_POLL, [Bind::Bytes(device_code), at.into()])).map(drop)
    }

    fn extend(&mut self, device_code: &EnrollmentDigest, until: Instant) -> StoreResult<()> {
        self.execute(&Statement::new(EXTEND, [Bind::Bytes(device_code), until.into()])).map(drop)
    }

    fn count_live(&mut self, tenant: Option<TenantId>, now: Instant) -> StoreResult<u32> {
        let live = pending_keys::table.filter(pending_keys::expires_at.gt(now.millis()));
        let counted: Result<i64, _> = match tenant {
            Some(tenant) => {
                let of_tenant = live.filter(pending_keys::tenant_id.eq(tenant.0.as_bytes().as_slice()));
                of_tenant.count().get_result(self.connection)
            }
            None => live.count().get_result(self.connection),
        };
        Ok(u32::try_from(counted.map_err(classify)?).unwrap_or(u32::MAX))
    }
}
