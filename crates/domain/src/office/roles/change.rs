//! Changes and deletes roles of a tenant. Users and devices with the role have the changed rights
//! from their next request.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::office::Office;
use crate::office::api_keys::unrestricted as unrestricted_keys;
use crate::office::context::AuditContext;
use crate::office::differences::diff_fields;
use crate::office::error::{FieldName, FieldRefusals, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{OfficeTx, RoleHolders};
use crate::office::roles::add::{check_fields, check_label};
use crate::office::users::last_admin;
use crate::{
    Action, Environment, KnownRight, Rights, Role, RoleId, RoleName, Scope, StoreError, StoreExt, StoreResult, Subject,
    TenantId,
};

/// The number of holders that an error names.
const MAX_HOLDERS_NAMED: u32 = 5;

/// The number of holders that are invalidated individually; beyond it, the whole tenant is.
const MAX_HOLDER_INVALIDATIONS: u32 = 1000;

/// A change of a role; `None` keeps a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleChange {
    /// A new name in requests and commands.
    pub name: Option<RoleName>,
    /// A new name for people.
    pub label: Option<String>,
    /// A new description.
    pub description: Option<String>,
    /// New rights, at least one.
    pub rights: Option<Rights>,
    /// New environments, at least one.
    pub environments: Option<BTreeSet<Environment>>,
}

impl Office<'_> {
    /// Changes the role and returns it. With `versions`, fails if the role has none of them.
    /// Requires the right `roleUpdate`, and every right that the role grants before and after,
    /// because a change gives and takes these rights, also to the caller. A built-in role cannot be
    /// changed, and the tenant must keep an admin.
    pub fn change_role(&self, id: RoleId, versions: Option<&[i64]>, change: &RoleChange) -> UseCaseResult<Role> {
        self.store.write("change_role", |tx| commit_refusal(apply(tx, self, id, versions, change)))
    }

    /// Deletes the role and returns it. Requires the right `roleDelete`, and every right that the
    /// role grants. A built-in role cannot be deleted, nor one that a user or a device has.
    pub fn delete_role(&self, id: RoleId, versions: Option<&[i64]>) -> UseCaseResult<Role> {
        self.store.write("delete_role", |tx| commit_refusal(delete(tx, self, id, versions)))
    }
}

fn apply(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    id: RoleId,
    versions: Option<&[i64]>,
    change: &RoleChange,
) -> Result<Role, UseCaseError> {
    office.require(KnownRight::RoleUpdate)?;
    office.require_recent_proof()?;
    if change.rights.is_some() || change.environments.is_some() {
        last_admin::claim_tenant(tx, office.tenant)?;
    }
    let roles = tx.roles().list(office.tenant)?;
    let before = load_role(&roles, id)?;
    check_changeable(&before, versions)?;
    let mut refusals = FieldRefusals::default();
    let after = apply_change(&before, change, &mut refusals)?;
    office.require_all(&before.rights)?;
    office.require_all(&after.rights)?;
    refusals.checked()?;
    if after == before {
        return Ok(before);
    }
    let then: Vec<Role> = roles.iter().map(|role| if role.id == id { after.clone() } else { role.clone() }).collect();
    last_admin::check_role_change(tx, office.tenant, &roles, &then)?;
    if !tx.roles().update(&after)? {
        let other = tx.roles().find_by_name(office.tenant, &after.name)?.filter(|other| other.id != id);
        return Err(match other {
            Some(_) => OfficeError::AlreadyExists { field: FieldName::Name, value: after.name.to_string() }.into(),
            None => conflict_error(),
        });
    }
    invalidate_holders(tx, office.tenant, id, &office.context)?;
    let mut details = audit_details(&before, &after);
    if (&before.rights, &before.environments) != (&after.rights, &after.environments) {
        details.extend(unrestricted_keys::audit_details(&unrestricted_keys::list_by_role(tx, office.tenant, id)?));
        // Otherwise, the inviter of a user could set the password of an account with more rights,
        // and anyone who has the code of an enrollment could get a device with more.
        tx.invitations().revoke_by_role(id)?;
        tx.enrollments().cancel_by_role(id)?;
    }
    tx.audit().record(&office.build_event(Action::RoleUpdate, Subject::Role(id), details))?;
    Ok(Role { version: before.version.saturating_add(1), ..after })
}

