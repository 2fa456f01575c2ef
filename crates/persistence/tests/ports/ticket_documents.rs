//! Stored documents of tickets: those written before they contained their decimal places, their
//! size, and the receipt numbers that a migration finds.

use serde_json::{Value, json};
use tillgate_domain::TicketId;
use tillgate_domain::ticket::{
    Amount, Article, Currency, Customer, Draft, Item, ItemDraft, Label, Location, Meta, Note, NumberSeries, Opening,
    Payment, PaymentMethod, Receipt, Rounding, Settlement, Ticket, close, open, refund,
};
use tillgate_testkit::DatabaseEngine;

use crate::test_database::{RawConnection, StoreFixture, TestDatabase, at, uuid};
use crate::tickets::{open_ticket, ticket_actor};

fn parse_label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

fn parse_amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn new_meta(object: &Value) -> Meta {
    Meta::new(object.as_object().unwrap().clone().into()).unwrap()
}

fn find_ticket(fresh: &TestDatabase, id: TicketId) -> Ticket {
    fresh.write_office(|tx| tx.tickets().find(StoreFixture::default().tenant.id, id)).unwrap()
}

fn insert_ticket(fresh: &TestDatabase, ticket: &Ticket) {
    assert!(fresh.write_office(|tx| tx.tickets().insert(ticket)));
}

/// An item in which every member is present, empty or not, as earlier versions wrote it.
fn old_item_json(unit_price: i64) -> Value {
    json!({
        "id": 1, "external_id": "", "kind": "Positive",
        "article": { "name": "", "description": "", "stock": "", "code": "", "category": "", "kind": "", "vat_category": "",
                     "vat": null, "discount_allowed": false, "price_fixed": false, "splittable": false,
                     "cashback_allowed": false, "order_endpoints": [] },
        "comment": "", "unit_price": unit_price, "quantity": 1_000_000, "unit": "", "discount": 0,
    })
}

/// Replaces the document of an open ticket.
fn replace_document(fresh: &TestDatabase, currency: &str, rounding: i64, item: &Value, payments: &Value) {
    let document = json!({
        "owner": StoreFixture::default().anna.id, "external_id": "", "name": "", "zone": "", "table": "", "customer": null,
        "discount": 0, "rounding": rounding, "items": [item], "payments": payments,
    });
    fresh
        .raw()
        .execute(&format!("UPDATE tickets SET currency = '{currency}', sheet = '{document}' WHERE state = 'open'"));
}

tillgate_testkit::on_both_databases!(
    amounts_stored_in_hundredths_are_kept_and_usable,
    rounding_of_an_old_refund_is_its_whole_share,
    ticket_size_estimate_is_tight,
    migration_finds_the_numbers_of_receipts
);

fn amounts_stored_in_hundredths_are_kept_and_usable(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let fixture = StoreFixture::default();
    insert_ticket(fresh, &open_ticket(&fixture, 1));
    // 100 yen and 40 hundredths, which cannot be paid today, and a rounding larger than any
    // coin
    let paid = json!([{ "means": "card", "name": "", "amount": 10_000 }]);
    replace_document(fresh, "JPY", 90, &old_item_json(100_400_000), &paid);
    let ticket = find_ticket(fresh, TicketId(uuid(1)));
    assert_eq!(ticket.sheet.payable(), parse_amount("101.30"));
    assert_eq!(ticket.sheet.payments[0].amount, parse_amount("100"));
    assert_eq!(ticket.sheet.currency, Currency::from_stored("JPY", 2).unwrap());
    let card = Payment { method: PaymentMethod::Card, name: parse_label(""), amount: parse_amount("101.30") };
    let receipt = Receipt { number: 1, fiscal: parse_label(""), daily_sales_report: None, extra: Meta::default() };
    let settlement = Settlement::new(Some(vec![card]), receipt);
    let sold = close(&ticket, settlement, &ticket_actor(&fixture), None, at(9)).unwrap();
    assert!(fresh.write_office(|tx| tx.tickets().update(&sold)));
    assert_eq!(find_ticket(fresh, sold.id), sold);
    let opening = Opening { id: TicketId(uuid(2)), tenant: fixture.tenant.id, at: at(10) };
    let back = refund(&sold, &[], &[(1, "1".parse().unwrap())].into(), opening, &ticket_actor(&fixture)).unwrap();
    assert_eq!(back.sheet.payable(), parse_amount("-101.30"));
    insert_ticket(fresh, &back);
    assert_eq!(find_ticket(fresh, back.id), back);
}

