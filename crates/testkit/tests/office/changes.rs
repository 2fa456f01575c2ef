//! Roles, devices, stores and the tenant as the back office changes them, on the store in memory.

use std::collections::BTreeSet;
use std::time::Duration;

use tillgate_auth_core::{AuthView, Memory};
use tillgate_domain::office::{
    self, ApiKeyChange, DeviceChange, DeviceRoles, Field, LimitsChange, NewApiKey, NewDevice, NewRole, OfficeView,
    Page, Refused, RoleChange, RolesOn, Stamp, TenantChange, UserChange, Whose,
};
use tillgate_domain::{
    Action, Actor, ApiKeyId, Branch, BranchId, Change, DeviceId, DeviceName, DeviceStatus, Environment, Epoch,
    PrincipalId, Rights, Role, RoleId, RoleName, Scope, Secret, SessionLimits, Store, StoreExt, TenantId, UserStatus,
    Zone,
};
use tillgate_testkit::World;
use tillgate_testkit::world::Verifiers;

use crate::asked::*;

fn name(text: &str) -> RoleName {
    RoleName::parse(text).unwrap()
}

/// The world in memory, each user with a password.
struct Shop {
    memory: Memory,
    world: World,
}

impl Shop {
    fn open() -> Self {
        let memory = Memory::new();
        let some = |_: &str| Some(Secret::new("hash".to_owned()));
        let world = World::populate(&memory, AT, &Verifiers { user: &some, device: &some }).unwrap();
        Self { memory, world }
    }

    fn store(&self) -> &dyn Store<OfficeView> {
        &self.memory
    }

    fn id(&self) -> TenantId {
        self.world.tenant.id
    }

    fn role(&self, called: &str, allows: &[&str], environments: &[Environment]) -> Role {
        let new = NewRole {
            id: RoleId::new(AT, random()),
            name: name(called),
            label: called.to_owned(),
            description: String::new(),
            rights: rights(allows),
            environments: environments.iter().copied().collect(),
        };
        office::add_role(self.store(), self.id(), &stamp(), &new).unwrap().unwrap()
    }

    fn change_role(&self, stamp: &Stamp, role: &Role, change: &RoleChange) -> Result<Role, Refused> {
        office::change_role(self.store(), self.id(), stamp, role.id, None, change).unwrap()
    }

    fn delete_role(&self, stamp: &Stamp, role: &Role) -> Result<Role, Refused> {
        office::delete_role(self.store(), self.id(), stamp, role.id, None).unwrap()
    }

    fn device(&self, id: DeviceId, stamp: &Stamp, change: &DeviceChange) -> Result<tillgate_domain::Device, Refused> {
        office::change_device(self.store(), self.id(), stamp, id, None, change).unwrap()
    }

    fn status(&self, id: DeviceId, status: DeviceStatus) -> Result<tillgate_domain::Device, Refused> {
        office::set_device_status(self.store(), self.id(), &stamp(), id, status).unwrap()
    }

    fn assign(&self, user: tillgate_domain::UserId, roles: &[&str], devices: DeviceRoles) -> Result<(), Refused> {
        let roles = Some(roles.iter().map(|role| name(role)).collect());
        office::assign_roles(self.store(), self.id(), &stamp(), user, roles, devices).unwrap().map(drop)
    }

    fn changes(&self) -> Vec<Change> {
        let store: &dyn Store<AuthView> = &self.memory;
        store.read(|tx| tx.feed().look(None)).unwrap().changes.into_iter().map(|(change, _)| change).collect()
    }

    fn last(&self) -> tillgate_domain::Event {
        self.memory.audit().last().unwrap().clone()
    }
}

/// These roles on this device, and nothing on another.
fn on(device: &tillgate_domain::Device, roles: &[&str]) -> DeviceRoles {
    let roles = roles.iter().map(|role| name(role)).collect();
    DeviceRoles::Replace(vec![RolesOn { device: device.name.clone(), roles }])
}

const ALL: &[Environment] = &Environment::ALL;

