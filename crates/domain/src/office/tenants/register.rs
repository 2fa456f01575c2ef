//! Registers a vendor: a tenant with its first store and its first admin, in one unit of work, for
//! dialects in which anybody can register.

use crate::office::context::AuditContext;
use crate::office::error::{FieldName, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{OfficePorts, OfficeTx};
use crate::office::tenants::add::{self as add_tenant, NewTenant};
use crate::office::users::add::{self as add_user, NewUser, check_email};
use crate::office::{Office, text};
use crate::{Action, Slug, Store, StoreError, StoreExt, Tenant, User};

/// The tenant and admin to register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantRegistration {
    /// The tenant. If its slug is in use, the end of its id is appended.
    pub tenant: NewTenant,
    /// The first admin, with an e-mail address.
    pub admin: NewUser,
    /// The kind of business, for the audit event.
    pub industry: String,
}

/// Registers the vendor, with one audit event each for the tenant and the admin, hence two
/// contexts. The e-mail address of the admin is unique among all tenants.
pub fn register_tenant(
    store: &dyn Store<OfficePorts>,
    stamps: [&AuditContext; 2],
    new: &TenantRegistration,
) -> UseCaseResult<(Tenant, User)> {
    store.write("register_tenant", |tx| commit_refusal(register(tx, store, stamps, new)))
}

fn register(
    tx: &mut dyn OfficeTx,
    store: &dyn Store<OfficePorts>,
    stamps: [&AuditContext; 2],
    new: &TenantRegistration,
) -> Result<(Tenant, User), UseCaseError> {
    let TenantRegistration { tenant, admin, industry } = new;
    text::check_name(FieldName::Name, &tenant.name, text::MAX_LABEL_CHARS)?;
    text::check_name(FieldName::DisplayName, &admin.display_name, text::MAX_LABEL_CHARS)?;
    admin.name.check_new().map_err(|why| OfficeError::InvalidValue { field: FieldName::UserName, why })?;
    if let Some(email) = &admin.email {
        check_email(tx, email, admin.id)?;
    }
    let slug =
        if tx.tenants().find_by_slug(&tenant.slug)?.is_some() { extend_slug(tenant)? } else { tenant.slug.clone() };
    let [of_tenant, of_admin] = stamps;
    let tenant = NewTenant { slug, ..tenant.clone() };
    let tenant = add_tenant::add(tx, of_tenant, &tenant, Some(industry)).map_err(abort_registration)?;
    let office = Office::new(store, tenant.id, of_admin.clone());
    let admin = add_user::add(tx, &office, admin, Action::UserAdd).map_err(abort_registration)?;
    Ok((tenant, admin))
}

/// Converts an error after the first write to a conflict, which rolls it back: a concurrent
/// registration was faster, and the next run finds it.
fn abort_registration(error: UseCaseError) -> UseCaseError {
    match error {
        UseCaseError::Office(OfficeError::AlreadyExists { value, .. }) => {
            StoreError::Conflict(format!("\"{value}\" was taken in the meantime")).into()
        }
        UseCaseError::Office(refused) => {
            StoreError::Fault(format!("registering a tenant failed after its first write: {refused}")).into()
        }
        failed @ UseCaseError::Store(_) => failed,
    }
}

/// The slug with the random end of the tenant's id appended.
fn extend_slug(tenant: &NewTenant) -> Result<Slug, StoreError> {
    let id = tenant.id.0.simple().to_string();
    let (short, end) = (tenant.slug.as_str(), id.get(20..).unwrap_or_default());
    let short: String = short.chars().take(50).collect();
    Slug::parse(&format!("{}-{end}", short.trim_end_matches('-'))).map_err(|why| StoreError::Fault(why.to_string()))
}
