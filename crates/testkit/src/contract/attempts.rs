//! Wrong passwords: tokens taken and given back, guesses remembered, forgiven, swept.

use std::time::Duration;

use tillgate_auth_core::ports::{Bucket, CountKey, TokenDisposition};
use uuid::Uuid;

use crate::AuthStoreHarness;
use crate::contract::{bucket_after_charge, count_key, full_bucket};
use crate::contract_fixture::{after_start, run_read, run_write, user_id};

fn find_bucket(bench: &AuthStoreHarness, key: CountKey) -> Bucket {
    let buckets = run_read(bench, |tx| tx.attempts().find_buckets(&[key]));
    assert_eq!(buckets.len(), 1);
    buckets[0]
}

/// How many attempts are open, and in how many seconds after the start the bucket is full.
fn bucket_sums(bench: &AuthStoreHarness, key: CountKey) -> (i64, u64) {
    let bucket = find_bucket(bench, key);
    (bucket.open_attempts, bucket.full_at.duration_since(after_start(0)).as_secs())
}

/// Takes a token: the bucket is full ten seconds later.
fn charge(bench: &AuthStoreHarness, key: CountKey, principal: Option<Uuid>, seconds: u64) -> bool {
    let from = find_bucket(bench, key);
    run_write(bench, |tx| {
        tx.attempts().take_token(key, principal, &from, &bucket_after_charge(&from, seconds), after_start(seconds))
    })
}

fn settle(bench: &AuthStoreHarness, key: CountKey, how: TokenDisposition, seconds: u64) {
    run_write(bench, |tx| tx.attempts().settle(key, how, after_start(seconds)));
}

fn spend_token(bench: &AuthStoreHarness, key: CountKey, principal: Option<Uuid>, seconds: u64) {
    assert!(charge(bench, key, principal, seconds));
    settle(bench, key, TokenDisposition::Spent, seconds);
}

const RETURNED_TOKEN: TokenDisposition = TokenDisposition::Returned(Duration::from_secs(10));

/// Buckets come in the order of the keys, full ones where nothing is stored, twice where a key is asked twice.
pub fn buckets_are_returned_in_key_order(bench: &AuthStoreHarness) {
    spend_token(bench, count_key(2), None, 5);
    spend_token(bench, count_key(2), None, 6);
    spend_token(bench, count_key(1), None, 7);
    let keys = [count_key(9), count_key(2), count_key(1), count_key(2)];
    let buckets = run_read(bench, |tx| tx.attempts().find_buckets(&keys));
    let full_at: Vec<_> = buckets.iter().map(|bucket| bucket.full_at).collect();
    assert_eq!(full_at, [full_bucket().full_at, after_start(25), after_start(17), after_start(25)]);
    assert_eq!(buckets[0], full_bucket());
    assert_eq!(run_read(bench, |tx| tx.attempts().find_buckets(&[])), []);
}

/// A token is taken where the bucket is still as it was read, with its instant.
pub fn charge_takes_a_token(bench: &AuthStoreHarness) {
    let to =
        Bucket { full_at: after_start(15), open_attempts: 1, opened_at: Some(after_start(5)), blocked_until: None };
    assert!(run_write(bench, |tx| tx.attempts().take_token(count_key(1), None, &full_bucket(), &to, after_start(5))));
    assert_eq!(find_bucket(bench, count_key(1)), to);
    let second =
        Bucket { full_at: after_start(25), open_attempts: 2, opened_at: Some(after_start(6)), blocked_until: None };
    assert!(run_write(bench, |tx| tx.attempts().take_token(count_key(1), None, &to, &second, after_start(6))));
    assert_eq!(find_bucket(bench, count_key(1)), second);
    assert_eq!(find_bucket(bench, count_key(2)), full_bucket(), "another key");
    // what was abandoned is open no more
    let fresh =
        Bucket { full_at: after_start(90), open_attempts: 1, opened_at: Some(after_start(80)), blocked_until: None };
    assert!(run_write(bench, |tx| tx.attempts().take_token(count_key(1), None, &second, &fresh, after_start(80))));
    assert_eq!(find_bucket(bench, count_key(1)), fresh);
}

