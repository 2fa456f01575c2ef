//! Permanent tokens: one pairing per device, what ends it, what only blocks it, and who may
//! generate one.

use serde_json::Value;
use tillgate_auth_core::ports::SessionFilter;
use tillgate_auth_core::{Error, GrantKind, IssuedTokens, LoginDenied, LoginRequest, SessionKind, TokenDenied};
use tillgate_domain::office::{Office, UserChange};
use tillgate_domain::{Action, DeviceId, DeviceStatus, EndReason, PrincipalId, SessionId, UserStatus};
use tillgate_testkit::clock::CLOCK_START;

use crate::fixture::{
    EngineFixture, HOUR, address, authenticate, by_device, by_user, call, done, login_refused, native, refreshing,
    stamp, status, terms, token, token_refused, with_password,
};

fn generation(name: &str, device: &str) -> LoginRequest {
    by_user(name, Some(device))
}

fn generate_permanent_token(fixture: &EngineFixture, name: &str, device: &str) -> IssuedTokens {
    fixture.auth.generate_permanent_token(&generation(name, device)).unwrap()
}

fn refresh_pairing(fixture: &EngineFixture, granted: &IssuedTokens) -> Result<IssuedTokens, Error> {
    fixture.auth.refresh_pairing(&refreshing(token(granted), &native()), granted.session.id)
}

fn set_device(fixture: &EngineFixture, device: DeviceId, status: DeviceStatus) {
    done(
        Office::new(fixture.office_store(), fixture.records.tenant.id, stamp(CLOCK_START))
            .set_device_status(device, status),
    );
}

fn pairing(fixture: &EngineFixture, device: DeviceId) -> Option<SessionId> {
    use tillgate_domain::StoreExt;
    fixture.auth_store().read("test", |tx| tx.devices().find(device)).unwrap().unwrap().pairing
}

fn why(fixture: &EngineFixture, granted: &IssuedTokens) -> Option<EndReason> {
    fixture.session(granted.session.id).ended.map(|(_, why)| why)
}

/// The claims of a token, unverified.
fn claims(token: &str) -> Value {
    use base64::Engine;
    let middle = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(middle).unwrap()).unwrap()
}

#[test]
fn pairing_is_permanent_whatever_the_terms() {
    let fixture = EngineFixture::open();
    let granted = generate_permanent_token(&fixture, "cashier", "P01");
    let session = &granted.session;
    assert_eq!((session.kind, session.expires_at, granted.kind), (SessionKind::Permanent, None, GrantKind::Login));
    assert_eq!(session.terms.refresh.as_ref().map(|refresh| (refresh.idle, refresh.overlap)), Some((None, None)));
    assert_eq!((session.terms.absolute, session.terms.access), (None, terms().access));
    assert_eq!(pairing(&fixture, fixture.records.device("P01").id), Some(session.id));
    for _ in 0..3 {
        fixture.clock.advance(400 * 24 * HOUR);
        let again = refresh_pairing(&fixture, &granted).unwrap();
        assert_eq!((again.kind, token(&again)), (GrantKind::Repeated, token(&granted)));
        assert!(authenticate(&fixture.auth, &again).is_ok());
    }
    assert_eq!(fixture.session(session.id), *session, "nothing was written");
}

#[test]
fn both_tokens_authenticate_and_id_token_names_user() {
    let fixture = EngineFixture::open();
    let granted = generate_permanent_token(&fixture, "cashier", "P01");
    for granted in [&granted, &refresh_pairing(&fixture, &granted).unwrap()] {
        let id = granted.id_token.as_ref().unwrap().expose();
        assert_ne!(id, granted.access_token.expose());
        for bearer in [id, granted.access_token.expose()] {
            let caller = call(&fixture.auth, bearer).unwrap();
            let context = caller.session_context().unwrap();
            assert_eq!((context.id, caller.user()), (granted.session.id, Some(fixture.records.user("cashier").id)));
            assert_eq!((caller.device, context.kind), (Some(fixture.records.device("P01").id), SessionKind::Permanent));
        }
        let (says, plain) = (claims(id), claims(granted.access_token.expose()));
        assert_eq!(says["name"], fixture.records.user("cashier").display_name);
        assert_eq!(says["preferred_username"], "cashier");
        assert_eq!(says["sub"], plain["sub"]);
        assert_eq!((plain.get("name"), plain.get("preferred_username")), (None, None));
        assert_ne!(says["jti"], plain["jti"]);
    }
    assert!(fixture.user("manager", Some("P02")).id_token.is_none(), "no other session has one");
}

