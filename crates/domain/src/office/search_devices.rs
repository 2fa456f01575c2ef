//! Finds devices by what is known of them, part by part, with the names of their roles, which a device's own row holds by id.

use std::collections::BTreeMap;

use super::ports::{DeviceFilter, OfficeTx, OfficeView, Page};
use crate::{Device, DeviceId, RoleId, RoleName, Store, StoreExt, Stored, TenantId};

/// The most that a part holds: a page of 200 and the one more that tells whether another follows.
const MOST: u32 = 201;

/// A device with the names of the roles that it has as itself, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Equipped {
    /// The device.
    pub device: Device,
    /// The names of its roles.
    pub roles: Vec<RoleName>,
}

/// Devices of a tenant in the order of their ids, those that the filter fits.
pub fn search_devices(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    filter: &DeviceFilter,
    page: &Page<DeviceId>,
) -> Stored<Vec<Equipped>> {
    let Some(text) = super::text::sought(filter.text.as_deref()) else { return Ok(Vec::new()) };
    let filter = DeviceFilter { text, ..filter.clone() };
    let page = Page { after: page.after, limit: page.limit.clamp(1, MOST) };
    store.read(|tx| {
        let found = tx.devices().search(tenant, &filter, &page)?;
        with_names(tx, tenant, found)
    })
}

/// The device with this id, a retired one too.
pub fn find_equipped(store: &dyn Store<OfficeView>, tenant: TenantId, id: DeviceId) -> Stored<Option<Equipped>> {
    store.read(|tx| {
        let found = tx.devices().find(id)?.filter(|device| device.tenant == tenant);
        Ok(with_names(tx, tenant, found.into_iter().collect())?.pop())
    })
}

/// The device that a use case has just made or changed.
pub fn equipped(store: &dyn Store<OfficeView>, device: &Device) -> Stored<Option<Equipped>> {
    store.read(|tx| Ok(with_names(tx, device.tenant, vec![device.clone()])?.pop()))
}

fn with_names(tx: &mut (dyn OfficeTx + '_), tenant: TenantId, devices: Vec<Device>) -> Stored<Vec<Equipped>> {
    if devices.is_empty() {
        return Ok(Vec::new());
    }
    let roles: BTreeMap<RoleId, RoleName> =
        tx.roles().list(tenant)?.into_iter().map(|role| (role.id, role.name)).collect();
    let named = |device: Device| {
        let mut names: Vec<RoleName> = device.roles.iter().filter_map(|id| roles.get(id)).cloned().collect();
        names.sort();
        Equipped { device, roles: names }
    };
    Ok(devices.into_iter().map(named).collect())
}
