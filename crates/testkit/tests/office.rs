//! The rules of the back office, on the store in memory.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use tillgate_auth_core::ports::{CountKey, CredentialKind, Settled};
use tillgate_auth_core::{AuthView, Memory};
use tillgate_domain::office::{
    self, Authority, DeviceChange, DeviceRoles, Field, NewDevice, NewRole, NewTenant, NewUser, OfficeView, Page,
    Refused, RolesOn, SettingsChange, Stamp, UserChange,
};
use tillgate_domain::{
    Action, Actor, Branch, BranchId, Change, Device, DeviceId, DeviceName, DeviceStatus, Email, Environment, Epoch,
    EventId, Instant, Locale, PrincipalId, Right, Rights, RoleId, RoleName, Scope, Secret, Slug, Store, StoreExt,
    Tenant, TenantId, User, UserId, UserName, UserStatus, Zone,
};

const AT: Instant = Instant::from_millis(1_800_000_000_000);
static DRAWN: AtomicU64 = AtomicU64::new(1);

fn random() -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&DRAWN.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    bytes
}

fn stamp_of(authority: Authority) -> Stamp {
    Stamp { at: AT, event: EventId::new(AT, random()), actor: Actor::default(), authority }
}

fn stamp() -> Stamp {
    stamp_of(Authority::Host)
}

fn caller(rights: &[&str]) -> Stamp {
    stamp_of(Authority::Rights(rights.iter().map(|name| Right::parse(name).unwrap()).collect()))
}

fn role(name: &str) -> RoleName {
    RoleName::parse(name).unwrap()
}

fn on(device: &str, roles: &[&str]) -> RolesOn {
    RolesOn { device: DeviceName::parse(device).unwrap(), roles: roles.iter().map(|name| role(name)).collect() }
}

fn new_user(name: &str, roles: &[&str]) -> NewUser {
    NewUser {
        id: UserId::new(AT, random()),
        name: UserName::parse(name).unwrap(),
        email: None,
        display_name: name.to_owned(),
        status: UserStatus::Active,
        feature: None,
        roles: roles.iter().map(|name| role(name)).collect(),
        devices: Vec::new(),
        verifier: None,
    }
}

fn new_device(name: &str) -> NewDevice {
    NewDevice {
        id: DeviceId::new(AT, random()),
        name: DeviceName::parse(name).unwrap(),
        environment: Environment::CashRegister,
        status: DeviceStatus::Active,
        description: String::new(),
        preferences: serde_json::Map::new(),
        settings: BTreeMap::new(),
        roles: vec![role("cashier")],
        verifier: None,
    }
}

fn new_tenant(slug: &str) -> NewTenant {
    NewTenant {
        id: TenantId::new(AT, random()),
        slug: Slug::parse(slug).unwrap(),
        name: slug.to_owned(),
        zone: Zone::UTC,
        locale: Locale::parse("en").unwrap(),
        branch: Branch { id: BranchId::new(AT, random()), name: "Main".to_owned() },
        roles: [RoleId::new(AT, random()), RoleId::new(AT, random()), RoleId::new(AT, random())],
    }
}

/// A tenant in a store in memory.
struct Shop {
    memory: Memory,
    tenant: Tenant,
}

impl Shop {
    fn open() -> Self {
        let memory = Memory::new();
        let tenant = office::add_tenant(&memory, &stamp(), &new_tenant("default")).unwrap().unwrap();
        Self { memory, tenant }
    }

    fn store(&self) -> &dyn Store<OfficeView> {
        &self.memory
    }

    fn add(&self, new: &NewUser) -> Result<User, Refused> {
        office::add_user(self.store(), self.tenant.id, &stamp(), new).unwrap()
    }

    fn user(&self, name: &str, roles: &[&str]) -> User {
        self.add(&NewUser { verifier: Some(Secret::new("hash".to_owned())), ..new_user(name, roles) }).unwrap()
    }

    fn device(&self, name: &str) -> Device {
        office::add_device(self.store(), self.tenant.id, &stamp(), &new_device(name)).unwrap().unwrap()
    }

    fn change(&self, user: &User, change: &UserChange) -> Result<User, Refused> {
        office::change_user(self.store(), self.tenant.id, &stamp(), user.id, None, change).unwrap()
    }

