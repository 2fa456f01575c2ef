//! The rule that a tenant keeps an admin.
//!
//! It depends on more rows than one, so whatever could break it first claims the tenant by its version and counts afterwards:
//! of two admins who remove each other at the same moment one has to look again.

use std::collections::BTreeSet;

use super::ports::OfficeTx;
use super::refused::{Halt, Refused};
use crate::{Environment, Right, Role, RoleId, StoreError, Stored, TenantId, User, UserStatus};

/// The roles that make an admin: those that allow everything, everywhere.
pub(super) fn admin_roles(roles: &[Role]) -> Vec<RoleId> {
    let everywhere = |role: &Role| Environment::ALL.iter().all(|each| role.environments.contains(each));
    roles.iter().filter(|role| role.rights.allow(Right::ADMIN) && everywhere(role)).map(|role| role.id).collect()
}

/// Whether the user is an active admin.
pub(super) fn is_admin(user: &User, admins: &[RoleId]) -> bool {
    let held: BTreeSet<&RoleId> =
        user.assignment.office.iter().chain(user.assignment.devices.values().flatten()).collect();
    user.status == UserStatus::Active && admins.iter().any(|role| held.contains(role))
}

/// Refuses a change from `before` to `after` that takes the last admin away.
pub(super) fn keep(tx: &mut dyn OfficeTx, roles: &[Role], before: &User, after: &User) -> Result<(), Halt> {
    let admins = admin_roles(roles);
    if !is_admin(before, &admins) || is_admin(after, &admins) {
        return Ok(());
    }
    claim(tx, before.tenant)?;
    let others = tx.users().holders(before.tenant, &admins, before.id)?;
    if others == 0 { Err(Refused::LastAdmin.into()) } else { Ok(()) }
}

fn claim(tx: &mut dyn OfficeTx, tenant: TenantId) -> Stored<()> {
    let found = tx.tenants().find(tenant)?;
    let tenant = found.ok_or_else(|| StoreError::Fault("a user belongs to no tenant".to_owned()))?;
    if tx.tenants().claim(tenant.id, tenant.version)? {
        Ok(())
    } else {
        Err(StoreError::Conflict("the tenant was changed meanwhile".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Assignment, DeviceId, Epoch, Instant, Rank, UserId, UserName};

    fn tenant() -> TenantId {
        TenantId::new(Instant::default(), [1; 10])
    }

    fn role(rank: Rank, number: u8) -> Role {
        rank.role(RoleId::new(Instant::default(), [number; 10]), tenant()).unwrap()
    }

    fn user(assignment: Assignment, status: UserStatus) -> User {
        User {
            id: UserId::new(Instant::default(), [9; 10]),
            tenant: tenant(),
            name: UserName::parse("anna").unwrap(),
            email: None,
            display_name: "Anna".into(),
            status,
            feature: None,
            assignment,
            epoch: Epoch(0),
            created_at: Instant::default(),
            updated_at: Instant::default(),
            version: 1,
        }
    }

    #[test]
    fn a_role_that_allows_everything_in_some_places_makes_no_admin() {
        let admin = role(Rank::Admin, 1);
        let mut narrow = role(Rank::Admin, 2);
        narrow.environments.remove(&Environment::Tool);
        assert_eq!(admin_roles(&[admin.clone(), narrow, role(Rank::Manager, 3)]), [admin.id]);
    }

    #[test]
    fn an_admin_is_active_and_holds_the_role_somewhere() {
        let admin = role(Rank::Admin, 1).id;
        let office = Assignment { office: [admin].into(), ..Assignment::default() };
        let till = DeviceId::new(Instant::default(), [5; 10]);
        let device = Assignment { devices: [(till, [admin].into())].into(), ..Assignment::default() };
        for status in UserStatus::ALL {
            assert_eq!(is_admin(&user(office.clone(), status), &[admin]), status == UserStatus::Active);
            assert_eq!(is_admin(&user(device.clone(), status), &[admin]), status == UserStatus::Active);
        }
        assert!(!is_admin(&user(Assignment::default(), UserStatus::Active), &[admin]));
    }
}
