//! Changes and deletes a role of the tenant's own. Its holders have the changed rights from their next request.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::office::api_keys::unrestricted as unrestricted_keys;
use crate::office::context::AuditContext;
use crate::office::differences::diff_fields;
use crate::office::error::{FieldName, FieldRefusals, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{OfficePorts, OfficeTx, RoleHolders};
use crate::office::roles::add::{check_fields, check_label};
use crate::office::users::last_admin;
use crate::{
    Action, Environment, KnownRight, Rights, Role, RoleId, RoleName, Scope, Store, StoreError, StoreExt, StoreResult,
    Subject, TenantId,
};

/// How many of those who hold a role a refusal names.
const MAX_HOLDERS_NAMED: u32 = 5;

/// How many of those who hold a role are told one by one that it has changed; of more the whole tenant is told.
const MAX_HOLDER_INVALIDATIONS: u32 = 1000;

/// What becomes of a role. `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleChange {
    /// Another name for requests and commands.
    pub name: Option<RoleName>,
    /// Another name that people read.
    pub label: Option<String>,
    /// Another description.
    pub description: Option<String>,
    /// What it allows from now on; one right at least.
    pub rights: Option<Rights>,
    /// Where it counts from now on; one environment at least.
    pub environments: Option<BTreeSet<Environment>>,
}

/// Changes the role and returns it as it is then. `version` is the one that was read, where the caller holds to it. Asks the right
/// `roleUpdate`, and every right that the role allows before and after: whoever changes a role gives and takes what it allows, to
/// themselves too. A built-in role is refused, and so is what leaves the tenant without an admin.
pub fn change_role(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    stamp: &AuditContext,
    id: RoleId,
    version: Option<i64>,
    change: &RoleChange,
) -> UseCaseResult<Role> {
    store.write(|tx| commit_refusal(apply(tx, tenant, stamp, id, version, change)))
}

/// Deletes the role and returns it as it was. Asks the right `roleDelete`, and every right that the role allows. A built-in role is
/// refused, and so is one that somebody holds.
pub fn delete_role(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    stamp: &AuditContext,
    id: RoleId,
    version: Option<i64>,
) -> UseCaseResult<Role> {
    store.write(|tx| commit_refusal(delete(tx, tenant, stamp, id, version)))
}

fn apply(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &AuditContext,
    id: RoleId,
    version: Option<i64>,
    change: &RoleChange,
) -> Result<Role, UseCaseError> {
    stamp.authority.require(KnownRight::RoleUpdate)?;
    if change.rights.is_some() || change.environments.is_some() {
        last_admin::claim_tenant(tx, tenant)?;
    }
    let roles = tx.roles().list(tenant)?;
    let before = load_role(&roles, id)?;
    check_changeable(&before, version)?;
    let after = apply_change(&before, change);
    stamp.authority.require_all(&before.rights)?;
    stamp.authority.require_all(&after.rights)?;
    let mut refusals = FieldRefusals::default();
    if after.name != before.name {
        refusals
            .gather(after.name.check_new().map_err(|why| OfficeError::InvalidValue { field: FieldName::Name, why }))?;
    }
    refusals.gather(check_label(&after.label, &before.label))?;
    refusals.gather(check_fields(&after.label, &after.description, &after.rights, &after.environments))?;
    refusals.checked()?;
    if after == before {
        return Ok(before);
    }
    let then: Vec<Role> = roles.iter().map(|role| if role.id == id { after.clone() } else { role.clone() }).collect();
    last_admin::check_role_change(tx, tenant, &roles, &then)?;
    if !tx.roles().update(&after)? {
        let other = tx.roles().find_by_name(tenant, &after.name)?.filter(|other| other.id != id);
        return Err(match other {
            Some(_) => OfficeError::AlreadyExists { field: FieldName::Name, value: after.name.to_string() }.into(),
            None => conflict_error(),
        });
    }
    invalidate_holders(tx, tenant, id, stamp)?;
    let mut details = audit_details(&before, &after);
    if (&before.rights, &before.environments) != (&after.rights, &after.environments) {
        details.extend(unrestricted_keys::audit_details(&unrestricted_keys::list_by_role(tx, tenant, id)?));
    }
    tx.audit().record(&stamp.build_event(tenant, Action::RoleUpdate, Subject::Role(id), details))?;
    Ok(Role { version: before.version.saturating_add(1), ..after })
}

