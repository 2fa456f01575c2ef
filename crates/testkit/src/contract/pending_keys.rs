//! Keys of machines that wait to be accepted: each is decided once.

use tillgate_domain::{EnrollmentCompletion, KeyStorage, PendingKey, PendingKeyState};

use super::enrollments::new_enrollment;
use crate::contract_fixture::{
    ContractFixture, after_start, run_office_read, run_office_write, run_read, run_write, session_id, tenant_id,
};
use crate::rendezvous::{Rendezvous, run_both};
use crate::{StoreHarness, records};

/// The key with this number, whose codes are its number and its number plus 100.
fn new_pending_key(number: u8) -> PendingKey {
    PendingKey {
        device_code_digest: [number + 100; 32],
        storage: KeyStorage::Hardware,
        label: "Box under the counter".to_owned(),
        app: "Kasa 5.1".to_owned(),
        address: "192.0.2.7".parse().ok(),
        fingerprint: "0471".to_owned(),
        ..records::new_pending_key(tenant_id(1), number, after_start(1), after_start(u64::from(number) * 10))
    }
}

fn insert(harness: &StoreHarness, key: &PendingKey) -> bool {
    run_write(&harness.auth, |tx| tx.pending_keys().insert(key))
}

fn find(harness: &StoreHarness, number: u8) -> Option<PendingKey> {
    run_read(&harness.auth, |tx| tx.pending_keys().find_by_code(&[number; 32]))
}

/// A key is found by both of its codes, as it was added. Neither code is used twice.
pub fn pending_key_is_found_by_its_codes(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let key = new_pending_key(1);
    let bare = PendingKey {
        tenant: fixture.other_tenant.id,
        device: Some(fixture.till.id),
        fingerprint_attempts: 3,
        address: None,
        storage: KeyStorage::Software,
        ..new_pending_key(2)
    };
    assert!(insert(harness, &key) && insert(harness, &bare));
    for each in [&key, &bare] {
        assert_eq!(find(harness, each.code_digest[0]).as_ref(), Some(each));
        let polled = run_read(&harness.auth, |tx| tx.pending_keys().find_by_device_code(&each.device_code_digest));
        assert_eq!(polled.as_ref(), Some(each));
        let in_office = run_office_read(harness, |tx| tx.pending_keys().find_by_code(&each.code_digest));
        assert_eq!(in_office.as_ref(), Some(each));
    }
    assert!(!insert(harness, &PendingKey { code_digest: [1; 32], ..new_pending_key(3) }));
    assert!(!insert(harness, &PendingKey { device_code_digest: [101; 32], ..new_pending_key(3) }));
    assert_eq!((find(harness, 3), find(harness, 1)), (None, Some(key)));
}

/// The list of a tenant has its keys that wait, the ones that wait longest from now first, and no
/// key that is decided or has expired.
pub fn waiting_pending_keys_are_listed(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (tenant, other) = (fixture.tenant.id, fixture.other_tenant.id);
    let own = PendingKey { device: Some(fixture.till.id), ..new_pending_key(3) };
    let foreign = PendingKey { tenant: other, ..new_pending_key(6) };
    for key in [&new_pending_key(1), &new_pending_key(2), &own, &new_pending_key(4), &new_pending_key(5), &foreign] {
        assert!(insert(harness, key));
    }
    let list = |tenant, now, limit| {
        let listed = run_office_read(harness, |tx| tx.pending_keys().list_waiting(tenant, after_start(now), limit));
        listed.iter().map(|key| key.code_digest[0]).collect::<Vec<_>>()
    };
    assert_eq!(list(tenant, 9, 9), [5, 4, 3, 2, 1]);
    assert_eq!(list(other, 9, 9), [6], "the machine of a tenant waits for it alone");
    assert!(run_office_write(harness, |tx| tx.pending_keys().deny(&[5; 32])));
    assert!(run_office_write(harness, |tx| tx.pending_keys().accept(&[4; 32], fixture.till.id, after_start(99))));
    assert_eq!((list(tenant, 9, 9), list(tenant, 9, 2)), (vec![3, 2, 1], vec![3, 2]));
    assert_eq!((list(tenant, 19, 9), list(tenant, 20, 9)), (vec![3, 2], vec![3]), "until the instant, not at it");
    let listed = run_office_read(harness, |tx| tx.pending_keys().list_waiting(tenant, after_start(20), 9));
    assert_eq!(listed, [own]);
}