#[test]
fn a_changed_role_is_told_to_everybody_who_may_hold_it() {
    let shop = Shop::open();
    let night = shop.role("night", &["storno"], &[Environment::Pda]);
    let change = RoleChange {
        name: Some(name("late")),
        label: Some("Late".into()),
        rights: Some(rights(&["storno", "ticketClose"])),
        environments: Some(ALL.iter().copied().collect()),
        ..RoleChange::default()
    };
    let after = shop.change_role(&stamp(), &night, &change).unwrap();
    assert_eq!((after.name.as_str(), after.label.as_str(), after.version), ("late", "Late", 2));
    assert_eq!(shop.changes().last(), Some(&Change::Touched(Scope::Tenant(shop.id()))));
    let told = shop.last();
    assert_eq!(told.action, Action::RoleUpdate);
    assert_eq!(told.details["rights"], serde_json::json!({ "from": ["storno"], "to": ["storno", "ticketClose"] }));
    assert_eq!(office::find_role(shop.store(), shop.id(), night.id).unwrap(), Some(after.clone()));
    // the same again writes nothing
    let count = shop.memory.audit().len();
    assert_eq!(shop.change_role(&stamp(), &night, &change).unwrap(), after);
    assert_eq!(shop.memory.audit().len(), count);
    let by =
        |version| office::change_role(shop.store(), shop.id(), &stamp(), night.id, Some(version), &change).unwrap();
    assert_eq!(by(1), Err(Refused::Moved { current: 2 }));
    let taken = RoleChange { name: Some(name("Cashier")), ..RoleChange::default() };
    let refused = shop.change_role(&stamp(), &night, &taken);
    assert_eq!(refused, Err(Refused::Taken { field: Field::Name, value: "Cashier".into() }));
    let empty = RoleChange { rights: Some(Rights::default()), ..RoleChange::default() };
    assert_eq!(shop.change_role(&stamp(), &night, &empty), Err(Refused::Empty { field: Field::Rights }));
    let nowhere = RoleChange { environments: Some(BTreeSet::new()), ..RoleChange::default() };
    assert_eq!(shop.change_role(&stamp(), &night, &nowhere), Err(Refused::Empty { field: Field::Environments }));
}

#[test]
fn a_built_in_role_stays_as_it_is() {
    let shop = Shop::open();
    for role in &shop.world.roles {
        let change = RoleChange { label: Some("x".into()), ..RoleChange::default() };
        assert_eq!(shop.change_role(&stamp(), role, &change), Err(Refused::BuiltIn));
        assert_eq!(shop.delete_role(&stamp(), role), Err(Refused::BuiltIn));
    }
    assert_eq!(office::list_roles(shop.store(), shop.id()).unwrap().len(), 3);
}

#[test]
fn a_role_in_use_does_not_vanish_under_its_users() {
    let shop = Shop::open();
    let night = shop.role("night", &["storno"], ALL);
    let manager = shop.world.manager.id;
    shop.assign(manager, &["night", "manager"], DeviceRoles::Keep).unwrap();
    let held = |by: &[&str], total| Refused::Held { by: by.iter().map(|who| (*who).to_owned()).collect(), total };
    assert_eq!(shop.delete_role(&stamp(), &night), Err(held(&["user manager"], 1)));
    let equip = |roles: &[&str]| DeviceChange {
        roles: Some(roles.iter().map(|role| name(role)).collect()),
        ..DeviceChange::default()
    };
    shop.device(shop.world.p01.id, &stamp(), &equip(&["night"])).unwrap();
    assert_eq!(shop.delete_role(&stamp(), &night), Err(held(&["user manager", "device P01"], 2)));
    assert!(held(&["user manager", "device P01"], 7).to_string().contains("user manager, device P01 and 5 more"));
    shop.assign(manager, &["manager"], on(&shop.world.p02, &["night"])).unwrap();
    shop.device(shop.world.p01.id, &stamp(), &equip(&[])).unwrap();
    assert_eq!(shop.delete_role(&stamp(), &night), Err(held(&["user manager"], 1)), "on a device alone");
    // who is deleted holds nothing any more
    office::set_user_status(shop.store(), shop.id(), &stamp(), manager, UserStatus::Deleted).unwrap().unwrap();
    assert_eq!(shop.delete_role(&stamp(), &night).unwrap().id, night.id);
    assert_eq!(office::find_role(shop.store(), shop.id(), night.id).unwrap(), None);
    assert_eq!(
        (shop.last().action, shop.changes().last()),
        (Action::RoleDelete, Some(&Change::Touched(Scope::Tenant(shop.id()))))
    );
    assert_eq!(
        shop.delete_role(&stamp(), &night),
        Err(Refused::Absent { field: Field::Role, value: night.id.to_string() })
    );
}

