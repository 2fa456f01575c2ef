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

use crate::hasher::PlainHasher;
use crate::shop::{
    Shop, assign, authenticate, by_device, by_user, done, login_refused, password_of, refresh, stamp, status,
    token_refused, with_password,
};

const NEW: &str = "a longer one than before";

fn require(shop: &Shop, user: &User) {
    let change = UserChange { password_change_required: Some(true), ..UserChange::default() };
    done(
        Office::new(shop.office_store(), shop.world.tenant.id, stamp(CLOCK_START)).change_user(user.id, None, &change),
    );
}

fn is_required(shop: &Shop, id: UserId) -> bool {
    shop.auth_store().read("test", |tx| tx.users().find(id)).unwrap().unwrap().password_change_required
}

/// A login in a dialect that can report a required password change.
fn reporting_password_change(login: LoginRequest) -> LoginRequest {
    LoginRequest { reports_password_change: true, ..login }
}

fn change(shop: &Shop, login: &LoginRequest, new: &str) -> Result<IssuedTokens, Error> {
    let words = |_: TenantId, _: UserId| -> StoreResult<Vec<String>> { Ok(vec!["marmalade".to_owned()]) };
    let new = Secret::new(new.to_owned());
    shop.auth.login_with_new_password(login, &NewPassword { password: &new, context_words: &words })
}

#[test]
fn correct_password_that_must_be_changed_creates_no_session() {
    let shop = Shop::open();
    require(&shop, &shop.world.cashier);
    for device in [None, Some("P01")] {
        let login = reporting_password_change(by_user("cashier", device));
        assert_eq!(login_refused(shop.auth.login(&login)), LoginDenied::PasswordChangeRequired, "{device:?}");
        let wrong = with_password(login, "wrong");
        assert_eq!(
            login_refused(shop.auth.login(&wrong)),
            LoginDenied::Mismatch,
            "the flag is not revealed before the password matches"
        );
        assert_eq!(login_refused(change(&shop, &wrong, NEW)), LoginDenied::Mismatch, "nor by a new one");
    }
    let pairing = shop.auth.generate_permanent_token(&by_user("cashier", Some("P01")));
    assert_eq!(login_refused(pairing), LoginDenied::PasswordChangeRequired);
    assert_eq!(shop.sessions(), 0);
    assert!(is_required(&shop, shop.world.cashier.id));
    let why: Vec<_> = shop.audit_events(Action::Login).into_iter().map(|event| event.details["why"].clone()).collect();
    assert!(why.contains(&"password_change_required".into()), "{why:?}");
    assert!(shop.auth.login(&by_device("P01")).is_ok() && shop.auth.login(&by_user("manager", None)).is_ok());
}

#[test]
fn new_password_is_set_by_login() {
    let shop = Shop::open();
    let (cashier, manager) = (shop.user("cashier", None), shop.user("manager", None));
    let pairing = shop.auth.generate_permanent_token(&by_user("cashier", Some("P02"))).unwrap();
    require(&shop, &shop.world.cashier);
    assert!(authenticate(&shop.auth, &cashier).is_ok(), "what is there goes on");
    assert!(refresh(&shop.auth, &cashier).is_ok());

    let login = reporting_password_change(by_user("cashier", Some("P01")));
    let granted = change(&shop, &login, NEW).unwrap();
    assert!(authenticate(&shop.auth, &granted).is_ok() && refresh(&shop.auth, &granted).is_ok());
    let user = granted.profile.user.as_ref().unwrap();
    assert!(!user.password_change_required && !is_required(&shop, user.id));
    for over in [&cashier, &pairing] {
        assert_eq!(token_refused(authenticate(&shop.auth, over)), TokenDenied::SessionOver);
        assert_eq!(shop.session(over.session.id).ended.map(|(_, why)| why), Some(EndReason::Password));
    }
    assert!(authenticate(&shop.auth, &manager).is_ok(), "nobody else's end");
    assert_eq!(login_refused(shop.auth.login(&login)), LoginDenied::Mismatch, "the old one is gone");
    assert!(shop.auth.login(&with_password(login, NEW)).is_ok());

    let changed = shop.audit_events(Action::Password).pop().unwrap();
    assert_eq!((changed.outcome, changed.actor.session), (EventOutcome::Done, Some(granted.session.id)));
    assert_eq!(changed.details["ended"], 2);
    assert_eq!(changed.details["password_change_required"], serde_json::json!({ "from": true, "to": false }));
    let lines = shop.memory.audit_events();
    let place = |id| lines.iter().position(|event| event.id == id).unwrap();
    let login =
        lines.iter().find(|event| event.action == Action::Login && event.actor.session == Some(granted.session.id));
    assert!(place(changed.id) < place(login.unwrap().id), "the change, then the login");
}

#[test]
fn weak_new_password_keeps_old_one() {
    let shop = Shop::open();
    let other = shop.user("cashier", None);
    require(&shop, &shop.world.cashier);
    let login = reporting_password_change(by_user("cashier", None));
    let old = password_of("cashier");
    for (new, why) in [
        ("short", WeakPassword::TooShort),
        ("password1", WeakPassword::Common),
        ("marmalade-1", WeakPassword::ContextWord("marmalade".to_owned())),
        (old.as_str(), WeakPassword::Unchanged),
        (&old.replace(' ', "\u{a0}"), WeakPassword::Unchanged),
    ] {
        let refused = change(&shop, &login, new).unwrap_err();
        assert_eq!(refused, Error::Denied(AuthDenied::WeakPassword(why)), "{new}");
    }
    assert_eq!(login_refused(shop.auth.login(&login)), LoginDenied::PasswordChangeRequired, "the old one is right");
    assert!(authenticate(&shop.auth, &other).is_ok() && shop.sessions() == 1);
    assert_eq!(shop.audit_events(Action::Password).len(), 0);
    assert!(change(&shop, &login, NEW).is_ok());
}

