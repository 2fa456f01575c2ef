//! A user who must change the password: denied after the right one, and admitted by a login that
//! sets another one.

use tillgate_auth_core::passwords::WeakPassword;
use tillgate_auth_core::{AuthDenied, Error, IssuedTokens, LoginDenied, LoginRequest, NewPassword, TokenDenied};
use tillgate_domain::office::{Office, PasswordOptions, UserChange};
use tillgate_domain::{
    Action, EndReason, EventOutcome, PrincipalId, Rank, Secret, StoreExt, StoreResult, TenantId, User, UserId,
    UserStatus,
};
use tillgate_testkit::clock::CLOCK_START;

use crate::fixture::{
    EngineFixture, assign, authenticate, by_device, by_user, done, login_refused, password_of, refresh, stamp, status,
    token_refused, with_password,
};
use tillgate_testkit::PlainHasher;

const NEW: &str = "a longer one than before";

fn require(fixture: &EngineFixture, user: &User) {
    let change = UserChange { password_change_required: Some(true), ..UserChange::default() };
    done(
        Office::new(fixture.office_store(), fixture.records.tenant.id, stamp(CLOCK_START))
            .change_user(user.id, None, &change),
    );
}

fn is_required(fixture: &EngineFixture, id: UserId) -> bool {
    fixture.auth_store().read("test", |tx| tx.users().find(id)).unwrap().unwrap().password_change_required
}

/// A login in a dialect that can report a required password change.
fn reporting_password_change(login: LoginRequest) -> LoginRequest {
    LoginRequest { reports_password_change: true, ..login }
}

fn change(fixture: &EngineFixture, login: &LoginRequest, new: &str) -> Result<IssuedTokens, Error> {
    let words = |_: TenantId, _: UserId| -> StoreResult<Vec<String>> { Ok(vec!["marmalade".to_owned()]) };
    let new = Secret::new(new.to_owned());
    fixture.auth.login_with_new_password(login, &NewPassword { password: &new, context_words: &words })
}

#[test]
fn correct_password_that_must_be_changed_creates_no_session() {
    let fixture = EngineFixture::open();
    require(&fixture, fixture.records.user("cashier"));
    for device in [None, Some("P01")] {
        let login = reporting_password_change(by_user("cashier", device));
        assert_eq!(login_refused(fixture.auth.login(&login)), LoginDenied::PasswordChangeRequired, "{device:?}");
        let wrong = with_password(login, "wrong");
        assert_eq!(
            login_refused(fixture.auth.login(&wrong)),
            LoginDenied::Mismatch,
            "the flag is not revealed before the password matches"
        );
        assert_eq!(login_refused(change(&fixture, &wrong, NEW)), LoginDenied::Mismatch, "nor by a new one");
    }
    let pairing = fixture.auth.generate_permanent_token(&by_user("cashier", Some("P01")));
    assert_eq!(login_refused(pairing), LoginDenied::PasswordChangeRequired);
    assert_eq!(fixture.sessions(), 0);
    assert!(is_required(&fixture, fixture.records.user("cashier").id));
    let why: Vec<_> =
        fixture.audit_events(Action::Login).into_iter().map(|event| event.details["why"].clone()).collect();
    assert!(why.contains(&"password_change_required".into()), "{why:?}");
    assert!(fixture.auth.login(&by_device("P01")).is_ok() && fixture.auth.login(&by_user("manager", None)).is_ok());
}

