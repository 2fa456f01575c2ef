//! The limits of wrong PINs on a till, and the one response to every reason of a mismatch.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tillgate_auth_core::{Auth, AuthDenied, Error, OperatorRequest, SignedInOperator};
use tillgate_domain::{Action, DeviceId, Secret, Subject, UserId, UserStatus};

use crate::enrollment::till;
use crate::fixture::{HOUR, MINUTE, authenticate, status};
use crate::operators::{PIN, Shop, denied, operator_terms};

fn throttled<T: std::fmt::Debug>(response: Result<T, Error>) -> u64 {
    match denied(response) {
        AuthDenied::OperatorThrottled { retry_after } => retry_after.as_secs(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn wrong_pins_wait_and_stop_the_pin_on_this_till_only() {
    let shop = Shop::open();
    let mut waits = Vec::new();
    for number in 1..=10 {
        assert_eq!(denied(shop.try_in("cashier", "000000")), AuthDenied::OperatorMismatch, "{number}");
        if number >= 3 {
            let wait = throttled(shop.try_in("cashier", PIN));
            waits.push(wait);
            shop.advance(Duration::from_secs(wait).saturating_sub(Duration::from_secs(1)));
            assert_eq!(throttled(shop.try_in("cashier", PIN)), if number == 10 { 3600 } else { 1 });
            shop.advance(Duration::from_secs(1));
        }
    }
    assert_eq!(waits, [30, 30, 30, 300, 300, 300, 300, 3600]);
    for _ in 0..20 {
        shop.advance(6 * HOUR);
        shop.caller();
    }
    shop.auth().sweep(&mut |_| ()).unwrap();
    assert_eq!(throttled(shop.try_in("cashier", PIN)), 3600, "it does not end by itself");
}

#[test]
fn right_pin_clears_the_count_of_its_user() {
    let shop = Shop::open();
    shop.fail("cashier", 9);
    shop.advance(5 * MINUTE);
    shop.sign_in("cashier");
    shop.fail("cashier", 2);
    shop.sign_in("cashier");
    assert_eq!(shop.fixture.audit_events(Action::PinStopped).len(), 0);
}

#[test]
fn stop_is_recorded_once_and_lifted_by_another_pin_or_by_somebody_who_may() {
    let shop = Shop::open();
    shop.fail("cashier", 10);
    let stopped = |shop: &Shop| throttled(shop.try_in("cashier", PIN));
    assert_eq!(stopped(&shop), 3600);
    shop.advance(5 * MINUTE);
    assert_eq!(stopped(&shop), 3600);
    let events = shop.fixture.audit_events(Action::PinStopped);
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].subject, events[0].actor.device),
        (Subject::User(shop.user("cashier")), Some(till(&shop.fixture)))
    );
    assert!(shop.try_in("manager", PIN).is_ok(), "others go on");

    let cashier = authenticate(shop.auth(), &shop.fixture.user("cashier", None)).unwrap();
    assert!(matches!(denied(shop.auth().unlock_pins(&cashier, till(&shop.fixture))), AuthDenied::RightMissing(_)));
    let manager = authenticate(shop.auth(), &shop.fixture.user("manager", None)).unwrap();
    let elsewhere = shop.fixture.market.device("P01").id;
    assert_eq!(shop.auth().unlock_pins(&manager, elsewhere), Ok(false));
    assert_eq!(shop.auth().unlock_pins(&manager, DeviceId(uuid::Uuid::from_u128(7))), Ok(false));
    let other_till = shop.fixture.records.device("P02").id;
    assert_eq!(shop.auth().unlock_pins(&manager, other_till), Ok(true));
    assert_eq!(stopped(&shop), 3600, "another till was unlocked");
    assert_eq!(shop.auth().unlock_pins(&manager, till(&shop.fixture)), Ok(true));
    assert_eq!(shop.fixture.audit_events(Action::PinUnlock).len(), 2);
    shop.sign_in("cashier");

    shop.fail("cashier", 10);
    assert_eq!(stopped(&shop), 3600);
    shop.set_pin("cashier", "384017");
    assert!(shop.try_in("cashier", "384017").is_ok(), "another PIN has a count of its own");
    assert_eq!(shop.fixture.audit_events(Action::PinStopped).len(), 2);
}

#[test]
fn all_users_of_a_till_share_a_bucket_that_a_right_pin_does_not_refill() {
    let shop = Shop::open();
    let mut responses = BTreeMap::new();
    for number in 0..35 {
        let user = UserId(uuid::Uuid::from_u128(1000 + number));
        let code = denied(shop.try_on(shop.auth(), user, PIN)).code();
        *responses.entry(code).or_insert(0) += 1;
        if number == 20 {
            shop.sign_in("cashier");
        }
    }
    assert_eq!(responses, [("operator_mismatch", 30), ("operator_throttled", 5)].into());
    assert_eq!(throttled(shop.try_in("cashier", PIN)), 600, "it is full for everybody");
    shop.advance(10 * MINUTE);
    shop.sign_in("cashier");
    assert_eq!(denied(shop.try_in("manager", "000000")), AuthDenied::OperatorMismatch);
    assert_eq!(throttled(shop.try_in("cashier", PIN)), 600, "one in ten minutes");
}

