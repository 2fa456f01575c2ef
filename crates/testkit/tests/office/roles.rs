//! The rules for roles: how a change is recorded, when a role cannot be removed, and rights that
//! callers cannot give themselves through a role.

use std::collections::BTreeSet;

use tillgate_domain::office::{DeviceChange, DeviceRolesChange, FieldName, OfficeError, RoleChange};
use tillgate_domain::{Action, Change, Environment, Rights, Scope, Subject, UserStatus};

use crate::inputs::*;
use crate::staffed_fixture::*;

#[test]
fn role_change_notifies_its_holders_only() {
    let shop = StaffedFixture::open();
    let before = shop.list_changes().len();
    let night = shop.add_role("night", &["storno"], &[Environment::Pda]);
    assert_eq!(shop.list_changes().len(), before, "nobody holds a new role");
    shop.assign(shop.fixture.user("manager").id, &["night", "manager"], DeviceRolesChange::Keep).unwrap();
    shop.assign(shop.fixture.user("cashier").id, &[], roles_only_on(shop.fixture.device("P02"), &["night"])).unwrap();
    let equip = DeviceChange { roles: Some(vec![parse_role("night")]), ..DeviceChange::default() };
    shop.change_device(shop.fixture.device("P01").id, &audit_context(), &equip).unwrap();
    let before = shop.list_changes().len();
    let change = RoleChange {
        name: Some(parse_role("late")),
        label: Some("Late".into()),
        rights: Some(parse_rights(&["storno", "ticketClose"])),
        environments: Some(ALL_ENVIRONMENTS.iter().copied().collect()),
        ..RoleChange::default()
    };
    let after = shop.change_role(&audit_context(), &night, &change).unwrap();
    assert_eq!((after.name.as_str(), after.label.as_str(), after.version), ("late", "Late", 2));
    let mut touched = shop.list_changes().split_off(before);
    touched.sort_by_key(|change| format!("{change:?}"));
    let (manager, cashier) =
        (Scope::User(shop.fixture.user("manager").id), Scope::User(shop.fixture.user("cashier").id));
    let mut expected = [Scope::Device(shop.fixture.device("P01").id), cashier, manager].map(Change::Invalidated);
    expected.sort_by_key(|change| format!("{change:?}"));
    assert_eq!(touched, expected);
    let recorded = shop.last_event();
    assert_eq!(recorded.action, Action::RoleUpdate);
    assert_eq!(recorded.details["rights"], serde_json::json!({ "from": ["storno"], "to": ["storno", "ticketClose"] }));
    assert_eq!(shop.unguarded().find_role(night.id).unwrap(), Some(after.clone()));
    // the same change again writes nothing
    let count = shop.store.audit_events().len();
    assert_eq!(shop.change_role(&audit_context(), &night, &change).unwrap(), after);
    assert_eq!(shop.store.audit_events().len(), count);
    let by = |version: i64| shop.office().change_role(night.id, Some(&[version]), &change).unwrap();
    assert_eq!(by(1), Err(OfficeError::VersionMismatch { subject: Subject::Role(night.id), current: 2 }));
    let taken = RoleChange { name: Some(parse_role("Cashier")), ..RoleChange::default() };
    let refused = shop.change_role(&audit_context(), &night, &taken);
    assert_eq!(refused, Err(OfficeError::AlreadyExists { field: FieldName::Name, value: "Cashier".into() }));
    let empty = RoleChange { rights: Some(Rights::default()), ..RoleChange::default() };
    assert_eq!(
        shop.change_role(&audit_context(), &night, &empty),
        Err(OfficeError::Required { field: FieldName::Rights })
    );
    let nowhere = RoleChange { environments: Some(BTreeSet::new()), ..RoleChange::default() };
    assert_eq!(
        shop.change_role(&audit_context(), &night, &nowhere),
        Err(OfficeError::Required { field: FieldName::Environments })
    );
}

#[test]
fn built_in_role_is_unchangeable() {
    let shop = StaffedFixture::open();
    for role in &shop.fixture.roles {
        let change = RoleChange { label: Some("x".into()), ..RoleChange::default() };
        let built_in = OfficeError::BuiltInRole(role.name.clone());
        let text = format!("the role \"{}\" is built in and cannot be changed; add a role of your own", role.name);
        assert_eq!(built_in.to_string(), text);
        assert_eq!(shop.change_role(&audit_context(), role, &change), Err(built_in.clone()));
        assert_eq!(shop.delete_role(&audit_context(), role), Err(built_in));
    }
    assert_eq!(shop.unguarded().list_roles().unwrap().len(), 3);
}

