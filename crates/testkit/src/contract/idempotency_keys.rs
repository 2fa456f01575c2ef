//! Requests that count once, however often they are sent.

use tillgate_domain::office::ports::{Answered, IdempotencyKey, RequestKey};
use tillgate_domain::ticket::{Draft, Label, Ticket, amend};
use tillgate_domain::{Instant, StoreExt};

use crate::Whole;
use crate::meeting::{Crossing, both};
use crate::sale::{self, closed, hand, item};
use crate::shop::{Shop, at};

fn key(shop: &Shop, text: &str) -> RequestKey {
    RequestKey { tenant: shop.tenant.id, user: shop.anna.id, key: IdempotencyKey::parse(text).unwrap() }
}

fn ticket(shop: &Shop, number: u8) -> Ticket {
    sale::opened(shop, number, Draft { items: vec![item(1, "3", "1")], ..Draft::of(shop.anna.id, sale::euro()) })
}

/// Makes the ticket and keeps the key with it; false where the key has been used, and nothing was written then.
fn make(whole: &Whole, key: &RequestKey, answered: &Answered, when: Instant) -> bool {
    let mut made = false;
    let written = whole.office.write(|tx| {
        made = tx.tickets().insert(&answered.ticket)? && tx.idempotency_keys().insert(key, answered, when)?;
        if made { Ok(()) } else { Err(tillgate_domain::StoreError::Fault("used".into())) }
    });
    assert_eq!(written.is_ok(), made);
    made
}

fn find(whole: &Whole, key: &RequestKey) -> Option<Answered> {
    whole.office.read(|tx| tx.idempotency_keys().find(key)).unwrap()
}

/// A key comes back with what was asked and with the ticket as it was made, whatever became of it since.
pub fn a_key_keeps_what_was_answered(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let answered = Answered { request: [7; 32], ticket: ticket(&shop, 1) };
    let once = key(&shop, "a");
    assert_eq!(find(whole, &once), None);
    assert!(make(whole, &once, &answered, at(1)));
    assert_eq!(find(whole, &once).as_ref(), Some(&answered));
    let sheet = Draft { name: Label::parse("renamed").unwrap(), ..answered.ticket.sheet.draft().clone() };
    let second = amend(&answered.ticket, sheet.check().unwrap(), &hand(&shop), None, at(50)).unwrap().ticket;
    let third = closed(&second, &shop, 1);
    for later in [second, third] {
        assert!(whole.office.write(|tx| tx.tickets().update(&later)).unwrap());
        assert_eq!(find(whole, &once).as_ref(), Some(&answered), "as it was then");
    }
}

/// A key counts once for one person of one tenant; another's same key is another, and so is one of another case.
pub fn a_key_is_a_persons(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let of = |number, request| Answered { request: [request; 32], ticket: ticket(&shop, number) };
    let mine = key(&shop, "Key");
    assert!(make(whole, &mine, &of(1, 1), at(1)));
    assert!(!make(whole, &mine, &of(2, 2), at(2)));
    let bens = RequestKey { user: shop.ben.id, ..mine.clone() };
    let small = key(&shop, "key");
    assert_eq!([find(whole, &bens), find(whole, &small)], [None, None]);
    assert!(make(whole, &bens, &of(3, 3), at(3)) && make(whole, &small, &of(4, 4), at(4)));
    let far = RequestKey { tenant: shop.other.id, user: shop.namesake.id, ..mine.clone() };
    assert_eq!(find(whole, &far), None);
    assert!(make(whole, &far, &Answered { request: [5; 32], ticket: sale::far(&shop, 1) }, at(5)));
    for (key, request) in [(mine, 1), (bens, 3), (small, 4), (far, 5)] {
        assert_eq!(find(whole, &key).unwrap().request, [request; 32]);
    }
}

/// Old keys are removed, so many at once.
pub fn old_keys_are_swept(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let keys = ["a", "b", "c", "d"].map(|text| key(&shop, text));
    for ((number, used), key) in [(1, 4), (2, 1), (3, 3), (4, 2)].into_iter().zip(&keys) {
        assert!(make(whole, key, &Answered { request: [0; 32], ticket: ticket(&shop, number) }, at(used)));
    }
    let sweep = |before, limit| whole.office.write(|tx| tx.idempotency_keys().sweep(at(before), limit)).unwrap();
    let there = || keys.iter().map(|key| find(whole, key).is_some()).collect::<Vec<_>>();
    assert_eq!(sweep(1, 9), 0);
    assert_eq!(sweep(4, 2), 2);
    assert_eq!(there().iter().filter(|there| **there).count(), 2);
    assert_eq!(sweep(4, 9), 1);
    assert_eq!(there(), [true, false, false, false]);
    assert_eq!(sweep(4, 9), 0);
}

/// Of two requests with one key at once one makes a ticket; the other finds what was answered.
pub fn two_requests_with_one_key(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let once = key(&shop, "a");
    let crossing = Crossing::default();
    let request = |number: u8| {
        let answered = Answered { request: [9; 32], ticket: ticket(&shop, number) };
        whole
            .office
            .write(|tx| {
                if let Some(before) = tx.idempotency_keys().find(&once)? {
                    return Ok(before.ticket);
                }
                crossing.meet();
                tx.tickets().insert(&answered.ticket)?;
                if tx.idempotency_keys().insert(&once, &answered, at(1))? {
                    Ok(answered.ticket.clone())
                } else {
                    Err(tillgate_domain::StoreError::Conflict("the key was used meanwhile".into()))
                }
            })
            .unwrap()
    };
    let (one, other) = both(|| request(1), || request(2));
    assert_eq!(one, other, "both are answered the same");
    let tickets = [1, 2]
        .map(|number| whole.office.read(|tx| tx.tickets().find(shop.tenant.id, sale::id(number))).unwrap().is_some());
    assert!(tickets[0] ^ tickets[1], "{tickets:?}");
}
