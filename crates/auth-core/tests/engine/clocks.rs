//! A clock that is set by hours: what it cannot decide is decided later, and no token is rejected
//! because of it.

use std::sync::Arc;
use std::time::Duration;

use tillgate_auth_core::{Auth, AuthSettings, IssuedTokens, LoginRequest, RefreshTerms, Terms, TokenDenied};
use tillgate_domain::{Action, PrincipalId, Scope, StoreExt};
use tillgate_testkit::ManualClock;

use crate::fixture::{
    EngineFixture, HOUR, MINUTE, OVERLAP, authenticate, builder, by_user, refresh, settings, terms, token,
    token_refused, unavailable,
};

/// Sets the wall clock.
fn step(fixture: &EngineFixture, span: Duration, forward: bool) {
    if forward {
        fixture.clock.step_forward(span);
    } else {
        fixture.clock.step_back(span);
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
        let fixture = EngineFixture::open();
        let granted = fixture.user("cashier", Some("P01"));
        step(&fixture, 20 * HOUR, forward);
        assert!(fixture.auth.time().in_doubt, "forward {forward}");
        assert!(authenticate(&fixture.auth, &granted).is_ok(), "forward {forward}");
        let moved = refresh(&fixture.auth, &granted).unwrap();
        assert_eq!(moved.session.generation, 2, "forward {forward}");
        assert!(authenticate(&fixture.auth, &moved).is_ok(), "forward {forward}");
        assert!(fixture.auth.login(&by_user("manager", None)).is_ok(), "forward {forward}");
    }
}

#[test]
fn clock_step_moves_no_overlap() {
    for forward in [true, false] {
        let fixture = EngineFixture::open();
        let first = fixture.user("cashier", Some("P01"));
        let second = refresh(&fixture.auth, &first).unwrap();
        authenticate(&fixture.auth, &second).unwrap();
        step(&fixture, HOUR, forward);
        assert_eq!(token(&refresh(&fixture.auth, &first).unwrap()), token(&second), "a sibling, forward {forward}");
        fixture.clock.advance(OVERLAP);
        assert_eq!(refresh(&fixture.auth, &second).unwrap().session.generation, 3, "forward {forward}");
    }
}

#[test]
fn expiry_by_doubtful_clock_is_401_for_access_and_503_for_refresh() {
    let fixture = EngineFixture::open();
    let granted = fixture.auth.login(&short()).unwrap();
    fixture.clock.step_forward(3 * HOUR);
    assert!(fixture.auth.time().in_doubt && authenticate(&fixture.auth, &granted).is_ok());
    fixture.clock.advance(9 * MINUTE);
    assert!(fixture.auth.time().in_doubt);
    assert_eq!(
        token_refused(authenticate(&fixture.auth, &granted)),
        TokenDenied::Expired,
        "so that the client refreshes"
    );
    assert!(unavailable(refresh(&fixture.auth, &granted)), "nothing is said on a doubtful clock");
    fixture.clock.advance(MINUTE);
    assert!(!fixture.auth.time().in_doubt, "it has stood for ten minutes");
    assert_eq!(token_refused(refresh(&fixture.auth, &granted)), TokenDenied::Expired);
}

#[test]
fn ended_session_is_denied_while_clock_is_in_doubt() {
    let fixture = EngineFixture::open();
    let granted = fixture.auth.login(&short()).unwrap();
    fixture.clock.step_forward(3 * HOUR);
    fixture.auth.end_session(granted.session.id).unwrap();
    fixture.clock.advance(9 * MINUTE);
    assert!(fixture.auth.time().in_doubt);
    assert_eq!(token_refused(refresh(&fixture.auth, &granted)), TokenDenied::SessionOver);
}

#[test]
fn restored_clock_is_trusted_at_once() {
    let fixture = EngineFixture::open();
    fixture.clock.step_forward(3 * HOUR);
    assert!(fixture.auth.time().in_doubt);
    fixture.clock.step_back(3 * HOUR);
    assert!(!fixture.auth.time().in_doubt);
}

