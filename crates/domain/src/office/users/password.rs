//! Sets the password of a user or a device, which ends all sessions that were created with the old
//! one. Callers cannot set their own password this way, because a stolen access token would be
//! enough to take over the account.

use serde_json::{Map, Value, json};

use crate::office::Office;
use crate::office::api_keys::unrestricted::{audit_api_keys, list_active};
use crate::office::context::AuditContext;
use crate::office::devices::change::load_device;
use crate::office::error::{FieldName, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficeTx;
use crate::office::users::assignment;
use crate::office::users::change::load_user;
use crate::{
    Action, ApiKey, DeviceId, EndReason, KnownRight, PrincipalId, Scope, Secret, StoreError, StoreExt, StoreResult,
    Subject, TenantId,
};

/// Options of setting a password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PasswordOptions {
    /// Whether the user's API keys are revoked.
    pub revoke_api_keys: bool,
    /// Whether the user must change this password at the next login. If false, a previous
    /// requirement is removed. It has no meaning for a device, which never changes its own
    /// password.
    pub require_change: bool,
}

impl Office<'_> {
    /// Sets the password; the caller computes the verifier. Ends all sessions of the user
    /// (including permanent ones) or on the device, and clears the failed logins. Returns the
    /// user's active API keys, which need no password and stay active.
    ///
    /// A virtual user, and the caller's own password, are denied. Requires the right `userUpdate`
    /// and every right of the user, or `deviceUpdate` and every right of the device.
    pub fn set_password(&self, principal: PrincipalId, verifier: &Secret<String>) -> UseCaseResult<Vec<ApiKey>> {
        self.store
            .write("set_password", |tx| commit_refusal(set(tx, self, principal, verifier, PasswordOptions::default())))
    }

    /// Sets the password as [`set_password`](Self::set_password) does, with these options. Returns
    /// revoked API keys as they were before.
    pub fn set_password_with(
        &self,
        principal: PrincipalId,
        verifier: &Secret<String>,
        options: PasswordOptions,
    ) -> UseCaseResult<Vec<ApiKey>> {
        self.store.write("set_password", |tx| commit_refusal(set(tx, self, principal, verifier, options)))
    }

    /// Checks the authority to set this password, before it is hashed.
    pub fn authorize_set_password(&self, principal: PrincipalId) -> UseCaseResult<()> {
        self.store.read("authorize_set_password", |tx| commit_refusal(authorize_set(tx, self, principal)))
    }
}

fn set(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    principal: PrincipalId,
    verifier: &Secret<String>,
    options: PasswordOptions,
) -> Result<Vec<ApiKey>, UseCaseError> {
    authorize_set(tx, office, principal)?;
    let replaced = replace_password(tx, office.tenant, &office.context, principal, verifier, options, Map::new())?;
    Ok(replaced
        .ok_or_else(|| StoreError::Conflict("the owner of the password was removed in the meantime".to_owned()))?)
}

/// Checks that the caller may change the credentials of the principal, and is not the principal
/// itself.
pub(in crate::office) fn authorize_set(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    principal: PrincipalId,
) -> Result<(), UseCaseError> {
    authorize_credential_change(tx, office, principal)?;
    office.require_recent_proof()?;
    if office.context.is_principal(principal) { Err(OfficeError::OwnPassword.into()) } else { Ok(()) }
}

impl Office<'_> {
    /// Removes the password of a device, which then cannot log in as itself, and ends all sessions
    /// on it. Returns false if it had none. Requires what [`set_password`](Self::set_password)
    /// requires. The password of a user cannot be removed; suspend the user instead.
    pub fn remove_password(&self, device: DeviceId) -> UseCaseResult<bool> {
        self.store.write("remove_password", |tx| {
            let mut run = || -> Result<bool, UseCaseError> {
                let principal = PrincipalId::Device(device);
                let subject = authorize_credential_change(tx, self, principal)?;
                self.require_recent_proof()?;
                if !tx.passwords().has(principal)? {
                    return Ok(false);
                }
                // This also locks the row, as when a password is set.
                tx.revocations().bump_epoch(Scope::Device(device), EndReason::Password, self.context.at)?;
                let removed = tx.passwords().remove(principal)?;
                if removed {
                    let details = Map::from_iter([("removed".to_owned(), Value::Bool(true))]);
                    tx.audit().record(&self.build_event(Action::Password, subject, details))?;
                }
                Ok(removed)
            };
            commit_refusal(run())
        })
    }
}

