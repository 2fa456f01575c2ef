//! Finds unknown names and impossible statuses in a request that is rejected for other fields.
//!
//! The use cases report everything that is wrong with their arguments. A request with a field that
//! cannot be parsed reaches none of them. This function reports what they would report about its
//! other fields, so that the client gets all errors at once.

use crate::office::Office;
use crate::office::api_keys::add::{any_device, resolve_user, user_and_device};
use crate::office::devices::change as change_device;
use crate::office::error::{FieldRefusals, OfficeError, UseCaseError};
use crate::office::ports::OfficeTx;
use crate::office::stores::lookup::check_branch_exists;
use crate::office::tickets::OwnerRef;
use crate::office::users::assignment::{self, DeviceRoleAssignment, DeviceRolesChange};
use crate::office::users::change as change_user;
use crate::{
    Assignment, BranchId, DeviceId, DeviceName, DeviceStatus, KnownRight, RoleName, StoreExt, StoreResult, UserId,
    UserName, UserStatus,
};

/// The fields that name something of the tenant, as far as the request has them and they could be
/// parsed.
#[derive(Clone, Copy, Debug, Default)]
pub struct NamedFields<'a> {
    /// The roles without a device, or of a device.
    pub roles: Option<&'a [RoleName]>,
    /// The roles on devices.
    pub devices: Option<&'a [DeviceRoleAssignment]>,
    /// The user of an API key.
    pub user: Option<&'a UserName>,
    /// The device of an API key.
    pub device: Option<&'a DeviceName>,
    /// The new owner of a ticket, and its current one.
    pub owner: Option<(&'a OwnerRef, UserId)>,
    /// The store of a device.
    pub store: Option<BranchId>,
    /// A new status of a user.
    pub user_status: Option<(UserId, UserStatus)>,
    /// A new status of a device.
    pub device_status: Option<(DeviceId, DeviceStatus)>,
}

impl Office<'_> {
    /// The errors of these fields. Empty for a caller without the right that the request itself
    /// requires.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub fn refused_names(&self, right: KnownRight, fields: &NamedFields<'_>) -> StoreResult<Vec<OfficeError>> {
        if self.require(right).is_err() {
            return Ok(Vec::new());
        }
        self.store.read("check_names", |tx| {
            let mut refusals = FieldRefusals::default();
            match look_up(tx, self, fields, &mut refusals) {
                // Errors that concern no field, such as a deleted user, are reported when the
                // fields are valid.
                Ok(()) | Err(UseCaseError::Office(_)) => Ok(refusals.into_vec()),
                Err(UseCaseError::Store(error)) => Err(error),
            }
        })
    }
}

fn look_up(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    fields: &NamedFields<'_>,
    refusals: &mut FieldRefusals,
) -> Result<(), UseCaseError> {
    if fields.roles.is_some() || fields.devices.is_some() {
        let devices =
            fields.devices.map_or(DeviceRolesChange::Keep, |devices| DeviceRolesChange::Replace(devices.to_vec()));
        let roles = tx.roles().list(office.tenant)?;
        let resolved =
            assignment::resolve_assignment(tx, office.tenant, &roles, &Assignment::default(), fields.roles, &devices);
        refusals.gather(resolved)?;
    }
    match (fields.user, fields.device) {
        (Some(user), Some(device)) => drop(refusals.gather(user_and_device(tx, office.tenant, user, device))?),
        (Some(name), None) => drop(refusals.gather(resolve_user(tx, office.tenant, name))?),
        (None, Some(device)) => drop(refusals.gather(any_device(tx, office.tenant, device))?),
        (None, None) => {}
    }
    refusals.gather(check_branch_exists(tx, office.tenant, fields.store))?;
    if let Some((owner, now)) = fields.owner {
        refusals.gather(owner.resolve(tx, office.tenant, now))?;
    }
    if let Some((id, status)) = fields.user_status {
        let before = change_user::load_user(tx, office.tenant, id)?;
        // The status of a user with more rights is not revealed.
        let roles = tx.roles().list(office.tenant)?;
        office.require_all(&assignment::collect_assigned_rights(&before.assignment, &roles))?;
        refusals.gather(change_user::check_status(before.status, status))?;
    }
    if let Some((id, status)) = fields.device_status {
        let before = change_device::load_device(tx, office.tenant, id)?;
        let roles = tx.roles().list(office.tenant)?;
        office.require_all(&assignment::collect_role_rights(&before.roles, &roles))?;
        refusals.gather(change_device::check_status(before.status, status))?;
    }
    Ok(())
}
