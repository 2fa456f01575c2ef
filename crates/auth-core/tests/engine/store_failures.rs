//! A store that fails: nothing is decided because of it.

use std::sync::Arc;

use tillgate_auth_core::ports::SessionFilter;
use tillgate_auth_core::{Auth, Error, IssuedTokens, TokenDenied};
use tillgate_domain::office::{NewRole, Office, OfficePorts, RoleChange};
use tillgate_domain::{Environment, KnownRight, Right, RoleId, RoleName, Store, StoreError};
use tillgate_test_store::TestStore;
use tillgate_testkit::FailingStore;
use tillgate_testkit::clock::CLOCK_START;
use tillgate_testkit::failing_store::{FailurePoint, PlannedFailure};

use crate::fixture::{
    EngineFixture, HOUR, MINUTE, OVERLAP, authenticate, by_device, by_user, call, done, refresh, stamp, token_refused,
    unavailable, with_password,
};

/// A store of the shop that fails on request.
fn shaky(fixture: &EngineFixture) -> Arc<FailingStore<TestStore>> {
    Arc::new(FailingStore::new(Arc::new(fixture.store.share_with_process())))
}

fn gone() -> StoreError {
    StoreError::Unavailable("gone".to_owned())
}

/// All calls that use the store, with their results.
fn calls(
    fixture: &EngineFixture,
    auth: &Auth,
    granted: &IssuedTokens,
    stranger: &IssuedTokens,
) -> Vec<(&'static str, Result<(), Error>)> {
    let caller = authenticate(&fixture.auth, granted).unwrap();
    vec![
        ("login", auth.login(&by_user("cashier", Some("P02"))).map(drop)),
        ("a wrong password", auth.login(&with_password(by_user("cashier", None), "wrong")).map(drop)),
        ("an unknown name", auth.login(&by_user("nobody", None)).map(drop)),
        ("a device's login", auth.login(&by_device("P01")).map(drop)),
        ("refresh", refresh(auth, granted).map(drop)),
        ("authenticate somebody new", authenticate(auth, stranger).map(drop)),
        ("a token of an unknown key", call(auth, &of_another_key(fixture)).map(drop)),
        ("logout", auth.logout(&caller)),
        ("end", auth.end_session_for(&caller, granted.session.id).map(drop)),
        ("end a session", auth.end_session(granted.session.id).map(drop)),
        ("end a user", auth.end_user_sessions(fixture.records.tenant.id, fixture.records.user("cashier").id).map(drop)),
        (
            "end a device",
            auth.end_device_sessions(fixture.records.tenant.id, fixture.records.device("P01").id).map(drop),
        ),
        ("end a tenant", auth.end_tenant_sessions(fixture.records.tenant.id).map(drop)),
        ("list", auth.list_sessions(&caller, &SessionFilter::default(), None, 10).map(drop)),
        ("keys", auth.list_keys().map(drop)),
        ("rotate keys", auth.rotate_keys(true).map(drop)),
        ("revoke a key", auth.revoke_key(fixture.auth.list_keys().unwrap()[0].id).map(drop)),
        ("follow", auth.poll_feed()),
        ("say", auth.send_heartbeat()),
        ("sweep", auth.sweep(&mut |_| ()).map(drop)),
    ]
}

/// A token that the engine of another server has signed.
fn of_another_key(fixture: &EngineFixture) -> String {
    let other = EngineFixture::open();
    let granted = other.user("cashier", None);
    assert_ne!(other.auth.jwks(), fixture.auth.jwks());
    granted.access_token.expose().clone()
}

#[test]
fn store_failure_is_never_reported_as_denial() {
    let errors = [
        gone(),
        StoreError::Fault("a missing table".to_owned()),
        StoreError::Corrupt { table: "sessions", column: "user", detail: "not a UUID".to_owned() },
    ];
    for error in errors {
        for moment in [FailurePoint::Before, FailurePoint::AtCommit] {
            let fixture = EngineFixture::open();
            let store = shaky(&fixture);
            let auth = fixture.process_over(store.clone());
            let (granted, stranger) = (fixture.user("cashier", Some("P01")), fixture.user("manager", None));
            store.plan_failure(PlannedFailure::at_once(error.clone()).at_point(moment));
            for (what, result) in calls(&fixture, &auth, &granted, &stranger) {
                let reported = matches!(result, Err(Error::Unavailable { .. } | Error::Fault(_)));
                assert!(reported, "{what} while {error} {moment:?}: {result:?}");
            }
            store.clear_failure();
            assert!(authenticate(&auth, &granted).is_ok(), "nothing was ended");
            assert!(refresh(&auth, &granted).is_ok());
        }
    }
}