#[test]
fn device_has_one_permanent_token() {
    let fixture = EngineFixture::open();
    let first = generate_permanent_token(&fixture, "cashier", "P01");
    let elsewhere = generate_permanent_token(&fixture, "cashier", "P02");
    let second = generate_permanent_token(&fixture, "manager", "P01");
    assert_ne!(first.session.id, second.session.id, "a pairing has a name of its own");
    assert_eq!(token_refused(refresh_pairing(&fixture, &first)), TokenDenied::SessionOver);
    assert_eq!(token_refused(authenticate(&fixture.auth, &first)), TokenDenied::SessionOver);
    assert_eq!(why(&fixture, &first), Some(EndReason::Replaced));
    assert!(refresh_pairing(&fixture, &second).is_ok() && refresh_pairing(&fixture, &elsewhere).is_ok());
    let events = fixture.audit_events(Action::Login);
    assert_eq!(events.last().unwrap().details["replaced"], first.session.id.to_string());
    assert!(events.iter().all(|event| event.details["kind"] == "permanent"));
}

#[test]
fn pairing_and_seat_are_independent() {
    let fixture = EngineFixture::open();
    let till = fixture.user("cashier", Some("P01"));
    let paired = generate_permanent_token(&fixture, "manager", "P01");
    assert!(authenticate(&fixture.auth, &till).is_ok());
    let next = fixture.user("manager", Some("P01"));
    assert!(authenticate(&fixture.auth, &till).is_err() && authenticate(&fixture.auth, &next).is_ok());
    assert!(refresh_pairing(&fixture, &paired).is_ok() && authenticate(&fixture.auth, &paired).is_ok());
}

#[test]
fn permanent_token_requires_its_own_pairing() {
    let fixture = EngineFixture::open();
    let (one, other) =
        (generate_permanent_token(&fixture, "cashier", "P01"), generate_permanent_token(&fixture, "cashier", "P02"));
    let refresh = |token: &str, pairing| fixture.auth.refresh_pairing(&refreshing(token, &native()), pairing);
    assert_eq!(token_refused(refresh(token(&one), other.session.id)), TokenDenied::Invalid);
    assert_eq!(
        token_refused(refresh(token(&one), SessionId(fixture.records.device("P01").id.0))),
        TokenDenied::Invalid
    );
    assert!(refresh(token(&one), one.session.id).is_ok(), "a wrong pairing ends nothing");
}

#[test]
fn permanent_token_ends_by_admin_password_change_deletion_or_retirement() {
    type End = fn(&EngineFixture, &IssuedTokens);
    let ends: [(&str, End, EndReason); 4] = [
        (
            "by hand",
            |fixture, granted| assert!(fixture.auth.end_session(granted.session.id).unwrap()),
            EndReason::Admin,
        ),
        (
            "password",
            |fixture, _| fixture.set_password(PrincipalId::User(fixture.records.user("cashier").id), "another"),
            EndReason::Password,
        ),
        (
            "deleted",
            |fixture, _| {
                status(
                    fixture.office_store(),
                    &fixture.records,
                    fixture.records.user("cashier").id,
                    UserStatus::Deleted,
                );
            },
            EndReason::Suspended,
        ),
        (
            "retired",
            |fixture, _| set_device(fixture, fixture.records.device("P01").id, DeviceStatus::Retired),
            EndReason::Locked,
        ),
    ];
    for (what, end, expected) in ends {
        let fixture = EngineFixture::open();
        let (ended, stays) = (
            generate_permanent_token(&fixture, "cashier", "P01"),
            generate_permanent_token(&fixture, "manager", "P02"),
        );
        end(&fixture, &ended);
        assert_eq!(why(&fixture, &ended), Some(expected), "{what}");
        assert_eq!(token_refused(refresh_pairing(&fixture, &ended)), TokenDenied::SessionOver, "{what}");
        assert_eq!(token_refused(authenticate(&fixture.auth, &ended)), TokenDenied::SessionOver, "{what}");
        assert!(refresh_pairing(&fixture, &stays).is_ok() && authenticate(&fixture.auth, &stays).is_ok(), "{what}");
    }
}

#[test]
fn permanent_token_is_suspended_and_resumes_with_user_or_device() {
    let fixture = EngineFixture::open();
    let granted = generate_permanent_token(&fixture, "cashier", "P01");
    let user = fixture.records.user("cashier").id;
    for round in 0..2 {
        fixture.suspend(user);
        assert_eq!(token_refused(refresh_pairing(&fixture, &granted)), TokenDenied::SessionOver, "{round}");
        assert_eq!(token_refused(authenticate(&fixture.auth, &granted)), TokenDenied::SessionOver, "{round}");
        status(fixture.office_store(), &fixture.records, user, UserStatus::Active);
        let again = refresh_pairing(&fixture, &granted).unwrap();
        assert!(authenticate(&fixture.auth, &again).is_ok(), "{round}");
        fixture.lock(fixture.records.device("P01").id);
        assert_eq!(token_refused(refresh_pairing(&fixture, &granted)), TokenDenied::SessionOver, "{round}");
        assert_eq!(token_refused(authenticate(&fixture.auth, &again)), TokenDenied::SessionOver, "{round}");
        set_device(&fixture, fixture.records.device("P01").id, DeviceStatus::Active);
        assert!(authenticate(&fixture.auth, &refresh_pairing(&fixture, &granted).unwrap()).is_ok(), "{round}");
    }
    assert_eq!(fixture.session(granted.session.id).ended, None);
}