    fn status(&self, user: &User, status: UserStatus) -> Result<User, Refused> {
        office::set_user_status(self.store(), self.tenant.id, &stamp(), user.id, status).unwrap()
    }

    fn assign(&self, user: &User, roles: Option<&[&str]>, devices: DeviceRoles) -> Result<User, Refused> {
        let roles = roles.map(|names| names.iter().map(|name| role(name)).collect());
        office::assign_roles(self.store(), self.tenant.id, &stamp(), user.id, roles, devices).unwrap()
    }

    fn changes(&self) -> Vec<Change> {
        let store: &dyn Store<AuthView> = &self.memory;
        store.read(|tx| tx.feed().look(None)).unwrap().changes.into_iter().map(|(change, _)| change).collect()
    }

    fn version(&self, principal: PrincipalId) -> Option<i64> {
        let store: &dyn Store<AuthView> = &self.memory;
        let found = store.read(|tx| tx.credentials().find(principal, CredentialKind::Password)).unwrap();
        found.map(|credential| credential.version)
    }

    fn actions(&self) -> Vec<Action> {
        self.memory.audit().iter().map(|event| event.action).collect()
    }
}

fn taken(field: Field, value: &str) -> Refused {
    Refused::Taken { field, value: value.to_owned() }
}

#[test]
fn a_tenant_is_born_with_its_roles_and_its_slug_is_its_own() {
    let shop = Shop::open();
    let names: BTreeSet<String> =
        office::list_roles(shop.store(), shop.tenant.id).unwrap().iter().map(|role| role.name.to_string()).collect();
    assert_eq!(names, ["admin", "cashier", "manager"].map(str::to_owned).into());
    assert_eq!(
        office::add_tenant(shop.store(), &stamp(), &new_tenant("default")).unwrap(),
        Err(taken(Field::Slug, "default"))
    );
    assert_eq!(office::list_roles(shop.store(), shop.tenant.id).unwrap().len(), 3);
    assert_eq!(shop.actions(), [Action::TenantAdd]);
}

#[test]
fn names_and_addresses_are_unique_and_the_refusal_names_the_field() {
    let shop = Shop::open();
    let anna = shop.add(&NewUser { email: Email::parse("anna@example.com").ok(), ..new_user("Anna", &[]) }).unwrap();
    assert_eq!(shop.add(&new_user("  ANNA ", &[])), Err(taken(Field::UserName, "ANNA")));
    let same = NewUser { email: Email::parse("ANNA@example.com").ok(), ..new_user("hana", &[]) };
    assert_eq!(shop.add(&same), Err(taken(Field::Email, "ANNA@example.com")));
    let hana = shop.user("hana", &[]);
    let rename = UserChange { name: UserName::parse("anna").ok(), ..UserChange::default() };
    assert_eq!(shop.change(&hana, &rename), Err(taken(Field::UserName, "anna")));
    // a deleted name is free again
    shop.status(&anna, UserStatus::Deleted).unwrap();
    assert_eq!(shop.change(&hana, &rename).unwrap().name.as_str(), "anna");
    shop.device("P01");
    let again = office::add_device(shop.store(), shop.tenant.id, &stamp(), &new_device("p01")).unwrap();
    assert_eq!(again, Err(taken(Field::Name, "p01")));
    let other = shop.device("P02");
    let rename = DeviceChange { name: DeviceName::parse("P01").ok(), ..DeviceChange::default() };
    let renamed = office::change_device(shop.store(), shop.tenant.id, &stamp(), other.id, None, &rename).unwrap();
    assert_eq!(renamed, Err(taken(Field::Name, "P01")));
}

#[test]
fn a_refusal_changes_nothing_and_tells_nothing() {
    let shop = Shop::open();
    let admin = shop.user("admin", &["admin"]);
    let (told, changes) = (shop.actions(), shop.changes());
    assert_eq!(shop.status(&admin, UserStatus::Suspended), Err(Refused::LastAdmin));
    assert_eq!(shop.add(&new_user("admin", &[])), Err(taken(Field::UserName, "admin")));
    let rename =
        UserChange { name: UserName::parse("other").ok(), roles: Some(vec![role("nobody")]), ..UserChange::default() };
    assert_eq!(shop.change(&admin, &rename), Err(Refused::Unknown { field: Field::Roles, value: "nobody".into() }));
    assert_eq!((shop.actions(), shop.changes()), (told, changes));
    assert_eq!(office::find_user(shop.store(), shop.tenant.id, admin.id).unwrap(), Some(admin));
}

