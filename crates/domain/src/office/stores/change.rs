//! Changes and closes stores of a tenant.
//!
//! The stores are written with the tenant and share its version.

use serde_json::{Map, json};

use crate::office::Office;
use crate::office::differences::diff_fields;
use crate::office::error::{FieldName, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::stores::add::check_store_name;
use crate::office::tenants::row::{load_tenant, save_tenant};
use crate::{Action, Branch, BranchId, KnownRight, StoreExt, Subject, Tenant, Zone};

/// A change of a store; `None` keeps a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreChange {
    /// A new name for people.
    pub name: Option<String>,
    /// A new time zone; `Some(None)` restores that of the tenant.
    pub zone: Option<Option<Zone>>,
}

impl Office<'_> {
    /// Changes the store and returns the tenant. With `versions`, fails if the tenant has none
    /// of them. Requires the right `storeUpdate`. A change without a difference writes nothing.
    pub fn change_store(&self, id: BranchId, versions: Option<&[i64]>, change: &StoreChange) -> UseCaseResult<Tenant> {
        self.store.write("change_store", |tx| {
            let mut run = || -> Result<Tenant, UseCaseError> {
                self.require(KnownRight::StoreUpdate)?;
                let mut tenant = load_tenant(tx, self.tenant, versions)?;
                let before = find_branch(&tenant, id)?;
                let StoreChange { name, zone } = change.clone();
                let name = name.map_or_else(|| before.name.clone(), |name| name.trim().to_owned());
                let after = Branch { id, name, zone: zone.unwrap_or_else(|| before.zone.clone()) };
                if before == after {
                    return Ok(tenant);
                }
                check_store_name(&tenant, &after)?;
                let zone = |store: &Branch| json!(store.zone.as_ref().map(Zone::name));
                let details = diff_fields([
                    ("name", json!(before.name), json!(after.name)),
                    ("zone", zone(&before), zone(&after)),
                ]);
                tenant.branches.iter_mut().filter(|each| each.id == id).for_each(|each| *each = after.clone());
                save_tenant(tx, self, tenant, Action::StoreUpdate, Subject::Store(id), details)
            };
            commit_refusal(run())
        })
    }

    /// Closes the store for good and returns the tenant. With `versions`, fails if the tenant has
    /// none of them. The last store, and a store with devices, cannot be closed. Requires the
    /// right `storeDelete`.
    pub fn close_store(&self, id: BranchId, versions: Option<&[i64]>) -> UseCaseResult<Tenant> {
        self.store.write("close_store", |tx| {
            let mut run = || -> Result<Tenant, UseCaseError> {
                self.require(KnownRight::StoreDelete)?;
                let mut tenant = load_tenant(tx, self.tenant, versions)?;
                let closed = find_branch(&tenant, id)?;
                if tenant.branches.len() == 1 {
                    return Err(OfficeError::LastStore { name: closed.name }.into());
                }
                let devices = tx.devices().count_in_branch(id)?;
                if devices > 0 {
                    return Err(OfficeError::StoreInUse { devices }.into());
                }
                tenant.branches.retain(|each| each.id != id);
                let details = Map::from_iter([("name".to_owned(), json!(closed.name))]);
                save_tenant(tx, self, tenant, Action::StoreClose, Subject::Store(id), details)
            };
            commit_refusal(run())
        })
    }
}

fn find_branch(tenant: &Tenant, id: BranchId) -> Result<Branch, OfficeError> {
    let found = tenant.branches.iter().find(|each| each.id == id).cloned();
    found.ok_or_else(|| OfficeError::NotFound { field: FieldName::Store, value: id.to_string() })
}
