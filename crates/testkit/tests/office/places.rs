//! The rules of tenants, devices and roles, and of the walls between tenants.

use std::collections::BTreeSet;

use tillgate_domain::office::{self, DeviceChange, Field, NewRole, Refused, SettingsChange, UserChange};
use tillgate_domain::{
    Action, Change, DeviceStatus, Environment, Epoch, PrincipalId, Right, Rights, RoleId, Scope, Secret,
};

use crate::asked::*;
use crate::shop::*;

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
    assert_eq!(shop.changes(), [], "it concerns nobody yet");
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