fn rounding_of_an_old_refund_is_its_whole_share(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let fixture = StoreFixture::default();
    insert_ticket(fresh, &open_ticket(&fixture, 1));
    let sold = crate::tickets::close_ticket(&find_ticket(fresh, TicketId(uuid(1))), &fixture);
    assert!(fresh.write_office(|tx| tx.tickets().update(&sold)));
    let opening = Opening { id: TicketId(uuid(2)), tenant: fixture.tenant.id, at: at(10) };
    insert_ticket(
        fresh,
        &refund(&sold, &[], &[(1, "1".parse().unwrap())].into(), opening, &ticket_actor(&fixture)).unwrap(),
    );
    replace_document(fresh, "EUR", 300, &old_item_json(-10_000_000), &json!([]));
    let back = find_ticket(fresh, TicketId(uuid(2)));
    assert_eq!(back.sheet.payable(), parse_amount("-7"));
    let euro = back.sheet.currency;
    assert_eq!(back.sheet.rounding.share(), parse_amount("3"));
    assert!(
        back.sheet.rounding.with_amount(parse_amount("2.98"), euro).is_ok()
            && back.sheet.rounding.with_amount(parse_amount("0"), euro).is_err()
    );
}

fn ticket_size_estimate_is_tight(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let fixture = StoreFixture::default();
    let plain = |id: u32| ItemDraft { id, ..open_ticket(&fixture, 1).sheet.items[0].draft().clone() };
    let full = |id: u32| {
        let text = "\"quoted\" \\ and\n\tčaj ".repeat(8);
        let long = Note::parse(&text).unwrap();
        let short = || parse_label(&text.chars().take(60).collect::<String>());
        let rate = || "99.999999".parse().unwrap();
        let article = Article {
            name: short(),
            description: long.clone(),
            stock: short(),
            code: short(),
            category: short(),
            kind: short(),
            vat_category: short(),
            vat: Some(rate()),
            discount_allowed: false,
            price_fixed: true,
            splittable: true,
            cashback_allowed: true,
            order_endpoints: vec![short(), parse_label(""), short()],
            extra: new_meta(&json!({ "specialRegulation": "Used\"Good" })),
        };
        let line = plain(id);
        let unit_price = "-999999.999999".parse().unwrap();
        let quantity = "-999.999999".parse().unwrap();
        ItemDraft {
            external_id: short(),
            article,
            comment: long,
            unit: short(),
            discount: rate(),
            unit_price,
            quantity,
            ..line
        }
    };
    let items = |lines: Vec<ItemDraft>| lines.into_iter().map(|line| Item::new(line).unwrap()).collect::<Vec<_>>();
    let euro = Currency::parse("EUR").unwrap();
    let customer = Customer {
        full_name: parse_label("Jana \"J\""),
        credit: "99.5".parse().unwrap(),
        meta: new_meta(&json!({ "a": ["\"", 1.5, null] })),
        extra: new_meta(&json!({ "address": { "street": "x".repeat(500) } })),
        ..Customer::default()
    };
    let cash =
        |text: &str| Payment { method: PaymentMethod::Voucher, name: parse_label("\"\\"), amount: parse_amount(text) };
    let blank = || Draft::of(fixture.anna.id, euro);
    let drafts = [
        blank(),
        Draft { items: items(vec![plain(1)]), ..blank() },
        Draft { items: items((1..=400).map(plain).collect()), ..blank() },
        Draft { items: items((u32::MAX - 9..=u32::MAX).map(full).collect()), ..blank() },
        Draft {
            customer: Some(customer),
            location: Location { zone: parse_label("garden\n"), table: parse_label("5") },
            rounding: Rounding::of_cash(parse_amount("-0.04"), euro).unwrap(),
            payments: vec![cash("-9999999999999.99"), cash("0.01")],
            name: parse_label("\t"),
            ..blank()
        },
    ];
    for (number, draft) in (1..).zip(drafts) {
        let opening = Opening { id: TicketId(uuid(number)), tenant: fixture.tenant.id, at: at(number) };
        let ticket = open(opening, draft.check().unwrap(), &ticket_actor(&fixture)).unwrap();
        insert_ticket(fresh, &ticket);
        assert_eq!(find_ticket(fresh, ticket.id), ticket);
        let kept =
            fresh.raw().query_texts("SELECT sheet AS text FROM tickets ORDER BY opened_at DESC LIMIT 1")[0].len();
        let size = ticket.sheet.size_bytes();
        assert!(kept <= size && size <= kept * 3 / 2 + 256, "ticket {number}: {kept} bytes, size to be {size}");
    }
}