fn delete(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    id: RoleId,
    versions: Option<&[i64]>,
) -> Result<Role, UseCaseError> {
    office.require(KnownRight::RoleDelete)?;
    office.require_recent_proof()?;
    // A user who is being given the role concurrently may be the last admin by it.
    last_admin::claim_tenant(tx, office.tenant)?;
    let role = load_role(&tx.roles().list(office.tenant)?, id)?;
    check_changeable(&role, versions)?;
    office.require_all(&role.rights)?;
    if !tx.roles().remove(id, role.version)? {
        let holders = tx.roles().find_holders(id, MAX_HOLDERS_NAMED)?;
        // If nobody holds it any more, or it was changed, the checks have to be repeated.
        return Err(if holders.total == 0 { conflict_error() } else { in_use_error(role.name, &holders).into() });
    }
    // Nobody holds it, so no cached profile is outdated.
    let details = Map::from_iter([("name".to_owned(), json!(role.name)), ("rights".to_owned(), json!(role.rights))]);
    tx.audit().record(&office.build_event(Action::RoleDelete, Subject::Role(id), details))?;
    Ok(role)
}

/// Invalidates the cached profiles of those who have the role. All others stay valid and remain
/// usable while the store is unavailable.
fn invalidate_holders(tx: &mut dyn OfficeTx, tenant: TenantId, id: RoleId, context: &AuditContext) -> StoreResult<()> {
    match tx.roles().find_holder_scopes(id, MAX_HOLDER_INVALIDATIONS)? {
        Some(scopes) => tx.revocations().invalidate_all(&scopes, context.at),
        None => tx.revocations().invalidate(Scope::Tenant(tenant), context.at),
    }
}

/// The role, if the tenant has it.
pub(in crate::office) fn load_role(roles: &[Role], id: RoleId) -> Result<Role, OfficeError> {
    let found = roles.iter().find(|role| role.id == id).cloned();
    found.ok_or_else(|| OfficeError::NotFound { field: FieldName::Role, value: id.to_string() })
}

/// Checks that the role is not built-in and has one of the given versions.
fn check_changeable(role: &Role, versions: Option<&[i64]>) -> Result<(), OfficeError> {
    OfficeError::check_version(Subject::Role(role.id), versions, role.version)?;
    if role.built_in { Err(OfficeError::BuiltInRole(role.name.clone())) } else { Ok(()) }
}

/// The fields of the role after the change. Errors of invalid fields are collected.
pub(in crate::office) fn apply_change(
    before: &Role,
    change: &RoleChange,
    refusals: &mut FieldRefusals,
) -> Result<Role, UseCaseError> {
    let RoleChange { name, label, description, rights, environments } = change.clone();
    let after = Role {
        name: name.unwrap_or_else(|| before.name.clone()),
        label: label.unwrap_or_else(|| before.label.clone()),
        description: description.unwrap_or_else(|| before.description.clone()),
        rights: rights.unwrap_or_else(|| before.rights.clone()),
        environments: environments.unwrap_or_else(|| before.environments.clone()),
        ..before.clone()
    };
    if after.name != before.name {
        refusals
            .gather(after.name.check_new().map_err(|why| OfficeError::InvalidValue { field: FieldName::Name, why }))?;
    }
    refusals.gather(check_label(&after.label, &before.label))?;
    refusals.gather(check_fields(&after.label, &after.description, &after.rights, &after.environments))?;
    Ok(after)
}

fn in_use_error(role: RoleName, holders: &RoleHolders) -> OfficeError {
    let users = holders.users.iter().map(|name| format!("user {name}"));
    let devices = holders.devices.iter().map(|name| format!("device {name}"));
    OfficeError::InUse { role, by: users.chain(devices).collect(), total: holders.total }
}

/// The error if somebody has changed the role concurrently: the unit of work runs again with the
/// new state.
fn conflict_error() -> UseCaseError {
    StoreError::Conflict("the role was changed in the meantime".to_owned()).into()
}

/// The changed fields for the audit event.
fn audit_details(before: &Role, after: &Role) -> Map<String, Value> {
    diff_fields([
        (FieldName::Name.name(), json!(before.name), json!(after.name)),
        (FieldName::Label.name(), json!(before.label), json!(after.label)),
        (FieldName::Description.name(), json!(before.description), json!(after.description)),
        (FieldName::Rights.name(), json!(before.rights), json!(after.rights)),
        (FieldName::Environments.name(), json!(before.environments), json!(after.environments)),
    ])
}