#[test]
fn nobody_gives_themselves_more_by_a_role() {
    let shop = Shop::open();
    let night = shop.role("night", &["storno"], ALL);
    let strong = shop.role("strong", &["userDelete"], ALL);
    let clerk = || caller(&["roleUpdate", "roleDelete", "storno"]);
    let allow = |allows: &[&str]| RoleChange { rights: Some(rights(allows)), ..RoleChange::default() };
    assert_eq!(shop.change_role(&caller(&["storno"]), &night, &allow(&["storno"])), Err(missing("roleUpdate")));
    assert_eq!(shop.change_role(&clerk(), &night, &allow(&["storno", "userDelete"])), Err(missing("userDelete")));
    assert_eq!(shop.change_role(&clerk(), &night, &allow(&["admin"])), Err(missing("admin")));
    // nor take from a role what they do not hold, nor move it to where it counts
    assert_eq!(shop.change_role(&clerk(), &strong, &allow(&["storno"])), Err(missing("userDelete")));
    let elsewhere = RoleChange { environments: Some([Environment::Tool].into()), ..RoleChange::default() };
    assert_eq!(shop.change_role(&clerk(), &strong, &elsewhere), Err(missing("userDelete")));
    assert_eq!(shop.delete_role(&clerk(), &strong), Err(missing("userDelete")));
    assert!(shop.change_role(&clerk(), &night, &allow(&["roleUpdate", "storno"])).is_ok());
    assert_eq!(shop.delete_role(&caller(&["roleUpdate", "storno"]), &night), Err(missing("roleDelete")));
}

#[test]
fn nobody_gives_more_through_a_device_or_a_key() {
    let shop = Shop::open();
    let World { p01, office: desk, cashier, .. } = &shop.world;
    // it counts in the office alone, so the cashier has none of it on the till
    shop.role("ledger", &["auditRead"], &[Environment::BackOffice]);
    shop.assign(cashier.id, &["cashier"], on(p01, &["cashier", "ledger"])).unwrap();
    let moved = DeviceChange { environment: Some(Environment::BackOffice), ..DeviceChange::default() };
    let clerk = |more: &[&str]| {
        caller(
            &[
                &[
                    "deviceUpdate",
                    "ticketCreate",
                    "ticketUpdate",
                    "ticketSetCustomer",
                    "ticketClose",
                    "fiscalOpenDrawer",
                ],
                more,
            ]
            .concat(),
        )
    };
    assert_eq!(shop.device(p01.id, &clerk(&[]), &moved), Err(missing("auditRead")));
    assert_eq!(shop.device(p01.id, &clerk(&["auditRead"]), &moved).unwrap().environment, Environment::BackOffice);
    let roles = DeviceChange { roles: Some(vec![name("admin")]), ..DeviceChange::default() };
    assert_eq!(shop.device(desk.id, &clerk(&[]), &roles), Err(missing("admin")));
    let key = NewApiKey {
        id: ApiKeyId::new(AT, random()),
        client: "client".into(),
        wrapped: vec![1],
        name: "Window".into(),
        description: String::new(),
        active: true,
        user: cashier.name.clone(),
        device: p01.name.clone(),
        permissions: rights(&["ticketClose", "userDelete"]),
    };
    let maker = clerk(&["auditRead", "apiKeyCreate", "apiKeyUpdate"]);
    // the cashier has it not now, and may be given it later
    assert_eq!(office::add_api_key(shop.store(), shop.id(), &maker, &key).unwrap(), Err(missing("userDelete")));
    let modest = NewApiKey { permissions: rights(&["ticketClose"]), ..key };
    let made = office::add_api_key(shop.store(), shop.id(), &maker, &modest).unwrap().unwrap();
    let more = ApiKeyChange { permissions: Some(rights(&["userDelete"])), ..ApiKeyChange::default() };
    let maker = clerk(&["auditRead", "apiKeyCreate", "apiKeyUpdate"]);
    let changed = office::change_api_key(shop.store(), shop.id(), &maker, made.id, None, &more).unwrap();
    assert_eq!(changed, Err(missing("userDelete")));
}

