//! Converts roles by name, as people give them, to an assignment of ids.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::office::error::{FieldName, FieldRefusals, OfficeError, UseCaseError};
use crate::office::ports::OfficeTx;
use crate::{
    Assignment, DeviceId, DeviceName, DeviceStatus, Rank, Rights, Role, RoleId, RoleName, TenantId, principal_access,
};

/// The roles of a user on one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRoleAssignment {
    /// The name of the device.
    pub device: DeviceName,
    /// The names of the roles there; without roles the user may log in there, but has no rights.
    pub roles: Vec<RoleName>,
}

/// A change of the devices of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DeviceRolesChange {
    /// The devices stay as they are.
    #[default]
    Keep,
    /// The devices are replaced by this list.
    Replace(Vec<DeviceRoleAssignment>),
    /// The devices in `set` are added or replaced; those in `remove` are removed.
    Edit {
        /// The devices to add or replace, with their new roles.
        set: Vec<DeviceRoleAssignment>,
        /// The devices to remove.
        remove: Vec<DeviceName>,
    },
}

/// The ids of these roles. Returns all names that the tenant does not have as an error.
pub(in crate::office) fn resolve_role_ids(roles: &[Role], names: &[RoleName]) -> Result<BTreeSet<RoleId>, OfficeError> {
    let (mut ids, mut refusals) = (BTreeSet::new(), FieldRefusals::default());
    for name in names {
        match name.to_folded().find_best_match(roles, |role| role.name.to_folded()) {
            Some(role) => drop(ids.insert(role.id)),
            None => refusals.add(OfficeError::UnknownName { field: FieldName::Roles, value: name.to_string() }),
        }
    }
    refusals.checked().map(|()| ids)
}

/// The assignment that follows `before`. A device that is named twice is an error, because the
/// result would depend on the order. Returns all errors at once.
pub(in crate::office) fn resolve_assignment(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    roles: &[Role],
    before: &Assignment,
    office: Option<&[RoleName]>,
    devices: &DeviceRolesChange,
) -> Result<Assignment, UseCaseError> {
    let mut after = before.clone();
    let mut refusals = FieldRefusals::default();
    if let Some(names) = office {
        after.office = refusals.gather(resolve_role_ids(roles, names))?.unwrap_or_default();
    }
    let (on, off): (&[DeviceRoleAssignment], &[DeviceName]) = match devices {
        DeviceRolesChange::Keep => (&[], &[]),
        DeviceRolesChange::Replace(on) => {
            after.devices.clear();
            (on, &[])
        }
        DeviceRolesChange::Edit { set: on, remove: off } => (on, off),
    };
    for name in off {
        if let Some(id) = refusals.gather(resolve_device_id(tx, tenant, name))? {
            after.devices.remove(&id);
        }
    }
    let mut listed = BTreeSet::new();
    for each in on {
        let ids = refusals.gather(resolve_role_ids(roles, &each.roles))?;
        let Some(id) = refusals.gather(resolve_device_id(tx, tenant, &each.device))? else { continue };
        if !listed.insert(id) {
            refusals.add(OfficeError::DuplicateItem { field: FieldName::Devices, value: each.device.to_string() });
        }
        after.devices.insert(id, ids.unwrap_or_default());
    }
    refusals.checked()?;
    Ok(after)
}

/// Replaces the built-in roles without a device by that of this rank.
pub(in crate::office) fn assign_rank(
    assignment: &mut Assignment,
    roles: &[Role],
    rank: Rank,
) -> Result<(), OfficeError> {
    let unknown = || OfficeError::UnknownName { field: FieldName::Roles, value: rank.name().to_owned() };
    let of_rank = roles.iter().find(|role| Rank::of_role(role) == Some(rank)).ok_or_else(unknown)?;
    let ranked = |id: &RoleId| roles.iter().any(|role| role.id == *id && Rank::of_role(role).is_some());
    assignment.office.retain(|id| !ranked(id));
    assignment.office.insert(of_rank.id);
    Ok(())
}

fn resolve_device_id(tx: &mut dyn OfficeTx, tenant: TenantId, name: &DeviceName) -> Result<DeviceId, UseCaseError> {
    let found =
        tx.devices().find_by_name(tenant, &name.to_folded())?.filter(|device| device.status != DeviceStatus::Retired);
    let unknown = || OfficeError::UnknownName { field: FieldName::Devices, value: name.to_string() };
    Ok(found.map(|device| device.id).ok_or_else(unknown)?)
}

/// All rights that an assignment grants, without or on any device.
pub(in crate::office) fn collect_assigned_rights(assignment: &Assignment, roles: &[Role]) -> Rights {
    let ids: BTreeSet<RoleId> =
        assignment.office.iter().chain(assignment.devices.values().flatten()).copied().collect();
    collect_role_rights(&ids, roles)
}

/// All rights that these roles grant together.
pub(in crate::office) fn collect_role_rights(held: &BTreeSet<RoleId>, roles: &[Role]) -> Rights {
    principal_access::collect_rights(roles.iter().filter(|role| held.contains(&role.id)))
}

/// The roles on devices for the audit event: role names by device name.
pub(in crate::office) fn audit_details(devices: &[DeviceRoleAssignment]) -> Value {
    devices.iter().map(|each| (each.device.to_string(), json!(each.roles))).collect()
}

/// The assignment for the audit event, by ids, which stay true when names change.
pub(in crate::office) fn audit_details_by_id(assignment: &Assignment) -> Value {
    let words = |roles: &BTreeSet<RoleId>| roles.iter().map(ToString::to_string).collect::<Vec<_>>();
    let devices: Value =
        assignment.devices.iter().map(|(device, roles)| (device.to_string(), json!(words(roles)))).collect();
    json!({ "roles": words(&assignment.office), "devices": devices })
}
