//! Tickets: read back as written, changed at the version that was read, and immutable once they are
//! closed or void.

use tillgate_domain::office::ports::{OffsetPageRequest, TicketFilter, TicketOrder, TicketSortKey};
use tillgate_domain::ticket::{
    Amount, Currency, Customer, Draft, Item, Label, Location, Meta, Note, Rounding, Sheet, Ticket, TicketActor,
    TicketStatus, amend, refund, void,
};
use tillgate_domain::{StoreExt, TenantId, TicketId};

use crate::StoreHarness;
use crate::contract_fixture::{ContractFixture, after_start, run_office_write};
use crate::rendezvous::{Rendezvous, run_both};
use crate::ticket_samples::{self, cash_payment, sample_item, sample_line, sample_opening, ticket_id};

pub(super) fn insert_ticket(harness: &StoreHarness, ticket: &Ticket) -> bool {
    run_office_write(harness, |tx| tx.tickets().insert(ticket))
}

pub(super) fn update_ticket(harness: &StoreHarness, ticket: &Ticket) -> bool {
    run_office_write(harness, |tx| tx.tickets().update(ticket))
}

pub(super) fn find_ticket(harness: &StoreHarness, tenant: TenantId, id: TicketId) -> Option<Ticket> {
    harness.office.read("test", |tx| tx.tickets().find(tenant, id)).unwrap()
}

pub(super) fn parse_label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

pub(super) fn ticket_actor(fixture: &ContractFixture) -> TicketActor {
    ticket_samples::ticket_actor(fixture)
}

/// A draft opened by Anna on the till as the ticket with this number, `number` seconds after the
/// start.
pub(super) fn new_ticket(fixture: &ContractFixture, number: u8, draft: Draft) -> Ticket {
    ticket_samples::open_ticket(fixture, number, draft)
}

/// A draft with one item, tea at this price.
pub(super) fn tea_draft(fixture: &ContractFixture, price: &str) -> Draft {
    Draft { items: vec![sample_item(1, price, "1")], ..Draft::of(fixture.anna.id, ticket_samples::euro()) }
}

fn rename_ticket(ticket: &Ticket, name: &str, fixture: &ContractFixture) -> Ticket {
    let sheet = Draft { name: parse_label(name), ..ticket.sheet.draft().clone() }.check().unwrap();
    amend(ticket, sheet, &ticket_actor(fixture), None, after_start(90)).unwrap().ticket
}

pub(super) fn close_ticket(ticket: &Ticket, fixture: &ContractFixture, number: u64) -> Ticket {
    ticket_samples::close_ticket(ticket, fixture, number)
}

pub(super) fn void_ticket(ticket: &Ticket, fixture: &ContractFixture) -> Ticket {
    void(ticket, Note::parse("left\nwithout a word").unwrap(), &ticket_actor(fixture), None, after_start(92)).unwrap()
}

/// A sheet in which every field is set.
fn full_sheet(fixture: &ContractFixture) -> Sheet {
    let mut cake = sample_line(7, "-0.000001", "-999999.999999");
    cake.external_id = parse_label("x-7");
    cake.comment = Note::parse("no cream\nplease").unwrap();
    cake.discount = "33.333333".parse().unwrap();
    cake.article.vat = Some("19.5".parse().unwrap());
    cake.article.description = Note::parse("Torte \"Sacher\"").unwrap();
    cake.article.order_endpoints = vec![parse_label("kitchen"), parse_label("bar")];
    cake.article.price_fixed = true;
    cake.article.cashback_allowed = true;
    cake.article.extra = new_meta(&serde_json::json!({ "specialRegulation": "UsedGood" }));
    let items = vec![Item::new(cake).unwrap(), sample_item(2, "5.363636", "1.234")];
    let meta = serde_json::json!({ "level": 3, "tags": ["a", null, { "b": 1 }] });
    let customer = Customer {
        id: parse_label("c1"),
        external_id: parse_label("9"),
        card_serial_number: parse_label("0042"),
        first_name: parse_label("Jana"),
        last_name: parse_label("Veľká"),
        full_name: parse_label("Jana Veľká"),
        phone: parse_label("+421 900"),
        email: parse_label("jana@example.com"),
        credit: "1.5".parse().unwrap(),
        discount: "10".parse().unwrap(),
        meta: new_meta(&meta),
        extra: new_meta(
            &serde_json::json!({ "gender": "Female", "isCompany": false, "address": { "city": "Žilina" } }),
        ),
    };
    let draft = Draft {
        external_id: parse_label("till-1"),
        name: parse_label("Stôl 5"),
        location: Location { zone: parse_label("garden"), table: parse_label("5") },
        discount: customer.discount,
        customer: Some(customer),
        items,
        rounding: Rounding::of_cash("-0.02".parse().unwrap(), ticket_samples::euro()).unwrap(),
        payments: vec![cash_payment("0.01"), cash_payment("99.99")],
        ..Draft::of(fixture.anna.id, ticket_samples::euro())
    };
    draft.check().unwrap()
}