/// A token is lost where the bucket has moved on, and nothing is stored. Other instants are not asked.
pub fn charge_of_a_changed_bucket_fails(bench: &AuthStoreHarness) {
    spend_token(bench, count_key(1), None, 5);
    assert!(charge(bench, count_key(1), None, 6));
    let there = find_bucket(bench, count_key(1));
    let charge = |from: Bucket| {
        run_write(bench, |tx| {
            tx.attempts().take_token(count_key(1), None, &from, &bucket_after_charge(&from, 9), after_start(9))
        })
    };
    for (full_at, open_attempts) in
        [(after_start(15), 1), (there.full_at, 0), (after_start(35), 1), (there.full_at, 2), (full_bucket().full_at, 0)]
    {
        assert!(!charge(Bucket { full_at, open_attempts, ..there }), "{full_at:?} {open_attempts}");
    }
    assert_eq!(find_bucket(bench, count_key(1)), there);
    let stranger = Bucket { full_at: after_start(15), ..full_bucket() };
    let answer = run_write(bench, |tx| {
        tx.attempts().take_token(count_key(3), None, &stranger, &bucket_after_charge(&stranger, 9), after_start(9))
    });
    assert!(!answer, "nothing is stored there");
    assert!(charge(Bucket { opened_at: None, blocked_until: Some(after_start(7)), ..there }));
}

/// A token that is spent stays taken, and its attempt is open no more.
pub fn settled_token_is_spent(bench: &AuthStoreHarness) {
    assert!(charge(bench, count_key(1), None, 6) && charge(bench, count_key(1), None, 7));
    settle(bench, count_key(1), TokenDisposition::Spent, 8);
    assert_eq!(bucket_sums(bench, count_key(1)), (1, 26));
    settle(bench, count_key(1), TokenDisposition::Spent, 9);
    assert_eq!(bucket_sums(bench, count_key(1)), (0, 26));
}

/// A token that is returned makes the bucket full earlier, and its attempt is open no more.
pub fn settled_token_is_returned(bench: &AuthStoreHarness) {
    spend_token(bench, count_key(1), None, 5);
    spend_token(bench, count_key(2), None, 5);
    assert!(charge(bench, count_key(1), None, 6) && charge(bench, count_key(1), None, 7));
    settle(bench, count_key(1), RETURNED_TOKEN, 8);
    assert_eq!(bucket_sums(bench, count_key(1)), (1, 25), "the other attempt stays open");
    assert_eq!(bucket_sums(bench, count_key(2)), (0, 15), "another key");
}

/// There are never fewer open attempts than none, and settling makes no bucket.
pub fn open_attempts_never_drop_below_zero(bench: &AuthStoreHarness) {
    for how in [TokenDisposition::Spent, RETURNED_TOKEN] {
        spend_token(bench, count_key(1), None, 5);
        settle(bench, count_key(1), how, 6);
        assert_eq!(find_bucket(bench, count_key(1)).open_attempts, 0, "{how:?}");
    }
    settle(bench, count_key(7), RETURNED_TOKEN, 6);
    assert_eq!(find_bucket(bench, count_key(7)), full_bucket(), "where nothing was ever taken");
}

/// A bar is kept with its bucket, whatever is taken from it afterwards.
pub fn bar_is_stored(bench: &AuthStoreHarness) {
    spend_token(bench, count_key(1), None, 5);
    run_write(bench, |tx| tx.attempts().block(count_key(1), after_start(99)));
    spend_token(bench, count_key(1), None, 6);
    assert_eq!(find_bucket(bench, count_key(1)).blocked_until, Some(after_start(99)));
    run_write(bench, |tx| tx.attempts().block(count_key(2), after_start(99)));
    assert_eq!(find_bucket(bench, count_key(2)), full_bucket(), "there is none to bar");
}

fn remember(bench: &AuthStoreHarness, key: u8, guess: u8, since: u64, seconds: u64) -> bool {
    run_write(bench, |tx| {
        tx.attempts().record_guess(count_key(key), &count_key(guess), after_start(since), after_start(seconds))
    })
}

fn count_remembered(bench: &AuthStoreHarness, key: u8, since: u64) -> u32 {
    run_read(bench, |tx| tx.attempts().count_guesses(count_key(key), after_start(since)))
}

/// A wrong password is new where it was not remembered after the instant, for its bucket. One that was keeps its instant.
pub fn wrong_password_is_remembered(bench: &AuthStoreHarness) {
    assert!(remember(bench, 1, 1, 0, 10));
    assert!(!remember(bench, 1, 1, 0, 20) && !remember(bench, 1, 1, 9, 20), "it is known");
    assert!(remember(bench, 1, 2, 0, 20) && remember(bench, 2, 1, 0, 20), "another, and another's");
    assert_eq!(
        [count_remembered(bench, 1, 0), count_remembered(bench, 2, 0), count_remembered(bench, 3, 0)],
        [2, 1, 0]
    );
    assert_eq!(
        [count_remembered(bench, 1, 9), count_remembered(bench, 1, 10), count_remembered(bench, 1, 20)],
        [2, 1, 0]
    );
    assert!(remember(bench, 1, 1, 10, 30), "since then it was not tried");
    assert_eq!(count_remembered(bench, 1, 20), 1);
    assert!(!remember(bench, 1, 1, 29, 40));
}

