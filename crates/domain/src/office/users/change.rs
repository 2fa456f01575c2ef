//! Changes a user: names, roles, status, together or one by one, in one transaction.
//!
//! Everything is judged first. Then what ends all of the user's sessions raises their epoch, before the row is written: a login
//! that is under way meets it.

use serde_json::{Map, Value, json};

use crate::office::api_keys::unrestricted as unrestricted_keys;
use crate::office::context::AuditContext;
use crate::office::differences::diff_fields;
use crate::office::error::{FieldName, FieldRefusals, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{OfficePorts, OfficeTx};
use crate::office::text;
use crate::office::users::add::{check_email, check_name_free, find_conflict};
use crate::office::users::assignment::{self, DeviceRolesChange};
use crate::office::users::last_admin;
use crate::{
    Action, Email, EndReason, KnownRight, PrincipalId, Rank, RoleName, Scope, Store, StoreError, StoreExt, Subject,
    TenantId, User, UserId, UserName, UserStatus,
};

/// What becomes of a user. `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    /// Another name to log in under.
    pub name: Option<UserName>,
    /// Another e-mail address, or none any more.
    pub email: Option<Option<Email>>,
    /// Another name that people read.
    pub display_name: Option<String>,
    /// Another status.
    pub status: Option<UserStatus>,
    /// Other roles without a device, by name.
    pub roles: Option<Vec<RoleName>>,
    /// The built-in role of this rank without a device, in place of those of other ranks; roles of the tenant's own stay.
    pub rank: Option<Rank>,
    /// Other devices, with the roles there.
    pub devices: DeviceRolesChange,
    /// Whether the user must change the password at the next login. Ends no session.
    pub password_change_required: Option<bool>,
    /// Whether the caller has just proved who they are by their password, which another e-mail address of their own requires.
    pub password_confirmed: bool,
}

/// Changes the user and returns them as they are then. `version` is the one that was read, where the caller holds to it. Asks the
/// right `userUpdate` (`userDelete` to delete), and every right that the user has or gets.
///
/// Another e-mail address of the caller's own is refused unless they have proved their password: a reset goes to it. API keys without
/// permissions grow with the roles of their user; the audit names them.
///
/// Whoever stops being active loses every session; permanent ones only who is deleted, and their password with them. What changes nothing writes nothing.
pub fn change_user(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    stamp: &AuditContext,
    id: UserId,
    version: Option<i64>,
    change: &UserChange,
) -> UseCaseResult<User> {
    store.write(|tx| commit_refusal(apply(tx, tenant, stamp, id, version, change)))
}

/// Activates, suspends or deletes a user; see [`change_user`]. A deleted one is gone for good, and their name is free again.
pub fn set_user_status(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    stamp: &AuditContext,
    id: UserId,
    status: UserStatus,
) -> UseCaseResult<User> {
    change_user(store, tenant, stamp, id, None, &UserChange { status: Some(status), ..UserChange::default() })
}

/// Gives a user other roles, without a device and on devices; see [`change_user`].
pub fn assign_roles(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    stamp: &AuditContext,
    id: UserId,
    roles: Option<Vec<RoleName>>,
    devices: DeviceRolesChange,
) -> UseCaseResult<User> {
    change_user(store, tenant, stamp, id, None, &UserChange { roles, devices, ..UserChange::default() })
}

/// Suspends an active user, and activates any other who is not deleted; see [`change_user`].
pub fn toggle_user(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    stamp: &AuditContext,
    id: UserId,
) -> UseCaseResult<User> {
    store.write(|tx| {
        let mut way = || {
            // read once: of two who toggle at the same moment the second meets the version that it read, and looks again
            let before = load_user(tx, tenant, id)?;
            let active = before.status == UserStatus::Active;
            let status = if active { UserStatus::Suspended } else { UserStatus::Active };
            let change = UserChange { status: Some(status), ..UserChange::default() };
            apply_to(tx, tenant, stamp, &before, None, &change)
        };
        commit_refusal(way())
    })
}

fn apply(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &AuditContext,
    id: UserId,
    version: Option<i64>,
    change: &UserChange,
) -> Result<User, UseCaseError> {
    let before = load_user(tx, tenant, id)?;
    apply_to(tx, tenant, stamp, &before, version, change)
}