#[test]
fn suspending_raises_the_epoch_and_activating_does_not() {
    let shop = Shop::open();
    let anna = shop.user("anna", &["cashier"]);
    let suspended = shop.status(&anna, UserStatus::Suspended).unwrap();
    assert_eq!((suspended.status, suspended.epoch), (UserStatus::Suspended, Epoch(1)));
    let raised = Change::Raised { scope: Scope::User(anna.id), epoch: Epoch(1) };
    assert_eq!(shop.changes().last(), Some(&raised));
    let active = shop.status(&anna, UserStatus::Active).unwrap();
    assert_eq!((active.status, active.epoch), (UserStatus::Active, Epoch(1)));
    assert_eq!(shop.changes().last(), Some(&Change::Touched(Scope::User(anna.id))));
    // the same again writes nothing
    let told = shop.actions().len();
    assert_eq!(shop.status(&anna, UserStatus::Active).unwrap().version, active.version);
    assert_eq!(shop.actions().len(), told);
    assert_eq!(shop.status(&anna, UserStatus::Pending), Err(Refused::Status { from: "active", to: "pending" }));
}

#[test]
fn a_deleted_user_is_gone_for_good() {
    let shop = Shop::open();
    let anna = shop.user("anna", &[]);
    let gone = shop.status(&anna, UserStatus::Deleted).unwrap();
    assert_eq!((gone.status, gone.epoch), (UserStatus::Deleted, Epoch(1)));
    let unknown = Refused::Absent { field: Field::User, value: anna.id.to_string() };
    for status in UserStatus::ALL {
        assert_eq!(shop.status(&anna, status), Err(unknown.clone()));
    }
    assert_eq!(office::user_named(shop.store(), shop.tenant.id, &anna.name).unwrap(), None);
    let page = Page { after: None, limit: 10 };
    assert_eq!(office::list_users(shop.store(), shop.tenant.id, &page).unwrap().len(), 1);
}

#[test]
fn nobody_removes_the_last_admin_in_any_way() {
    let shop = Shop::open();
    let admin = shop.user("admin", &["admin"]);
    assert_eq!(shop.status(&admin, UserStatus::Suspended), Err(Refused::LastAdmin));
    assert_eq!(shop.status(&admin, UserStatus::Deleted), Err(Refused::LastAdmin));
    assert_eq!(shop.assign(&admin, Some(&["cashier"]), DeviceRoles::Keep), Err(Refused::LastAdmin));
    // a suspended admin is none
    let other = shop.user("other", &["admin"]);
    shop.status(&other, UserStatus::Suspended).unwrap();
    assert_eq!(shop.status(&admin, UserStatus::Suspended), Err(Refused::LastAdmin));
    shop.status(&other, UserStatus::Active).unwrap();
    shop.status(&admin, UserStatus::Suspended).unwrap();
    assert_eq!(shop.status(&other, UserStatus::Deleted), Err(Refused::LastAdmin));
    // an admin of another tenant is none here
    let elsewhere = office::add_tenant(shop.store(), &stamp(), &new_tenant("elsewhere")).unwrap().unwrap();
    office::add_user(shop.store(), elsewhere.id, &stamp(), &new_user("admin", &["admin"])).unwrap().unwrap();
    assert_eq!(shop.status(&other, UserStatus::Deleted), Err(Refused::LastAdmin));
}

#[test]
fn an_admin_on_a_device_counts_and_may_move() {
    let shop = Shop::open();
    shop.device("P01");
    let admin = shop.user("admin", &["admin"]);
    let moved = DeviceRoles::Edit { on: vec![on("P01", &["admin"])], off: Vec::new() };
    let moved = shop.assign(&admin, Some(&[]), moved).unwrap();
    assert!(moved.assignment.office.is_empty());
    let off = DeviceRoles::Edit { on: Vec::new(), off: vec![DeviceName::parse("P01").unwrap()] };
    assert_eq!(shop.assign(&admin, None, off.clone()), Err(Refused::LastAdmin));
    shop.user("second", &["admin"]);
    assert!(shop.assign(&admin, None, off).unwrap().assignment.devices.is_empty());
}

