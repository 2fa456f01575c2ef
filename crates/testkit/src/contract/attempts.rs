//! Wrong passwords: tokens taken and given back, guesses remembered, forgiven, swept.

use std::time::Duration;

use tillgate_auth_core::ports::{Bucket, CountKey, Settled};
use uuid::Uuid;

use crate::Bench;
use crate::contract::{digest, full, taken};
use crate::shop::{at, read, user_id, write};

fn bucket(bench: &Bench, key: CountKey) -> Bucket {
    let buckets = read(bench, |tx| tx.attempts().buckets(&[key]));
    assert_eq!(buckets.len(), 1);
    buckets[0]
}

/// How many attempts are open, and in how many seconds after the start the bucket is full.
fn sums(bench: &Bench, key: CountKey) -> (i64, u64) {
    let bucket = bucket(bench, key);
    (bucket.open, bucket.full_at.since(at(0)).as_secs())
}

/// Takes a token: the bucket is full ten seconds later.
fn charge(bench: &Bench, key: CountKey, principal: Option<Uuid>, seconds: u64) -> bool {
    let from = bucket(bench, key);
    write(bench, |tx| tx.attempts().charge(key, principal, &from, &taken(&from, seconds), at(seconds)))
}

fn settle(bench: &Bench, key: CountKey, how: Settled, seconds: u64) {
    write(bench, |tx| tx.attempts().settle(key, how, at(seconds)));
}

fn spend(bench: &Bench, key: CountKey, principal: Option<Uuid>, seconds: u64) {
    assert!(charge(bench, key, principal, seconds));
    settle(bench, key, Settled::Spent, seconds);
}

const RETURNED: Settled = Settled::Returned(Duration::from_secs(10));

/// Buckets come in the order of the keys, full ones where nothing is stored, twice where a key is asked twice.
pub fn buckets_come_in_the_order_of_the_keys(bench: &Bench) {
    spend(bench, digest(2), None, 5);
    spend(bench, digest(2), None, 6);
    spend(bench, digest(1), None, 7);
    let keys = [digest(9), digest(2), digest(1), digest(2)];
    let buckets = read(bench, |tx| tx.attempts().buckets(&keys));
    let full_at: Vec<_> = buckets.iter().map(|bucket| bucket.full_at).collect();
    assert_eq!(full_at, [full().full_at, at(25), at(17), at(25)]);
    assert_eq!(buckets[0], full());
    assert_eq!(read(bench, |tx| tx.attempts().buckets(&[])), []);
}

/// A token is taken where the bucket is still as it was read, with its instant.
pub fn a_token_is_taken(bench: &Bench) {
    let to = Bucket { full_at: at(15), open: 1, opened_at: Some(at(5)), barred_until: None };
    assert!(write(bench, |tx| tx.attempts().charge(digest(1), None, &full(), &to, at(5))));
    assert_eq!(bucket(bench, digest(1)), to);
    let second = Bucket { full_at: at(25), open: 2, opened_at: Some(at(6)), barred_until: None };
    assert!(write(bench, |tx| tx.attempts().charge(digest(1), None, &to, &second, at(6))));
    assert_eq!(bucket(bench, digest(1)), second);
    assert_eq!(bucket(bench, digest(2)), full(), "another key");
    // what was abandoned is open no more
    let fresh = Bucket { full_at: at(90), open: 1, opened_at: Some(at(80)), barred_until: None };
    assert!(write(bench, |tx| tx.attempts().charge(digest(1), None, &second, &fresh, at(80))));
    assert_eq!(bucket(bench, digest(1)), fresh);
}

