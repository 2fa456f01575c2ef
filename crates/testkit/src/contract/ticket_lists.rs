//! Tickets in lists: in any order, in parts, narrowed.

use tillgate_domain::office::ports::{OffsetPageRequest, TicketCursor, TicketFilter, TicketOrder, TicketSortKey};
use tillgate_domain::ticket::{Customer, Draft, Ticket, TicketStatus, amend, refund};
use tillgate_domain::{StoreExt, TicketId, UserId};

use super::tickets::{
    close_ticket, find_ticket, insert_ticket, new_ticket, parse_label, tea_draft, ticket_actor, update_ticket,
    void_ticket,
};
use crate::StoreHarness;
use crate::contract_fixture::{ContractFixture, after_start};
use crate::ticket_samples::{self, sample_opening, ticket_id};

/// Four tickets whose three orders differ, by number: opened 1 2 3 4, updated 1 3 4 2, payable 2 4 1 3 where 2 and 4 are alike.
fn insert_four_tickets(whole: &StoreHarness, shop: &ContractFixture) -> Vec<Ticket> {
    let of = |number: u8, price: &str, updated: u64| {
        let first = new_ticket(shop, number, tea_draft(shop, price));
        let sheet = Draft { name: parse_label(&format!("No {number}")), ..tea_draft(shop, price) }.check().unwrap();
        assert!(insert_ticket(whole, &first));
        let second = amend(&first, sheet, &ticket_actor(shop), None, after_start(updated)).unwrap().ticket;
        assert!(update_ticket(whole, &second));
        second
    };
    let made = vec![of(1, "3", 20), of(2, "-1", 50), of(3, "9", 30), of(4, "-1", 40)];
    assert!(insert_ticket(whole, &ticket_samples::foreign_ticket(shop, 5)), "another tenant's");
    made
}

fn list_ids(
    whole: &StoreHarness,
    shop: &ContractFixture,
    filter: &TicketFilter,
    order: TicketOrder,
    part: &OffsetPageRequest<TicketCursor>,
) -> Vec<Ticket> {
    whole.office.read(|tx| tx.tickets().list(shop.tenant.id, filter, order, part)).unwrap()
}

/// Tickets come in any of the orders, from both ends, in parts that go on where the last ended.
pub fn tickets_are_listed_in_order_and_pages(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let four = insert_four_tickets(whole, &shop);
    for (by, expected) in [
        (TicketSortKey::Opened, [1, 2, 3, 4]),
        (TicketSortKey::Updated, [1, 3, 4, 2]),
        (TicketSortKey::Payable, [2, 4, 1, 3]),
    ] {
        for backwards in [false, true] {
            let order = TicketOrder { sort_key: by, descending: backwards };
            let mut ids = expected.map(ticket_id).to_vec();
            if backwards {
                ids.reverse();
            }
            let of = |part: &OffsetPageRequest<TicketCursor>| -> Vec<TicketId> {
                let found = list_ids(whole, &shop, &TicketFilter::default(), order, part);
                for ticket in &found {
                    assert!(four.contains(ticket));
                }
                found.iter().map(|ticket| ticket.id).collect()
            };
            assert_eq!(of(&OffsetPageRequest::first(9)), ids, "{order:?}");
            assert_eq!(of(&OffsetPageRequest { skip: 1, ..OffsetPageRequest::first(2) }), ids[1..3], "{order:?}");
            for (number, last) in ids.iter().enumerate() {
                let place = by.cursor(four.iter().find(|ticket| ticket.id == *last).unwrap());
                let rest = of(&OffsetPageRequest { after: Some(place), skip: 0, limit: 9 });
                assert_eq!(rest, ids[number + 1..], "{order:?} after {number}");
            }
        }
    }
}

