//! Adds a tenant: a vendor with its first store and the three built-in roles.

use serde_json::{Map, json};

use crate::office::context::AuditContext;
use crate::office::error::{FieldName, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{OfficePorts, OfficeTx};
use crate::office::text;
use crate::{
    Action, Branch, Epoch, KnownRight, Locale, Rank, RoleId, SessionLimits, Slug, Store, StoreError, StoreExt, Subject,
    Tenant, TenantId, Zone,
};

/// The tenant to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTenant {
    /// The identifier of the tenant.
    pub id: TenantId,
    /// The short name in configuration and requests.
    pub slug: Slug,
    /// The name for people.
    pub name: String,
    /// The time zone in which its days begin.
    pub zone: Zone,
    /// The language of its users.
    pub locale: Locale,
    /// The first store of the tenant.
    pub branch: Branch,
    /// The ids of its built-in roles, in the order of [`Rank::ALL`].
    pub roles: [RoleId; 3],
}

/// Adds the tenant. Its slug is unique among all tenants. Requires the right `tenantCreate`.
pub fn add_tenant(store: &dyn Store<OfficePorts>, context: &AuditContext, new: &NewTenant) -> UseCaseResult<Tenant> {
    store.write("add_tenant", |tx| commit_refusal(add(tx, context, new, None)))
}

/// Adds the tenant; `industry` is recorded in the audit event if it is known.
pub(in crate::office) fn add(
    tx: &mut dyn OfficeTx,
    context: &AuditContext,
    new: &NewTenant,
    industry: Option<&str>,
) -> Result<Tenant, UseCaseError> {
    context.authority.require(KnownRight::TenantCreate)?;
    text::check_name(FieldName::Name, &new.name, text::MAX_LABEL_CHARS)?;
    text::check_name(FieldName::Name, &new.branch.name, text::MAX_LABEL_CHARS)?;
    let tenant = Tenant {
        id: new.id,
        slug: new.slug.clone(),
        name: new.name.clone(),
        zone: new.zone.clone(),
        locale: new.locale.clone(),
        accent_color: None,
        machine_codes: false,
        limits: SessionLimits::default(),
        branches: vec![new.branch.clone()],
        epoch: Epoch::default(),
        created_at: context.at,
        version: 1,
    };
    if !tx.tenants().insert(&tenant)? {
        return Err(OfficeError::AlreadyExists { field: FieldName::Slug, value: new.slug.to_string() }.into());
    }
    for (rank, id) in Rank::ALL.into_iter().zip(new.roles) {
        let role = rank.to_role(id, tenant.id).ok_or_else(|| fault("a built-in role has no name"))?;
        if !tx.roles().insert(&role)? {
            return Err(fault("a new tenant has roles already").into());
        }
    }
    let mut details = Map::from_iter([("slug".to_owned(), json!(new.slug.as_str()))]);
    if let Some(industry) = industry {
        details.insert("industry".to_owned(), json!(industry));
    }
    tx.audit().record(&context.build_event(tenant.id, Action::TenantAdd, Subject::Tenant(tenant.id), details))?;
    Ok(tenant)
}

fn fault(what: &str) -> StoreError {
    StoreError::Fault(what.to_owned())
}
