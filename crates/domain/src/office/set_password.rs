//! Sets the password of a user or a device. Who holds a session by the old one holds none after.

use serde_json::{Map, Value};

use super::assignment;
use super::change_device::registered;
use super::change_user::living;
use super::ports::{OfficeTx, OfficeView};
use super::refused::{Decided, Halt, Refused, decide};
use super::stamp::Stamp;
use crate::{
    Action, DeviceId, EndedWhy, PrincipalId, Scope, Secret, Store, StoreError, StoreExt, Stored, Subject, TenantId,
};

/// Sets the password: `verifier` is its hash, made outside. Ends every session of the user, permanent ones too, or on the device, and forgets their
/// failed logins. A virtual user is refused. Asks the right `userUpdate` and every right of the user, or `deviceUpdate` and every right of the device.
pub fn set_password(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    stamp: &Stamp,
    principal: PrincipalId,
    verifier: &Secret<String>,
) -> Decided<()> {
    store.write(|tx| decide(set(tx, tenant, stamp, principal, verifier)))
}

/// Refuses whoever may not set this password, before another is hashed for it.
pub fn may_set_password(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    stamp: &Stamp,
    principal: PrincipalId,
) -> Decided<()> {
    store.read(|tx| decide(may_touch(tx, tenant, stamp, principal).map(drop)))
}

fn set(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &Stamp,
    principal: PrincipalId,
    verifier: &Secret<String>,
) -> Result<(), Halt> {
    may_touch(tx, tenant, stamp, principal)?;
    if replace(tx, tenant, stamp, principal, verifier, Map::new())? {
        Ok(())
    } else {
        Err(StoreError::Conflict("its owner was removed meanwhile".to_owned()).into())
    }
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

/// Puts another password in the place of the one there is, whoever may. False where its owner is gone.
pub(super) fn replace(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &Stamp,
    principal: PrincipalId,
    verifier: &Secret<String>,
    details: Map<String, Value>,
) -> Stored<bool> {
    let (scope, subject) = match principal {
        PrincipalId::User(id) => (Scope::User(id), Subject::User(id)),
        PrincipalId::Device(id) => (Scope::Device(id), Subject::Device(id)),
    };
    // the raise also claims the row: of two who set a password at once the second waits here
    if tx.endings().raise(scope, EndedWhy::Password, stamp.at)?.is_none() {
        return Ok(false);
    }
    // a permanent token was had for the old password of its user; a device's own password got nobody one
    if let PrincipalId::User(_) = principal {
        tx.endings().sever(scope, EndedWhy::Password, stamp.at)?;
    }
    tx.passwords().set(principal, verifier, stamp.at)?;
    // who was stopped by guesses at the old one may try the new one
    tx.passwords().forgive(principal)?;
    tx.audit().tell(&stamp.done(tenant, Action::Password, subject, details))?;
    Ok(true)
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
            stamp.authority.ask("userUpdate")?;
            let roles = tx.roles().list(tenant)?;
            stamp.authority.cover(&assignment::rights(&user.assignment, &roles))?;
            if user.is_virtual() {
                return Err(Refused::Virtual.into());
            }
            Ok(Subject::User(id))
        }
        PrincipalId::Device(id) => {
            let device = registered(tx, tenant, id)?;
            stamp.authority.ask("deviceUpdate")?;
            let roles = tx.roles().list(tenant)?;
            stamp.authority.cover(&assignment::rights_of(&device.roles, &roles))?;
            Ok(Subject::Device(id))
        }
    }
}