/// A ticket that ended a part and stands elsewhere, or is void, before the next one is asked for takes none with it.
pub fn ticket_changed_between_pages_loses_none(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    insert_four_tickets(whole, &shop);
    let open = TicketFilter { statuses: vec![TicketStatus::Open], ..TicketFilter::default() };
    let all: Vec<TicketId> = [1, 2, 3, 4].map(ticket_id).to_vec();
    let mut at_second = 100;
    for (by, backwards, price) in [
        (TicketSortKey::Updated, false, "5"),
        (TicketSortKey::Payable, false, "99"),
        (TicketSortKey::Payable, true, "-99"),
        (TicketSortKey::Updated, false, "7"),
    ] {
        let order = TicketOrder { sort_key: by, descending: backwards };
        let listed = list_ids(whole, &shop, &open, order, &OffsetPageRequest::first(1));
        let (last, place) = (listed[0].clone(), by.cursor(&listed[0]));
        at_second += 1;
        let changed =
            amend(&last, tea_draft(&shop, price).check().unwrap(), &ticket_actor(&shop), None, after_start(at_second))
                .unwrap()
                .ticket;
        assert!(update_ticket(whole, &changed));
        assert_ne!(by.cursor(&changed), place, "{order:?}: it stands elsewhere");
        let rest = list_ids(whole, &shop, &open, order, &OffsetPageRequest { after: Some(place), skip: 0, limit: 9 });
        let seen: Vec<TicketId> = listed.iter().chain(&rest).map(|ticket| ticket.id).collect();
        assert!(all.iter().all(|each| seen.contains(each)), "{order:?}: {seen:?}");
    }
    let order = TicketOrder { sort_key: TicketSortKey::Updated, descending: false };
    let last = list_ids(whole, &shop, &open, order, &OffsetPageRequest::first(1)).remove(0);
    assert!(update_ticket(whole, &void_ticket(&last, &shop)));
    let part = OffsetPageRequest { after: Some(order.sort_key.cursor(&last)), skip: 0, limit: 9 };
    assert_eq!(
        list_ids(whole, &shop, &open, order, &part).len(),
        3,
        "it is not among those that are asked for any more"
    );
}

/// A filter narrows a list and its count alike; all its conditions hold.
pub fn filter_narrows_the_tickets(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let customer = Customer { full_name: parse_label("Jana 100% Veľká"), ..Customer::default() };
    let drafts = [
        Draft { name: parse_label("Garden_5"), ..tea_draft(&shop, "1") },
        Draft { external_id: parse_label("EXT-7"), ..tea_draft(&shop, "2") },
        Draft { customer: Some(customer), ..tea_draft(&shop, "3") },
        Draft { owner: shop.ben.id, ..tea_draft(&shop, "4") },
    ];
    for (number, draft) in (1..).zip(drafts) {
        assert!(insert_ticket(whole, &new_ticket(&shop, number, draft)));
    }
    let handheld = ticket_samples::open_ticket_on(&shop, 5, tea_draft(&shop, "5"), shop.handheld.id);
    assert!(insert_ticket(whole, &handheld));
    let sold = close_ticket(&find_ticket(whole, shop.tenant.id, ticket_id(1)).unwrap(), &shop, 1);
    let gone = void_ticket(&find_ticket(whole, shop.tenant.id, ticket_id(2)).unwrap(), &shop);
    assert!(update_ticket(whole, &sold) && update_ticket(whole, &gone));
    let back = refund(&sold, &[], &[(1, "1".parse().unwrap())].into(), sample_opening(&shop, 6), &ticket_actor(&shop))
        .unwrap();
    assert!(insert_ticket(whole, &back));
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
        (TicketFilter { owner: Some(UserId::new(after_start(0), [99; 10])), ..any() }, &[]),
        (TicketFilter { device: Some(shop.handheld.id), ..any() }, &[5]),
        (TicketFilter { refund_of: Some(ticket_id(1)), ..any() }, &[6]),
        (TicketFilter { from: Some(after_start(3)), until: Some(after_start(5)), ..any() }, &[3, 4]),
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
        let found = list_ids(whole, &shop, &filter, TicketOrder::default(), &OffsetPageRequest::first(9));
        let ids: Vec<TicketId> = found.iter().map(|ticket| ticket.id).collect();
        assert_eq!(ids, expected.iter().copied().map(ticket_id).collect::<Vec<_>>(), "{filter:?}");
        let counted = whole.office.read(|tx| tx.tickets().count(shop.tenant.id, &filter)).unwrap();
        assert_eq!(counted, expected.len() as u64, "{filter:?}");
    }
}
