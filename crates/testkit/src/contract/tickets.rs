//! Tickets: found as they were written, changed from the version that was read, and never again once they are closed or void.

use tillgate_domain::office::ports::{OfficeTx, OffsetPageRequest, TicketFilter, TicketOrder, TicketSortKey};
use tillgate_domain::ticket::{
    Amount, Currency, Customer, Draft, Item, Label, Location, Meta, Note, NumberSeries, Rounding, Sheet, Ticket,
    TicketActor, TicketStatus, amend, refund, void,
};
use tillgate_domain::{StoreExt, StoreResult, TenantId, TicketId};

use crate::StoreHarness;
use crate::contract_fixture::{ContractFixture, after_start, run_office_write};
use crate::rendezvous::{Rendezvous, run_both};
use crate::ticket_samples::{self, cash_payment, sample_item, sample_line, sample_opening, ticket_id};

pub(super) fn insert_ticket(whole: &StoreHarness, ticket: &Ticket) -> bool {
    run_office_write(whole, |tx| tx.tickets().insert(ticket))
}

pub(super) fn update_ticket(whole: &StoreHarness, ticket: &Ticket) -> bool {
    run_office_write(whole, |tx| tx.tickets().update(ticket))
}

pub(super) fn find_ticket(whole: &StoreHarness, tenant: TenantId, id: TicketId) -> Option<Ticket> {
    whole.office.read(|tx| tx.tickets().find(tenant, id)).unwrap()
}

pub(super) fn parse_label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

pub(super) fn ticket_actor(shop: &ContractFixture) -> TicketActor {
    ticket_samples::ticket_actor(shop)
}

/// The ticket of this number, Anna's, opened on the till in the second of its number.
pub(super) fn new_ticket(shop: &ContractFixture, number: u8, draft: Draft) -> Ticket {
    ticket_samples::open_ticket(shop, number, draft)
}

/// Tea, of this price.
pub(super) fn tea_draft(shop: &ContractFixture, price: &str) -> Draft {
    Draft { items: vec![sample_item(1, price, "1")], ..Draft::of(shop.anna.id, ticket_samples::euro()) }
}

fn rename_ticket(ticket: &Ticket, name: &str, shop: &ContractFixture) -> Ticket {
    let sheet = Draft { name: parse_label(name), ..ticket.sheet.draft().clone() }.check().unwrap();
    amend(ticket, sheet, &ticket_actor(shop), None, after_start(90)).unwrap().ticket
}

pub(super) fn close_ticket(ticket: &Ticket, shop: &ContractFixture, number: u64) -> Ticket {
    ticket_samples::close_ticket(ticket, shop, number)
}

pub(super) fn void_ticket(ticket: &Ticket, shop: &ContractFixture) -> Ticket {
    void(ticket, Note::parse("left\nwithout a word").unwrap(), &ticket_actor(shop), None, after_start(92)).unwrap()
}

/// Everything that can stand on a ticket.
fn full_sheet(shop: &ContractFixture) -> Sheet {
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
        ..Draft::of(shop.anna.id, ticket_samples::euro())
    };
    draft.check().unwrap()
}

fn new_meta(object: &serde_json::Value) -> Meta {
    Meta::new(object.as_object().unwrap().clone().into()).unwrap()
}

/// A ticket comes back as it was added and as it was changed, in each of its states, to the last digit.
pub fn ticket_is_read_back_as_written(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let first = new_ticket(&shop, 1, full_sheet(&shop).draft().clone());
    assert!(insert_ticket(whole, &first));
    assert_eq!(find_ticket(whole, shop.tenant.id, ticket_id(1)).as_ref(), Some(&first));
    let changed = rename_ticket(&first, "Stôl 6", &shop);
    assert!(update_ticket(whole, &changed));
    assert_eq!(find_ticket(whole, shop.tenant.id, ticket_id(1)).as_ref(), Some(&changed));
    let plain = new_ticket(&shop, 2, tea_draft(&shop, "3"));
    assert!(insert_ticket(whole, &plain));
    let sold = close_ticket(&plain, &shop, 7);
    assert!(update_ticket(whole, &sold));
    assert_eq!(find_ticket(whole, shop.tenant.id, ticket_id(2)).as_ref(), Some(&sold));
    let gone = void_ticket(&changed, &shop);
    assert!(update_ticket(whole, &gone));
    assert_eq!(find_ticket(whole, shop.tenant.id, ticket_id(1)).as_ref(), Some(&gone));
    let back = refund(&sold, &[], &[(1, "1".parse().unwrap())].into(), sample_opening(&shop, 3), &ticket_actor(&shop))
        .unwrap();
    assert!(insert_ticket(whole, &back));
    assert_eq!(find_ticket(whole, shop.tenant.id, ticket_id(3)).as_ref(), Some(&back));
    assert_eq!(find_ticket(whole, shop.tenant.id, ticket_id(4)), None);
}

