//! The in-memory ports for enrollments, of the engine and the back office.

use tillgate_domain::office::ports as office;
use tillgate_domain::{
    ApiKeyId, DeviceId, Enrollment, EnrollmentCompletion, EnrollmentDigest, Instant, RoleId, StoreResult,
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

    fn limit_by_api_key(&mut self, key: ApiKeyId, until: Instant) -> StoreResult<()> {
        let enrollments = &mut self.tables_mut()?.enrollments;
        let is_open = |enrollment: &&Enrollment| {
            enrollment.started_with == Some(key) && enrollment.completion.is_none() && enrollment.expires_at > until
        };
        let open: Vec<Enrollment> = enrollments.rows().values().filter(is_open).cloned().collect();
        for enrollment in open {
            enrollments.put(enrollment.device, Enrollment { expires_at: until, ..enrollment });
        }
        Ok(())
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
