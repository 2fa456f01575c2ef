//! A clock that is set by hours: what it cannot decide is decided later, and no token is rejected
//! because of it.

use std::sync::Arc;
use std::time::Duration;

use tillgate_auth_core::{Auth, AuthSettings, IssuedTokens, LoginRequest, RefreshTerms, Terms, TokenDenied};
use tillgate_domain::{Action, PrincipalId, Scope, StoreExt};
use tillgate_testkit::ManualClock;

use crate::shop::{
    HOUR, MINUTE, OVERLAP, Shop, authenticate, builder, by_user, refresh, settings, terms, token, token_refused,
    unavailable,
};

/// Sets the wall clock.
fn step(shop: &Shop, span: Duration, forward: bool) {
    if forward {
        shop.clock.step_forward(span);
    } else {
        shop.clock.step_back(span);
    }
}

/// A login with short terms: the session expires after eight minutes, its access token after five.
fn short() -> LoginRequest {
    let refresh = Some(RefreshTerms { idle: Some(8 * MINUTE), overlap: Some(OVERLAP), first_reusable: false });
    LoginRequest { terms: Terms { access: 5 * MINUTE, refresh, ..terms() }, ..by_user("cashier", None) }
}

#[test]
fn clock_step_by_hours_ends_no_session() {
    for forward in [true, false] {
        let shop = Shop::open();
        let granted = shop.user("cashier", Some("P01"));
        step(&shop, 20 * HOUR, forward);
        assert!(shop.auth.time().in_doubt, "forward {forward}");
        assert!(authenticate(&shop.auth, &granted).is_ok(), "forward {forward}");
        let moved = refresh(&shop.auth, &granted).unwrap();
        assert_eq!(moved.session.generation, 2, "forward {forward}");
        assert!(authenticate(&shop.auth, &moved).is_ok(), "forward {forward}");
        assert!(shop.auth.login(&by_user("manager", None)).is_ok(), "forward {forward}");
    }
}

#[test]
fn clock_step_moves_no_overlap() {
    for forward in [true, false] {
        let shop = Shop::open();
        let first = shop.user("cashier", Some("P01"));
        let second = refresh(&shop.auth, &first).unwrap();
        authenticate(&shop.auth, &second).unwrap();
        step(&shop, HOUR, forward);
        assert_eq!(token(&refresh(&shop.auth, &first).unwrap()), token(&second), "a sibling, forward {forward}");
        shop.clock.advance(OVERLAP);
        assert_eq!(refresh(&shop.auth, &second).unwrap().session.generation, 3, "forward {forward}");
    }
}

#[test]
fn expiry_by_doubtful_clock_is_401_for_access_and_503_for_refresh() {
    let shop = Shop::open();
    let granted = shop.auth.login(&short()).unwrap();
    shop.clock.step_forward(3 * HOUR);
    assert!(shop.auth.time().in_doubt && authenticate(&shop.auth, &granted).is_ok());
    shop.clock.advance(9 * MINUTE);
    assert!(shop.auth.time().in_doubt);
    assert_eq!(token_refused(authenticate(&shop.auth, &granted)), TokenDenied::Expired, "so that the client refreshes");
    assert!(unavailable(refresh(&shop.auth, &granted)), "nothing is said on a doubtful clock");
    shop.clock.advance(MINUTE);
    assert!(!shop.auth.time().in_doubt, "it has stood for ten minutes");
    assert_eq!(token_refused(refresh(&shop.auth, &granted)), TokenDenied::Expired);
}

#[test]
fn ended_session_is_denied_while_clock_is_in_doubt() {
    let shop = Shop::open();
    let granted = shop.auth.login(&short()).unwrap();
    shop.clock.step_forward(3 * HOUR);
    shop.auth.end_session(granted.session.id).unwrap();
    shop.clock.advance(9 * MINUTE);
    assert!(shop.auth.time().in_doubt);
    assert_eq!(token_refused(refresh(&shop.auth, &granted)), TokenDenied::SessionOver);
}

#[test]
fn restored_clock_is_trusted_at_once() {
    let shop = Shop::open();
    shop.clock.step_forward(3 * HOUR);
    assert!(shop.auth.time().in_doubt);
    shop.clock.step_back(3 * HOUR);
    assert!(!shop.auth.time().in_doubt);
}

