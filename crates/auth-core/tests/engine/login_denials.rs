//! Denied logins: the reason is revealed only after the right password.

use tillgate_auth_core::{LoginDenied, LoginRequest, Tenancy};
use tillgate_domain::office::{DeviceRolesChange, Office};
use tillgate_domain::{Action, DeviceName, DeviceStatus, EventOutcome, PrincipalId, Slug, UserStatus};
use tillgate_testkit::clock::CLOCK_START;

use crate::shop::{Shop, by_device, by_user, done, login_refused, stamp, status, with_password};

/// Checks that the login is denied like this with the right password, and as a mismatch with a
/// wrong or no password; each costs one hash.
fn refused(shop: &Shop, what: &str, login: LoginRequest, expected: LoginDenied) {
    let before = (shop.sessions(), shop.hasher.verification_count());
    assert_eq!(login_refused(shop.auth.login(&login)), expected, "{what}");
    for wrong in ["wrong", ""] {
        let login = with_password(login.clone(), wrong);
        assert_eq!(login_refused(shop.auth.login(&login)), LoginDenied::Mismatch, "{what}: {wrong:?}");
    }
    assert_eq!((shop.sessions(), shop.hasher.verification_count()), (before.0, before.1 + 3), "{what}");
    let told = shop.audit_events(Action::Login);
    assert_eq!(told.iter().filter(|event| event.outcome == EventOutcome::Refused).count(), 3, "{what}");
}

fn device_status(shop: &Shop, name: &str, status: DeviceStatus) {
    let tenant = shop.world.tenant.id;
    let device = shop.world.devices().into_iter().find(|device| device.name.as_str() == name).unwrap();
    done(Office::new(shop.office_store(), tenant, stamp(CLOCK_START)).set_device_status(device.id, status));
}

#[test]
fn unknown_name_is_reported_as_mismatch() {
    for name in ["nobody", "nobody@example.com", "", "@", "cashier@elsewhere"] {
        refused(&Shop::open(), name, by_user(name, None), LoginDenied::Mismatch);
    }
    refused(&Shop::open(), "device", by_device("P99"), LoginDenied::Mismatch);
}

#[test]
fn wrong_or_empty_password_is_denied() {
    refused(
        &Shop::open(),
        "wrong",
        with_password(by_user("cashier", None), "the password of manager"),
        LoginDenied::Mismatch,
    );
    refused(&Shop::open(), "empty", with_password(by_user("cashier", None), ""), LoginDenied::Mismatch);
    refused(&Shop::open(), "device", with_password(by_device("P01"), "wrong"), LoginDenied::Mismatch);
}

#[test]
fn empty_password_is_denied_whatever_is_stored() {
    let shop = Shop::open();
    shop.set_password(PrincipalId::User(shop.world.cashier.id), "");
    refused(&shop, "empty", with_password(by_user("cashier", None), ""), LoginDenied::Mismatch);
}

#[test]
fn inactive_user_is_denied() {
    let shop = Shop::open();
    shop.suspend(shop.world.cashier.id);
    refused(&shop, "suspended", by_user("cashier", Some("P01")), LoginDenied::Suspended);
    refused(&Shop::open(), "pending", by_user("trainee", None), LoginDenied::Pending);
    let shop = Shop::open();
    status(shop.office_store(), &shop.world, shop.world.cashier.id, UserStatus::Deleted);
    refused(&shop, "deleted", by_user("cashier", None), LoginDenied::Mismatch);
}

#[test]
fn virtual_user_never_logs_in() {
    refused(&Shop::open(), "virtual", by_user("robot", None), LoginDenied::VirtualUser);
}

#[test]
fn login_on_foreign_or_inactive_device_is_denied() {
    refused(&Shop::open(), "not in the list", by_user("driver", Some("P01")), LoginDenied::DeviceNotAllowed);
    refused(&Shop::open(), "no such device", by_user("cashier", Some("P99")), LoginDenied::DeviceNotAllowed);
    refused(&Shop::open(), "no office role", by_user("driver", None), LoginDenied::DeviceNotAllowed);
    for status in [DeviceStatus::Locked, DeviceStatus::Retired] {
        let shop = Shop::open();
        device_status(&shop, "P01", status);
        refused(&shop, "not in use", by_user("cashier", Some("P01")), LoginDenied::DeviceNotAllowed);
    }
}

#[test]
fn inactive_device_is_denied() {
    for (status, expected) in
        [(DeviceStatus::Locked, LoginDenied::Suspended), (DeviceStatus::Retired, LoginDenied::Retired)]
    {
        let shop = Shop::open();
        device_status(&shop, "P01", status);
        refused(&shop, "as itself", by_device("P01"), expected);
    }
}

#[test]
fn user_whose_roles_were_removed_is_denied() {
    let shop = Shop::open();
    let (tenant, cashier) = (shop.world.tenant.id, shop.world.cashier.id);
    let off = DeviceRolesChange::Edit { set: Vec::new(), remove: vec![DeviceName::parse("P01").unwrap()] };
    done(Office::new(shop.office_store(), tenant, stamp(CLOCK_START)).assign_roles(cashier, Some(Vec::new()), off));
    assert_eq!(login_refused(shop.auth.login(&by_user("cashier", None))), LoginDenied::DeviceNotAllowed);
    assert_eq!(login_refused(shop.auth.login(&by_user("cashier", Some("P01")))), LoginDenied::DeviceNotAllowed);
    assert!(shop.auth.login(&by_user("cashier", Some("P02"))).is_ok());
}

#[test]
fn other_tenant_is_reported_as_mismatch() {
    let asked = |slug: &str| Tenancy { fixed: None, requested: Some(slug.to_owned()) };
    let fixed = |slug: &str, asked: Option<&str>| Tenancy {
        fixed: Slug::parse(slug).ok(),
        requested: asked.map(str::to_owned),
    };
    for (what, login, tenancy) in [
        ("a name in another tenant", "cashier", asked("market")),
        ("an address in another tenant", "cashier@example.com", asked("market")),
        ("no such tenant", "cashier", asked("elsewhere")),
        ("no such tenant, by address", "cashier@example.com", asked("elsewhere")),
        ("no slug at all", "cashier", asked("Not A Slug")),
        ("the mount serves another", "cashier", fixed("market", None)),
        ("the mount serves another, by address", "cashier@example.com", fixed("market", None)),
        ("asked for where the mount serves another", "cashier", fixed("market", Some("default"))),
        ("asked for another where the mount serves mine", "cashier", fixed("default", Some("market"))),
        ("by address, asked for another", "cashier@example.com", fixed("default", Some("market"))),
    ] {
        refused(&Shop::open(), what, LoginRequest { tenancy, ..by_user(login, None) }, LoginDenied::Mismatch);
    }
}
