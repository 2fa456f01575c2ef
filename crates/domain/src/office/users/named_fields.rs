//! Finds unknown names and invalid changes in a request that is rejected for other fields.
//!
//! The use cases report everything that is wrong with their arguments. A request with a field that
//! cannot be parsed reaches none of them. This function reports what they would report about its
//! other fields, so that the client gets all errors at once.

use crate::office::Office;
use crate::office::api_keys::add::{any_device, check_expiry, compute_rights, resolve_user, user_and_device};
use crate::office::api_keys::change::{self as change_api_key, ApiKeyChange};
use crate::office::devices::change::{self as change_device, DeviceChange};
use crate::office::error::{FieldRefusals, OfficeError, UseCaseError};
use crate::office::ports::OfficeTx;
use crate::office::roles::change::{self as change_role, RoleChange};
use crate::office::stores::lookup::check_branch_exists;
use crate::office::tenants::change::{self as change_tenant, TenantChange};
use crate::office::tenants::row::load_tenant;
use crate::office::tickets::OwnerRef;
use crate::office::users::assignment::{self, DeviceRoleAssignment, DeviceRolesChange};
use crate::office::users::change::{self as change_user, UserChange};
use crate::{
    ApiKeyId, Assignment, BranchId, DeviceId, DeviceName, Instant, KnownRight, RoleId, RoleName, SessionLimits,
    StoreExt, StoreResult, UserId, UserName,
};

/// A change of something of the tenant, with the fields that could be parsed.
#[derive(Clone, Copy, Debug)]
pub enum EntityChange<'a> {
    /// A change of a user.
    User(UserId, &'a UserChange),
    /// A change of a device.
    Device(DeviceId, &'a DeviceChange),
    /// A change of a role.
    Role(RoleId, &'a RoleChange),
    /// A change of an API key.
    ApiKey(ApiKeyId, &'a ApiKeyChange),
    /// A change of the tenant, and the longest limits that the configuration allows.
    Tenant(&'a TenantChange, &'a SessionLimits),
}

/// The fields that only the store can check, as far as the request has them and they could be
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
    /// The expiry of a new API key.
    pub expires_at: Option<Instant>,
    /// What the request changes: a value that stays is not checked again.
    pub change: Option<EntityChange<'a>>,
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
    refusals.gather(check_expiry(fields.expires_at, office.context.at))?;
    fields.change.map_or(Ok(()), |change| check_change(tx, office, change, refusals))
}

/// Checks the fields of a change. Nothing is revealed about an entity with more rights than the
/// caller has.
fn check_change(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    change: EntityChange<'_>,
    refusals: &mut FieldRefusals,
) -> Result<(), UseCaseError> {
    match change {
        EntityChange::User(id, change) => {
            let before = change_user::load_user(tx, office.tenant, id)?;
            let roles = tx.roles().list(office.tenant)?;
            office.require_all(&assignment::collect_assigned_rights(&before.assignment, &roles))?;
            change_user::apply_change(&before, change, refusals)?;
        }
        EntityChange::Device(id, change) => {
            let before = change_device::load_device(tx, office.tenant, id)?;
            let roles = tx.roles().list(office.tenant)?;
            office.require_all(&assignment::collect_role_rights(&before.roles, &roles))?;
            change_device::apply_change(&before, change, refusals)?;
        }
        EntityChange::Role(id, change) => {
            let before = change_role::load_role(&tx.roles().list(office.tenant)?, id)?;
            office.require_all(&before.rights)?;
            change_role::apply_change(&before, change, refusals)?;
        }
        EntityChange::ApiKey(id, change) => {
            let before = change_api_key::load_key(tx, office.tenant, id, None)?;
            office.require_all(&compute_rights(tx, &before)?)?;
            change_api_key::apply_values(&before, change, office.context.at, refusals)?;
        }
        EntityChange::Tenant(change, given) => {
            let before = load_tenant(tx, office.tenant, None)?;
            change_tenant::apply_change(&before, change, given, refusals)?;
        }
    }
    Ok(())
}
