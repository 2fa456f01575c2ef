//! Failed logins: token buckets, guesses, blocks, and their removal.

use std::time::Duration;

use tillgate_auth_core::ports::{Bucket, CountKey, PrincipalBucket, TokenDisposition};
use uuid::Uuid;

use crate::AuthStoreHarness;
use crate::contract::{bucket_after_charge, count_key, full_bucket};
use crate::contract_fixture::{ContractFixture, after_start, run_read, run_write, user_id};

fn find_bucket(harness: &AuthStoreHarness, key: CountKey) -> Bucket {
    let buckets = run_read(harness, |tx| tx.attempts().find_buckets(&[key]));
    assert_eq!(buckets.len(), 1);
    buckets[0]
}

/// The number of open attempts, and after how many seconds from the start the bucket is full.
fn bucket_sums(harness: &AuthStoreHarness, key: CountKey) -> (i64, u64) {
    let bucket = find_bucket(harness, key);
    (bucket.open_attempts, bucket.full_at.duration_since(after_start(0)).as_secs())
}

/// Takes a token: the bucket is full 10 seconds later.
fn charge(harness: &AuthStoreHarness, key: CountKey, principal: Option<Uuid>, seconds: u64) -> bool {
    let from = find_bucket(harness, key);
    run_write(harness, |tx| {
        tx.attempts().take_token(key, principal, &from, &bucket_after_charge(&from, seconds), after_start(seconds))
    })
}

fn settle(harness: &AuthStoreHarness, key: CountKey, disposition: TokenDisposition, seconds: u64) {
    run_write(harness, |tx| tx.attempts().settle(key, disposition, after_start(seconds)));
}

fn spend_token(harness: &AuthStoreHarness, key: CountKey, principal: Option<Uuid>, seconds: u64) {
    assert!(charge(harness, key, principal, seconds));
    settle(harness, key, TokenDisposition::Spent, seconds);
}

const RETURNED_TOKEN: TokenDisposition = TokenDisposition::Returned(Duration::from_secs(10));

/// Buckets are returned in the order of the requested keys: a full one for each key that is not
/// stored, and one for each occurrence of a repeated key.
pub fn buckets_are_returned_in_key_order(harness: &AuthStoreHarness) {
    spend_token(harness, count_key(2), None, 5);
    spend_token(harness, count_key(2), None, 6);
    spend_token(harness, count_key(1), None, 7);
    let keys = [count_key(9), count_key(2), count_key(1), count_key(2)];
    let buckets = run_read(harness, |tx| tx.attempts().find_buckets(&keys));
    let full_at: Vec<_> = buckets.iter().map(|bucket| bucket.full_at).collect();
    assert_eq!(full_at, [full_bucket().full_at, after_start(25), after_start(17), after_start(25)]);
    assert_eq!(buckets[0], full_bucket());
    assert_eq!(run_read(harness, |tx| tx.attempts().find_buckets(&[])), []);
}

/// Buckets that are full only after an instant are found by the tenant of their users and devices;
/// buckets of networks are not.
pub fn depleted_buckets_are_found_by_tenant(harness: &AuthStoreHarness) {
    let fixture = ContractFixture::insert_into(harness);
    spend_token(harness, count_key(1), Some(fixture.anna.id.0), 5);
    spend_token(harness, count_key(2), Some(fixture.till.id.0), 6);
    spend_token(harness, count_key(3), Some(fixture.namesake.id.0), 7);
    spend_token(harness, count_key(4), None, 8);
    let find = |tenant, branch, seconds, limit| {
        let mut found =
            run_read(harness, |tx| tx.attempts().find_depleted(tenant, branch, after_start(seconds), limit));
        found.sort_by_key(|found| found.key);
        found
    };
    let tenant = fixture.tenant.id;
    let bucket = |key| find_bucket(harness, key);
    let annas = PrincipalBucket { principal: fixture.anna.id.0, key: count_key(1), bucket: bucket(count_key(1)) };
    let tills = PrincipalBucket { principal: fixture.till.id.0, key: count_key(2), bucket: bucket(count_key(2)) };
    assert_eq!(find(tenant, None, 0, 9), [annas, tills]);
    assert_eq!(find(tenant, None, 15, 9), [tills], "the other one is full by then");
    assert_eq!(find(tenant, None, 0, 1).len(), 1);
    assert_eq!(find(tenant, Some(fixture.tenant.branches[0].id), 0, 9), [], "the till is in no store");
    assert_eq!(find(fixture.other_tenant.id, None, 0, 9).len(), 1);
}