/// As many guesses are compared as if they came one after another.
#[test]
fn parallel_guesses_get_no_more_than_a_queue() {
    let shop = Shop::open();
    let other = shop.fixture.process();
    let (caller, user, terms) = (shop.caller(), shop.user("cashier"), operator_terms());
    let hashes = shop.fixture.hasher.verification_count();
    let responses: Vec<Result<SignedInOperator, Error>> = std::thread::scope(|scope| {
        let guesses: Vec<_> = (0..64)
            .map(|number| {
                let auth: &Auth = if number % 2 == 0 { shop.auth() } else { &other };
                let (caller, terms) = (&caller, &terms);
                scope.spawn(move || {
                    let pin = Secret::new(format!("{number:06}"));
                    auth.sign_in_operator(&OperatorRequest { till: caller, user, pin: &pin, terms })
                })
            })
            .collect();
        guesses.into_iter().map(|guess| guess.join().unwrap()).collect()
    });
    let mut codes = BTreeMap::new();
    for response in responses {
        *codes.entry(denied(response).code()).or_insert(0) += 1;
    }
    assert_eq!(codes, [("operator_mismatch", 3), ("operator_throttled", 61)].into());
    assert_eq!(shop.fixture.hasher.verification_count(), hashes + 3);
    shop.advance(30 * Duration::from_secs(1));
    shop.sign_in("cashier");
}

#[test]
fn parallel_right_pins_all_succeed_and_one_of_them_stays() {
    let shop = Shop::open();
    let (caller, terms, pin) = (shop.caller(), operator_terms(), Secret::new(PIN.to_owned()));
    let users = ["cashier", "manager"].map(|name| shop.user(name));
    let signed_in: Vec<SignedInOperator> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..12)
            .map(|number| {
                let (caller, terms, pin, auth) = (&caller, &terms, &pin, shop.auth());
                let request = OperatorRequest { till: caller, user: users[number % 2], pin, terms };
                scope.spawn(move || auth.sign_in_operator(&request).unwrap())
            })
            .collect();
        all.into_iter().map(|each| each.join().unwrap()).collect()
    });
    let live: Vec<_> = signed_in.iter().filter(|each| shop.ended(&each.tokens).is_none()).collect();
    assert_eq!(live.len(), 1);
    assert_eq!(shop.operator(), Some(live[0].tokens.session.id));
    assert_eq!(signed_in.iter().filter(|each| each.replaced.is_some()).count(), 11);
}

/// The response, the cost and the count are the same; the audit event has the reason.
#[test]
fn every_reason_of_a_mismatch_has_one_response_and_one_cost() {
    let shop = Shop::open();
    shop.set_pin("driver", PIN);
    let market = shop.fixture.market.user("cashier").id;
    status(shop.fixture.office_store(), &shop.fixture.records, shop.user("manager"), UserStatus::Suspended);
    let unknown = UserId(uuid::Uuid::from_u128(7));
    for (what, user, pin, why) in [
        ("wrong", shop.user("cashier"), "000000", "pin_wrong"),
        ("empty", shop.user("cashier"), "", "pin_wrong"),
        ("no PIN", shop.user("admin"), PIN, "pin_missing"),
        ("suspended", shop.user("manager"), PIN, "login_suspended"),
        ("pending", shop.user("trainee"), PIN, "login_suspended"),
        ("virtual", shop.user("robot"), PIN, "login_virtual"),
        ("of another till", shop.user("driver"), PIN, "login_not_there"),
        ("of another tenant", market, PIN, "user_unknown"),
        ("unknown", unknown, PIN, "user_unknown"),
    ] {
        let hashes = shop.fixture.hasher.verification_count();
        assert_eq!(denied(shop.try_on(shop.auth(), user, pin)), AuthDenied::OperatorMismatch, "{what}");
        assert_eq!(shop.fixture.hasher.verification_count(), hashes + 1, "{what}");
        let event = shop.denied_logins().pop().unwrap();
        assert_eq!(event.details["why"], json!(why), "{what}");
        assert_eq!(event.actor.device, Some(till(&shop.fixture)), "{what}");
    }
    for user in [shop.user("driver"), market, unknown] {
        for _ in 0..2 {
            assert_eq!(denied(shop.try_on(shop.auth(), user, PIN)), AuthDenied::OperatorMismatch);
        }
        assert_eq!(throttled(shop.try_on(shop.auth(), user, PIN)), 30, "a right PIN counts as well");
    }
}