#[test]
fn roles_are_edited_or_replaced_and_the_user_is_touched() {
    let shop = Shop::open();
    let (p01, p02) = (shop.device("P01"), shop.device("P02"));
    let anna = shop.add(&NewUser { devices: vec![on("p01", &["cashier"])], ..new_user("anna", &[]) }).unwrap();
    let edit = DeviceRoles::Edit { on: vec![on("P02", &["cashier", "Manager"]), on("P01", &[])], off: Vec::new() };
    let after = shop.assign(&anna, None, edit).unwrap();
    assert_eq!(after.assignment.devices[&p01.id].len(), 0);
    assert_eq!(after.assignment.devices[&p02.id].len(), 2);
    assert_eq!(after.epoch, Epoch(0), "nobody is logged out by other rights");
    assert_eq!(shop.changes().last(), Some(&Change::Touched(Scope::User(anna.id))));
    let replaced = shop.assign(&anna, Some(&["cashier"]), DeviceRoles::Replace(vec![on("P02", &[])])).unwrap();
    assert_eq!(replaced.assignment.devices.keys().collect::<Vec<_>>(), [&p02.id]);
    assert_eq!(shop.actions().last(), Some(&Action::UserRoles));
    let nowhere = DeviceRoles::Edit { on: vec![on("P09", &[])], off: Vec::new() };
    assert_eq!(shop.assign(&anna, None, nowhere), Err(Refused::Unknown { field: Field::Devices, value: "P09".into() }));
}

#[test]
fn a_change_holds_to_the_version_that_was_read() {
    let shop = Shop::open();
    let anna = shop.user("anna", &[]);
    let change = UserChange { display_name: Some("Anna B.".into()), ..UserChange::default() };
    let by = |version| office::change_user(shop.store(), shop.tenant.id, &stamp(), anna.id, version, &change).unwrap();
    let changed = by(Some(anna.version)).unwrap();
    assert_eq!(changed.version, anna.version + 1);
    assert_eq!(by(Some(anna.version)), Err(Refused::Moved { current: changed.version }));
    let till = shop.device("P01");
    let change = DeviceChange { description: Some("door".into()), ..DeviceChange::default() };
    let by =
        |version| office::change_device(shop.store(), shop.tenant.id, &stamp(), till.id, version, &change).unwrap();
    let changed = by(Some(till.version)).unwrap();
    assert_eq!(by(Some(till.version)), Err(Refused::Moved { current: changed.version }));
}

#[test]
fn locking_a_device_ends_what_is_on_it_and_a_retired_one_stays_retired() {
    let shop = Shop::open();
    let till = shop.device("P01");
    let to = |status| office::set_device_status(shop.store(), shop.tenant.id, &stamp(), till.id, status).unwrap();
    assert_eq!(to(DeviceStatus::Locked).unwrap().epoch, Epoch(1));
    assert_eq!(shop.changes().last(), Some(&Change::Raised { scope: Scope::Device(till.id), epoch: Epoch(1) }));
    assert_eq!(to(DeviceStatus::Active).unwrap().epoch, Epoch(1));
    assert_eq!(shop.changes().last(), Some(&Change::Touched(Scope::Device(till.id))));
    assert_eq!(to(DeviceStatus::Retired).unwrap().epoch, Epoch(2));
    assert_eq!(to(DeviceStatus::Active), Err(Refused::Status { from: "retired", to: "active" }));
    assert_eq!(shop.actions().last(), Some(&Action::DeviceStatus));
}

#[test]
fn settings_of_a_device_are_edited() {
    let shop = Shop::open();
    let till = shop.device("P01");
    let edit = |key: &str, value: &str| {
        let settings = SettingsChange::Edit([(key.to_owned(), value.to_owned())].into());
        let change = DeviceChange { settings, ..DeviceChange::default() };
        office::change_device(shop.store(), shop.tenant.id, &stamp(), till.id, None, &change).unwrap().unwrap().settings
    };
    edit("stock", "S01");
    assert_eq!(edit("fiscal", "eKasa").len(), 2);
    assert_eq!(edit("stock", "").keys().collect::<Vec<_>>(), ["fiscal"]);
}