/// A token is taken if the bucket is still as it was read. The instant is stored.
pub fn charge_takes_a_token(harness: &AuthStoreHarness) {
    let to =
        Bucket { full_at: after_start(15), open_attempts: 1, opened_at: Some(after_start(5)), blocked_until: None };
    assert!(run_write(harness, |tx| tx.attempts().take_token(count_key(1), None, &full_bucket(), &to, after_start(5))));
    assert_eq!(find_bucket(harness, count_key(1)), to);
    let second =
        Bucket { full_at: after_start(25), open_attempts: 2, opened_at: Some(after_start(6)), blocked_until: None };
    assert!(run_write(harness, |tx| tx.attempts().take_token(count_key(1), None, &to, &second, after_start(6))));
    assert_eq!(find_bucket(harness, count_key(1)), second);
    assert_eq!(find_bucket(harness, count_key(2)), full_bucket(), "another key");
    // the abandoned attempt is no longer open
    let fresh =
        Bucket { full_at: after_start(90), open_attempts: 1, opened_at: Some(after_start(80)), blocked_until: None };
    assert!(run_write(harness, |tx| tx.attempts().take_token(count_key(1), None, &second, &fresh, after_start(80))));
    assert_eq!(find_bucket(harness, count_key(1)), fresh);
}

/// Taking a token fails if the bucket has changed since it was read, and stores nothing. Only the
/// fields that decide are compared.
pub fn charge_of_a_changed_bucket_fails(harness: &AuthStoreHarness) {
    spend_token(harness, count_key(1), None, 5);
    assert!(charge(harness, count_key(1), None, 6));
    let there = find_bucket(harness, count_key(1));
    let charge = |from: Bucket| {
        run_write(harness, |tx| {
            tx.attempts().take_token(count_key(1), None, &from, &bucket_after_charge(&from, 9), after_start(9))
        })
    };
    for (full_at, open_attempts) in
        [(after_start(15), 1), (there.full_at, 0), (after_start(35), 1), (there.full_at, 2), (full_bucket().full_at, 0)]
    {
        assert!(!charge(Bucket { full_at, open_attempts, ..there }), "{full_at:?} {open_attempts}");
    }
    assert_eq!(find_bucket(harness, count_key(1)), there);
    let stranger = Bucket { full_at: after_start(15), ..full_bucket() };
    let result = run_write(harness, |tx| {
        tx.attempts().take_token(count_key(3), None, &stranger, &bucket_after_charge(&stranger, 9), after_start(9))
    });
    assert!(!result, "no bucket is stored");
    assert!(charge(Bucket { opened_at: None, blocked_until: Some(after_start(7)), ..there }));
}

/// A token settled as spent stays taken, and its attempt is no longer open.
pub fn settled_token_is_spent(harness: &AuthStoreHarness) {
    assert!(charge(harness, count_key(1), None, 6) && charge(harness, count_key(1), None, 7));
    settle(harness, count_key(1), TokenDisposition::Spent, 8);
    assert_eq!(bucket_sums(harness, count_key(1)), (1, 26));
    settle(harness, count_key(1), TokenDisposition::Spent, 9);
    assert_eq!(bucket_sums(harness, count_key(1)), (0, 26));
}

/// A token settled as returned makes the bucket full earlier, and its attempt is no longer open.
pub fn settled_token_is_returned(harness: &AuthStoreHarness) {
    spend_token(harness, count_key(1), None, 5);
    spend_token(harness, count_key(2), None, 5);
    assert!(charge(harness, count_key(1), None, 6) && charge(harness, count_key(1), None, 7));
    settle(harness, count_key(1), RETURNED_TOKEN, 8);
    assert_eq!(bucket_sums(harness, count_key(1)), (1, 25), "the other attempt stays open");
    assert_eq!(bucket_sums(harness, count_key(2)), (0, 15), "another key");
}