fn new_meta(object: &serde_json::Value) -> Meta {
    Meta::new(object.as_object().unwrap().clone().into()).unwrap()
}

/// A ticket is read back as it was inserted and as it was updated, in each of its states, to the
/// last decimal place.
pub fn ticket_is_read_back_as_written(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let first = new_ticket(&fixture, 1, full_sheet(&fixture).draft().clone());
    assert!(insert_ticket(harness, &first));
    assert_eq!(find_ticket(harness, fixture.tenant.id, ticket_id(1)).as_ref(), Some(&first));
    let changed = rename_ticket(&first, "Stôl 6", &fixture);
    assert!(update_ticket(harness, &changed));
    assert_eq!(find_ticket(harness, fixture.tenant.id, ticket_id(1)).as_ref(), Some(&changed));
    let plain = new_ticket(&fixture, 2, tea_draft(&fixture, "3"));
    assert!(insert_ticket(harness, &plain));
    let sold = close_ticket(&plain, &fixture, 7);
    assert!(update_ticket(harness, &sold));
    assert_eq!(find_ticket(harness, fixture.tenant.id, ticket_id(2)).as_ref(), Some(&sold));
    let void_one = void_ticket(&changed, &fixture);
    assert!(update_ticket(harness, &void_one));
    assert_eq!(find_ticket(harness, fixture.tenant.id, ticket_id(1)).as_ref(), Some(&void_one));
    let back =
        refund(&sold, &[], &[(1, "1".parse().unwrap())].into(), sample_opening(&fixture, 3), &ticket_actor(&fixture))
            .unwrap();
    assert!(insert_ticket(harness, &back));
    assert_eq!(find_ticket(harness, fixture.tenant.id, ticket_id(3)).as_ref(), Some(&back));
    assert_eq!(find_ticket(harness, fixture.tenant.id, ticket_id(4)), None);
}

/// A ticket in any currency is read back to its last decimal place, and amounts sort down to the
/// smallest unit.
pub fn ticket_of_any_currency_is_read_back(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let mut made = Vec::new();
    for (number, code, price, rounding) in
        [(1, "KWD", "1.236", "0.003"), (2, "KWD", "1.234", "0"), (3, "JPY", "1", "0"), (4, "CLF", "1.2341", "-0.0002")]
    {
        let currency = Currency::parse(code).unwrap();
        let rounding = Rounding::from_stored(rounding.parse().unwrap(), Amount::ZERO);
        let payments = vec![cash_payment(price)];
        let items = vec![sample_item(1, price, "1")];
        let draft = Draft { items, rounding, payments, ..Draft::of(fixture.anna.id, currency) };
        let ticket = new_ticket(&fixture, number, draft);
        assert!(insert_ticket(harness, &ticket));
        assert_eq!(find_ticket(harness, fixture.tenant.id, ticket_id(number)).as_ref(), Some(&ticket), "{code}");
        made.push(ticket);
    }
    let sold = close_ticket(&Ticket::restore(made[1].record().clone()).unwrap(), &fixture, 1);
    assert!(update_ticket(harness, &sold));
    assert_eq!(find_ticket(harness, fixture.tenant.id, ticket_id(2)), Some(sold));
    let order = TicketOrder { sort_key: TicketSortKey::Payable, descending: false };
    let mut part = OffsetPageRequest::first(1);
    for expected in [3, 4, 2, 1] {
        let found = harness
            .office
            .read("test", |tx| tx.tickets().list(fixture.tenant.id, &TicketFilter::default(), order, &part));
        let found = found.unwrap();
        assert_eq!(found[0].id, ticket_id(expected));
        part.after = Some(order.sort_key.cursor(&found[0]));
    }
}

