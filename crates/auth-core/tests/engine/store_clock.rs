//! A store with a clock of its own: which process is ahead says nothing, another server or a clock that jumps ends nothing.

use std::sync::Arc;

use tillgate_auth_core::TokenRefusal;
use tillgate_domain::Action;
use tillgate_testkit::ManualClock;

use crate::clocks::{DAY, refreshed_and_used};
use crate::shop::{HOUR, MINUTE, OVERLAP, Shop, builder, refreshed, token, token_refused};

#[test]
fn process_whose_clock_is_ahead_of_the_others_ends_nothing_over_a_store_with_a_clock() {
    for off in [3 * MINUTE, 10 * MINUTE, HOUR] {
        for ahead in [true, false] {
            let shop = Shop::open();
            shop.memory.keep_time(shop.clock.clone());
            let theirs = Arc::new(ManualClock::default());
            if ahead {
                theirs.step_forward(off);
            } else {
                theirs.step_back(off);
            }
            let memory = Arc::new(shop.memory.process());
            let other = builder(memory, &theirs, &shop.hasher).master(shop.master.clone()).build().unwrap();
            let advance = |span| [&shop.clock, &theirs].map(|clock| clock.advance(span));
            let known = shop.user("manager", None);
            refreshed(&other, &known).unwrap();
            advance(10 * MINUTE);
            let (first, second) = refreshed_and_used(&shop);
            advance(OVERLAP - MINUTE);
            assert_eq!(token(&refreshed(&other, &first).unwrap()), token(&second), "{off:?} {ahead}");
            assert!(shop.told(Action::RefreshShared).is_empty(), "it can vouch for that");
            advance(MINUTE);
            assert_eq!(token_refused(refreshed(&other, &first)), TokenRefusal::Replay, "{off:?} {ahead}");
        }
    }
}

#[test]
fn another_database_server_starts_anew_what_a_process_vouches_for() {
    let shop = Shop::open();
    shop.memory.keep_time(shop.clock.clone());
    let other = shop.process();
    refreshed(&other, &shop.user("manager", None)).unwrap();
    let (first, second) = refreshed_and_used(&shop);
    shop.clock.advance(HOUR);
    let theirs = Arc::new(ManualClock::at(tillgate_testkit::clock::MORNING.after(9 * DAY)));
    shop.memory.keep_time(theirs.clone());
    assert_eq!(token(&refreshed(&other, &first).unwrap()), token(&second));
    assert_eq!(shop.told(Action::RefreshShared).len(), 1);
    shop.clock.advance(OVERLAP);
    theirs.advance(OVERLAP);
    assert_eq!(token_refused(refreshed(&other, &first)), TokenRefusal::Replay);
}

/// A store whose clock jumps ends nothing, in whichever direction, while the process itself goes on: neither if the jump is met at
/// a refresh nor if a look at the feed met it before.
#[test]
fn clock_of_the_store_that_jumps_ends_nothing() {
    for off in [2 * MINUTE, HOUR, 8 * DAY] {
        for forward in [true, false] {
            for looks in [true, false] {
                let shop = Shop::open();
                let theirs = Arc::new(ManualClock::default());
                shop.memory.keep_time(theirs.clone());
                let other = shop.process();
                let advance = |span| [&shop.clock, &theirs].map(|clock| clock.advance(span));
                advance(HOUR);
                let (first, second) = refreshed_and_used(&shop);
                advance(MINUTE);
                if forward {
                    theirs.step_forward(off);
                } else {
                    theirs.step_back(off);
                }
                if looks {
                    other.follow().unwrap();
                }
                let what = format!("{off:?} {forward} {looks}");
                assert_eq!(token(&refreshed(&other, &first).unwrap()), token(&second), "{what}: a sibling");
                assert!(shop.told(Action::RefreshReplay).is_empty(), "{what}");
                advance(OVERLAP);
                if forward {
                    assert_eq!(
                        token_refused(refreshed(&other, &first)),
                        TokenRefusal::Replay,
                        "{what}: now it has seen"
                    );
                }
            }
        }
    }
}

/// The same if the clock jumps there and back, and a session is rotated between.
#[test]
fn clock_of_the_store_that_jumps_there_and_back_ends_nothing() {
    let shop = Shop::open();
    let theirs = Arc::new(ManualClock::default());
    shop.memory.keep_time(theirs.clone());
    let other = shop.process();
    let advance = |span| [&shop.clock, &theirs].map(|clock| clock.advance(span));
    advance(HOUR);
    theirs.step_back(HOUR);
    other.follow().unwrap();
    let (first, second) = refreshed_and_used(&shop);
    theirs.step_forward(HOUR);
    advance(MINUTE);
    assert_eq!(token(&refreshed(&other, &first).unwrap()), token(&second));
    assert!(shop.told(Action::RefreshReplay).is_empty());
}
