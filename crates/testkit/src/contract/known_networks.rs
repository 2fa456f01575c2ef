//! Places: where somebody has logged in before.

use std::time::Duration;

use tillgate_auth_core::ports::CountKey;
use tillgate_domain::Instant;

use crate::AuthStoreHarness;
use crate::contract::count_key;
use crate::contract_fixture::{after_start, run_read, run_write, user_id};

const SECONDS_PER_DAY: u64 = 86_400;

fn find_success(bench: &AuthStoreHarness, user: u8, place: &CountKey) -> Option<Instant> {
    run_read(bench, |tx| tx.known_networks().find(user_id(user).0, place))
}

fn note_success(bench: &AuthStoreHarness, user: u8, place: u8, seconds: u64) {
    run_write(bench, |tx| tx.known_networks().record_success(user_id(user).0, &count_key(place), after_start(seconds)));
}

/// Whether the answer is that instant, to the day.
fn is_same_day(answer: Option<Instant>, seconds: u64) -> bool {
    answer.is_some_and(|answer| {
        answer <= after_start(seconds)
            && after_start(seconds).duration_since(answer) < Duration::from_secs(SECONDS_PER_DAY)
    })
}

/// A success is remembered for its principal and its place, and for no other.
pub fn success_is_recorded_by_network(bench: &AuthStoreHarness) {
    note_success(bench, 1, 1, 5);
    assert!(is_same_day(find_success(bench, 1, &count_key(1)), 5));
    assert_eq!(find_success(bench, 1, &count_key(2)), None);
    assert_eq!(find_success(bench, 2, &count_key(1)), None);
}

/// The last success counts.
pub fn last_success_is_returned(bench: &AuthStoreHarness) {
    note_success(bench, 1, 1, 5);
    note_success(bench, 1, 1, 3 * SECONDS_PER_DAY);
    assert!(is_same_day(find_success(bench, 1, &count_key(1)), 3 * SECONDS_PER_DAY));
}

/// The places of the latest successes are kept, of each principal apart.
pub fn latest_networks_are_retained(bench: &AuthStoreHarness) {
    for (user, place, day) in [(1, 1, 5), (1, 2, 1), (1, 3, 3), (1, 4, 4), (2, 2, 1)] {
        note_success(bench, user, place, day * SECONDS_PER_DAY);
    }
    let places = |user| [1, 2, 3, 4].map(|place| find_success(bench, user, &count_key(place)).is_some());
    let trim = |keep| run_write(bench, |tx| tx.known_networks().trim(user_id(1).0, keep));
    trim(4);
    assert_eq!(places(1), [true; 4]);
    trim(2);
    assert_eq!(places(1), [true, false, false, true]);
    assert_eq!(places(2), [false, true, false, false]);
    run_write(bench, |tx| tx.known_networks().trim(user_id(9).0, 2));
}

/// A sweep removes the places of which the last success was before the instant, `session_limit` at most, and says how many.
pub fn old_networks_are_swept(bench: &AuthStoreHarness) {
    for (user, place, day) in [(1, 1, 0), (1, 2, 0), (2, 1, 0), (1, 3, 10), (2, 2, 0)] {
        note_success(bench, user, place, day * SECONDS_PER_DAY);
    }
    note_success(bench, 2, 2, 10 * SECONDS_PER_DAY);
    let sweep = |limit| run_write(bench, |tx| tx.known_networks().sweep(after_start(5 * SECONDS_PER_DAY), limit));
    assert_eq!([sweep(2), sweep(10), sweep(10)], [2, 1, 0]);
    for (user, place, there) in [(1, 1, false), (1, 2, false), (2, 1, false), (1, 3, true), (2, 2, true)] {
        assert_eq!(find_success(bench, user, &count_key(place)).is_some(), there, "{user} at {place}");
    }
}
