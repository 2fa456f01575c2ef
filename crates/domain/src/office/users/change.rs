//! Changes a user: names, roles and status, together or separately, in one transaction.
//!
//! Everything is checked first. If the change ends all sessions of the user, the epoch is raised
//! before the row is written, so that a concurrent login finds it.

use serde_json::{Map, Value, json};

use crate::office::api_keys::unrestricted as unrestricted_keys;
use crate::office::differences::diff_fields;
use crate::office::error::{FieldName, FieldRefusals, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficeTx;
use crate::office::users::add::{check_email, check_name_free, find_conflict};
use crate::office::users::assignment::{self, DeviceRolesChange};
use crate::office::users::last_admin;
use crate::office::{Office, text};
use crate::{
    Action, Email, EndReason, KnownRight, Locale, MissingRight, PrincipalId, Rank, RoleName, Scope, StoreError,
    StoreExt, Subject, TenantId, User, UserId, UserName, UserStatus,
};

/// A change of a user; `None` keeps a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    /// A new name with which the user logs in.
    pub name: Option<UserName>,
    /// A new e-mail address, or `Some(None)` to remove it.
    pub email: Option<Option<Email>>,
    /// A new name for people.
    pub display_name: Option<String>,
    /// A new status.
    pub status: Option<UserStatus>,
    /// The names of new roles without a device.
    pub roles: Option<Vec<RoleName>>,
    /// The rank whose built-in role replaces those of other ranks, without a device; roles of the
    /// tenant stay.
    pub rank: Option<Rank>,
    /// New devices, with the roles on them.
    pub devices: DeviceRolesChange,
    /// Whether the user must change the password at the next login. This ends no session.
    pub password_change_required: Option<bool>,
    /// A new language, or `Some(None)` for that of the tenant.
    pub locale: Option<Option<Locale>>,
    /// Whether the caller has just proved their password, which is required to change their
    /// e-mail address.
    pub password_confirmed: bool,
}

impl UserChange {
    /// Whether the change ends the sessions of a user who is active.
    pub fn ends_sessions(&self) -> bool {
        self.status.is_some_and(|status| status != UserStatus::Active)
    }
}

impl Office<'_> {
    /// Changes the user and returns it. With `versions`, fails if the user has none of them.
    /// Requires the right `userUpdate` (`userDelete` to delete), and every right that the user has
    /// or gets.
    ///
    /// A caller who changes their own e-mail address must have proved their password, because a
    /// password reset is mailed to it. API keys without permissions grow with the roles of their
    /// user; the audit event lists them.
    ///
    /// A user who is no longer active loses all sessions; only a deleted one also loses permanent
    /// sessions, the password and the PIN. A user who gets a right that they had nowhere before
    /// loses the PIN, too. A change without a difference writes nothing.
    pub fn change_user(&self, id: UserId, versions: Option<&[i64]>, change: &UserChange) -> UseCaseResult<User> {
        self.store.write("change_user", |tx| commit_refusal(apply(tx, self, id, versions, change)))
    }

    /// Activates, suspends or deletes a user; see [`change_user`](Self::change_user). A deleted
    /// user stays deleted, and its name becomes free.
    pub fn set_user_status(&self, id: UserId, status: UserStatus) -> UseCaseResult<User> {
        self.change_user(id, None, &UserChange { status: Some(status), ..UserChange::default() })
    }

    /// Replaces the roles of a user, without a device and on devices; see
    /// [`change_user`](Self::change_user).
    pub fn assign_roles(
        &self,
        id: UserId,
        roles: Option<Vec<RoleName>>,
        devices: DeviceRolesChange,
    ) -> UseCaseResult<User> {
        self.change_user(id, None, &UserChange { roles, devices, ..UserChange::default() })
    }

    /// Suspends an active user, or activates any other one that is not deleted; see
    /// [`change_user`](Self::change_user).
    pub fn toggle_user(&self, id: UserId) -> UseCaseResult<User> {
        self.store.write("toggle_user", |tx| {
            let mut run = || {
                // Changes the version that was read: of two concurrent toggles, the second fails
                // and reads again.
                let before = load_user(tx, self.tenant, id)?;
                let active = before.status == UserStatus::Active;
                let status = if active { UserStatus::Suspended } else { UserStatus::Active };
                let change = UserChange { status: Some(status), ..UserChange::default() };
                apply_to(tx, self, &before, None, &change)
            };
            commit_refusal(run())
        })
    }
}