fn delete(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &AuditContext,
    id: RoleId,
    version: Option<i64>,
) -> Result<Role, UseCaseError> {
    stamp.authority.require(KnownRight::RoleDelete)?;
    // who is being given the role at this moment may be the last admin by it
    last_admin::claim_tenant(tx, tenant)?;
    let role = load_role(&tx.roles().list(tenant)?, id)?;
    check_changeable(&role, version)?;
    stamp.authority.require_all(&role.rights)?;
    if !tx.roles().remove(id, role.version)? {
        let holders = tx.roles().find_holders(id, MAX_HOLDERS_NAMED)?;
        // nobody holds it any more, or it was changed: what was judged is no longer so
        return Err(if holders.total == 0 { conflict_error() } else { in_use_error(&holders).into() });
    }
    // nobody holds it: what is remembered of anybody stays true
    let details = Map::from_iter([("name".to_owned(), json!(role.name)), ("rights".to_owned(), json!(role.rights))]);
    tx.audit().record(&stamp.build_event(tenant, Action::RoleDelete, Subject::Role(id), details))?;
    Ok(role)
}

/// Tells that what is remembered of those who hold the role is stale. What is remembered of everybody else stays true, and serves
/// them while the store is away.
fn invalidate_holders(tx: &mut dyn OfficeTx, tenant: TenantId, id: RoleId, stamp: &AuditContext) -> StoreResult<()> {
    match tx.roles().find_holder_scopes(id, MAX_HOLDER_INVALIDATIONS)? {
        Some(scopes) => tx.revocations().invalidate_all(&scopes, stamp.at),
        None => tx.revocations().invalidate(Scope::Tenant(tenant), stamp.at),
    }
}

/// The role, where the tenant has it.
fn load_role(roles: &[Role], id: RoleId) -> Result<Role, OfficeError> {
    let found = roles.iter().find(|role| role.id == id).cloned();
    found.ok_or_else(|| OfficeError::NotFound { field: FieldName::Role, value: id.to_string() })
}

/// Refuses built-in roles, and a role that has moved on from the version that the caller holds to.
fn check_changeable(role: &Role, version: Option<i64>) -> Result<(), OfficeError> {
    OfficeError::check_version(version, role.version)?;
    if role.built_in { Err(OfficeError::BuiltInRole) } else { Ok(()) }
}

fn apply_change(before: &Role, change: &RoleChange) -> Role {
    let RoleChange { name, label, description, rights, environments } = change.clone();
    Role {
        name: name.unwrap_or_else(|| before.name.clone()),
        label: label.unwrap_or_else(|| before.label.clone()),
        description: description.unwrap_or_else(|| before.description.clone()),
        rights: rights.unwrap_or_else(|| before.rights.clone()),
        environments: environments.unwrap_or_else(|| before.environments.clone()),
        ..before.clone()
    }
}

fn in_use_error(holders: &RoleHolders) -> OfficeError {
    let users = holders.users.iter().map(|name| format!("user {name}"));
    let devices = holders.devices.iter().map(|name| format!("device {name}"));
    OfficeError::InUse { by: users.chain(devices).collect(), total: holders.total }
}

/// Somebody else changed the role in this moment: the unit of work runs again and judges what is there then.
fn conflict_error() -> UseCaseError {
    StoreError::Conflict("the role was changed meanwhile".to_owned()).into()
}

/// What the audit says of it: each field that moved.
fn audit_details(before: &Role, after: &Role) -> Map<String, Value> {
    diff_fields([
        (FieldName::Name.name(), json!(before.name), json!(after.name)),
        (FieldName::Label.name(), json!(before.label), json!(after.label)),
        (FieldName::Description.name(), json!(before.description), json!(after.description)),
        (FieldName::Rights.name(), json!(before.rights), json!(after.rights)),
        (FieldName::Environments.name(), json!(before.environments), json!(after.environments)),
    ])
}
