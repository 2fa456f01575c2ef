//! The rules for devices: change of environment, retirement, removal of a password, and rights that
//! a caller cannot grant through a device.

use serde_json::json;
use tillgate_domain::office::{
    ApiKeyChange, AuditContext, DeviceChange, DeviceRolesChange, FieldName, NewApiKey, NewDevice, OfficeError,
};
use tillgate_domain::{
    Action, ApiKeyId, Branch, BranchId, Change, DeviceStatus, Environment, Epoch, PrincipalId, Scope, StoreExt,
};

use crate::inputs::*;
use crate::staffed_fixture::*;

#[test]
fn device_or_api_key_grants_no_more_than_the_caller_has() {
    let shop = StaffedFixture::open();
    let (p01, desk, cashier) =
        (shop.fixture.device("P01"), shop.fixture.device("OFFICE"), shop.fixture.user("cashier"));
    // the role applies in the office only, so the cashier does not have it on the till
    shop.add_role("ledger", &["auditRead"], &[Environment::BackOffice]);
    shop.assign(cashier.id, &["cashier"], roles_only_on(p01, &["cashier", "ledger"])).unwrap();
    let moved = DeviceChange { environment: Some(Environment::BackOffice), ..DeviceChange::default() };
    let clerk = |more: &[&str]| {
        caller_context(
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
    assert_eq!(shop.change_device(p01.id, &clerk(&[]), &moved), Err(missing_right("auditRead")));
    assert_eq!(
        shop.change_device(p01.id, &clerk(&["auditRead"]), &moved).unwrap().environment,
        Environment::BackOffice
    );
    let roles = DeviceChange { roles: Some(vec![parse_role("admin")]), ..DeviceChange::default() };
    assert_eq!(shop.change_device(desk.id, &clerk(&[]), &roles), Err(missing_right("admin")));
    let key = NewApiKey {
        id: ApiKeyId::new(NOW, random_bytes()),
        client_id: "client".into(),
        wrapped_secret: vec![1],
        name: "Window".into(),
        description: String::new(),
        active: true,
        user: cashier.name.clone(),
        device: p01.name.clone(),
        permissions: parse_rights(&["ticketClose", "userDelete"]),
        expires_at: None,
    };
    let maker = clerk(&["auditRead", "apiKeyCreate", "apiKeyUpdate"]);
    // the cashier does not have the right now, but may be given it later
    assert_eq!(shop.office_as(maker.clone()).add_api_key(&key).unwrap(), Err(missing_right("userDelete")));
    let modest = NewApiKey { permissions: parse_rights(&["ticketClose"]), ..key };
    let made = shop.office_as(maker.clone()).add_api_key(&modest).unwrap().unwrap();
    let more = ApiKeyChange { permissions: Some(parse_rights(&["userDelete"])), ..ApiKeyChange::default() };
    let maker = clerk(&["auditRead", "apiKeyCreate", "apiKeyUpdate"]);
    let changed = shop.office_as(maker.clone()).change_api_key(made.id, None, &more).unwrap();
    assert_eq!(changed, Err(missing_right("userDelete")));
}

#[test]
fn rights_beyond_the_callers_cannot_be_removed() {
    let shop = StaffedFixture::open();
    let (p01, manager) = (shop.fixture.device("P01"), shop.fixture.user("manager"));
    let clerk = || caller_context(&["userUpdate", "deviceUpdate", "ticketClose"]);
    let (roles, nowhere) = (Some(Vec::new()), DeviceRolesChange::Replace(Vec::new()));
    let taken = shop.office_as(clerk()).assign_roles(manager.id, roles, nowhere).unwrap();
    assert!(matches!(taken, Err(OfficeError::RightMissing(_))), "{taken:?}");
    let equip = |roles: &[&str]| DeviceChange {
        roles: Some(roles.iter().map(|named| parse_role(named)).collect()),
        ..DeviceChange::default()
    };
    shop.change_device(p01.id, &audit_context(), &equip(&["admin"])).unwrap();
    assert_eq!(shop.change_device(p01.id, &clerk(), &equip(&[])), Err(missing_right("admin")));
    assert!(shop.change_device(p01.id, &caller_context(&["admin"]), &equip(&[])).is_ok());
}

#[test]
fn changed_device_kind_ends_its_sessions() {
    let shop = StaffedFixture::open();
    let till = shop.fixture.device("P01");
    let change = DeviceChange { environment: Some(Environment::Tool), ..DeviceChange::default() };
    let after = shop.change_device(till.id, &audit_context(), &change).unwrap();
    assert_eq!((after.environment, after.epoch), (Environment::Tool, Epoch(1)));
    assert_eq!(
        shop.list_changes().last(),
        Some(&Change::EpochBumped { scope: Scope::Device(till.id), epoch: Epoch(1) })
    );
    let recorded = shop.last_event();
    assert_eq!(recorded.details["environment"], serde_json::json!({ "from": "CashRegister", "to": "Tool" }));
    assert_eq!(
        shop.change_device(till.id, &audit_context(), &change).unwrap().epoch,
        Epoch(1),
        "the same again ends nothing"
    );
}

#[test]
fn retired_device_frees_its_name_roles_and_user_lists() {
    let shop = StaffedFixture::open();
    let (p01, cashier) = (shop.fixture.device("P01"), shop.fixture.user("cashier"));
    let retired = shop.set_status(p01.id, DeviceStatus::Retired).unwrap();
    assert_eq!((retired.status, retired.roles.len()), (DeviceStatus::Retired, 0));
    let user = shop.unguarded().find_user(cashier.id).unwrap().unwrap();
    assert!(!user.assignment.devices.contains_key(&p01.id));
    assert_eq!(user.version, cashier.version + 1);
    // the device is not assigned again
    let again = shop.assign(cashier.id, &["cashier"], roles_only_on(p01, &["cashier"]));
    assert_eq!(again, Err(OfficeError::UnknownName { field: FieldName::Devices, value: "P01".into() }));
    let next = NewDevice { roles: Vec::new(), ..new_device("p01") };
    let next = shop.office().add_device(&next).unwrap().unwrap();
    let found = shop.unguarded().find_device_by_name(&p01.name).unwrap().unwrap();
    assert_eq!(found.id, next.id);
    assert_eq!(shop.unguarded().find_device(p01.id).unwrap().unwrap().status, DeviceStatus::Retired);
}

#[test]
fn store_with_devices_is_closed_once_they_have_left() {
    let shop = StaffedFixture::open();
    let first = shop.fixture.tenant.branches[0].id;
    let station = Branch { id: BranchId::new(NOW, random_bytes()), name: "Station".to_owned(), zone: None };
    shop.office().add_store(&station).unwrap().unwrap();
    let close = || shop.office().close_store(station.id, None).unwrap();
    let into = |branch| DeviceChange { branch: Some(branch), ..DeviceChange::default() };
    let p01 = shop.fixture.device("P01").id;
    let moved = shop.change_device(p01, &audit_context(), &into(Some(station.id))).unwrap();
    assert_eq!(moved.branch, Some(station.id));
    let recorded = shop.last_event();
    assert_eq!((recorded.action, &recorded.details["store"]["to"]), (Action::DeviceUpdate, &json!(station.id)));
    let added = NewDevice { branch: Some(station.id), ..new_device("P90") };
    let added = shop.office().add_device(&added).unwrap().unwrap();
    assert_eq!(shop.last_event().details["store"], json!(station.id));
    assert_eq!(close(), Err(OfficeError::StoreInUse { devices: 2 }));
    assert_eq!(shop.set_status(added.id, DeviceStatus::Retired).unwrap().branch, None, "it leaves its store");
    assert_eq!(close(), Err(OfficeError::StoreInUse { devices: 1 }));
    assert_eq!(OfficeError::StoreInUse { devices: 1 }.to_string(), "the store has 1 device; move or retire it first");
    shop.change_device(p01, &audit_context(), &into(None)).unwrap();
    assert_eq!(close().unwrap().branches.len(), 1);
    let unknown = OfficeError::UnknownName { field: FieldName::Store, value: station.id.to_string() };
    assert_eq!(shop.change_device(p01, &audit_context(), &into(Some(station.id))), Err(unknown.clone()));
    let gone = NewDevice { branch: Some(station.id), ..new_device("P91") };
    assert_eq!(shop.office().add_device(&gone).unwrap(), Err(unknown));
    let view = |branch| {
        shop.change_device(p01, &audit_context(), &into(branch)).unwrap();
        shop.unguarded().find_device_view(p01).unwrap().unwrap().store.map(|store| store.id)
    };
    assert_eq!((view(Some(first)), view(None)), (Some(first), None));
}

#[test]
fn removed_device_password_ends_its_sessions() {
    let shop = StaffedFixture::open();
    let till = shop.fixture.device("P01").id;
    let remove = |stamp: &AuditContext| shop.office_as(stamp.clone()).remove_password(till).unwrap();
    assert_eq!(remove(&caller_context(&["deviceUpdate"])), Err(missing_right("fiscalOpenDrawer")));
    assert_eq!(remove(&audit_context()), Ok(true));
    assert_eq!(shop.list_changes().last(), Some(&Change::EpochBumped { scope: Scope::Device(till), epoch: Epoch(1) }));
    assert_eq!(
        (shop.last_event().action, shop.last_event().details["removed"].as_bool()),
        (Action::Password, Some(true))
    );
    assert!(!shop.store().read("test", |tx| tx.passwords().has(PrincipalId::Device(till))).unwrap());
    assert_eq!(remove(&audit_context()), Ok(false));
    assert_eq!(shop.list_changes().len(), 1, "what changes nothing ends nothing");
}
