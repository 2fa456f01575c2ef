//! The rule that a tenant keeps an admin: somebody who can log in and holds a role that allows everything.
//!
//! It depends on many rows: users, what they hold, what their roles allow, which devices are in use. So whatever could take an
//! admin away first claims the tenant, and reads afterwards. Of two admins who remove each other at the same moment the second
//! sees what the first has done. What only adds to somebody's roles claims nothing: it makes no admin fewer.

use std::collections::BTreeSet;

use crate::office::error::{OfficeError, UseCaseError};
use crate::office::ports::{OfficeTx, RoleHolderFilter};
use crate::{
    Device, DeviceStatus, Environment, PrincipalId, Role, RoleId, StoreError, StoreResult, TenantId, User, UserStatus,
};

/// The roles that make an admin: those that allow everything, everywhere.
pub(in crate::office) fn find_admin_roles(roles: &[Role]) -> Vec<RoleId> {
    let everywhere = |role: &Role| Environment::ALL.iter().all(|each| role.environments.contains(each));
    roles.iter().filter(|role| role.rights.covers_everything() && everywhere(role)).map(|role| role.id).collect()
}

/// Claims the tenant, for what could take an admin away. Whoever claims reads everything else after it, roles too.
pub(in crate::office) fn claim_tenant(tx: &mut dyn OfficeTx, tenant: TenantId) -> StoreResult<()> {
    let claimed = tx.tenants().claim(tenant)?;
    if claimed { Ok(()) } else { Err(StoreError::Fault("what belongs to no tenant was to be changed".to_owned())) }
}

/// Refuses a change of a user from `before` to `after` that takes the last admin away.
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

/// Refuses to put a device out of use on which alone the last admin is one.
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

/// Refuses a change of a tenant's roles from `before` to `after` that makes nobody an admin any more.
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

/// Whether the user is an admin who can log in: active, with a password, and with the role without a device or on one in use.
fn covers_everything(tx: &mut dyn OfficeTx, user: &User, admins: &[RoleId]) -> StoreResult<bool> {
    let makes = |held: &BTreeSet<RoleId>| admins.iter().any(|role| held.contains(role));
    let places: Vec<_> =
        user.assignment.devices.iter().filter(|(_, held)| makes(held)).map(|(device, _)| *device).collect();
    let office = makes(&user.assignment.office);
    if user.status != UserStatus::Active || (!office && places.is_empty()) {
        return Ok(false);
    }
    if !tx.passwords().has(PrincipalId::User(user.id))? {
        return Ok(false);
    }
    if office {
        return Ok(true);
    }
    for place in places {
        if tx.devices().find(place)?.is_some_and(|device| device.status == DeviceStatus::Active) {
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
