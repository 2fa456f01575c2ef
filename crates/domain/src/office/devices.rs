//! Devices by their ids, for those who show what names them.

use std::collections::{BTreeMap, BTreeSet};

use super::ports::{OfficeTx, OfficeView};
use crate::{Device, DeviceId, Store, StoreExt, Stored, TenantId};

/// How many ids a statement names at most.
const AT_ONCE: usize = 500;

/// Those of these devices that the tenant has.
pub fn devices_among(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    ids: &BTreeSet<DeviceId>,
) -> Stored<BTreeMap<DeviceId, Device>> {
    let mut found = store.read(|tx| devices_by_id(tx, ids))?;
    found.retain(|_, device| device.tenant == tenant);
    Ok(found)
}

/// Those of these devices that there are.
pub(super) fn devices_by_id(tx: &mut dyn OfficeTx, ids: &BTreeSet<DeviceId>) -> Stored<BTreeMap<DeviceId, Device>> {
    let ids: Vec<DeviceId> = ids.iter().copied().collect();
    let mut devices = BTreeMap::new();
    for some in ids.chunks(AT_ONCE) {
        let found = tx.devices().among(&some.iter().copied().collect())?;
        devices.extend(found.into_iter().map(|device| (device.id, device)));
    }
    Ok(devices)
}