/// A ticket's id is unique in its tenant, whatever the state of the ticket. Another tenant may have
/// a ticket with the same id.
pub fn ticket_id_is_unique(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let first = new_ticket(&fixture, 1, tea_draft(&fixture, "3"));
    assert!(insert_ticket(harness, &first));
    let second = new_ticket(&fixture, 1, tea_draft(&fixture, "4"));
    assert!(!insert_ticket(harness, &second));
    assert_eq!(find_ticket(harness, fixture.tenant.id, ticket_id(1)).as_ref(), Some(&first));
    let sold = close_ticket(&first, &fixture, 1);
    assert!(update_ticket(harness, &sold));
    assert!(!insert_ticket(harness, &second), "one that is closed");
    assert_eq!(find_ticket(harness, fixture.tenant.id, ticket_id(1)).as_ref(), Some(&sold));
    assert_eq!(find_ticket(harness, fixture.other_tenant.id, ticket_id(1)), None);
    let far = ticket_samples::foreign_ticket(&fixture, 1);
    assert!(insert_ticket(harness, &far));
    assert_eq!(find_ticket(harness, fixture.other_tenant.id, ticket_id(1)), Some(far));
    assert_eq!(find_ticket(harness, fixture.tenant.id, ticket_id(1)), Some(sold));
}

/// An update succeeds from the previous version only, and a closed or void ticket is never updated.
pub fn ticket_update_requires_an_open_ticket_and_its_version(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let first = new_ticket(&fixture, 1, tea_draft(&fixture, "3"));
    assert!(!update_ticket(harness, &rename_ticket(&first, "nowhere", &fixture)), "one that does not exist");
    assert!(insert_ticket(harness, &first));
    let second = rename_ticket(&first, "second", &fixture);
    assert!(!update_ticket(harness, &rename_ticket(&second, "from the future", &fixture)));
    assert!(update_ticket(harness, &second));
    assert!(!update_ticket(harness, &rename_ticket(&first, "late", &fixture)));
    assert_eq!(find_ticket(harness, fixture.tenant.id, ticket_id(1)).as_ref(), Some(&second));
    let third = new_ticket(&fixture, 3, tea_draft(&fixture, "3"));
    assert!(insert_ticket(harness, &third));
    for (open, ended) in [(&second, close_ticket(&second, &fixture, 1)), (&third, void_ticket(&third, &fixture))] {
        assert!(update_ticket(harness, &ended));
        // this would be the next version if the ticket were open
        let next = rename_ticket(&rename_ticket(open, "one", &fixture), "two", &fixture);
        assert_eq!(next.version, ended.version + 1);
        assert!(!update_ticket(harness, &next), "{:?}", ended.state.status());
        assert_eq!(find_ticket(harness, fixture.tenant.id, ended.id), Some(ended));
    }
}

/// The refunds of a ticket are found in every state, and no other tickets.
pub fn refunds_of_a_ticket_are_found(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let draft = Draft { items: vec![sample_item(1, "1", "9")], ..Draft::of(fixture.anna.id, ticket_samples::euro()) };
    let mut sold = Vec::new();
    for number in [1, 2] {
        let open = new_ticket(&fixture, number, draft.clone());
        assert!(insert_ticket(harness, &open));
        sold.push(close_ticket(&open, &fixture, u64::from(number)));
        assert!(update_ticket(harness, &sold[sold.len() - 1]));
    }
    let mut made = Vec::new();
    for (number, of) in [(3, 0), (4, 0), (5, 0), (6, 1)] {
        let one = [(1, "1".parse().unwrap())].into();
        let back = refund(&sold[of], &[], &one, sample_opening(&fixture, number), &ticket_actor(&fixture)).unwrap();
        assert!(insert_ticket(harness, &back));
        made.push(back);
    }
    made[1] = close_ticket(&made[1], &fixture, 3);
    made[2] = void_ticket(&made[2], &fixture);
    assert!(update_ticket(harness, &made[1]) && update_ticket(harness, &made[2]));
    let refunds = |of: u8| {
        let mut found =
            harness.office.read("test", |tx| tx.tickets().list_refunds(fixture.tenant.id, ticket_id(of))).unwrap();
        found.sort_by_key(|ticket| ticket.id);
        found
    };
    assert_eq!(refunds(1), made[..3]);
    assert_eq!(refunds(2), made[3..]);
    assert!(refunds(3).is_empty());
    let far =
        harness.office.read("test", |tx| tx.tickets().list_refunds(fixture.other_tenant.id, ticket_id(1))).unwrap();
    assert!(far.is_empty());
}

