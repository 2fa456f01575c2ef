//! Places: where somebody has logged in before.

use std::time::Duration;

use tillgate_auth_core::ports::CountKey;
use tillgate_domain::Instant;

use crate::Bench;
use crate::contract::digest;
use crate::shop::{at, read, user_id, write};

const DAY: u64 = 86_400;

fn found(bench: &Bench, user: u8, place: &CountKey) -> Option<Instant> {
    read(bench, |tx| tx.places().find(user_id(user).0, place))
}

fn note(bench: &Bench, user: u8, place: u8, seconds: u64) {
    write(bench, |tx| tx.places().note(user_id(user).0, &digest(place), at(seconds)));
}

/// Whether the answer is that instant, to the day.
fn to_the_day(answer: Option<Instant>, seconds: u64) -> bool {
    answer.is_some_and(|answer| answer <= at(seconds) && at(seconds).since(answer) < Duration::from_secs(DAY))
}

/// A success is remembered for its principal and its place, and for no other.
pub fn a_success_is_remembered_by_place(bench: &Bench) {
    note(bench, 1, 1, 5);
    assert!(to_the_day(found(bench, 1, &digest(1)), 5));
    assert_eq!(found(bench, 1, &digest(2)), None);
    assert_eq!(found(bench, 2, &digest(1)), None);
}

/// The last success counts.
pub fn the_last_success_counts(bench: &Bench) {
    note(bench, 1, 1, 5);
    note(bench, 1, 1, 3 * DAY);
    assert!(to_the_day(found(bench, 1, &digest(1)), 3 * DAY));
}

/// The places of the latest successes are kept, of each principal apart.
pub fn the_latest_places_are_kept(bench: &Bench) {
    for (user, place, day) in [(1, 1, 5), (1, 2, 1), (1, 3, 3), (1, 4, 4), (2, 2, 1)] {
        note(bench, user, place, day * DAY);
    }
    let places = |user| [1, 2, 3, 4].map(|place| found(bench, user, &digest(place)).is_some());
    let trim = |keep| write(bench, |tx| tx.places().trim(user_id(1).0, keep));
    trim(4);
    assert_eq!(places(1), [true; 4]);
    trim(2);
    assert_eq!(places(1), [true, false, false, true]);
    assert_eq!(places(2), [false, true, false, false]);
    write(bench, |tx| tx.places().trim(user_id(9).0, 2));
}

/// A sweep removes the places of which the last success was before the instant, `limit` at most, and says how many.
pub fn old_places_are_swept(bench: &Bench) {
    for (user, place, day) in [(1, 1, 0), (1, 2, 0), (2, 1, 0), (1, 3, 10), (2, 2, 0)] {
        note(bench, user, place, day * DAY);
    }
    note(bench, 2, 2, 10 * DAY);
    let sweep = |limit| write(bench, |tx| tx.places().sweep(at(5 * DAY), limit));
    assert_eq!([sweep(2), sweep(10), sweep(10)], [2, 1, 0]);
    for (user, place, there) in [(1, 1, false), (1, 2, false), (2, 1, false), (1, 3, true), (2, 2, true)] {
        assert_eq!(found(bench, user, &digest(place)).is_some(), there, "{user} at {place}");
    }
}