/// The number of open attempts never drops below zero, and settling a token does not create a
/// bucket.
pub fn open_attempts_never_drop_below_zero(harness: &AuthStoreHarness) {
    for disposition in [TokenDisposition::Spent, RETURNED_TOKEN] {
        spend_token(harness, count_key(1), None, 5);
        settle(harness, count_key(1), disposition, 6);
        assert_eq!(find_bucket(harness, count_key(1)).open_attempts, 0, "{disposition:?}");
    }
    settle(harness, count_key(7), RETURNED_TOKEN, 6);
    assert_eq!(find_bucket(harness, count_key(7)), full_bucket(), "a bucket that was never used");
}

/// A block is stored with its bucket and is kept when tokens are taken afterwards.
pub fn bar_is_stored(harness: &AuthStoreHarness) {
    spend_token(harness, count_key(1), None, 5);
    run_write(harness, |tx| tx.attempts().block(count_key(1), after_start(99)));
    spend_token(harness, count_key(1), None, 6);
    assert_eq!(find_bucket(harness, count_key(1)).blocked_until, Some(after_start(99)));
    run_write(harness, |tx| tx.attempts().block(count_key(2), after_start(99)));
    assert_eq!(find_bucket(harness, count_key(2)), full_bucket(), "there is no bucket to block");
}

fn remember(harness: &AuthStoreHarness, key: u8, guess: u8, since: u64, seconds: u64) -> bool {
    run_write(harness, |tx| {
        tx.attempts().record_guess(count_key(key), &count_key(guess), after_start(since), after_start(seconds))
    })
}

fn count_remembered(harness: &AuthStoreHarness, key: u8, since: u64) -> u32 {
    run_read(harness, |tx| tx.attempts().count_guesses(count_key(key), after_start(since)))
}

/// A guess is new if the same guess was not recorded for the same bucket since the instant. A
/// repeated guess keeps its instant.
pub fn wrong_password_is_remembered(harness: &AuthStoreHarness) {
    assert!(remember(harness, 1, 1, 0, 10));
    assert!(!remember(harness, 1, 1, 0, 20) && !remember(harness, 1, 1, 9, 20), "it is known");
    assert!(remember(harness, 1, 2, 0, 20) && remember(harness, 2, 1, 0, 20), "another, and another's");
    assert_eq!(
        [count_remembered(harness, 1, 0), count_remembered(harness, 2, 0), count_remembered(harness, 3, 0)],
        [2, 1, 0]
    );
    assert_eq!(
        [count_remembered(harness, 1, 9), count_remembered(harness, 1, 10), count_remembered(harness, 1, 20)],
        [2, 1, 0]
    );
    assert!(remember(harness, 1, 1, 10, 30), "it was not tried since then");
    assert_eq!(count_remembered(harness, 1, 20), 1);
    assert!(!remember(harness, 1, 1, 29, 40));
}

/// A bucket that belongs to no principal is refilled. A bucket of a principal, or one that does not
/// exist, is left as it is.
pub fn bucket_without_a_principal_is_refilled(harness: &AuthStoreHarness) {
    let anna = user_id(1).0;
    for (number, principal) in [(1, None), (2, None), (3, Some(anna))] {
        spend_token(harness, count_key(number), principal, 5);
    }
    assert_eq!(
        [1, 3, 4].map(|number| run_write(harness, |tx| tx.attempts().refill(count_key(number)))),
        [true, false, false]
    );
    let buckets = [1, 2, 3].map(|number| find_bucket(harness, count_key(number)));
    assert_eq!(buckets.map(|bucket| bucket == full_bucket()), [true, false, false]);
    assert!(!run_write(harness, |tx| tx.attempts().refill(count_key(1))), "it is full");
    assert!(charge(harness, count_key(1), None, 6), "tokens can be taken from it again");
}

