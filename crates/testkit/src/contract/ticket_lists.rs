//! Tickets in lists: in any order, in parts, narrowed.

use tillgate_domain::office::ports::{OrderedBy, Part, TicketFilter, TicketOrder, TicketPlace};
use tillgate_domain::ticket::{Customer, Draft, Ticket, TicketStatus, amend, refund};
use tillgate_domain::{StoreExt, TicketId, UserId};

use super::tickets::{find, hand, insert, label, paid, tea, ticket, update, voided};
use crate::Whole;
use crate::sale::{self, id, opening};
use crate::shop::{Shop, at};

/// Four tickets whose three orders differ, by number: opened 1 2 3 4, updated 1 3 4 2, payable 2 4 1 3 where 2 and 4 are alike.
fn four(whole: &Whole, shop: &Shop) -> Vec<Ticket> {
    let of = |number: u8, price: &str, updated: u64| {
        let first = ticket(shop, number, tea(shop, price));
        let sheet = Draft { name: label(&format!("No {number}")), ..tea(shop, price) }.check().unwrap();
        assert!(insert(whole, &first));
        let second = amend(&first, sheet, &hand(shop), None, at(updated)).unwrap().ticket;
        assert!(update(whole, &second));
        second
    };
    let made = vec![of(1, "3", 20), of(2, "-1", 50), of(3, "9", 30), of(4, "-1", 40)];
    assert!(insert(whole, &sale::far(shop, 5)), "another tenant's");
    made
}

fn list(
    whole: &Whole,
    shop: &Shop,
    filter: &TicketFilter,
    order: TicketOrder,
    part: &Part<TicketPlace>,
) -> Vec<Ticket> {
    whole.office.read(|tx| tx.tickets().list(shop.tenant.id, filter, order, part)).unwrap()
}

/// Tickets come in any of the orders, from both ends, in parts that go on where the last ended.
pub fn tickets_come_in_an_order_and_in_parts(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let four = four(whole, &shop);
    for (by, expected) in
        [(OrderedBy::Opened, [1, 2, 3, 4]), (OrderedBy::Updated, [1, 3, 4, 2]), (OrderedBy::Payable, [2, 4, 1, 3])]
    {
        for backwards in [false, true] {
            let order = TicketOrder { by, backwards };
            let mut ids = expected.map(id).to_vec();
            if backwards {
                ids.reverse();
            }
            let of = |part: &Part<TicketPlace>| -> Vec<TicketId> {
                let found = list(whole, &shop, &TicketFilter::default(), order, part);
                for ticket in &found {
                    assert!(four.contains(ticket));
                }
                found.iter().map(|ticket| ticket.id).collect()
            };
            assert_eq!(of(&Part::first(9)), ids, "{order:?}");
            assert_eq!(of(&Part { skip: 1, ..Part::first(2) }), ids[1..3], "{order:?}");
            for (number, last) in ids.iter().enumerate() {
                let place = by.place(four.iter().find(|ticket| ticket.id == *last).unwrap());
                let rest = of(&Part { after: Some(place), skip: 0, limit: 9 });
                assert_eq!(rest, ids[number + 1..], "{order:?} after {number}");
            }
        }
    }
}

/// A ticket that ended a part and stands elsewhere, or is void, before the next one is asked for takes none with it.
pub fn a_ticket_that_changes_between_two_parts_loses_none(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    four(whole, &shop);
    let open = TicketFilter { statuses: vec![TicketStatus::Open], ..TicketFilter::default() };
    let all: Vec<TicketId> = [1, 2, 3, 4].map(id).to_vec();
    let mut at_second = 100;
    for (by, backwards, price) in [
        (OrderedBy::Updated, false, "5"),
        (OrderedBy::Payable, false, "99"),
        (OrderedBy::Payable, true, "-99"),
        (OrderedBy::Updated, false, "7"),
    ] {
        let order = TicketOrder { by, backwards };
        let listed = list(whole, &shop, &open, order, &Part::first(1));
        let (last, place) = (listed[0].clone(), by.place(&listed[0]));
        at_second += 1;
        let changed =
            amend(&last, tea(&shop, price).check().unwrap(), &hand(&shop), None, at(at_second)).unwrap().ticket;
        assert!(update(whole, &changed));
        assert_ne!(by.place(&changed), place, "{order:?}: it stands elsewhere");
        let rest = list(whole, &shop, &open, order, &Part { after: Some(place), skip: 0, limit: 9 });
        let seen: Vec<TicketId> = listed.iter().chain(&rest).map(|ticket| ticket.id).collect();
        assert!(all.iter().all(|each| seen.contains(each)), "{order:?}: {seen:?}");
    }
    let order = TicketOrder { by: OrderedBy::Updated, backwards: false };
    let last = list(whole, &shop, &open, order, &Part::first(1)).remove(0);
    assert!(update(whole, &voided(&last, &shop)));
    let part = Part { after: Some(order.by.place(&last)), skip: 0, limit: 9 };
    assert_eq!(list(whole, &shop, &open, order, &part).len(), 3, "it is not among those that are asked for any more");
}