/// A bucket that belongs to no principal is filled, and no other; one of a principal is left as it is.
pub fn a_bucket_that_is_nobodys_is_filled(bench: &AuthStoreHarness) {
    let anna = user_id(1).0;
    for (number, principal) in [(1, None), (2, None), (3, Some(anna))] {
        spend_token(bench, count_key(number), principal, 5);
    }
    assert_eq!(
        [1, 3, 4].map(|number| run_write(bench, |tx| tx.attempts().refill(count_key(number)))),
        [true, false, false]
    );
    let buckets = [1, 2, 3].map(|number| find_bucket(bench, count_key(number)));
    assert_eq!(buckets.map(|bucket| bucket == full_bucket()), [true, false, false]);
    assert!(!run_write(bench, |tx| tx.attempts().refill(count_key(1))), "it is full");
    assert!(charge(bench, count_key(1), None, 6), "and is taken from anew");
}

/// Every bucket of a principal is forgiven, with what is remembered for it, and theirs alone.
pub fn principal_is_forgiven(bench: &AuthStoreHarness) {
    let (anna, ben) = (user_id(1).0, user_id(2).0);
    for (number, principal) in [(1, Some(anna)), (2, Some(anna)), (3, Some(ben)), (4, None)] {
        spend_token(bench, count_key(number), principal, 5);
        assert!(remember(bench, number, 1, 0, 5) && remember(bench, number, 2, 0, 5));
    }
    assert_eq!(run_write(bench, |tx| tx.attempts().clear_failed_logins(anna)), 2);
    let buckets = [1, 2, 3, 4].map(|number| find_bucket(bench, count_key(number)));
    assert_eq!(buckets.map(|bucket| bucket == full_bucket()), [true, true, false, false]);
    assert_eq!([1, 2, 3, 4].map(|number| count_remembered(bench, number, 0)), [0, 0, 2, 2]);
    assert_eq!(run_write(bench, |tx| tx.attempts().clear_failed_logins(anna)), 0);
    assert!(charge(bench, count_key(1), Some(anna), 6), "who is forgiven begins anew");
}

/// A sweep removes what nothing has touched since, `limit` at most, and says how many.
pub fn old_buckets_are_swept(bench: &AuthStoreHarness) {
    for (number, seconds) in [(1, 10), (2, 20), (3, 30), (4, 40)] {
        spend_token(bench, count_key(number), None, seconds);
    }
    assert!(charge(bench, count_key(1), None, 100), "a token touches");
    settle(bench, count_key(2), RETURNED_TOKEN, 101);
    assert_eq!(run_write(bench, |tx| tx.attempts().sweep(after_start(25), 10)), 0, "a settlement touches");
    assert_eq!(run_write(bench, |tx| tx.attempts().sweep(after_start(50), 1)), 1);
    assert_eq!(run_write(bench, |tx| tx.attempts().sweep(after_start(50), 10)), 1);
    assert_eq!(run_write(bench, |tx| tx.attempts().sweep(after_start(50), 10)), 0);
    let buckets = [1, 2, 3, 4].map(|number| find_bucket(bench, count_key(number)));
    assert_eq!(buckets.map(|bucket| bucket == full_bucket()), [false, false, true, true]);
}

/// A sweep removes wrong passwords that were remembered before the instant, `limit` at most, and says how many.
pub fn old_wrong_passwords_are_swept(bench: &AuthStoreHarness) {
    for (key, guess, seconds) in [(1, 1, 10), (1, 2, 20), (2, 1, 30), (2, 2, 40)] {
        assert!(remember(bench, key, guess, 0, seconds));
    }
    assert_eq!(run_write(bench, |tx| tx.attempts().sweep_guesses(after_start(10), 10)), 0);
    assert_eq!(run_write(bench, |tx| tx.attempts().sweep_guesses(after_start(40), 2)), 2);
    assert_eq!(run_write(bench, |tx| tx.attempts().sweep_guesses(after_start(40), 10)), 1);
    assert_eq!([count_remembered(bench, 1, 0), count_remembered(bench, 2, 0)], [0, 1]);
}
