//! Requests that count once, however often they are sent.

use tillgate_domain::office::ports::{IdempotencyKey, ScopedIdempotencyKey, StoredResponse};
use tillgate_domain::ticket::{Draft, Label, Ticket, amend};
use tillgate_domain::{Instant, StoreExt};

use crate::StoreHarness;
use crate::contract_fixture::{ContractFixture, after_start};
use crate::rendezvous::{Rendezvous, run_both};
use crate::ticket_samples::{self, close_ticket, sample_item, ticket_actor};

fn request_key(shop: &ContractFixture, text: &str) -> ScopedIdempotencyKey {
    ScopedIdempotencyKey { tenant: shop.tenant.id, user: shop.anna.id, key: IdempotencyKey::parse(text).unwrap() }
}

fn new_ticket(shop: &ContractFixture, number: u8) -> Ticket {
    ticket_samples::open_ticket(
        shop,
        number,
        Draft { items: vec![sample_item(1, "3", "1")], ..Draft::of(shop.anna.id, ticket_samples::euro()) },
    )
}

/// Makes the ticket and keeps the key with it; false where the key has been used, and nothing was written then.
fn insert_with_key(whole: &StoreHarness, key: &ScopedIdempotencyKey, answered: &StoredResponse, when: Instant) -> bool {
    let mut made = false;
    let written = whole.office.write(|tx| {
        made = tx.tickets().insert(&answered.ticket)? && tx.idempotency_keys().insert(key, answered, when)?;
        if made { Ok(()) } else { Err(tillgate_domain::StoreError::Fault("used".into())) }
    });
    assert_eq!(written.is_ok(), made);
    made
}

fn find_answer(whole: &StoreHarness, key: &ScopedIdempotencyKey) -> Option<StoredResponse> {
    whole.office.read(|tx| tx.idempotency_keys().find(key)).unwrap()
}

/// A key comes back with what was asked and with the ticket as it was made, whatever became of it since.
pub fn key_is_read_back_with_its_answer(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let answered = StoredResponse { request_digest: [7; 32], ticket: new_ticket(&shop, 1) };
    let once = request_key(&shop, "a");
    assert_eq!(find_answer(whole, &once), None);
    assert!(insert_with_key(whole, &once, &answered, after_start(1)));
    assert_eq!(find_answer(whole, &once).as_ref(), Some(&answered));
    let sheet = Draft { name: Label::parse("renamed").unwrap(), ..answered.ticket.sheet.draft().clone() };
    let second =
        amend(&answered.ticket, sheet.check().unwrap(), &ticket_actor(&shop), None, after_start(50)).unwrap().ticket;
    let third = close_ticket(&second, &shop, 1);
    for later in [second, third] {
        assert!(whole.office.write(|tx| tx.tickets().update(&later)).unwrap());
        assert_eq!(find_answer(whole, &once).as_ref(), Some(&answered), "as it was then");
    }
}

/// A key counts once for one person of one tenant; another's same key is another, and so is one of another case.
pub fn key_belongs_to_one_user(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let of = |number, request| StoredResponse { request_digest: [request; 32], ticket: new_ticket(&shop, number) };
    let mine = request_key(&shop, "Key");
    assert!(insert_with_key(whole, &mine, &of(1, 1), after_start(1)));
    assert!(!insert_with_key(whole, &mine, &of(2, 2), after_start(2)));
    let bens = ScopedIdempotencyKey { user: shop.ben.id, ..mine.clone() };
    let small = request_key(&shop, "key");
    assert_eq!([find_answer(whole, &bens), find_answer(whole, &small)], [None, None]);
    assert!(
        insert_with_key(whole, &bens, &of(3, 3), after_start(3))
            && insert_with_key(whole, &small, &of(4, 4), after_start(4))
    );
    let far = ScopedIdempotencyKey { tenant: shop.other_tenant.id, user: shop.namesake.id, ..mine.clone() };
    assert_eq!(find_answer(whole, &far), None);
    assert!(insert_with_key(
        whole,
        &far,
        &StoredResponse { request_digest: [5; 32], ticket: ticket_samples::foreign_ticket(&shop, 1) },
        after_start(5)
    ));
    for (key, request) in [(mine, 1), (bens, 3), (small, 4), (far, 5)] {
        assert_eq!(find_answer(whole, &key).unwrap().request_digest, [request; 32]);
    }
}

/// Old keys are removed, so many at once.
pub fn old_keys_are_swept(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let keys = ["a", "b", "c", "d"].map(|text| request_key(&shop, text));
    for ((number, used), key) in [(1, 4), (2, 1), (3, 3), (4, 2)].into_iter().zip(&keys) {
        assert!(insert_with_key(
            whole,
            key,
            &StoredResponse { request_digest: [0; 32], ticket: new_ticket(&shop, number) },
            after_start(used)
        ));
    }
    let sweep =
        |before, limit| whole.office.write(|tx| tx.idempotency_keys().sweep(after_start(before), limit)).unwrap();
    let there = || keys.iter().map(|key| find_answer(whole, key).is_some()).collect::<Vec<_>>();
    assert_eq!(sweep(1, 9), 0);
    assert_eq!(sweep(4, 2), 2);
    assert_eq!(there().iter().filter(|there| **there).count(), 2);
    assert_eq!(sweep(4, 9), 1);
    assert_eq!(there(), [true, false, false, false]);
    assert_eq!(sweep(4, 9), 0);
}

/// Of two requests with one key at once one makes a ticket; the other finds what was answered.
pub fn concurrent_requests_with_one_key_create_one_ticket(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let once = request_key(&shop, "a");
    let crossing = Rendezvous::default();
    let request = |number: u8| {
        let answered = StoredResponse { request_digest: [9; 32], ticket: new_ticket(&shop, number) };
        whole
            .office
            .write(|tx| {
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
        whole.office.read(|tx| tx.tickets().find(shop.tenant.id, ticket_samples::ticket_id(number))).unwrap().is_some()
    });
    assert!(tickets[0] ^ tickets[1], "{tickets:?}");
}
