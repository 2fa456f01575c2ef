//! The last admin who can log in stays one, whatever is changed: their role, their device, their password.

use tillgate_domain::office::{self, DeviceRoles, NewUser, Refused, RoleChange, RolesOn};
use tillgate_domain::{DeviceStatus, Environment, PrincipalId, Secret, UserStatus};
use tillgate_testkit::World;

use crate::asked::*;
use crate::staffed::*;

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
    let renamed = RoleChange { name: Some(role("boss")), ..RoleChange::default() };
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
    shop.assign(admin.id, &[], only_on(p01, &["admin"])).unwrap();
    for status in [DeviceStatus::Locked, DeviceStatus::Retired, DeviceStatus::Pending] {
        assert_eq!(shop.status(p01.id, status), Err(Refused::LastAdmin), "{status:?}");
    }
    shop.status(p02.id, DeviceStatus::Locked).unwrap();
    assert_eq!(shop.assign(admin.id, &[], only_on(p02, &["admin"])), Err(Refused::LastAdmin), "that one is locked");
    shop.status(p02.id, DeviceStatus::Active).unwrap();
    assert_eq!(shop.assign(admin.id, &[], only_on(p02, &["admin"])), Ok(()));
    shop.status(p01.id, DeviceStatus::Locked).unwrap();
}

#[test]
fn an_admin_who_cannot_log_in_is_none() {
    let shop = Shop::open();
    let World { admin, p01, .. } = &shop.world;
    let add = |called: &str, roles: &[&str], devices: Vec<RolesOn>| {
        let new = NewUser { devices, ..new_user(called, roles) };
        office::add_user(shop.store(), shop.id(), &stamp(), &new).unwrap().unwrap()
    };
    let bare = add("bare", &["admin"], vec![on(p01.name.as_str(), &["admin"])]);
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
