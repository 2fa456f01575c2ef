//! Registers a vendor: a tenant with its first store and its first admin, all in one unit of work, for contracts that let anybody
//! register.

use crate::office::context::AuditContext;
use crate::office::error::{FieldName, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{OfficePorts, OfficeTx};
use crate::office::tenants::add::{self as add_tenant, NewTenant};
use crate::office::text;
use crate::office::users::add::{self as add_user, NewUser, check_email};
use crate::{Action, Slug, Store, StoreError, StoreExt, Tenant, User};

/// A vendor that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantRegistration {
    /// The tenant. Where its short name is taken the end of its id is put behind it.
    pub tenant: NewTenant,
    /// Its admin, with an e-mail address.
    pub admin: NewUser,
    /// What kind of business it is, for the audit.
    pub industry: String,
}

/// Registers the vendor: two lines in the audit, so two stamps. The e-mail address of the admin is unique over the server.
pub fn register_tenant(
    store: &dyn Store<OfficePorts>,
    stamps: [&AuditContext; 2],
    new: &TenantRegistration,
) -> UseCaseResult<(Tenant, User)> {
    store.write(|tx| commit_refusal(register(tx, stamps, new)))
}

fn register(
    tx: &mut dyn OfficeTx,
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
    let admin = add_user::add(tx, tenant.id, of_admin, admin, Action::UserAdd).map_err(abort_registration)?;
    Ok((tenant, admin))
}

/// What is refused past the first write takes that back: somebody was faster, and is met at the next run.
fn abort_registration(halt: UseCaseError) -> UseCaseError {
    match halt {
        UseCaseError::Office(OfficeError::AlreadyExists { value, .. }) => {
            StoreError::Conflict(format!("{value} was taken meanwhile")).into()
        }
        UseCaseError::Office(refused) => StoreError::Fault(format!("a vendor was refused halfway: {refused}")).into(),
        failed @ UseCaseError::Store(_) => failed,
    }
}

/// The short name with the end of the tenant's id behind it, which is drawn by chance.
fn extend_slug(tenant: &NewTenant) -> Result<Slug, StoreError> {
    let id = tenant.id.0.simple().to_string();
    let (short, end) = (tenant.slug.as_str(), id.get(20..).unwrap_or_default());
    let short: String = short.chars().take(50).collect();
    Slug::parse(&format!("{}-{end}", short.trim_end_matches('-'))).map_err(|why| StoreError::Fault(why.to_string()))
}
