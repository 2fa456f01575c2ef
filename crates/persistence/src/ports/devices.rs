//! Devices: found, claimed and seated by a login, changed by the back office. One device, or one
//! page of devices, is read with two queries.

mod search;
mod tills;

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use tillgate_auth_core::ports as auth;
use tillgate_domain::office::ports as office;
use tillgate_domain::office::ports::{DeviceFilter, PageRequest, TillCountSpan, TillCounts};
use tillgate_domain::{
    BranchId, Device, DeviceId, DeviceStatus, Epoch, FoldedText, Instant, RoleId, SessionId, StoreResult, TenantId,
};

use super::{foreign_key_violation_as_conflict, lookup_keys, violation_as_conflict};
use crate::error_class::classify;
use crate::row::{Column, DeviceRow, NewDeviceRow};
use crate::schema::{device_roles, devices};
use crate::statement::{Bind, OnConflictDoNothing, Statement};
use crate::transaction::Transaction;

const CLAIM: &str = "UPDATE devices SET last_login_at = $4 WHERE id = $1 AND epoch = $2 AND status = $3";
const SEAT: &str = "UPDATE devices SET seat_id = $2 WHERE id = $1 AND seat_id IS NOT DISTINCT FROM $3";
const PAIR: &str = "UPDATE devices SET pairing_id = $2 WHERE id = $1 AND pairing_id IS NOT DISTINCT FROM $3";
// an unchanged name keeps its earlier key as long as the newer one belongs to another device
const UPDATE: &str = "UPDATE devices SET name = $3, environment = $5, status = $6, description = $7, \
     folded = CASE WHEN name = $3 AND EXISTS (SELECT 1 FROM devices other WHERE other.tenant_id = devices.tenant_id \
     AND other.folded = $4 AND other.status <> 'retired' AND other.id <> devices.id) THEN folded ELSE $4 END, \
     preferences = $8, settings = $9, updated_at = $10, searched = $11, branch_id = $13, till_mode = ($14 <> 0), version = version + 1 \
     WHERE id = $1 AND version = $2 \
     AND ($6 = 'retired' OR (name = $3 AND status <> 'retired') \
     OR NOT EXISTS (SELECT 1 FROM devices other WHERE other.tenant_id = devices.tenant_id \
     AND other.folded IN ($4, $12) AND other.status <> 'retired' AND other.id <> devices.id))";

impl Transaction<'_> {
    /// Replaces the session in the seat or the pairing of a device, if the expected session still
    /// has it.
    fn swap_session(
        &mut self,
        text: &'static str,
        id: DeviceId,
        from: Option<SessionId>,
        to: Option<SessionId>,
    ) -> StoreResult<bool> {
        let (from, to) = (from.map(|session| session.0), to.map(|session| session.0));
        let binds = [Bind::from(&id.0), to.as_ref().into(), from.as_ref().into()];
        Ok(self.execute(&Statement::new(text, binds))? == 1)
    }

    fn load_roles(&mut self, rows: Vec<DeviceRow>) -> StoreResult<Vec<Device>> {
        let ids: Vec<&[u8]> = rows.iter().map(|row| row.id.as_slice()).collect();
        let found: Vec<(Vec<u8>, Vec<u8>)> = match ids.as_slice() {
            [] => return Ok(Vec::new()),
            // the text of a list depends on its length, so its prepared form is not kept; a single
            // id has its own text
            [id] => device_roles::table.filter(device_roles::device_id.eq(id)).load(self.connection),
            _ => device_roles::table.filter(device_roles::device_id.eq_any(&ids)).load(self.connection),
        }
        .map_err(classify)?;
        let mut roles_by_device = BTreeMap::<Vec<u8>, BTreeSet<RoleId>>::new();
        for (device, role) in found {
            roles_by_device
                .entry(device)
                .or_default()
                .insert(RoleId(Column("device_roles", "role_id").parse_uuid(&role)?));
        }
        rows.into_iter()
            .map(|row| {
                let roles = roles_by_device.remove(&row.id).unwrap_or_default();
                row.into_domain(roles)
            })
            .collect()
    }

    fn insert_roles(&mut self, device: &Device) -> StoreResult<()> {
        let id = Bind::from(&device.id.0);
        let role_values: Vec<Bind<'_>> = device.roles.iter().flat_map(|role| [id, Bind::from(&role.0)]).collect();
        self.insert_or("device_roles (device_id, role_id)", 2, &role_values, foreign_key_violation_as_conflict)
    }
}

