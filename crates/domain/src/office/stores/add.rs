//! Adds a store to a tenant.

use serde_json::{Map, json};

use crate::office::error::{FieldName, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::tenants::row::{load_tenant, save_tenant};
use crate::office::{Office, text};
use crate::{Action, Branch, FoldedText, KnownRight, StoreExt, Subject, Tenant};

/// The greatest number of stores of a tenant; every login of the tenant reads them.
const MAX_STORES: usize = 200;

impl Office<'_> {
    /// Adds the store, and returns the changed tenant. The name of a store is unique in the tenant.
    /// Requires the right `storeCreate`.
    pub fn add_store(&self, new: &Branch) -> UseCaseResult<Tenant> {
        self.store.write("add_store", |tx| {
            let mut run = || -> Result<Tenant, UseCaseError> {
                self.require(KnownRight::StoreCreate)?;
                let mut tenant = load_tenant(tx, self.tenant, None)?;
                check_store_name(&tenant, new)?;
                if tenant.branches.len() >= MAX_STORES {
                    return Err(OfficeError::LimitReached { field: FieldName::Store, most: MAX_STORES }.into());
                }
                tenant.branches.push(Branch { name: new.name.trim().to_owned(), ..new.clone() });
                tenant.branches.sort_by_key(|store| store.id);
                let mut details = Map::from_iter([("name".to_owned(), json!(new.name.trim()))]);
                if let Some(zone) = &new.zone {
                    details.insert("zone".to_owned(), json!(zone.name()));
                }
                save_tenant(tx, self, tenant, Action::StoreAdd, Subject::Store(new.id), details)
            };
            commit_refusal(run())
        })
    }
}

/// Checks that the name is valid and that no other store of the tenant has it.
pub(in crate::office) fn check_store_name(tenant: &Tenant, store: &Branch) -> Result<(), OfficeError> {
    text::check_name(FieldName::Name, &store.name, text::MAX_LABEL_CHARS)?;
    let folded = FoldedText::of(&store.name);
    if tenant.branches.iter().any(|other| other.id != store.id && FoldedText::of(&other.name) == folded) {
        return Err(OfficeError::AlreadyExists { field: FieldName::Name, value: store.name.clone() });
    }
    Ok(())
}
