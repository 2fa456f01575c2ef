//! The documents of tickets: those that were written before there were decimal places in them, how large they are, and the numbers of
//! receipts that a migration finds.

use serde_json::{Value, json};
use tillgate_domain::TicketId;
use tillgate_domain::ticket::{
    Amount, Article, Currency, Customer, Draft, Item, Label, Line, Location, Means, Meta, Note, NumberSeries, Opening,
    Payment, Receipt, Rounding, Settlement, Ticket, close, open, refund,
};

use crate::on_both;
use crate::stores::{Fresh, Raw, Shop, at, uuid};
use crate::tickets::{hand, opened};

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn kept(object: &Value) -> Meta {
    Meta::new(object.as_object().unwrap().clone().into()).unwrap()
}

fn find(fresh: &Fresh, id: TicketId) -> Ticket {
    fresh.office(|tx| tx.tickets().find(Shop::default().tenant.id, id)).unwrap()
}

fn keep(fresh: &Fresh, ticket: &Ticket) {
    assert!(fresh.office(|tx| tx.tickets().insert(ticket)));
}

/// One item as it was written when everything was, empty or not.
fn old_item(unit_price: i64) -> Value {
    json!({
        "id": 1, "external_id": "", "kind": "Positive",
        "article": { "name": "", "description": "", "stock": "", "code": "", "category": "", "kind": "", "vat_category": "",
                     "vat": null, "discount_allowed": false, "price_fixed": false, "splittable": false,
                     "cashback_allowed": false, "order_endpoints": [] },
        "comment": "", "unit_price": unit_price, "quantity": 1_000_000, "unit": "", "discount": 0,
    })
}

/// Puts a document in the place of an open ticket's.
fn rewrite(fresh: &Fresh, currency: &str, rounding: i64, item: &Value, payments: &Value) {
    let document = json!({
        "owner": Shop::default().anna.id, "external_id": "", "name": "", "zone": "", "table": "", "customer": null,
        "discount": 0, "rounding": rounding, "items": [item], "payments": payments,
    });
    fresh.raw().sql(&format!("UPDATE tickets SET currency = '{currency}', sheet = '{document}' WHERE state = 'open'"));
}

