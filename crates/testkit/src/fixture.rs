//! A shop to work in: one vendor, its roles, people and devices, written through the ports of the back office.

use std::collections::BTreeMap;

use tillgate_domain::office::OfficePorts;
use tillgate_domain::{
    Assignment, Branch, BranchId, Device, DeviceId, DeviceName, DeviceStatus, Email, Environment, Epoch, Instant,
    Locale, PrincipalId, Rank, Role, RoleId, Secret, SessionLimits, Slug, Store, StoreResult, Tenant, TenantId, User,
    UserId, UserName, UserStatus, Zone,
};

use crate::{Roster, enroll};

/// What proves the people and devices of a world: made by the hasher of whoever asks, outside any transaction. `None` gives no
/// password.
pub struct FixtureVerifiers<'v> {
    /// Of a user, by their name.
    pub user: &'v dyn Fn(&str) -> Option<Secret<String>>,
    /// Of a device, by its name.
    pub device: &'v dyn Fn(&str) -> Option<Secret<String>>,
}

impl FixtureVerifiers<'_> {
    /// Nobody has a password.
    pub const NONE: Self = Self { user: &|_| None, device: &|_| None };
}

/// Tenant `default` in UTC with the built-in roles; users `admin`, `manager` and `cashier` (`@example.com`), each with the role of
/// their name without a device and on every device; tills `P01` and `P02`, handheld `PDA1` and office program `OFFICE`, each with
/// the role `cashier` of its own. Its ids are the same each time.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// The vendor.
    pub tenant: Tenant,
    /// Cashier, manager, admin.
    pub roles: Vec<Role>,
    /// Every right.
    pub admin: User,
    /// Runs the shop.
    pub manager: User,
    /// Works on a till.
    pub cashier: User,
    /// A till.
    pub p01: Device,
    /// Another.
    pub p02: Device,
    /// A handheld.
    pub pda1: Device,
    /// The office program.
    pub office: Device,
}

impl Fixture {
    /// The world as it was at this instant, not yet in any store.
    pub fn build(at: Instant) -> Self {
        let tenant = Tenant {
            id: TenantId::new(at, [31; 10]),
            slug: Slug::parse("default").unwrap(),
            name: "Default".into(),
            zone: Zone::UTC,
            locale: Locale::parse("en").unwrap(),
            limits: SessionLimits::default(),
            branches: vec![Branch { id: BranchId::new(at, [41; 10]), name: "Main".into() }],
            epoch: Epoch(0),
            created_at: at,
            version: 1,
        };
        let role = |rank: Rank, number: u8| rank.to_role(RoleId::new(at, [20 + number; 10]), tenant.id).unwrap();
        let roles: Vec<Role> = Rank::ALL.into_iter().zip(1..).map(|(rank, number)| role(rank, number)).collect();
        let cashier = roles[0].id;
        let device = |number: u8, name: &str, environment| Device {
            id: DeviceId::new(at, [10 + number; 10]),
            tenant: tenant.id,
            name: DeviceName::parse(name).unwrap(),
            environment,
            status: DeviceStatus::Active,
            description: name.to_owned(),
            preferences: tillgate_domain::JsonObject::default(),
            settings: BTreeMap::new(),
            roles: [cashier].into(),
            epoch: Epoch(0),
            seat: None,
            pairing: None,
            last_seen_at: None,
            created_at: at,
            updated_at: at,
            version: 1,
        };
        let devices = [
            device(1, "P01", Environment::CashRegister),
            device(2, "P02", Environment::CashRegister),
            device(3, "PDA1", Environment::Pda),
            device(4, "OFFICE", Environment::BackOffice),
        ];
        let user = |number: u8, name: &str, display_name: &str, role: &Role| User {
            id: UserId::new(at, [number; 10]),
            tenant: tenant.id,
            name: UserName::parse(name).unwrap(),
            email: Some(Email::parse(&format!("{name}@example.com")).unwrap()),
            display_name: display_name.to_owned(),
            status: UserStatus::Active,
            feature: None,
            assignment: Assignment {
                office: [role.id].into(),
                devices: devices.iter().map(|device| (device.id, [role.id].into())).collect(),
            },
            password_change_required: false,
            epoch: Epoch(0),
            created_at: at,
            updated_at: at,
            version: 1,
        };
        let [p01, p02, pda1, office] = devices.clone();
        Self {
            admin: user(1, "admin", "Administrator", &roles[2]),
            manager: user(2, "manager", "Manager", &roles[1]),
            cashier: user(3, "cashier", "Cashier", &roles[0]),
            tenant: tenant.clone(),
            roles,
            p01,
            p02,
            pda1,
            office,
        }
    }