#[test]
fn new_password_is_set_by_login() {
    let fixture = EngineFixture::open();
    let (cashier, manager) = (fixture.user("cashier", None), fixture.user("manager", None));
    let pairing = fixture.auth.generate_permanent_token(&by_user("cashier", Some("P02"))).unwrap();
    require(&fixture, fixture.records.user("cashier"));
    assert!(authenticate(&fixture.auth, &cashier).is_ok(), "what is there goes on");
    assert!(refresh(&fixture.auth, &cashier).is_ok());

    let login = reporting_password_change(by_user("cashier", Some("P01")));
    let granted = change(&fixture, &login, NEW).unwrap();
    assert!(authenticate(&fixture.auth, &granted).is_ok() && refresh(&fixture.auth, &granted).is_ok());
    let user = granted.profile.user.as_ref().unwrap();
    assert!(!user.password_change_required && !is_required(&fixture, user.id));
    for over in [&cashier, &pairing] {
        assert_eq!(token_refused(authenticate(&fixture.auth, over)), TokenDenied::SessionOver);
        assert_eq!(fixture.session(over.session.id).ended.map(|(_, why)| why), Some(EndReason::Password));
    }
    assert!(authenticate(&fixture.auth, &manager).is_ok(), "nobody else's end");
    assert_eq!(login_refused(fixture.auth.login(&login)), LoginDenied::Mismatch, "the old one is gone");
    assert!(fixture.auth.login(&with_password(login, NEW)).is_ok());

    let changed = fixture.audit_events(Action::Password).pop().unwrap();
    assert_eq!((changed.outcome, changed.actor.session), (EventOutcome::Done, Some(granted.session.id)));
    assert_eq!(changed.details["ended"], 2);
    assert_eq!(changed.details["password_change_required"], serde_json::json!({ "from": true, "to": false }));
    let lines = fixture.store.audit_events();
    let place = |id| lines.iter().position(|event| event.id == id).unwrap();
    let login =
        lines.iter().find(|event| event.action == Action::Login && event.actor.session == Some(granted.session.id));
    assert!(place(changed.id) < place(login.unwrap().id), "the change, then the login");
}

#[test]
fn weak_new_password_keeps_old_one() {
    let fixture = EngineFixture::open();
    let other = fixture.user("cashier", None);
    require(&fixture, fixture.records.user("cashier"));
    let login = reporting_password_change(by_user("cashier", None));
    let old = password_of("cashier");
    for (new, why) in [
        ("short", WeakPassword::TooShort),
        ("password1", WeakPassword::Common),
        ("marmalade-1", WeakPassword::ContextWord("marmalade".to_owned())),
        ("correct\u{202e} horse", WeakPassword::Disallowed('\u{202e}')),
        (old.as_str(), WeakPassword::Unchanged),
        (&old.replace(' ', "\u{a0}"), WeakPassword::Unchanged),
    ] {
        let refused = change(&fixture, &login, new).unwrap_err();
        assert_eq!(refused, Error::Denied(AuthDenied::WeakPassword(why)), "{new}");
    }
    assert_eq!(login_refused(fixture.auth.login(&login)), LoginDenied::PasswordChangeRequired, "the old one is right");
    assert!(authenticate(&fixture.auth, &other).is_ok() && fixture.sessions() == 1);
    assert_eq!(fixture.audit_events(Action::Password).len(), 0);
    assert!(change(&fixture, &login, NEW).is_ok());
}

#[test]
fn existing_password_with_invisible_characters_stays_valid() {
    let fixture = EngineFixture::open();
    let old = "correct\u{200b} horse";
    fixture.set_password(PrincipalId::User(fixture.records.user("cashier").id), old);
    let login = with_password(by_user("cashier", None), old);
    assert!(fixture.auth.login(&login).is_ok());
    assert!(change(&fixture, &login, NEW).is_ok(), "it proves the user who replaces it");
    assert_eq!(login_refused(fixture.auth.login(&login)), LoginDenied::Mismatch);
}

#[test]
fn user_may_change_password_with_login_voluntarily() {
    let fixture = EngineFixture::open();
    let other = fixture.user("cashier", None);
    let granted = change(&fixture, &by_user("cashier", None), NEW).unwrap();
    assert!(authenticate(&fixture.auth, &granted).is_ok());
    assert_eq!(token_refused(authenticate(&fixture.auth, &other)), TokenDenied::SessionOver);
    assert!(!fixture.audit_events(Action::Password)[0].details.contains_key("password_change_required"));
    assert_eq!(login_refused(change(&fixture, &by_device("P01"), NEW)), LoginDenied::Mismatch, "a device has no say");
    assert!(fixture.auth.login(&by_device("P01")).is_ok());
}

#[test]
fn denied_login_keeps_password() {
    let fixture = EngineFixture::open();
    require(&fixture, fixture.records.user("cashier"));
    let on = |device| change(&fixture, &reporting_password_change(by_user("cashier", device)), NEW);
    assert_eq!(login_refused(on(Some("nowhere"))), LoginDenied::DeviceNotAllowed);
    let ranked = LoginRequest { min_rank: Some(Rank::Admin), ..reporting_password_change(by_user("cashier", None)) };
    assert_eq!(login_refused(change(&fixture, &ranked, NEW)), LoginDenied::RankTooLow);
    status(fixture.office_store(), &fixture.records, fixture.records.user("cashier").id, UserStatus::Suspended);
    assert_eq!(login_refused(on(None)), LoginDenied::Suspended);
    status(fixture.office_store(), &fixture.records, fixture.records.user("cashier").id, UserStatus::Active);
    assert_eq!(fixture.audit_events(Action::Password).len(), 0);
    assert!(on(None).is_ok(), "the old one is right all the while");
}