#[test]
fn process_started_with_old_clock_doubts_it() {
    let shop = Shop::open();
    let granted = shop.auth.login(&short()).unwrap();
    let Shop { memory, clock, hasher, master, auth, .. } = shop;
    drop(auth);
    clock.step_back(24 * HOUR);
    let memory = Arc::new(memory.share_with_process());
    let auth = builder(memory, &clock, &hasher).master(master).build().unwrap();
    assert!(auth.time().in_doubt);
    assert!(authenticate(&auth, &granted).is_ok(), "time goes on from the newest that the store has seen");
    clock.advance(6 * MINUTE);
    assert_eq!(
        token_refused(authenticate(&auth, &granted)),
        TokenDenied::Expired,
        "no token lives a day longer for it"
    );
    assert!(refresh(&auth, &granted).is_ok());
    assert!(unavailable(auth.sweep(&mut |_| ())), "nothing is swept");
}

#[test]
fn accepted_clock_is_trusted_by_every_process() {
    let shop = Shop::open();
    let other = shop.process();
    shop.clock.step_forward(3 * HOUR);
    assert!(shop.auth.time().in_doubt && other.time().in_doubt);
    let at = shop.auth.time().at;
    shop.auth_store().write("test", |tx| tx.revocations().invalidate(Scope::Clock, at)).unwrap();
    for auth in [&shop.auth, &other] {
        auth.poll_feed().unwrap();
        assert!(!auth.time().in_doubt);
    }
    shop.clock.step_forward(3 * HOUR);
    assert!(shop.auth.time().in_doubt);
    shop.auth.poll_feed().unwrap();
    assert!(shop.auth.time().in_doubt, "it was said of another clock");
}

#[test]
fn clock_difference_between_processes_ends_nothing_within_overlap() {
    let shop = Shop::open();
    let first = shop.user("cashier", Some("P01"));
    let second = refresh(&shop.auth, &first).unwrap();
    authenticate(&shop.auth, &second).unwrap();
    // Another machine with a clock that is half a minute behind: the age of the rotation is
    // negative there.
    let theirs = Arc::new(tillgate_testkit::ManualClock::starting_at(
        tillgate_testkit::clock::CLOCK_START.saturating_sub(Duration::from_secs(30)),
    ));
    let memory = Arc::new(shop.memory.share_with_process());
    let other = builder(memory, &theirs, &shop.hasher).master(shop.master.clone()).build().unwrap();
    assert_eq!(token(&refresh(&other, &first).unwrap()), token(&second));
    assert!(shop.audit_events(Action::RefreshReplay).is_empty());
}

pub(crate) const DAY: Duration = Duration::from_hours(24);

/// The tokens of a login and of one refresh; the second ones were used, and the use is written.
pub(crate) fn refresh_and_authenticate(shop: &Shop) -> (IssuedTokens, IssuedTokens) {
    let first = shop.user("cashier", Some("P01"));
    let second = refresh(&shop.auth, &first).unwrap();
    authenticate(&shop.auth, &second).unwrap();
    shop.auth.write_activity().unwrap();
    (first, second)
}

/// Stops the process, in good order or not, and starts another one on the same machine.
fn restart(shop: &mut Shop, in_order: bool, meanwhile: impl FnOnce(&ManualClock)) {
    shop.auth.send_heartbeat().unwrap();
    if in_order {
        shop.auth.leave().unwrap();
    }
    meanwhile(&shop.clock);
    shop.auth = shop.process();
}

#[test]
fn previous_refresh_token_after_a_restart_with_the_clock_ahead_gets_the_successor() {
    for ahead in [HOUR, 2 * DAY] {
        let mut shop = Shop::open();
        let login = LoginRequest {
            terms: Terms {
                absolute: None,
                refresh: Some(RefreshTerms { idle: None, overlap: Some(OVERLAP), first_reusable: false }),
                ..terms()
            },
            ..by_user("cashier", Some("P01"))
        };
        let first = shop.auth.login(&login).unwrap();
        let second = refresh(&shop.auth, &first).unwrap();
        authenticate(&shop.auth, &second).unwrap();
        shop.auth.write_activity().unwrap();
        restart(&mut shop, true, |clock| {
            clock.reboot();
            clock.step_forward(ahead);
        });
        assert!(!shop.auth.time().in_doubt, "there is nothing to know better by");
        for _ in 0..3 {
            let again = refresh(&shop.auth, &first).unwrap();
            assert_eq!(token(&again), token(&second), "{ahead:?}");
            shop.clock.advance(OVERLAP / 3);
        }
        let told = shop.audit_events(Action::RefreshShared);
        let [line] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((line.actor.session, line.details["presented"].as_i64()), (Some(first.session.id), Some(1)));
        assert!(shop.audit_events(Action::RefreshReplay).is_empty());
        assert_eq!(token_refused(refresh(&shop.auth, &first)), TokenDenied::Replay, "now it can vouch for an overlap");
    }
}

