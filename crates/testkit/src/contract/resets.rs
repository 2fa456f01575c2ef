//! Resets of forgotten passwords: who has asked, and the tokens that were granted.

use std::collections::BTreeSet;

use tillgate_domain::office::ports::{Reset, ResetRequest};
use tillgate_domain::office::{self, Authority, Stamp};
use tillgate_domain::{Actor, Email, EventId, Folded, Instant, ResetId, Secret, StoreExt};

use crate::Whole;
use crate::meeting::{Crossing, both};
use crate::shop::{START, Shop, at, office};

fn id(number: u8) -> ResetId {
    ResetId::new(START, [number; 10])
}

fn email() -> Email {
    Email::parse("Anna@Example.com").unwrap()
}

fn request(number: u8, due: u64) -> ResetRequest {
    let due_at = at(due);
    ResetRequest { id: id(number), email: email(), tenant: None, address: None, asked_at: START, due_at, tries: 0 }
}

fn reset(shop: &Shop, number: u8, until: u64) -> Reset {
    Reset {
        digest: [number; 32],
        request: id(number),
        user: shop.anna.id,
        email: email(),
        granted_at: at(u64::from(number)),
        expires_at: at(until),
    }
}

fn due(whole: &Whole, now: Instant, limit: u32) -> Vec<ResetRequest> {
    whole.office.read(|tx| tx.resets().due(now, limit)).unwrap()
}

/// Requests come back as they were asked, the longest due first, none before it is due, until they are settled.
pub fn requests_come_when_they_are_due(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let whole_request = ResetRequest {
        tenant: Some(shop.tenant.id),
        address: Some("2001:db8::7".parse().unwrap()),
        tries: 3,
        ..request(1, 20)
    };
    let asked = [whole_request.clone(), request(2, 10), request(3, 30)];
    for each in &asked {
        office(whole, |tx| tx.resets().ask(each));
    }
    assert_eq!(due(whole, at(9), 10), []);
    assert_eq!(due(whole, at(20), 10), [request(2, 10), whole_request.clone()]);
    assert_eq!(due(whole, at(90), 1), [request(2, 10)]);
    office(whole, |tx| tx.resets().settle(id(2)));
    office(whole, |tx| tx.resets().settle(id(2)));
    assert_eq!(due(whole, at(90), 10), [whole_request, request(3, 30)]);
}

/// A request is put off from the instant that was read, and counts how often.
pub fn a_request_is_put_off_once(whole: &Whole) {
    Shop::open(&whole.bench);
    office(whole, |tx| tx.resets().ask(&request(1, 10)));
    let postpone = |from, to| office(whole, |tx| tx.resets().postpone(id(1), at(from), at(to)));
    assert!(!postpone(11, 50));
    assert!(postpone(10, 50));
    assert!(!postpone(10, 60));
    assert_eq!(due(whole, at(49), 10), []);
    assert_eq!(due(whole, at(50), 10), [ResetRequest { tries: 1, ..request(1, 50) }]);
    assert!(!office(whole, |tx| tx.resets().postpone(id(2), at(10), at(50))), "there is none");
}

/// Requests are settled together, those that are there no more among them.
pub fn requests_are_settled_together(whole: &Whole) {
    Shop::open(&whole.bench);
    for number in 1..=4 {
        office(whole, |tx| tx.resets().ask(&request(number, 10)));
    }
    let settle = |numbers: &[u8]| {
        let ids: Vec<ResetId> = numbers.iter().map(|number| id(*number)).collect();
        office(whole, |tx| tx.resets().settle_all(&ids))
    };
    assert_eq!((settle(&[]), settle(&[1, 3, 9]), settle(&[1, 3])), (0, 2, 0));
    assert_eq!(due(whole, at(90), 10), [request(2, 10), request(4, 10)]);
}

/// The users of many addresses are found by one question: whoever has one of them, in any tenant.
pub fn users_are_found_by_many_addresses(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let emails: Vec<Folded> =
        [&shop.anna, &shop.ben].into_iter().filter_map(|user| Some(user.email.as_ref()?.folded())).collect();
    assert!(!emails.is_empty());
    let find = |emails: &[Folded]| {
        let asked = emails.iter().cloned().chain([Folded::of("nobody@example.com")]).collect();
        let found = whole.office.read(|tx| tx.users().mailed_among(&asked)).unwrap();
        found.into_iter().map(|user| user.id).collect::<BTreeSet<_>>()
    };
    let expected: BTreeSet<_> =
        [&shop.anna, &shop.ben].into_iter().filter(|user| user.email.is_some()).map(|user| user.id).collect();
    assert_eq!(find(&emails), expected);
    assert_eq!(find(&[]), BTreeSet::new());
    assert_eq!(whole.office.read(|tx| tx.users().mailed_among(&BTreeSet::new())).unwrap(), []);
}