#[test]
fn a_password_ends_every_session_of_its_owner() {
    let shop = Shop::open();
    let anna = PrincipalId::User(shop.user("anna", &[]).id);
    let till = PrincipalId::Device(shop.device("P01").id);
    for (principal, scope) in [(anna, Scope::User(UserId(anna.uuid()))), (till, Scope::Device(DeviceId(till.uuid())))] {
        for number in [1, 2] {
            let verifier = Secret::new("hash".to_owned());
            office::set_password(shop.store(), shop.tenant.id, &stamp(), principal, &verifier).unwrap().unwrap();
            assert_eq!(shop.version(principal), Some(number + i64::from(principal == anna)));
            assert_eq!(shop.changes().last(), Some(&Change::Raised { scope, epoch: Epoch(number) }));
            assert_eq!(shop.actions().last(), Some(&Action::Password));
        }
    }
}

#[test]
fn a_virtual_user_has_no_password() {
    let shop = Shop::open();
    let verifier = Secret::new("hash".to_owned());
    let kiosk = NewUser { feature: Some("kiosk".into()), ..new_user("kiosk", &[]) };
    assert_eq!(shop.add(&NewUser { verifier: Some(verifier.clone()), ..kiosk.clone() }), Err(Refused::Virtual));
    let kiosk = PrincipalId::User(shop.add(&kiosk).unwrap().id);
    let set = office::set_password(shop.store(), shop.tenant.id, &stamp(), kiosk, &verifier).unwrap();
    assert_eq!(set, Err(Refused::Virtual));
    assert_eq!(shop.version(kiosk), None);
}

#[test]
fn unlocking_and_another_password_forget_the_failed_logins() {
    let shop = Shop::open();
    let anna = PrincipalId::User(shop.user("anna", &[]).id);
    let store: &dyn Store<AuthView> = &shop.memory;
    let key = CountKey([7; 32]);
    let fail = || {
        store
            .write(|tx| {
                let from = tx.attempts().counts(&[key])?[0];
                assert!(tx.attempts().charge(key, Some(anna.uuid()), &from, AT)?);
                tx.attempts().settle(key, Settled::Failed, AT)?;
                tx.attempts().counts(&[key])
            })
            .unwrap()[0]
            .failures
    };
    let failures = || store.read(|tx| tx.attempts().counts(&[key])).unwrap()[0].failures;
    assert_eq!(fail(), 1);
    assert_eq!(office::unlock(shop.store(), shop.tenant.id, &stamp(), anna).unwrap(), Ok(()));
    assert_eq!(failures(), 0);
    assert_eq!(shop.actions().last(), Some(&Action::Unlock));
    assert_eq!(fail(), 1);
    let verifier = Secret::new("hash".to_owned());
    office::set_password(shop.store(), shop.tenant.id, &stamp(), anna, &verifier).unwrap().unwrap();
    assert_eq!(failures(), 0);
}

#[test]
fn what_belongs_to_another_tenant_does_not_exist() {
    let shop = Shop::open();
    let elsewhere = office::add_tenant(shop.store(), &stamp(), &new_tenant("elsewhere")).unwrap().unwrap().id;
    let (anna, till) = (shop.user("anna", &[]), shop.device("P01"));
    assert_eq!(office::find_user(shop.store(), elsewhere, anna.id).unwrap(), None);
    assert_eq!(office::find_device(shop.store(), elsewhere, till.id).unwrap(), None);
    let change = UserChange { display_name: Some("x".into()), ..UserChange::default() };
    let changed = office::change_user(shop.store(), elsewhere, &stamp(), anna.id, None, &change).unwrap();
    assert_eq!(changed, Err(Refused::Absent { field: Field::User, value: anna.id.to_string() }));
    let locked = office::set_device_status(shop.store(), elsewhere, &stamp(), till.id, DeviceStatus::Locked).unwrap();
    assert_eq!(locked, Err(Refused::Absent { field: Field::Device, value: till.id.to_string() }));
    for principal in [PrincipalId::User(anna.id), PrincipalId::Device(till.id)] {
        let verifier = Secret::new("hash".to_owned());
        assert!(office::set_password(shop.store(), elsewhere, &stamp(), principal, &verifier).unwrap().is_err());
        assert!(office::unlock(shop.store(), elsewhere, &stamp(), principal).unwrap().is_err());
    }
}