fn apply(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    id: UserId,
    versions: Option<&[i64]>,
    change: &UserChange,
) -> Result<User, UseCaseError> {
    authorize(office, change)?;
    let before = load_user(tx, office.tenant, id)?;
    apply_to(tx, office, &before, versions, change)
}

/// Checks the right that the change requires of every caller.
fn authorize(office: &Office<'_>, change: &UserChange) -> Result<(), MissingRight> {
    let deletes = change.status == Some(UserStatus::Deleted);
    office.require(if deletes { KnownRight::UserDelete } else { KnownRight::UserUpdate })
}

/// Applies the change to a user as it was read.
fn apply_to(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    before: &User,
    versions: Option<&[i64]>,
    change: &UserChange,
) -> Result<User, UseCaseError> {
    let id = before.id;
    authorize(office, change)?;
    OfficeError::check_version(Subject::User(id), versions, before.version)?;
    if may_remove_admin(change) {
        last_admin::claim_tenant(tx, office.tenant)?;
    }
    let roles = tx.roles().list(office.tenant)?;
    let rights_before = assignment::collect_assigned_rights(&before.assignment, &roles);
    office.require_all(&rights_before)?;
    let mut refusals = FieldRefusals::default();
    let mut after = apply_change(before, change, &mut refusals)?;
    let without_device = change.roles.as_deref();
    let resolved =
        assignment::resolve_assignment(tx, office.tenant, &roles, &before.assignment, without_device, &change.devices);
    let assignment = refusals.gather(resolved)?;
    refusals.checked()?;
    after.assignment = assignment.unwrap_or_default();
    if let Some(rank) = change.rank {
        assignment::assign_rank(&mut after.assignment, &roles, rank)?;
    }
    let rights_after = assignment::collect_assigned_rights(&after.assignment, &roles);
    office.require_all(&rights_after)?;
    if after == *before {
        return Ok(after);
    }
    // a password can be reset by mail; a change of the caller's own address requires their password
    let is_own = office.context.is_principal(PrincipalId::User(id));
    let others_email = after.email != before.email && !is_own;
    if change.status == Some(UserStatus::Deleted) || after.assignment != before.assignment || others_email {
        office.require_recent_proof()?;
    }
    if let Some(email) = after.email.as_ref().filter(|_| after.email != before.email) {
        if after.name != before.name {
            check_name_free(tx, office.tenant, &after.name, id)?;
        }
        check_email(tx, email, id)?;
    }
    if after.email != before.email && is_own && !change.password_confirmed {
        return Err(OfficeError::CurrentPasswordRequired.into());
    }
    last_admin::check_user_change(tx, &roles, before, &after)?;
    after.updated_at = office.context.at;
    let scope = Scope::User(id);
    let mut pin_removed = false;
    match end_reason(before.status, after.status) {
        Some(why) => {
            tx.revocations().bump_epoch(scope, why, office.context.at)?;
            tx.invitations().revoke_by_user(id)?;
            tx.resets().revoke_by_user(id)?;
            // A permanent session is blocked while its user is suspended, and continues afterwards.
            if change.status == Some(UserStatus::Deleted) {
                tx.revocations().end_permanent(scope, why, office.context.at)?;
                tx.passwords().remove(PrincipalId::User(id))?;
                pin_removed = tx.pins().remove(id)?;
            }
        }
        None => tx.revocations().invalidate(scope, office.context.at)?,
    }
    if after.assignment != before.assignment {
        // Otherwise, the inviter could set the password of an account that has more rights now.
        tx.invitations().revoke_by_user(id)?;
    }
    // Likewise somebody who has drawn or seen the PIN.
    if rights_after.iter().any(|right| !rights_before.allows(right)) {
        pin_removed |= tx.pins().remove(id)?;
    }
    if !tx.users().update(&after)? {
        return Err(find_conflict(tx, &after)?.into());
    }
    let (action, mut details) = audit_details(before, &after);
    if after.assignment != before.assignment {
        details.extend(unrestricted_keys::audit_details(&unrestricted_keys::list_by_user(tx, office.tenant, id)?));
    }
    if pin_removed {
        details.insert("pin_removed".to_owned(), Value::Bool(true));
    }
    tx.audit().record(&office.build_event(action, Subject::User(id), details))?;
    Ok(tx.users().find(id)?.ok_or_else(|| StoreError::Fault("a changed user does not exist any more".to_owned()))?)
}

