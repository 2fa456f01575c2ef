//! Tenants with their roles, devices and users, inserted through the back office's ports.

use tillgate_auth_core::ports::Verifier;
use tillgate_domain::office::OfficePorts;
use tillgate_domain::{
    BranchId, Device, DeviceId, Email, Environment, Instant, PrincipalId, Rank, Role, RoleId, Store, StoreResult,
    Tenant, TenantId, User, UserId,
};

use crate::records::{new_device, new_tenant, new_user};
use crate::{Roster, insert_roster};

/// A tenant with its roles, devices and users, which have names.
///
/// ```
/// use tillgate_domain::{Environment, Rank};
/// use tillgate_testkit::Fixture;
/// use tillgate_testkit::clock::CLOCK_START;
///
/// let fixture = Fixture::builder(CLOCK_START)
///     .device("P01", Environment::CashRegister)
///     .user("anna", Rank::Cashier)
///     .build();
/// assert!(fixture.user("anna").assignment.devices.contains_key(&fixture.device("P01").id));
/// ```
#[derive(Clone, Debug)]
pub struct Fixture {
    /// The tenant; `default` in UTC unless the builder changes it.
    pub tenant: Tenant,
    /// The built-in roles in the order of their ranks, then those that were added.
    pub roles: Vec<Role>,
    /// The devices in the order in which they were added.
    pub devices: Vec<Device>,
    /// The users in the order in which they were added.
    pub users: Vec<User>,
    passwords: Vec<(PrincipalId, Verifier)>,
}

impl Fixture {
    /// A builder of a tenant with the built-in roles. All records are created at `at`.
    pub fn builder(at: Instant) -> FixtureBuilder {
        FixtureBuilder::new(at, 0)
    }

    /// The builder of the demo's shop.
    ///
    /// The users `admin`, `manager` and `cashier` (`@example.com`) have the role with their name,
    /// in general and on every device. The tills `P01` and `P02`, the handheld `PDA1` and the
    /// office program `OFFICE` have the role `cashier` themselves. The ids depend only on `at`.
    pub fn demo(at: Instant) -> FixtureBuilder {
        let mut builder = Self::builder(at);
        for (name, environment) in [
            ("P01", Environment::CashRegister),
            ("P02", Environment::CashRegister),
            ("PDA1", Environment::Pda),
            ("OFFICE", Environment::BackOffice),
        ] {
            let cashier = builder.role_id(Rank::Cashier);
            builder = builder.device_with(name, environment, |device| device.roles = [cashier].into());
        }
        for (name, display_name, rank) in [
            ("admin", "Administrator", Rank::Admin),
            ("manager", "Manager", Rank::Manager),
            ("cashier", "Cashier", Rank::Cashier),
        ] {
            builder = builder.user_with(name, rank, |user| display_name.clone_into(&mut user.display_name));
        }
        builder
    }

    /// Inserts the records into a store.
    ///
    /// # Panics
    ///
    /// If a unique name is already taken.
    pub fn insert_into(&self, store: &dyn Store<OfficePorts>) -> StoreResult<()> {
        insert_roster(store, &self.to_roster())
    }

    /// The records with their password verifiers, in a form that you can insert into your own
    /// store.
    pub fn to_roster(&self) -> Roster {
        let at = self.tenant.created_at;
        let passwords = self.passwords.iter().map(|(principal, verifier)| (*principal, verifier.clone(), at));
        Roster {
            tenants: vec![self.tenant.clone()],
            roles: self.roles.clone(),
            devices: self.devices.clone(),
            users: self.users.clone(),
            passwords: passwords.collect(),
        }
    }

    /// The built-in role of this rank.
    pub fn role(&self, rank: Rank) -> &Role {
        self.roles.iter().find(|role| role.built_in && role.name.as_str() == rank.name()).unwrap()
    }

    /// The device with this name.
    ///
    /// # Panics
    ///
    /// If the fixture does not have it.
    pub fn device(&self, name: &str) -> &Device {
        self.devices
            .iter()
            .find(|device| device.name.as_str() == name)
            .unwrap_or_else(|| panic!("no device \"{name}\""))
    }