#[test]
fn a_role_of_ones_own_has_rights_and_places_and_a_name_of_its_own() {
    let shop = Shop::open();
    let new = NewRole {
        id: RoleId::new(AT, random()),
        name: role("night"),
        label: "Night".into(),
        description: String::new(),
        rights: Right::parse("storno").into_iter().collect(),
        environments: [Environment::Pda].into(),
    };
    let add = |new: &NewRole| office::add_role(shop.store(), shop.tenant.id, &stamp(), new).unwrap();
    assert!(!add(&new).unwrap().built_in);
    assert_eq!(shop.changes().last(), Some(&Change::Touched(Scope::Tenant(shop.tenant.id))));
    let again = NewRole { id: RoleId::new(AT, random()), ..new.clone() };
    assert_eq!(add(&again), Err(taken(Field::Name, "night")));
    let other = NewRole { name: role("other"), ..again };
    assert_eq!(
        add(&NewRole { rights: Rights::default(), ..other.clone() }),
        Err(Refused::Empty { field: Field::Rights })
    );
    let nowhere = NewRole { environments: BTreeSet::new(), ..other };
    assert_eq!(add(&nowhere), Err(Refused::Empty { field: Field::Environments }));
}

#[test]
fn nobody_grants_or_touches_what_they_do_not_hold() {
    let shop = Shop::open();
    let admin = shop.user("admin", &["admin"]);
    let anna = shop.user("anna", &["cashier"]);
    let missing = |name: &str| Refused::Missing(Right::parse(name).unwrap());
    let clerk = || {
        caller(&[
            "userCreate",
            "userUpdate",
            "ticketClose",
            "ticketCreate",
            "ticketUpdate",
            "ticketSetCustomer",
            "fiscalOpenDrawer",
        ])
    };
    let tenant = shop.tenant.id;
    // without the right to do it at all
    let added = office::add_user(shop.store(), tenant, &caller(&["userRead"]), &new_user("new", &[])).unwrap();
    assert_eq!(added, Err(missing("userCreate")));
    // granting more than one holds
    let added = office::add_user(shop.store(), tenant, &clerk(), &new_user("new", &["admin"])).unwrap();
    assert_eq!(added, Err(missing("admin")));
    let roles = Some(vec![role("admin")]);
    let assigned = office::assign_roles(shop.store(), tenant, &clerk(), anna.id, roles, DeviceRoles::Keep).unwrap();
    assert_eq!(assigned, Err(missing("admin")));
    // power over somebody who holds more
    let verifier = Secret::new("hash".to_owned());
    let set = office::set_password(shop.store(), tenant, &clerk(), PrincipalId::User(admin.id), &verifier).unwrap();
    assert_eq!(set, Err(missing("admin")));
    // what they do hold, they may give
    assert!(office::add_user(shop.store(), tenant, &clerk(), &new_user("new", &["cashier"])).unwrap().is_ok());
    let set = office::set_password(shop.store(), tenant, &clerk(), PrincipalId::User(anna.id), &verifier).unwrap();
    assert_eq!(set, Ok(()));
    // deleting asks a right of its own
    let deleted = office::set_user_status(shop.store(), tenant, &clerk(), anna.id, UserStatus::Deleted).unwrap();
    assert_eq!(deleted, Err(missing("userDelete")));
}

#[test]
fn every_change_tells_the_audit_who_and_what() {
    let shop = Shop::open();
    let anna = shop.user("anna", &[]);
    let actor = Actor { user: Some(anna.id), ..Actor::default() };
    let by = Stamp { actor, ..stamp() };
    let change = UserChange { display_name: Some("Anna B.".into()), ..UserChange::default() };
    office::change_user(shop.store(), shop.tenant.id, &by, anna.id, None, &change).unwrap().unwrap();
    let told = shop.memory.audit();
    let last = told.last().unwrap();
    assert_eq!(
        (last.id, last.actor, last.action, last.tenant),
        (by.event, actor, Action::UserUpdate, Some(shop.tenant.id))
    );
    assert_eq!(last.details["display_name"], serde_json::json!({ "from": "anna", "to": "Anna B." }));
}