#[test]
fn newest_refresh_token_does_not_move_on_for_an_overlap_after_a_start() {
    let mut shop = Shop::open();
    let (_, second) = refresh_and_authenticate(&shop);
    shop.clock.advance(HOUR);
    restart(&mut shop, false, |_| ());
    assert_eq!(token(&refresh(&shop.auth, &second).unwrap()), token(&second));
    shop.clock.advance(OVERLAP);
    assert_eq!(refresh(&shop.auth, &second).unwrap().session.generation, 3);
}

#[test]
fn token_two_generations_behind_is_replay_right_after_start() {
    let mut shop = Shop::open();
    let (first, second) = refresh_and_authenticate(&shop);
    shop.clock.advance(OVERLAP);
    refresh(&shop.auth, &second).unwrap();
    restart(&mut shop, true, |clock| clock.step_forward(HOUR));
    assert!(shop.auth.time().in_doubt);
    assert_eq!(token_refused(refresh(&shop.auth, &first)), TokenDenied::Replay);
}

#[test]
fn clock_set_while_no_process_ran_is_in_doubt() {
    for in_order in [true, false] {
        for forward in [true, false] {
            let mut shop = Shop::open();
            let (first, second) = refresh_and_authenticate(&shop);
            restart(
                &mut shop,
                in_order,
                |clock| if forward { clock.step_forward(8 * DAY) } else { clock.step_back(8 * DAY) },
            );
            assert!(shop.auth.time().in_doubt, "in order {in_order}, forward {forward}");
            assert!(authenticate(&shop.auth, &second).is_ok(), "time goes on");
            assert_eq!(token(&refresh(&shop.auth, &first).unwrap()), token(&second), "a sibling");
            assert!(!shop.auth.may_sweep() && unavailable(shop.auth.sweep_cutoff()));
            shop.clock.advance(10 * MINUTE);
            assert!(!shop.auth.time().in_doubt, "it has stood");
            restart(&mut shop, in_order, |_| ());
            assert_eq!(shop.auth.time().in_doubt, !forward, "what was believed ahead is; behind the store it never is");
        }
    }
}

#[test]
fn previous_refresh_token_while_the_clock_is_in_doubt_is_no_replay_elsewhere() {
    let shop = Shop::open();
    let other = shop.process();
    let (first, second) = refresh_and_authenticate(&shop);
    shop.clock.advance(2 * OVERLAP);
    shop.clock.step_forward(HOUR);
    assert!(other.time().in_doubt);
    assert_eq!(token(&refresh(&other, &first).unwrap()), token(&second), "it did not rotate the session");
    assert_eq!(shop.audit_events(Action::RefreshShared).len(), 1);
    assert_eq!(token_refused(refresh(&shop.auth, &first)), TokenDenied::Replay, "the one that did has measured it");
}