#[test]
fn process_started_with_old_clock_doubts_it() {
    let fixture = EngineFixture::open();
    let granted = fixture.auth.login(&short()).unwrap();
    let EngineFixture { store, clock, hasher, master, auth, .. } = fixture;
    drop(auth);
    clock.step_back(24 * HOUR);
    let store = Arc::new(store.share_with_process());
    let auth = builder(store, &clock, &hasher).master(master).build().unwrap();
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
    let fixture = EngineFixture::open();
    let other = fixture.process();
    fixture.clock.step_forward(3 * HOUR);
    assert!(fixture.auth.time().in_doubt && other.time().in_doubt);
    let at = fixture.auth.time().at;
    fixture.auth_store().write("test", |tx| tx.revocations().invalidate(Scope::Clock, at)).unwrap();
    for auth in [&fixture.auth, &other] {
        auth.poll_feed().unwrap();
        assert!(!auth.time().in_doubt);
    }
    fixture.clock.step_forward(3 * HOUR);
    assert!(fixture.auth.time().in_doubt);
    fixture.auth.poll_feed().unwrap();
    assert!(fixture.auth.time().in_doubt, "it was said of another clock");
}

#[test]
fn clock_difference_between_processes_ends_nothing_within_overlap() {
    let fixture = EngineFixture::open();
    let first = fixture.user("cashier", Some("P01"));
    let second = refresh(&fixture.auth, &first).unwrap();
    authenticate(&fixture.auth, &second).unwrap();
    // Another machine with a clock that is half a minute behind: the age of the rotation is
    // negative there.
    let theirs = Arc::new(tillgate_testkit::ManualClock::starting_at(
        tillgate_testkit::clock::CLOCK_START.saturating_sub(Duration::from_secs(30)),
    ));
    let store = Arc::new(fixture.store.share_with_process());
    let other = builder(store, &theirs, &fixture.hasher).master(fixture.master.clone()).build().unwrap();
    assert_eq!(token(&refresh(&other, &first).unwrap()), token(&second));
    assert!(fixture.audit_events(Action::RefreshReplay).is_empty());
}

pub(crate) const DAY: Duration = Duration::from_hours(24);

/// The tokens of a login and of one refresh; the second ones were used, and the use is written.
pub(crate) fn refresh_and_authenticate(fixture: &EngineFixture) -> (IssuedTokens, IssuedTokens) {
    let first = fixture.user("cashier", Some("P01"));
    let second = refresh(&fixture.auth, &first).unwrap();
    authenticate(&fixture.auth, &second).unwrap();
    fixture.auth.write_activity().unwrap();
    (first, second)
}

/// Stops the process, in good order or not, and starts another one on the same machine.
fn restart(fixture: &mut EngineFixture, in_order: bool, meanwhile: impl FnOnce(&ManualClock)) {
    fixture.auth.send_heartbeat().unwrap();
    if in_order {
        fixture.auth.leave().unwrap();
    }
    meanwhile(&fixture.clock);
    fixture.auth = fixture.process();
}

#[test]
fn previous_refresh_token_after_a_restart_with_the_clock_ahead_gets_the_successor() {
    for ahead in [HOUR, 2 * DAY] {
        let mut fixture = EngineFixture::open();
        let login = LoginRequest {
            terms: Terms {
                absolute: None,
                refresh: Some(RefreshTerms { idle: None, overlap: Some(OVERLAP), first_reusable: false }),
                ..terms()
            },
            ..by_user("cashier", Some("P01"))
        };
        let first = fixture.auth.login(&login).unwrap();
        let second = refresh(&fixture.auth, &first).unwrap();
        authenticate(&fixture.auth, &second).unwrap();
        fixture.auth.write_activity().unwrap();
        restart(&mut fixture, true, |clock| {
            clock.reboot();
            clock.step_forward(ahead);
        });
        assert!(!fixture.auth.time().in_doubt, "there is nothing to know better by");
        for _ in 0..3 {
            let again = refresh(&fixture.auth, &first).unwrap();
            assert_eq!(token(&again), token(&second), "{ahead:?}");
            fixture.clock.advance(OVERLAP / 3);
        }
        let events = fixture.audit_events(Action::RefreshShared);
        let [line] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((line.actor.session, line.details["presented"].as_i64()), (Some(first.session.id), Some(1)));
        assert!(fixture.audit_events(Action::RefreshReplay).is_empty());
        assert_eq!(
            token_refused(refresh(&fixture.auth, &first)),
            TokenDenied::Replay,
            "now it can vouch for an overlap"
        );
    }
}

