//! Registers a vendor: a tenant with its first store and its first admin, all in one unit of work, for contracts that let anybody
//! register.

use super::add_tenant::{self, NewTenant};
use super::add_user::{self, NewUser, check_email};
use super::ports::{OfficeTx, OfficeView};
use super::refused::{Decided, Field, Halt, Refused, decide};
use super::stamp::Stamp;
use super::text;
use crate::{Action, Slug, Store, StoreError, StoreExt, Tenant, User};

/// A vendor that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVendor {
    /// The tenant. Where its short name is taken the end of its id is put behind it.
    pub tenant: NewTenant,
    /// Its admin, with an e-mail address.
    pub admin: NewUser,
    /// What kind of business it is, for the audit.
    pub industry: String,
}

/// Registers the vendor: two lines in the audit, so two stamps. The e-mail address of the admin is unique over the server.
pub fn register_vendor(store: &dyn Store<OfficeView>, stamps: [&Stamp; 2], new: &NewVendor) -> Decided<(Tenant, User)> {
    store.write(|tx| decide(register(tx, stamps, new)))
}

fn register(tx: &mut dyn OfficeTx, stamps: [&Stamp; 2], new: &NewVendor) -> Result<(Tenant, User), Halt> {
    let NewVendor { tenant, admin, industry } = new;
    text::check_name(Field::Name, &tenant.name, text::LABEL)?;
    text::check_name(Field::DisplayName, &admin.display_name, text::LABEL)?;
    admin.name.check_new().map_err(|why| Refused::Invalid { field: Field::UserName, why })?;
    if let Some(email) = &admin.email {
        check_email(tx, email, admin.id)?;
    }
    let slug = if tx.tenants().named(&tenant.slug)?.is_some() { longer(tenant)? } else { tenant.slug.clone() };
    let [of_tenant, of_admin] = stamps;
    let tenant = NewTenant { slug, ..tenant.clone() };
    let tenant = add_tenant::add(tx, of_tenant, &tenant, Some(industry)).map_err(undone)?;
    let admin = add_user::add(tx, tenant.id, of_admin, admin, Action::UserAdd).map_err(undone)?;
    Ok((tenant, admin))
}

/// What is refused past the first write takes that back: somebody was faster, and is met at the next run.
fn undone(halt: Halt) -> Halt {
    match halt {
        Halt::Refused(Refused::Taken { value, .. }) => {
            StoreError::Conflict(format!("{value} was taken meanwhile")).into()
        }
        Halt::Refused(refused) => StoreError::Fault(format!("a vendor was refused halfway: {refused}")).into(),
        failed @ Halt::Failed(_) => failed,
    }
}

/// The short name with the end of the tenant's id behind it, which is drawn by chance.
fn longer(tenant: &NewTenant) -> Result<Slug, StoreError> {
    let id = tenant.id.0.simple().to_string();
    let (short, end) = (tenant.slug.as_str(), id.get(20..).unwrap_or_default());
    let short: String = short.chars().take(50).collect();
    Slug::parse(&format!("{}-{end}", short.trim_end_matches('-'))).map_err(|why| StoreError::Fault(why.to_string()))
}
