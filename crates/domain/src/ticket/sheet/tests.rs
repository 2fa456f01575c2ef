use super::*;
use crate::ticket::fixtures::{amount, blank, cash, euro, item};

#[test]
fn payable_is_sum_of_items_and_rounding() {
    let mut draft = blank();
    draft.items = vec![item(1, "5.363636", "1.234"), item(2, "1", "3")];
    draft.discount = "20".parse().unwrap();
    draft.rounding = Rounding::of_cash(amount("-0.04"), euro()).unwrap();
    let sheet = draft.check().unwrap();
    // 6.62 + 3.00, and 5.29 + 2.40.
    assert_eq!(sheet.totals().including_vat, amount("9.62"));
    assert_eq!(sheet.totals().after_discount_including_vat, amount("7.69"));
    assert_eq!(sheet.totals().discount_including_vat, amount("1.93"));
    assert_eq!(sheet.payable(), amount("7.65"));
    assert_eq!(blank().check().unwrap().payable(), Amount::ZERO);
}

#[test]
fn item_ids_are_unique() {
    let twice = Draft { items: vec![item(1, "1", "1"), item(2, "1", "1"), item(1, "2", "1")], ..blank() };
    assert_eq!(twice.check(), Err(TicketError::DuplicateItem(1)));
}

#[test]
fn free_id_is_above_the_taken_ones_as_long_as_there_is_one() {
    for (taken, free) in [(&[][..], 1), (&[7, 2], 8), (&[u32::MAX], 1), (&[1, u32::MAX, 2], 3)] {
        assert_eq!(find_free_id(&taken.iter().copied().collect()), free, "{taken:?}");
    }
}

#[test]
fn ticket_has_item_and_payment_limits() {
    let items = |count: usize| (0..count).map(|id| item(u32::try_from(id).unwrap(), "1", "1")).collect::<Vec<_>>();
    assert!(Draft { items: items(Sheet::MAX_ITEMS), ..blank() }.check().is_ok());
    let long = Draft { items: items(Sheet::MAX_ITEMS + 1), ..blank() }.check();
    assert_eq!(long, Err(TicketError::TooMany { what: "items", most: Sheet::MAX_ITEMS }));
    assert!(Draft { payments: vec![cash("1"); Sheet::MAX_PAYMENTS], ..blank() }.check().is_ok());
    let long = Draft { payments: vec![cash("1"); Sheet::MAX_PAYMENTS + 1], ..blank() }.check();
    assert_eq!(long, Err(TicketError::TooMany { what: "payments", most: Sheet::MAX_PAYMENTS }));
}

#[test]
fn item_sums_are_bounded_regardless_of_sign() {
    let large = |id| item(id, "999999999.999999", "9999");
    assert!(Draft { items: vec![large(1)], ..blank() }.check().is_ok());
    assert_eq!(Draft { items: vec![large(1), large(2)], ..blank() }.check(), Err(TicketError::TooLarge));
    let mut back = large(2).draft().clone();
    (back.kind, back.unit_price) = (crate::ticket::ItemKind::Negative, back.unit_price.negate());
    let items = vec![large(1), Item::new(back).unwrap()];
    assert_eq!(Draft { items, ..blank() }.check(), Err(TicketError::TooLarge));
    // Before discounts: what is given away must be in range, too.
    let free = Draft { items: vec![large(1), large(2)], discount: "100".parse().unwrap(), ..blank() };
    assert_eq!(free.check(), Err(TicketError::TooLarge));
    let rounding = Rounding::from_stored(amount("9999999999999.99"), Amount::ZERO);
    assert_eq!(Draft { items: vec![large(1)], rounding, ..blank() }.check(), Err(TicketError::TooLarge));
}

#[test]
fn amounts_must_be_representable_in_currency() {
    let blank = |code: &str| Draft::of(crate::ticket::fixtures::user(1), Currency::parse(code).unwrap());
    for (code, price, payable, odd) in
        [("EUR", "1.234", "1.23", "0.001"), ("KWD", "1.234", "1.234", "0.0001"), ("JPY", "100.4", "100", "0.4")]
    {
        let draft = Draft { items: vec![item(1, price, "1")], ..blank(code) };
        assert_eq!(draft.clone().check().unwrap().payable(), amount(payable), "{code}");
        let places = draft.currency.decimal_places();
        let paid = Draft { payments: vec![cash("1"), cash(odd)], ..draft.clone() };
        assert_eq!(paid.check(), Err(TicketError::Unpayable { payment: Some(1), places }), "{code}");
        let all = Draft {
            payments: vec![cash(odd), cash("1"), cash(odd)],
            rounding: Rounding::from_stored(amount(odd), Amount::ZERO),
            items: vec![item(1, price, "1"), item(1, price, "1")],
            ..draft.clone()
        };
        let unpayable = |payment| TicketError::Unpayable { payment, places };
        let expected = [TicketError::DuplicateItem(1), unpayable(None), unpayable(Some(0)), unpayable(Some(2))];
        assert_eq!(all.check(), Err(TicketError::Multiple(expected.to_vec())), "{code}");
        let rounded = Draft { rounding: Rounding::from_stored(amount(odd), Amount::ZERO), ..draft };
        assert_eq!(rounded.check(), Err(TicketError::Unpayable { payment: None, places }), "{code}");
    }
    // A ticket that was stored with two places keeps them.
    let kept = Currency::from_stored("JPY", 2).unwrap();
    let draft = Draft {
        items: vec![item(1, "100.4", "1")],
        payments: vec![cash("100.4")],
        ..Draft::of(crate::ticket::fixtures::user(1), kept)
    };
    assert_eq!(draft.check().unwrap().payable(), amount("100.4"));
}
