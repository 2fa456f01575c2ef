use super::*;
use crate::Instant;
use crate::ticket::fixtures::{
    actor, admin, amount, blank, cash, closed_ticket, euro, item, line, opened_ticket, opening, receipt, sheet, user,
};
use crate::ticket::{Currency, ItemKind, Note, Settlement, amend, close, void};

fn of(items: &[(u32, &str)]) -> BTreeMap<u32, Quantity> {
    items.iter().map(|(id, quantity)| (*id, quantity.parse().unwrap())).collect()
}

fn sold_ticket(items: Vec<Item>) -> Ticket {
    closed_ticket(&opened_ticket(sheet(items)))
}

fn with_rounding(items: Vec<Item>, rounding: &str) -> Ticket {
    let rounding = Rounding::of_cash(amount(rounding), euro()).unwrap();
    closed_ticket(&opened_ticket(Draft { items, rounding, ..blank() }.check().unwrap()))
}

/// Refunds these quantities one after the other; returns what each gives back.
fn refunded_amounts(sold: &Ticket, parts: &[&[(u32, &str)]]) -> Vec<String> {
    let mut refunds = Vec::new();
    for (number, part) in (200..).zip(parts) {
        refunds.push(refund(sold, &refunds, &of(part), opening(number), &admin(2)).unwrap());
    }
    refunds.iter().map(|refund| refund.sheet.money(refund.sheet.payable().negate()).to_string()).collect()
}

#[test]
fn refund_is_new_ticket_that_mirrors_sold_items() {
    let mut taxed = line(1, "5.363636", "1.234");
    taxed.article.vat = Some("10".parse().unwrap());
    let draft =
        Draft { items: vec![Item::new(taxed).unwrap(), item(2, "1", "1")], discount: "20".parse().unwrap(), ..blank() };
    let sold = closed_ticket(&opened_ticket(draft.check().unwrap()));
    let made = refund(&sold, &[], &of(&[(1, "1.234")]), opening(200), &actor(2, &["ticketCreate", "storno"])).unwrap();
    assert_eq!((made.refund_of, made.id, made.version), (Some(sold.id), opening(200).id, 1));
    assert_eq!((made.sheet.owner, &made.state), (user(2), &TicketState::Open));
    assert_eq!((made.tenant, made.sheet.currency), (sold.tenant, sold.sheet.currency));
    assert_eq!(made.sheet.items.len(), 1);
    let back = &made.sheet.items[0];
    assert_eq!((back.id, back.kind, back.unit_price.to_string()), (1, ItemKind::Returned, "-5.363636".to_owned()));
    assert_eq!(made.sheet.payable(), amount("-5.82"));
    assert_eq!(made.sheet.rounding, Rounding::NONE);
    assert_eq!(closed_ticket(&made).change_due(), Ok(amount("0")));
    assert_eq!(Ticket::restore(made.record().clone()), Ok(made));
}

#[test]
fn partial_refunds_return_exact_amount_paid() {
    let cent = || sold_ticket(vec![item(1, "0.01", "1")]);
    let two = || sold_ticket(vec![item(1, "10", "3"), item(2, "5", "1")]);
    for (what, ticket, parts, expected) in [
        ("two halves of a cent", cent(), &[&[(1, "0.5")][..], &[(1, "0.5")]][..], &["0.01", "0.00"][..]),
        ("many parts of a cent", cent(), &[&[(1, "0.4")], &[(1, "0.4")], &[(1, "0.2")]], &["0.00", "0.01", "0.00"]),
        (
            "each part of an item is its share of what the item cost, not of what a part would cost",
            sold_ticket(vec![item(1, "0.005", "2"), item(2, "10", "1")]),
            &[&[(1, "1")], &[(1, "1")], &[(2, "1")]],
            &["0.01", "0.00", "10.00"],
        ),
        ("all at once", two(), &[&[(1, "3"), (2, "1")]], &["35.00"]),
        ("one by one", two(), &[&[(1, "1")], &[(2, "1")], &[(1, "2")]], &["10.00", "5.00", "20.00"]),
        (
            "rounded up: the last gives the rounding too",
            with_rounding(vec![item(1, "1", "2")], "0.04"),
            &[&[(1, "1")], &[(1, "1")]],
            &["1.00", "1.04"],
        ),
        (
            "rounded down: the last gives less",
            with_rounding(vec![item(1, "1", "2")], "-0.04"),
            &[&[(1, "1")], &[(1, "1")]],
            &["1.00", "0.96"],
        ),
        (
            "rounded down to nothing",
            with_rounding(vec![item(1, "0.02", "2")], "-0.04"),
            &[&[(1, "1")], &[(1, "1")]],
            &["0.00", "0.00"],
        ),
    ] {
        assert_eq!(refunded_amounts(&ticket, parts), expected, "{what}");
    }
}