/// A ticket of any currency comes back to its last place, and its smallest unit is put in order.
pub fn ticket_of_any_currency_is_read_back(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let mut made = Vec::new();
    for (number, code, price, rounding) in
        [(1, "KWD", "1.236", "0.003"), (2, "KWD", "1.234", "0"), (3, "JPY", "1", "0"), (4, "CLF", "1.2341", "-0.0002")]
    {
        let currency = Currency::parse(code).unwrap();
        let rounding = Rounding::from_stored(rounding.parse().unwrap(), Amount::ZERO);
        let payments = vec![cash_payment(price)];
        let items = vec![sample_item(1, price, "1")];
        let draft = Draft { items, rounding, payments, ..Draft::of(shop.anna.id, currency) };
        let ticket = new_ticket(&shop, number, draft);
        assert!(insert_ticket(whole, &ticket));
        assert_eq!(find_ticket(whole, shop.tenant.id, ticket_id(number)).as_ref(), Some(&ticket), "{code}");
        made.push(ticket);
    }
    let sold = close_ticket(&Ticket::restore(made[1].record().clone()).unwrap(), &shop, 1);
    assert!(update_ticket(whole, &sold));
    assert_eq!(find_ticket(whole, shop.tenant.id, ticket_id(2)), Some(sold));
    let order = TicketOrder { sort_key: TicketSortKey::Payable, descending: false };
    let mut part = OffsetPageRequest::first(1);
    for expected in [3, 4, 2, 1] {
        let found = whole.office.read(|tx| tx.tickets().list(shop.tenant.id, &TicketFilter::default(), order, &part));
        let found = found.unwrap();
        assert_eq!(found[0].id, ticket_id(expected));
        part.after = Some(order.sort_key.cursor(&found[0]));
    }
}

/// An id is taken once in a tenant, whatever the state of the ticket that has it; another tenant's is another ticket.
pub fn ticket_id_is_unique(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let first = new_ticket(&shop, 1, tea_draft(&shop, "3"));
    assert!(insert_ticket(whole, &first));
    let second = new_ticket(&shop, 1, tea_draft(&shop, "4"));
    assert!(!insert_ticket(whole, &second));
    assert_eq!(find_ticket(whole, shop.tenant.id, ticket_id(1)).as_ref(), Some(&first));
    let sold = close_ticket(&first, &shop, 1);
    assert!(update_ticket(whole, &sold));
    assert!(!insert_ticket(whole, &second), "one that is closed");
    assert_eq!(find_ticket(whole, shop.tenant.id, ticket_id(1)).as_ref(), Some(&sold));
    assert_eq!(find_ticket(whole, shop.other_tenant.id, ticket_id(1)), None);
    let far = ticket_samples::foreign_ticket(&shop, 1);
    assert!(insert_ticket(whole, &far));
    assert_eq!(find_ticket(whole, shop.other_tenant.id, ticket_id(1)), Some(far));
    assert_eq!(find_ticket(whole, shop.tenant.id, ticket_id(1)), Some(sold));
}

