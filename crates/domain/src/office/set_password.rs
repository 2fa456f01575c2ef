//! Sets the password of a user or a device. Who holds a session by the old one holds none after. Nobody sets their own this way: an
//! access token that was stolen would be enough to take the account over.

use serde_json::{Map, Value, json};

use super::assignment;
use super::change_device::registered;
use super::change_user::living;
use super::growing_keys::{active, api_key_details};
use super::ports::{OfficeTx, OfficeView};
use super::refused::{Decided, Field, Halt, Refused, decide};
use super::stamp::Stamp;
use crate::{
    Action, ApiKey, DeviceId, EndedWhy, KnownRight, PrincipalId, Scope, Secret, Store, StoreError, StoreExt, Stored,
    Subject, TenantId,
};

/// What setting a password does besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PasswordOptions {
    /// Whether the user's API keys are revoked.
    pub end_keys: bool,
    /// Whether the user must change this password at the next login; otherwise they need not, even if they had to change the one
    /// before. A device's password is never changed by the device itself: it means nothing there.
    pub change_required: bool,
}

/// Sets the password: `verifier` is its hash, made outside. Ends every session of the user, permanent ones too, or on the device, and forgets their
/// failed logins. Returns the user's active API keys, which need no password and stay.
///
/// A virtual user is refused, and so is the caller's own password. Asks the right `userUpdate` and every right of the user, or `deviceUpdate` and every
/// right of the device.
pub fn set_password(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    stamp: &Stamp,
    principal: PrincipalId,
    verifier: &Secret<String>,
) -> Decided<Vec<ApiKey>> {
    store.write(|tx| decide(set(tx, tenant, stamp, principal, verifier, PasswordOptions::default())))
}

/// Sets the password as [`set_password`] does, with these options. Returns API keys that it revokes as they were.
pub fn set_password_with(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    stamp: &Stamp,
    principal: PrincipalId,
    verifier: &Secret<String>,
    options: PasswordOptions,
) -> Decided<Vec<ApiKey>> {
    store.write(|tx| decide(set(tx, tenant, stamp, principal, verifier, options)))
}

/// Refuses whoever may not set this password, before another is hashed for it.
pub fn may_set_password(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    stamp: &Stamp,
    principal: PrincipalId,
) -> Decided<()> {
    store.read(|tx| decide(may_set(tx, tenant, stamp, principal)))
}

fn set(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &Stamp,
    principal: PrincipalId,
    verifier: &Secret<String>,
    options: PasswordOptions,
) -> Result<Vec<ApiKey>, Halt> {
    may_set(tx, tenant, stamp, principal)?;
    let replaced = replace(tx, tenant, stamp, principal, verifier, options, Map::new())?;
    Ok(replaced.ok_or_else(|| StoreError::Conflict("its owner was removed meanwhile".to_owned()))?)
}

/// Whether the caller may set this password: whoever may touch it, but for their own.
fn may_set(tx: &mut dyn OfficeTx, tenant: TenantId, stamp: &Stamp, principal: PrincipalId) -> Result<(), Halt> {
    may_touch(tx, tenant, stamp, principal)?;
    if stamp.is_by(principal) { Err(Refused::OwnPassword.into()) } else { Ok(()) }
}

/// Takes a device's own password away: it logs in as itself no more. Ends every session on it. Asks what [`set_password`] asks;
/// false where it had none. A user keeps a password: suspend who is to stay out.
pub fn remove_password(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    stamp: &Stamp,
    device: DeviceId,
) -> Decided<bool> {
    store.write(|tx| {
        let mut way = || -> Result<bool, Halt> {
            let principal = PrincipalId::Device(device);
            let subject = may_touch(tx, tenant, stamp, principal)?;
            if !tx.passwords().has(principal)? {
                return Ok(false);
            }
            // it also claims the row, as where a password is set
            tx.endings().raise(Scope::Device(device), EndedWhy::Password, stamp.at)?;
            let removed = tx.passwords().remove(principal)?;
            if removed {
                let details = Map::from_iter([("removed".to_owned(), Value::Bool(true))]);
                tx.audit().tell(&stamp.done(tenant, Action::Password, subject, details))?;
            }
            Ok(removed)
        };
        decide(way())
    })
}

/// Replaces a password without asking who may, and returns the active API keys of its user, revoked if the options ask for it. `None`
/// if its owner no longer exists.
pub(super) fn replace(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &Stamp,
    principal: PrincipalId,
    verifier: &Secret<String>,
    options: PasswordOptions,
    mut details: Map<String, Value>,
) -> Stored<Option<Vec<ApiKey>>> {
    let (scope, subject) = match principal {
        PrincipalId::User(id) => (Scope::User(id), Subject::User(id)),
        PrincipalId::Device(id) => (Scope::Device(id), Subject::Device(id)),
    };
    // the raise also claims the row: of two who set a password at once the second waits here
    if tx.endings().raise(scope, EndedWhy::Password, stamp.at)?.is_none() {
        return Ok(None);
    }
    // a permanent token was had for the old password of its user; a device's own password got nobody one
    if let PrincipalId::User(_) = principal {
        tx.endings().sever(scope, EndedWhy::Password, stamp.at)?;
    }
    tx.passwords().set(principal, verifier, stamp.at)?;
    let required = options.change_required;
    if let PrincipalId::User(id) = principal
        && tx.users().set_password_change_required(id, required, stamp.at)?
    {
        details.insert(Field::PasswordChangeRequired.name().to_owned(), json!({ "from": !required, "to": required }));
    }
    // who was stopped by guesses at the old one may try the new one
    tx.passwords().forgive(principal)?;
    let keys = match principal {
        PrincipalId::User(id) => active(tx, tenant, Some(id))?,
        PrincipalId::Device(_) => Vec::new(),
    };
    for key in keys.iter().filter(|_| options.end_keys) {
        // the raise has told that what is remembered of the user is stale, and of their keys with them
        if !tx.api_keys().update(&ApiKey { active: false, ..key.clone() })? {
            return Err(StoreError::Conflict("an API key was changed meanwhile".to_owned()));
        }
    }
    details.extend(api_key_details(&keys, options.end_keys));
    tx.audit().tell(&stamp.done(tenant, Action::Password, subject, details))?;
    Ok(Some(keys))
}

/// Whether the caller may change how this principal proves itself; whoever may could log in in its place.
pub(super) fn may_touch(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &Stamp,
    principal: PrincipalId,
) -> Result<Subject, Halt> {
    match principal {
        PrincipalId::User(id) => {
            let user = living(tx, tenant, id)?;
            stamp.authority.ask(KnownRight::UserUpdate)?;
            let roles = tx.roles().list(tenant)?;
            stamp.authority.cover(&assignment::rights(&user.assignment, &roles))?;
            if user.is_virtual() {
                return Err(Refused::Virtual.into());
            }
            Ok(Subject::User(id))
        }
        PrincipalId::Device(id) => {
            let device = registered(tx, tenant, id)?;
            stamp.authority.ask(KnownRight::DeviceUpdate)?;
            let roles = tx.roles().list(tenant)?;
            stamp.authority.cover(&assignment::rights_of(&device.roles, &roles))?;
            Ok(Subject::Device(id))
        }
    }
}
