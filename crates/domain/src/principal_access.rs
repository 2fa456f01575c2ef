//! Where a principal may log in, and which roles and rights it has there: pure functions over
//! users, devices and roles. [`Authority`](crate::Authority) checks the rights.

use crate::{Device, Environment, Rank, Rights, Role, RoleId, User};

/// Whether the user may log in there: on a device to which the user is assigned, or without a
/// device if the user has an office role. The status of the user and the device is not checked.
pub fn may_log_in(user: &User, device: Option<&Device>) -> bool {
    match device {
        Some(device) => user.tenant == device.tenant && user.assignment.devices.contains_key(&device.id),
        None => !user.assignment.office.is_empty(),
    }
}

/// The roles of a user that apply on this device, or without a device.
pub fn effective_user_roles<'r>(user: &User, device: Option<&Device>, roles: &'r [Role]) -> Vec<&'r Role> {
    match device {
        Some(device) => {
            let assigned =
                |id: &RoleId| user.assignment.devices.get(&device.id).is_some_and(|assigned| assigned.contains(id));
            select_effective_roles(roles, assigned, Some(device.environment))
        }
        None => select_effective_roles(roles, |id| user.assignment.office.contains(id), None),
    }
}

/// The roles of a device that is logged in as itself.
pub fn effective_device_roles<'r>(device: &Device, roles: &'r [Role]) -> Vec<&'r Role> {
    select_effective_roles(roles, |id| device.roles.contains(id), Some(device.environment))
}

fn select_effective_roles(roles: &[Role], assigned: impl Fn(&RoleId) -> bool, on: Option<Environment>) -> Vec<&Role> {
    let counts =
        |role: &&Role| assigned(&role.id) && on.is_none_or(|environment| role.environments.contains(&environment));
    roles.iter().filter(counts).collect()
}

/// The rights that the roles grant together.
pub fn collect_rights<'r>(roles: impl IntoIterator<Item = &'r Role>) -> Rights {
    roles.into_iter().flat_map(|role| role.rights.iter()).collect()
}

/// The highest rank among the built-in roles.
pub fn highest_rank<'r>(roles: impl IntoIterator<Item = &'r Role>) -> Option<Rank> {
    roles.into_iter().filter_map(Rank::of_role).max()
}

/// Whether the rank is at least `least`.
pub fn has_rank(rank: Option<Rank>, least: Rank) -> bool {
    rank.is_some_and(|rank| rank >= least)
}

#[cfg(test)]
mod tests;