#[test]
fn refund_of_negative_item_has_opposite_sign() {
    let mut bottle = line(2, "-3", "1");
    bottle.kind = ItemKind::Negative;
    let ticket = || sold_ticket(vec![item(1, "10", "1"), Item::new(bottle.clone()).unwrap()]);
    assert_eq!(ticket().sheet.payable(), amount("7.00"));
    assert_eq!(refunded_amounts(&ticket(), &[&[(1, "1"), (2, "1")]]), ["7.00"]);
    // Items are refunded for what they cost, in any order, and a deposit for what was paid out for
    // it.
    assert_eq!(refunded_amounts(&ticket(), &[&[(1, "1")], &[(2, "1")]]), ["10.00", "-3.00"]);
    assert_eq!(refunded_amounts(&ticket(), &[&[(2, "1")], &[(1, "1")]]), ["-3.00", "10.00"]);
    // If the customer was paid, refunding everything makes the customer pay it back.
    let paid_out = sold_ticket(vec![item(1, "1", "1"), Item::new(bottle.clone()).unwrap()]);
    assert_eq!(refunded_amounts(&paid_out, &[&[(1, "1")], &[(2, "1")]]), ["1.00", "-3.00"]);
    let made = refund(&paid_out, &[], &of(&[(2, "1")]), opening(200), &admin(1)).unwrap();
    assert_eq!(made.sheet.items[0].kind, ItemKind::Positive);
}

#[test]
fn refund_cannot_exceed_sold_quantity() {
    let ticket = sold_ticket(vec![item(1, "10", "3"), item(2, "5", "1")]);
    let more = |refunds: &[Ticket], id, quantity: &str| {
        refund(&ticket, refunds, &of(&[(id, quantity)]), opening(300), &admin(1)).err()
    };
    let left = |item, left: &str| Some(TicketError::RefundTooLarge { item, left: left.to_owned() });
    assert_eq!(more(&[], 1, "3.000001"), left(1, "3.000000"));
    assert_eq!(more(&[], 3, "1"), Some(TicketError::UnknownItem(3)));
    let several = refund(&ticket, &[], &of(&[(4, "1"), (1, "9"), (3, "1")]), opening(300), &admin(1)).err();
    assert_eq!(several, Some(TicketError::Multiple(vec![TicketError::UnknownItem(3), TicketError::UnknownItem(4)])));
    let both = refund(&ticket, &[], &of(&[(1, "0"), (3, "1")]), opening(300), &admin(1)).err();
    assert_eq!(both, Some(TicketError::Multiple(vec![TicketError::EmptyRefund, TicketError::UnknownItem(3)])));
    let first = refund(&ticket, &[], &of(&[(1, "2"), (2, "1")]), opening(200), &admin(1)).unwrap();
    for refunds in [vec![first.clone()], vec![closed_ticket(&first)]] {
        assert_eq!(more(&refunds, 1, "1.000001"), left(1, "1.000000"));
        assert_eq!(more(&refunds, 2, "0.000001"), left(2, "0.000000"));
        assert_eq!(more(&refunds, 1, "1"), None);
    }
    let gone = void(&first, Note::default(), &admin(1), None, Instant::default()).unwrap();
    assert_eq!(more(&[gone], 1, "3"), None, "a void refund took nothing");
    let other = sold_ticket(vec![item(1, "1", "9")]);
    let foreign = TicketRecord { id: opening(101).id, ..other.record().clone() };
    let foreign = Ticket::restore(foreign).unwrap();
    let of_another = refund(&foreign, &[], &of(&[(1, "9")]), opening(201), &admin(1)).unwrap();
    assert_eq!(more(&[of_another], 1, "3"), None, "a refund of another ticket counts for that");
}

