//! A model test: whatever several people do at once to a tenant's users, roles and devices, somebody is left who can log in and may
//! do everything.
//!
//! A history is two or three hands that each do something at random at the same time, on what the history before has left, or on a
//! new tenant. Afterwards the tenant is read whole and judged by a rule of its own, which shares nothing with the one that is tried.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "what is not as it should be fails the test")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use tillgate_domain::office::{
    self, Authority, DeviceRoles, NewDevice, NewRole, NewTenant, NewUser, OfficeView, Page, Refused, RoleChange,
    RolesOn, Stamp,
};
use tillgate_domain::{
    Actor, Branch, BranchId, DeviceId, DeviceName, DeviceStatus, Environment, EventId, Instant, KnownRight, Locale,
    PrincipalId, Right, RoleId, RoleName, Secret, Slug, Store, StoreExt, TenantId, UserId, UserName, UserStatus, Zone,
};
use tillgate_persistence::{Address, Database, Limits};

const AT: Instant = Instant::from_millis(1_800_000_000_000);
/// How many histories one tenant lives through.
const LIVES: u64 = 100;
static DRAWN: AtomicU64 = AtomicU64::new(1);

/// The random half of an id that was never drawn before.
fn drawn() -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&DRAWN.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    bytes
}

fn stamp() -> Stamp {
    Stamp { at: AT, event: EventId::new(AT, drawn()), actor: Actor::default(), authority: Authority::Host, shell: None }
}

/// Chance that repeats (xorshift64*, Vigna 2016).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(drawn).unwrap() % bound
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn some<T: Copy>(&mut self, all: &[T]) -> Vec<T> {
        all.iter().copied().filter(|_| self.below(3) == 0).collect()
    }
}

fn role(name: &str) -> RoleName {
    RoleName::parse(name).unwrap()
}

/// A tenant with two admins who can log in, two who are none, a role of its own and two tills.
struct Shop {
    tenant: TenantId,
    users: Vec<UserId>,
    devices: Vec<DeviceId>,
    own: RoleId,
}

const ROLES: [&str; 4] = ["admin", "owner", "owner", "cashier"];
const TILLS: [&str; 2] = ["P01", "P02"];

impl Shop {
    fn open(store: &dyn Store<OfficeView>, number: u64) -> Self {
        let new = NewTenant {
            id: TenantId::new(AT, drawn()),
            slug: Slug::parse(&format!("shop-{number}")).unwrap(),
            name: "Shop".into(),
            zone: Zone::UTC,
            locale: Locale::parse("en").unwrap(),
            branch: Branch { id: BranchId::new(AT, drawn()), name: "Main".into() },
            roles: [(); 3].map(|()| RoleId::new(AT, drawn())),
        };
        let tenant = office::add_tenant(store, &stamp(), &new).unwrap().unwrap().id;
        let owner = NewRole {
            id: RoleId::new(AT, drawn()),
            name: role("owner"),
            label: String::new(),
            description: String::new(),
            rights: Right::parse("admin").into_iter().collect(),
            environments: Environment::ALL.into(),
        };
        office::add_role(store, tenant, &stamp(), &owner).unwrap().unwrap();
        let devices = TILLS.map(|name| {
            let new = NewDevice {
                id: DeviceId::new(AT, drawn()),
                name: DeviceName::parse(name).unwrap(),
                environment: Environment::CashRegister,
                status: DeviceStatus::Active,
                description: String::new(),
                preferences: tillgate_domain::JsonObject::default(),
                settings: std::collections::BTreeMap::new(),
                roles: Vec::new(),
                verifier: None,
            };
            office::add_device(store, tenant, &stamp(), &new).unwrap().unwrap().id
        });
        let add = |name: &str, roles: &[&str], verifier: bool| {
            let new = NewUser {
                id: UserId::new(AT, drawn()),
                name: UserName::parse(name).unwrap(),
                email: None,
                display_name: name.to_owned(),
                status: UserStatus::Active,
                feature: None,
                roles: roles.iter().map(|name| role(name)).collect(),
                devices: Vec::new(),
                verifier: verifier.then(|| Secret::new("hash".to_owned())),
                password_change_required: false,
            };
            office::add_user(store, tenant, &stamp(), &new).unwrap().unwrap().id
        };
        let users = vec![
            add("one", &["admin"], true),
            add("two", &["owner"], true),
            add("three", &[], true),
            add("bare", &["admin"], false),
        ];
        Self { tenant, users, devices: devices.to_vec(), own: owner.id }
    }