#[test]
fn login_and_refresh_survive_failure_of_each_unit_of_work() {
    for after in 0..4 {
        for moment in [FailurePoint::Before, FailurePoint::AtCommit, FailurePoint::AfterCommit] {
            let fixture = EngineFixture::open();
            let store = shaky(&fixture);
            let auth = fixture.process_over(store.clone());
            store.plan_failure(PlannedFailure::at_once(gone()).at_point(moment).after(after).times(1));
            let granted = match auth.login(&by_user("cashier", Some("P01"))) {
                Ok(granted) => granted,
                Err(error) => {
                    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
                    // The client retries.
                    auth.login(&by_user("cashier", Some("P01"))).unwrap()
                }
            };
            store.plan_failure(PlannedFailure::at_once(gone()).at_point(moment).after(after).times(1));
            let mut stored = granted;
            for _ in 0..5 {
                match refresh(&auth, &stored) {
                    Ok(granted) => stored = granted,
                    Err(error) => assert!(matches!(error, Error::Unavailable { .. }), "{error:?}"),
                }
                assert!(authenticate(&auth, &stored).is_ok(), "failure {after}, {moment:?}");
                fixture.clock.advance(OVERLAP);
                auth.poll_feed().unwrap_or(());
            }
        }
    }
}

#[test]
fn stale_feed_denies_no_request() {
    let fixture = EngineFixture::open();
    let store = shaky(&fixture);
    let auth = fixture.process_over(store.clone());
    let (good, ended) = (fixture.user("cashier", Some("P01")), fixture.user("manager", None));
    assert!(authenticate(&auth, &good).is_ok() && authenticate(&auth, &ended).is_ok());
    fixture.auth.end_session(ended.session.id).unwrap();
    assert!(authenticate(&auth, &ended).is_ok(), "not known yet");
    store.plan_failure(PlannedFailure::at_once(gone()));
    fixture.clock.advance(MINUTE);
    assert!(authenticate(&auth, &good).is_ok(), "the view is young enough without the store");
    fixture.clock.advance(MINUTE);
    assert!(unavailable(authenticate(&auth, &good)), "nobody knows");
    assert!(unavailable(authenticate(&auth, &ended)), "nobody knows");
    fixture.clock.advance(HOUR);
    assert_eq!(token_refused(authenticate(&auth, &good)), TokenDenied::Expired, "this takes no store");
    store.clear_failure();
    let fresh = refresh(&auth, &good).unwrap();
    assert!(authenticate(&auth, &fresh).is_ok());
}

#[test]
fn known_ended_session_is_denied_without_store() {
    let fixture = EngineFixture::open();
    let store = shaky(&fixture);
    let auth = fixture.process_over(store.clone());
    let granted = fixture.user("cashier", Some("P01"));
    fixture.auth.end_session(granted.session.id).unwrap();
    auth.poll_feed().unwrap();
    store.plan_failure(PlannedFailure::at_once(gone()));
    fixture.clock.advance(5 * MINUTE);
    assert_eq!(token_refused(authenticate(&auth, &granted)), TokenDenied::SessionOver);
}

#[test]
fn unwritten_uses_are_written_later() {
    let fixture = EngineFixture::open();
    let store = shaky(&fixture);
    let auth = fixture.process_over(store.clone());
    let granted = fixture.user("cashier", Some("P01"));
    authenticate(&auth, &granted).unwrap();
    store.plan_failure(PlannedFailure::at_once(gone()).at_point(FailurePoint::AtCommit));
    assert!(unavailable(auth.write_activity()));
    store.clear_failure();
    auth.write_activity().unwrap();
    let session = fixture.session(granted.session.id);
    assert_eq!((session.used_generation, session.last_used_at.is_some()), (1, true));
}

