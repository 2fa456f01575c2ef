//! The in-memory device port of the back office. The name of a retired device is free.

use std::collections::BTreeSet;

use tillgate_domain::office::ports::{DeviceFilter, Devices, PageRequest};
use tillgate_domain::{Device, DeviceId, DeviceStatus, FoldedText, StoreResult, TenantId};

use super::super::rows::Tables;
use super::super::transaction::{Transaction, constraint_error};
use super::read_page;
use tillgate_auth_core::ports as auth;

impl Devices for Transaction<'_> {
    fn find(&mut self, id: DeviceId) -> StoreResult<Option<Device>> {
        auth::Devices::find(self, id)
    }

    fn find_by_name(&mut self, tenant: TenantId, name: &FoldedText) -> StoreResult<Option<Device>> {
        auth::Devices::find_by_name(self, tenant, name)
    }

    fn find_many(&mut self, ids: &BTreeSet<DeviceId>) -> StoreResult<Vec<Device>> {
        Ok(ids.iter().filter_map(|id| self.tables().devices.get(id)).cloned().collect())
    }

    fn insert(&mut self, device: &Device) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        if is_name_taken(tables, device) {
            return Ok(false);
        }
        if tables.devices.has(&device.id) {
            return constraint_error("a device's id is new");
        }
        if !tables.tenants.has(&device.tenant) {
            return constraint_error("a device belongs to a tenant");
        }
        index_name(tables, device);
        tables.devices.put(device.id, device.clone());
        Ok(true)
    }

    fn update(&mut self, device: &Device) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        let Some(old) = tables.devices.get(&device.id).filter(|old| old.version == device.version).cloned() else {
            return Ok(false);
        };
        if is_name_taken(tables, device) {
            return Ok(false);
        }
        if old.status != DeviceStatus::Retired {
            tables.device_names.remove(&(old.tenant, old.name.to_folded()));
        }
        index_name(tables, device);
        let kept = Device {
            epoch: old.epoch,
            seat: old.seat,
            pairing: old.pairing,
            last_seen_at: old.last_seen_at,
            version: device.version.saturating_add(1),
            ..device.clone()
        };
        tables.devices.put(device.id, kept);
        Ok(true)
    }

    fn list(&mut self, tenant: TenantId, page: &PageRequest<DeviceId>) -> StoreResult<Vec<Device>> {
        Ok(read_page(self.tables().devices.rows(), page, |device| device.tenant == tenant))
    }

    fn search(
        &mut self,
        tenant: TenantId,
        filter: &DeviceFilter,
        page: &PageRequest<DeviceId>,
    ) -> StoreResult<Vec<Device>> {
        Ok(read_page(self.tables().devices.rows(), page, |device| device.tenant == tenant && filter.matches(device)))
    }
}

/// Whether another device that is not retired has the device's name.
fn is_name_taken(tables: &Tables, device: &Device) -> bool {
    let holder = tables.device_names.get(&(device.tenant, device.name.to_folded()));
    device.status != DeviceStatus::Retired && holder.is_some_and(|holder| *holder != device.id)
}

fn index_name(tables: &mut Tables, device: &Device) {
    if device.status != DeviceStatus::Retired {
        tables.device_names.put((device.tenant, device.name.to_folded()), device.id);
    }
}
