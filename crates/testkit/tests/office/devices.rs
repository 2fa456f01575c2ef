//! The rules of devices: another kind, retirement, a password that is taken away, and what nobody gives through one.

use tillgate_domain::office::{
    self, ApiKeyChange, DeviceChange, DeviceRoles, Field, NewApiKey, NewDevice, Refused, Stamp,
};
use tillgate_domain::{Action, ApiKeyId, Change, DeviceStatus, Environment, Epoch, PrincipalId, Scope, StoreExt};
use tillgate_testkit::World;

use crate::asked::*;
use crate::staffed::*;

#[test]
fn nobody_gives_more_through_a_device_or_a_key() {
    let shop = Shop::open();
    let World { p01, office: desk, cashier, .. } = &shop.world;
    // it counts in the office alone, so the cashier has none of it on the till
    shop.role("ledger", &["auditRead"], &[Environment::BackOffice]);
    shop.assign(cashier.id, &["cashier"], only_on(p01, &["cashier", "ledger"])).unwrap();
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
    let roles = DeviceChange { roles: Some(vec![role("admin")]), ..DeviceChange::default() };
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
fn nobody_takes_away_what_they_do_not_hold() {
    let shop = Shop::open();
    let World { p01, manager, .. } = &shop.world;
    let clerk = || caller(&["userUpdate", "deviceUpdate", "ticketClose"]);
    let (roles, nowhere) = (Some(Vec::new()), DeviceRoles::Replace(Vec::new()));
    let taken = office::assign_roles(shop.store(), shop.id(), &clerk(), manager.id, roles, nowhere).unwrap();
    assert!(matches!(taken, Err(Refused::Missing(_))), "{taken:?}");
    let equip = |roles: &[&str]| DeviceChange {
        roles: Some(roles.iter().map(|named| role(named)).collect()),
        ..DeviceChange::default()
    };
    shop.device(p01.id, &stamp(), &equip(&["admin"])).unwrap();
    assert_eq!(shop.device(p01.id, &clerk(), &equip(&[])), Err(missing("admin")));
    assert!(shop.device(p01.id, &caller(&["admin"]), &equip(&[])).is_ok());
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
    let again = shop.assign(cashier.id, &["cashier"], only_on(p01, &["cashier"]));
    assert_eq!(again, Err(Refused::Unknown { field: Field::Devices, value: "P01".into() }));
    let next = NewDevice { roles: Vec::new(), ..new_device("p01") };
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
