//! PINs: drawn by the server, set by their users with the password, and digested with a key that is
//! rotated.

use std::cell::RefCell;
use std::sync::Arc;

use tillgate_auth_core::ports::{CredentialKind, KeyKind, KeyState};
use tillgate_auth_core::{Auth, AuthDenied, AuthPorts, Caller, Error, NewPassword, TokenDenied};
use tillgate_domain::{
    Action, EventOutcome, KeyId, PrincipalId, Secret, Store, StoreExt, StoreResult, StoredPin, TenantId, User, UserId,
    WeakPin,
};
use tillgate_testkit::PlainHasher;
use tillgate_testkit::clock::CLOCK_START;

use crate::fixture::{EngineFixture, HOUR, MINUTE, address, authenticate, by_user, password_of};

fn pin(fixture: &EngineFixture, user: UserId) -> Option<StoredPin> {
    fixture.auth_store().read("test", |tx| tx.pins().find(user)).unwrap()
}

fn caller(fixture: &EngineFixture, name: &str) -> Caller {
    authenticate(&fixture.auth, &fixture.user(name, Some("P01"))).unwrap()
}

fn set(auth: &Auth, caller: &Caller, password: &str, new: Option<&str>) -> Result<Option<Secret<String>>, Error> {
    let new = new.map(|pin| Secret::new(pin.to_owned()));
    auth.set_own_pin(caller, &Secret::new(password.to_owned()), new.as_ref())
}

/// Draws a PIN that is not set. Returns it, and what would be stored.
fn draw(auth: &Auth, user: &User) -> (Secret<String>, StoredPin) {
    let seen = RefCell::new(None);
    let set = |pin: &StoredPin| {
        *seen.borrow_mut() = Some(pin.clone());
        Ok(Ok(true))
    };
    let drawn = auth.draw_pin(user, address(1), set).unwrap().unwrap();
    let stored = seen.into_inner().unwrap();
    assert_eq!(drawn.due, stored.due);
    (drawn.pin, stored)
}

