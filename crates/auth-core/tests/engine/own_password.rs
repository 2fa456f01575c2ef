//! Users change their own passwords: which sessions end, and what a wrong old password costs.

use tillgate_auth_core::{AuthDenied, Caller, Error, IssuedTokens, LoginDenied, TokenDenied};
use tillgate_domain::{Action, EndReason, EventOutcome, PrincipalId, Rank, Secret};

use crate::shop::{Shop, authenticate, by_user, login_refused, password_of, refresh, token_refused, with_password};

const NEW: &str = "a longer one than before";

fn caller(shop: &Shop, granted: &IssuedTokens) -> Caller {
    authenticate(&shop.auth, granted).unwrap()
}

fn change(shop: &Shop, caller: &Caller, old: &str, new: &str) -> Result<(), Error> {
    shop.auth.change_password(caller, &Secret::new(old.to_owned()), &Secret::new(new.to_owned()), &[], false).map(drop)
}

#[test]
fn own_password_change_ends_other_own_sessions_only() {
    let shop = Shop::open();
    let (own, office, till) =
        (shop.user("cashier", None), shop.user("cashier", None), shop.user("cashier", Some("P01")));
    let (manager, device) = (shop.user("manager", None), shop.device("P01"));
    let epoch = shop.session(own.session.id).epochs;
    change(&shop, &caller(&shop, &own), &password_of("cashier"), NEW).unwrap();
    for over in [&office, &till] {
        assert_eq!(token_refused(authenticate(&shop.auth, over)), TokenDenied::SessionOver);
        assert_eq!(token_refused(refresh(&shop.auth, over)), TokenDenied::SessionOver);
        assert_eq!(shop.session(over.session.id).ended.map(|(_, why)| why), Some(EndReason::Password));
    }
    for lives in [&own, &manager, &device] {
        assert!(authenticate(&shop.auth, lives).is_ok());
        assert!(refresh(&shop.auth, lives).is_ok());
    }
    let login = by_user("cashier", None);
    assert_eq!(login_refused(shop.auth.login(&login)), LoginDenied::Mismatch);
    let again = shop.auth.login(&with_password(login, NEW)).unwrap();
    assert_eq!(shop.session(again.session.id).epochs, epoch, "it raised nothing");
    let told = shop.audit_events(Action::Password);
    assert_eq!((told.len(), told[0].outcome, &told[0].details["ended"]), (1, EventOutcome::Done, &2.into()));
    assert_eq!(told[0].actor.session, Some(own.session.id));
}

#[test]
fn own_password_change_ends_permanent_token_of_user_only() {
    let shop = Shop::open();
    let own = shop.user("cashier", None);
    let theirs = shop.auth.generate_permanent_token(&by_user("cashier", Some("P01"))).unwrap();
    let other = shop.auth.generate_permanent_token(&by_user("manager", Some("P02"))).unwrap();
    change(&shop, &caller(&shop, &own), &password_of("cashier"), NEW).unwrap();
    assert_eq!(token_refused(authenticate(&shop.auth, &theirs)), TokenDenied::SessionOver);
    assert_eq!(shop.session(theirs.session.id).ended.map(|(_, why)| why), Some(EndReason::Password));
    assert!(authenticate(&shop.auth, &other).is_ok() && authenticate(&shop.auth, &own).is_ok());
    assert_eq!(shop.audit_events(Action::Password)[0].details["ended"], 1);
}

#[test]
fn correct_password_is_confirmed_and_wrong_one_counts_as_failed_login() {
    let shop = Shop::open();
    let caller = caller(&shop, &shop.user("cashier", None));
    let confirm = |password: &str| shop.auth.confirm_password(&caller, &Secret::new(password.to_owned()));
    for wrong in ["wrong", "", NEW] {
        assert_eq!(login_refused(confirm(wrong)), LoginDenied::Mismatch, "{wrong}");
    }
    assert_eq!(confirm(&password_of("cashier")), Ok(()));
    assert_eq!(shop.audit_events(Action::Password).len(), 3, "a right one is no line of the audit");
}

