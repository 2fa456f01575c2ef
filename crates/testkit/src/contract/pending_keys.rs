//! Keys of machines that wait to be accepted: each is decided once.

use tillgate_domain::{KeyStorage, PendingKey, PendingKeyState, TenantId};
use uuid::Uuid;

use crate::contract_fixture::{ContractFixture, after_start, run_office_read, run_office_write, run_read, run_write};
use crate::rendezvous::{Rendezvous, run_both};
use crate::{StoreHarness, records};

/// The key with this number, whose codes are its number and its number plus 100.
fn new_pending_key(number: u8) -> PendingKey {
    PendingKey {
        poll_digest: [number + 100; 32],
        storage: KeyStorage::Hardware,
        label: "Box under the counter".to_owned(),
        app: "Kasa 5.1".to_owned(),
        address: "192.0.2.7".parse().ok(),
        fingerprint: "0471".to_owned(),
        ..records::new_pending_key(number, after_start(1), after_start(u64::from(number) * 10))
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
        tenant: Some(fixture.tenant.id),
        device: Some(fixture.till.id),
        address: None,
        storage: KeyStorage::Software,
        ..new_pending_key(2)
    };
    assert!(insert(harness, &key) && insert(harness, &bare));
    for each in [&key, &bare] {
        assert_eq!(find(harness, each.code_digest[0]).as_ref(), Some(each));
        let polled = run_read(&harness.auth, |tx| tx.pending_keys().find_by_poll_code(&each.poll_digest));
        assert_eq!(polled.as_ref(), Some(each));
        let in_office = run_office_read(harness, |tx| tx.pending_keys().find_by_code(&each.code_digest));
        assert_eq!(in_office.as_ref(), Some(each));
    }
    assert!(!insert(harness, &PendingKey { code_digest: [1; 32], ..new_pending_key(3) }));
    assert!(!insert(harness, &PendingKey { poll_digest: [101; 32], ..new_pending_key(3) }));
    assert_eq!((find(harness, 3), find(harness, 1)), (None, Some(key)));
}

/// The list of a tenant has the keys that wait for it and those that wait for any tenant, the ones
/// that wait longest from now first, and no key that is decided or has expired.
pub fn waiting_pending_keys_are_listed(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (tenant, other) = (fixture.tenant.id, TenantId(Uuid::from_u128(77)));
    let own = PendingKey { tenant: Some(tenant), device: Some(fixture.till.id), ..new_pending_key(3) };
    for key in [&new_pending_key(1), &new_pending_key(2), &own, &new_pending_key(4), &new_pending_key(5)] {
        assert!(insert(harness, key));
    }
    let list = |tenant, now, limit| {
        let listed = run_office_read(harness, |tx| tx.pending_keys().list_waiting(tenant, after_start(now), limit));
        listed.iter().map(|key| key.code_digest[0]).collect::<Vec<_>>()
    };
    assert_eq!(list(tenant, 9, 9), [5, 4, 3, 2, 1]);
    assert_eq!(list(other, 9, 9), [5, 4, 2, 1], "the machine of a tenant waits for it alone");
    assert!(run_office_write(harness, |tx| tx.pending_keys().deny(&[5; 32], tenant)));
    let accept = |number: u8| {
        run_office_write(harness, |tx| {
            tx.pending_keys().accept(&[number; 32], tenant, fixture.till.id, after_start(99))
        })
    };
    assert!(accept(4));
    assert_eq!((list(tenant, 9, 9), list(tenant, 9, 2)), (vec![3, 2, 1], vec![3, 2]));
    assert_eq!((list(tenant, 19, 9), list(tenant, 20, 9)), (vec![3, 2], vec![3]), "until the instant, not at it");
    let listed = run_office_read(harness, |tx| tx.pending_keys().list_waiting(tenant, after_start(20), 9));
    assert_eq!(listed, [own]);
}

/// A key that waits is accepted or denied once, and keeps the decision.
pub fn pending_key_is_decided_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (tenant, device) = (fixture.tenant.id, fixture.till.id);
    assert!(insert(harness, &new_pending_key(1)) && insert(harness, &new_pending_key(2)));
    let accept = |number: u8| {
        run_office_write(harness, |tx| tx.pending_keys().accept(&[number; 32], tenant, device, after_start(99)))
    };
    let deny = |number: u8| run_office_write(harness, |tx| tx.pending_keys().deny(&[number; 32], tenant));
    assert_eq!((accept(1), accept(1), deny(1), accept(9)), (true, false, false, false));
    assert_eq!((deny(2), accept(2), deny(2), deny(9)), (true, false, false, false));
    let accepted = PendingKey {
        state: PendingKeyState::Accepted,
        tenant: Some(tenant),
        device: Some(device),
        expires_at: after_start(99),
        ..new_pending_key(1)
    };
    let denied = PendingKey { state: PendingKeyState::Denied, tenant: Some(tenant), ..new_pending_key(2) };
    assert_eq!((find(harness, 1), find(harness, 2)), (Some(accepted), Some(denied)));
}

/// Of a concurrent acceptance and denial, exactly one is made.
pub fn concurrent_decisions_of_one_key_succeed_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let (tenant, device) = (fixture.tenant.id, fixture.till.id);
    assert!(insert(harness, &new_pending_key(1)));
    let crossing = Rendezvous::default();
    let accept = || {
        run_office_write(harness, |tx| {
            tx.pending_keys().find_by_code(&[1; 32])?;
            crossing.wait();
            tx.pending_keys().accept(&[1; 32], tenant, device, after_start(99))
        })
    };
    let deny = || {
        run_office_write(harness, |tx| {
            tx.pending_keys().find_by_code(&[1; 32])?;
            crossing.wait();
            tx.pending_keys().deny(&[1; 32], tenant)
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
    let fixture = ContractFixture::insert_into(&harness.auth);
    assert!(insert(harness, &new_pending_key(1)));
    run_write(&harness.auth, |tx| tx.pending_keys().record_poll(&[101; 32], after_start(7)));
    run_write(&harness.auth, |tx| tx.pending_keys().record_poll(&[9; 32], after_start(8)));
    assert_eq!(find(harness, 1).unwrap().polled_at, Some(after_start(7)));
    let renew = || run_write(&harness.auth, |tx| tx.pending_keys().renew(&[1; 32], &[102; 32], after_start(50)));
    assert!(renew());
    let find_polled = |code: u8| run_read(&harness.auth, |tx| tx.pending_keys().find_by_poll_code(&[code; 32]));
    assert_eq!((find_polled(101), find_polled(102).map(|key| key.expires_at)), (None, Some(after_start(50))));
    assert!(run_office_write(harness, |tx| tx.pending_keys().deny(&[1; 32], fixture.tenant.id)));
    assert!(!renew(), "it is decided");
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
