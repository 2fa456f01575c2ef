//! The rule that a tenant keeps an admin: a user who can log in and has a role that grants
//! everything.
//!
//! It depends on many rows: users, their roles, the rights of the roles, and the devices in use.
//! Locking a tenant changes nothing in it. Every use case that could remove the last admin locks
//! the tenant's row and reads everything else afterwards, so that of two admins who remove each
//! other, the second sees what the first has done. A version comparison instead would make the
//! tenant look changed to a user who is editing it, whenever somebody loses a role. A use case that
//! only adds roles locks nothing.

use std::collections::BTreeSet;

use crate::office::error::{OfficeError, UseCaseError};
use crate::office::ports::{OfficeTx, RoleHolderFilter};
use crate::{
    Device, DeviceStatus, Environment, PrincipalId, Role, RoleId, StoreError, StoreResult, TenantId, User, UserStatus,
};

/// The roles that make an admin: those that grant everything, in every environment.
pub(in crate::office) fn find_admin_roles(roles: &[Role]) -> Vec<RoleId> {
    let everywhere = |role: &Role| Environment::ALL.iter().all(|each| role.environments.contains(each));
    roles.iter().filter(|role| role.rights.covers_everything() && everywhere(role)).map(|role| role.id).collect()
}

/// Locks the tenant, for a change that could remove an admin. The caller reads everything else
/// afterwards, including the roles.
pub(in crate::office) fn claim_tenant(tx: &mut dyn OfficeTx, tenant: TenantId) -> StoreResult<()> {
    let claimed = tx.tenants().claim(tenant)?;
    if claimed { Ok(()) } else { Err(StoreError::Fault("the tenant of a changed entity does not exist".to_owned())) }
}

/// Checks that a change of a user from `before` to `after` does not remove the last admin.
pub(in crate::office) fn check_user_change(
    tx: &mut dyn OfficeTx,
    roles: &[Role],
    before: &User,
    after: &User,
) -> Result<(), UseCaseError> {
    let admins = find_admin_roles(roles);
    if !covers_everything(tx, before, &admins)? || covers_everything(tx, after, &admins)? {
        return Ok(());
    }
    let others = RoleHolderFilter { roles: &admins, except_user: Some(before.id), ..RoleHolderFilter::default() };
    require_admin(tx.users().count_holders(before.tenant, &others)?)
}

/// Checks that the last admin is not one only on this device, which will no longer be in use.
pub(in crate::office) fn check_device_removal(
    tx: &mut dyn OfficeTx,
    roles: &[Role],
    device: &Device,
) -> Result<(), UseCaseError> {
    let admins = find_admin_roles(roles);
    let all = RoleHolderFilter { roles: &admins, ..RoleHolderFilter::default() };
    if tx.users().count_holders(device.tenant, &all)? == 0 {
        return Ok(());
    }
    require_admin(tx.users().count_holders(device.tenant, &RoleHolderFilter { except_device: Some(device.id), ..all })?)
}

/// Checks that a change of a tenant's roles from `before` to `after` leaves an admin.
pub(in crate::office) fn check_role_change(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    before: &[Role],
    after: &[Role],
) -> Result<(), UseCaseError> {
    let (were, are) = (find_admin_roles(before), find_admin_roles(after));
    if were.iter().all(|role| are.contains(role)) {
        return Ok(());
    }
    let of = |roles| RoleHolderFilter { roles, ..RoleHolderFilter::default() };
    if tx.users().count_holders(tenant, &of(&were))? == 0 {
        return Ok(());
    }
    require_admin(tx.users().count_holders(tenant, &of(&are))?)
}

fn require_admin(admins: u64) -> Result<(), UseCaseError> {
    if admins == 0 { Err(OfficeError::LastAdmin.into()) } else { Ok(()) }
}

/// Whether the user is an admin who can log in: active, with a password, and with an admin role
/// without a device or on one in use.
fn covers_everything(tx: &mut dyn OfficeTx, user: &User, admins: &[RoleId]) -> StoreResult<bool> {
    let has_admin_role = |held: &BTreeSet<RoleId>| admins.iter().any(|role| held.contains(role));
    let devices: Vec<_> =
        user.assignment.devices.iter().filter(|(_, held)| has_admin_role(held)).map(|(device, _)| *device).collect();
    let office = has_admin_role(&user.assignment.office);
    if user.status != UserStatus::Active || (!office && devices.is_empty()) {
        return Ok(false);
    }
    if !tx.passwords().has(PrincipalId::User(user.id))? {
        return Ok(false);
    }
    if office {
        return Ok(true);
    }
    for device in devices {
        if tx.devices().find(device)?.is_some_and(|device| device.status == DeviceStatus::Active) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Instant, Rank};

    fn role(rank: Rank, number: u8) -> Role {
        let tenant = TenantId::new(Instant::default(), [1; 10]);
        rank.to_role(RoleId::new(Instant::default(), [number; 10]), tenant).unwrap()
    }

    #[test]
    fn admin_role_must_cover_every_environment() {
        let admin = role(Rank::Admin, 1);
        let mut narrow = role(Rank::Admin, 2);
        narrow.environments.remove(&Environment::Tool);
        assert_eq!(find_admin_roles(&[admin.clone(), narrow, role(Rank::Manager, 3)]), [admin.id]);
    }
}
