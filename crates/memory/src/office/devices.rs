//! The in-memory device port of the back office. The name of a retired device is free.

use std::collections::BTreeSet;

use tillgate_domain::office::ports::{DeviceFilter, Devices, PageRequest, TillCountSpan, TillCounts};
use tillgate_domain::{BranchId, Device, DeviceId, DeviceStatus, FoldedText, StoreResult, TenantId};

use super::super::rows::Tables;
use super::super::transaction::{Transaction, constraint_error};
use super::{read_page, to_u64};
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
        check_branch(tables, device)?;
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
        check_branch(tables, device)?;
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

    fn count_tills(
        &mut self,
        tenant: TenantId,
        branch: Option<BranchId>,
        span: &TillCountSpan,
    ) -> StoreResult<TillCounts> {
        let tables = self.tables();
        let mut counts = TillCounts::default();
        let tills = tables.devices.rows().values().filter(|device| {
            device.tenant == tenant
                && device.environment.sells()
                && branch.is_none_or(|branch| device.branch == Some(branch))
        });
        for till in tills {
            match till.status {
                DeviceStatus::Active => counts.active += 1,
                DeviceStatus::Locked => counts.locked += 1,
                DeviceStatus::Pending => counts.pending += 1,
                DeviceStatus::Retired => {}
            }
            let seat = till.seat.and_then(|id| tables.sessions.get(&id));
            let live = seat.filter(|session| session.end_as_of(span.now).is_none());
            if let Some(session) = live.filter(|_| till.status == DeviceStatus::Active) {
                counts.logged_in += 1;
                if session.last_used_at.unwrap_or(session.created_at) <= span.idle_since {
                    counts.idle += 1;
                }
            }
        }
        Ok(counts)
    }

    fn count_in_branch(&mut self, branch: BranchId) -> StoreResult<u64> {
        Ok(to_u64(self.tables().devices.rows().values().filter(|device| device.branch == Some(branch)).count()))
    }
}

fn check_branch(tables: &Tables, device: &Device) -> StoreResult<()> {
    let Some(branch) = device.branch else { return Ok(()) };
    let tenant = tables.tenants.get(&device.tenant);
    if tenant.is_some_and(|tenant| tenant.branches.iter().any(|each| each.id == branch)) {
        return Ok(());
    }
    constraint_error("a device is in a store of its tenant")
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