/// An update asks for the version before it, and a ticket that is closed or void takes none.
pub fn ticket_update_requires_an_open_ticket_and_its_version(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let first = new_ticket(&shop, 1, tea_draft(&shop, "3"));
    assert!(!update_ticket(whole, &rename_ticket(&first, "nowhere", &shop)), "one that is not there");
    assert!(insert_ticket(whole, &first));
    let second = rename_ticket(&first, "second", &shop);
    assert!(!update_ticket(whole, &rename_ticket(&second, "from the future", &shop)));
    assert!(update_ticket(whole, &second));
    assert!(!update_ticket(whole, &rename_ticket(&first, "late", &shop)));
    assert_eq!(find_ticket(whole, shop.tenant.id, ticket_id(1)).as_ref(), Some(&second));
    let third = new_ticket(&shop, 3, tea_draft(&shop, "3"));
    assert!(insert_ticket(whole, &third));
    for (open, ended) in [(&second, close_ticket(&second, &shop, 1)), (&third, void_ticket(&third, &shop))] {
        assert!(update_ticket(whole, &ended));
        // what would be the next version of it, were it open
        let next = rename_ticket(&rename_ticket(open, "one", &shop), "two", &shop);
        assert_eq!(next.version, ended.version + 1);
        assert!(!update_ticket(whole, &next), "{:?}", ended.state.status());
        assert_eq!(find_ticket(whole, shop.tenant.id, ended.id), Some(ended));
    }
}

/// The refunds of a ticket are told, whatever their state, and no others.
pub fn refunds_of_a_ticket_are_found(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let draft = Draft { items: vec![sample_item(1, "1", "9")], ..Draft::of(shop.anna.id, ticket_samples::euro()) };
    let mut sold = Vec::new();
    for number in [1, 2] {
        let open = new_ticket(&shop, number, draft.clone());
        assert!(insert_ticket(whole, &open));
        sold.push(close_ticket(&open, &shop, u64::from(number)));
        assert!(update_ticket(whole, &sold[sold.len() - 1]));
    }
    let mut made = Vec::new();
    for (number, of) in [(3, 0), (4, 0), (5, 0), (6, 1)] {
        let one = [(1, "1".parse().unwrap())].into();
        let back = refund(&sold[of], &[], &one, sample_opening(&shop, number), &ticket_actor(&shop)).unwrap();
        assert!(insert_ticket(whole, &back));
        made.push(back);
    }
    made[1] = close_ticket(&made[1], &shop, 3);
    made[2] = void_ticket(&made[2], &shop);
    assert!(update_ticket(whole, &made[1]) && update_ticket(whole, &made[2]));
    let refunds = |of: u8| {
        let mut found = whole.office.read(|tx| tx.tickets().list_refunds(shop.tenant.id, ticket_id(of))).unwrap();
        found.sort_by_key(|ticket| ticket.id);
        found
    };
    assert_eq!(refunds(1), made[..3]);
    assert_eq!(refunds(2), made[3..]);
    assert!(refunds(3).is_empty());
    let far = whole.office.read(|tx| tx.tickets().list_refunds(shop.other_tenant.id, ticket_id(1))).unwrap();
    assert!(far.is_empty());
}

fn fiscal_series(shop: &ContractFixture, fiscal: &str) -> NumberSeries {
    NumberSeries::of(shop.till.id, &parse_label(fiscal))
}

/// A shop in which the tickets of the numbers 1 to 9 are open.
fn insert_nine_tickets(whole: &StoreHarness) -> ContractFixture {
    let shop = ContractFixture::insert_into(&whole.auth);
    for number in 1..=9 {
        assert!(insert_ticket(whole, &new_ticket(&shop, number, tea_draft(&shop, "3"))));
    }
    shop
}

/// Numbers of receipts are drawn one after the other in each series, and none is lost with what is rolled back.
pub fn numbers_of_a_series_have_no_gap(whole: &StoreHarness) {
    let shop = insert_nine_tickets(whole);
    let draw = |series: &NumberSeries, ticket| {
        run_office_write(whole, |tx| tx.tickets().allocate_number(shop.tenant.id, series, ticket_id(ticket)))
    };
    let (till, handheld) = (fiscal_series(&shop, ""), NumberSeries::of(shop.handheld.id, &parse_label("")));
    assert_eq!(
        [draw(&till, 1), draw(&till, 2), draw(&handheld, 3), draw(&fiscal_series(&shop, "eKasa"), 4)],
        [1, 2, 1, 1]
    );
    let failed: StoreResult<u64> = whole.office.write(|tx| {
        tx.tickets().allocate_number(shop.tenant.id, &till, ticket_id(5))?;
        Err(tillgate_domain::StoreError::Fault("on purpose".into()))
    });
    assert!(failed.is_err());
    assert_eq!(draw(&till, 5), 3);
    // the fiscal memory is one, whichever device it numbers for
    let shared = NumberSeries::of(shop.handheld.id, &parse_label("eKasa"));
    assert_eq!(draw(&shared, 6), 2);
    // and however its name is spelled
    assert_eq!([draw(&fiscal_series(&shop, "EKASA"), 7), draw(&fiscal_series(&shop, " ekasa "), 8)], [3, 4]);
}