#[test]
fn many_sessions_end_in_one_password_change() {
    let shop = Shop::open();
    let own = shop.user("cashier", None);
    let others: Vec<IssuedTokens> = (0..450).map(|_| shop.user("cashier", None)).collect();
    change(&shop, &caller(&shop, &own), &password_of("cashier"), NEW).unwrap();
    assert!(others.iter().all(|other| authenticate(&shop.auth, other).is_err()));
    assert!(authenticate(&shop.auth, &own).is_ok());
}

#[test]
fn wrong_current_password_changes_nothing_and_is_counted() {
    let shop = Shop::open();
    let (own, other) = (shop.user("cashier", None), shop.user("cashier", None));
    let caller = caller(&shop, &own);
    for wrong in ["wrong", "", NEW] {
        assert_eq!(login_refused(change(&shop, &caller, wrong, NEW)), LoginDenied::Mismatch, "{wrong}");
    }
    assert!(authenticate(&shop.auth, &other).is_ok());
    let told = shop.audit_events(Action::Password);
    assert!(told.len() == 3 && told.iter().all(|event| event.outcome == EventOutcome::Refused));
    // A caller with a session has five free attempts.
    for wrong in ["wrong too", "wrong again"] {
        login_refused(change(&shop, &caller, wrong, NEW));
    }
    let held = change(&shop, &caller, &password_of("cashier"), NEW).unwrap_err();
    assert!(matches!(held, Error::Denied(AuthDenied::TooManyAttempts { .. })), "{held:?}");
    assert!(authenticate(&shop.auth, &own).is_ok(), "who is logged in stays so");
}

#[test]
fn weak_new_password_is_rejected() {
    let shop = Shop::open();
    let caller = caller(&shop, &shop.user("cashier", None));
    for weak in ["short", "password1", ""] {
        let refused = change(&shop, &caller, &password_of("cashier"), weak).unwrap_err();
        assert!(matches!(refused, Error::Denied(AuthDenied::WeakPassword(_))), "{refused:?}");
    }
    assert!(shop.auth.login(&by_user("cashier", None)).is_ok());
}

#[test]
fn ended_session_cannot_change_password() {
    let shop = Shop::open();
    let caller_before = caller(&shop, &shop.user("cashier", None));
    shop.auth.logout(&caller_before).unwrap();
    let refused = change(&shop, &caller_before, &password_of("cashier"), NEW);
    assert_eq!(token_refused(refused), TokenDenied::SessionOver);
    // A change by somebody else ends the session, too.
    let own = caller(&shop, &shop.user("cashier", None));
    shop.set_password(PrincipalId::User(shop.world.cashier.id), NEW);
    assert_eq!(token_refused(change(&shop, &own, NEW, "and yet another one")), TokenDenied::SessionOver);
    assert!(shop.auth.login(&with_password(by_user("cashier", None), NEW)).is_ok());
}

#[test]
fn login_may_require_rank() {
    let shop = Shop::open();
    let least = |name: &str, device: Option<&str>, least: Rank| {
        let login = tillgate_auth_core::LoginRequest { min_rank: Some(least), ..by_user(name, device) };
        shop.auth.login(&login)
    };
    let before = shop.sessions();
    assert_eq!(login_refused(least("cashier", None, Rank::Manager)), LoginDenied::RankTooLow);
    assert_eq!(login_refused(least("manager", None, Rank::Admin)), LoginDenied::RankTooLow);
    assert_eq!(shop.sessions(), before, "no session is left behind");
    for (name, rank) in [("cashier", Rank::Cashier), ("manager", Rank::Cashier), ("admin", Rank::Admin)] {
        assert!(least(name, None, rank).unwrap().profile.rank >= Some(rank), "{name}");
    }
    let wrong = tillgate_auth_core::LoginRequest {
        min_rank: Some(Rank::Admin),
        ..with_password(by_user("cashier", None), "wrong")
    };
    assert_eq!(
        login_refused(shop.auth.login(&wrong)),
        LoginDenied::Mismatch,
        "a rank is not judged before the password"
    );
    let told = shop.audit_events(Action::Login);
    assert!(told.iter().any(|event| event.outcome == EventOutcome::Refused && event.details["why"] == "login_rank"));
    // A right password is not a failure, whatever the rank is.
    for _ in 0..20 {
        login_refused(least("cashier", None, Rank::Admin));
    }
    assert!(least("cashier", None, Rank::Cashier).is_ok());
}