/// The change of a user as they were read.
fn apply_to(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &AuditContext,
    before: &User,
    version: Option<i64>,
    change: &UserChange,
) -> Result<User, UseCaseError> {
    let id = before.id;
    let deletes = change.status == Some(UserStatus::Deleted);
    stamp.authority.require(if deletes { KnownRight::UserDelete } else { KnownRight::UserUpdate })?;
    OfficeError::check_version(version, before.version)?;
    if may_remove_admin(change) {
        last_admin::claim_tenant(tx, tenant)?;
    }
    let roles = tx.roles().list(tenant)?;
    stamp.authority.require_all(&assignment::collect_assigned_rights(&before.assignment, &roles))?;
    let mut refusals = FieldRefusals::default();
    let mut after = apply_change(before, change, &mut refusals)?;
    let office = change.roles.as_deref();
    let resolved = assignment::resolve_assignment(tx, tenant, &roles, &before.assignment, office, &change.devices);
    let assignment = refusals.gather(resolved)?;
    refusals.checked()?;
    after.assignment = assignment.unwrap_or_default();
    if let Some(rank) = change.rank {
        assignment::assign_rank(&mut after.assignment, &roles, rank)?;
    }
    stamp.authority.require_all(&assignment::collect_assigned_rights(&after.assignment, &roles))?;
    if after == *before {
        return Ok(after);
    }
    if let Some(email) = after.email.as_ref().filter(|_| after.email != before.email) {
        if after.name != before.name {
            check_name_free(tx, tenant, &after.name, id)?;
        }
        check_email(tx, email, id)?;
    }
    if after.email != before.email && stamp.is_principal(PrincipalId::User(id)) && !change.password_confirmed {
        return Err(OfficeError::CurrentPasswordRequired.into());
    }
    last_admin::check_user_change(tx, &roles, before, &after)?;
    after.updated_at = stamp.at;
    let scope = Scope::User(id);
    match end_reason(before.status, after.status) {
        Some(why) => {
            tx.revocations().bump_epoch(scope, why, stamp.at)?;
            // a permanent token is held back while its user is suspended, and good again afterwards
            if deletes {
                tx.revocations().end_permanent(scope, why, stamp.at)?;
                tx.passwords().remove(PrincipalId::User(id))?;
                tx.resets().revoke_by_user(id)?;
            }
        }
        None => tx.revocations().invalidate(scope, stamp.at)?,
    }
    if !tx.users().update(&after)? {
        return Err(find_conflict(tx, &after)?.into());
    }
    let (action, mut details) = audit_details(before, &after);
    if after.assignment != before.assignment {
        details.extend(unrestricted_keys::audit_details(&unrestricted_keys::list_by_user(tx, tenant, id)?));
    }
    tx.audit().record(&stamp.build_event(tenant, action, Subject::User(id), details))?;
    Ok(tx.users().find(id)?.ok_or_else(|| StoreError::Fault("a changed user is gone".to_owned()))?)
}

/// Whether the change could take something away of what makes an admin.
fn may_remove_admin(change: &UserChange) -> bool {
    change.status.is_some_and(|status| status != UserStatus::Active)
        || change.roles.is_some()
        || change.rank.is_some()
        || change.devices != DeviceRolesChange::Keep
}

/// The user, where they are of this tenant and not deleted.
pub(in crate::office) fn load_user(tx: &mut dyn OfficeTx, tenant: TenantId, id: UserId) -> Result<User, UseCaseError> {
    let found = tx.users().find(id)?.filter(|user| user.tenant == tenant && user.status != UserStatus::Deleted);
    Ok(found.ok_or_else(|| OfficeError::NotFound { field: FieldName::User, value: id.to_string() })?)
}

/// The user's own fields after the change. Fields at fault stay as they are, and are gathered.
fn apply_change(before: &User, change: &UserChange, refusals: &mut FieldRefusals) -> Result<User, UseCaseError> {
    let mut after = before.clone();
    if let Some(name) = &change.name {
        if *name != before.name {
            refusals.gather(
                name.check_new().map_err(|why| OfficeError::InvalidValue { field: FieldName::UserName, why }),
            )?;
        }
        after.name = name.clone();
    }
    if let Some(email) = &change.email {
        if let Some(email) = email.as_ref().filter(|_| *email != before.email) {
            refusals
                .gather(email.check_new().map_err(|why| OfficeError::InvalidValue { field: FieldName::Email, why }))?;
        }
        after.email.clone_from(email);
    }
    if let Some(display_name) = &change.display_name {
        let checked =
            text::check_renamed(FieldName::DisplayName, display_name, &before.display_name, text::MAX_LABEL_CHARS);
        refusals.gather(checked)?;
        display_name.trim().clone_into(&mut after.display_name);
    }
    if let Some(status) = change.status {
        refusals.gather(check_status(before.status, status))?;
        after.status = status;
    }
    if let Some(required) = change.password_change_required {
        // there is no password to change
        if required && before.is_virtual() {
            return Err(OfficeError::VirtualUser.into());
        }
        after.password_change_required = required;
    }
    Ok(after)
}

/// Refuses a status that cannot follow the one there is.
pub(in crate::office) fn check_status(from: UserStatus, to: UserStatus) -> Result<(), OfficeError> {
    if to == UserStatus::Pending && from != UserStatus::Pending {
        return Err(OfficeError::InvalidStatusTransition { from: from.name(), to: to.name() });
    }
    Ok(())
}

/// Whether a step from one status to another ends every session, and why.
fn end_reason(from: UserStatus, to: UserStatus) -> Option<EndReason> {
    (from != to && to != UserStatus::Active).then_some(EndReason::Suspended)
}

/// What the audit says of it: the narrowest action that covers the change, and each field that moved.
fn audit_details(before: &User, after: &User) -> (Action, Map<String, Value>) {
    let details = diff_fields([
        (FieldName::UserName.name(), json!(before.name), json!(after.name)),
        (FieldName::Email.name(), json!(before.email), json!(after.email)),
        (FieldName::DisplayName.name(), json!(before.display_name), json!(after.display_name)),
        ("status", json!(before.status.name()), json!(after.status.name())),
        (
            FieldName::PasswordChangeRequired.name(),
            json!(before.password_change_required),
            json!(after.password_change_required),
        ),
        (
            "assignment",
            assignment::audit_details_by_id(&before.assignment),
            assignment::audit_details_by_id(&after.assignment),
        ),
    ]);
    let (status, roles) = (details.contains_key("status"), details.contains_key("assignment"));
    let action = match (details.len(), status, roles) {
        _ if status && after.status == UserStatus::Deleted => Action::UserDelete,
        (1, true, false) => Action::UserStatus,
        (1, false, true) => Action::UserRoles,
        _ => Action::UserUpdate,
    };
    (action, details)
}

#[cfg(test)]
mod tests;