/// A filter narrows a list and its count alike; all its conditions hold.
pub fn a_filter_narrows_the_tickets(whole: &Whole) {
    let shop = Shop::open(&whole.bench);
    let customer = Customer { full_name: label("Jana 100% Veľká"), ..Customer::default() };
    let drafts = [
        Draft { name: label("Garden_5"), ..tea(&shop, "1") },
        Draft { external_id: label("EXT-7"), ..tea(&shop, "2") },
        Draft { customer: Some(customer), ..tea(&shop, "3") },
        Draft { owner: shop.ben.id, ..tea(&shop, "4") },
    ];
    for (number, draft) in (1..).zip(drafts) {
        assert!(insert(whole, &ticket(&shop, number, draft)));
    }
    let handheld = sale::opened_on(&shop, 5, tea(&shop, "5"), shop.handheld.id);
    assert!(insert(whole, &handheld));
    let sold = paid(&find(whole, shop.tenant.id, id(1)).unwrap(), &shop, 1);
    let gone = voided(&find(whole, shop.tenant.id, id(2)).unwrap(), &shop);
    assert!(update(whole, &sold) && update(whole, &gone));
    let back = refund(&sold, &[], &[(1, "1".parse().unwrap())].into(), opening(&shop, 6), &hand(&shop)).unwrap();
    assert!(insert(whole, &back));
    let any = TicketFilter::default;
    let text = |text: &str| TicketFilter { text: Some(text.into()), ..any() };
    let (open, closed, void) = (TicketStatus::Open, TicketStatus::Closed, TicketStatus::Void);
    let of = |statuses: &[TicketStatus]| TicketFilter { statuses: statuses.to_vec(), ..any() };
    for (filter, expected) in [
        (any(), &[1, 2, 3, 4, 5, 6][..]),
        (of(&[open]), &[3, 4, 5, 6]),
        (of(&[closed]), &[1]),
        (of(&[void]), &[2]),
        (of(&[open, closed]), &[1, 3, 4, 5, 6]),
        (of(&[closed, void]), &[1, 2]),
        (of(&TicketStatus::ALL), &[1, 2, 3, 4, 5, 6]),
        (TicketFilter { owner: Some(shop.ben.id), ..any() }, &[4]),
        (TicketFilter { owner: Some(UserId::new(at(0), [99; 10])), ..any() }, &[]),
        (TicketFilter { device: Some(shop.handheld.id), ..any() }, &[5]),
        (TicketFilter { refund_of: Some(id(1)), ..any() }, &[6]),
        (TicketFilter { from: Some(at(3)), until: Some(at(5)), ..any() }, &[3, 4]),
        (text("garden_"), &[1]),
        (text("GARDEN"), &[1]),
        (text("ext-7"), &[2]),
        (text("100%"), &[3]),
        (text("%"), &[3]),
        (text("_"), &[1]),
        (text("\\"), &[]),
        (text("Veľká"), &[3]),
        (text("VEĽKÁ"), &[3]),
        (text("vel\u{30c}ka\u{301}"), &[3]),
        (text("' OR 1 = 1 --"), &[]),
        (TicketFilter { text: Some("e".into()), ..of(&[closed]) }, &[1]),
    ] {
        let found = list(whole, &shop, &filter, TicketOrder::default(), &Part::first(9));
        let ids: Vec<TicketId> = found.iter().map(|ticket| ticket.id).collect();
        assert_eq!(ids, expected.iter().copied().map(id).collect::<Vec<_>>(), "{filter:?}");
        let counted = whole.office.read(|tx| tx.tickets().count(shop.tenant.id, &filter)).unwrap();
        assert_eq!(counted, expected.len() as u64, "{filter:?}");
    }
}