#[test]
fn a_role_that_makes_the_last_admin_stays_one() {
    let shop = Shop::open();
    let owner = shop.role("owner", &["admin"], ALL);
    shop.assign(shop.world.manager.id, &["owner"], DeviceRoles::Keep).unwrap();
    let suspend = |user, status| office::set_user_status(shop.store(), shop.id(), &stamp(), user, status).unwrap();
    suspend(shop.world.admin.id, UserStatus::Suspended).unwrap();
    let narrow = [
        RoleChange { rights: Some(rights(&["storno"])), ..RoleChange::default() },
        RoleChange { environments: Some([Environment::Tool].into()), ..RoleChange::default() },
    ];
    for change in &narrow {
        assert_eq!(shop.change_role(&stamp(), &owner, change), Err(Refused::LastAdmin));
    }
    assert!(matches!(shop.delete_role(&stamp(), &owner), Err(Refused::Held { .. })));
    assert_eq!(suspend(shop.world.manager.id, UserStatus::Suspended), Err(Refused::LastAdmin));
    let renamed = RoleChange { name: Some(name("boss")), ..RoleChange::default() };
    assert!(shop.change_role(&stamp(), &owner, &renamed).is_ok(), "a name makes nobody less");
    suspend(shop.world.admin.id, UserStatus::Active).unwrap();
    for change in &narrow {
        assert!(shop.change_role(&stamp(), &owner, change).is_ok(), "there is another now");
    }
}

#[test]
fn a_device_on_which_alone_the_last_admin_is_one_stays_in_use() {
    let shop = Shop::open();
    let World { p01, p02, admin, .. } = &shop.world;
    shop.assign(admin.id, &[], on(p01, &["admin"])).unwrap();
    for status in [DeviceStatus::Locked, DeviceStatus::Retired, DeviceStatus::Pending] {
        assert_eq!(shop.status(p01.id, status), Err(Refused::LastAdmin), "{status:?}");
    }
    shop.status(p02.id, DeviceStatus::Locked).unwrap();
    assert_eq!(shop.assign(admin.id, &[], on(p02, &["admin"])), Err(Refused::LastAdmin), "that one is locked");
    shop.status(p02.id, DeviceStatus::Active).unwrap();
    assert_eq!(shop.assign(admin.id, &[], on(p02, &["admin"])), Ok(()));
    shop.status(p01.id, DeviceStatus::Locked).unwrap();
}

#[test]
fn an_admin_who_cannot_log_in_is_none() {
    let shop = Shop::open();
    let World { admin, p01, .. } = &shop.world;
    let add = |called: &str, roles: &[&str], devices: Vec<RolesOn>| {
        let new = office::NewUser {
            id: tillgate_domain::UserId::new(AT, random()),
            name: tillgate_domain::UserName::parse(called).unwrap(),
            email: None,
            display_name: called.to_owned(),
            status: UserStatus::Active,
            feature: None,
            roles: roles.iter().map(|role| name(role)).collect(),
            devices,
            verifier: None,
        };
        office::add_user(shop.store(), shop.id(), &stamp(), &new).unwrap().unwrap()
    };
    let bare = add("bare", &["admin"], vec![RolesOn { device: p01.name.clone(), roles: vec![name("admin")] }]);
    let suspend =
        || office::set_user_status(shop.store(), shop.id(), &stamp(), admin.id, UserStatus::Suspended).unwrap();
    assert_eq!(suspend(), Err(Refused::LastAdmin), "nobody logs in without a password");
    // they are no admin who counts, so they may go
    let verifier = Secret::new("hash".to_owned());
    office::set_password(shop.store(), shop.id(), &stamp(), PrincipalId::User(bare.id), &verifier).unwrap().unwrap();
    assert!(suspend().is_ok());
    let gone = office::set_user_status(shop.store(), shop.id(), &stamp(), bare.id, UserStatus::Deleted).unwrap();
    assert_eq!(gone, Err(Refused::LastAdmin));
}

