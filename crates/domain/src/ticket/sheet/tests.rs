use super::*;
use crate::ticket::sample::{amount, cash, item, sheet, user};

fn blank() -> Draft {
    Draft::of(user(1))
}

#[test]
fn a_ticket_is_the_sum_of_its_items_and_the_rounding() {
    let mut draft = blank();
    draft.items = vec![item(1, "5.363636", "1.234"), item(2, "1", "3")];
    draft.discount = "20".parse().unwrap();
    draft.rounding = Rounding::within(amount("-0.04"), amount("0.05")).unwrap();
    let sheet = draft.check().unwrap();
    // 6.62 + 3.00, and 5.29 + 2.40
    assert_eq!(sheet.totals().including_vat, amount("9.62"));
    assert_eq!(sheet.totals().after_discount_including_vat, amount("7.69"));
    assert_eq!(sheet.totals().discount_including_vat, amount("1.93"));
    assert_eq!(sheet.payable(), amount("7.65"));
    assert_eq!(blank().check().unwrap().payable(), Amount::ZERO);
}

#[test]
fn a_customer_brings_their_own_discount() {
    let customer = Customer { discount: "15".parse().unwrap(), ..Customer::default() };
    let draft = blank().sold_to(customer.clone());
    assert_eq!((draft.discount, draft.customer), (customer.discount, Some(customer)));
}

#[test]
fn items_have_ids_of_their_own() {
    let twice = Draft { items: vec![item(1, "1", "1"), item(2, "1", "1"), item(1, "2", "1")], ..blank() };
    assert_eq!(twice.check(), Err(TicketRefused::Twice(1)));
    assert_eq!(sheet(Vec::new()).next_item(), 1);
    assert_eq!(sheet(vec![item(7, "1", "1"), item(2, "1", "1")]).next_item(), 8);
}

#[test]
fn a_ticket_has_bounds() {
    let items = |count: usize| (0..count).map(|id| item(u32::try_from(id).unwrap(), "1", "1")).collect::<Vec<_>>();
    assert!(Draft { items: items(Sheet::ITEMS), ..blank() }.check().is_ok());
    let long = Draft { items: items(Sheet::ITEMS + 1), ..blank() }.check();
    assert_eq!(long, Err(TicketRefused::TooMany { what: "items", most: Sheet::ITEMS }));
    assert!(Draft { payments: vec![cash("1"); Sheet::PAYMENTS], ..blank() }.check().is_ok());
    let long = Draft { payments: vec![cash("1"); Sheet::PAYMENTS + 1], ..blank() }.check();
    assert_eq!(long, Err(TicketRefused::TooMany { what: "payments", most: Sheet::PAYMENTS }));
}

#[test]
fn what_items_come_to_has_room_whichever_way_they_count() {
    let large = |id| item(id, "999999999.999999", "9999");
    assert!(Draft { items: vec![large(1)], ..blank() }.check().is_ok());
    assert_eq!(Draft { items: vec![large(1), large(2)], ..blank() }.check(), Err(TicketRefused::TooLarge));
    let mut back = large(2).line().clone();
    (back.kind, back.unit_price) = (crate::ticket::ItemKind::Negative, back.unit_price.opposite());
    let items = vec![large(1), Item::new(back).unwrap()];
    assert_eq!(Draft { items, ..blank() }.check(), Err(TicketRefused::TooLarge));
    // Before discounts: what is given away has to have room too.
    let free = Draft { items: vec![large(1), large(2)], discount: "100".parse().unwrap(), ..blank() };
    assert_eq!(free.check(), Err(TicketRefused::TooLarge));
    let rounding = Rounding::kept(Amount::from_units(Amount::MOST).unwrap());
    assert_eq!(Draft { items: vec![large(1)], rounding, ..blank() }.check(), Err(TicketRefused::TooLarge));
}
