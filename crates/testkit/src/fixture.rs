//! One tenant with its roles, users and devices, inserted through the back office's ports.

use std::collections::BTreeMap;

use tillgate_domain::office::OfficePorts;
use tillgate_domain::{
    Assignment, Branch, BranchId, Device, DeviceId, DeviceName, DeviceStatus, Email, Environment, Epoch, Instant,
    Locale, PrincipalId, Rank, Role, RoleId, Secret, SessionLimits, Slug, Store, StoreResult, Tenant, TenantId, User,
    UserId, UserName, UserStatus, Zone,
};

use crate::{Roster, enroll};

/// Password verifiers for the users and devices of a [`Fixture`]. Hash them before the unit of work
/// begins. A function that returns `None` gives no password.
pub struct FixtureVerifiers<'v> {
    /// Returns the verifier of the user with this name.
    pub user: &'v dyn Fn(&str) -> Option<Secret<String>>,
    /// Returns the verifier of the device with this name.
    pub device: &'v dyn Fn(&str) -> Option<Secret<String>>,
}

impl FixtureVerifiers<'_> {
    /// Gives no passwords.
    pub const NONE: Self = Self { user: &|_| None, device: &|_| None };
}

/// The tenant `default` in UTC with the built-in roles.
///
/// The users `admin`, `manager` and `cashier` (`@example.com`) have the role with their name, in
/// general and on every device. The tills `P01` and `P02`, the handheld `PDA1` and the office
/// program `OFFICE` have the role `cashier` themselves. The ids depend only on the instant passed
/// to [`build`](Self::build).
#[derive(Clone, Debug)]
pub struct Fixture {
    /// The tenant `default`.
    pub tenant: Tenant,
    /// The built-in roles in the order cashier, manager, admin.
    pub roles: Vec<Role>,
    /// The user `admin`, with every right.
    pub admin: User,
    /// The user `manager`, with the manager's rights.
    pub manager: User,
    /// The user `cashier`, with the cashier's rights.
    pub cashier: User,
    /// The till `P01`.
    pub p01: Device,
    /// The second till, `P02`.
    pub p02: Device,
    /// The handheld `PDA1`.
    pub pda1: Device,
    /// The office program `OFFICE`.
    pub office: Device,
}

impl Fixture {
    /// Builds the records as created at `at`, without inserting them.
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

    /// Inserts the records into an empty store.
    ///
    /// # Panics
    ///
    /// If a unique name is already taken.
    pub fn insert_into(
        store: &dyn Store<OfficePorts>,
        at: Instant,
        verifiers: &FixtureVerifiers<'_>,
    ) -> StoreResult<Self> {
        let fixture = Self::build(at);
        enroll(store, &fixture.to_roster(verifiers))?;
        Ok(fixture)
    }

    /// The three users.
    pub fn users(&self) -> [&User; 3] {
        [&self.admin, &self.manager, &self.cashier]
    }

    /// The four devices.
    pub fn devices(&self) -> [&Device; 4] {
        [&self.p01, &self.p02, &self.pda1, &self.office]
    }

    /// The records with their password verifiers, in a form that you can insert into your own
    /// store.
    pub fn to_roster(&self, verifiers: &FixtureVerifiers<'_>) -> Roster {
        let at = self.tenant.created_at;
        let user_passwords = self.users().into_iter().filter_map(|user| {
            (verifiers.user)(user.name.as_str()).map(|verifier| (PrincipalId::User(user.id), verifier, at))
        });
        let device_passwords = self.devices().into_iter().filter_map(|device| {
            (verifiers.device)(device.name.as_str()).map(|verifier| (PrincipalId::Device(device.id), verifier, at))
        });
        Roster {
            tenants: vec![self.tenant.clone()],
            roles: self.roles.clone(),
            devices: self.devices().map(Device::clone).to_vec(),
            users: self.users().map(User::clone).to_vec(),
            passwords: user_passwords.chain(device_passwords).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use tillgate_auth_core::AuthPorts;
    use tillgate_auth_core::ports::CredentialKind;
    use tillgate_domain::{StoreExt, access};
    use tillgate_memory::MemoryStore;

    use super::*;
    use crate::clock::CLOCK_START;

    #[test]
    fn fixture_users_have_the_rights_of_their_roles() {
        let fixture = Fixture::build(CLOCK_START);
        for (user, rank) in fixture.users().into_iter().zip([Rank::Admin, Rank::Manager, Rank::Cashier]) {
            for device in fixture.devices().map(Some).into_iter().chain([None]) {
                assert!(access::may_log_in(user, device));
                assert_eq!(
                    access::collect_rights(access::effective_user_roles(user, device, &fixture.roles)),
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
        let fixture = Fixture::insert_into(&memory, CLOCK_START, &verifiers).unwrap();
        let store: &dyn Store<AuthPorts> = &memory;
        let password = |principal| {
            let found = store.read("test", |tx| tx.credentials().find(principal, CredentialKind::Password)).unwrap();
            found.map(|found| found.verifier.expose().clone())
        };
        assert_eq!(password(PrincipalId::User(fixture.admin.id)).as_deref(), Some("hash for admin"));
        assert_eq!(password(PrincipalId::User(fixture.manager.id)), None);
        assert_eq!(password(PrincipalId::Device(fixture.p01.id)).as_deref(), Some("hash for P01"));
        assert_eq!(password(PrincipalId::Device(fixture.p02.id)), None);
        let found = store
            .read("test", |tx| tx.users().find_by_email(&fixture.cashier.email.clone().unwrap().to_folded()))
            .unwrap();
        assert_eq!(found, Some(fixture.cashier));
    }
}