#[test]
fn a_deleted_user_leaves_their_password_and_their_names() {
    let shop = Shop::open();
    let manager = &shop.world.manager;
    let gone =
        office::set_user_status(shop.store(), shop.id(), &stamp(), manager.id, UserStatus::Deleted).unwrap().unwrap();
    assert_eq!(gone.assignment, manager.assignment, "a list of the deleted shows what they were");
    assert!(!shop.store().read(|tx| tx.passwords().has(PrincipalId::User(manager.id))).unwrap());
    assert_eq!(shop.last().action, Action::UserDelete);
    // both the name and the address are free again
    let cashier = &shop.world.cashier;
    let change =
        UserChange { name: Some(manager.name.clone()), email: Some(manager.email.clone()), ..UserChange::default() };
    let renamed = office::change_user(shop.store(), shop.id(), &stamp(), cashier.id, None, &change).unwrap().unwrap();
    assert_eq!((renamed.name, renamed.email), (manager.name.clone(), manager.email.clone()));
}

#[test]
fn a_device_becomes_another_kind_and_everybody_on_it_is_out() {
    let shop = Shop::open();
    let till = &shop.world.p01;
    let change = DeviceChange { environment: Some(Environment::Tool), ..DeviceChange::default() };
    let after = shop.device(till.id, &stamp(), &change).unwrap();
    assert_eq!((after.environment, after.epoch), (Environment::Tool, Epoch(1)));
    assert_eq!(shop.changes().last(), Some(&Change::Raised { scope: Scope::Device(till.id), epoch: Epoch(1) }));
    let told = shop.last();
    assert_eq!(told.details["environment"], serde_json::json!({ "from": "CashRegister", "to": "Tool" }));
    assert_eq!(shop.device(till.id, &stamp(), &change).unwrap().epoch, Epoch(1), "the same again ends nothing");
}

#[test]
fn a_retired_device_frees_its_name_its_roles_and_the_lists_of_its_users() {
    let shop = Shop::open();
    let World { p01, cashier, .. } = &shop.world;
    let retired = shop.status(p01.id, DeviceStatus::Retired).unwrap();
    assert_eq!((retired.status, retired.roles.len()), (DeviceStatus::Retired, 0));
    let user = office::find_user(shop.store(), shop.id(), cashier.id).unwrap().unwrap();
    assert!(!user.assignment.devices.contains_key(&p01.id));
    assert_eq!(user.version, cashier.version + 1);
    // it is not put on a list again
    let again = shop.assign(cashier.id, &["cashier"], on(p01, &["cashier"]));
    assert_eq!(again, Err(Refused::Unknown { field: Field::Devices, value: "P01".into() }));
    let next = NewDevice {
        id: DeviceId::new(AT, random()),
        name: DeviceName::parse("p01").unwrap(),
        environment: Environment::CashRegister,
        status: DeviceStatus::Active,
        description: String::new(),
        preferences: serde_json::Map::new(),
        settings: std::collections::BTreeMap::new(),
        roles: Vec::new(),
        verifier: None,
    };
    let next = office::add_device(shop.store(), shop.id(), &stamp(), &next).unwrap().unwrap();
    let found = office::device_named(shop.store(), shop.id(), &p01.name).unwrap().unwrap();
    assert_eq!(found.id, next.id);
    assert_eq!(office::find_device(shop.store(), shop.id(), p01.id).unwrap().unwrap().status, DeviceStatus::Retired);
}

