//! Keys of devices, for the engine and the back office.

use diesel::prelude::*;
use tillgate_auth_core::ports as auth;
use tillgate_domain::office::ports as office;
use tillgate_domain::{DeviceId, DeviceKey, DeviceKeyState, Instant, StoreResult, TenantId, Thumbprint};

use crate::error_class::classify;
use crate::row::DeviceKeyRow;
use crate::schema::device_keys;
use crate::statement::{Bind, OnConflictDoNothing, Statement};
use crate::transaction::Transaction;

const END_KEY: &str = "UPDATE device_keys SET state = $3, ended_at = $4 \
     WHERE tenant_id = $1 AND thumbprint = $2 AND ended_at IS NULL";

const RECORD_USE: &str = "UPDATE device_keys SET used_at = $3 \
     WHERE tenant_id = $1 AND thumbprint = $2 AND (used_at IS NULL OR used_at <= $4)";

impl Transaction<'_> {
    /// Ends the key if it is current.
    fn end_device_key(
        &mut self,
        tenant: TenantId,
        thumbprint: &Thumbprint,
        state: DeviceKeyState,
        at: Instant,
    ) -> StoreResult<bool> {
        let binds = [Bind::from(&tenant.0), Bind::Bytes(thumbprint), state.name().into(), at.into()];
        Ok(self.execute(&Statement::new(END_KEY, binds))? == 1)
    }
}

impl office::DeviceKeys for Transaction<'_> {
    fn list_by_device(&mut self, device: DeviceId) -> StoreResult<Vec<DeviceKey>> {
        let rows: Vec<DeviceKeyRow> = device_keys::table
            .filter(device_keys::device_id.eq(device.0.as_bytes().as_slice()))
            .order((device_keys::enrolled_at.desc(), device_keys::thumbprint.desc()))
            .select(DeviceKeyRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        rows.into_iter().map(DeviceKeyRow::into_domain).collect()
    }

    fn revoke(&mut self, tenant: TenantId, thumbprint: &Thumbprint, at: Instant) -> StoreResult<bool> {
        self.end_device_key(tenant, thumbprint, DeviceKeyState::Revoked, at)
    }
}

impl auth::DeviceKeys for Transaction<'_> {
    fn find(&mut self, tenant: TenantId, thumbprint: &Thumbprint) -> StoreResult<Option<DeviceKey>> {
        let found: Option<DeviceKeyRow> = device_keys::table
            .find((tenant.0.as_bytes().as_slice(), thumbprint.as_slice()))
            .select(DeviceKeyRow::as_select())
            .get_result(self.connection)
            .optional()
            .map_err(classify)?;
        found.map(DeviceKeyRow::into_domain).transpose()
    }

    fn find_current(&mut self, device: DeviceId) -> StoreResult<Option<DeviceKey>> {
        // a constant in the text, so that SQLite uses the partial index
        let is_current = diesel::dsl::sql::<diesel::sql_types::Bool>("device_keys.state = 'current'");
        let found: Option<DeviceKeyRow> = device_keys::table
            .filter(device_keys::device_id.eq(device.0.as_bytes().as_slice()))
            .filter(is_current)
            .select(DeviceKeyRow::as_select())
            .get_result(self.connection)
            .optional()
            .map_err(classify)?;
        found.map(DeviceKeyRow::into_domain).transpose()
    }

    fn insert(&mut self, key: &DeviceKey) -> StoreResult<bool> {
        let insert = diesel::insert_into(device_keys::table).values(DeviceKeyRow::from_domain(key));
        Ok(OnConflictDoNothing(insert).execute(self.write_connection()?).map_err(classify)? == 1)
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
        let binds = [Bind::from(&tenant.0), Bind::Bytes(thumbprint), at.into(), recorded_before.into()];
        self.execute(&Statement::new(RECORD_USE, binds)).map(drop)
    }
}