#[test]
fn refund_requires_closed_ticket_and_rights() {
    let open = opened_ticket(sheet(vec![item(1, "10", "3")]));
    let ticket = closed_ticket(&open);
    let one = of(&[(1, "1")]);
    let of_ticket = |ticket: &Ticket, items: &BTreeMap<u32, Quantity>, hand: &TicketActor| {
        refund(ticket, &[], items, opening(200), hand).map_err(|refused| refused.code()).err()
    };
    assert_eq!(of_ticket(&ticket, &one, &admin(1)), None);
    assert_eq!(of_ticket(&open, &one, &admin(1)), Some("refund_not_sold"));
    assert_eq!(of_ticket(&ticket, &BTreeMap::new(), &admin(1)), Some("refund_empty"));
    for nothing in ["0", "-1"] {
        assert_eq!(of_ticket(&ticket, &of(&[(1, nothing)]), &admin(1)), Some("refund_empty"), "{nothing}");
    }
    let back = closed_ticket(&refund(&ticket, &[], &one, opening(200), &admin(1)).unwrap());
    assert_eq!(of_ticket(&back, &one, &admin(1)), Some("refund_of_refund"));
    assert_eq!(of_ticket(&ticket, &one, &actor(1, &["ticketCreate"])), Some("right_missing"));
    assert_eq!(of_ticket(&ticket, &one, &actor(1, &["storno"])), Some("right_missing"));
    assert_eq!(of_ticket(&ticket, &one, &TicketActor { device: None, ..admin(1) }), Some("sale_device_needed"));
}

/// The refund with another rounding, paid out in cash.
fn paid_out(refund: &Ticket, rounding: &str, paid: &str) -> Ticket {
    let rounding = refund.sheet.rounding.with_amount(amount(rounding), refund.sheet.currency).unwrap();
    let wanted = Draft { rounding, ..refund.sheet.draft().clone() }.check().unwrap();
    let changed = amend(refund, wanted, &admin(2), Some(&[1]), Instant::default()).unwrap().ticket;
    close(&changed, Settlement::new(Some(vec![cash(paid)]), receipt()), &admin(2), Some(&[2]), Instant::default())
        .unwrap()
}

#[test]
fn cash_refund_is_rounded_as_sale_was() {
    let sold = with_rounding(vec![item(1, "5.20", "1"), item(2, "5.03", "1")], "0.02");
    assert_eq!(sold.sheet.payable(), amount("10.25"));
    let first = refund(&sold, &[], &of(&[(2, "1")]), opening(200), &admin(2)).unwrap();
    assert_eq!(first.sheet.payable(), amount("-5.03"));
    let first = paid_out(&first, "-0.02", "-5.05");
    // The last one returns what is left, which is what was not rounded away yet.
    let last = refund(&sold, &[first], &of(&[(1, "1")]), opening(201), &admin(2)).unwrap();
    assert_eq!(last.sheet.payable(), amount("-5.20"));
}

#[test]
fn cash_rounding_of_refunds_does_not_exceed_amount_paid_for_goods() {
    let sold = sold_ticket(vec![item(1, "0.03", "100")]);
    let (mut refunds, mut given) = (Vec::new(), 0);
    for number in 0..99_u32 {
        let made = refund(&sold, &refunds, &of(&[(1, "1")]), opening(200 + u128::from(number)), &admin(2)).unwrap();
        let due = made.sheet.payable();
        given -= due.ten_thousandths();
        refunds.push(if due == amount("-0.03") {
            given += 200;
            paid_out(&made, "-0.02", "-0.05")
        } else {
            closed_ticket(&made)
        });
    }
    assert!(given <= sold.sheet.payable().ten_thousandths() + 200, "{given}: one rounding more at most");
    let last = refund(&sold, &refunds, &of(&[(1, "1")]), opening(400), &admin(2)).unwrap();
    given -= last.sheet.payable().ten_thousandths();
    assert_eq!(given, sold.sheet.payable().ten_thousandths(), "and the last makes it good");
}

#[test]
fn refund_uses_currency_places_of_sold_ticket() {
    for (currency, price, back) in [
        (Currency::parse("KWD").unwrap(), "1.001", ["0.501", "0.500"]),
        (Currency::parse("JPY").unwrap(), "101", ["51", "50"]),
        // As stored when every currency had two places.
        (Currency::from_stored("JPY", 2).unwrap(), "100.41", ["50.21", "50.20"]),
    ] {
        let draft = Draft { items: vec![item(1, price, "1")], ..Draft::of(user(1), currency) };
        let sold = closed_ticket(&opened_ticket(draft.check().unwrap()));
        assert_eq!(refunded_amounts(&sold, &[&[(1, "0.5")], &[(1, "0.5")]]), back, "{currency} {price}");
    }
}