#[test]
fn a_password_of_a_device_is_taken_away_and_its_sessions_with_it() {
    let shop = Shop::open();
    let till = shop.world.p01.id;
    let remove = |stamp: &Stamp| office::remove_password(shop.store(), shop.id(), stamp, till).unwrap();
    assert_eq!(remove(&caller(&["deviceUpdate"])), Err(missing("fiscalOpenDrawer")));
    assert_eq!(remove(&stamp()), Ok(true));
    assert_eq!(shop.changes().last(), Some(&Change::Raised { scope: Scope::Device(till), epoch: Epoch(1) }));
    assert_eq!((shop.last().action, shop.last().details["removed"].as_bool()), (Action::Password, Some(true)));
    assert!(!shop.store().read(|tx| tx.passwords().has(PrincipalId::Device(till))).unwrap());
    assert_eq!(remove(&stamp()), Ok(false));
    assert_eq!(shop.changes().len(), 1, "what changes nothing ends nothing");
}

#[test]
fn stores_are_opened_renamed_and_closed_but_the_last() {
    let shop = Shop::open();
    let first = shop.world.tenant.branches[0].clone();
    let branch = |called: &str| Branch { id: BranchId::new(AT, random()), name: called.to_owned() };
    let open = |stamp: &Stamp, store: &Branch| office::add_store(shop.store(), shop.id(), stamp, store).unwrap();
    let close = |id, version| office::close_store(shop.store(), shop.id(), &stamp(), id, version).unwrap();
    let rename =
        |id, version, to: &str| office::rename_store(shop.store(), shop.id(), &stamp(), id, version, Some(to)).unwrap();
    assert_eq!(close(first.id, None), Err(Refused::LastStore));
    let station = branch(" Station ");
    let tenant = open(&stamp(), &station).unwrap();
    assert_eq!(tenant.branches[1].name, "Station");
    assert_eq!((tenant.version, shop.last().action), (2, Action::StoreAdd));
    assert_eq!(shop.changes().last(), Some(&Change::Touched(Scope::Tenant(shop.id()))));
    assert_eq!(open(&stamp(), &branch("STATION")), Err(Refused::Taken { field: Field::Name, value: "STATION".into() }));
    assert!(matches!(open(&stamp(), &branch(" ")), Err(Refused::Invalid { field: Field::Name, .. })));
    assert_eq!(open(&caller(&["storeUpdate"]), &branch("x")), Err(missing("storeCreate")));
    assert_eq!(rename(station.id, Some(1), "Airport"), Err(Refused::Moved { current: 2 }));
    assert_eq!(rename(station.id, Some(2), "Airport").unwrap().branches[1].name, "Airport");
    assert_eq!(rename(station.id, None, "Airport").unwrap().version, 3, "the same again writes nothing");
    assert!(matches!(rename(station.id, None, "main"), Err(Refused::Taken { .. })));
    let nowhere = BranchId::new(AT, random());
    assert_eq!(rename(nowhere, None, "x"), Err(Refused::Absent { field: Field::Store, value: nowhere.to_string() }));
    assert_eq!(close(first.id, Some(3)).unwrap().branches.len(), 1);
    assert_eq!(close(first.id, None), Err(Refused::Absent { field: Field::Store, value: first.id.to_string() }));
    assert_eq!(close(station.id, None), Err(Refused::LastStore));
    let actions: Vec<Action> = shop.memory.audit().iter().map(|event| event.action).collect();
    assert_eq!(actions, [Action::StoreAdd, Action::StoreUpdate, Action::StoreClose]);
    for number in 0..199 {
        open(&stamp(), &branch(&number.to_string())).unwrap();
    }
    assert_eq!(open(&stamp(), &branch("one more")), Err(Refused::Full { field: Field::Store, most: 200 }));
}

