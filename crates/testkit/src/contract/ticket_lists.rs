//! Lists of tickets: in every order, in pages, filtered.

use tillgate_domain::office::ports::{OffsetPageRequest, TicketCursor, TicketFilter, TicketOrder, TicketSortKey};
use tillgate_domain::ticket::{Customer, Draft, Ticket, TicketStatus, amend, refund};
use tillgate_domain::{BranchId, StoreExt, TicketId, UserId};

use super::tickets::{
    close_ticket, find_ticket, insert_ticket, new_ticket, parse_label, tea_draft, ticket_actor, update_ticket,
    void_ticket,
};
use crate::StoreHarness;
use crate::contract_fixture::{ContractFixture, after_start};
use crate::ticket_samples::{self, sample_opening, ticket_id};

/// Four tickets that sort differently in each order: opened 1 2 3 4, updated 1 3 4 2, payable 2 4 1
/// 3, where 2 and 4 are equal.
fn insert_four_tickets(harness: &StoreHarness, fixture: &ContractFixture) -> Vec<Ticket> {
    let of = |number: u8, price: &str, updated: u64| {
        let first = new_ticket(fixture, number, tea_draft(fixture, price));
        let sheet = Draft { name: parse_label(&format!("No {number}")), ..tea_draft(fixture, price) }.check().unwrap();
        assert!(insert_ticket(harness, &first));
        let second = amend(&first, sheet, &ticket_actor(fixture), None, after_start(updated)).unwrap().ticket;
        assert!(update_ticket(harness, &second));
        second
    };
    let made = vec![of(1, "3", 20), of(2, "-1", 50), of(3, "9", 30), of(4, "-1", 40)];
    assert!(insert_ticket(harness, &ticket_samples::foreign_ticket(fixture, 5)), "another tenant's");
    made
}

fn list_ids(
    harness: &StoreHarness,
    fixture: &ContractFixture,
    filter: &TicketFilter,
    order: TicketOrder,
    part: &OffsetPageRequest<TicketCursor>,
) -> Vec<Ticket> {
    harness.office.read("test", |tx| tx.tickets().list(fixture.tenant.id, filter, order, part)).unwrap()
}

/// Tickets are listed in every order, ascending and descending, in pages that continue where the
/// previous one ended.
pub fn tickets_are_listed_in_order_and_pages(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let four = insert_four_tickets(harness, &fixture);
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
                let found = list_ids(harness, &fixture, &TicketFilter::default(), order, part);
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

/// If the last ticket of a page moves to another position or becomes void before the next page is
/// read, no other ticket is skipped.
pub fn ticket_changed_between_pages_loses_none(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    insert_four_tickets(harness, &fixture);
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
        let listed = list_ids(harness, &fixture, &open, order, &OffsetPageRequest::first(1));
        let (last, place) = (listed[0].clone(), by.cursor(&listed[0]));
        at_second += 1;
        let changed = amend(
            &last,
            tea_draft(&fixture, price).check().unwrap(),
            &ticket_actor(&fixture),
            None,
            after_start(at_second),
        )
        .unwrap()
        .ticket;
        assert!(update_ticket(harness, &changed));
        assert_ne!(by.cursor(&changed), place, "{order:?}: it has another position");
        let rest =
            list_ids(harness, &fixture, &open, order, &OffsetPageRequest { after: Some(place), skip: 0, limit: 9 });
        let seen: Vec<TicketId> = listed.iter().chain(&rest).map(|ticket| ticket.id).collect();
        assert!(all.iter().all(|each| seen.contains(each)), "{order:?}: {seen:?}");
    }
    let order = TicketOrder { sort_key: TicketSortKey::Updated, descending: false };
    let last = list_ids(harness, &fixture, &open, order, &OffsetPageRequest::first(1)).remove(0);
    assert!(update_ticket(harness, &void_ticket(&last, &fixture)));
    let part = OffsetPageRequest { after: Some(order.sort_key.cursor(&last)), skip: 0, limit: 9 };
    assert_eq!(list_ids(harness, &fixture, &open, order, &part).len(), 3, "it no longer matches the filter");
}

/// A filter narrows the list and the count alike, and all of its criteria apply together.
pub fn filter_narrows_the_tickets(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let customer = Customer { full_name: parse_label("Jana 100% Veľká"), ..Customer::default() };
    let drafts = [
        Draft { name: parse_label("Garden_5"), ..tea_draft(&fixture, "1") },
        Draft { external_id: parse_label("EXT-7"), ..tea_draft(&fixture, "2") },
        Draft { customer: Some(customer), ..tea_draft(&fixture, "3") },
        Draft { owner: fixture.ben.id, ..tea_draft(&fixture, "4") },
    ];
    for (number, draft) in (1..).zip(drafts) {
        assert!(insert_ticket(harness, &new_ticket(&fixture, number, draft)));
    }
    let handheld = ticket_samples::open_ticket_on(&fixture, 5, tea_draft(&fixture, "5"), fixture.handheld.id);
    assert!(insert_ticket(harness, &handheld));
    let store = fixture.move_to_store(harness, &fixture.handheld);
    let sold = close_ticket(&find_ticket(harness, fixture.tenant.id, ticket_id(1)).unwrap(), &fixture, 1);
    let void_one = void_ticket(&find_ticket(harness, fixture.tenant.id, ticket_id(2)).unwrap(), &fixture);
    assert!(update_ticket(harness, &sold) && update_ticket(harness, &void_one));
    let back =
        refund(&sold, &[], &[(1, "1".parse().unwrap())].into(), sample_opening(&fixture, 6), &ticket_actor(&fixture))
            .unwrap();
    assert!(insert_ticket(harness, &back));
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
        (TicketFilter { owner: Some(fixture.ben.id), ..any() }, &[4]),
        (TicketFilter { owner: Some(UserId::new(after_start(0), [99; 10])), ..any() }, &[]),
        (TicketFilter { device: Some(fixture.handheld.id), ..any() }, &[5]),
        (TicketFilter { branch: Some(store), ..any() }, &[5]),
        (TicketFilter { branch: Some(BranchId::new(after_start(0), [99; 10])), ..any() }, &[]),
        (TicketFilter { refund_of: Some(ticket_id(1)), ..any() }, &[6]),
        (TicketFilter { is_refund: Some(true), ..any() }, &[6]),
        (TicketFilter { is_refund: Some(false), ..any() }, &[1, 2, 3, 4, 5]),
        (TicketFilter { number: Some(1), ..any() }, &[1]),
        (TicketFilter { number: Some(2), ..any() }, &[]),
        (TicketFilter { number: Some(u64::MAX), ..any() }, &[]),
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
        let found = list_ids(harness, &fixture, &filter, TicketOrder::default(), &OffsetPageRequest::first(9));
        let ids: Vec<TicketId> = found.iter().map(|ticket| ticket.id).collect();
        assert_eq!(ids, expected.iter().copied().map(ticket_id).collect::<Vec<_>>(), "{filter:?}");
        let counted = harness.office.read("test", |tx| tx.tickets().count(fixture.tenant.id, &filter)).unwrap();
        assert_eq!(counted, expected.len() as u64, "{filter:?}");
    }
}
