//! The rule that a tenant keeps an admin: somebody who can log in and holds a role that allows everything.
//!
//! It depends on many rows: users, what they hold, what their roles allow, which devices are in use. So whatever could take an
//! admin away first claims the tenant, and reads afterwards. Of two admins who remove each other at the same moment the second
//! sees what the first has done. What only adds to somebody's roles claims nothing: it makes no admin fewer.

use std::collections::BTreeSet;

use super::ports::{HoldersOf, OfficeTx};
use super::refused::{Halt, Refused};
use crate::{
    Device, DeviceStatus, Environment, PrincipalId, Role, RoleId, StoreError, Stored, TenantId, User, UserStatus,
};

/// The roles that make an admin: those that allow everything, everywhere.
pub(super) fn admin_roles(roles: &[Role]) -> Vec<RoleId> {
    let everywhere = |role: &Role| Environment::ALL.iter().all(|each| role.environments.contains(each));
    roles.iter().filter(|role| role.rights.is_admin() && everywhere(role)).map(|role| role.id).collect()
}

/// Claims the tenant, for what could take an admin away. Whoever claims reads everything else after it, roles too.
pub(super) fn claim(tx: &mut dyn OfficeTx, tenant: TenantId) -> Stored<()> {
    let claimed = tx.tenants().claim(tenant)?;
    if claimed { Ok(()) } else { Err(StoreError::Fault("what belongs to no tenant was to be changed".to_owned())) }
}

/// Refuses a change of a user from `before` to `after` that takes the last admin away.
pub(super) fn keep(tx: &mut dyn OfficeTx, roles: &[Role], before: &User, after: &User) -> Result<(), Halt> {
    let admins = admin_roles(roles);
    if !is_admin(tx, before, &admins)? || is_admin(tx, after, &admins)? {
        return Ok(());
    }
    let others = HoldersOf { roles: &admins, but_user: Some(before.id), ..HoldersOf::default() };
    left(tx.users().holders(before.tenant, &others)?)
}

/// Refuses to put a device out of use on which alone the last admin is one.
pub(super) fn keep_without(tx: &mut dyn OfficeTx, roles: &[Role], device: &Device) -> Result<(), Halt> {
    let admins = admin_roles(roles);
    let all = HoldersOf { roles: &admins, ..HoldersOf::default() };
    if tx.users().holders(device.tenant, &all)? == 0 {
        return Ok(());
    }
    left(tx.users().holders(device.tenant, &HoldersOf { but_device: Some(device.id), ..all })?)
}

/// Refuses a change of a tenant's roles from `before` to `after` that makes nobody an admin any more.
pub(super) fn keep_among(tx: &mut dyn OfficeTx, tenant: TenantId, before: &[Role], after: &[Role]) -> Result<(), Halt> {
    let (were, are) = (admin_roles(before), admin_roles(after));
    if were.iter().all(|role| are.contains(role)) {
        return Ok(());
    }
    let of = |roles| HoldersOf { roles, ..HoldersOf::default() };
    if tx.users().holders(tenant, &of(&were))? == 0 {
        return Ok(());
    }
    left(tx.users().holders(tenant, &of(&are))?)
}

fn left(admins: u64) -> Result<(), Halt> {
    if admins == 0 { Err(Refused::LastAdmin.into()) } else { Ok(()) }
}

/// Whether the user is an admin who can log in: active, with a password, and with the role without a device or on one in use.
fn is_admin(tx: &mut dyn OfficeTx, user: &User, admins: &[RoleId]) -> Stored<bool> {
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
        rank.role(RoleId::new(Instant::default(), [number; 10]), tenant).unwrap()
    }

    #[test]
    fn a_role_that_allows_everything_in_some_places_makes_no_admin() {
        let admin = role(Rank::Admin, 1);
        let mut narrow = role(Rank::Admin, 2);
        narrow.environments.remove(&Environment::Tool);
        assert_eq!(admin_roles(&[admin.clone(), narrow, role(Rank::Manager, 3)]), [admin.id]);
    }
}
