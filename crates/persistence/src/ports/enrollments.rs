//! Enrollments of devices, for the engine and the back office.

use diesel::prelude::*;
use tillgate_auth_core::ports as auth;
use tillgate_domain::office::ports as office;
use tillgate_domain::{
    ApiKeyId, DeviceId, Enrollment, EnrollmentCompletion, EnrollmentDigest, Instant, RoleId, StoreResult,
};

use super::removed_rows;
use crate::error_class::classify;
use crate::row::EnrollmentRow;
use crate::schema::enrollments;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

// the comparison makes a truth value of the number, on both databases
const PUT: &str = "INSERT INTO enrollments \
     (device_id, tenant_id, digest, replaces_key, started_by, created_at, expires_at, started_with, confirms) \
     VALUES ($1, $2, $3, $4 = 1, $5, $6, $7, $8, $9 = 1) ON CONFLICT (device_id) DO UPDATE SET digest = excluded.digest, \
     replaces_key = excluded.replaces_key, started_by = excluded.started_by, created_at = excluded.created_at, \
     expires_at = excluded.expires_at, started_with = excluded.started_with, confirms = excluded.confirms, completed_at = NULL, thumbprint = NULL, session_id = NULL";
const COMPLETE: &str = "UPDATE enrollments SET completed_at = $2, thumbprint = $3, session_id = $4 \
     WHERE digest = $1 AND completed_at IS NULL";
const CANCEL: &str = "DELETE FROM enrollments WHERE device_id = $1 AND completed_at IS NULL";
const CANCEL_BY_ROLE: &str = "DELETE FROM enrollments WHERE completed_at IS NULL AND device_id IN (\
     SELECT device_id FROM device_roles WHERE role_id = $1)";
const LIMIT_BY_API_KEY: &str = "UPDATE enrollments SET expires_at = $2 \
     WHERE started_with = $1 AND completed_at IS NULL AND expires_at > $2";
const SWEEP: &str = "DELETE FROM enrollments WHERE device_id IN (\
     SELECT device_id FROM enrollments WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";

impl office::Enrollments for Transaction<'_> {
    fn insert_or_replace(&mut self, enrollment: &Enrollment) -> StoreResult<()> {
        let started_by = enrollment.started_by.map(|user| user.0);
        let started_with = enrollment.started_with.map(|key| key.0);
        let binds = [
            Bind::from(&enrollment.device.0),
            Bind::from(&enrollment.tenant.0),
            Bind::Bytes(&enrollment.digest),
            i64::from(enrollment.replaces_key).into(),
            started_by.as_ref().into(),
            enrollment.created_at.into(),
            enrollment.expires_at.into(),
            started_with.as_ref().into(),
            i64::from(enrollment.confirms).into(),
        ];
        self.execute(&Statement::new(PUT, binds)).map(drop)
    }

    fn find_by_device(&mut self, device: DeviceId) -> StoreResult<Option<Enrollment>> {
        let found: Option<EnrollmentRow> = enrollments::table
            .find(device.0.as_bytes().as_slice())
            .select(EnrollmentRow::as_select())
            .get_result(self.connection)
            .optional()
            .map_err(classify)?;
        found.map(EnrollmentRow::into_domain).transpose()
    }

    fn cancel(&mut self, device: DeviceId) -> StoreResult<bool> {
        Ok(self.execute(&Statement::new(CANCEL, [Bind::from(&device.0)]))? == 1)
    }

    fn cancel_by_role(&mut self, role: RoleId) -> StoreResult<()> {
        self.execute(&Statement::new(CANCEL_BY_ROLE, [Bind::from(&role.0)])).map(drop)
    }

    fn limit_by_api_key(&mut self, key: ApiKeyId, until: Instant) -> StoreResult<()> {
        self.execute(&Statement::new(LIMIT_BY_API_KEY, [Bind::from(&key.0), until.into()])).map(drop)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        self.execute(&Statement::new(SWEEP, [before.into(), i64::from(limit).into()])).map(removed_rows)
    }
}

impl auth::Enrollments for Transaction<'_> {
    fn find(&mut self, digest: &EnrollmentDigest) -> StoreResult<Option<Enrollment>> {
        let found: Option<EnrollmentRow> = enrollments::table
            .filter(enrollments::digest.eq(digest.as_slice()))
            .select(EnrollmentRow::as_select())
            .get_result(self.connection)
            .optional()
            .map_err(classify)?;
        found.map(EnrollmentRow::into_domain).transpose()
    }

    fn complete(&mut self, digest: &EnrollmentDigest, completion: &EnrollmentCompletion) -> StoreResult<bool> {
        let binds = [
            Bind::Bytes(digest),
            completion.at.into(),
            Bind::Bytes(&completion.thumbprint),
            Bind::from(&completion.session.0),
        ];
        Ok(self.execute(&Statement::new(COMPLETE, binds))? == 1)
    }
}
