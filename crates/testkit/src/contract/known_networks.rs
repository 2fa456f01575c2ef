//! Known networks: where a principal has logged in before.

use std::time::Duration;

use tillgate_auth_core::ports::CountKey;
use tillgate_domain::Instant;

use crate::AuthStoreHarness;
use crate::contract::count_key;
use crate::contract_fixture::{after_start, run_read, run_write, user_id};

const SECONDS_PER_DAY: u64 = 86_400;

fn find_success(harness: &AuthStoreHarness, user: u8, network: &CountKey) -> Option<Instant> {
    run_read(harness, |tx| tx.known_networks().find(user_id(user).0, network))
}

fn note_success(harness: &AuthStoreHarness, user: u8, network: u8, seconds: u64) {
    run_write(harness, |tx| {
        tx.known_networks().record_success(user_id(user).0, &count_key(network), after_start(seconds))
    });
}

/// Whether the response is the same day as this instant.
fn is_same_day(result: Option<Instant>, seconds: u64) -> bool {
    result.is_some_and(|result| {
        result <= after_start(seconds)
            && after_start(seconds).duration_since(result) < Duration::from_secs(SECONDS_PER_DAY)
    })
}

/// A successful login is recorded for its principal and its network, and for no other.
pub fn success_is_recorded_by_network(harness: &AuthStoreHarness) {
    note_success(harness, 1, 1, 5);
    assert!(is_same_day(find_success(harness, 1, &count_key(1)), 5));
    assert_eq!(find_success(harness, 1, &count_key(2)), None);
    assert_eq!(find_success(harness, 2, &count_key(1)), None);
}

/// The latest successful login is returned.
pub fn last_success_is_returned(harness: &AuthStoreHarness) {
    note_success(harness, 1, 1, 5);
    note_success(harness, 1, 1, 3 * SECONDS_PER_DAY);
    assert!(is_same_day(find_success(harness, 1, &count_key(1)), 3 * SECONDS_PER_DAY));
}

/// Trimming keeps the networks of a principal's latest successful logins, and does not affect other
/// principals.
pub fn latest_networks_are_retained(harness: &AuthStoreHarness) {
    for (user, network, day) in [(1, 1, 5), (1, 2, 1), (1, 3, 3), (1, 4, 4), (2, 2, 1)] {
        note_success(harness, user, network, day * SECONDS_PER_DAY);
    }
    let known = |user| [1, 2, 3, 4].map(|network| find_success(harness, user, &count_key(network)).is_some());
    let trim = |keep| run_write(harness, |tx| tx.known_networks().trim(user_id(1).0, keep));
    trim(4);
    assert_eq!(known(1), [true; 4]);
    trim(2);
    assert_eq!(known(1), [true, false, false, true]);
    assert_eq!(known(2), [false, true, false, false]);
    run_write(harness, |tx| tx.known_networks().trim(user_id(9).0, 2));
}

/// A sweep removes at most `limit` networks whose last successful login was before the instant, and
/// returns how many.
pub fn old_networks_are_swept(harness: &AuthStoreHarness) {
    for (user, network, day) in [(1, 1, 0), (1, 2, 0), (2, 1, 0), (1, 3, 10), (2, 2, 0)] {
        note_success(harness, user, network, day * SECONDS_PER_DAY);
    }
    note_success(harness, 2, 2, 10 * SECONDS_PER_DAY);
    let sweep = |limit| run_write(harness, |tx| tx.known_networks().sweep(after_start(5 * SECONDS_PER_DAY), limit));
    assert_eq!([sweep(2), sweep(10), sweep(10)], [2, 1, 0]);
    for (user, network, there) in [(1, 1, false), (1, 2, false), (2, 1, false), (1, 3, true), (2, 2, true)] {
        assert_eq!(find_success(harness, user, &count_key(network)).is_some(), there, "{user} at {network}");
    }
}
