//! Idempotency keys: a repeated request has no second effect.

use tillgate_domain::office::ports::{IdempotencyKey, ScopedIdempotencyKey, StoredResponse};
use tillgate_domain::ticket::{Draft, Label, Ticket, amend};
use tillgate_domain::{Instant, StoreExt};

use crate::StoreHarness;
use crate::contract_fixture::{ContractFixture, after_start};
use crate::rendezvous::{Rendezvous, run_both};
use crate::ticket_samples::{self, close_ticket, sample_item, ticket_actor};

fn request_key(fixture: &ContractFixture, text: &str) -> ScopedIdempotencyKey {
    ScopedIdempotencyKey { tenant: fixture.tenant.id, user: fixture.anna.id, key: IdempotencyKey::parse(text).unwrap() }
}

fn new_ticket(fixture: &ContractFixture, number: u8) -> Ticket {
    ticket_samples::open_ticket(
        fixture,
        number,
        Draft { items: vec![sample_item(1, "3", "1")], ..Draft::of(fixture.anna.id, ticket_samples::euro()) },
    )
}

/// Inserts the ticket together with the key. Returns false and writes nothing if the key has been
/// used.
fn insert_with_key(
    harness: &StoreHarness,
    key: &ScopedIdempotencyKey,
    answered: &StoredResponse,
    when: Instant,
) -> bool {
    let mut made = false;
    let written = harness.office.write("test", |tx| {
        made = tx.tickets().insert(&answered.ticket)? && tx.idempotency_keys().insert(key, answered, when)?;
        if made { Ok(()) } else { Err(tillgate_domain::StoreError::Fault("used".into())) }
    });
    assert_eq!(written.is_ok(), made);
    made
}

fn find_response(harness: &StoreHarness, key: &ScopedIdempotencyKey) -> Option<StoredResponse> {
    harness.office.read("test", |tx| tx.idempotency_keys().find(key)).unwrap()
}

/// An idempotency key is read back with its request and with the ticket as it was created, whatever
/// has become of the ticket since.
pub fn key_is_read_back_with_its_response(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let answered = StoredResponse { request_digest: [7; 32], ticket: new_ticket(&fixture, 1) };
    let once = request_key(&fixture, "a");
    assert_eq!(find_response(harness, &once), None);
    assert!(insert_with_key(harness, &once, &answered, after_start(1)));
    assert_eq!(find_response(harness, &once).as_ref(), Some(&answered));
    let sheet = Draft { name: Label::parse("renamed").unwrap(), ..answered.ticket.sheet.draft().clone() };
    let second =
        amend(&answered.ticket, sheet.check().unwrap(), &ticket_actor(&fixture), None, after_start(50)).unwrap().ticket;
    let third = close_ticket(&second, &fixture, 1);
    for later in [second, third] {
        assert!(harness.office.write("test", |tx| tx.tickets().update(&later)).unwrap());
        assert_eq!(find_response(harness, &once).as_ref(), Some(&answered), "as it was then");
    }
}

/// An idempotency key belongs to one user of one tenant. The same text used by another user, and a
/// text that differs in case, are different keys.
pub fn key_belongs_to_one_user(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let of = |number, request| StoredResponse { request_digest: [request; 32], ticket: new_ticket(&fixture, number) };
    let mine = request_key(&fixture, "Key");
    assert!(insert_with_key(harness, &mine, &of(1, 1), after_start(1)));
    assert!(!insert_with_key(harness, &mine, &of(2, 2), after_start(2)));
    let bens = ScopedIdempotencyKey { user: fixture.ben.id, ..mine.clone() };
    let small = request_key(&fixture, "key");
    assert_eq!([find_response(harness, &bens), find_response(harness, &small)], [None, None]);
    assert!(
        insert_with_key(harness, &bens, &of(3, 3), after_start(3))
            && insert_with_key(harness, &small, &of(4, 4), after_start(4))
    );
    let far = ScopedIdempotencyKey { tenant: fixture.other_tenant.id, user: fixture.namesake.id, ..mine.clone() };
    assert_eq!(find_response(harness, &far), None);
    assert!(insert_with_key(
        harness,
        &far,
        &StoredResponse { request_digest: [5; 32], ticket: ticket_samples::foreign_ticket(&fixture, 1) },
        after_start(5)
    ));
    for (key, request) in [(mine, 1), (bens, 3), (small, 4), (far, 5)] {
        assert_eq!(find_response(harness, &key).unwrap().request_digest, [request; 32]);
    }
}

/// A sweep removes at most `limit` old keys.
pub fn old_keys_are_swept(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let keys = ["a", "b", "c", "d"].map(|text| request_key(&fixture, text));
    for ((number, used), key) in [(1, 4), (2, 1), (3, 3), (4, 2)].into_iter().zip(&keys) {
        assert!(insert_with_key(
            harness,
            key,
            &StoredResponse { request_digest: [0; 32], ticket: new_ticket(&fixture, number) },
            after_start(used)
        ));
    }
    let sweep = |before, limit| {
        harness.office.write("test", |tx| tx.idempotency_keys().sweep(after_start(before), limit)).unwrap()
    };
    let there = || keys.iter().map(|key| find_response(harness, key).is_some()).collect::<Vec<_>>();
    assert_eq!(sweep(1, 9), 0);
    assert_eq!(sweep(4, 2), 2);
    assert_eq!(there().iter().filter(|there| **there).count(), 2);
    assert_eq!(sweep(4, 9), 1);
    assert_eq!(there(), [true, false, false, false]);
    assert_eq!(sweep(4, 9), 0);
}

/// Of two concurrent requests with the same key, exactly one creates a ticket; the other finds the
/// stored response.
pub fn concurrent_requests_with_one_key_create_one_ticket(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let once = request_key(&fixture, "a");
    let crossing = Rendezvous::default();
    let request = |number: u8| {
        let answered = StoredResponse { request_digest: [9; 32], ticket: new_ticket(&fixture, number) };
        harness
            .office
            .write("test", |tx| {
                if let Some(before) = tx.idempotency_keys().find(&once)? {
                    return Ok(before.ticket);
                }
                crossing.wait();
                tx.tickets().insert(&answered.ticket)?;
                if tx.idempotency_keys().insert(&once, &answered, after_start(1))? {
                    Ok(answered.ticket.clone())
                } else {
                    Err(tillgate_domain::StoreError::Conflict("the key was used meanwhile".into()))
                }
            })
            .unwrap()
    };
    let (one, other) = run_both(|| request(1), || request(2));
    assert_eq!(one, other, "both are answered the same");
    let tickets = [1, 2].map(|number| {
        harness
            .office
            .read("test", |tx| tx.tickets().find(fixture.tenant.id, ticket_samples::ticket_id(number)))
            .unwrap()
            .is_some()
    });
    assert!(tickets[0] ^ tickets[1], "{tickets:?}");
}