impl auth::Devices for Transaction<'_> {
    fn find(&mut self, id: DeviceId) -> StoreResult<Option<Device>> {
        let rows = devices::table
            .find(id.0.as_bytes().as_slice())
            .select(DeviceRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        Ok(self.load_roles(rows)?.pop())
    }

    fn find_by_name(&mut self, tenant: TenantId, name: &FoldedText) -> StoreResult<Option<Device>> {
        let mut retired = None;
        for key in lookup_keys(name) {
            let rows = devices::table
                .filter(devices::tenant_id.eq(tenant.0.as_bytes().as_slice()))
                .filter(devices::folded.eq(key))
                .order(devices::id)
                .select(DeviceRow::as_select())
                .load(self.connection)
                .map_err(classify)?;
            for device in self.load_roles(rows)? {
                // at most one of them is not retired
                if device.status != DeviceStatus::Retired {
                    return Ok(Some(device));
                }
                retired = Some(device);
            }
        }
        Ok(retired)
    }

    fn claim(&mut self, id: DeviceId, epoch: Epoch, at: Instant) -> StoreResult<bool> {
        let binds = [Bind::from(&id.0), epoch.0.into(), DeviceStatus::Active.name().into(), at.into()];
        Ok(self.execute(&Statement::new(CLAIM, binds))? == 1)
    }

    fn seat(&mut self, id: DeviceId, from: Option<SessionId>, to: Option<SessionId>) -> StoreResult<bool> {
        self.swap_session(SEAT, id, from, to)
    }

    fn pair(&mut self, id: DeviceId, from: Option<SessionId>, to: Option<SessionId>) -> StoreResult<bool> {
        self.swap_session(PAIR, id, from, to)
    }
}

impl office::Devices for Transaction<'_> {
    fn find(&mut self, id: DeviceId) -> StoreResult<Option<Device>> {
        auth::Devices::find(self, id)
    }

    fn find_by_name(&mut self, tenant: TenantId, name: &FoldedText) -> StoreResult<Option<Device>> {
        auth::Devices::find_by_name(self, tenant, name)
    }

    fn find_many(&mut self, ids: &BTreeSet<DeviceId>) -> StoreResult<Vec<Device>> {
        let rows = devices::table
            .filter(devices::id.eq_any(ids.iter().map(|id| id.0.as_bytes().as_slice())))
            .order(devices::id)
            .select(DeviceRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        self.load_roles(rows)
    }

    fn insert(&mut self, device: &Device) -> StoreResult<bool> {
        // the unique index covers the newer key only
        let name = Some(device.name.to_folded()).filter(|name| name.legacy_key().is_some());
        if let Some(name) = name.filter(|_| device.status != DeviceStatus::Retired)
            && auth::Devices::find_by_name(self, device.tenant, &name)?
                .is_some_and(|other| other.status != DeviceStatus::Retired)
        {
            return Ok(false);
        }
        let insert = diesel::insert_into(devices::table).values(NewDeviceRow::from_domain(device)?);
        if OnConflictDoNothing(insert).execute(self.write_connection()?).map_err(foreign_key_violation_as_conflict)?
            == 0
        {
            return Ok(false);
        }
        self.insert_roles(device)?;
        Ok(true)
    }

    fn update(&mut self, device: &Device) -> StoreResult<bool> {
        let NewDeviceRow { row, searched } = NewDeviceRow::from_domain(device)?;
        let name = device.name.to_folded();
        let binds = [
            Bind::from(&device.id.0),
            device.version.into(),
            device.name.as_str().into(),
            row.folded.as_str().into(),
            device.environment.name().into(),
            device.status.name().into(),
            device.description.as_str().into(),
            row.preferences.as_str().into(),
            row.settings.as_str().into(),
            device.updated_at.into(),
            searched.as_str().into(),
            name.legacy_key().unwrap_or(name.as_str()).into(),
            device.branch.as_ref().map(|id| &id.0).into(),
            i64::from(device.till_mode).into(),
        ];
        if Statement::new(UPDATE, binds).execute(self.write_connection()?).map_err(violation_as_conflict)? == 0 {
            return Ok(false);
        }
        let id = [Bind::from(&device.id.0)];
        self.execute(&Statement::new("DELETE FROM device_roles WHERE device_id = $1", id))?;
        self.insert_roles(device)?;
        Ok(true)
    }

    fn list(&mut self, tenant: TenantId, page: &PageRequest<DeviceId>) -> StoreResult<Vec<Device>> {
        let after = page.after.map_or(uuid::Uuid::nil(), |id| id.0);
        let rows = devices::table
            .filter(devices::tenant_id.eq(tenant.0.as_bytes().as_slice()))
            .filter(devices::id.gt(after.as_bytes().as_slice()))
            .order(devices::id)
            .limit(i64::from(page.limit))
            .select(DeviceRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        self.load_roles(rows)
    }

    fn search(
        &mut self,
        tenant: TenantId,
        filter: &DeviceFilter,
        page: &PageRequest<DeviceId>,
    ) -> StoreResult<Vec<Device>> {
        search::search_page(self, tenant, filter, page)
    }

    fn count_tills(
        &mut self,
        tenant: TenantId,
        branch: Option<BranchId>,
        span: &TillCountSpan,
    ) -> StoreResult<TillCounts> {
        tills::count_tills(self, tenant, branch, span)
    }

    fn count_in_branch(&mut self, branch: BranchId) -> StoreResult<u64> {
        let devices = devices::table.filter(devices::branch_id.eq(branch.0.as_bytes().as_slice()));
        let number: i64 = devices.count().get_result(self.connection).map_err(classify)?;
        Ok(u64::try_from(number).unwrap_or_default())
    }
}