    /// Writes the world into an empty store.
    pub fn insert_into(
        store: &dyn Store<OfficePorts>,
        at: Instant,
        verifiers: &FixtureVerifiers<'_>,
    ) -> StoreResult<Self> {
        let world = Self::build(at);
        enroll(store, &world.to_roster(verifiers))?;
        Ok(world)
    }

    /// The people.
    pub fn users(&self) -> [&User; 3] {
        [&self.admin, &self.manager, &self.cashier]
    }

    /// The devices.
    pub fn devices(&self) -> [&Device; 4] {
        [&self.p01, &self.p02, &self.pda1, &self.office]
    }

    /// Who and what is to be written, with what proves them: what a store of one's own is filled from.
    pub fn to_roster(&self, verifiers: &FixtureVerifiers<'_>) -> Roster {
        let at = self.tenant.created_at;
        let of_users = self.users().into_iter().filter_map(|user| {
            (verifiers.user)(user.name.as_str()).map(|verifier| (PrincipalId::User(user.id), verifier, at))
        });
        let of_devices = self.devices().into_iter().filter_map(|device| {
            (verifiers.device)(device.name.as_str()).map(|verifier| (PrincipalId::Device(device.id), verifier, at))
        });
        Roster {
            tenants: vec![self.tenant.clone()],
            roles: self.roles.clone(),
            devices: self.devices().map(Device::clone).to_vec(),
            users: self.users().map(User::clone).to_vec(),
            passwords: of_users.chain(of_devices).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use tillgate_auth_core::AuthPorts;
    use tillgate_auth_core::MemoryStore;
    use tillgate_auth_core::ports::CredentialKind;
    use tillgate_domain::{StoreExt, access};

    use super::*;
    use crate::clock::CLOCK_START;

    #[test]
    fn fixture_users_have_the_rights_of_their_roles() {
        let world = Fixture::build(CLOCK_START);
        for (user, rank) in world.users().into_iter().zip([Rank::Admin, Rank::Manager, Rank::Cashier]) {
            for device in world.devices().map(Some).into_iter().chain([None]) {
                assert!(access::may_log_in(user, device));
                assert_eq!(
                    access::collect_rights(access::effective_user_roles(user, device, &world.roles)),
                    rank.rights()
                );
            }
        }
    }

    #[test]
    fn fixture_is_inserted_with_its_passwords() {
        let memory = MemoryStore::new();
        let verifiers = FixtureVerifiers {
            user: &|name| (name != "manager").then(|| Secret::new(format!("hash for {name}"))),
            device: &|name| (name == "P01").then(|| Secret::new("hash for P01".to_owned())),
        };
        let world = Fixture::insert_into(&memory, CLOCK_START, &verifiers).unwrap();
        let store: &dyn Store<AuthPorts> = &memory;
        let password = |principal| {
            let found = store.read(|tx| tx.credentials().find(principal, CredentialKind::Password)).unwrap();
            found.map(|found| found.verifier.expose().clone())
        };
        assert_eq!(password(PrincipalId::User(world.admin.id)).as_deref(), Some("hash for admin"));
        assert_eq!(password(PrincipalId::User(world.manager.id)), None);
        assert_eq!(password(PrincipalId::Device(world.p01.id)).as_deref(), Some("hash for P01"));
        assert_eq!(password(PrincipalId::Device(world.p02.id)), None);
        let found =
            store.read(|tx| tx.users().find_by_email(&world.cashier.email.clone().unwrap().to_folded())).unwrap();
        assert_eq!(found, Some(world.cashier));
    }
}
