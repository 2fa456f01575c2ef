//! Reads the profile of a principal on a device: names, settings and current rights.

use std::sync::Arc;

use tillgate_domain::principal_access::{
    collect_rights, effective_device_roles, effective_user_roles, highest_rank, may_log_in,
};
use tillgate_domain::{Assignment, Device, DeviceId, PrincipalId, RoleId, StoreResult, Tenant, User};

use crate::Profile;
use crate::ports::AuthTx;

/// Reads the profile of a principal on a device. `None` if the user, the device or the tenant is
/// not in the store.
pub(crate) fn read(
    tx: &mut dyn AuthTx,
    principal: PrincipalId,
    device: Option<DeviceId>,
) -> StoreResult<Option<Profile>> {
    let user = match principal {
        PrincipalId::User(id) => match tx.users().find(id)? {
            Some(user) => Some(user),
            None => return Ok(None),
        },
        PrincipalId::Device(_) => None,
    };
    let device = match device {
        Some(id) => match tx.devices().find(id)? {
            Some(device) => Some(device),
            None => return Ok(None),
        },
        None => None,
    };
    let Some(tenant) = user.as_ref().map(|user| user.tenant).or(device.as_ref().map(|device| device.tenant)) else {
        return Ok(None);
    };
    let Some(tenant) = tx.tenants().find(tenant)? else { return Ok(None) };
    assemble(tx, tenant, user, device).map(Some)
}

/// Builds a profile from rows that were read already; it reads the roles.
pub(crate) fn assemble(
    tx: &mut dyn AuthTx,
    tenant: Tenant,
    user: Option<User>,
    device: Option<Device>,
) -> StoreResult<Profile> {
    let role_ids: Vec<RoleId> = match (&user, &device) {
        (Some(user), Some(device)) => user.assignment.devices.get(&device.id).into_iter().flatten().copied().collect(),
        (Some(user), None) => user.assignment.office.iter().copied().collect(),
        (None, Some(device)) => device.roles.iter().copied().collect(),
        (None, None) => Vec::new(),
    };
    let roles = if role_ids.is_empty() { Vec::new() } else { tx.roles().find_many(tenant.id, &role_ids)? };
    let counting = match (&user, &device) {
        (Some(user), device) => effective_user_roles(user, device.as_ref(), &roles),
        (None, Some(device)) => effective_device_roles(device, &roles),
        (None, None) => Vec::new(),
    };
    let mut names: Vec<String> = counting.iter().map(|role| role.name.to_string()).collect();
    names.sort_unstable();
    let (rights, rank) = (collect_rights(counting.iter().copied()), highest_rank(counting.iter().copied()));
    let may_log_in = user.as_ref().is_none_or(|user| may_log_in(user, device.as_ref()));
    let user = user.map(without_assignment);
    Ok(Profile { tenant: Arc::new(tenant), user, device, may_log_in, roles: names, rights, rank })
}

/// The user as it is in a profile.
pub(crate) fn without_assignment(user: User) -> User {
    User { assignment: Assignment::default(), ..user }
}