/// Of two concurrent updates from the same version, exactly one succeeds.
pub fn concurrent_ticket_updates_succeed_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let first = new_ticket(&fixture, 1, tea_draft(&fixture, "3"));
    assert!(insert_ticket(harness, &first));
    let crossing = Rendezvous::default();
    let change = |after: fn(&Ticket, &ContractFixture) -> Ticket| {
        run_office_write(harness, |tx| {
            let read = tx.tickets().find(fixture.tenant.id, ticket_id(1))?.unwrap();
            crossing.wait();
            // as it was read, or as it was before the other update: both threads have seen the same
            // version
            let seen = if read.version == 1 { read } else { first.clone() };
            tx.tickets().update(&after(&seen, &fixture))
        })
    };
    let close: fn(&Ticket, &ContractFixture) -> Ticket = |ticket, fixture| close_ticket(ticket, fixture, 1);
    let rename: fn(&Ticket, &ContractFixture) -> Ticket = |ticket, fixture| rename_ticket(ticket, "other", fixture);
    let (one, other) = run_both(|| change(close), || change(rename));
    assert!(one ^ other, "{one} {other}");
    let now = find_ticket(harness, fixture.tenant.id, ticket_id(1)).unwrap();
    assert_eq!((now.version, now.state.status() == TicketStatus::Closed), (2, one));
}

/// Of two concurrent inserts with the same ticket id, exactly one succeeds.
pub fn concurrent_inserts_of_one_ticket_id_succeed_once(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let crossing = Rendezvous::default();
    let open = |price: &'static str| {
        let ticket = new_ticket(&fixture, 1, tea_draft(&fixture, price));
        run_office_write(harness, |tx| {
            tx.tickets().find(fixture.tenant.id, ticket_id(1))?;
            crossing.wait();
            tx.tickets().insert(&ticket)
        })
    };
    let (one, other) = run_both(|| open("1"), || open("2"));
    assert!(one ^ other, "{one} {other}");
    let kept = find_ticket(harness, fixture.tenant.id, ticket_id(1)).unwrap().sheet.payable();
    assert_eq!(kept, if one { "1" } else { "2" }.parse::<Amount>().unwrap());
}

/// Of two concurrent refunds of the same goods, the second finds the first: a unit of work that
/// claims the sold ticket reads what the previous one has written.
pub fn concurrent_refunds_of_a_ticket_see_each_other(harness: &StoreHarness) {
    let fixture = ContractFixture::insert_into(&harness.auth);
    let open = new_ticket(&fixture, 1, tea_draft(&fixture, "3"));
    assert!(insert_ticket(harness, &open) && update_ticket(harness, &close_ticket(&open, &fixture, 1)));
    let crossing = Rendezvous::default();
    let take_back = |number: u8| {
        run_office_write(harness, |tx| {
            let sold = tx.tickets().find(fixture.tenant.id, ticket_id(1))?.unwrap();
            crossing.wait();
            tx.tickets().claim(fixture.tenant.id, sold.id)?;
            let others = tx.tickets().list_refunds(fixture.tenant.id, sold.id)?;
            let all = [(1, "1".parse().unwrap())].into();
            match refund(&sold, &others, &all, sample_opening(&fixture, number), &ticket_actor(&fixture)) {
                Ok(back) => tx.tickets().insert(&back),
                Err(_) => Ok(false),
            }
        })
    };
    let (one, other) = run_both(|| take_back(2), || take_back(3));
    assert!(one ^ other, "{one} {other}");
    assert_eq!(
        harness.office.read("test", |tx| tx.tickets().list_refunds(fixture.tenant.id, ticket_id(1))).unwrap().len(),
        1
    );
}
