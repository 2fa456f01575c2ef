//! A clock that is set by hours: what it cannot decide is decided later, and nobody's token is taken for it.

use std::sync::Arc;
use std::time::Duration;

use tillgate_auth_core::{Login, Refresh, Terms, TokenRefusal};
use tillgate_domain::{Action, Scope, StoreExt};

use crate::shop::{
    HOUR, MINUTE, OVERLAP, Shop, builder, by_user, refreshed, terms, token, token_refused, unavailable, used,
};

/// The clock is set.
fn step(shop: &Shop, span: Duration, forward: bool) {
    if forward {
        shop.clock.step_forward(span);
    } else {
        shop.clock.step_back(span);
    }
}

/// A login with short terms: the session is over after eight minutes, its access token after five.
fn short() -> Login {
    let refresh = Some(Refresh { idle: Some(8 * MINUTE), overlap: Some(OVERLAP), first_reusable: false });
    Login { terms: Terms { access: 5 * MINUTE, refresh, ..terms() }, ..by_user("cashier", None) }
}

#[test]
fn a_step_by_hours_ends_nothing() {
    for forward in [true, false] {
        let shop = Shop::open();
        let granted = shop.user("cashier", Some("P01"));
        step(&shop, 20 * HOUR, forward);
        assert!(shop.auth.time().in_doubt, "forward {forward}");
        assert!(used(&shop.auth, &granted).is_ok(), "forward {forward}");
        let moved = refreshed(&shop.auth, &granted).unwrap();
        assert_eq!(moved.session.generation, 2, "forward {forward}");
        assert!(used(&shop.auth, &moved).is_ok(), "forward {forward}");
        assert!(shop.auth.login(&by_user("manager", None)).is_ok(), "forward {forward}");
    }
}

#[test]
fn a_step_moves_no_overlap() {
    for forward in [true, false] {
        let shop = Shop::open();
        let first = shop.user("cashier", Some("P01"));
        let second = refreshed(&shop.auth, &first).unwrap();
        used(&shop.auth, &second).unwrap();
        step(&shop, HOUR, forward);
        assert_eq!(token(&refreshed(&shop.auth, &first).unwrap()), token(&second), "a sibling, forward {forward}");
        shop.clock.advance(OVERLAP);
        assert_eq!(refreshed(&shop.auth, &second).unwrap().session.generation, 3, "forward {forward}");
    }
}

#[test]
fn what_has_expired_by_a_doubtful_clock_alone_is_401_for_access_and_503_for_refresh() {
    let shop = Shop::open();
    let granted = shop.auth.login(&short()).unwrap();
    shop.clock.step_forward(3 * HOUR);
    assert!(shop.auth.time().in_doubt && used(&shop.auth, &granted).is_ok());
    shop.clock.advance(9 * MINUTE);
    assert!(shop.auth.time().in_doubt);
    assert_eq!(token_refused(used(&shop.auth, &granted)), TokenRefusal::Expired, "so that the client refreshes");
    assert!(unavailable(refreshed(&shop.auth, &granted)), "nothing is said on a doubtful clock");
    shop.clock.advance(MINUTE);
    assert!(!shop.auth.time().in_doubt, "it has stood for ten minutes");
    assert_eq!(token_refused(refreshed(&shop.auth, &granted)), TokenRefusal::Expired);
}

#[test]
fn what_is_over_for_another_reason_is_refused_in_doubt_too() {
    let shop = Shop::open();
    let granted = shop.auth.login(&short()).unwrap();
    shop.clock.step_forward(3 * HOUR);
    shop.auth.end_session(granted.session.id).unwrap();
    shop.clock.advance(9 * MINUTE);
    assert!(shop.auth.time().in_doubt);
    assert_eq!(token_refused(refreshed(&shop.auth, &granted)), TokenRefusal::Over);
}

#[test]
fn a_clock_that_comes_back_is_believed_at_once() {
    let shop = Shop::open();
    shop.clock.step_forward(3 * HOUR);
    assert!(shop.auth.time().in_doubt);
    shop.clock.step_back(3 * HOUR);
    assert!(!shop.auth.time().in_doubt);
}

#[test]
fn a_process_that_starts_with_a_clock_of_yesterday_doubts_it() {
    let shop = Shop::open();
    let granted = shop.auth.login(&short()).unwrap();
    let Shop { memory, clock, hasher, master, auth, .. } = shop;
    drop(auth);
    clock.step_back(24 * HOUR);
    let memory = Arc::new(memory.process());
    let auth = builder(memory, &clock, &hasher).master(master).build().unwrap();
    assert!(auth.time().in_doubt);
    assert!(used(&auth, &granted).is_ok(), "time goes on from the newest that the store has seen");
    clock.advance(6 * MINUTE);
    assert_eq!(token_refused(used(&auth, &granted)), TokenRefusal::Expired, "no token lives a day longer for it");
    assert!(refreshed(&auth, &granted).is_ok());
    assert!(unavailable(auth.sweep(&mut |_| ())), "nothing is swept");
}

#[test]
fn somebody_who_looked_at_the_clock_is_believed_by_every_process() {
    let shop = Shop::open();
    let other = shop.process();
    shop.clock.step_forward(3 * HOUR);
    assert!(shop.auth.time().in_doubt && other.time().in_doubt);
    let at = shop.auth.time().at;
    shop.auth_store().write(|tx| tx.endings().touch(Scope::Clock, at)).unwrap();
    for auth in [&shop.auth, &other] {
        auth.follow().unwrap();
        assert!(!auth.time().in_doubt);
    }
    shop.clock.step_forward(3 * HOUR);
    assert!(shop.auth.time().in_doubt);
    shop.auth.follow().unwrap();
    assert!(shop.auth.time().in_doubt, "it was said of another clock");
}

#[test]
fn a_clock_that_two_processes_read_apart_ends_nothing_within_the_overlap() {
    let shop = Shop::open();
    let first = shop.user("cashier", Some("P01"));
    let second = refreshed(&shop.auth, &first).unwrap();
    used(&shop.auth, &second).unwrap();
    // Another machine, whose clock is half a minute behind: the age of the rotation is negative there.
    let theirs =
        Arc::new(tillgate_testkit::ManualClock::at(tillgate_testkit::clock::MORNING.before(Duration::from_secs(30))));
    let memory = Arc::new(shop.memory.process());
    let other = builder(memory, &theirs, &shop.hasher).master(shop.master.clone()).build().unwrap();
    assert_eq!(token(&refreshed(&other, &first).unwrap()), token(&second));
    assert!(shop.told(Action::RefreshReplay).is_empty());
}
