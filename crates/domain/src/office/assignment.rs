//! Roles by name, as people give them, turned into an assignment of ids.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::ports::OfficeTx;
use super::refused::{Field, FieldRefusals, Halt, Refused};
use crate::{Assignment, DeviceId, DeviceName, DeviceStatus, Rank, Rights, Role, RoleId, RoleName, TenantId, access};

/// The roles on one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolesOn {
    /// The device, by name.
    pub device: DeviceName,
    /// The roles there; none lets the user log in there without a right.
    pub roles: Vec<RoleName>,
}

/// What becomes of the devices in a user's list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DeviceRoles {
    /// They stay as they are.
    #[default]
    Keep,
    /// The list becomes this one.
    Replace(Vec<RolesOn>),
    /// These are put into the list, or put in place of what the list says of them; `off` leave it.
    Edit {
        /// Devices with their roles from now on.
        on: Vec<RolesOn>,
        /// Devices that leave the list.
        off: Vec<DeviceName>,
    },
}

/// The ids of these roles; names that the tenant does not have are refused, all of them.
pub(super) fn role_ids(roles: &[Role], names: &[RoleName]) -> Result<BTreeSet<RoleId>, Refused> {
    let (mut ids, mut refusals) = (BTreeSet::new(), FieldRefusals::default());
    for name in names {
        match name.folded().find_among(roles, |role| role.name.folded()) {
            Some(role) => drop(ids.insert(role.id)),
            None => refusals.add(Refused::Unknown { field: Field::Roles, value: name.to_string() }),
        }
    }
    refusals.checked().map(|()| ids)
}

/// The assignment that follows `before`. A device that is named twice is refused: what it would be given is a matter of who reads.
/// Everything that is wrong is refused at once.
pub(super) fn resolve(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    roles: &[Role],
    before: &Assignment,
    office: Option<&[RoleName]>,
    devices: &DeviceRoles,
) -> Result<Assignment, Halt> {
    let mut after = before.clone();
    let mut refusals = FieldRefusals::default();
    if let Some(names) = office {
        after.office = refusals.gather(role_ids(roles, names))?.unwrap_or_default();
    }
    let (on, off): (&[RolesOn], &[DeviceName]) = match devices {
        DeviceRoles::Keep => (&[], &[]),
        DeviceRoles::Replace(on) => {
            after.devices.clear();
            (on, &[])
        }
        DeviceRoles::Edit { on, off } => (on, off),
    };
    for name in off {
        if let Some(id) = refusals.gather(device(tx, tenant, name))? {
            after.devices.remove(&id);
        }
    }
    let mut listed = BTreeSet::new();
    for each in on {
        let held = refusals.gather(role_ids(roles, &each.roles))?;
        let Some(id) = refusals.gather(device(tx, tenant, &each.device))? else { continue };
        if !listed.insert(id) {
            refusals.add(Refused::Repeated { field: Field::Devices, value: each.device.to_string() });
        }
        after.devices.insert(id, held.unwrap_or_default());
    }
    refusals.checked()?;
    Ok(after)
}

/// Puts the built-in role of this rank in place of those of other ranks that are held without a device.
pub(super) fn promote(assignment: &mut Assignment, roles: &[Role], rank: Rank) -> Result<(), Refused> {
    let unknown = || Refused::Unknown { field: Field::Roles, value: rank.name().to_owned() };
    let of_rank = roles.iter().find(|role| Rank::of(role) == Some(rank)).ok_or_else(unknown)?;
    let ranked = |id: &RoleId| roles.iter().any(|role| role.id == *id && Rank::of(role).is_some());
    assignment.office.retain(|id| !ranked(id));
    assignment.office.insert(of_rank.id);
    Ok(())
}

fn device(tx: &mut dyn OfficeTx, tenant: TenantId, name: &DeviceName) -> Result<DeviceId, Halt> {
    let found = tx.devices().named(tenant, &name.folded())?.filter(|device| device.status != DeviceStatus::Retired);
    let unknown = || Refused::Unknown { field: Field::Devices, value: name.to_string() };
    Ok(found.map(|device| device.id).ok_or_else(unknown)?)
}

/// Everything that an assignment allows, wherever.
pub(super) fn rights(assignment: &Assignment, roles: &[Role]) -> Rights {
    let held: BTreeSet<RoleId> =
        assignment.office.iter().chain(assignment.devices.values().flatten()).copied().collect();
    rights_of(&held, roles)
}

/// Everything that these roles allow.
pub(super) fn rights_of(held: &BTreeSet<RoleId>, roles: &[Role]) -> Rights {
    access::rights(roles.iter().filter(|role| held.contains(&role.id)))
}

/// Roles on devices as the audit tells them: role names by device name.
pub(super) fn told(devices: &[RolesOn]) -> Value {
    devices.iter().map(|each| (each.device.to_string(), json!(each.roles))).collect()
}

/// An assignment as the audit tells it: ids, which no later change of a name makes false.
pub(super) fn told_ids(assignment: &Assignment) -> Value {
    let words = |roles: &BTreeSet<RoleId>| roles.iter().map(ToString::to_string).collect::<Vec<_>>();
    let devices: Value =
        assignment.devices.iter().map(|(device, roles)| (device.to_string(), json!(words(roles)))).collect();
    json!({ "roles": words(&assignment.office), "devices": devices })
}