fn migration_finds_the_numbers_of_receipts(engine: DatabaseEngine) {
    let fresh = &TestDatabase::on(engine).with_fixture();
    let fixture = StoreFixture::default();
    for (number, fiscal, receipt) in [(1, "ekasa", 4), (2, "ekasa", 4), (3, "", 2), (4, "ekasa", 900), (5, "fm", 77)] {
        let ticket = open_ticket(&fixture, number);
        insert_ticket(fresh, &ticket);
        let card = Payment { method: PaymentMethod::Card, name: parse_label(""), amount: ticket.sheet.payable() };
        let receipt =
            Receipt { number: receipt, fiscal: parse_label(fiscal), daily_sales_report: None, extra: Meta::default() };
        let sold =
            close(&ticket, Settlement::new(Some(vec![card]), receipt), &ticket_actor(&fixture), None, at(90 + number));
        assert!(fresh.write_office(|tx| tx.tickets().update(sold.as_ref().unwrap())));
    }
    insert_ticket(fresh, &open_ticket(&fixture, 9));
    let (up, down) = match fresh.raw() {
        RawConnection::Sqlite(_) => (
            include_str!("../../../../migrations/sqlite/2026-11-28-000013_receipt_numbers/up.sql"),
            include_str!("../../../../migrations/sqlite/2026-11-28-000013_receipt_numbers/down.sql"),
        ),
        RawConnection::Postgres(_) => (
            include_str!("../../../../migrations/postgres/2026-11-28-000013_receipt_numbers/up.sql"),
            include_str!("../../../../migrations/postgres/2026-11-28-000013_receipt_numbers/down.sql"),
        ),
    };
    fresh.raw().execute(down);
    // the till has assigned five numbers, for itself and for the fiscal memory
    fresh.raw().execute(
        "INSERT INTO ticket_numbers (tenant_id, device_id, number) SELECT tenant_id, device_id, 5 FROM tickets LIMIT 1",
    );
    fresh.raw().execute(up);
    let nine = TicketId(uuid(9));
    let series = |fiscal: &str| NumberSeries::of(fixture.till.id, &parse_label(fiscal));
    let draw =
        |fiscal: &str| fresh.write_office(|tx| tx.tickets().allocate_number(fixture.tenant.id, &series(fiscal), nine));
    let give = |fiscal: &str, number| {
        fresh.write_office(|tx| tx.tickets().assign_number(fixture.tenant.id, &series(fiscal), number, nine))
    };
    assert_eq!([draw(""), draw("ekasa"), draw("fm")], [6, 5, 1]);
    assert!(!give("", 2) && !give("ekasa", 4) && !give("ekasa", 900) && !give("fm", 77));
    assert!(give("ekasa", 901) && give("fm", 4));
    // and back: the till continues where it was
    fresh.raw().execute(down);
    assert_eq!(fresh.raw().query_texts("SELECT CAST(number AS TEXT) AS text FROM ticket_numbers"), ["6"]);
    fresh.raw().execute(up);
}
