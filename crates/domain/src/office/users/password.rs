//! Sets the password of a user or a device. Who holds a session by the old one holds none after. Nobody sets their own this way: an
//! access token that was stolen would be enough to take the account over.

use serde_json::{Map, Value, json};

use crate::office::api_keys::unrestricted::{audit_api_keys, list_active};
use crate::office::context::AuditContext;
use crate::office::devices::change::load_device;
use crate::office::error::{FieldName, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{OfficePorts, OfficeTx};
use crate::office::users::assignment;
use crate::office::users::change::load_user;
use crate::{
    Action, ApiKey, DeviceId, EndReason, KnownRight, PrincipalId, Scope, Secret, Store, StoreError, StoreExt,
    StoreResult, Subject, TenantId,
};

/// What setting a password does besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PasswordOptions {
    /// Whether the user's API keys are revoked.
    pub revoke_api_keys: bool,
    /// Whether the user must change this password at the next login; otherwise they need not, even if they had to change the one
    /// before. A device's password is never changed by the device itself: it means nothing there.
    pub require_change: bool,
}

/// Sets the password: `verifier` is its hash, made outside. Ends every session of the user, permanent ones too, or on the device, and forgets their
/// failed logins. Returns the user's active API keys, which need no password and stay.
///
/// A virtual user is refused, and so is the caller's own password. Asks the right `userUpdate` and every right of the user, or `deviceUpdate` and every
/// right of the device.
pub fn set_password(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    stamp: &AuditContext,
    principal: PrincipalId,
    verifier: &Secret<String>,
) -> UseCaseResult<Vec<ApiKey>> {
    store.write(|tx| commit_refusal(set(tx, tenant, stamp, principal, verifier, PasswordOptions::default())))
}

/// Sets the password as [`set_password`] does, with these options. Returns API keys that it revokes as they were.
pub fn set_password_with(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    stamp: &AuditContext,
    principal: PrincipalId,
    verifier: &Secret<String>,
    options: PasswordOptions,
) -> UseCaseResult<Vec<ApiKey>> {
    store.write(|tx| commit_refusal(set(tx, tenant, stamp, principal, verifier, options)))
}

/// Refuses whoever may not set this password, before another is hashed for it.
pub fn authorize_set_password(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    stamp: &AuditContext,
    principal: PrincipalId,
) -> UseCaseResult<()> {
    store.read(|tx| commit_refusal(authorize_set(tx, tenant, stamp, principal)))
}

fn set(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &AuditContext,
    principal: PrincipalId,
    verifier: &Secret<String>,
    options: PasswordOptions,
) -> Result<Vec<ApiKey>, UseCaseError> {
    authorize_set(tx, tenant, stamp, principal)?;
    let replaced = replace_password(tx, tenant, stamp, principal, verifier, options, Map::new())?;
    Ok(replaced.ok_or_else(|| StoreError::Conflict("its owner was removed meanwhile".to_owned()))?)
}

/// Whether the caller may set this password: whoever may touch it, but for their own.
fn authorize_set(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &AuditContext,
    principal: PrincipalId,
) -> Result<(), UseCaseError> {
    authorize_credential_change(tx, tenant, stamp, principal)?;
    if stamp.is_principal(principal) { Err(OfficeError::OwnPassword.into()) } else { Ok(()) }
}

/// Takes a device's own password away: it logs in as itself no more. Ends every session on it. Asks what [`set_password`] asks;
/// false where it had none. A user keeps a password: suspend who is to stay out.
pub fn remove_password(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    stamp: &AuditContext,
    device: DeviceId,
) -> UseCaseResult<bool> {
    store.write(|tx| {
        let mut way = || -> Result<bool, UseCaseError> {
            let principal = PrincipalId::Device(device);
            let subject = authorize_credential_change(tx, tenant, stamp, principal)?;
            if !tx.passwords().has(principal)? {
                return Ok(false);
            }
            // it also claims the row, as where a password is set
            tx.revocations().bump_epoch(Scope::Device(device), EndReason::Password, stamp.at)?;
            let removed = tx.passwords().remove(principal)?;
            if removed {
                let details = Map::from_iter([("removed".to_owned(), Value::Bool(true))]);
                tx.audit().record(&stamp.build_event(tenant, Action::Password, subject, details))?;
            }
            Ok(removed)
        };
        commit_refusal(way())
    })
}

/// Replaces a password without asking who may, and returns the active API keys of its user, revoked if the options ask for it. `None`
/// if its owner no longer exists.
pub(in crate::office) fn replace_password(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &AuditContext,
    principal: PrincipalId,
    verifier: &Secret<String>,
    options: PasswordOptions,
    mut details: Map<String, Value>,
) -> StoreResult<Option<Vec<ApiKey>>> {
    let (scope, subject) = match principal {
        PrincipalId::User(id) => (Scope::User(id), Subject::User(id)),
        PrincipalId::Device(id) => (Scope::Device(id), Subject::Device(id)),
    };
    // the raise also claims the row: of two who set a password at once the second waits here
    if tx.revocations().bump_epoch(scope, EndReason::Password, stamp.at)?.is_none() {
        return Ok(None);
    }
    // a permanent token was had for the old password of its user; a device's own password got nobody one
    if let PrincipalId::User(_) = principal {
        tx.revocations().end_permanent(scope, EndReason::Password, stamp.at)?;
    }
    tx.passwords().set(principal, verifier, stamp.at)?;
    let required = options.require_change;
    if let PrincipalId::User(id) = principal
        && tx.users().set_password_change_required(id, required, stamp.at)?
    {
        details
            .insert(FieldName::PasswordChangeRequired.name().to_owned(), json!({ "from": !required, "to": required }));
    }
    // who was stopped by guesses at the old one may try the new one
    tx.passwords().clear_failed_logins(principal)?;
    let keys = match principal {
        PrincipalId::User(id) => list_active(tx, tenant, Some(id))?,
        PrincipalId::Device(_) => Vec::new(),
    };
    for key in keys.iter().filter(|_| options.revoke_api_keys) {
        // the raise has told that what is remembered of the user is stale, and of their keys with them
        if !tx.api_keys().update(&ApiKey { active: false, ..key.clone() })? {
            return Err(StoreError::Conflict("an API key was changed meanwhile".to_owned()));
        }
    }
    details.extend(audit_api_keys(&keys, options.revoke_api_keys));
    tx.audit().record(&stamp.build_event(tenant, Action::Password, subject, details))?;
    Ok(Some(keys))
}

/// Whether the caller may change how this principal proves itself; whoever may could log in in its place.
pub(in crate::office) fn authorize_credential_change(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &AuditContext,
    principal: PrincipalId,
) -> Result<Subject, UseCaseError> {
    match principal {
        PrincipalId::User(id) => {
            let user = load_user(tx, tenant, id)?;
            stamp.authority.require(KnownRight::UserUpdate)?;
            let roles = tx.roles().list(tenant)?;
            stamp.authority.require_all(&assignment::collect_assigned_rights(&user.assignment, &roles))?;
            if user.is_virtual() {
                return Err(OfficeError::VirtualUser.into());
            }
            Ok(Subject::User(id))
        }
        PrincipalId::Device(id) => {
            let device = load_device(tx, tenant, id)?;
            stamp.authority.require(KnownRight::DeviceUpdate)?;
            let roles = tx.roles().list(tenant)?;
            stamp.authority.require_all(&assignment::collect_role_rights(&device.roles, &roles))?;
            Ok(Subject::Device(id))
        }
    }
}
