//! The last admin who can log in keeps that ability, whatever is changed: role, device or password.

use tillgate_domain::office::{DeviceRoleAssignment, DeviceRolesChange, NewUser, OfficeError, RoleChange};
use tillgate_domain::{DeviceStatus, Environment, PrincipalId, Secret, UserStatus};

use crate::inputs::*;
use crate::staffed_fixture::*;

#[test]
fn role_of_the_last_admin_stays_admin() {
    let shop = StaffedFixture::open();
    let owner = shop.add_role("owner", &["admin"], ALL_ENVIRONMENTS);
    shop.assign(shop.fixture.user("manager").id, &["owner"], DeviceRolesChange::Keep).unwrap();
    let suspend = |user, status| shop.office().set_user_status(user, status).unwrap();
    suspend(shop.fixture.user("admin").id, UserStatus::Suspended).unwrap();
    let narrow = [
        RoleChange { rights: Some(parse_rights(&["storno"])), ..RoleChange::default() },
        RoleChange { environments: Some([Environment::Tool].into()), ..RoleChange::default() },
    ];
    for change in &narrow {
        assert_eq!(shop.change_role(&audit_context(), &owner, change), Err(OfficeError::LastAdmin));
    }
    assert!(matches!(shop.delete_role(&audit_context(), &owner), Err(OfficeError::InUse { .. })));
    assert_eq!(suspend(shop.fixture.user("manager").id, UserStatus::Suspended), Err(OfficeError::LastAdmin));
    let renamed = RoleChange { name: Some(parse_role("boss")), ..RoleChange::default() };
    assert!(shop.change_role(&audit_context(), &owner, &renamed).is_ok(), "a name makes nobody less");
    suspend(shop.fixture.user("admin").id, UserStatus::Active).unwrap();
    for change in &narrow {
        assert!(shop.change_role(&audit_context(), &owner, change).is_ok(), "there is another now");
    }
}

#[test]
fn device_of_the_last_admin_stays_in_use() {
    let shop = StaffedFixture::open();
    let (p01, p02, admin) = (shop.fixture.device("P01"), shop.fixture.device("P02"), shop.fixture.user("admin"));
    shop.assign(admin.id, &[], roles_only_on(p01, &["admin"])).unwrap();
    for status in [DeviceStatus::Locked, DeviceStatus::Retired, DeviceStatus::Pending] {
        assert_eq!(shop.set_status(p01.id, status), Err(OfficeError::LastAdmin), "{status:?}");
    }
    shop.set_status(p02.id, DeviceStatus::Locked).unwrap();
    assert_eq!(
        shop.assign(admin.id, &[], roles_only_on(p02, &["admin"])),
        Err(OfficeError::LastAdmin),
        "that one is locked"
    );
    shop.set_status(p02.id, DeviceStatus::Active).unwrap();
    assert_eq!(shop.assign(admin.id, &[], roles_only_on(p02, &["admin"])), Ok(()));
    shop.set_status(p01.id, DeviceStatus::Locked).unwrap();
}

#[test]
fn admin_who_cannot_log_in_does_not_count() {
    let shop = StaffedFixture::open();
    let (admin, p01) = (shop.fixture.user("admin"), shop.fixture.device("P01"));
    let add = |called: &str, roles: &[&str], devices: Vec<DeviceRoleAssignment>| {
        let new = NewUser { devices, ..new_user(called, roles) };
        shop.office().add_user(&new).unwrap().unwrap()
    };
    let bare = add("bare", &["admin"], vec![roles_on(p01.name.as_str(), &["admin"])]);
    let suspend = || shop.office().set_user_status(admin.id, UserStatus::Suspended).unwrap();
    assert_eq!(suspend(), Err(OfficeError::LastAdmin), "nobody logs in without a password");
    // this user does not count as an admin and can be removed
    let verifier = Secret::new("hash".to_owned());
    shop.office().set_password(PrincipalId::User(bare.id), &verifier).unwrap().unwrap();
    assert!(suspend().is_ok());
    let deleted = shop.office().set_user_status(bare.id, UserStatus::Deleted).unwrap();
    assert_eq!(deleted, Err(OfficeError::LastAdmin));
}
