//! Which names in a request mean nothing, and which statuses cannot be, if the request is refused for other fields anyway.
//!
//! The use cases themselves refuse everything that is wrong with what they are given. A request with a field that cannot be read
//! reaches none of them. This tells what they would say of its other fields, so that all of it is reported at once.

use crate::office::api_keys::add::{any_device, resolve_user, user_and_device};
use crate::office::context::Authority;
use crate::office::devices::change as change_device;
use crate::office::error::{FieldRefusals, OfficeError, UseCaseError};
use crate::office::ports::{OfficePorts, OfficeTx};
use crate::office::tickets::OwnerRef;
use crate::office::users::assignment::{self, DeviceRoleAssignment, DeviceRolesChange};
use crate::office::users::change as change_user;
use crate::{
    Assignment, DeviceId, DeviceName, DeviceStatus, KnownRight, RoleName, Store, StoreExt, StoreResult, TenantId,
    UserId, UserName, UserStatus,
};

/// Fields that name something of the tenant, as far as the request has them and they could be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct NamedFields<'a> {
    /// Roles without a device, or of a device.
    pub roles: Option<&'a [RoleName]>,
    /// Roles on devices.
    pub devices: Option<&'a [DeviceRoleAssignment]>,
    /// The user of an API key.
    pub user: Option<&'a UserName>,
    /// The device of an API key.
    pub device: Option<&'a DeviceName>,
    /// The owner of a ticket, and who owns it now.
    pub owner: Option<(&'a OwnerRef, UserId)>,
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
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    authority: &Authority,
    right: KnownRight,
    fields: &NamedFields<'_>,
) -> StoreResult<Vec<OfficeError>> {
    if authority.require(right).is_err() {
        return Ok(Vec::new());
    }
    store.read(|tx| {
        let mut refusals = FieldRefusals::default();
        match look_up(tx, tenant, authority, fields, &mut refusals) {
            // what is no field's, such as a user who is gone, is reported once the fields are right
            Ok(()) | Err(UseCaseError::Office(_)) => Ok(refusals.into_vec()),
            Err(UseCaseError::Store(error)) => Err(error),
        }
    })
}

fn look_up(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    authority: &Authority,
    fields: &NamedFields<'_>,
    refusals: &mut FieldRefusals,
) -> Result<(), UseCaseError> {
    if fields.roles.is_some() || fields.devices.is_some() {
        let devices =
            fields.devices.map_or(DeviceRolesChange::Keep, |devices| DeviceRolesChange::Replace(devices.to_vec()));
        let roles = tx.roles().list(tenant)?;
        let resolved =
            assignment::resolve_assignment(tx, tenant, &roles, &Assignment::default(), fields.roles, &devices);
        refusals.gather(resolved)?;
    }
    match (fields.user, fields.device) {
        (Some(user), Some(device)) => drop(refusals.gather(user_and_device(tx, tenant, user, device))?),
        (Some(name), None) => drop(refusals.gather(resolve_user(tx, tenant, name))?),
        (None, Some(device)) => drop(refusals.gather(any_device(tx, tenant, device))?),
        (None, None) => {}
    }
    if let Some((owner, now)) = fields.owner {
        refusals.gather(owner.resolve(tx, tenant, now))?;
    }
    if let Some((id, status)) = fields.user_status {
        let before = change_user::load_user(tx, tenant, id)?;
        // the status of somebody above the caller is not theirs to know
        let roles = tx.roles().list(tenant)?;
        authority.require_all(&assignment::collect_assigned_rights(&before.assignment, &roles))?;
        refusals.gather(change_user::check_status(before.status, status))?;
    }
    if let Some((id, status)) = fields.device_status {
        let before = change_device::load_device(tx, tenant, id)?;
        let roles = tx.roles().list(tenant)?;
        authority.require_all(&assignment::collect_role_rights(&before.roles, &roles))?;
        refusals.gather(change_device::check_status(before.status, status))?;
    }
    Ok(())
}