fn weakness<T: std::fmt::Debug>(result: Result<T, Error>) -> WeakPin {
    match result.unwrap_err() {
        Error::Denied(AuthDenied::WeakPin(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn pin_key(fixture: &EngineFixture, state: KeyState) -> Option<KeyId> {
    let keys = fixture.auth.list_keys().unwrap();
    keys.into_iter().find(|key| (key.kind, key.state) == (KeyKind::Pin, state)).map(|key| key.id)
}

#[test]
fn drawn_pins_differ_and_nobody_but_their_user_keeps_them() {
    let fixture = EngineFixture::open();
    let user = fixture.records.user("cashier");
    let drawn: Vec<_> = (0..20).map(|_| draw(&fixture.auth, user)).collect();
    for (pin, stored) in &drawn {
        assert!(pin.expose().len() == 6 && pin.expose().bytes().all(|byte| byte.is_ascii_digit()));
        assert!(stored.due, "the person who has drawn it knows it");
        assert!(!stored.verifier.expose().contains(pin.expose()));
        assert_eq!(Some(stored.key), pin_key(&fixture, KeyState::Current));
    }
    assert!(drawn.iter().any(|(pin, _)| *pin != drawn[0].0));
}

#[test]
fn users_set_their_own_pin_with_their_password() {
    let fixture = EngineFixture::open();
    let (cashier, right) = (caller(&fixture, "cashier"), password_of("cashier"));
    let id = cashier.user().unwrap();
    assert_eq!(set(&fixture.auth, &cashier, &right, Some("905817")).unwrap(), None, "the user knows it");
    let first = pin(&fixture, id).unwrap();
    assert!(!first.due && !first.verifier.expose().contains("905817"));
    assert_eq!(weakness(set(&fixture.auth, &cashier, &right, Some("905817"))), WeakPin::Unchanged);
    for (weak, why) in [("123456", WeakPin::Common), ("471", WeakPin::TooShort), ("47a5", WeakPin::Malformed)] {
        assert_eq!(weakness(set(&fixture.auth, &cashier, &right, Some(weak))), why);
    }
    assert_eq!(pin(&fixture, id), Some(first.clone()));
    let drawn = set(&fixture.auth, &cashier, &right, None).unwrap().unwrap();
    assert_eq!(drawn.expose().len(), 6);
    assert_ne!(pin(&fixture, id), Some(first));
    let events = fixture.audit_events(Action::PinSet);
    let by: Vec<_> = events.iter().map(|event| event.details["by"].as_str().unwrap()).collect();
    assert_eq!(by, ["chosen", "drawn"]);
    assert!(events.iter().all(|event| event.actor.user == Some(id) && event.outcome == EventOutcome::Done));
    let reported = format!("{events:?}");
    assert!(!reported.contains("905817") && !reported.contains(drawn.expose().as_str()));
}

#[test]
fn wrong_password_sets_no_pin_and_counts_as_a_failed_login() {
    let fixture = EngineFixture::open();
    let cashier = caller(&fixture, "cashier");
    let wrong = |guess: &str| set(&fixture.auth, &cashier, guess, Some("905817")).unwrap_err();
    for number in 0..5 {
        let error = wrong(&format!("guess {number}"));
        assert_eq!(error, Error::Denied(AuthDenied::WrongPassword), "a 401 would end the session of a till");
    }
    assert!(matches!(wrong("another guess"), Error::Denied(AuthDenied::TooManyAttempts { .. })));
    assert_eq!(pin(&fixture, cashier.user().unwrap()), None);
    fixture.clock.advance(HOUR);
    let device = authenticate(&fixture.auth, &fixture.device("P02")).unwrap();
    let result = set(&fixture.auth, &device, &password_of("P02"), None).unwrap_err();
    assert_eq!(result, Error::Denied(AuthDenied::WrongPassword), "a device has no PIN");
}

#[test]
fn session_that_has_ended_meanwhile_sets_no_pin() {
    let fixture = EngineFixture::open();
    let cashier = caller(&fixture, "cashier");
    fixture.auth.logout(&cashier).unwrap();
    let result = set(&fixture.auth, &cashier, &password_of("cashier"), Some("905817")).unwrap_err();
    assert_eq!(result, Error::Denied(AuthDenied::Token(TokenDenied::SessionOver)));
    assert_eq!(pin(&fixture, cashier.user().unwrap()), None);
}

#[test]
fn key_of_pins_is_rotated_and_kept_while_a_pin_needs_it() {
    let fixture = EngineFixture::open();
    let (cashier, right) = (caller(&fixture, "cashier"), password_of("cashier"));
    set(&fixture.auth, &cashier, &right, Some("905817")).unwrap();
    let old = pin_key(&fixture, KeyState::Current);
    fixture.auth.rotate_keys(true).unwrap();
    assert_eq!(pin_key(&fixture, KeyState::Kept), old);
    for _ in 0..26 * 60 {
        fixture.clock.advance(MINUTE);
        fixture.auth.run_due_maintenance();
    }
    assert_eq!(pin_key(&fixture, KeyState::Kept), old, "the PIN needs it");
    let cashier = caller(&fixture, "cashier");
    assert_eq!(weakness(set(&fixture.auth, &cashier, &right, Some("905817"))), WeakPin::Unchanged, "it still matches");
    set(&fixture.auth, &cashier, &right, Some("4715")).unwrap();
    assert_eq!(Some(pin(&fixture, cashier.user().unwrap()).unwrap().key), pin_key(&fixture, KeyState::Current));
    for _ in 0..26 * 60 {
        fixture.clock.advance(MINUTE);
        fixture.auth.run_due_maintenance();
    }
    assert_eq!(pin_key(&fixture, KeyState::Kept), None, "nothing needs it any more");
}

#[test]
fn pin_of_a_revoked_key_matches_nothing() {
    let fixture = EngineFixture::open();
    let (cashier, right) = (caller(&fixture, "cashier"), password_of("cashier"));
    set(&fixture.auth, &cashier, &right, Some("905817")).unwrap();
    fixture.auth.revoke_key(pin_key(&fixture, KeyState::Current).unwrap()).unwrap();
    assert!(authenticate(&fixture.auth, &fixture.user("cashier", None)).is_ok(), "sessions continue");
    set(&fixture.auth, &cashier, &right, Some("905817")).unwrap();
    assert_eq!(Some(pin(&fixture, cashier.user().unwrap()).unwrap().key), pin_key(&fixture, KeyState::Current));
}

#[test]
fn stores_of_earlier_versions_get_a_key_of_pins_at_the_next_start() {
    let fixture = EngineFixture::open();
    let key = pin_key(&fixture, KeyState::Current).unwrap();
    fixture.auth_store().write("test", |tx| tx.keys().remove(key)).unwrap();
    assert_eq!(pin_key(&fixture, KeyState::Current), None);
    let later: Arc<Auth> = fixture.process();
    assert!(pin_key(&fixture, KeyState::Current).is_some());
    assert_eq!(Some(draw(&later, fixture.records.user("cashier")).1.key), pin_key(&fixture, KeyState::Current));
}

/// Somebody who knew the old password could have set the PIN.
#[test]
fn new_password_of_their_own_removes_the_pin() {
    let words = |_: TenantId, _: UserId| -> StoreResult<Vec<String>> { Ok(Vec::new()) };
    let new = Secret::new("a longer one than before".to_owned());
    for by_login in [false, true] {
        let fixture = EngineFixture::open();
        let (cashier, right) = (caller(&fixture, "cashier"), password_of("cashier"));
        let manager = authenticate(&fixture.auth, &fixture.user("manager", None)).unwrap();
        set(&fixture.auth, &cashier, &right, Some("905817")).unwrap();
        set(&fixture.auth, &manager, &password_of("manager"), Some("905817")).unwrap();
        if by_login {
            let new = NewPassword { password: &new, context_words: &words };
            fixture.auth.login_with_new_password(&by_user("cashier", Some("P01")), &new).unwrap();
        } else {
            fixture.auth.change_password(&cashier, &Secret::new(right), &new, &[], false).unwrap();
        }
        assert_eq!(pin(&fixture, cashier.user().unwrap()), None, "{by_login}");
        assert!(pin(&fixture, manager.user().unwrap()).is_some(), "that of another user stays");
        let event = fixture.audit_events(Action::Password).pop().unwrap();
        assert_eq!(event.details["pin_removed"], true);
    }
}

#[test]
fn password_that_is_replaced_meanwhile_sets_no_pin() {
    let fixture = EngineFixture::open();
    let (cashier, right) = (caller(&fixture, "cashier"), password_of("cashier"));
    let (store, user) = (Arc::clone(&fixture.store), cashier.user().unwrap());
    fixture.hasher.before_next_verification(move || {
        let store: &dyn Store<AuthPorts> = &*store;
        let replaced = store.write("test", |tx| {
            let credential = tx.credentials().find(PrincipalId::User(user), CredentialKind::Password)?.unwrap();
            let verifier = PlainHasher::verifier("another password");
            tx.credentials().replace(credential.principal, credential.kind, credential.version, &verifier, CLOCK_START)
        });
        assert_eq!(replaced, Ok(true));
    });
    let result = set(&fixture.auth, &cashier, &right, Some("905817")).unwrap_err();
    assert_eq!(result, Error::Denied(AuthDenied::WrongPassword), "it is the current password no more");
    assert_eq!(pin(&fixture, user), None);
    set(&fixture.auth, &cashier, "another password", Some("905817")).unwrap();
    assert!(pin(&fixture, user).is_some());
}

/// Another process replaces the key, and this one has not noticed it yet.
#[test]
fn pin_is_never_stored_under_a_key_that_was_replaced() {
    for revokes in [false, true] {
        let fixture = EngineFixture::open();
        let (cashier, right) = (caller(&fixture, "cashier"), password_of("cashier"));
        let other = fixture.process();
        let replace = move || {
            let mut keys = other.list_keys().unwrap().into_iter();
            let current = keys.find(|key| (key.kind, key.state) == (KeyKind::Pin, KeyState::Current)).unwrap();
            if revokes {
                other.revoke_key(current.id).unwrap();
            } else {
                other.rotate_keys(true).unwrap();
            }
        };
        fixture.hasher.before_next_verification(replace.clone());
        set(&fixture.auth, &cashier, &right, Some("905817")).unwrap();
        let own = pin(&fixture, cashier.user().unwrap()).unwrap().key;
        assert_eq!(Some(own), pin_key(&fixture, KeyState::Current), "{revokes}");
        let tried = RefCell::new(Vec::new());
        let user = fixture.records.user("manager");
        let drawn = fixture.auth.draw_pin(user, address(1), |pin| {
            tried.borrow_mut().push(pin.key);
            if tried.borrow().len() == 1 {
                replace();
            }
            fixture.office_store().write("test", |tx| tx.pins().claim_key(pin.key)).map(Ok)
        });
        assert!(drawn.unwrap().is_ok());
        let tried = tried.into_inner();
        assert_eq!((tried.len(), tried.last().copied()), (2, pin_key(&fixture, KeyState::Current)), "{revokes}");
    }
}
