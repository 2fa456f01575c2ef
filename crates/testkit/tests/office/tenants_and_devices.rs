//! The rules for tenants, devices and roles, and the isolation of tenants.

use std::collections::BTreeSet;

use tillgate_domain::office::{
    self, DeviceChange, FieldName, NewRole, Office, OfficeError, SettingsChange, UnguardedOffice, UserChange,
};
use tillgate_domain::{
    Action, Change, DeviceStatus, Environment, Epoch, PrincipalId, Right, Rights, RoleId, Scope, Secret,
};

use crate::fixture::*;
use crate::inputs::*;

#[test]
fn new_tenant_has_roles_and_a_unique_slug() {
    let shop = OfficeFixture::open();
    let names: BTreeSet<String> =
        shop.unguarded().list_roles().unwrap().iter().map(|role| role.name.to_string()).collect();
    assert_eq!(names, ["admin", "cashier", "manager"].map(str::to_owned).into());
    assert_eq!(
        office::add_tenant(shop.store(), &audit_context(), &new_tenant("default")).unwrap(),
        Err(already_exists(FieldName::Slug, "default"))
    );
    assert_eq!(shop.unguarded().list_roles().unwrap().len(), 3);
    assert_eq!(shop.list_actions(), [Action::TenantAdd]);
}

#[test]
fn locked_device_ends_its_sessions_and_retired_one_stays_retired() {
    let shop = OfficeFixture::open();
    let till = shop.add_device("P01");
    let to = |status| shop.office().set_device_status(till.id, status).unwrap();
    assert_eq!(to(DeviceStatus::Locked).unwrap().epoch, Epoch(1));
    assert_eq!(
        shop.list_changes().last(),
        Some(&Change::EpochBumped { scope: Scope::Device(till.id), epoch: Epoch(1) })
    );
    assert_eq!(to(DeviceStatus::Active).unwrap().epoch, Epoch(1));
    assert_eq!(shop.list_changes().last(), Some(&Change::Invalidated(Scope::Device(till.id))));
    assert_eq!(to(DeviceStatus::Retired).unwrap().epoch, Epoch(2));
    assert_eq!(to(DeviceStatus::Active), Err(OfficeError::InvalidStatusTransition { from: "retired", to: "active" }));
    assert_eq!(shop.list_actions().last(), Some(&Action::DeviceStatus));
}

#[test]
fn device_settings_are_edited() {
    let shop = OfficeFixture::open();
    let till = shop.add_device("P01");
    let edit = |key: &str, value: &str| {
        let settings = SettingsChange::Edit([(key.to_owned(), value.to_owned())].into());
        let change = DeviceChange { settings, ..DeviceChange::default() };
        shop.office().change_device(till.id, None, &change).unwrap().unwrap().settings
    };
    edit("stock", "S01");
    assert_eq!(edit("fiscal", "eKasa").len(), 2);
    assert_eq!(edit("stock", "").keys().collect::<Vec<_>>(), ["fiscal"]);
}

#[test]
fn resources_of_another_tenant_do_not_exist() {
    let shop = OfficeFixture::open();
    let elsewhere = office::add_tenant(shop.store(), &audit_context(), &new_tenant("elsewhere")).unwrap().unwrap().id;
    let (anna, till) = (shop.add_user("anna", &[]), shop.add_device("P01"));
    assert_eq!(UnguardedOffice::new(shop.store(), elsewhere).find_user(anna.id).unwrap(), None);
    assert_eq!(UnguardedOffice::new(shop.store(), elsewhere).find_device(till.id).unwrap(), None);
    let change = UserChange { display_name: Some("x".into()), ..UserChange::default() };
    let changed = Office::new(shop.store(), elsewhere, audit_context()).change_user(anna.id, None, &change).unwrap();
    assert_eq!(changed, Err(OfficeError::NotFound { field: FieldName::User, value: anna.id.to_string() }));
    let locked =
        Office::new(shop.store(), elsewhere, audit_context()).set_device_status(till.id, DeviceStatus::Locked).unwrap();
    assert_eq!(locked, Err(OfficeError::NotFound { field: FieldName::Device, value: till.id.to_string() }));
    for principal in [PrincipalId::User(anna.id), PrincipalId::Device(till.id)] {
        let verifier = Secret::new("hash".to_owned());
        assert!(
            Office::new(shop.store(), elsewhere, audit_context()).set_password(principal, &verifier).unwrap().is_err()
        );
        assert!(Office::new(shop.store(), elsewhere, audit_context()).unlock_principal(principal).unwrap().is_err());
    }
}

#[test]
fn custom_role_has_rights_environments_and_a_unique_name() {
    let shop = OfficeFixture::open();
    let new = NewRole {
        id: RoleId::new(NOW, random_bytes()),
        name: parse_role("night"),
        label: "Night".into(),
        description: String::new(),
        rights: Right::parse("storno").into_iter().collect(),
        environments: [Environment::Pda].into(),
    };
    let add = |new: &NewRole| shop.office().add_role(new).unwrap();
    assert!(!add(&new).unwrap().built_in);
    assert_eq!(shop.list_changes(), [], "it concerns nobody yet");
    let again = NewRole { id: RoleId::new(NOW, random_bytes()), ..new.clone() };
    assert_eq!(add(&again), Err(already_exists(FieldName::Name, "night")));
    let other = NewRole { name: parse_role("other"), ..again };
    assert_eq!(
        add(&NewRole { rights: Rights::default(), ..other.clone() }),
        Err(OfficeError::Required { field: FieldName::Rights })
    );
    let nowhere = NewRole { environments: BTreeSet::new(), ..other };
    assert_eq!(add(&nowhere), Err(OfficeError::Required { field: FieldName::Environments }));
}
