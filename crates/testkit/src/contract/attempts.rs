//! Failed logins: charged, settled, forgiven, swept.

use tillgate_auth_core::ports::{Count, CountKey, Settled};
use uuid::Uuid;

use crate::Bench;
use crate::contract::{digest, none_counted};
use crate::shop::{at, read, user_id, write};

fn count(bench: &Bench, key: CountKey) -> Count {
    let counts = read(bench, |tx| tx.attempts().counts(&[key]));
    assert_eq!(counts.len(), 1);
    counts[0]
}

/// Failures and open charges of a key.
fn sums(bench: &Bench, key: CountKey) -> (i64, i64) {
    let count = count(bench, key);
    (count.failures, count.open)
}

fn charge(bench: &Bench, key: CountKey, principal: Option<Uuid>, seconds: u64) -> bool {
    let from = count(bench, key);
    write(bench, |tx| tx.attempts().charge(key, principal, &from, at(seconds)))
}

fn settle(bench: &Bench, key: CountKey, how: Settled, seconds: u64) {
    write(bench, |tx| tx.attempts().settle(key, how, at(seconds)));
}

fn fail(bench: &Bench, key: CountKey, principal: Option<Uuid>, seconds: u64) {
    assert!(charge(bench, key, principal, seconds));
    settle(bench, key, Settled::Failed, seconds);
}

/// Counts come in the order of the keys, zeros where nothing is counted, twice where a key is asked twice.
pub fn counts_come_in_the_order_of_the_keys(bench: &Bench) {
    fail(bench, digest(2), None, 5);
    fail(bench, digest(2), None, 6);
    fail(bench, digest(1), None, 7);
    let keys = [digest(9), digest(2), digest(1), digest(2)];
    let counts = read(bench, |tx| tx.attempts().counts(&keys));
    assert_eq!(counts.iter().map(|count| count.failures).collect::<Vec<_>>(), [0, 2, 1, 2]);
    assert_eq!(counts[0], none_counted());
    assert_eq!(read(bench, |tx| tx.attempts().counts(&[])), []);
}

/// A charge is opened where the counts are still as they were read, with its instant.
pub fn a_charge_is_opened(bench: &Bench) {
    assert!(write(bench, |tx| tx.attempts().charge(digest(1), None, &none_counted(), at(5))));
    let first = count(bench, digest(1));
    assert_eq!((first.failures, first.open, first.opened_at, first.failed_at), (0, 1, Some(at(5)), None));
    assert!(write(bench, |tx| tx.attempts().charge(digest(1), None, &first, at(6))));
    let second = count(bench, digest(1));
    assert_eq!((second.open, second.opened_at), (2, Some(at(6))));
    assert_eq!(sums(bench, digest(2)), (0, 0), "another key");
}

/// A charge is lost where failures or open charges have moved on, and opens nothing. Instants are not asked.
pub fn a_charge_from_other_counts_is_lost(bench: &Bench) {
    fail(bench, digest(1), None, 5);
    assert!(charge(bench, digest(1), None, 6));
    let charge = |from: Count| write(bench, |tx| tx.attempts().charge(digest(1), None, &from, at(9)));
    for (failures, open) in [(0, 1), (1, 0), (2, 1), (1, 2), (0, 0)] {
        assert!(!charge(Count { failures, open, failed_at: Some(at(5)), opened_at: Some(at(6)) }), "{failures} {open}");
    }
    assert_eq!(sums(bench, digest(1)), (1, 1));
    let stranger = Count { failures: 1, open: 0, ..none_counted() };
    assert!(!write(bench, |tx| tx.attempts().charge(digest(3), None, &stranger, at(9))), "nothing is counted there");
    assert!(charge(Count { failures: 1, open: 1, failed_at: None, opened_at: None }));
}

