//! Changes between the two units of work of a login, while its password is verified.

use std::sync::Arc;
use tillgate_domain::office::{DeviceRolesChange, Office};

use tillgate_auth_core::LoginDenied;
use tillgate_domain::{
    Action, DeviceStatus, EndReason, EventOutcome, KnownRight, PrincipalId, Scope, StoreExt, UserStatus,
};
use tillgate_test_store::TestStore;
use tillgate_testkit::Fixture;
use tillgate_testkit::clock::CLOCK_START;

use crate::fixture::{
    EngineFixture, assign, authenticate, by_device, by_user, done, login_refused, stamp, status, unavailable,
    with_password,
};
use tillgate_testkit::PlainHasher;

/// Runs a hook during the next login.
fn during_login(fixture: &EngineFixture, happening: impl FnOnce(&TestStore, &Fixture) + Send + 'static) {
    let (store, records) = (Arc::clone(&fixture.store), fixture.records.clone());
    fixture.hasher.before_next_verification(move || happening(&store, &records));
}

fn set_password(store: &TestStore, records: &Fixture, principal: PrincipalId, password: &str) {
    done(
        Office::new(store, records.tenant.id, stamp(CLOCK_START))
            .set_password(principal, &PlainHasher::verifier(password)),
    );
}

fn end_everything(store: &TestStore, scope: Scope) {
    let store: &dyn tillgate_domain::Store<tillgate_auth_core::AuthPorts> = store;
    store.write("test", |tx| tx.revocations().bump_epoch(scope, EndReason::Admin, CLOCK_START)).unwrap();
}

#[test]
fn old_password_is_denied_after_concurrent_change() {
    let fixture = EngineFixture::open();
    during_login(&fixture, |store, records| {
        set_password(store, records, PrincipalId::User(records.user("cashier").id), "another");
    });
    assert_eq!(login_refused(fixture.auth.login(&by_user("cashier", Some("P01")))), LoginDenied::Mismatch);
    assert_eq!(fixture.sessions(), 0);
    during_login(&fixture, |store, records| {
        set_password(store, records, PrincipalId::Device(records.device("P01").id), "another");
    });
    assert_eq!(login_refused(fixture.auth.login(&by_device("P01"))), LoginDenied::Mismatch);
    assert_eq!(fixture.sessions(), 0);
}

#[test]
fn new_password_counts_after_concurrent_change() {
    let fixture = EngineFixture::open();
    let (before, after) = ("the password of cashier", "another");
    during_login(&fixture, |store, records| {
        set_password(store, records, PrincipalId::User(records.user("cashier").id), "another");
    });
    // Wrong as it was read. It is not read again: an early login is denied.
    assert_eq!(
        login_refused(fixture.auth.login(&with_password(by_user("cashier", None), after))),
        LoginDenied::Mismatch
    );
    assert!(fixture.auth.login(&with_password(by_user("cashier", None), after)).is_ok());
    assert_eq!(
        login_refused(fixture.auth.login(&with_password(by_user("cashier", None), before))),
        LoginDenied::Mismatch
    );
}

#[test]
fn user_suspended_or_deleted_during_login_is_denied() {
    for (to, expected) in
        [(UserStatus::Suspended, LoginDenied::Suspended), (UserStatus::Deleted, LoginDenied::Mismatch)]
    {
        let fixture = EngineFixture::open();
        during_login(&fixture, move |store, records| status(store, records, records.user("cashier").id, to));
        assert_eq!(login_refused(fixture.auth.login(&by_user("cashier", Some("P01")))), expected, "{to:?}");
        assert_eq!(fixture.sessions(), 0, "{to:?}");
        let events = fixture.audit_events(Action::Login);
        assert!(events.iter().all(|event| event.outcome == EventOutcome::Refused) && events.len() == 1, "{to:?}");
    }
}

