//! A model test: whatever several callers do concurrently to a tenant's users, roles and devices,
//! at least one user can still log in and has every right.
//!
//! A history consists of two or three threads that each take a random step at the same time, on the
//! result of the previous history or on a new tenant. Afterwards the tenant is read and judged by
//! an independent rule, which shares no code with the tested one.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "what is not as it should be fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use tillgate_domain::office::{
    AuditContext, DeviceRoleAssignment, DeviceRolesChange, NewRole, Office, OfficeError, OfficePorts, PageRequest,
    RoleChange,
};
use tillgate_domain::{
    Actor, Assignment, Authority, DeviceId, DeviceName, DeviceStatus, Environment, EventId, Instant, KnownRight,
    PrincipalId, Rank, Right, RoleId, RoleName, Secret, Store, StoreExt, TenantId, UserId, UserStatus,
};
use tillgate_persistence::{Address, Database, Limits};
use tillgate_testkit::{FixtureBuilder, Random, TestFolder};

const NOW: Instant = Instant::from_millis(1_800_000_000_000);
/// The number of histories per tenant.
const HISTORY_COUNT: u32 = 100;
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// Random bytes for a new id.
fn random_bytes() -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&NEXT_ID.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    bytes
}

fn audit_context() -> AuditContext {
    AuditContext {
        at: NOW,
        event_id: EventId::new(NOW, random_bytes()),
        actor: Actor::default(),
        authority: Authority::Host,
        os_user: None,
    }
}

fn role(name: &str) -> RoleName {
    RoleName::parse(name).unwrap()
}

/// A tenant with two admins who can log in, two users who are not admins, a role of its own and two
/// tills.
struct LastAdminFixture {
    tenant: TenantId,
    users: Vec<UserId>,
    devices: Vec<DeviceId>,
    own_role: RoleId,
}

const ROLES: [&str; 4] = ["admin", "owner", "owner", "cashier"];
const TILLS: [&str; 2] = ["P01", "P02"];
/// The users with their role in general.
const USERS: [(&str, Option<&str>); 4] =
    [("one", Some("admin")), ("two", Some("owner")), ("three", None), ("bare", Some("admin"))];

impl LastAdminFixture {
    fn open(store: &dyn Store<OfficePorts>, number: u8) -> Self {
        let mut builder = FixtureBuilder::other_tenant(NOW, number, &format!("shop-{number}"))
            .role_with(Rank::Admin, |added| added.name = role("owner"));
        for name in TILLS {
            builder = builder.device(name, Environment::CashRegister);
        }
        let roles = builder.clone().build().roles;
        for (name, held) in USERS {
            let held = roles.iter().filter(|role| Some(role.name.as_str()) == held).map(|role| role.id).collect();
            builder = builder.user_with(name, Rank::Cashier, |user| {
                user.email = None;
                user.assignment = Assignment { office: held, devices: BTreeMap::new() };
            });
        }
        let fixture = builder.user_passwords(|name| (name != "bare").then(|| Secret::new("hash".to_owned()))).build();
        fixture.insert_into(store).unwrap();
        Self {
            tenant: fixture.tenant.id,
            users: fixture.users.iter().map(|user| user.id).collect(),
            devices: fixture.devices.iter().map(|device| device.id).collect(),
            own_role: fixture.roles.last().unwrap().id,
        }
    }

    /// Takes one random step and returns a description of it and its result.
    fn run_step(&self, store: &dyn Store<OfficePorts>, random: &mut Random) -> String {
        let user = random.pick(&self.users);
        let device = random.pick(&self.devices);
        let describe = |what: String, result: Result<(), OfficeError>| match result {
            Ok(()) => what,
            Err(refused) => format!("{what}: {}", refused.code()),
        };
        match random.below(10) {
            0..=2 => {
                let deletes = random.below(12) == 0;
                let status = random.pick(&[UserStatus::Active, UserStatus::Suspended, UserStatus::Suspended]);
                let status = if deletes { UserStatus::Deleted } else { status };
                let result = Office::new(store, self.tenant, audit_context()).set_user_status(user, status).unwrap();
                describe(format!("{user} {}", status.name()), result.map(drop))
            }
            3..=5 => {
                let roles = random.pick_subset(&ROLES);
                let on: Vec<_> =
                    random.pick_subset(&TILLS).into_iter().map(|till| (till, random.pick_subset(&ROLES))).collect();
                let what = format!("{user} holds {roles:?} and {on:?}");
                let named = |names: &[&str]| names.iter().map(|name| role(name)).collect::<Vec<_>>();
                let on = on.iter().map(|(till, roles)| DeviceRoleAssignment {
                    device: DeviceName::parse(till).unwrap(),
                    roles: named(roles),
                });
                let (roles, devices) = (Some(named(&roles)), DeviceRolesChange::Replace(on.collect()));
                let result =
                    Office::new(store, self.tenant, audit_context()).assign_roles(user, roles, devices).unwrap();
                describe(what, result.map(drop))
            }
            6..=7 => {
                let right = random.pick(&["admin", "storno"]);
                let places = random.pick(&[&Environment::ALL[..], &Environment::ALL[..1]]);
                let change = RoleChange {
                    rights: Some(Right::parse(right).into_iter().collect()),
                    environments: Some(places.iter().copied().collect()),
                    ..RoleChange::default()
                };
                let result =
                    Office::new(store, self.tenant, audit_context()).change_role(self.own_role, None, &change).unwrap();
                describe(format!("owner allows {right} in {} places", places.len()), result.map(drop))
            }
            8 => {
                let status = random.pick(&[DeviceStatus::Active, DeviceStatus::Locked]);
                let result =
                    Office::new(store, self.tenant, audit_context()).set_device_status(device, status).unwrap();
                describe(format!("{device} {}", status.name()), result.map(drop))
            }
            _ => {
                let result = Office::new(store, self.tenant, audit_context()).delete_role(self.own_role, None).unwrap();
                if result.is_ok() {
                    // the role is created again under the same id, for the following histories
                    let new = NewRole {
                        id: self.own_role,
                        name: role("owner"),
                        label: String::new(),
                        description: String::new(),
                        rights: Right::parse("storno").into_iter().collect(),
                        environments: Environment::ALL.into(),
                    };
                    Office::new(store, self.tenant, audit_context()).add_role(&new).unwrap().unwrap();
                }
                describe("owner goes".to_owned(), result.map(drop))
            }
        }
    }