#[test]
fn user_may_change_password_with_login_voluntarily() {
    let shop = Shop::open();
    let other = shop.user("cashier", None);
    let granted = change(&shop, &by_user("cashier", None), NEW).unwrap();
    assert!(authenticate(&shop.auth, &granted).is_ok());
    assert_eq!(token_refused(authenticate(&shop.auth, &other)), TokenDenied::SessionOver);
    assert!(!shop.audit_events(Action::Password)[0].details.contains_key("password_change_required"));
    assert_eq!(login_refused(change(&shop, &by_device("P01"), NEW)), LoginDenied::Mismatch, "a device has no say");
    assert!(shop.auth.login(&by_device("P01")).is_ok());
}

#[test]
fn denied_login_keeps_password() {
    let shop = Shop::open();
    require(&shop, &shop.world.cashier);
    let on = |device| change(&shop, &reporting_password_change(by_user("cashier", device)), NEW);
    assert_eq!(login_refused(on(Some("nowhere"))), LoginDenied::DeviceNotAllowed);
    let ranked = LoginRequest { min_rank: Some(Rank::Admin), ..reporting_password_change(by_user("cashier", None)) };
    assert_eq!(login_refused(change(&shop, &ranked, NEW)), LoginDenied::RankTooLow);
    status(shop.office_store(), &shop.world, shop.world.cashier.id, UserStatus::Suspended);
    assert_eq!(login_refused(on(None)), LoginDenied::Suspended);
    status(shop.office_store(), &shop.world, shop.world.cashier.id, UserStatus::Active);
    assert_eq!(shop.audit_events(Action::Password).len(), 0);
    assert!(on(None).is_ok(), "the old one is right all the while");
}

#[test]
fn concurrent_password_change_wins_over_login() {
    let shop = Shop::open();
    require(&shop, &shop.world.cashier);
    let login = reporting_password_change(by_user("cashier", Some("P01")));
    let (memory, world) = (shop.memory.clone(), shop.world.clone());
    shop.hasher.before_next_verification(move || {
        let (whose, verifier) = (PrincipalId::User(world.cashier.id), PlainHasher::verifier("another by the office"));
        let options = PasswordOptions { require_change: true, ..PasswordOptions::default() };
        done(Office::new(&*memory, world.tenant.id, stamp(CLOCK_START)).set_password_with(whose, &verifier, options));
    });
    assert_eq!(login_refused(change(&shop, &login, NEW)), LoginDenied::Mismatch);
    assert_eq!(shop.sessions(), 0);
    assert!(is_required(&shop, shop.world.cashier.id));

    let (memory, world) = (shop.memory.clone(), shop.world.clone());
    let login = with_password(login, "another by the office");
    shop.hasher.before_next_verification(move || {
        assign(&*memory, &world, world.cashier.id, &["cashier"]);
    });
    assert!(change(&shop, &login, NEW).is_ok(), "another change of the user is no hindrance");
    assert!(!is_required(&shop, shop.world.cashier.id));
}

#[test]
fn own_change_lifts_requirement_and_same_password_is_rejected() {
    let shop = Shop::open();
    let own = shop.user("cashier", None);
    require(&shop, &shop.world.cashier);
    let caller = authenticate(&shop.auth, &own).unwrap();
    let old = Secret::new(password_of("cashier"));
    let same = shop.auth.change_password(&caller, &old, &old, &[], false).unwrap_err();
    assert_eq!(same, Error::Denied(AuthDenied::WeakPassword(WeakPassword::Unchanged)));
    assert!(is_required(&shop, shop.world.cashier.id));
    shop.auth.change_password(&caller, &old, &Secret::new(NEW.to_owned()), &[], false).unwrap();
    assert!(!is_required(&shop, shop.world.cashier.id));
    assert!(shop.auth.login(&with_password(by_user("cashier", None), NEW)).is_ok());
    let told = shop.audit_events(Action::Password).pop().unwrap();
    assert_eq!(told.details["password_change_required"]["to"], false);
}

/// If the answer reports the reason, a right password is not a failure; if it looks like a wrong
/// one, it costs as much.
#[test]
fn correct_password_costs_what_its_answer_reveals() {
    let shop = Shop::open();
    require(&shop, &shop.world.cashier);
    let login = by_user("cashier", Some("P01"));
    for number in 1..=20 {
        let refusal = login_refused(shop.auth.login(&reporting_password_change(login.clone())));
        assert_eq!(refusal, LoginDenied::PasswordChangeRequired, "attempt {number}");
        let weak = change(&shop, &reporting_password_change(login.clone()), "short").unwrap_err();
        assert!(matches!(weak, Error::Denied(AuthDenied::WeakPassword(_))), "attempt {number}: {weak:?}");
    }
    let wrong = |number: u8| {
        let wrong = with_password(login.clone(), &format!("wrong {number}"));
        assert_eq!(login_refused(shop.auth.login(&wrong)), LoginDenied::Mismatch, "wrong password {number}");
    };
    (1..=8).for_each(wrong);
    // The ninth token is taken as for a wrong password; the same password again takes none.
    for _ in 0..3 {
        assert_eq!(login_refused(shop.auth.login(&login)), LoginDenied::PasswordChangeRequired);
    }
    wrong(9);
    let held = shop.auth.login(&with_password(login, "wrong 10")).unwrap_err();
    assert!(matches!(held, Error::Denied(AuthDenied::TooManyAttempts { .. })), "{held:?}");
}