#[test]
fn device_locked_during_login_is_denied() {
    let lock = |store: &TestStore, records: &Fixture| {
        let stamp = stamp(CLOCK_START);
        done(
            Office::new(store, records.tenant.id, stamp.clone())
                .set_device_status(records.device("P01").id, DeviceStatus::Locked),
        );
    };
    let fixture = EngineFixture::open();
    during_login(&fixture, lock);
    assert_eq!(login_refused(fixture.auth.login(&by_user("cashier", Some("P01")))), LoginDenied::DeviceNotAllowed);
    let fixture = EngineFixture::open();
    during_login(&fixture, lock);
    assert_eq!(login_refused(fixture.auth.login(&by_device("P01"))), LoginDenied::Suspended);
    assert_eq!(fixture.sessions(), 0);
}

#[test]
fn device_unassigned_during_login_is_denied() {
    let fixture = EngineFixture::open();
    during_login(&fixture, |store, records| {
        let off = DeviceRolesChange::Edit { set: Vec::new(), remove: vec![records.device("P01").name.clone()] };
        done(Office::new(store, records.tenant.id, stamp(CLOCK_START)).assign_roles(
            records.user("cashier").id,
            None,
            off,
        ));
    });
    assert_eq!(login_refused(fixture.auth.login(&by_user("cashier", Some("P01")))), LoginDenied::DeviceNotAllowed);
    assert_eq!(fixture.sessions(), 0);
}

#[test]
fn roles_changed_during_login_are_granted() {
    let fixture = EngineFixture::open();
    during_login(&fixture, |store, records| assign(store, records, records.user("manager").id, &["cashier"]));
    let granted = fixture.user("manager", None);
    assert!(!granted.profile.rights.allows(KnownRight::Storno));
    assert!(!authenticate(&fixture.auth, &granted).unwrap().profile.rights.allows(KnownRight::Storno));
}

#[test]
fn concurrent_epoch_bump_does_not_end_later_login() {
    let fixture = EngineFixture::open();
    let (user, device, tenant) =
        (fixture.records.user("cashier").id, fixture.records.device("P01").id, fixture.records.tenant.id);
    for scope in [Scope::User(user), Scope::Device(device), Scope::Tenant(tenant)] {
        let before = fixture.user("cashier", Some("P01"));
        during_login(&fixture, move |store, _| end_everything(store, scope));
        let after = fixture.user("cashier", Some("P01"));
        assert!(authenticate(&fixture.auth, &before).is_err(), "{scope:?}");
        assert!(authenticate(&fixture.auth, &after).is_ok(), "{scope:?}: it was made after the raise");
    }
}

#[test]
fn login_that_keeps_losing_is_unavailable_not_denied() {
    let fixture = EngineFixture::open();
    let user = fixture.records.user("cashier").id;
    for _ in 0..4 {
        during_login(&fixture, move |store, _| end_everything(store, Scope::User(user)));
    }
    assert!(unavailable(fixture.auth.login(&by_user("cashier", None))));
    assert_eq!(fixture.sessions(), 0);
    for _ in 0..5 {
        let wrong = with_password(by_user("cashier", None), "wrong");
        assert_eq!(login_refused(fixture.auth.login(&wrong)), LoginDenied::Mismatch, "all five are still free");
    }
}

#[test]
fn concurrent_logins_on_till_leave_one_session() {
    let fixture = EngineFixture::open();
    let auth = Arc::clone(&fixture.auth);
    // The second login runs completely on another engine while the password of the first is
    // verified.
    let other = fixture.process();
    fixture.hasher.before_next_verification(move || {
        other.login(&by_user("manager", Some("P01"))).unwrap();
    });
    let first = auth.login(&by_user("cashier", Some("P01"))).unwrap();
    let live = tillgate_auth_core::ports::SessionFilter {
        device: Some(fixture.records.device("P01").id),
        live: Some((true, CLOCK_START)),
        ..Default::default()
    };
    let live = auth.list_all_sessions(&live, None, 10).unwrap();
    assert_eq!(live.iter().map(|each| each.session.id).collect::<Vec<_>>(), [first.session.id]);
}