#[test]
fn newest_refresh_token_does_not_move_on_for_an_overlap_after_a_start() {
    let mut fixture = EngineFixture::open();
    let (_, second) = refresh_and_authenticate(&fixture);
    fixture.clock.advance(HOUR);
    restart(&mut fixture, false, |_| ());
    assert_eq!(token(&refresh(&fixture.auth, &second).unwrap()), token(&second));
    fixture.clock.advance(OVERLAP);
    assert_eq!(refresh(&fixture.auth, &second).unwrap().session.generation, 3);
}

#[test]
fn token_two_generations_behind_is_replay_right_after_start() {
    let mut fixture = EngineFixture::open();
    let (first, second) = refresh_and_authenticate(&fixture);
    fixture.clock.advance(OVERLAP);
    refresh(&fixture.auth, &second).unwrap();
    restart(&mut fixture, true, |clock| clock.step_forward(HOUR));
    assert!(fixture.auth.time().in_doubt);
    assert_eq!(token_refused(refresh(&fixture.auth, &first)), TokenDenied::Replay);
}

#[test]
fn clock_set_while_no_process_ran_is_in_doubt() {
    for in_order in [true, false] {
        for forward in [true, false] {
            let mut fixture = EngineFixture::open();
            let (first, second) = refresh_and_authenticate(&fixture);
            restart(&mut fixture, in_order, |clock| {
                if forward { clock.step_forward(8 * DAY) } else { clock.step_back(8 * DAY) }
            });
            assert!(fixture.auth.time().in_doubt, "in order {in_order}, forward {forward}");
            assert!(authenticate(&fixture.auth, &second).is_ok(), "time goes on");
            assert_eq!(token(&refresh(&fixture.auth, &first).unwrap()), token(&second), "a sibling");
            assert!(!fixture.auth.may_sweep() && unavailable(fixture.auth.sweep_cutoff()));
            fixture.clock.advance(10 * MINUTE);
            assert!(!fixture.auth.time().in_doubt, "it has stood");
            restart(&mut fixture, in_order, |_| ());
            assert_eq!(
                fixture.auth.time().in_doubt,
                !forward,
                "what was believed ahead is; behind the store it never is"
            );
        }
    }
}

#[test]
fn previous_refresh_token_while_the_clock_is_in_doubt_is_no_replay_elsewhere() {
    let fixture = EngineFixture::open();
    let other = fixture.process();
    let (first, second) = refresh_and_authenticate(&fixture);
    fixture.clock.advance(2 * OVERLAP);
    fixture.clock.step_forward(HOUR);
    assert!(other.time().in_doubt);
    assert_eq!(token(&refresh(&other, &first).unwrap()), token(&second), "it did not rotate the session");
    assert_eq!(fixture.audit_events(Action::RefreshShared).len(), 1);
    assert_eq!(token_refused(refresh(&fixture.auth, &first)), TokenDenied::Replay, "the one that did has measured it");
}

