//! A tenant as its use cases find it and write it, with its stores, which have no versions of their own.

use serde_json::{Map, Value};

use super::ports::OfficeTx;
use super::refused::{Field, Halt, Refused};
use super::stamp::Stamp;
use crate::{Action, Scope, StoreError, Subject, Tenant, TenantId};

/// The tenant, at the version that the caller holds to.
pub(super) fn own(tx: &mut dyn OfficeTx, id: TenantId, version: Option<i64>) -> Result<Tenant, Halt> {
    let found = tx.tenants().find(id)?;
    let tenant = found.ok_or_else(|| Refused::Absent { field: Field::Tenant, value: id.to_string() })?;
    Refused::moved(version, tenant.version)?;
    Ok(tenant)
}

/// Writes the tenant with its stores: of two who change them at once the second reads again.
pub(super) fn written(
    tx: &mut dyn OfficeTx,
    stamp: &Stamp,
    tenant: Tenant,
    action: Action,
    subject: Subject,
    details: Map<String, Value>,
) -> Result<Tenant, Halt> {
    if !tx.tenants().update(&tenant)? {
        return Err(StoreError::Conflict("the tenant moved on".to_owned()).into());
    }
    tx.endings().touch(Scope::Tenant(tenant.id), stamp.at)?;
    tx.audit().tell(&stamp.done(tenant.id, action, subject, details))?;
    Ok(Tenant { version: tenant.version.saturating_add(1), ..tenant })
}
