//! Who is not let in, and that nobody learns why before the password was right.

use tillgate_auth_core::{Login, LoginRefusal, Tenancy};
use tillgate_domain::office::{self, DeviceRoles};
use tillgate_domain::{Action, DeviceName, DeviceStatus, Outcome, PrincipalId, Slug, UserStatus};
use tillgate_testkit::clock::MORNING;

use crate::shop::{Shop, by_device, by_user, done, login_refused, stamp, status, with_password};

/// The login with the right password is refused like this, and with a wrong one or none like any other; each costs one hash.
fn refused(shop: &Shop, what: &str, login: Login, expected: LoginRefusal) {
    let before = (shop.sessions(), shop.hasher.verified());
    assert_eq!(login_refused(shop.auth.login(&login)), expected, "{what}");
    for wrong in ["wrong", ""] {
        let login = with_password(login.clone(), wrong);
        assert_eq!(login_refused(shop.auth.login(&login)), LoginRefusal::Mismatch, "{what}: {wrong:?}");
    }
    assert_eq!((shop.sessions(), shop.hasher.verified()), (before.0, before.1 + 3), "{what}");
    let told = shop.told(Action::Login);
    assert_eq!(told.iter().filter(|event| event.outcome == Outcome::Refused).count(), 3, "{what}");
}

fn device_status(shop: &Shop, name: &str, status: DeviceStatus) {
    let tenant = shop.world.tenant.id;
    let device = shop.world.devices().into_iter().find(|device| device.name.as_str() == name).unwrap();
    done(office::set_device_status(shop.office(), tenant, &stamp(MORNING), device.id, status));
}

#[test]
fn an_unknown_name_reads_as_a_wrong_password() {
    for name in ["nobody", "nobody@example.com", "", "@", "cashier@elsewhere"] {
        refused(&Shop::open(), name, by_user(name, None), LoginRefusal::Mismatch);
    }
    refused(&Shop::open(), "device", by_device("P99"), LoginRefusal::Mismatch);
}

#[test]
fn a_wrong_or_empty_password_is_refused() {
    refused(
        &Shop::open(),
        "wrong",
        with_password(by_user("cashier", None), "the password of manager"),
        LoginRefusal::Mismatch,
    );
    refused(&Shop::open(), "empty", with_password(by_user("cashier", None), ""), LoginRefusal::Mismatch);
    refused(&Shop::open(), "device", with_password(by_device("P01"), "wrong"), LoginRefusal::Mismatch);
}

#[test]
fn an_empty_password_proves_nothing_whatever_is_stored() {
    let shop = Shop::open();
    shop.set_password(PrincipalId::User(shop.world.cashier.id), "");
    refused(&shop, "empty", with_password(by_user("cashier", None), ""), LoginRefusal::Mismatch);
}

#[test]
fn a_user_who_is_not_active_is_refused() {
    let shop = Shop::open();
    shop.suspend(shop.world.cashier.id);
    refused(&shop, "suspended", by_user("cashier", Some("P01")), LoginRefusal::Suspended);
    refused(&Shop::open(), "pending", by_user("trainee", None), LoginRefusal::Pending);
    let shop = Shop::open();
    status(shop.office(), &shop.world, shop.world.cashier.id, UserStatus::Deleted);
    refused(&shop, "deleted", by_user("cashier", None), LoginRefusal::Mismatch);
}

#[test]
fn a_virtual_user_never_logs_in() {
    refused(&Shop::open(), "virtual", by_user("robot", None), LoginRefusal::Virtual);
}

#[test]
fn nobody_works_on_a_device_that_is_not_theirs_or_not_in_use() {
    refused(&Shop::open(), "not in the list", by_user("driver", Some("P01")), LoginRefusal::NotThere);
    refused(&Shop::open(), "no such device", by_user("cashier", Some("P99")), LoginRefusal::NotThere);
    refused(&Shop::open(), "no office role", by_user("driver", None), LoginRefusal::NotThere);
    for status in [DeviceStatus::Locked, DeviceStatus::Retired] {
        let shop = Shop::open();
        device_status(&shop, "P01", status);
        refused(&shop, "not in use", by_user("cashier", Some("P01")), LoginRefusal::NotThere);
    }
}

#[test]
fn a_device_that_is_not_in_use_does_not_log_in() {
    for (status, expected) in
        [(DeviceStatus::Locked, LoginRefusal::Suspended), (DeviceStatus::Retired, LoginRefusal::Retired)]
    {
        let shop = Shop::open();
        device_status(&shop, "P01", status);
        refused(&shop, "as itself", by_device("P01"), expected);
    }
}

#[test]
fn a_role_taken_away_shuts_the_office() {
    let shop = Shop::open();
    let (tenant, cashier) = (shop.world.tenant.id, shop.world.cashier.id);
    let off = DeviceRoles::Edit { on: Vec::new(), off: vec![DeviceName::parse("P01").unwrap()] };
    done(office::assign_roles(shop.office(), tenant, &stamp(MORNING), cashier, Some(Vec::new()), off));
    assert_eq!(login_refused(shop.auth.login(&by_user("cashier", None))), LoginRefusal::NotThere);
    assert_eq!(login_refused(shop.auth.login(&by_user("cashier", Some("P01")))), LoginRefusal::NotThere);
    assert!(shop.auth.login(&by_user("cashier", Some("P02"))).is_ok());
}

#[test]
fn another_tenant_reads_as_a_wrong_password() {
    let asked = |slug: &str| Tenancy { fixed: None, asked: Some(slug.to_owned()) };
    let fixed =
        |slug: &str, asked: Option<&str>| Tenancy { fixed: Slug::parse(slug).ok(), asked: asked.map(str::to_owned) };
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
        refused(&Shop::open(), what, Login { tenancy, ..by_user(login, None) }, LoginRefusal::Mismatch);
    }
}