/// A key that waits is accepted or denied once, and keeps the decision.
pub fn pending_key_is_decided_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let device = fixture.till.id;
    assert!(insert(harness, &new_pending_key(1)) && insert(harness, &new_pending_key(2)));
    let accept =
        |number: u8| run_office_write(harness, |tx| tx.pending_keys().accept(&[number; 32], device, after_start(99)));
    let deny = |number: u8| run_office_write(harness, |tx| tx.pending_keys().deny(&[number; 32]));
    assert_eq!((accept(1), accept(1), deny(1), accept(9)), (true, false, false, false));
    assert_eq!((deny(2), accept(2), deny(2), deny(9)), (true, false, false, false));
    let accepted = PendingKey {
        state: PendingKeyState::Accepted,
        device: Some(device),
        expires_at: after_start(99),
        ..new_pending_key(1)
    };
    let denied = PendingKey { state: PendingKeyState::Denied, ..new_pending_key(2) };
    assert_eq!((find(harness, 1), find(harness, 2)), (Some(accepted), Some(denied)));
}

/// Of a concurrent acceptance and denial, exactly one is made.
pub fn concurrent_decisions_of_one_key_succeed_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let device = fixture.till.id;
    assert!(insert(harness, &new_pending_key(1)));
    let crossing = Rendezvous::default();
    let accept = || {
        run_office_write(harness, |tx| {
            tx.pending_keys().find_by_code(&[1; 32])?;
            crossing.wait();
            tx.pending_keys().accept(&[1; 32], device, after_start(99))
        })
    };
    let deny = || {
        run_office_write(harness, |tx| {
            tx.pending_keys().find_by_code(&[1; 32])?;
            crossing.wait();
            tx.pending_keys().deny(&[1; 32])
        })
    };
    let (accepted, denied) = run_both(accept, deny);
    assert!(accepted ^ denied, "{accepted} {denied}");
    let expected = if accepted { PendingKeyState::Accepted } else { PendingKeyState::Denied };
    assert_eq!(find(harness, 1).map(|key| key.state), Some(expected));
}

/// Polls are recorded. A key that waits gets another code for its polls, and the previous one is
/// unknown then.
pub fn pending_key_is_polled_and_renewed(harness: &StoreHarness) {
    ContractFixture::insert_into(&harness.auth);
    assert!(insert(harness, &new_pending_key(1)));
    run_write(&harness.auth, |tx| tx.pending_keys().record_poll(&[101; 32], after_start(7)));
    run_write(&harness.auth, |tx| tx.pending_keys().record_poll(&[9; 32], after_start(8)));
    assert_eq!(find(harness, 1).unwrap().polled_at, Some(after_start(7)));
    let renew = || run_write(&harness.auth, |tx| tx.pending_keys().renew(&[1; 32], &[102; 32], after_start(50)));
    assert!(renew());
    let find_polled = |code: u8| run_read(&harness.auth, |tx| tx.pending_keys().find_by_device_code(&[code; 32]));
    assert_eq!((find_polled(101), find_polled(102).map(|key| key.expires_at)), (None, Some(after_start(50))));
    assert!(run_office_write(harness, |tx| tx.pending_keys().deny(&[1; 32])));
    assert!(!renew(), "it is decided");
}

/// Typed digits are counted for a key that waits, and not for one that is decided or unknown.
pub fn attempts_are_counted_while_a_key_waits(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    assert!(insert(harness, &new_pending_key(1)) && insert(harness, &new_pending_key(2)));
    let count = |number: u8| run_office_write(harness, |tx| tx.pending_keys().count_attempt(&[number; 32]));
    for attempts in 1..=3 {
        let expected = PendingKey { fingerprint_attempts: attempts, ..new_pending_key(1) };
        assert_eq!((count(1), find(harness, 1)), (Some(expected.clone()), Some(expected)));
    }
    assert!(run_office_write(harness, |tx| tx.pending_keys().accept(&[1; 32], fixture.till.id, after_start(99))));
    assert!(run_office_write(harness, |tx| tx.pending_keys().deny(&[2; 32])));
    assert_eq!((count(1), count(2), count(9)), (None, None, None));
    assert_eq!(find(harness, 1).map(|key| key.fingerprint_attempts), Some(3));
}

/// Concurrent attempts are all counted, each with a number of its own.
pub fn concurrent_attempts_are_counted_one_after_the_other(harness: &StoreHarness) {
    ContractFixture::insert_into(&harness.auth);
    assert!(insert(harness, &new_pending_key(1)));
    let crossing = Rendezvous::default();
    let count = || {
        run_office_write(harness, |tx| {
            tx.pending_keys().find_by_code(&[1; 32])?;
            crossing.wait();
            tx.pending_keys().count_attempt(&[1; 32])
        })
    };
    let (first, second) = run_both(count, count);
    let mut counts = [first, second].map(|key| key.map(|key| key.fingerprint_attempts));
    counts.sort_unstable();
    assert_eq!(counts, [Some(1), Some(2)]);
}