    /// The user with this name.
    ///
    /// # Panics
    ///
    /// If the fixture does not have them.
    pub fn user(&self, name: &str) -> &User {
        self.users.iter().find(|user| user.name.as_str() == name).unwrap_or_else(|| panic!("no user \"{name}\""))
    }
}

/// Builds a [`Fixture`]. Add the devices before the users, who have their role on every device so
/// far.
#[derive(Clone, Debug)]
pub struct FixtureBuilder {
    at: Instant,
    /// Distinguishes the ids of the tenants of one test.
    tenant_number: u8,
    fixture: Fixture,
}

impl FixtureBuilder {
    fn new(at: Instant, tenant_number: u8) -> Self {
        let id = TenantId::new(at, id_bytes(IdKind::Tenant, tenant_number, 0));
        let branch = BranchId::new(at, id_bytes(IdKind::Branch, tenant_number, 0));
        let role = |rank: Rank, number| {
            rank.to_role(RoleId::new(at, id_bytes(IdKind::Role, tenant_number, number)), id).unwrap()
        };
        let roles = Rank::ALL.into_iter().zip(0..).map(|(rank, number)| role(rank, number)).collect();
        let tenant = new_tenant(id, branch, "default", at);
        let fixture = Fixture { tenant, roles, devices: Vec::new(), users: Vec::new(), passwords: Vec::new() };
        Self { at, tenant_number, fixture }
    }

    /// A builder of another tenant of the same store, with other ids. `number` is not zero, and
    /// different for each.
    #[must_use]
    pub fn other_tenant(at: Instant, number: u8, slug: &str) -> Self {
        Self::new(at, number).tenant_with(|tenant| {
            tenant.slug = tillgate_domain::Slug::parse(slug).unwrap();
            slug.clone_into(&mut tenant.name);
        })
    }

    /// The id of the built-in role of this rank.
    pub fn role_id(&self, rank: Rank) -> RoleId {
        self.fixture.role(rank).id
    }

    /// Changes the tenant.
    #[must_use]
    pub fn tenant_with(mut self, change: impl FnOnce(&mut Tenant)) -> Self {
        change(&mut self.fixture.tenant);
        self
    }

    /// Adds a role with the rights of this rank, changed by `change`.
    #[must_use]
    pub fn role_with(mut self, rank: Rank, change: impl FnOnce(&mut Role)) -> Self {
        let id = RoleId::new(self.at, self.id_bytes(IdKind::Role, self.fixture.roles.len()));
        let mut role = rank.to_role(id, self.fixture.tenant.id).unwrap();
        role.built_in = false;
        change(&mut role);
        self.fixture.roles.push(role);
        self
    }

    /// Adds an active device.
    #[must_use]
    pub fn device(self, name: &str, environment: Environment) -> Self {
        self.device_with(name, environment, |_| ())
    }

    /// Adds a device, changed by `change`.
    #[must_use]
    pub fn device_with(mut self, name: &str, environment: Environment, change: impl FnOnce(&mut Device)) -> Self {
        let id = DeviceId::new(self.at, self.id_bytes(IdKind::Device, self.fixture.devices.len()));
        let mut device = Device {
            environment,
            description: name.to_owned(),
            ..new_device(id, self.fixture.tenant.id, name, self.at)
        };
        change(&mut device);
        self.fixture.devices.push(device);
        self
    }

    /// Adds an active user with an e-mail address at `example.com`, who has the role of this rank
    /// in general and on every device so far.
    #[must_use]
    pub fn user(self, name: &str, rank: Rank) -> Self {
        self.user_with(name, rank, |_| ())
    }

    /// Adds a user, changed by `change`.
    #[must_use]
    pub fn user_with(mut self, name: &str, rank: Rank, change: impl FnOnce(&mut User)) -> Self {
        let id = UserId::new(self.at, self.id_bytes(IdKind::User, self.fixture.users.len()));
        let role = self.fixture.role(rank).id;
        let mut user = new_user(id, self.fixture.tenant.id, name, self.at);
        user.email = Email::parse(&format!("{name}@example.com")).ok();
        user.assignment.office = [role].into();
        user.assignment.devices = self.fixture.devices.iter().map(|device| (device.id, [role].into())).collect();
        change(&mut user);
        self.fixture.users.push(user);
        self
    }