/// A token is lost where the bucket has moved on, and nothing is stored. Other instants are not asked.
pub fn a_token_of_another_bucket_is_lost(bench: &Bench) {
    spend(bench, digest(1), None, 5);
    assert!(charge(bench, digest(1), None, 6));
    let there = bucket(bench, digest(1));
    let charge =
        |from: Bucket| write(bench, |tx| tx.attempts().charge(digest(1), None, &from, &taken(&from, 9), at(9)));
    for (full_at, open) in [(at(15), 1), (there.full_at, 0), (at(35), 1), (there.full_at, 2), (full().full_at, 0)] {
        assert!(!charge(Bucket { full_at, open, ..there }), "{full_at:?} {open}");
    }
    assert_eq!(bucket(bench, digest(1)), there);
    let stranger = Bucket { full_at: at(15), ..full() };
    let answer = write(bench, |tx| tx.attempts().charge(digest(3), None, &stranger, &taken(&stranger, 9), at(9)));
    assert!(!answer, "nothing is stored there");
    assert!(charge(Bucket { opened_at: None, barred_until: Some(at(7)), ..there }));
}

/// A token that is spent stays taken, and its attempt is open no more.
pub fn a_token_is_spent(bench: &Bench) {
    assert!(charge(bench, digest(1), None, 6) && charge(bench, digest(1), None, 7));
    settle(bench, digest(1), Settled::Spent, 8);
    assert_eq!(sums(bench, digest(1)), (1, 26));
    settle(bench, digest(1), Settled::Spent, 9);
    assert_eq!(sums(bench, digest(1)), (0, 26));
}

/// A token that is returned makes the bucket full earlier, and its attempt is open no more.
pub fn a_token_is_returned(bench: &Bench) {
    spend(bench, digest(1), None, 5);
    spend(bench, digest(2), None, 5);
    assert!(charge(bench, digest(1), None, 6) && charge(bench, digest(1), None, 7));
    settle(bench, digest(1), RETURNED, 8);
    assert_eq!(sums(bench, digest(1)), (1, 25), "the other attempt stays open");
    assert_eq!(sums(bench, digest(2)), (0, 15), "another key");
}

/// There are never fewer open attempts than none, and settling makes no bucket.
pub fn open_attempts_never_fall_below_zero(bench: &Bench) {
    for how in [Settled::Spent, RETURNED] {
        spend(bench, digest(1), None, 5);
        settle(bench, digest(1), how, 6);
        assert_eq!(bucket(bench, digest(1)).open, 0, "{how:?}");
    }
    settle(bench, digest(7), RETURNED, 6);
    assert_eq!(bucket(bench, digest(7)), full(), "where nothing was ever taken");
}

/// A bar is kept with its bucket, whatever is taken from it afterwards.
pub fn a_bar_is_kept(bench: &Bench) {
    spend(bench, digest(1), None, 5);
    write(bench, |tx| tx.attempts().bar(digest(1), at(99)));
    spend(bench, digest(1), None, 6);
    assert_eq!(bucket(bench, digest(1)).barred_until, Some(at(99)));
    write(bench, |tx| tx.attempts().bar(digest(2), at(99)));
    assert_eq!(bucket(bench, digest(2)), full(), "there is none to bar");
}

fn remember(bench: &Bench, key: u8, guess: u8, since: u64, seconds: u64) -> bool {
    write(bench, |tx| tx.attempts().remember(digest(key), &digest(guess), at(since), at(seconds)))
}

fn remembered(bench: &Bench, key: u8, since: u64) -> u32 {
    read(bench, |tx| tx.attempts().remembered(digest(key), at(since)))
}

/// A wrong password is new where it was not remembered after the instant, for its bucket. One that was keeps its instant.
pub fn a_wrong_password_is_remembered(bench: &Bench) {
    assert!(remember(bench, 1, 1, 0, 10));
    assert!(!remember(bench, 1, 1, 0, 20) && !remember(bench, 1, 1, 9, 20), "it is known");
    assert!(remember(bench, 1, 2, 0, 20) && remember(bench, 2, 1, 0, 20), "another, and another's");
    assert_eq!([remembered(bench, 1, 0), remembered(bench, 2, 0), remembered(bench, 3, 0)], [2, 1, 0]);
    assert_eq!([remembered(bench, 1, 9), remembered(bench, 1, 10), remembered(bench, 1, 20)], [2, 1, 0]);
    assert!(remember(bench, 1, 1, 10, 30), "since then it was not tried");
    assert_eq!(remembered(bench, 1, 20), 1);
    assert!(!remember(bench, 1, 1, 29, 40));
}