    /// The users who can log in and have every right.
    fn find_admins(&self, store: &dyn Store<OfficePorts>) -> Vec<UserId> {
        store
            .read("test", |tx| {
                let roles = tx.roles().list(self.tenant)?;
                let all = roles
                    .into_iter()
                    .filter(|role| role.rights.allows(KnownRight::Admin) && role.environments.len() == 4);
                let all: BTreeSet<RoleId> = all.map(|role| role.id).collect();
                let tills = tx.devices().list(self.tenant, &PageRequest { after: None, limit: 99 })?;
                let open = tills.iter().filter(|till| till.status == DeviceStatus::Active);
                let open: BTreeSet<DeviceId> = open.map(|till| till.id).collect();
                let mut found = Vec::new();
                for user in tx.users().list(self.tenant, &PageRequest { after: None, limit: 99 })? {
                    let on = user.assignment.devices.iter().filter(|(device, _)| open.contains(device));
                    let mut held = on.flat_map(|(_, held)| held).chain(&user.assignment.office);
                    let holds = held.any(|role| all.contains(role));
                    let active = user.status == UserStatus::Active;
                    if holds && active && tx.passwords().has(PrincipalId::User(user.id))? {
                        found.push(user.id);
                    }
                }
                Ok(found)
            })
            .unwrap()
    }
}

fn run_histories(store: &dyn Store<OfficePorts>, seed: u64) {
    let mut random = Random::from_seed(seed);
    let mut refused = 0;
    // The fixture numbers at most 255 tenants.
    let tenants = tillgate_testkit::histories().div_ceil(HISTORY_COUNT).min(u8::MAX.into());
    for life in 1..=u8::try_from(tenants).unwrap() {
        let fixture = LastAdminFixture::open(store, life);
        let mut last = String::new();
        for history in 0..HISTORY_COUNT {
            let seeds: Vec<u64> = (0..2 + random.below(2)).map(|_| random.next_u64()).collect();
            let start = Barrier::new(seeds.len());
            let done: Vec<String> = thread::scope(|scope| {
                let hand = |seed: u64| {
                    let (fixture, start) = (&fixture, &start);
                    scope.spawn(move || {
                        let mut random = Random::from_seed(seed);
                        start.wait();
                        fixture.run_step(store, &mut random)
                    })
                };
                let hands: Vec<_> = seeds.iter().copied().map(hand).collect();
                hands.into_iter().map(|hand| hand.join().unwrap()).collect()
            });
            let mut reported = String::new();
            writeln!(reported, "{done:#?}").unwrap();
            refused += u32::try_from(reported.matches("last_admin").count()).unwrap();
            let admins = fixture.find_admins(store);
            assert!(
                !admins.is_empty(),
                "seed {seed}, tenant {life}, history {history}: no admin is left\nbefore: {last}\nthen: {reported}"
            );
            last = format!("{admins:?} were admins after {reported}");
        }
    }
    // otherwise the histories did not test the rule
    assert!(refused > 10 * tenants, "only {refused} refusals in all");
}

fn open_database(address: &str, folder: &Path) -> Arc<Database> {
    let address = Address::parse(address, folder).unwrap();
    let database = Database::create(&address, &Limits::default()).unwrap();
    database.migrate(&mut |_| ()).unwrap();
    database.set_instance_id(uuid::Uuid::from_u128(1)).unwrap();
    Arc::new(database)
}

#[test]
fn one_admin_remains_on_sqlite() {
    let folder = TestFolder::new();
    run_histories(&*open_database("sqlite:till.db", &folder), 1);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn one_admin_remains_on_postgres() {
    let folder = TestFolder::new();
    run_histories(&*open_database(&tillgate_testkit::postgres::create_database(), &folder), 2);
}
