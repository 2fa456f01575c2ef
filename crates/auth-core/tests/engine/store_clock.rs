//! A store with a clock of its own: differences between the clocks of processes do not matter, and
//! another server or a clock that jumps ends nothing.

use std::sync::Arc;

use tillgate_auth_core::TokenDenied;
use tillgate_domain::Action;
use tillgate_testkit::ManualClock;

use crate::clocks::{DAY, refresh_and_authenticate};
use crate::fixture::{EngineFixture, HOUR, MINUTE, OVERLAP, builder, refresh, token, token_refused};

#[test]
fn process_with_clock_ahead_ends_nothing_over_store_with_clock() {
    for off in [3 * MINUTE, 10 * MINUTE, HOUR] {
        for ahead in [true, false] {
            let fixture = EngineFixture::with_store_clock();
            let theirs = Arc::new(ManualClock::default());
            if ahead {
                theirs.step_forward(off);
            } else {
                theirs.step_back(off);
            }
            let store = Arc::new(fixture.store.share_with_process());
            let other = builder(store, &theirs, &fixture.hasher).master(fixture.master.clone()).build().unwrap();
            let advance = |span| [&fixture.clock, &theirs].map(|clock| clock.advance(span));
            let known = fixture.user("manager", None);
            refresh(&other, &known).unwrap();
            advance(10 * MINUTE);
            let (first, second) = refresh_and_authenticate(&fixture);
            advance(OVERLAP - MINUTE);
            assert_eq!(token(&refresh(&other, &first).unwrap()), token(&second), "{off:?} {ahead}");
            assert!(fixture.audit_events(Action::RefreshShared).is_empty(), "it can vouch for that");
            advance(MINUTE);
            assert_eq!(token_refused(refresh(&other, &first)), TokenDenied::Replay, "{off:?} {ahead}");
        }
    }
}

#[test]
fn new_database_server_resets_vouched_time() {
    let fixture = EngineFixture::with_store_clock();
    let other = fixture.process();
    refresh(&other, &fixture.user("manager", None)).unwrap();
    let (first, second) = refresh_and_authenticate(&fixture);
    fixture.clock.advance(HOUR);
    let theirs = Arc::new(ManualClock::starting_at(tillgate_testkit::clock::CLOCK_START.saturating_add(9 * DAY)));
    fixture.store.set_clock(theirs.clone());
    assert_eq!(token(&refresh(&other, &first).unwrap()), token(&second));
    assert_eq!(fixture.audit_events(Action::RefreshShared).len(), 1);
    fixture.clock.advance(OVERLAP);
    theirs.advance(OVERLAP);
    assert_eq!(token_refused(refresh(&other, &first)), TokenDenied::Replay);
}

/// A clock of the store that jumps in either direction ends nothing while the process continues,
/// whether a refresh or a poll notices the jump first.
#[test]
fn clock_of_the_store_that_jumps_ends_nothing() {
    for off in [2 * MINUTE, HOUR, 8 * DAY] {
        for forward in [true, false] {
            for looks in [true, false] {
                let fixture = EngineFixture::with_store_clock();
                let theirs = Arc::new(ManualClock::default());
                fixture.store.set_clock(theirs.clone());
                let other = fixture.process();
                let advance = |span| [&fixture.clock, &theirs].map(|clock| clock.advance(span));
                advance(HOUR);
                let (first, second) = refresh_and_authenticate(&fixture);
                advance(MINUTE);
                if forward {
                    theirs.step_forward(off);
                } else {
                    theirs.step_back(off);
                }
                if looks {
                    other.poll_feed().unwrap();
                }
                let what = format!("{off:?} {forward} {looks}");
                assert_eq!(token(&refresh(&other, &first).unwrap()), token(&second), "{what}: a sibling");
                assert!(fixture.audit_events(Action::RefreshReplay).is_empty(), "{what}");
                advance(OVERLAP);
                if forward {
                    assert_eq!(token_refused(refresh(&other, &first)), TokenDenied::Replay, "{what}: now it has seen");
                }
            }
        }
    }
}

/// The same if the clock jumps there and back, with a rotation in between.
#[test]
fn clock_of_the_store_that_jumps_there_and_back_ends_nothing() {
    let fixture = EngineFixture::with_store_clock();
    let theirs = Arc::new(ManualClock::default());
    fixture.store.set_clock(theirs.clone());
    let other = fixture.process();
    let advance = |span| [&fixture.clock, &theirs].map(|clock| clock.advance(span));
    advance(HOUR);
    theirs.step_back(HOUR);
    other.poll_feed().unwrap();
    let (first, second) = refresh_and_authenticate(&fixture);
    theirs.step_forward(HOUR);
    advance(MINUTE);
    assert_eq!(token(&refresh(&other, &first).unwrap()), token(&second));
    assert!(fixture.audit_events(Action::RefreshReplay).is_empty());
}
