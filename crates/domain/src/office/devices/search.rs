//! Searches devices, page by page, with the names of their roles, which the row of a device
//! references by id, and their stores.

use std::collections::BTreeMap;

use crate::office::UnguardedOffice;
use crate::office::ports::{DeviceFilter, MAX_FETCH_ROWS, OfficeTx, PageRequest};
use crate::{Branch, Device, DeviceId, RoleId, RoleName, StoreExt, StoreResult, TenantId};

/// A device with the sorted names of the roles that it has as itself, and its store.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceView {
    /// The device itself.
    pub device: Device,
    /// The names of its roles.
    pub roles: Vec<RoleName>,
    /// The store in which it is.
    pub store: Option<Branch>,
}

impl UnguardedOffice<'_> {
    /// Lists the devices of a tenant that the filter matches, in the order of their ids.
    pub fn search_devices(&self, filter: &DeviceFilter, page: &PageRequest<DeviceId>) -> StoreResult<Vec<DeviceView>> {
        let Some(text) = crate::office::text::normalize_search_text(filter.text.as_deref()) else {
            return Ok(Vec::new());
        };
        let filter = DeviceFilter { text, ..filter.clone() };
        let page = PageRequest { after: page.after, limit: page.limit.clamp(1, MAX_FETCH_ROWS) };
        self.store.read("search_devices", |tx| {
            let found = tx.devices().search(self.tenant, &filter, &page)?;
            load_views(tx, self.tenant, found)
        })
    }

    /// The device with this id; retired devices are found, too.
    pub fn find_device_view(&self, id: DeviceId) -> StoreResult<Option<DeviceView>> {
        self.store.read("find_device", |tx| {
            let found = tx.devices().find(id)?.filter(|device| device.tenant == self.tenant);
            Ok(load_views(tx, self.tenant, found.into_iter().collect())?.pop())
        })
    }

    /// The view of a device that a use case has just added or changed.
    pub fn load_device_view(&self, device: &Device) -> StoreResult<Option<DeviceView>> {
        self.store.read("find_device", |tx| Ok(load_views(tx, device.tenant, vec![device.clone()])?.pop()))
    }

    /// The views of devices of the tenant that were read before, in the same order.
    pub fn load_device_views(&self, devices: &[Device]) -> StoreResult<Vec<DeviceView>> {
        self.store.read("list_devices", |tx| load_views(tx, self.tenant, devices.to_vec()))
    }
}

fn load_views(tx: &mut (dyn OfficeTx + '_), tenant: TenantId, devices: Vec<Device>) -> StoreResult<Vec<DeviceView>> {
    if devices.is_empty() {
        return Ok(Vec::new());
    }
    let roles: BTreeMap<RoleId, RoleName> =
        tx.roles().list(tenant)?.into_iter().map(|role| (role.id, role.name)).collect();
    let branches = if devices.iter().any(|device| device.branch.is_some()) {
        tx.tenants().find(tenant)?.map(|tenant| tenant.branches).unwrap_or_default()
    } else {
        Vec::new()
    };
    let named = |device: Device| {
        let mut names: Vec<RoleName> = device.roles.iter().filter_map(|id| roles.get(id)).cloned().collect();
        names.sort();
        let store = branches.iter().find(|branch| Some(branch.id) == device.branch).cloned();
        DeviceView { device, roles: names, store }
    };
    Ok(devices.into_iter().map(named).collect())
}
