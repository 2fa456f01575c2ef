//! Rows of `devices`.

use std::collections::BTreeSet;

use diesel::prelude::*;
use tillgate_domain::office::ports::search_text;
use tillgate_domain::{
    BranchId, Device, DeviceId, DeviceName, Epoch, Instant, RoleId, SessionId, StoreResult, TenantId,
};

use super::{Column, from_millis, to_json, to_millis, uuid_bytes};
use crate::schema::devices;

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = devices, treat_none_as_default_value = false)]
pub(crate) struct DeviceRow {
    pub(crate) id: Vec<u8>,
    tenant_id: Vec<u8>,
    name: String,
    pub(crate) folded: String,
    environment: String,
    status: String,
    description: String,
    pub(crate) preferences: String,
    pub(crate) settings: String,
    branch_id: Option<Vec<u8>>,
    epoch: i64,
    seat_id: Option<Vec<u8>>,
    pairing_id: Option<Vec<u8>>,
    till_mode: bool,
    last_seen_at: Option<i64>,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

/// A new row of `devices`.
#[derive(Insertable)]
#[diesel(table_name = devices, treat_none_as_default_value = false)]
pub(crate) struct NewDeviceRow {
    #[diesel(embed)]
    pub(crate) row: DeviceRow,
    pub(crate) searched: String,
}

impl NewDeviceRow {
    pub(crate) fn from_domain(device: &Device) -> StoreResult<Self> {
        Ok(Self { row: DeviceRow::from_domain(device)?, searched: search_text::from_device(device) })
    }
}

impl DeviceRow {
    pub(crate) fn from_domain(device: &Device) -> StoreResult<Self> {
        Ok(Self {
            id: uuid_bytes(&device.id.0),
            tenant_id: uuid_bytes(&device.tenant.0),
            name: device.name.as_str().to_owned(),
            folded: device.name.to_folded().as_str().to_owned(),
            environment: device.environment.name().to_owned(),
            status: device.status.name().to_owned(),
            description: device.description.clone(),
            preferences: to_json(&device.preferences)?,
            settings: to_json(&device.settings)?,
            branch_id: device.branch.map(|id| uuid_bytes(&id.0)),
            epoch: device.epoch.0,
            seat_id: device.seat.map(|id| uuid_bytes(&id.0)),
            pairing_id: device.pairing.map(|id| uuid_bytes(&id.0)),
            till_mode: device.till_mode,
            last_seen_at: to_millis(device.last_seen_at),
            created_at: device.created_at.millis(),
            updated_at: device.updated_at.millis(),
            version: device.version,
        })
    }

    /// The device with its own roles.
    pub(crate) fn into_domain(self, roles: BTreeSet<RoleId>) -> StoreResult<Device> {
        let cell = |column| Column("devices", column);
        Ok(Device {
            id: DeviceId(cell("id").parse_uuid(&self.id)?),
            tenant: TenantId(cell("tenant_id").parse_uuid(&self.tenant_id)?),
            name: DeviceName::from_stored(self.name),
            environment: cell("environment").check_parsed(self.environment.parse())?,
            status: cell("status").check_parsed(self.status.parse())?,
            description: self.description,
            preferences: cell("preferences").parse_json(&self.preferences)?,
            settings: cell("settings").parse_json(&self.settings)?,
            branch: cell("branch_id").parse_optional_uuid(self.branch_id.as_deref())?.map(BranchId),
            till_mode: self.till_mode,
            roles,
            epoch: Epoch(self.epoch),
            seat: cell("seat_id").parse_optional_uuid(self.seat_id.as_deref())?.map(SessionId),
            pairing: cell("pairing_id").parse_optional_uuid(self.pairing_id.as_deref())?.map(SessionId),
            last_seen_at: from_millis(self.last_seen_at),
            created_at: Instant::from_millis(self.created_at),
            updated_at: Instant::from_millis(self.updated_at),
            version: self.version,
        })
    }
}
