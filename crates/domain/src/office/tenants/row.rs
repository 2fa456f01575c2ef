//! Reads and writes the row of a tenant with its stores, which have no versions of their own.

use serde_json::{Map, Value};

use crate::office::Office;
use crate::office::error::{FieldName, OfficeError, UseCaseError};
use crate::office::ports::OfficeTx;
use crate::{Action, Scope, StoreError, Subject, Tenant, TenantId};

/// The tenant, if it has one of the given versions.
pub(in crate::office) fn load_tenant(
    tx: &mut dyn OfficeTx,
    id: TenantId,
    versions: Option<&[i64]>,
) -> Result<Tenant, UseCaseError> {
    let found = tx.tenants().find(id)?;
    let tenant = found.ok_or_else(|| OfficeError::NotFound { field: FieldName::Tenant, value: id.to_string() })?;
    OfficeError::check_version(Subject::Tenant(id), versions, tenant.version)?;
    Ok(tenant)
}

/// Writes the tenant with its stores. Of two concurrent changes, the second reads again.
pub(in crate::office) fn save_tenant(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    tenant: Tenant,
    action: Action,
    subject: Subject,
    details: Map<String, Value>,
) -> Result<Tenant, UseCaseError> {
    if !tx.tenants().update(&tenant)? {
        return Err(StoreError::Conflict("the tenant was changed in the meantime".to_owned()).into());
    }
    tx.revocations().invalidate(Scope::Tenant(tenant.id), office.context.at)?;
    tx.audit().record(&office.build_event(action, subject, details))?;
    Ok(Tenant { version: tenant.version.saturating_add(1), ..tenant })
}