/// A bucket that belongs to no principal is filled, and no other; one of a principal is left as it is.
pub fn a_bucket_that_is_nobodys_is_filled(bench: &Bench) {
    let anna = user_id(1).0;
    for (number, principal) in [(1, None), (2, None), (3, Some(anna))] {
        spend(bench, digest(number), principal, 5);
    }
    assert_eq!([1, 3, 4].map(|number| write(bench, |tx| tx.attempts().refill(digest(number)))), [true, false, false]);
    let buckets = [1, 2, 3].map(|number| bucket(bench, digest(number)));
    assert_eq!(buckets.map(|bucket| bucket == full()), [true, false, false]);
    assert!(!write(bench, |tx| tx.attempts().refill(digest(1))), "it is full");
    assert!(charge(bench, digest(1), None, 6), "and is taken from anew");
}

/// Every bucket of a principal is forgiven, with what is remembered for it, and theirs alone.
pub fn a_principal_is_forgiven(bench: &Bench) {
    let (anna, ben) = (user_id(1).0, user_id(2).0);
    for (number, principal) in [(1, Some(anna)), (2, Some(anna)), (3, Some(ben)), (4, None)] {
        spend(bench, digest(number), principal, 5);
        assert!(remember(bench, number, 1, 0, 5) && remember(bench, number, 2, 0, 5));
    }
    assert_eq!(write(bench, |tx| tx.attempts().forgive(anna)), 2);
    let buckets = [1, 2, 3, 4].map(|number| bucket(bench, digest(number)));
    assert_eq!(buckets.map(|bucket| bucket == full()), [true, true, false, false]);
    assert_eq!([1, 2, 3, 4].map(|number| remembered(bench, number, 0)), [0, 0, 2, 2]);
    assert_eq!(write(bench, |tx| tx.attempts().forgive(anna)), 0);
    assert!(charge(bench, digest(1), Some(anna), 6), "who is forgiven begins anew");
}

/// A sweep removes what nothing has touched since, `limit` at most, and says how many.
pub fn old_buckets_are_swept(bench: &Bench) {
    for (number, seconds) in [(1, 10), (2, 20), (3, 30), (4, 40)] {
        spend(bench, digest(number), None, seconds);
    }
    assert!(charge(bench, digest(1), None, 100), "a token touches");
    settle(bench, digest(2), RETURNED, 101);
    assert_eq!(write(bench, |tx| tx.attempts().sweep(at(25), 10)), 0, "a settlement touches");
    assert_eq!(write(bench, |tx| tx.attempts().sweep(at(50), 1)), 1);
    assert_eq!(write(bench, |tx| tx.attempts().sweep(at(50), 10)), 1);
    assert_eq!(write(bench, |tx| tx.attempts().sweep(at(50), 10)), 0);
    let buckets = [1, 2, 3, 4].map(|number| bucket(bench, digest(number)));
    assert_eq!(buckets.map(|bucket| bucket == full()), [false, false, true, true]);
}

/// A sweep removes wrong passwords that were remembered before the instant, `limit` at most, and says how many.
pub fn old_wrong_passwords_are_swept(bench: &Bench) {
    for (key, guess, seconds) in [(1, 1, 10), (1, 2, 20), (2, 1, 30), (2, 2, 40)] {
        assert!(remember(bench, key, guess, 0, seconds));
    }
    assert_eq!(write(bench, |tx| tx.attempts().sweep_remembered(at(10), 10)), 0);
    assert_eq!(write(bench, |tx| tx.attempts().sweep_remembered(at(40), 2)), 2);
    assert_eq!(write(bench, |tx| tx.attempts().sweep_remembered(at(40), 10)), 1);
    assert_eq!([remembered(bench, 1, 0), remembered(bench, 2, 0)], [0, 1]);
}