#[test]
fn readiness_reports_cause() {
    let fixture = EngineFixture::open();
    let store = shaky(&fixture);
    let auth = fixture.process_over(store.clone());
    assert!(auth.readiness().is_ready());
    store.plan_failure(PlannedFailure::at_once(gone()));
    let readiness = auth.readiness();
    assert!(!readiness.is_ready() && readiness.store_failure.unwrap().contains("gone"));
    store.clear_failure();
    fixture.clock.advance(2 * MINUTE);
    assert!(!auth.readiness().is_ready() && !auth.readiness().feed_fresh);
    auth.poll_feed().unwrap();
    fixture.clock.step_forward(3 * HOUR);
    let readiness = auth.readiness();
    assert!(readiness.is_ready() && readiness.clock_in_doubt, "a clock in doubt is reported and fails nothing");
}

#[test]
fn role_change_keeps_caches_of_others() {
    let fixture = EngineFixture::open();
    let store = shaky(&fixture);
    let auth = fixture.process_over(store.clone());
    let (cashier, manager) = (fixture.user("cashier", Some("P01")), fixture.user("manager", None));
    let night = role_of_own(&fixture, "night");
    fixture.assign(fixture.records.user("manager").id, &["manager", "night"]);
    auth.poll_feed().unwrap();
    assert!(authenticate(&auth, &cashier).is_ok() && authenticate(&auth, &manager).is_ok());
    // Added, changed and deleted by this process.
    let late = add_role(&*store, &fixture, "late");
    change_role(&*store, &fixture, night, "storno");
    done(Office::new(&*store, fixture.records.tenant.id, stamp(CLOCK_START)).delete_role(late, None));
    store.plan_failure(PlannedFailure::at_once(gone()));
    assert!(authenticate(&auth, &cashier).is_ok(), "who does not hold the role is served from memory");
    assert!(unavailable(authenticate(&auth, &manager)), "what the holder may do now is not known");
    store.clear_failure();
    assert!(
        authenticate(&auth, &manager).unwrap().profile.rights.allows(KnownRight::Storno),
        "at once where it was answered"
    );
    // This process finds its own change in the feed and recognizes it.
    auth.poll_feed().unwrap();
    store.plan_failure(PlannedFailure::at_once(gone()));
    assert!(authenticate(&auth, &cashier).is_ok() && authenticate(&auth, &manager).is_ok());
    store.clear_failure();
    // A change of the same role by another process is not its own.
    change_role(fixture.office_store(), &fixture, night, "roleCreate");
    auth.poll_feed().unwrap();
    store.plan_failure(PlannedFailure::at_once(gone()));
    assert!(authenticate(&auth, &cashier).is_ok());
    assert!(unavailable(authenticate(&auth, &manager)));
    store.clear_failure();
    assert!(!authenticate(&auth, &manager).unwrap().profile.rights.allows(Right::parse("unheardOf").unwrap()));
    assert!(authenticate(&auth, &manager).unwrap().profile.rights.allows(KnownRight::RoleCreate));
}

/// A role with one right, added by another process.
fn role_of_own(fixture: &EngineFixture, name: &str) -> RoleId {
    add_role(fixture.office_store(), fixture, name)
}

fn add_role(office: &dyn Store<OfficePorts>, fixture: &EngineFixture, name: &str) -> RoleId {
    let id = RoleId::new(CLOCK_START, crate::fixture::next_entropy().random_bytes().unwrap());
    let new = NewRole {
        id,
        name: RoleName::parse(name).unwrap(),
        label: name.to_owned(),
        description: String::new(),
        rights: Right::parse("ticketClose").into_iter().collect(),
        environments: Environment::ALL.into(),
    };
    done(Office::new(office, fixture.records.tenant.id, stamp(CLOCK_START)).add_role(&new));
    id
}

fn change_role(office: &dyn Store<OfficePorts>, fixture: &EngineFixture, role: RoleId, right: &str) {
    let rights = Right::parse(right).into_iter().collect();
    let change = RoleChange { rights: Some(rights), ..RoleChange::default() };
    done(Office::new(office, fixture.records.tenant.id, stamp(CLOCK_START)).change_role(role, None, &change));
}