    /// Gives each user so far the password whose verifier this returns for their name.
    #[must_use]
    pub fn user_passwords(mut self, verifier: impl Fn(&str) -> Option<Verifier>) -> Self {
        let users = self.fixture.users.iter();
        self.fixture.passwords.extend(
            users.filter_map(|user| verifier(user.name.as_str()).map(|found| (PrincipalId::User(user.id), found))),
        );
        self
    }

    /// Gives each device so far the password whose verifier this returns for its name.
    #[must_use]
    pub fn device_passwords(mut self, verifier: impl Fn(&str) -> Option<Verifier>) -> Self {
        let devices = self.fixture.devices.iter();
        self.fixture.passwords.extend(
            devices.filter_map(|device| {
                verifier(device.name.as_str()).map(|found| (PrincipalId::Device(device.id), found))
            }),
        );
        self
    }

    /// Returns the fixture, without inserting it.
    #[must_use]
    pub fn build(self) -> Fixture {
        self.fixture
    }

    fn id_bytes(&self, kind: IdKind, index: usize) -> [u8; 10] {
        id_bytes(kind, self.tenant_number, u8::try_from(index).unwrap())
    }
}

#[derive(Clone, Copy)]
enum IdKind {
    Tenant = 1,
    Branch,
    Role,
    Device,
    User,
}

/// The random bytes of an id: no two ids of a fixture are equal, and those of one kind sort in the
/// order in which they were added.
fn id_bytes(kind: IdKind, tenant: u8, index: u8) -> [u8; 10] {
    let mut bytes = [index; 10];
    (bytes[0], bytes[1]) = (kind as u8, tenant);
    bytes
}

#[cfg(test)]
mod tests {
    use tillgate_auth_core::AuthPorts;
    use tillgate_auth_core::ports::CredentialKind;
    use tillgate_domain::{Secret, StoreExt, principal_access};
    use tillgate_memory::MemoryStore;

    use super::*;
    use crate::clock::CLOCK_START;

    #[test]
    fn demo_users_have_the_rights_of_their_roles() {
        let fixture = Fixture::demo(CLOCK_START).build();
        for (user, rank) in fixture.users.iter().zip([Rank::Admin, Rank::Manager, Rank::Cashier]) {
            for device in fixture.devices.iter().map(Some).chain([None]) {
                assert!(principal_access::may_log_in(user, device));
                assert_eq!(
                    principal_access::collect_rights(principal_access::effective_user_roles(
                        user,
                        device,
                        &fixture.roles
                    )),
                    rank.rights()
                );
            }
        }
    }

    #[test]
    fn two_tenants_are_inserted_with_their_passwords() {
        let memory = MemoryStore::new();
        let hash = |name: &str| Secret::new(format!("hash for {name}"));
        let fixture = Fixture::demo(CLOCK_START)
            .user_passwords(|name| (name != "manager").then(|| hash(name)))
            .device_passwords(|name| (name == "P01").then(|| hash(name)))
            .build();
        fixture.insert_into(&memory).unwrap();
        let other = FixtureBuilder::other_tenant(CLOCK_START, 1, "market").device("P01", Environment::Pda).build();
        other.insert_into(&memory).unwrap();
        let store: &dyn Store<AuthPorts> = &memory;
        let password = |principal| {
            let found = store.read("test", |tx| tx.credentials().find(principal, CredentialKind::Password)).unwrap();
            found.map(|found| found.verifier.expose().clone())
        };
        assert_eq!(password(PrincipalId::User(fixture.user("admin").id)).as_deref(), Some("hash for admin"));
        assert_eq!(password(PrincipalId::User(fixture.user("manager").id)), None);
        assert_eq!(password(PrincipalId::Device(fixture.device("P01").id)).as_deref(), Some("hash for P01"));
        assert_eq!(password(PrincipalId::Device(fixture.device("P02").id)), None);
        let cashier = fixture.user("cashier");
        let address = cashier.email.as_ref().unwrap().to_folded();
        assert_eq!(store.read("test", |tx| tx.users().find_by_email(&address)).unwrap().as_ref(), Some(cashier));
        let far = other.device("P01");
        assert_eq!(store.read("test", |tx| tx.devices().find(far.id)).unwrap().as_ref(), Some(far));
    }
}