/// Whether the change could remove something that makes the user an admin.
fn may_remove_admin(change: &UserChange) -> bool {
    change.ends_sessions()
        || change.roles.is_some()
        || change.rank.is_some()
        || change.devices != DeviceRolesChange::Keep
}

/// The user, if it belongs to this tenant and is not deleted.
pub(in crate::office) fn load_user(tx: &mut dyn OfficeTx, tenant: TenantId, id: UserId) -> Result<User, UseCaseError> {
    let found = tx.users().find(id)?.filter(|user| user.tenant == tenant && user.status != UserStatus::Deleted);
    Ok(found.ok_or_else(|| OfficeError::NotFound { field: FieldName::User, value: id.to_string() })?)
}

/// The fields of the user after the change. Invalid fields keep their value, and their errors are
/// collected.
pub(in crate::office) fn apply_change(
    before: &User,
    change: &UserChange,
    refusals: &mut FieldRefusals,
) -> Result<User, UseCaseError> {
    let mut after = before.clone();
    if let Some(name) = &change.name {
        if *name != before.name {
            refusals.gather(
                name.check_new().map_err(|why| OfficeError::InvalidValue { field: FieldName::UserName, why }),
            )?;
        }
        after.name = name.clone();
    }
    if let Some(locale) = &change.locale {
        after.locale.clone_from(locale);
    }
    if let Some(email) = &change.email {
        if let Some(email) = email.as_ref().filter(|_| *email != before.email) {
            refusals
                .gather(email.check_new().map_err(|why| OfficeError::InvalidValue { field: FieldName::Email, why }))?;
        }
        if *email != before.email {
            after.email_verified_at = None;
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
        // A virtual user has no password to change.
        if required && before.is_virtual() {
            return Err(OfficeError::VirtualUser(before.name.clone()).into());
        }
        after.password_change_required = required;
    }
    Ok(after)
}

/// Checks that a status can follow the current one.
fn check_status(from: UserStatus, to: UserStatus) -> Result<(), OfficeError> {
    if to == UserStatus::Pending && from != UserStatus::Pending {
        return Err(OfficeError::InvalidStatusTransition { from: from.name(), to: to.name() });
    }
    Ok(())
}

/// Whether a change of status ends all sessions, and why.
fn end_reason(from: UserStatus, to: UserStatus) -> Option<EndReason> {
    (from != to && to != UserStatus::Active).then_some(EndReason::Suspended)
}

/// The action of the audit event, which is the most specific one for the change, and the changed
/// fields.
fn audit_details(before: &User, after: &User) -> (Action, Map<String, Value>) {
    let details = diff_fields([
        (FieldName::UserName.name(), json!(before.name), json!(after.name)),
        (FieldName::Email.name(), json!(before.email), json!(after.email)),
        (FieldName::DisplayName.name(), json!(before.display_name), json!(after.display_name)),
        ("locale", json!(before.locale.as_ref().map(Locale::as_str)), json!(after.locale.as_ref().map(Locale::as_str))),
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
