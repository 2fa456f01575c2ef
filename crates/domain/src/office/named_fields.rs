//! Which names in a request mean nothing, and which statuses cannot be, if the request is refused for other fields anyway.
//!
//! The use cases themselves refuse everything that is wrong with what they are given. A request with a field that cannot be read
//! reaches none of them. This tells what they would say of its other fields, so that all of it is reported at once.

use super::add_api_key::{any_device, user, user_and_device};
use super::assignment::{self, DeviceRoles, RolesOn};
use super::ports::{OfficeTx, OfficeView};
use super::refused::{FieldRefusals, Halt, Refused};
use super::stamp::Authority;
use super::tickets::Owner;
use super::{change_device, change_user};
use crate::{
    Assignment, DeviceId, DeviceName, DeviceStatus, KnownRight, RoleName, Store, StoreExt, Stored, TenantId, UserId,
    UserName, UserStatus,
};

/// Fields that name something of the tenant, as far as the request has them and they could be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct NamedFields<'a> {
    /// Roles without a device, or of a device.
    pub roles: Option<&'a [RoleName]>,
    /// Roles on devices.
    pub devices: Option<&'a [RolesOn]>,
    /// The user of an API key.
    pub user: Option<&'a UserName>,
    /// The device of an API key.
    pub device: Option<&'a DeviceName>,
    /// The owner of a ticket, and who owns it now.
    pub owner: Option<(&'a Owner, UserId)>,
    /// Another status of a user.
    pub user_status: Option<(UserId, UserStatus)>,
    /// Another status of a device.
    pub device_status: Option<(DeviceId, DeviceStatus)>,
}

/// What is refused of these fields. Nothing is told to a caller without the right that the request itself requires.
///
/// # Errors
/// The store failed.
pub fn refused_names(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    authority: &Authority,
    right: KnownRight,
    fields: &NamedFields<'_>,
) -> Stored<Vec<Refused>> {
    if authority.ask(right).is_err() {
        return Ok(Vec::new());
    }
    store.read(|tx| {
        let mut refusals = FieldRefusals::default();
        match look_up(tx, tenant, authority, fields, &mut refusals) {
            // what is no field's, such as a user who is gone, is reported once the fields are right
            Ok(()) | Err(Halt::Refused(_)) => Ok(refusals.into_vec()),
            Err(Halt::Failed(error)) => Err(error),
        }
    })
}

fn look_up(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    authority: &Authority,
    fields: &NamedFields<'_>,
    refusals: &mut FieldRefusals,
) -> Result<(), Halt> {
    if fields.roles.is_some() || fields.devices.is_some() {
        let devices = fields.devices.map_or(DeviceRoles::Keep, |devices| DeviceRoles::Replace(devices.to_vec()));
        let roles = tx.roles().list(tenant)?;
        let resolved = assignment::resolve(tx, tenant, &roles, &Assignment::default(), fields.roles, &devices);
        refusals.gather(resolved)?;
    }
    match (fields.user, fields.device) {
        (Some(user), Some(device)) => drop(refusals.gather(user_and_device(tx, tenant, user, device))?),
        (Some(name), None) => drop(refusals.gather(user(tx, tenant, name))?),
        (None, Some(device)) => drop(refusals.gather(any_device(tx, tenant, device))?),
        (None, None) => {}
    }
    if let Some((owner, now)) = fields.owner {
        refusals.gather(owner.find(tx, tenant, now))?;
    }
    if let Some((id, status)) = fields.user_status {
        let before = change_user::living(tx, tenant, id)?;
        // the status of somebody above the caller is not theirs to know
        let roles = tx.roles().list(tenant)?;
        authority.cover(&assignment::rights(&before.assignment, &roles))?;
        refusals.gather(change_user::check_status(before.status, status))?;
    }
    if let Some((id, status)) = fields.device_status {
        let before = change_device::registered(tx, tenant, id)?;
        let roles = tx.roles().list(tenant)?;
        authority.cover(&assignment::rights_of(&before.roles, &roles))?;
        refusals.gather(change_device::check_status(before.status, status))?;
    }
    Ok(())
}
