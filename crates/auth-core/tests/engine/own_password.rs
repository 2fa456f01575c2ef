//! Users change their own passwords: which sessions end, and what a wrong old password costs.

use tillgate_auth_core::{AuthDenied, Caller, Error, IssuedTokens, LoginDenied, TokenDenied};
use tillgate_domain::{Action, EndReason, EventOutcome, PrincipalId, Rank, Secret};

use crate::fixture::{
    EngineFixture, authenticate, by_user, login_refused, password_of, refresh, token_refused, with_password,
};

const NEW: &str = "a longer one than before";

fn caller(fixture: &EngineFixture, granted: &IssuedTokens) -> Caller {
    authenticate(&fixture.auth, granted).unwrap()
}

fn change(fixture: &EngineFixture, caller: &Caller, old: &str, new: &str) -> Result<(), Error> {
    fixture
        .auth
        .change_password(caller, &Secret::new(old.to_owned()), &Secret::new(new.to_owned()), &[], false)
        .map(drop)
}

#[test]
fn own_password_change_ends_other_own_sessions_only() {
    let fixture = EngineFixture::open();
    let (own, office, till) =
        (fixture.user("cashier", None), fixture.user("cashier", None), fixture.user("cashier", Some("P01")));
    let (manager, device) = (fixture.user("manager", None), fixture.device("P01"));
    let epoch = fixture.session(own.session.id).epochs;
    change(&fixture, &caller(&fixture, &own), &password_of("cashier"), NEW).unwrap();
    for over in [&office, &till] {
        assert_eq!(token_refused(authenticate(&fixture.auth, over)), TokenDenied::SessionOver);
        assert_eq!(token_refused(refresh(&fixture.auth, over)), TokenDenied::SessionOver);
        assert_eq!(fixture.session(over.session.id).ended.map(|(_, why)| why), Some(EndReason::Password));
    }
    for lives in [&own, &manager, &device] {
        assert!(authenticate(&fixture.auth, lives).is_ok());
        assert!(refresh(&fixture.auth, lives).is_ok());
    }
    let login = by_user("cashier", None);
    assert_eq!(login_refused(fixture.auth.login(&login)), LoginDenied::Mismatch);
    let again = fixture.auth.login(&with_password(login, NEW)).unwrap();
    assert_eq!(fixture.session(again.session.id).epochs, epoch, "it raised nothing");
    let events = fixture.audit_events(Action::Password);
    assert_eq!((events.len(), events[0].outcome, &events[0].details["ended"]), (1, EventOutcome::Done, &2.into()));
    assert_eq!(events[0].actor.session, Some(own.session.id));
}

#[test]
fn own_password_change_ends_permanent_token_of_user_only() {
    let fixture = EngineFixture::open();
    let own = fixture.user("cashier", None);
    let theirs = fixture.auth.generate_permanent_token(&by_user("cashier", Some("P01"))).unwrap();
    let other = fixture.auth.generate_permanent_token(&by_user("manager", Some("P02"))).unwrap();
    change(&fixture, &caller(&fixture, &own), &password_of("cashier"), NEW).unwrap();
    assert_eq!(token_refused(authenticate(&fixture.auth, &theirs)), TokenDenied::SessionOver);
    assert_eq!(fixture.session(theirs.session.id).ended.map(|(_, why)| why), Some(EndReason::Password));
    assert!(authenticate(&fixture.auth, &other).is_ok() && authenticate(&fixture.auth, &own).is_ok());
    assert_eq!(fixture.audit_events(Action::Password)[0].details["ended"], 1);
}

#[test]
fn correct_password_is_confirmed_and_wrong_one_counts_as_failed_login() {
    let fixture = EngineFixture::open();
    let caller = caller(&fixture, &fixture.user("cashier", None));
    let confirm = |password: &str| fixture.auth.confirm_password(&caller, &Secret::new(password.to_owned()));
    for wrong in ["wrong", "", NEW] {
        assert_eq!(confirm(wrong), Err(AuthDenied::WrongPassword.into()), "{wrong}");
    }
    assert_eq!(confirm(&password_of("cashier")), Ok(()));
    assert_eq!(fixture.audit_events(Action::Password).len(), 3, "a right one is no line of the audit");
}

#[test]
fn many_sessions_end_in_one_password_change() {
    let fixture = EngineFixture::open();
    let own = fixture.user("cashier", None);
    let others: Vec<IssuedTokens> = (0..450).map(|_| fixture.user("cashier", None)).collect();
    change(&fixture, &caller(&fixture, &own), &password_of("cashier"), NEW).unwrap();
    assert!(others.iter().all(|other| authenticate(&fixture.auth, other).is_err()));
    assert!(authenticate(&fixture.auth, &own).is_ok());
}