#[test]
fn role_in_use_is_not_deleted() {
    let shop = StaffedFixture::open();
    let night = shop.add_role("night", &["storno"], ALL_ENVIRONMENTS);
    let manager = shop.fixture.user("manager").id;
    shop.assign(manager, &["night", "manager"], DeviceRolesChange::Keep).unwrap();
    let in_use = |by: &[&str], total| OfficeError::InUse {
        role: night.name.clone(),
        by: by.iter().map(|who| (*who).to_owned()).collect(),
        total,
    };
    assert_eq!(shop.delete_role(&audit_context(), &night), Err(in_use(&["user manager"], 1)));
    let equip = |roles: &[&str]| DeviceChange {
        roles: Some(roles.iter().map(|named| parse_role(named)).collect()),
        ..DeviceChange::default()
    };
    shop.change_device(shop.fixture.device("P01").id, &audit_context(), &equip(&["night"])).unwrap();
    assert_eq!(shop.delete_role(&audit_context(), &night), Err(in_use(&["user manager", "device P01"], 2)));
    let text = in_use(&["user manager", "device P01"], 7).to_string();
    assert!(text.starts_with("the role \"night\" is assigned to user manager, device P01 and 5 more"), "{text}");
    shop.assign(manager, &["manager"], roles_only_on(shop.fixture.device("P02"), &["night"])).unwrap();
    shop.change_device(shop.fixture.device("P01").id, &audit_context(), &equip(&[])).unwrap();
    assert_eq!(shop.delete_role(&audit_context(), &night), Err(in_use(&["user manager"], 1)), "on a device alone");
    // a deleted user no longer has any role
    shop.office().set_user_status(manager, UserStatus::Deleted).unwrap().unwrap();
    let before = shop.list_changes().len();
    assert_eq!(shop.delete_role(&audit_context(), &night).unwrap().id, night.id);
    assert_eq!(shop.unguarded().find_role(night.id).unwrap(), None);
    assert_eq!((shop.last_event().action, shop.list_changes().len()), (Action::RoleDelete, before));
    assert_eq!(
        shop.delete_role(&audit_context(), &night),
        Err(OfficeError::NotFound { field: FieldName::Role, value: night.id.to_string() })
    );
}

#[test]
fn role_change_grants_no_more_than_the_caller_has() {
    let shop = StaffedFixture::open();
    let night = shop.add_role("night", &["storno"], ALL_ENVIRONMENTS);
    let strong = shop.add_role("strong", &["userDelete"], ALL_ENVIRONMENTS);
    let clerk = || caller_context(&["roleUpdate", "roleDelete", "storno"]);
    let allow = |allows: &[&str]| RoleChange { rights: Some(parse_rights(allows)), ..RoleChange::default() };
    assert_eq!(
        shop.change_role(&caller_context(&["storno"]), &night, &allow(&["storno"])),
        Err(missing_right("roleUpdate"))
    );
    assert_eq!(shop.change_role(&clerk(), &night, &allow(&["storno", "userDelete"])), Err(missing_right("userDelete")));
    assert_eq!(shop.change_role(&clerk(), &night, &allow(&["admin"])), Err(missing_right("admin")));
    // callers can neither remove a right that they do not have, nor move the role to another
    // environment
    assert_eq!(shop.change_role(&clerk(), &strong, &allow(&["storno"])), Err(missing_right("userDelete")));
    let elsewhere = RoleChange { environments: Some([Environment::Tool].into()), ..RoleChange::default() };
    assert_eq!(shop.change_role(&clerk(), &strong, &elsewhere), Err(missing_right("userDelete")));
    assert_eq!(shop.delete_role(&clerk(), &strong), Err(missing_right("userDelete")));
    assert!(shop.change_role(&clerk(), &night, &allow(&["roleUpdate", "storno"])).is_ok());
    assert_eq!(shop.delete_role(&caller_context(&["roleUpdate", "storno"]), &night), Err(missing_right("roleDelete")));
}