/// A failure closes its charge and counts, with its instant.
pub fn a_failure_is_counted(bench: &Bench) {
    fail(bench, digest(1), None, 5);
    let count = count(bench, digest(1));
    assert_eq!((count.failures, count.failed_at, count.open), (1, Some(at(5)), 0));
    assert!(charge(bench, digest(1), None, 6));
    assert!(charge(bench, digest(1), None, 7));
    settle(bench, digest(1), Settled::Failed, 8);
    assert_eq!(sums(bench, digest(1)), (2, 1), "the other charge stays open");
}

/// A success closes its charge and forgets the failures.
pub fn a_success_forgets_the_failures(bench: &Bench) {
    fail(bench, digest(1), None, 5);
    fail(bench, digest(2), None, 5);
    assert!(charge(bench, digest(1), None, 6));
    assert!(charge(bench, digest(1), None, 7));
    settle(bench, digest(1), Settled::Succeeded, 8);
    assert_eq!(sums(bench, digest(1)), (0, 1), "the other charge stays open");
    assert_eq!(sums(bench, digest(2)), (1, 0), "another key");
}

/// A returned charge leaves the failures as they are.
pub fn a_returned_charge_leaves_the_failures(bench: &Bench) {
    fail(bench, digest(1), None, 5);
    assert!(charge(bench, digest(1), None, 6));
    settle(bench, digest(1), Settled::Returned, 7);
    let count = count(bench, digest(1));
    assert_eq!((count.failures, count.failed_at, count.open), (1, Some(at(5)), 0));
}

/// Charges never fall below zero.
pub fn charges_never_fall_below_zero(bench: &Bench) {
    for how in [Settled::Failed, Settled::Returned, Settled::Succeeded] {
        fail(bench, digest(1), None, 5);
        settle(bench, digest(1), how, 6);
        assert_eq!(sums(bench, digest(1)).1, 0, "{how:?}");
    }
    settle(bench, digest(7), Settled::Returned, 6);
    assert_eq!(sums(bench, digest(7)), (0, 0), "where nothing was ever charged");
}

/// Every count of a principal is forgiven together, and theirs alone.
pub fn a_principal_is_forgiven(bench: &Bench) {
    let (anna, ben) = (user_id(1).0, user_id(2).0);
    fail(bench, digest(1), Some(anna), 5);
    fail(bench, digest(2), Some(anna), 5);
    fail(bench, digest(3), Some(ben), 5);
    fail(bench, digest(4), None, 5);
    assert_eq!(write(bench, |tx| tx.attempts().forgive(anna)), 2);
    let counts = read(bench, |tx| tx.attempts().counts(&[digest(1), digest(2), digest(3), digest(4)]));
    assert_eq!(counts.iter().map(|count| count.failures).collect::<Vec<_>>(), [0, 0, 1, 1]);
    assert_eq!(write(bench, |tx| tx.attempts().forgive(anna)), 0);
    assert!(charge(bench, digest(1), Some(anna), 6), "who is forgiven begins anew");
}

/// A sweep removes what nothing has touched since, `limit` at most, and says how many.
pub fn old_counts_are_swept(bench: &Bench) {
    for (number, seconds) in [(1, 10), (2, 20), (3, 30), (4, 40)] {
        fail(bench, digest(number), None, seconds);
    }
    assert!(charge(bench, digest(1), None, 100), "a charge touches");
    fail(bench, digest(2), None, 15);
    settle(bench, digest(2), Settled::Returned, 101);
    assert_eq!(write(bench, |tx| tx.attempts().sweep(at(25), 10)), 0, "a settlement touches");
    assert_eq!(write(bench, |tx| tx.attempts().sweep(at(50), 1)), 1);
    assert_eq!(write(bench, |tx| tx.attempts().sweep(at(50), 10)), 1);
    assert_eq!(write(bench, |tx| tx.attempts().sweep(at(50), 10)), 0);
    let counts = read(bench, |tx| tx.attempts().counts(&[digest(1), digest(2), digest(3), digest(4)]));
    assert_eq!(counts.iter().map(|count| count.failures).collect::<Vec<_>>(), [1, 2, 0, 0]);
}