/// Clearing the failed logins of a principal removes all of its buckets and their guesses, and
/// those of nobody else.
pub fn principal_is_forgiven(harness: &AuthStoreHarness) {
    let (anna, ben) = (user_id(1).0, user_id(2).0);
    for (number, principal) in [(1, Some(anna)), (2, Some(anna)), (3, Some(ben)), (4, None)] {
        spend_token(harness, count_key(number), principal, 5);
        assert!(remember(harness, number, 1, 0, 5) && remember(harness, number, 2, 0, 5));
    }
    assert_eq!(run_write(harness, |tx| tx.attempts().clear_failed_logins(anna)), 2);
    let buckets = [1, 2, 3, 4].map(|number| find_bucket(harness, count_key(number)));
    assert_eq!(buckets.map(|bucket| bucket == full_bucket()), [true, true, false, false]);
    assert_eq!([1, 2, 3, 4].map(|number| count_remembered(harness, number, 0)), [0, 0, 2, 2]);
    assert_eq!(run_write(harness, |tx| tx.attempts().clear_failed_logins(anna)), 0);
    assert!(charge(harness, count_key(1), Some(anna), 6), "after clearing, counting starts again");
}

/// A sweep removes at most `limit` buckets that have not been used since the instant, and returns
/// how many.
pub fn old_buckets_are_swept(harness: &AuthStoreHarness) {
    for (number, seconds) in [(1, 10), (2, 20), (3, 30), (4, 40)] {
        spend_token(harness, count_key(number), None, seconds);
    }
    assert!(charge(harness, count_key(1), None, 100), "taking a token counts as a use");
    settle(harness, count_key(2), RETURNED_TOKEN, 101);
    assert_eq!(run_write(harness, |tx| tx.attempts().sweep(after_start(25), 10)), 0, "settling counts as a use");
    assert_eq!(run_write(harness, |tx| tx.attempts().sweep(after_start(50), 1)), 1);
    assert_eq!(run_write(harness, |tx| tx.attempts().sweep(after_start(50), 10)), 1);
    assert_eq!(run_write(harness, |tx| tx.attempts().sweep(after_start(50), 10)), 0);
    let buckets = [1, 2, 3, 4].map(|number| find_bucket(harness, count_key(number)));
    assert_eq!(buckets.map(|bucket| bucket == full_bucket()), [false, false, true, true]);
}

/// A bucket that is not full at the instant is not swept, however long ago it was used.
pub fn bucket_that_is_not_full_is_not_swept(harness: &AuthStoreHarness) {
    let from = full_bucket();
    let to = Bucket { full_at: after_start(1000), ..bucket_after_charge(&from, 10) };
    assert!(run_write(harness, |tx| tx.attempts().take_token(count_key(1), None, &from, &to, after_start(10))));
    assert_eq!(run_write(harness, |tx| tx.attempts().sweep(after_start(999), 10)), 0);
    assert_eq!(find_bucket(harness, count_key(1)).full_at, to.full_at);
    assert_eq!(run_write(harness, |tx| tx.attempts().sweep(after_start(1000), 10)), 1);
    assert_eq!(find_bucket(harness, count_key(1)), full_bucket());
}

/// A sweep removes at most `limit` guesses recorded before the instant, and returns how many.
pub fn old_wrong_passwords_are_swept(harness: &AuthStoreHarness) {
    for (key, guess, seconds) in [(1, 1, 10), (1, 2, 20), (2, 1, 30), (2, 2, 40)] {
        assert!(remember(harness, key, guess, 0, seconds));
    }
    assert_eq!(run_write(harness, |tx| tx.attempts().sweep_guesses(after_start(10), 10)), 0);
    assert_eq!(run_write(harness, |tx| tx.attempts().sweep_guesses(after_start(40), 2)), 2);
    assert_eq!(run_write(harness, |tx| tx.attempts().sweep_guesses(after_start(40), 10)), 1);
    assert_eq!([count_remembered(harness, 1, 0), count_remembered(harness, 2, 0)], [0, 1]);
}