/// Replaces a password without a check of authority. Returns the active API keys of its user,
/// revoked if the options say so. `None` if its owner no longer exists.
pub(in crate::office) fn replace_password(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    context: &AuditContext,
    principal: PrincipalId,
    verifier: &Secret<String>,
    options: PasswordOptions,
    mut details: Map<String, Value>,
) -> StoreResult<Option<Vec<ApiKey>>> {
    let (scope, subject) = match principal {
        PrincipalId::User(id) => (Scope::User(id), Subject::User(id)),
        PrincipalId::Device(id) => (Scope::Device(id), Subject::Device(id)),
    };
    // This also locks the row: of two concurrent calls, the second waits here.
    if tx.revocations().bump_epoch(scope, EndReason::Password, context.at)?.is_none() {
        return Ok(None);
    }
    // A user's permanent tokens were generated with the old password; those of a device's users
    // were not.
    if let PrincipalId::User(_) = principal {
        tx.revocations().end_permanent(scope, EndReason::Password, context.at)?;
    }
    tx.passwords().set(principal, verifier, context.at)?;
    // Somebody who knew the old password could have set the PIN.
    if let PrincipalId::User(id) = principal
        && tx.pins().remove(id)?
    {
        details.insert("pin_removed".to_owned(), Value::Bool(true));
    }
    let required = options.require_change;
    if let PrincipalId::User(id) = principal
        && tx.users().set_password_change_required(id, required, context.at)?
    {
        details
            .insert(FieldName::PasswordChangeRequired.name().to_owned(), json!({ "from": !required, "to": required }));
    }
    // Guesses at the old password must not delay a login with the new one.
    tx.passwords().clear_failed_logins(principal)?;
    let keys = match principal {
        PrincipalId::User(id) => list_active(tx, tenant, Some(id))?,
        PrincipalId::Device(_) => Vec::new(),
    };
    for key in keys.iter().filter(|_| options.revoke_api_keys) {
        // The raised epoch also invalidates the cached keys of the user.
        if !tx.api_keys().update(&ApiKey { active: false, ..key.clone() })? {
            return Err(StoreError::Conflict("an API key was changed in the meantime".to_owned()));
        }
    }
    details.extend(audit_api_keys(&keys, options.revoke_api_keys));
    tx.audit().record(&context.build_event(tenant, Action::Password, subject, details))?;
    Ok(Some(keys))
}

/// Checks that the caller may change the credentials of the principal, which allow to log in as it.
pub(in crate::office) fn authorize_credential_change(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    principal: PrincipalId,
) -> Result<Subject, UseCaseError> {
    match principal {
        PrincipalId::User(id) => {
            office.require(KnownRight::UserUpdate)?;
            let user = load_user(tx, office.tenant, id)?;
            let roles = tx.roles().list(office.tenant)?;
            office.require_all(&assignment::collect_assigned_rights(&user.assignment, &roles))?;
            if user.is_virtual() {
                return Err(OfficeError::VirtualUser(user.name).into());
            }
            Ok(Subject::User(id))
        }
        PrincipalId::Device(id) => {
            office.require(KnownRight::DeviceUpdate)?;
            let device = load_device(tx, office.tenant, id)?;
            let roles = tx.roles().list(office.tenant)?;
            office.require_all(&assignment::collect_role_rights(&device.roles, &roles))?;
            Ok(Subject::Device(id))
        }
    }
}