#[test]
fn wrong_current_password_changes_nothing_and_is_counted() {
    let fixture = EngineFixture::open();
    let (own, other) = (fixture.user("cashier", None), fixture.user("cashier", None));
    let caller = caller(&fixture, &own);
    for wrong in ["wrong", "", NEW] {
        assert_eq!(change(&fixture, &caller, wrong, NEW).unwrap_err(), AuthDenied::WrongPassword.into(), "{wrong}");
    }
    assert!(authenticate(&fixture.auth, &other).is_ok());
    let events = fixture.audit_events(Action::Password);
    assert!(events.len() == 3 && events.iter().all(|event| event.outcome == EventOutcome::Refused));
    assert!(events.iter().all(|event| event.details["why"] == "password_wrong"), "{events:?}");
    // A caller with a session has five free attempts.
    for wrong in ["wrong too", "wrong again"] {
        assert_eq!(change(&fixture, &caller, wrong, NEW).unwrap_err(), AuthDenied::WrongPassword.into());
    }
    let held = change(&fixture, &caller, &password_of("cashier"), NEW).unwrap_err();
    assert!(matches!(held, Error::Denied(AuthDenied::TooManyAttempts { .. })), "{held:?}");
    assert!(authenticate(&fixture.auth, &own).is_ok(), "who is logged in stays so");
}

#[test]
fn weak_new_password_is_rejected() {
    let fixture = EngineFixture::open();
    let caller = caller(&fixture, &fixture.user("cashier", None));
    for weak in ["short", "password1", ""] {
        let refused = change(&fixture, &caller, &password_of("cashier"), weak).unwrap_err();
        assert!(matches!(refused, Error::Denied(AuthDenied::WeakPassword(_))), "{refused:?}");
    }
    assert!(fixture.auth.login(&by_user("cashier", None)).is_ok());
}

#[test]
fn ended_session_cannot_change_password() {
    let fixture = EngineFixture::open();
    let caller_before = caller(&fixture, &fixture.user("cashier", None));
    fixture.auth.logout(&caller_before).unwrap();
    let refused = change(&fixture, &caller_before, &password_of("cashier"), NEW);
    assert_eq!(token_refused(refused), TokenDenied::SessionOver);
    // A change by somebody else ends the session, too.
    let own = caller(&fixture, &fixture.user("cashier", None));
    fixture.set_password(PrincipalId::User(fixture.records.user("cashier").id), NEW);
    assert_eq!(token_refused(change(&fixture, &own, NEW, "and yet another one")), TokenDenied::SessionOver);
    assert!(fixture.auth.login(&with_password(by_user("cashier", None), NEW)).is_ok());
}

#[test]
fn login_may_require_rank() {
    let fixture = EngineFixture::open();
    let least = |name: &str, device: Option<&str>, least: Rank| {
        let login = tillgate_auth_core::LoginRequest { min_rank: Some(least), ..by_user(name, device) };
        fixture.auth.login(&login)
    };
    let before = fixture.sessions();
    assert_eq!(login_refused(least("cashier", None, Rank::Manager)), LoginDenied::RankTooLow);
    assert_eq!(login_refused(least("manager", None, Rank::Admin)), LoginDenied::RankTooLow);
    assert_eq!(fixture.sessions(), before, "no session is left behind");
    for (name, rank) in [("cashier", Rank::Cashier), ("manager", Rank::Cashier), ("admin", Rank::Admin)] {
        assert!(least(name, None, rank).unwrap().profile.rank >= Some(rank), "{name}");
    }
    let wrong = tillgate_auth_core::LoginRequest {
        min_rank: Some(Rank::Admin),
        ..with_password(by_user("cashier", None), "wrong")
    };
    assert_eq!(
        login_refused(fixture.auth.login(&wrong)),
        LoginDenied::Mismatch,
        "a rank is not judged before the password"
    );
    let events = fixture.audit_events(Action::Login);
    assert!(events.iter().any(|event| event.outcome == EventOutcome::Refused && event.details["why"] == "login_rank"));
    // A right password is not a failure, whatever the rank is.
    for _ in 0..20 {
        login_refused(least("cashier", None, Rank::Admin));
    }
    assert!(least("cashier", None, Rank::Cashier).is_ok());
}