on_both! {
    fn what_was_kept_in_hundredths_stays_so_and_can_be_closed_and_taken_back(fresh) {
        let shop = Shop::default();
        keep(fresh, &opened(&shop, 1));
        // a hundred yen and forty hundredths of one, which nobody can pay today; a rounding that is wider than any coin
        let paid = json!([{ "means": "card", "name": "", "amount": 10_000 }]);
        rewrite(fresh, "JPY", 90, &old_item(100_400_000), &paid);
        let ticket = find(fresh, TicketId(uuid(1)));
        assert_eq!(ticket.sheet.payable(), amount("101.30"));
        assert_eq!(ticket.sheet.payments[0].amount, amount("100"));
        assert_eq!(ticket.sheet.currency, Currency::kept("JPY", 2).unwrap());
        let card = Payment { means: Means::Card, name: label(""), amount: amount("101.30") };
        let receipt = Receipt { number: 1, fiscal: label(""), daily_sales_report: None, extra: Meta::default() };
        let settlement = Settlement::new(Some(vec![card]), receipt);
        let sold = close(&ticket, settlement, &hand(&shop), None, at(9)).unwrap();
        assert!(fresh.office(|tx| tx.tickets().update(&sold)));
        assert_eq!(find(fresh, sold.id), sold);
        let opening = Opening { id: TicketId(uuid(2)), tenant: shop.tenant.id, at: at(10) };
        let back = refund(&sold, &[], &[(1, "1".parse().unwrap())].into(), opening, &hand(&shop)).unwrap();
        assert_eq!(back.sheet.payable(), amount("-101.30"));
        keep(fresh, &back);
        assert_eq!(find(fresh, back.id), back);
    }

    fn the_rounding_of_a_refund_was_all_of_its_share(fresh) {
        let shop = Shop::default();
        keep(fresh, &opened(&shop, 1));
        let sold = crate::tickets::closed(&find(fresh, TicketId(uuid(1))), &shop);
        assert!(fresh.office(|tx| tx.tickets().update(&sold)));
        let opening = Opening { id: TicketId(uuid(2)), tenant: shop.tenant.id, at: at(10) };
        keep(fresh, &refund(&sold, &[], &[(1, "1".parse().unwrap())].into(), opening, &hand(&shop)).unwrap());
        rewrite(fresh, "EUR", 300, &old_item(-10_000_000), &json!([]));
        let back = find(fresh, TicketId(uuid(2)));
        assert_eq!(back.sheet.payable(), amount("-7"));
        let euro = back.sheet.currency;
        assert_eq!(back.sheet.rounding.share(), amount("3"));
        assert!(back.sheet.rounding.changed(amount("2.98"), euro).is_ok() && back.sheet.rounding.changed(amount("0"), euro).is_err());
    }

    fn a_ticket_is_as_large_as_it_says_and_hardly_less(fresh) {
        let shop = Shop::default();
        let plain = |id: u32| Line { id, ..opened(&shop, 1).sheet.items[0].line().clone() };
        let full = |id: u32| {
            let text = "\"quoted\" \\ and\n\tčaj ".repeat(8);
            let long = Note::parse(&text).unwrap();
            let short = || label(&text.chars().take(60).collect::<String>());
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
                order_endpoints: vec![short(), label(""), short()],
                extra: kept(&json!({ "specialRegulation": "Used\"Good" })),
            };
            let line = plain(id);
            let unit_price = "-999999.999999".parse().unwrap();
            let quantity = "-999.999999".parse().unwrap();
            Line { external_id: short(), article, comment: long, unit: short(), discount: rate(), unit_price, quantity, ..line }
        };
        let items = |lines: Vec<Line>| lines.into_iter().map(|line| Item::new(line).unwrap()).collect::<Vec<_>>();
        let euro = Currency::parse("EUR").unwrap();
        let customer = Customer {
            full_name: label("Jana \"J\""),
            credit: "99.5".parse().unwrap(),
            meta: kept(&json!({ "a": ["\"", 1.5, null] })),
            extra: kept(&json!({ "address": { "street": "x".repeat(500) } })),
            ..Customer::default()
        };
        let cash = |text: &str| Payment { means: Means::Voucher, name: label("\"\\"), amount: amount(text) };
        let blank = || Draft::of(shop.anna.id, euro);
        let drafts = [
            blank(),
            Draft { items: items(vec![plain(1)]), ..blank() },
            Draft { items: items((1..=400).map(plain).collect()), ..blank() },
            Draft { items: items((u32::MAX - 9..=u32::MAX).map(full).collect()), ..blank() },
            Draft {
                customer: Some(customer),
                location: Location { zone: label("garden\n"), table: label("5") },
                rounding: Rounding::of_cash(amount("-0.04"), euro).unwrap(),
                payments: vec![cash("-9999999999999.99"), cash("0.01")],
                name: label("\t"),
                ..blank()
            },
        ];
        for (number, draft) in (1..).zip(drafts) {
            let opening = Opening { id: TicketId(uuid(number)), tenant: shop.tenant.id, at: at(number) };
            let ticket = open(opening, draft.check().unwrap(), &hand(&shop)).unwrap();
            keep(fresh, &ticket);
            assert_eq!(find(fresh, ticket.id), ticket);
            let kept = fresh.raw().texts("SELECT sheet AS text FROM tickets ORDER BY opened_at DESC LIMIT 1")[0].len();
            let said = ticket.sheet.size();
            assert!(kept <= said && said <= kept * 3 / 2 + 256, "ticket {number}: {kept} bytes, said to be {said}");
        }
    }

    fn a_migration_finds_the_numbers_that_receipts_have(fresh) {
        let shop = Shop::default();
        for (number, fiscal, receipt) in [(1, "ekasa", 4), (2, "ekasa", 4), (3, "", 2), (4, "ekasa", 900), (5, "fm", 77)] {
            let ticket = opened(&shop, number);
            keep(fresh, &ticket);
            let card = Payment { means: Means::Card, name: label(""), amount: ticket.sheet.payable() };
            let receipt = Receipt { number: receipt, fiscal: label(fiscal), daily_sales_report: None, extra: Meta::default() };
            let sold = close(&ticket, Settlement::new(Some(vec![card]), receipt), &hand(&shop), None, at(90 + number));
            assert!(fresh.office(|tx| tx.tickets().update(sold.as_ref().unwrap())));
        }
        keep(fresh, &opened(&shop, 9));
        let (up, down) = match fresh.raw() {
            Raw::Sqlite(_) => (
                include_str!("../../../../migrations/sqlite/2026-11-28-000013_receipt_numbers/up.sql"),
                include_str!("../../../../migrations/sqlite/2026-11-28-000013_receipt_numbers/down.sql"),
            ),
            Raw::Postgres(_) => (
                include_str!("../../../../migrations/postgres/2026-11-28-000013_receipt_numbers/up.sql"),
                include_str!("../../../../migrations/postgres/2026-11-28-000013_receipt_numbers/down.sql"),
            ),
        };
        fresh.raw().sql(down);
        // the till has drawn five numbers, for itself and for the fiscal memory
        fresh.raw().sql("INSERT INTO ticket_numbers (tenant_id, device_id, number) SELECT tenant_id, device_id, 5 FROM tickets LIMIT 1");
        fresh.raw().sql(up);
        let nine = TicketId(uuid(9));
        let series = |fiscal: &str| NumberSeries::of(shop.till.id, &label(fiscal));
        let draw = |fiscal: &str| fresh.office(|tx| tx.tickets().draw_number(shop.tenant.id, &series(fiscal), nine));
        let give = |fiscal: &str, number| fresh.office(|tx| tx.tickets().give_number(shop.tenant.id, &series(fiscal), number, nine));
        assert_eq!([draw(""), draw("ekasa"), draw("fm")], [6, 5, 1]);
        assert!(!give("", 2) && !give("ekasa", 4) && !give("ekasa", 900) && !give("fm", 77));
        assert!(give("ekasa", 901) && give("fm", 4));
        // and back: the till goes on where it was
        fresh.raw().sql(down);
        assert_eq!(fresh.raw().texts("SELECT CAST(number AS TEXT) AS text FROM ticket_numbers"), ["6"]);
        fresh.raw().sql(up);
    }
}
