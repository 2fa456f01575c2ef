//! The in-memory ports for enrollments and keys of devices, of the engine and the back office.

use tillgate_domain::office::ports as office;
use tillgate_domain::{
    DeviceId, DeviceKey, DeviceKeyState, Enrollment, EnrollmentCompletion, EnrollmentDigest, Instant, RoleId,
    StoreResult, TenantId, Thumbprint,
};

use super::transaction::{Transaction, constraint_error, to_u32, to_usize};
use tillgate_auth_core::ports as auth;

impl office::Enrollments for Transaction<'_> {
    fn insert_or_replace(&mut self, enrollment: &Enrollment) -> StoreResult<()> {
        let tables = self.tables_mut()?;
        if !tables.devices.has(&enrollment.device) {
            return constraint_error("an enrollment is a device's");
        }
        let same_code = |other: &Enrollment| other.digest == enrollment.digest && other.device != enrollment.device;
        if tables.enrollments.rows().values().any(same_code) {
            return constraint_error("the code of an enrollment is new");
        }
        tables.enrollments.put(enrollment.device, Enrollment { completion: None, ..enrollment.clone() });
        Ok(())
    }

    fn find_by_device(&mut self, device: DeviceId) -> StoreResult<Option<Enrollment>> {
        Ok(self.tables().enrollments.get(&device).cloned())
    }

    fn cancel(&mut self, device: DeviceId) -> StoreResult<bool> {
        let enrollments = &mut self.tables_mut()?.enrollments;
        let is_open = enrollments.get(&device).is_some_and(|enrollment| enrollment.completion.is_none());
        Ok(is_open && enrollments.remove(&device))
    }

    fn cancel_by_role(&mut self, role: RoleId) -> StoreResult<()> {
        let devices = self.tables().devices.rows().values();
        let holders: Vec<DeviceId> =
            devices.filter(|device| device.roles.contains(&role)).map(|device| device.id).collect();
        for device in holders {
            office::Enrollments::cancel(self, device)?;
        }
        self.tables_mut().map(drop)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        let enrollments = &mut self.tables_mut()?.enrollments;
        let old = enrollments.rows().values().filter(|enrollment| enrollment.expires_at < before);
        let old: Vec<DeviceId> = old.take(to_usize(limit)).map(|enrollment| enrollment.device).collect();
        for device in &old {
            enrollments.remove(device);
        }
        Ok(to_u32(old.len()))
    }
}

impl auth::Enrollments for Transaction<'_> {
    fn find(&mut self, digest: &EnrollmentDigest) -> StoreResult<Option<Enrollment>> {
        Ok(self.tables().enrollments.rows().values().find(|enrollment| enrollment.digest == *digest).cloned())
    }

    fn complete(&mut self, digest: &EnrollmentDigest, completion: &EnrollmentCompletion) -> StoreResult<bool> {
        let found = auth::Enrollments::find(self, digest)?;
        let enrollments = &mut self.tables_mut()?.enrollments;
        let Some(open) = found.filter(|enrollment| enrollment.completion.is_none()) else { return Ok(false) };
        enrollments.put(open.device, Enrollment { completion: Some(*completion), ..open });
        Ok(true)
    }
}

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