#[test]
fn unrelated_changes_keep_pairing() {
    let fixture = EngineFixture::open();
    let granted = generate_permanent_token(&fixture, "cashier", "P01");
    fixture.set_password(PrincipalId::Device(fixture.records.device("P01").id), "another of the till");
    let change = UserChange { display_name: Some("Another".to_owned()), ..UserChange::default() };
    done(Office::new(fixture.office_store(), fixture.records.tenant.id, stamp(CLOCK_START)).change_user(
        fixture.records.user("cashier").id,
        None,
        &change,
    ));
    let again = refresh_pairing(&fixture, &granted).unwrap();
    assert_eq!(claims(again.id_token.as_ref().unwrap().expose())["name"], "Another", "as the user is now");
}

#[test]
fn denied_login_pairs_nothing() {
    let fixture = EngineFixture::open();
    let refused = |login: &LoginRequest| login_refused(fixture.auth.generate_permanent_token(login));
    assert_eq!(refused(&with_password(generation("cashier", "P01"), "wrong")), LoginDenied::Mismatch);
    assert_eq!(refused(&generation("trainee", "P01")), LoginDenied::Pending);
    assert_eq!(refused(&generation("driver", "P01")), LoginDenied::DeviceNotAllowed);
    assert_eq!(refused(&generation("cashier", "nowhere")), LoginDenied::DeviceNotAllowed);
    assert_eq!(refused(&by_user("cashier", None)), LoginDenied::DeviceNotAllowed, "in the office");
    assert_eq!(refused(&by_device("P01")), LoginDenied::DeviceNotAllowed, "the device itself");
    fixture.lock(fixture.records.device("P01").id);
    assert_eq!(refused(&generation("cashier", "P01")), LoginDenied::DeviceNotAllowed, "locked");
    assert_eq!((pairing(&fixture, fixture.records.device("P01").id), fixture.sessions()), (None, 0));
}

#[test]
fn wrong_password_counts_as_failed_login() {
    let fixture = EngineFixture::open();
    for number in 0..20 {
        let wrong = with_password(generation("cashier", "P01"), &format!("wrong {number}"));
        if let Err(Error::Denied(tillgate_auth_core::AuthDenied::TooManyAttempts { .. })) =
            fixture.auth.generate_permanent_token(&wrong)
        {
            let login =
                fixture.auth.login(&LoginRequest { identity: wrong.identity.clone(), ..generation("cashier", "P01") });
            assert!(
                matches!(login, Err(Error::Denied(tillgate_auth_core::AuthDenied::TooManyAttempts { .. }))),
                "{login:?}"
            );
            return;
        }
    }
    panic!("guesses were not held back");
}

#[test]
fn permanent_token_from_other_address_is_not_reported() {
    let fixture = EngineFixture::open();
    let granted = generate_permanent_token(&fixture, "cashier", "P01");
    let native = native();
    let far = tillgate_auth_core::RefreshRequest { address: address(99), ..refreshing(token(&granted), &native) };
    assert!(fixture.auth.refresh_pairing(&far, granted.session.id).is_ok());
    assert!(fixture.audit_events(Action::RefreshShared).is_empty());
}

#[test]
fn concurrent_generations_leave_one_pairing() {
    let fixture = EngineFixture::open();
    let granted: Vec<IssuedTokens> = std::thread::scope(|scope| {
        let each = |name: &'static str| scope.spawn(|| fixture.auth.generate_permanent_token(&generation(name, "P01")));
        let all: Vec<_> = ["cashier", "manager", "cashier", "admin"].map(each).into_iter().collect();
        all.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
    });
    let good: Vec<SessionId> =
        granted.iter().filter(|each| refresh_pairing(&fixture, each).is_ok()).map(|each| each.session.id).collect();
    assert_eq!(good.len(), 1);
    assert_eq!(pairing(&fixture, fixture.records.device("P01").id), Some(good[0]));
    let live = SessionFilter { live: Some((true, CLOCK_START)), ..SessionFilter::default() };
    assert_eq!(fixture.auth.list_all_sessions(&live, None, 200).unwrap().len(), 1);
}
