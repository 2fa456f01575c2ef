//! The in-memory ports of the back office: tenants here, the others in the modules below.

mod devices;
pub(crate) mod roles;
mod users;

use std::collections::BTreeMap;
use std::ops::Bound;

use tillgate_domain::office::ports::{PageRequest, Tenants};
use tillgate_domain::{BranchId, Device, Slug, StoreResult, Tenant, TenantId};

use super::transaction::{Transaction, constraint_error, to_usize};
use tillgate_auth_core::ports as auth;

impl Tenants for Transaction<'_> {
    fn find(&mut self, id: TenantId) -> StoreResult<Option<Tenant>> {
        auth::Tenants::find(self, id)
    }

    fn find_by_slug(&mut self, slug: &Slug) -> StoreResult<Option<Tenant>> {
        auth::Tenants::find_by_slug(self, slug)
    }

    fn insert(&mut self, tenant: &Tenant) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        if tables.slugs.has(&tenant.slug) {
            return Ok(false);
        }
        if tables.tenants.has(&tenant.id) {
            return constraint_error("a tenant's id is new");
        }
        tables.slugs.put(tenant.slug.clone(), tenant.id);
        tables.tenants.put(tenant.id, with_sorted_branches(tenant.clone()));
        Ok(true)
    }

    fn claim(&mut self, id: TenantId) -> StoreResult<bool> {
        // Only one unit of work that writes runs at a time.
        Ok(self.tables_mut()?.tenants.has(&id))
    }

    fn update(&mut self, tenant: &Tenant) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        let Some(old) = tables.tenants.get(&tenant.id).filter(|old| old.version == tenant.version).cloned() else {
            return Ok(false);
        };
        let removed = |branch: &BranchId| tenant.branches.iter().all(|each| each.id != *branch);
        let of_tenant = |device: &&Device| device.tenant == tenant.id;
        if tables.devices.rows().values().filter(of_tenant).filter_map(|device| device.branch.as_ref()).any(removed) {
            return constraint_error("a store with devices stays");
        }
        let kept = Tenant {
            slug: old.slug,
            epoch: old.epoch,
            created_at: old.created_at,
            version: old.version.saturating_add(1),
            ..tenant.clone()
        };
        tables.tenants.put(tenant.id, with_sorted_branches(kept));
        Ok(true)
    }

    fn list(&mut self, page: &PageRequest<TenantId>) -> StoreResult<Vec<Tenant>> {
        Ok(read_page(self.tables().tenants.rows(), page, |_| true))
    }
}

/// The rows of a page of a list.
fn read_page<K: Ord + Copy, V: Clone>(
    rows: &BTreeMap<K, V>,
    page: &PageRequest<K>,
    listed: impl Fn(&V) -> bool,
) -> Vec<V> {
    let start = page.after.map_or(Bound::Unbounded, Bound::Excluded);
    let rows = rows.range((start, Bound::Unbounded)).map(|(_, row)| row);
    rows.filter(|row| listed(row)).take(to_usize(page.limit)).cloned().collect()
}

fn to_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The tenant with its branches in the order of their ids.
fn with_sorted_branches(mut tenant: Tenant) -> Tenant {
    tenant.branches.sort_by_key(|branch| branch.id);
    tenant
}
