//! Opens a store of a tenant.

use serde_json::{Map, json};

use super::own_tenant::{own, written};
use super::ports::OfficeView;
use super::refused::{Decided, Field, Halt, Refused, decide};
use super::stamp::Stamp;
use super::text;
use crate::{Action, Branch, Folded, KnownRight, Store, StoreExt, Subject, Tenant, TenantId};

/// How many stores a tenant may have: each login of the tenant reads them.
const MOST: usize = 200;

/// Opens the store, behind those that there are, and returns the tenant as it is then. Its name is unique among them. Asks the
/// right `storeCreate`.
pub fn add_store(store: &dyn Store<OfficeView>, tenant: TenantId, stamp: &Stamp, new: &Branch) -> Decided<Tenant> {
    store.write(|tx| {
        let mut way = || -> Result<Tenant, Halt> {
            stamp.authority.ask(KnownRight::StoreCreate)?;
            let mut tenant = own(tx, tenant, None)?;
            check_name(&tenant, new)?;
            if tenant.branches.len() >= MOST {
                return Err(Refused::Full { field: Field::Store, most: MOST }.into());
            }
            tenant.branches.push(Branch { name: new.name.trim().to_owned(), ..new.clone() });
            let details = Map::from_iter([("name".to_owned(), json!(new.name.trim()))]);
            written(tx, stamp, tenant, Action::StoreAdd, Subject::Store(new.id), details)
        };
        decide(way())
    })
}

/// Refuses a name that is none, or that another of the tenant's stores has.
pub(super) fn check_name(tenant: &Tenant, store: &Branch) -> Result<(), Refused> {
    text::check_name(Field::Name, &store.name, text::LABEL)?;
    let folded = Folded::of(&store.name);
    if tenant.branches.iter().any(|other| other.id != store.id && Folded::of(&other.name) == folded) {
        return Err(Refused::Taken { field: Field::Name, value: store.name.clone() });
    }
    Ok(())
}