/// A reset is found by its digest until it is spent; it is spent once.
pub fn a_reset_is_spent_once(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    office(whole, |tx| tx.resets().grant(&reset(&shop, 1, 90)));
    office(whole, |tx| tx.resets().grant(&reset(&shop, 2, 90)));
    let find = |number| whole.office.read(|tx| tx.resets().find(&[number; 32])).unwrap();
    assert_eq!((find(1), find(3)), (Some(reset(&shop, 1, 90)), None));
    assert!(office(whole, |tx| tx.resets().spend(&[1; 32])));
    assert!(!office(whole, |tx| tx.resets().spend(&[1; 32])));
    assert_eq!((find(1), find(2)), (None, Some(reset(&shop, 2, 90))));
}

/// Resets are a user's: the newest of another request is told, and all are taken away at once.
pub fn resets_are_a_users(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let others = Reset { user: shop.namesake.id, ..reset(&shop, 9, 90) };
    for each in [&reset(&shop, 1, 90), &reset(&shop, 2, 90), &others] {
        office(whole, |tx| tx.resets().grant(each));
    }
    let newest = |but| whole.office.read(|tx| tx.resets().newest(shop.anna.id, id(but))).unwrap();
    assert_eq!((newest(7), newest(2), newest(1)), (Some(at(2)), Some(at(1)), Some(at(2))));
    office(whole, |tx| tx.resets().void(shop.anna.id));
    assert_eq!(newest(7), None);
    assert!(whole.office.read(|tx| tx.resets().find(&[9; 32])).unwrap().is_some(), "another's stays");
}

/// Resets past their time are removed, no more than asked for.
pub fn old_resets_are_removed(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    for (number, until) in [(1, 10), (2, 20), (3, 30)] {
        office(whole, |tx| tx.resets().grant(&reset(&shop, number, until)));
    }
    let sweep = |before, limit| office(whole, |tx| tx.resets().sweep(at(before), limit));
    assert_eq!((sweep(10, 9), sweep(30, 1), sweep(30, 9), sweep(30, 9)), (0, 1, 1, 0));
    assert!(whole.office.read(|tx| tx.resets().find(&[3; 32])).unwrap().is_some());
}

/// Whoever has the mailbox chooses the password: it need not be changed any more.
pub fn a_reset_password_need_not_be_changed(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let email = shop.anna.email.clone().unwrap();
    office(whole, |tx| tx.resets().grant(&Reset { email: email.clone(), ..reset(&shop, 1, 90) }));
    assert!(office(whole, |tx| tx.users().set_password_change_required(shop.anna.id, true, at(40))));
    let event = EventId::new(START, [1; 10]);
    let stamp = Stamp { at: at(50), event, actor: Actor::default(), authority: Authority::Host, shell: None };
    let set = office::reset_password(&*whole.office, &stamp, &[1; 32], &Secret::new("verifier".to_owned())).unwrap();
    assert_eq!(set, Some(shop.anna.id));
    let anna = whole.office.read(|tx| tx.users().find(shop.anna.id)).unwrap().unwrap();
    assert!(!anna.password_change_required);
}

/// Of two who show one token at once one sets a password.
pub fn two_who_show_one_token(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let email = shop.anna.email.clone().unwrap();
    office(whole, |tx| tx.resets().grant(&Reset { email: email.clone(), ..reset(&shop, 1, 90) }));
    let crossing = Crossing::default();
    let show = |number: u8| {
        let stamp = Stamp {
            at: at(50),
            event: EventId::new(START, [number; 10]),
            actor: Actor::default(),
            authority: Authority::Host,
            shell: None,
        };
        crossing.meet();
        office::reset_password(&*whole.office, &stamp, &[1; 32], &Secret::new(format!("verifier {number}"))).unwrap()
    };
    let (one, other) = both(|| show(1), || show(2));
    assert!(one.is_some() ^ other.is_some(), "{one:?} {other:?}");
    assert_eq!(one.or(other), Some(shop.anna.id));
}
