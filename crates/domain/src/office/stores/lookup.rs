//! Checks the stores that requests name by id.

use crate::office::error::{FieldName, OfficeError, UseCaseError};
use crate::office::ports::OfficeTx;
use crate::{BranchId, TenantId};

/// Checks that the tenant has the store, if one is named.
pub(in crate::office) fn check_branch_exists(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    branch: Option<BranchId>,
) -> Result<(), UseCaseError> {
    let Some(branch) = branch else { return Ok(()) };
    let branches = tx.tenants().find(tenant)?.map(|tenant| tenant.branches).unwrap_or_default();
    if branches.iter().any(|each| each.id == branch) {
        return Ok(());
    }
    Err(OfficeError::UnknownName { field: FieldName::Store, value: branch.to_string() }.into())
}
