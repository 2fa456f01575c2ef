//! The in-memory ports for keys that wait to be accepted, of the engine and the back office.

use std::collections::BTreeSet;

use tillgate_domain::office::ports as office;
use tillgate_domain::{DeviceId, EnrollmentDigest, Instant, PendingKey, PendingKeyState, StoreResult, TenantId};

use super::transaction::{Transaction, to_u32, to_usize};
use tillgate_auth_core::ports as auth;

impl office::PendingKeys for Transaction<'_> {
    fn find_by_code(&mut self, code: &EnrollmentDigest) -> StoreResult<Option<PendingKey>> {
        Ok(self.tables().pending_keys.get(code).cloned())
    }

    fn list_waiting(&mut self, tenant: TenantId, now: Instant, limit: u32) -> StoreResult<Vec<PendingKey>> {
        let keys = self.tables().pending_keys.rows().values();
        let may_accept = |key: &&PendingKey| key.is_waiting(now) && key.tenant == tenant;
        let mut keys: Vec<PendingKey> = keys.filter(may_accept).cloned().collect();
        keys.sort_by_key(|key| std::cmp::Reverse(key.expires_at));
        keys.truncate(to_usize(limit));
        Ok(keys)
    }

    fn count_attempt(&mut self, code: &EnrollmentDigest) -> StoreResult<Option<PendingKey>> {
        let is_counted = self.change_waiting(code, |key| key.fingerprint_attempts += 1)?;
        Ok(self.tables().pending_keys.get(code).filter(|_| is_counted).cloned())
    }

    fn accept(&mut self, code: &EnrollmentDigest, device: DeviceId, expires_at: Instant) -> StoreResult<bool> {
        self.change_waiting(code, |key| {
            key.state = PendingKeyState::Accepted;
            (key.device, key.expires_at) = (Some(device), expires_at);
        })
    }

    fn deny(&mut self, code: &EnrollmentDigest) -> StoreResult<bool> {
        self.change_waiting(code, |key| key.state = PendingKeyState::Denied)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        let tables = self.tables_mut()?;
        let open = tables.enrollments.rows().values().filter(|enrollment| enrollment.completion.is_none());
        let open: BTreeSet<EnrollmentDigest> = open.map(|enrollment| enrollment.digest).collect();
        let keys = &mut tables.pending_keys;
        let is_old = |key: &&PendingKey| key.expires_at < before && !open.contains(&key.code_digest);
        let old = keys.rows().values().filter(is_old);
        let old: Vec<EnrollmentDigest> = old.take(to_usize(limit)).map(|key| key.code_digest).collect();
        for code in &old {
            keys.remove(code);
        }
        Ok(to_u32(old.len()))
    }
}

impl auth::PendingKeys for Transaction<'_> {
    fn insert(&mut self, key: &PendingKey) -> StoreResult<bool> {
        let is_polled = self.find_polled(&key.device_code_digest).is_some();
        let keys = &mut self.tables_mut()?.pending_keys;
        if is_polled || keys.has(&key.code_digest) {
            return Ok(false);
        }
        keys.put(key.code_digest, key.clone());
        Ok(true)
    }

    fn find_by_code(&mut self, code: &EnrollmentDigest) -> StoreResult<Option<PendingKey>> {
        Ok(self.tables().pending_keys.get(code).cloned())
    }

    fn find_by_device_code(&mut self, device_code: &EnrollmentDigest) -> StoreResult<Option<PendingKey>> {
        Ok(self.find_polled(device_code))
    }

    fn renew(
        &mut self,
        code: &EnrollmentDigest,
        device_code: &EnrollmentDigest,
        expires_at: Instant,
    ) -> StoreResult<bool> {
        self.change_waiting(code, |key| {
            key.device_code_digest = *device_code;
            key.expires_at = expires_at;
        })
    }

    fn record_poll(&mut self, device_code: &EnrollmentDigest, at: Instant) -> StoreResult<()> {
        let found = self.find_polled(device_code);
        let keys = &mut self.tables_mut()?.pending_keys;
        if let Some(found) = found {
            keys.change(&found.code_digest, |key| key.polled_at = Some(at));
        }
        Ok(())
    }

    fn extend(&mut self, device_code: &EnrollmentDigest, until: Instant) -> StoreResult<()> {
        let found = self.find_polled(device_code);
        let keys = &mut self.tables_mut()?.pending_keys;
        if let Some(found) = found {
            keys.change(&found.code_digest, |key| key.expires_at = until);
        }
        Ok(())
    }

    fn count_live(&mut self, tenant: Option<TenantId>, now: Instant) -> StoreResult<u32> {
        let counts = |key: &&PendingKey| key.expires_at > now && tenant.is_none_or(|tenant| key.tenant == tenant);
        Ok(to_u32(self.tables().pending_keys.rows().values().filter(counts).count()))
    }
}

impl Transaction<'_> {
    fn find_polled(&self, device_code: &EnrollmentDigest) -> Option<PendingKey> {
        self.tables().pending_keys.rows().values().find(|key| key.device_code_digest == *device_code).cloned()
    }

    /// Changes the key with this code if it waits. Returns whether it waited.
    fn change_waiting(&mut self, code: &EnrollmentDigest, change: impl FnOnce(&mut PendingKey)) -> StoreResult<bool> {
        let keys = &mut self.tables_mut()?.pending_keys;
        let waits = keys.get(code).is_some_and(|key| key.state == PendingKeyState::Waiting);
        if waits {
            keys.change(code, change);
        }
        Ok(waits)
    }
}