/// Whatever has ended stays ended in a process that finds no change in the feed.
#[test]
fn ended_tokens_stay_dead_without_the_feed() {
    type End = fn(&Shop, &IssuedTokens);
    let cases: [(&str, End); 8] = [
        ("logout", |shop, granted| shop.auth.logout(&authenticate(&shop.auth, granted).unwrap()).unwrap()),
        ("ended", |shop, granted| assert!(shop.auth.end_session(granted.session.id).unwrap())),
        ("the user's", |shop, _| {
            assert!(shop.auth.end_user_sessions(shop.world.tenant.id, shop.world.cashier.id).unwrap());
        }),
        ("the device's", |shop, _| {
            assert!(shop.auth.end_device_sessions(shop.world.tenant.id, shop.world.p01.id).unwrap());
        }),
        ("the tenant's", |shop, _| assert!(shop.auth.end_tenant_sessions(shop.world.tenant.id).unwrap())),
        ("suspended", |shop, _| shop.suspend(shop.world.cashier.id)),
        ("locked", |shop, _| shop.lock(shop.world.p01.id)),
        ("password", |shop, _| shop.set_password(PrincipalId::User(shop.world.cashier.id), "other")),
    ];
    for (what, end) in cases {
        let shop = Shop::open();
        let dead = shop.user("cashier", Some("P01"));
        end(&shop, &dead);
        let live = (what != "suspended" && what != "password").then(|| shop.user("cashier", Some("P02")));
        let far = shop.auth.time().at.saturating_add(100 * DAY);
        assert!(shop.auth_store().write("test", |tx| tx.feed().sweep(far, 1000)).unwrap() > 0);
        let started: Arc<Auth> = shop.process();
        for _ in 0..2 {
            assert_eq!(token_refused(authenticate(&started, &dead)), TokenDenied::SessionOver, "{what}");
            if let Some(live) = &live {
                assert!(authenticate(&started, live).is_ok(), "{what}: another session of the same cashier");
            }
        }
    }
}

#[test]
fn known_session_is_authenticated_from_memory_and_an_unknown_one_is_not() {
    let shop = Shop::open();
    let other = shop.process();
    let (one, two) = (shop.user("cashier", None), shop.user("cashier", None));
    let dialect = crate::shop::native();
    let recognize = |granted: &IssuedTokens| {
        other.authenticate_cached(&crate::shop::presented(granted.access_token.expose(), &dialect))
    };
    assert!(authenticate(&other, &one).is_ok() && recognize(&one).is_some_and(|known| known.is_ok()));
    assert!(recognize(&two).is_none(), "the profile is there, the session was not read");
    assert!(authenticate(&other, &two).is_ok() && recognize(&two).is_some_and(|known| known.is_ok()));
}

/// What a process with a wrong clock removes, however long it runs.
#[test]
fn sweep_cutoff_is_limited_by_newest_stored_instant_and_uptime() {
    let mut shop = Shop::open();
    let ended = shop.user("cashier", Some("P01"));
    shop.auth.end_session(ended.session.id).unwrap();
    let live = shop.user("manager", None);
    let changes = |shop: &Shop| shop.auth_store().read("test", |tx| tx.feed().poll(None)).unwrap().entries.len();
    let before = changes(&shop);
    restart(&mut shop, true, |clock| {
        clock.reboot();
        clock.step_forward(70 * DAY);
    });
    assert!(!shop.auth.time().in_doubt);
    assert!(!shop.auth.may_sweep(), "not in its first hour");
    let newest = tillgate_testkit::clock::CLOCK_START;
    assert_eq!(shop.auth.sweep_cutoff().unwrap(), newest, "by hand, no further than the store has seen");
    for hour in 1..=6 {
        shop.clock.advance(HOUR);
        shop.auth.run_due_maintenance();
        assert!(shop.auth.may_sweep());
        assert_eq!(shop.auth.sweep_cutoff().unwrap(), newest.saturating_add(hour * HOUR + DAY));
    }
    assert_eq!((changes(&shop), shop.sessions()), (before, 2));
    shop.auth.leave().unwrap();
    shop.clock.reboot();
    shop.clock.step_back(70 * DAY + 6 * HOUR);
    shop.auth = shop.process();
    assert!(!shop.auth.time().in_doubt);
    assert_eq!(token_refused(authenticate(&shop.auth, &ended)), TokenDenied::SessionOver);
    assert!(authenticate(&shop.auth, &live).is_ok() && refresh(&shop.auth, &live).is_ok());
    shop.clock.advance(8 * DAY);
    shop.auth.run_due_maintenance();
    assert_eq!(changes(&shop), 0, "by a right clock they go");
}

#[test]
fn sweep_waits_for_the_delay_that_is_set() {
    for (delay, sweeps) in [(Duration::ZERO, [true, true]), (2 * HOUR, [false, true])] {
        let shop = Shop::with(AuthSettings { sweep_delay: delay, ..settings() });
        assert_eq!(shop.auth.may_sweep(), sweeps[0]);
        shop.clock.advance(2 * HOUR);
        assert_eq!(shop.auth.may_sweep(), sweeps[1]);
    }
}