#[test]
fn concurrent_password_change_wins_over_login() {
    let fixture = EngineFixture::open();
    require(&fixture, fixture.records.user("cashier"));
    let login = reporting_password_change(by_user("cashier", Some("P01")));
    let (store, records) = (fixture.store.clone(), fixture.records.clone());
    fixture.hasher.before_next_verification(move || {
        let (whose, verifier) =
            (PrincipalId::User(records.user("cashier").id), PlainHasher::verifier("another by the office"));
        let options = PasswordOptions { require_change: true, ..PasswordOptions::default() };
        done(Office::new(&*store, records.tenant.id, stamp(CLOCK_START)).set_password_with(whose, &verifier, options));
    });
    assert_eq!(login_refused(change(&fixture, &login, NEW)), LoginDenied::Mismatch);
    assert_eq!(fixture.sessions(), 0);
    assert!(is_required(&fixture, fixture.records.user("cashier").id));

    let (store, records) = (fixture.store.clone(), fixture.records.clone());
    let login = with_password(login, "another by the office");
    fixture.hasher.before_next_verification(move || {
        assign(&*store, &records, records.user("cashier").id, &["cashier"]);
    });
    assert!(change(&fixture, &login, NEW).is_ok(), "another change of the user is no hindrance");
    assert!(!is_required(&fixture, fixture.records.user("cashier").id));
}

#[test]
fn own_change_lifts_requirement_and_same_password_is_rejected() {
    let fixture = EngineFixture::open();
    let own = fixture.user("cashier", None);
    require(&fixture, fixture.records.user("cashier"));
    let caller = authenticate(&fixture.auth, &own).unwrap();
    let old = Secret::new(password_of("cashier"));
    let same = fixture.auth.change_password(&caller, &old, &old, &[], false).unwrap_err();
    assert_eq!(same, Error::Denied(AuthDenied::WeakPassword(WeakPassword::Unchanged)));
    assert!(is_required(&fixture, fixture.records.user("cashier").id));
    fixture.auth.change_password(&caller, &old, &Secret::new(NEW.to_owned()), &[], false).unwrap();
    assert!(!is_required(&fixture, fixture.records.user("cashier").id));
    assert!(fixture.auth.login(&with_password(by_user("cashier", None), NEW)).is_ok());
    let events = fixture.audit_events(Action::Password).pop().unwrap();
    assert_eq!(events.details["password_change_required"]["to"], false);
}

/// If the response reports the reason, a right password is not a failure; if it looks like a wrong
/// one, it costs as much.
#[test]
fn correct_password_costs_what_its_response_reveals() {
    let fixture = EngineFixture::open();
    require(&fixture, fixture.records.user("cashier"));
    let login = by_user("cashier", Some("P01"));
    for number in 1..=20 {
        let refusal = login_refused(fixture.auth.login(&reporting_password_change(login.clone())));
        assert_eq!(refusal, LoginDenied::PasswordChangeRequired, "attempt {number}");
        let weak = change(&fixture, &reporting_password_change(login.clone()), "short").unwrap_err();
        assert!(matches!(weak, Error::Denied(AuthDenied::WeakPassword(_))), "attempt {number}: {weak:?}");
    }
    let wrong = |number: u8| {
        let wrong = with_password(login.clone(), &format!("wrong {number}"));
        assert_eq!(login_refused(fixture.auth.login(&wrong)), LoginDenied::Mismatch, "wrong password {number}");
    };
    (1..=8).for_each(wrong);
    // The ninth token is taken as for a wrong password; the same password again takes none.
    for _ in 0..3 {
        assert_eq!(login_refused(fixture.auth.login(&login)), LoginDenied::PasswordChangeRequired);
    }
    wrong(9);
    let held = fixture.auth.login(&with_password(login, "wrong 10")).unwrap_err();
    assert!(matches!(held, Error::Denied(AuthDenied::TooManyAttempts { .. })), "{held:?}");
}