    /// One thing that somebody does, and what came of it.
    fn step(&self, store: &dyn Store<OfficeView>, chance: &mut Chance) -> String {
        let user = chance.of(&self.users);
        let device = chance.of(&self.devices);
        let told = |what: String, came: Result<(), Refused>| match came {
            Ok(()) => what,
            Err(refused) => format!("{what}: {}", refused.code()),
        };
        match chance.below(10) {
            0..=2 => {
                let deletes = chance.below(12) == 0;
                let status = chance.of(&[UserStatus::Active, UserStatus::Suspended, UserStatus::Suspended]);
                let status = if deletes { UserStatus::Deleted } else { status };
                let came = office::set_user_status(store, self.tenant, &stamp(), user, status).unwrap();
                told(format!("{user} {}", status.name()), came.map(drop))
            }
            3..=5 => {
                let roles = chance.some(&ROLES);
                let on: Vec<_> = chance.some(&TILLS).into_iter().map(|till| (till, chance.some(&ROLES))).collect();
                let what = format!("{user} holds {roles:?} and {on:?}");
                let named = |names: &[&str]| names.iter().map(|name| role(name)).collect::<Vec<_>>();
                let on = on
                    .iter()
                    .map(|(till, roles)| RolesOn { device: DeviceName::parse(till).unwrap(), roles: named(roles) });
                let (roles, devices) = (Some(named(&roles)), DeviceRoles::Replace(on.collect()));
                let came = office::assign_roles(store, self.tenant, &stamp(), user, roles, devices).unwrap();
                told(what, came.map(drop))
            }
            6..=7 => {
                let right = chance.of(&["admin", "storno"]);
                let places = chance.of(&[&Environment::ALL[..], &Environment::ALL[..1]]);
                let change = RoleChange {
                    rights: Some(Right::parse(right).into_iter().collect()),
                    environments: Some(places.iter().copied().collect()),
                    ..RoleChange::default()
                };
                let came = office::change_role(store, self.tenant, &stamp(), self.own, None, &change).unwrap();
                told(format!("owner allows {right} in {} places", places.len()), came.map(drop))
            }
            8 => {
                let status = chance.of(&[DeviceStatus::Active, DeviceStatus::Locked]);
                let came = office::set_device_status(store, self.tenant, &stamp(), device, status).unwrap();
                told(format!("{device} {}", status.name()), came.map(drop))
            }
            _ => {
                let came = office::delete_role(store, self.tenant, &stamp(), self.own, None).unwrap();
                if came.is_ok() {
                    // somebody makes it anew, under the same id, for the histories to come
                    let new = NewRole {
                        id: self.own,
                        name: role("owner"),
                        label: String::new(),
                        description: String::new(),
                        rights: Right::parse("storno").into_iter().collect(),
                        environments: Environment::ALL.into(),
                    };
                    office::add_role(store, self.tenant, &stamp(), &new).unwrap().unwrap();
                }
                told("owner goes".to_owned(), came.map(drop))
            }
        }
    }

    /// Who can log in and may do everything.
    fn admins(&self, store: &dyn Store<OfficeView>) -> Vec<UserId> {
        store
            .read(|tx| {
                let roles = tx.roles().list(self.tenant)?;
                let all = roles
                    .into_iter()
                    .filter(|role| role.rights.allow(KnownRight::Admin) && role.environments.len() == 4);
                let all: BTreeSet<RoleId> = all.map(|role| role.id).collect();
                let tills = tx.devices().list(self.tenant, &Page { after: None, limit: 99 })?;
                let open = tills.iter().filter(|till| till.status == DeviceStatus::Active);
                let open: BTreeSet<DeviceId> = open.map(|till| till.id).collect();
                let mut found = Vec::new();
                for user in tx.users().list(self.tenant, &Page { after: None, limit: 99 })? {
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

fn histories(store: &dyn Store<OfficeView>, seed: u64) {
    let mut chance = Chance(seed);
    let mut refused = 0;
    let lives = tillgate_testkit::cases(15, 100);
    for life in 0..lives {
        let shop = Shop::open(store, life);
        let mut last = String::new();
        for history in 0..LIVES {
            let seeds: Vec<u64> =
                (0..2 + chance.below(2)).map(|_| u64::try_from(chance.below(1 << 30)).unwrap() + 1).collect();
            let start = Barrier::new(seeds.len());
            let done: Vec<String> = thread::scope(|scope| {
                let hand = |seed: u64| {
                    let (shop, start) = (&shop, &start);
                    scope.spawn(move || {
                        let mut chance = Chance(seed);
                        start.wait();
                        shop.step(store, &mut chance)
                    })
                };
                let hands: Vec<_> = seeds.iter().copied().map(hand).collect();
                hands.into_iter().map(|hand| hand.join().unwrap()).collect()
            });
            let mut told = String::new();
            writeln!(told, "{done:#?}").unwrap();
            refused += told.matches("last_admin").count();
            let admins = shop.admins(store);
            assert!(
                !admins.is_empty(),
                "seed {seed}, tenant {life}, history {history}: nobody is an admin any more\nbefore: {last}\nthen: {told}"
            );
            last = format!("{admins:?} were admins after {told}");
        }
    }
    // else the histories never came near to what is tried
    assert!(refused as u64 > 10 * lives, "only {refused} refusals in all");
}

/// A folder that goes with this.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn opened(address: &str, folder: &Folder) -> Arc<Database> {
    let address = Address::parse(address, &folder.0).unwrap();
    let database = Database::create(&address, &Limits::default()).unwrap();
    database.migrate(&mut |_| ()).unwrap();
    database.establish(uuid::Uuid::from_u128(1)).unwrap();
    Arc::new(database)
}

fn folder(name: &str) -> Folder {
    let path = std::env::temp_dir().join(format!("tillgate-{name}-{}", std::process::id()));
    std::fs::create_dir(&path).unwrap();
    Folder(path)
}

#[test]
fn an_admin_is_left_on_sqlite() {
    let folder = folder("last-admin");
    histories(&*opened("sqlite:till.db", &folder), 1);
}

#[test]
fn an_admin_is_left_on_postgres() {
    let folder = folder("last-admin-postgres");
    histories(&*opened(&tillgate_testkit::postgres::create_database(), &folder), 2);
}
