//! Finds devices by what is known of them, part by part.

use super::ports::{DeviceFilter, OfficeView, Page};
use crate::{Device, DeviceId, Store, StoreExt, Stored, TenantId};

/// The most that a part holds: a page of 200 and the one more that tells whether another follows.
const MOST: u32 = 201;

/// Devices of a tenant in the order of their ids, those that the filter fits.
pub fn search_devices(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    filter: &DeviceFilter,
    page: &Page<DeviceId>,
) -> Stored<Vec<Device>> {
    let Some(text) = super::text::sought(filter.text.as_deref()) else { return Ok(Vec::new()) };
    let filter = DeviceFilter { text, ..filter.clone() };
    let page = Page { after: page.after, limit: page.limit.clamp(1, MOST) };
    store.read(|tx| tx.devices().search(tenant, &filter, &page))
}
