//! The in-memory ports for keys of devices, of the engine and the back office.

use tillgate_domain::office::ports as office;
use tillgate_domain::{DeviceId, DeviceKey, DeviceKeyState, Instant, StoreResult, TenantId, Thumbprint};

use super::transaction::{Transaction, constraint_error};
use tillgate_auth_core::ports as auth;

impl office::DeviceKeys for Transaction<'_> {
    fn list_by_device(&mut self, device: DeviceId) -> StoreResult<Vec<DeviceKey>> {
        let keys = self.tables().device_keys.rows().values();
        let mut keys: Vec<DeviceKey> = keys.filter(|key| key.device == device).cloned().collect();
        keys.sort_by_key(|key| std::cmp::Reverse((key.enrolled_at, key.thumbprint)));
        Ok(keys)
    }

    fn revoke(&mut self, tenant: TenantId, thumbprint: &Thumbprint, at: Instant) -> StoreResult<bool> {
        self.end_device_key(tenant, thumbprint, DeviceKeyState::Revoked, at)
    }
}

impl auth::DeviceKeys for Transaction<'_> {
    fn find(&mut self, tenant: TenantId, thumbprint: &Thumbprint) -> StoreResult<Option<DeviceKey>> {
        Ok(self.tables().device_keys.get(&(tenant, *thumbprint)).cloned())
    }

    fn find_current(&mut self, device: DeviceId) -> StoreResult<Option<DeviceKey>> {
        let mut keys = self.tables().device_keys.rows().values();
        Ok(keys.find(|key| key.device == device && key.state == DeviceKeyState::Current).cloned())
    }

    fn insert(&mut self, key: &DeviceKey) -> StoreResult<bool> {
        let is_second =
            key.state == DeviceKeyState::Current && auth::DeviceKeys::find_current(self, key.device)?.is_some();
        let tables = self.tables_mut()?;
        let id = (key.tenant, key.thumbprint);
        if is_second || tables.device_keys.has(&id) {
            return Ok(false);
        }
        if !tables.devices.has(&key.device) {
            return constraint_error("a device's key is a device's");
        }
        tables.device_keys.put(id, key.clone());
        Ok(true)
    }

    fn retire(&mut self, tenant: TenantId, thumbprint: &Thumbprint, at: Instant) -> StoreResult<bool> {
        self.end_device_key(tenant, thumbprint, DeviceKeyState::Retired, at)
    }

    fn record_use(
        &mut self,
        tenant: TenantId,
        thumbprint: &Thumbprint,
        at: Instant,
        recorded_before: Instant,
    ) -> StoreResult<()> {
        let keys = &mut self.tables_mut()?.device_keys;
        let id = (tenant, *thumbprint);
        if keys.get(&id).is_some_and(|key| key.used_at.is_none_or(|used_at| used_at <= recorded_before)) {
            keys.change(&id, |key| key.used_at = Some(at));
        }
        Ok(())
    }
}

impl Transaction<'_> {
    /// Ends the key if it is current.
    fn end_device_key(
        &mut self,
        tenant: TenantId,
        thumbprint: &Thumbprint,
        state: DeviceKeyState,
        at: Instant,
    ) -> StoreResult<bool> {
        let keys = &mut self.tables_mut()?.device_keys;
        let id = (tenant, *thumbprint);
        let is_current = keys.get(&id).is_some_and(|key| key.state == DeviceKeyState::Current);
        if is_current {
            keys.change(&id, |key| {
                key.state = state;
                key.ended_at = Some(at);
            });
        }
        Ok(is_current)
    }
}
