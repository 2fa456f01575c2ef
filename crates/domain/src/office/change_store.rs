//! Gives a store of a tenant another name, and closes it.
//!
//! A tenant's stores are written with the tenant: its version is theirs.

use serde_json::{Map, Value, json};

use super::add_store::check_name;
use super::ports::{OfficeTx, OfficeView};
use super::refused::{Decided, Field, Halt, Refused, decide};
use super::stamp::Stamp;
use crate::{Action, Branch, BranchId, Scope, Store, StoreError, StoreExt, Subject, Tenant, TenantId};

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
            stamp.authority.ask("storeUpdate")?;
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
            written(tx, stamp, tenant, Action::StoreUpdate, id, details)
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
            stamp.authority.ask("storeDelete")?;
            let mut tenant = own(tx, tenant, version)?;
            let closed = branch(&tenant, id)?;
            if tenant.branches.len() == 1 {
                return Err(Refused::LastStore.into());
            }
            tenant.branches.retain(|each| each.id != id);
            let details = Map::from_iter([("name".to_owned(), json!(closed.name))]);
            written(tx, stamp, tenant, Action::StoreClose, id, details)
        };
        decide(way())
    })
}

/// The tenant, at the version that the caller holds to.
pub(super) fn own(tx: &mut dyn OfficeTx, id: TenantId, version: Option<i64>) -> Result<Tenant, Halt> {
    let found = tx.tenants().find(id)?;
    let tenant = found.ok_or_else(|| Refused::Absent { field: Field::Tenant, value: id.to_string() })?;
    if version.is_some_and(|version| version != tenant.version) {
        return Err(Refused::Moved { current: tenant.version }.into());
    }
    Ok(tenant)
}

fn branch(tenant: &Tenant, id: BranchId) -> Result<Branch, Refused> {
    let found = tenant.branches.iter().find(|each| each.id == id).cloned();
    found.ok_or_else(|| Refused::Absent { field: Field::Store, value: id.to_string() })
}

/// Writes the tenant with its stores: of two who change them at once the second reads again.
pub(super) fn written(
    tx: &mut dyn OfficeTx,
    stamp: &Stamp,
    tenant: Tenant,
    action: Action,
    id: BranchId,
    details: Map<String, Value>,
) -> Result<Tenant, Halt> {
    if !tx.tenants().update(&tenant)? {
        return Err(StoreError::Conflict("the tenant moved on".to_owned()).into());
    }
    tx.endings().touch(Scope::Tenant(tenant.id), stamp.at)?;
    tx.audit().tell(&stamp.done(tenant.id, action, Subject::Store(id), details))?;
    Ok(Tenant { version: tenant.version.saturating_add(1), ..tenant })
}
