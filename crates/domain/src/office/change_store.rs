//! Gives a store of a tenant another name, and closes it.
//!
//! A tenant's stores are written with the tenant: its version is theirs.

use serde_json::{Map, json};

use super::add_store::check_name;
use super::own_tenant::{own, written};
use super::ports::OfficeView;
use super::refused::{Decided, Field, Halt, Refused, decide};
use super::stamp::Stamp;
use crate::{Action, Branch, BranchId, KnownRight, Store, StoreExt, Subject, Tenant, TenantId};

/// Gives the store another name (`None` leaves it as it is) and returns the tenant as it is then. `version` is the tenant's that was read, where the caller
/// holds to it. Asks the right `storeUpdate`. What changes nothing writes nothing.
pub fn rename_store(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    stamp: &Stamp,
    id: BranchId,
    version: Option<i64>,
    name: Option<&str>,
) -> Decided<Tenant> {
    store.write(|tx| {
        let mut way = || -> Result<Tenant, Halt> {
            stamp.authority.ask(KnownRight::StoreUpdate)?;
            let mut tenant = own(tx, tenant, version)?;
            let before = branch(&tenant, id)?;
            let name = name.map_or_else(|| before.name.clone(), |name| name.trim().to_owned());
            let after = Branch { id, name };
            if before == after {
                return Ok(tenant);
            }
            check_name(&tenant, &after)?;
            let details = Map::from_iter([("name".to_owned(), json!({ "from": before.name, "to": after.name }))]);
            tenant.branches.iter_mut().filter(|each| each.id == id).for_each(|each| *each = after.clone());
            written(tx, stamp, tenant, Action::StoreUpdate, Subject::Store(id), details)
        };
        decide(way())
    })
}

/// Closes the store for good and returns the tenant as it is then. `version` is the tenant's that was read, where the caller holds
/// to it. The last store stays. Asks the right `storeDelete`.
pub fn close_store(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    stamp: &Stamp,
    id: BranchId,
    version: Option<i64>,
) -> Decided<Tenant> {
    store.write(|tx| {
        let mut way = || -> Result<Tenant, Halt> {
            stamp.authority.ask(KnownRight::StoreDelete)?;
            let mut tenant = own(tx, tenant, version)?;
            let closed = branch(&tenant, id)?;
            if tenant.branches.len() == 1 {
                return Err(Refused::LastStore.into());
            }
            tenant.branches.retain(|each| each.id != id);
            let details = Map::from_iter([("name".to_owned(), json!(closed.name))]);
            written(tx, stamp, tenant, Action::StoreClose, Subject::Store(id), details)
        };
        decide(way())
    })
}

fn branch(tenant: &Tenant, id: BranchId) -> Result<Branch, Refused> {
    let found = tenant.branches.iter().find(|each| each.id == id).cloned();
    found.ok_or_else(|| Refused::Absent { field: Field::Store, value: id.to_string() })
}