/// A number that was given is nobody else's in its series, and is passed over by those that are drawn.
pub fn number_of_a_series_is_unique(whole: &StoreHarness) {
    let shop = insert_nine_tickets(whole);
    let far = ticket_samples::foreign_ticket(&shop, 1);
    assert!(insert_ticket(whole, &far));
    let give_in = |tenant, fiscal: &str, number, ticket| {
        run_office_write(whole, |tx| {
            tx.tickets().assign_number(tenant, &fiscal_series(&shop, fiscal), number, ticket_id(ticket))
        })
    };
    let give = |fiscal: &str, number, ticket| give_in(shop.tenant.id, fiscal, number, ticket);
    let draw = |fiscal: &str, ticket| {
        run_office_write(whole, |tx| {
            tx.tickets().allocate_number(shop.tenant.id, &fiscal_series(&shop, fiscal), ticket_id(ticket))
        })
    };
    assert!(give("FM1", 2, 1));
    assert!(!give("FM1", 2, 2) && !give("fm1 ", 2, 2));
    assert!(give("FM2", 2, 2) && give("", 2, 3), "of another series");
    assert!(give_in(shop.other_tenant.id, "FM1", 2, 1), "of another tenant");
    assert!(give("FM1", 3, 4) && give("FM1", 5, 5));
    // the largest there are, which no draw comes to
    assert!(give("FM1", u64::MAX, 6) && give("FM1", i64::MAX.unsigned_abs(), 7));
    assert!(!give("FM1", u64::MAX, 8) && !give("FM1", i64::MAX.unsigned_abs(), 8));
    assert_eq!([draw("FM1", 2), draw("FM1", 3), draw("FM1", 8), draw("FM1", 9)], [1, 4, 6, 7]);
    assert!(!give("FM1", 4, 1), "one that was drawn");
    let rolled_back: StoreResult<bool> = whole.office.write(|tx| {
        tx.tickets().assign_number(shop.tenant.id, &fiscal_series(&shop, "FM1"), 8, ticket_id(1))?;
        Err(tillgate_domain::StoreError::Fault("on purpose".into()))
    });
    assert!(rolled_back.is_err());
    assert!(give("FM1", 8, 1), "what was rolled back was not given");
}

/// Of two updates of one version one is kept.
pub fn concurrent_ticket_updates_succeed_once(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let first = new_ticket(&shop, 1, tea_draft(&shop, "3"));
    assert!(insert_ticket(whole, &first));
    let crossing = Rendezvous::default();
    let change = |after: fn(&Ticket, &ContractFixture) -> Ticket| {
        run_office_write(whole, |tx| {
            let read = tx.tickets().find(shop.tenant.id, ticket_id(1))?.unwrap();
            crossing.wait();
            // as it was read, or as it was before the other: one version is what both saw
            let seen = if read.version == 1 { read } else { first.clone() };
            tx.tickets().update(&after(&seen, &shop))
        })
    };
    let close: fn(&Ticket, &ContractFixture) -> Ticket = |ticket, shop| close_ticket(ticket, shop, 1);
    let rename: fn(&Ticket, &ContractFixture) -> Ticket = |ticket, shop| rename_ticket(ticket, "other", shop);
    let (one, other) = run_both(|| change(close), || change(rename));
    assert!(one ^ other, "{one} {other}");
    let now = find_ticket(whole, shop.tenant.id, ticket_id(1)).unwrap();
    assert_eq!((now.version, now.state.status() == TicketStatus::Closed), (2, one));
}

