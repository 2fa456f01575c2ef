//! Denied logins: the reason is revealed only after the right password.

use tillgate_auth_core::{LoginDenied, LoginRequest, Tenancy};
use tillgate_domain::office::{DeviceRolesChange, Office};
use tillgate_domain::{Action, DeviceName, DeviceStatus, EventOutcome, PrincipalId, Slug, UserStatus};
use tillgate_testkit::clock::CLOCK_START;

use crate::fixture::{EngineFixture, by_device, by_user, done, login_refused, stamp, status, with_password};

/// Checks that the login is denied like this with the right password, and as a mismatch with a
/// wrong or no password; each costs one hash.
fn refused(fixture: &EngineFixture, what: &str, login: LoginRequest, expected: LoginDenied) {
    let before = (fixture.sessions(), fixture.hasher.verification_count());
    assert_eq!(login_refused(fixture.auth.login(&login)), expected, "{what}");
    for wrong in ["wrong", ""] {
        let login = with_password(login.clone(), wrong);
        assert_eq!(login_refused(fixture.auth.login(&login)), LoginDenied::Mismatch, "{what}: {wrong:?}");
    }
    assert_eq!((fixture.sessions(), fixture.hasher.verification_count()), (before.0, before.1 + 3), "{what}");
    let events = fixture.audit_events(Action::Login);
    assert_eq!(events.iter().filter(|event| event.outcome == EventOutcome::Refused).count(), 3, "{what}");
}

fn device_status(fixture: &EngineFixture, name: &str, status: DeviceStatus) {
    let tenant = fixture.records.tenant.id;
    let device = fixture.records.device(name);
    done(Office::new(fixture.office_store(), tenant, stamp(CLOCK_START)).set_device_status(device.id, status));
}

#[test]
fn unknown_name_is_reported_as_mismatch() {
    for name in ["nobody", "nobody@example.com", "", "@", "cashier@elsewhere"] {
        refused(&EngineFixture::open(), name, by_user(name, None), LoginDenied::Mismatch);
    }
    refused(&EngineFixture::open(), "device", by_device("P99"), LoginDenied::Mismatch);
}

#[test]
fn wrong_or_empty_password_is_denied() {
    refused(
        &EngineFixture::open(),
        "wrong",
        with_password(by_user("cashier", None), "the password of manager"),
        LoginDenied::Mismatch,
    );
    refused(&EngineFixture::open(), "empty", with_password(by_user("cashier", None), ""), LoginDenied::Mismatch);
    refused(&EngineFixture::open(), "device", with_password(by_device("P01"), "wrong"), LoginDenied::Mismatch);
}

#[test]
fn empty_password_is_denied_whatever_is_stored() {
    let fixture = EngineFixture::open();
    fixture.set_password(PrincipalId::User(fixture.records.user("cashier").id), "");
    refused(&fixture, "empty", with_password(by_user("cashier", None), ""), LoginDenied::Mismatch);
}

#[test]
fn inactive_user_is_denied() {
    let fixture = EngineFixture::open();
    fixture.suspend(fixture.records.user("cashier").id);
    refused(&fixture, "suspended", by_user("cashier", Some("P01")), LoginDenied::Suspended);
    refused(&EngineFixture::open(), "pending", by_user("trainee", None), LoginDenied::Pending);
    let fixture = EngineFixture::open();
    status(fixture.office_store(), &fixture.records, fixture.records.user("cashier").id, UserStatus::Deleted);
    refused(&fixture, "deleted", by_user("cashier", None), LoginDenied::Mismatch);
}

#[test]
fn virtual_user_never_logs_in() {
    refused(&EngineFixture::open(), "virtual", by_user("robot", None), LoginDenied::VirtualUser);
}

#[test]
fn login_on_foreign_or_inactive_device_is_denied() {
    refused(&EngineFixture::open(), "not in the list", by_user("driver", Some("P01")), LoginDenied::DeviceNotAllowed);
    refused(&EngineFixture::open(), "no such device", by_user("cashier", Some("P99")), LoginDenied::DeviceNotAllowed);
    refused(&EngineFixture::open(), "no office role", by_user("driver", None), LoginDenied::DeviceNotAllowed);
    for status in [DeviceStatus::Locked, DeviceStatus::Retired] {
        let fixture = EngineFixture::open();
        device_status(&fixture, "P01", status);
        refused(&fixture, "not in use", by_user("cashier", Some("P01")), LoginDenied::DeviceNotAllowed);
    }
}

#[test]
fn inactive_device_is_denied() {
    for (status, expected) in
        [(DeviceStatus::Locked, LoginDenied::Suspended), (DeviceStatus::Retired, LoginDenied::Retired)]
    {
        let fixture = EngineFixture::open();
        device_status(&fixture, "P01", status);
        refused(&fixture, "as itself", by_device("P01"), expected);
    }
}

#[test]
fn user_whose_roles_were_removed_is_denied() {
    let fixture = EngineFixture::open();
    let (tenant, cashier) = (fixture.records.tenant.id, fixture.records.user("cashier").id);
    let off = DeviceRolesChange::Edit { set: Vec::new(), remove: vec![DeviceName::parse("P01").unwrap()] };
    done(Office::new(fixture.office_store(), tenant, stamp(CLOCK_START)).assign_roles(cashier, Some(Vec::new()), off));
    assert_eq!(login_refused(fixture.auth.login(&by_user("cashier", None))), LoginDenied::DeviceNotAllowed);
    assert_eq!(login_refused(fixture.auth.login(&by_user("cashier", Some("P01")))), LoginDenied::DeviceNotAllowed);
    assert!(fixture.auth.login(&by_user("cashier", Some("P02"))).is_ok());
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
        refused(&EngineFixture::open(), what, LoginRequest { tenancy, ..by_user(login, None) }, LoginDenied::Mismatch);
    }
}