/// An attempt sees a concurrent denial, or comes before it.
pub fn denied_key_counts_no_concurrent_attempt(harness: &StoreHarness) {
    ContractFixture::insert_into(&harness.auth);
    assert!(insert(harness, &new_pending_key(1)));
    let crossing = Rendezvous::default();
    let count = || {
        run_office_write(harness, |tx| {
            tx.pending_keys().find_by_code(&[1; 32])?;
            crossing.wait();
            tx.pending_keys().count_attempt(&[1; 32])
        })
    };
    let deny = || {
        run_office_write(harness, |tx| {
            tx.pending_keys().find_by_code(&[1; 32])?;
            crossing.wait();
            tx.pending_keys().deny(&[1; 32])
        })
    };
    let (counted, denied) = run_both(count, deny);
    assert!(denied);
    assert!(counted.is_none_or(|key| key.state == PendingKeyState::Waiting));
}

/// A key can be polled for longer once its machine is enrolled; an unknown code extends nothing.
/// Keys are counted until they expire.
pub fn pending_keys_are_counted_until_they_expire(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    for number in 1..=3 {
        assert!(insert(harness, &new_pending_key(number)));
    }
    let foreign = PendingKey { tenant: fixture.other_tenant.id, ..new_pending_key(4) };
    assert!(insert(harness, &foreign));
    let count_of =
        |tenant, seconds| run_read(&harness.auth, |tx| tx.pending_keys().count_live(tenant, after_start(seconds)));
    assert_eq!([0, 30, 39, 40].map(|seconds| count_of(None, seconds)), [4, 1, 1, 0], "of all tenants");
    assert_eq!([0, 39, 40].map(|seconds| count_of(Some(foreign.tenant), seconds)), [1, 1, 0]);
    let count = |seconds| count_of(Some(fixture.tenant.id), seconds);
    assert_eq!([0, 9, 10, 19, 29, 30].map(count), [3, 3, 2, 2, 1, 0]);
    run_write(&harness.auth, |tx| tx.pending_keys().extend(&[101; 32], after_start(50)));
    run_write(&harness.auth, |tx| tx.pending_keys().extend(&[9; 32], after_start(50)));
    assert_eq!([0, 30, 49, 50].map(count), [3, 1, 1, 0]);
    let extended = PendingKey { expires_at: after_start(50), ..new_pending_key(1) };
    assert_eq!(find(harness, 1), Some(extended));
}

/// A key that has presented the code of an enrollment is kept until the enrollment is completed,
/// replaced or canceled.
pub fn presented_code_is_kept_with_its_enrollment(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (tenant, device) = (fixture.tenant.id, fixture.till.id);
    for number in 1..=2 {
        assert!(insert(harness, &PendingKey { device: Some(device), ..new_pending_key(number) }));
    }
    let put = |number| {
        let enrollment = new_enrollment(tenant, device, number, 99);
        run_office_write(harness, |tx| tx.enrollments().insert_or_replace(&enrollment));
    };
    let sweep = || run_office_write(harness, |tx| tx.pending_keys().sweep(after_start(90), 9));
    put(1);
    assert_eq!((sweep(), find(harness, 1).is_some(), find(harness, 2)), (1, true, None));
    let completion = EnrollmentCompletion { at: after_start(2), thumbprint: [1; 32], session: session_id(1) };
    assert!(run_write(&harness.auth, |tx| tx.enrollments().complete(&[1; 32], &completion)));
    assert_eq!((sweep(), find(harness, 1)), (1, None));
    assert!(insert(harness, &PendingKey { device: Some(device), ..new_pending_key(3) }));
    put(3);
    assert_eq!(sweep(), 0);
    put(4);
    assert_eq!(sweep(), 1, "the code was replaced");
}

/// A sweep removes at most `limit` keys that have expired.
pub fn expired_pending_keys_are_removed(harness: &StoreHarness) {
    ContractFixture::insert_into(&harness.auth);
    for number in 1..=3 {
        assert!(insert(harness, &new_pending_key(number)));
    }
    let sweep = |before, limit| run_office_write(harness, |tx| tx.pending_keys().sweep(after_start(before), limit));
    assert_eq!((sweep(10, 9), sweep(30, 1), sweep(30, 9), sweep(30, 9)), (0, 1, 1, 0));
    assert!(find(harness, 3).is_some());
}
