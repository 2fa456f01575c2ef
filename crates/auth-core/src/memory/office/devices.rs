//! Devices in memory, as the back office writes them. A retired one holds no name.

use std::collections::BTreeSet;

use tillgate_domain::office::ports::{DeviceFilter, Devices, Page};
use tillgate_domain::{Device, DeviceId, DeviceStatus, Folded, Stored, TenantId};

use super::super::rows::Tables;
use super::super::transaction::{Transaction, broken};
use super::part;
use crate::ports as auth;

impl Devices for Transaction<'_> {
    fn find(&mut self, id: DeviceId) -> Stored<Option<Device>> {
        auth::Devices::find(self, id)
    }

    fn named(&mut self, tenant: TenantId, name: &Folded) -> Stored<Option<Device>> {
        auth::Devices::named(self, tenant, name)
    }

    fn among(&mut self, ids: &BTreeSet<DeviceId>) -> Stored<Vec<Device>> {
        Ok(ids.iter().filter_map(|id| self.tables().devices.get(id)).cloned().collect())
    }

    fn insert(&mut self, device: &Device) -> Stored<bool> {
        let tables = self.writing()?;
        if device_taken(tables, device) {
            return Ok(false);
        }
        if tables.devices.has(&device.id) {
            return broken("a device's id is new");
        }
        if !tables.tenants.has(&device.tenant) {
            return broken("a device belongs to a tenant");
        }
        name_device(tables, device);
        tables.devices.put(device.id, device.clone());
        Ok(true)
    }

    fn update(&mut self, device: &Device) -> Stored<bool> {
        let tables = self.writing()?;
        let Some(old) = tables.devices.get(&device.id).filter(|old| old.version == device.version).cloned() else {
            return Ok(false);
        };
        if device_taken(tables, device) {
            return Ok(false);
        }
        if old.status != DeviceStatus::Retired {
            tables.device_names.remove(&(old.tenant, old.name.folded()));
        }
        name_device(tables, device);
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

    fn list(&mut self, tenant: TenantId, page: &Page<DeviceId>) -> Stored<Vec<Device>> {
        Ok(part(self.tables().devices.rows(), page, |device| device.tenant == tenant))
    }

    fn search(&mut self, tenant: TenantId, filter: &DeviceFilter, page: &Page<DeviceId>) -> Stored<Vec<Device>> {
        Ok(part(self.tables().devices.rows(), page, |device| device.tenant == tenant && filter.fits(device)))
    }
}

/// Whether another device that is not retired has the device's name.
fn device_taken(tables: &Tables, device: &Device) -> bool {
    let holder = tables.device_names.get(&(device.tenant, device.name.folded()));
    device.status != DeviceStatus::Retired && holder.is_some_and(|holder| *holder != device.id)
}

fn name_device(tables: &mut Tables, device: &Device) {
    if device.status != DeviceStatus::Retired {
        tables.device_names.put((device.tenant, device.name.folded()), device.id);
    }
}
