//! Adds a tenant: a vendor with its first store and the three roles that every tenant is born with.

use serde_json::{Map, json};

use crate::office::context::AuditContext;
use crate::office::error::{FieldName, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{OfficePorts, OfficeTx};
use crate::office::text;
use crate::{
    Action, Branch, Epoch, KnownRight, Locale, Rank, RoleId, SessionLimits, Slug, Store, StoreError, StoreExt, Subject,
    Tenant, TenantId, Zone,
};

/// A tenant that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTenant {
    /// Its id.
    pub id: TenantId,
    /// Its short name.
    pub slug: Slug,
    /// The name that people read.
    pub name: String,
    /// The time zone in which its days begin.
    pub zone: Zone,
    /// The language of its people.
    pub locale: Locale,
    /// Its first store.
    pub branch: Branch,
    /// The ids of its built-in roles, in the order of [`Rank::ALL`].
    pub roles: [RoleId; 3],
}

/// Adds the tenant. The slug is unique over the server. Asks the right `tenantCreate`.
pub fn add_tenant(store: &dyn Store<OfficePorts>, stamp: &AuditContext, new: &NewTenant) -> UseCaseResult<Tenant> {
    store.write(|tx| commit_refusal(add(tx, stamp, new, None)))
}

/// `industry` is told to the audit, where it is known.
pub(in crate::office) fn add(
    tx: &mut dyn OfficeTx,
    stamp: &AuditContext,
    new: &NewTenant,
    industry: Option<&str>,
) -> Result<Tenant, UseCaseError> {
    stamp.authority.require(KnownRight::TenantCreate)?;
    text::check_name(FieldName::Name, &new.name, text::MAX_LABEL_CHARS)?;
    text::check_name(FieldName::Name, &new.branch.name, text::MAX_LABEL_CHARS)?;
    let tenant = Tenant {
        id: new.id,
        slug: new.slug.clone(),
        name: new.name.clone(),
        zone: new.zone.clone(),
        locale: new.locale.clone(),
        limits: SessionLimits::default(),
        branches: vec![new.branch.clone()],
        epoch: Epoch::default(),
        created_at: stamp.at,
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
    tx.audit().record(&stamp.build_event(tenant.id, Action::TenantAdd, Subject::Tenant(tenant.id), details))?;
    Ok(tenant)
}

fn fault(what: &str) -> StoreError {
    StoreError::Fault(what.to_owned())
}