#[test]
fn a_tenant_shortens_its_sessions_within_bounds() {
    let shop = Shop::open();
    let change = |stamp: &Stamp, change: &TenantChange| {
        office::change_tenant(shop.store(), stamp, shop.id(), None, change).unwrap()
    };
    let limits = SessionLimits { access: Some(Duration::from_mins(5)), ..SessionLimits::default() };
    let access = |access| TenantChange {
        limits: LimitsChange { access: Some(access), ..LimitsChange::default() },
        ..TenantChange::default()
    };
    let asked = access(limits.access);
    assert_eq!(change(&caller(&["userUpdate"]), &asked), Err(missing("tenantUpdate")));
    let after = change(&stamp(), &asked).unwrap();
    assert_eq!((after.limits, after.version), (limits, 2));
    assert_eq!(office::find_tenant(shop.store(), shop.id()).unwrap(), Some(after));
    assert_eq!(shop.last().details["access"], serde_json::json!({ "from": null, "to": 300 }));
    let refused = change(&stamp(), &access(Some(Duration::from_secs(1))));
    assert!(matches!(refused, Err(Refused::Span { field: Field::Access, .. })), "{refused:?}");
    let zone = TenantChange { zone: Zone::parse("Asia/Jakarta").ok(), ..TenantChange::default() };
    assert_eq!(change(&stamp(), &zone).unwrap().limits, limits, "what is not named stays");
    assert_eq!(change(&stamp(), &access(None)).unwrap().limits, SessionLimits::default());
    let page = Page { after: None, limit: 10 };
    assert_eq!(office::list_tenants(shop.store(), &page).unwrap().len(), 1);
}

#[test]
fn all_sessions_of_somebody_end_at_once() {
    let shop = Shop::open();
    let World { cashier, p01, tenant, .. } = &shop.world;
    let end = |stamp: &Stamp, whose| office::end_sessions(shop.store(), shop.id(), stamp, whose, false).unwrap();
    let manager = || caller(&["sessionDelete"]);
    for (whose, scope) in [
        (Whose::User(cashier.id), Scope::User(cashier.id)),
        (Whose::Device(p01.id), Scope::Device(p01.id)),
        (Whose::Everyone, Scope::Tenant(tenant.id)),
    ] {
        assert_eq!(end(&caller(&["userUpdate"]), whose), Err(missing("sessionDelete")));
        assert_eq!(end(&manager(), whose), Ok(()));
        assert_eq!(shop.changes().last(), Some(&Change::Raised { scope, epoch: Epoch(1) }));
        assert_eq!(shop.last().action, Action::SessionEnd);
    }
    // one's own are one's own to end
    let own = Stamp { actor: Actor { user: Some(cashier.id), ..Actor::default() }, ..caller(&[]) };
    assert_eq!(end(&own, Whose::User(cashier.id)), Ok(()));
    let own = Stamp { actor: Actor { user: Some(cashier.id), ..Actor::default() }, ..caller(&[]) };
    assert_eq!(end(&own, Whose::User(shop.world.manager.id)), Err(missing("sessionDelete")));
    let elsewhere = TenantId::new(AT, random());
    let foreign = office::end_sessions(shop.store(), elsewhere, &manager(), Whose::User(cashier.id), false).unwrap();
    assert_eq!(foreign, Err(Refused::Absent { field: Field::User, value: cashier.id.to_string() }));
}

#[test]
fn what_belongs_to_another_tenant_is_not_there() {
    let shop = Shop::open();
    let night = shop.role("night", &["storno"], ALL);
    let elsewhere = office::add_tenant(shop.store(), &stamp(), &new_tenant("other")).unwrap().unwrap().id;
    assert_eq!(office::find_role(shop.store(), elsewhere, night.id).unwrap(), None);
    let change = RoleChange { label: Some("x".into()), ..RoleChange::default() };
    let absent = Err(Refused::Absent { field: Field::Role, value: night.id.to_string() });
    assert_eq!(office::change_role(shop.store(), elsewhere, &stamp(), night.id, None, &change).unwrap(), absent);
    assert_eq!(office::delete_role(shop.store(), elsewhere, &stamp(), night.id, None).unwrap(), absent);
    let password = office::remove_password(shop.store(), elsewhere, &stamp(), shop.world.p01.id).unwrap();
    assert!(matches!(password, Err(Refused::Absent { field: Field::Device, .. })));
}
