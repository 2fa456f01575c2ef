//! Opens a store of a tenant.

use serde_json::{Map, json};

use crate::office::context::AuditContext;
use crate::office::error::{FieldName, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficePorts;
use crate::office::tenants::row::{load_tenant, save_tenant};
use crate::office::text;
use crate::{Action, Branch, FoldedText, KnownRight, Store, StoreExt, Subject, Tenant, TenantId};

/// How many stores a tenant may have: each login of the tenant reads them.
const MAX_STORES: usize = 200;

/// Opens the store, behind those that there are, and returns the tenant as it is then. Its name is unique among them. Asks the
/// right `storeCreate`.
pub fn add_store(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    stamp: &AuditContext,
    new: &Branch,
) -> UseCaseResult<Tenant> {
    store.write(|tx| {
        let mut way = || -> Result<Tenant, UseCaseError> {
            stamp.authority.require(KnownRight::StoreCreate)?;
            let mut tenant = load_tenant(tx, tenant, None)?;
            check_store_name(&tenant, new)?;
            if tenant.branches.len() >= MAX_STORES {
                return Err(OfficeError::LimitReached { field: FieldName::Store, most: MAX_STORES }.into());
            }
            tenant.branches.push(Branch { name: new.name.trim().to_owned(), ..new.clone() });
            let details = Map::from_iter([("name".to_owned(), json!(new.name.trim()))]);
            save_tenant(tx, stamp, tenant, Action::StoreAdd, Subject::Store(new.id), details)
        };
        commit_refusal(way())
    })
}

/// Refuses a name that is none, or that another of the tenant's stores has.
pub(in crate::office) fn check_store_name(tenant: &Tenant, store: &Branch) -> Result<(), OfficeError> {
    text::check_name(FieldName::Name, &store.name, text::MAX_LABEL_CHARS)?;
    let folded = FoldedText::of(&store.name);
    if tenant.branches.iter().any(|other| other.id != store.id && FoldedText::of(&other.name) == folded) {
        return Err(OfficeError::AlreadyExists { field: FieldName::Name, value: store.name.clone() });
    }
    Ok(())
}