/// Of two tickets of one id one is added.
pub fn concurrent_inserts_of_one_ticket_id_succeed_once(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let crossing = Rendezvous::default();
    let open = |price: &'static str| {
        let ticket = new_ticket(&shop, 1, tea_draft(&shop, price));
        run_office_write(whole, |tx| {
            tx.tickets().find(shop.tenant.id, ticket_id(1))?;
            crossing.wait();
            tx.tickets().insert(&ticket)
        })
    };
    let (one, other) = run_both(|| open("1"), || open("2"));
    assert!(one ^ other, "{one} {other}");
    let kept = find_ticket(whole, shop.tenant.id, ticket_id(1)).unwrap().sheet.payable();
    assert_eq!(kept, if one { "1" } else { "2" }.parse::<Amount>().unwrap());
}

/// Of two who take back the same goods one finds that they are back: whoever claims the sold ticket sees what the one before has
/// written.
pub fn concurrent_refunds_of_a_ticket_see_each_other(whole: &StoreHarness) {
    let shop = ContractFixture::insert_into(&whole.auth);
    let open = new_ticket(&shop, 1, tea_draft(&shop, "3"));
    assert!(insert_ticket(whole, &open) && update_ticket(whole, &close_ticket(&open, &shop, 1)));
    let crossing = Rendezvous::default();
    let take_back = |number: u8| {
        run_office_write(whole, |tx| {
            let sold = tx.tickets().find(shop.tenant.id, ticket_id(1))?.unwrap();
            crossing.wait();
            tx.tickets().claim(shop.tenant.id, sold.id)?;
            let others = tx.tickets().list_refunds(shop.tenant.id, sold.id)?;
            let all = [(1, "1".parse().unwrap())].into();
            match refund(&sold, &others, &all, sample_opening(&shop, number), &ticket_actor(&shop)) {
                Ok(back) => tx.tickets().insert(&back),
                Err(_) => Ok(false),
            }
        })
    };
    let (one, other) = run_both(|| take_back(2), || take_back(3));
    assert!(one ^ other, "{one} {other}");
    assert_eq!(whole.office.read(|tx| tx.tickets().list_refunds(shop.tenant.id, ticket_id(1))).unwrap().len(), 1);
}

/// Two who draw numbers of one series at once get two.
pub fn concurrent_numbers_differ(whole: &StoreHarness) {
    let shop = insert_nine_tickets(whole);
    let crossing = Rendezvous::default();
    let draw = |ticket: u8| {
        run_office_write(whole, |tx| {
            crossing.wait();
            tx.tickets().allocate_number(shop.tenant.id, &fiscal_series(&shop, "eKasa"), ticket_id(ticket))
        })
    };
    let (one, other) = run_both(|| draw(1), || draw(2));
    assert_eq!(one + other, 3, "{one} {other}");
}

/// Of two who give one number one has it, and who draws it meanwhile gets another.
pub fn concurrent_use_of_one_number_succeeds_once(whole: &StoreHarness) {
    let shop = insert_nine_tickets(whole);
    let crossing = Rendezvous::default();
    let give = |ticket: u8| {
        run_office_write(whole, |tx| {
            crossing.wait();
            tx.tickets().assign_number(shop.tenant.id, &fiscal_series(&shop, "eKasa"), 1, ticket_id(ticket))
        })
    };
    let (one, other) = run_both(|| give(1), || give(2));
    assert!(one ^ other, "{one} {other}");
    let crossing = Rendezvous::default();
    let meet = |act: &dyn Fn(&mut (dyn OfficeTx + '_)) -> StoreResult<u64>| {
        run_office_write(whole, |tx| {
            crossing.wait();
            act(tx)
        })
    };
    let give = |tx: &mut (dyn OfficeTx + '_)| {
        tx.tickets().assign_number(shop.tenant.id, &fiscal_series(&shop, "FM1"), 1, ticket_id(3)).map(u64::from)
    };
    let draw = |tx: &mut (dyn OfficeTx + '_)| {
        tx.tickets().allocate_number(shop.tenant.id, &fiscal_series(&shop, "FM1"), ticket_id(4))
    };
    let (given, drawn) = run_both(|| meet(&give), || meet(&draw));
    assert_eq!(drawn, if given == 1 { 2 } else { 1 }, "given {given}");
}
