//! Finds devices by their ids, to show their names.

use std::collections::{BTreeMap, BTreeSet};

use crate::office::UnguardedOffice;
use crate::office::ports::OfficeTx;
use crate::{Device, DeviceId, StoreExt, StoreResult};

/// The greatest number of ids in one query.
const MAX_IDS_PER_STATEMENT: usize = 500;

impl UnguardedOffice<'_> {
    /// Those of the devices that the tenant has.
    pub fn find_devices(&self, ids: &BTreeSet<DeviceId>) -> StoreResult<BTreeMap<DeviceId, Device>> {
        let mut found = self.store.read("find_device", |tx| find_devices_by_id(tx, ids))?;
        found.retain(|_, device| device.tenant == self.tenant);
        Ok(found)
    }
}

/// Those of the devices that exist.
pub(in crate::office) fn find_devices_by_id(
    tx: &mut dyn OfficeTx,
    ids: &BTreeSet<DeviceId>,
) -> StoreResult<BTreeMap<DeviceId, Device>> {
    let ids: Vec<DeviceId> = ids.iter().copied().collect();
    let mut devices = BTreeMap::new();
    for some in ids.chunks(MAX_IDS_PER_STATEMENT) {
        let found = tx.devices().find_many(&some.iter().copied().collect())?;
        devices.extend(found.into_iter().map(|device| (device.id, device)));
    }
    Ok(devices)
}