/// Whatever has ended stays ended in a process that finds no change in the feed.
#[test]
fn ended_tokens_stay_dead_without_the_feed() {
    type End = fn(&EngineFixture, &IssuedTokens);
    let cases: [(&str, End); 8] = [
        ("logout", |fixture, granted| fixture.auth.logout(&authenticate(&fixture.auth, granted).unwrap()).unwrap()),
        ("ended", |fixture, granted| assert!(fixture.auth.end_session(granted.session.id).unwrap())),
        ("the user's", |fixture, _| {
            assert!(
                fixture.auth.end_user_sessions(fixture.records.tenant.id, fixture.records.user("cashier").id).unwrap()
            );
        }),
        ("the device's", |fixture, _| {
            assert!(
                fixture.auth.end_device_sessions(fixture.records.tenant.id, fixture.records.device("P01").id).unwrap()
            );
        }),
        ("the tenant's", |fixture, _| assert!(fixture.auth.end_tenant_sessions(fixture.records.tenant.id).unwrap())),
        ("suspended", |fixture, _| fixture.suspend(fixture.records.user("cashier").id)),
        ("locked", |fixture, _| fixture.lock(fixture.records.device("P01").id)),
        ("password", |fixture, _| fixture.set_password(PrincipalId::User(fixture.records.user("cashier").id), "other")),
    ];
    for (what, end) in cases {
        let fixture = EngineFixture::open();
        let dead = fixture.user("cashier", Some("P01"));
        end(&fixture, &dead);
        let live = (what != "suspended" && what != "password").then(|| fixture.user("cashier", Some("P02")));
        let far = fixture.auth.time().at.saturating_add(100 * DAY);
        assert!(fixture.auth_store().write("test", |tx| tx.feed().sweep(far, 1000)).unwrap() > 0);
        let started: Arc<Auth> = fixture.process();
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
    let fixture = EngineFixture::open();
    let other = fixture.process();
    let (one, two) = (fixture.user("cashier", None), fixture.user("cashier", None));
    let dialect = crate::fixture::native();
    let recognize = |granted: &IssuedTokens| {
        other.authenticate_cached(&crate::fixture::presented(granted.access_token.expose(), &dialect))
    };
    assert!(authenticate(&other, &one).is_ok() && recognize(&one).is_some_and(|known| known.is_ok()));
    assert!(recognize(&two).is_none(), "the profile is there, the session was not read");
    assert!(authenticate(&other, &two).is_ok() && recognize(&two).is_some_and(|known| known.is_ok()));
}

/// What a process with a wrong clock removes, however long it runs.
#[test]
fn sweep_cutoff_is_limited_by_newest_stored_instant_and_uptime() {
    let mut fixture = EngineFixture::open();
    let ended = fixture.user("cashier", Some("P01"));
    fixture.auth.end_session(ended.session.id).unwrap();
    let live = fixture.user("manager", None);
    let changes =
        |fixture: &EngineFixture| fixture.auth_store().read("test", |tx| tx.feed().poll(None)).unwrap().entries.len();
    let before = changes(&fixture);
    restart(&mut fixture, true, |clock| {
        clock.reboot();
        clock.step_forward(70 * DAY);
    });
    assert!(!fixture.auth.time().in_doubt);
    assert!(!fixture.auth.may_sweep(), "not in its first hour");
    let newest = tillgate_testkit::clock::CLOCK_START;
    assert_eq!(fixture.auth.sweep_cutoff().unwrap(), newest, "by hand, no further than the store has seen");
    for hour in 1..=6 {
        fixture.clock.advance(HOUR);
        fixture.auth.run_due_maintenance();
        assert!(fixture.auth.may_sweep());
        assert_eq!(fixture.auth.sweep_cutoff().unwrap(), newest.saturating_add(hour * HOUR + DAY));
    }
    assert_eq!((changes(&fixture), fixture.sessions()), (before, 2));
    fixture.auth.leave().unwrap();
    fixture.clock.reboot();
    fixture.clock.step_back(70 * DAY + 6 * HOUR);
    fixture.auth = fixture.process();
    assert!(!fixture.auth.time().in_doubt);
    assert_eq!(token_refused(authenticate(&fixture.auth, &ended)), TokenDenied::SessionOver);
    assert!(authenticate(&fixture.auth, &live).is_ok() && refresh(&fixture.auth, &live).is_ok());
    fixture.clock.advance(8 * DAY);
    fixture.auth.run_due_maintenance();
    assert_eq!(changes(&fixture), 0, "by a right clock they go");
}

#[test]
fn sweep_waits_for_the_delay_that_is_set() {
    for (delay, sweeps) in [(Duration::ZERO, [true, true]), (2 * HOUR, [false, true])] {
        let fixture = EngineFixture::with(AuthSettings { sweep_delay: delay, ..settings() });
        assert_eq!(fixture.auth.may_sweep(), sweeps[0]);
        fixture.clock.advance(2 * HOUR);
        assert_eq!(fixture.auth.may_sweep(), sweeps[1]);
    }
}
