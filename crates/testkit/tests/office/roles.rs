//! The rules of roles: what is told of a change, who keeps one from going, and what nobody gives themselves by one.

use std::collections::BTreeSet;

use tillgate_domain::office::{self, DeviceChange, DeviceRoles, Field, Refused, RoleChange};
use tillgate_domain::{Action, Change, Environment, Rights, Scope, UserStatus};

use crate::asked::*;
use crate::staffed::*;

#[test]
fn a_changed_role_is_told_to_whoever_holds_it_and_to_nobody_else() {
    let shop = Shop::open();
    let before = shop.changes().len();
    let night = shop.role("night", &["storno"], &[Environment::Pda]);
    assert_eq!(shop.changes().len(), before, "nobody holds a new role");
    shop.assign(shop.world.manager.id, &["night", "manager"], DeviceRoles::Keep).unwrap();
    shop.assign(shop.world.cashier.id, &[], only_on(&shop.world.p02, &["night"])).unwrap();
    let equip = DeviceChange { roles: Some(vec![role("night")]), ..DeviceChange::default() };
    shop.device(shop.world.p01.id, &stamp(), &equip).unwrap();
    let before = shop.changes().len();
    let change = RoleChange {
        name: Some(role("late")),
        label: Some("Late".into()),
        rights: Some(rights(&["storno", "ticketClose"])),
        environments: Some(ALL.iter().copied().collect()),
        ..RoleChange::default()
    };
    let after = shop.change_role(&stamp(), &night, &change).unwrap();
    assert_eq!((after.name.as_str(), after.label.as_str(), after.version), ("late", "Late", 2));
    let mut touched = shop.changes().split_off(before);
    touched.sort_by_key(|change| format!("{change:?}"));
    let (manager, cashier) = (Scope::User(shop.world.manager.id), Scope::User(shop.world.cashier.id));
    let mut expected = [Scope::Device(shop.world.p01.id), cashier, manager].map(Change::Touched);
    expected.sort_by_key(|change| format!("{change:?}"));
    assert_eq!(touched, expected);
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
    let taken = RoleChange { name: Some(role("Cashier")), ..RoleChange::default() };
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
        roles: Some(roles.iter().map(|named| role(named)).collect()),
        ..DeviceChange::default()
    };
    shop.device(shop.world.p01.id, &stamp(), &equip(&["night"])).unwrap();
    assert_eq!(shop.delete_role(&stamp(), &night), Err(held(&["user manager", "device P01"], 2)));
    assert!(held(&["user manager", "device P01"], 7).to_string().contains("user manager, device P01 and 5 more"));
    shop.assign(manager, &["manager"], only_on(&shop.world.p02, &["night"])).unwrap();
    shop.device(shop.world.p01.id, &stamp(), &equip(&[])).unwrap();
    assert_eq!(shop.delete_role(&stamp(), &night), Err(held(&["user manager"], 1)), "on a device alone");
    // who is deleted holds nothing any more
    office::set_user_status(shop.store(), shop.id(), &stamp(), manager, UserStatus::Deleted).unwrap().unwrap();
    let before = shop.changes().len();
    assert_eq!(shop.delete_role(&stamp(), &night).unwrap().id, night.id);
    assert_eq!(office::find_role(shop.store(), shop.id(), night.id).unwrap(), None);
    assert_eq!((shop.last().action, shop.changes().len()), (Action::RoleDelete, before));
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
