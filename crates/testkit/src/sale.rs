//! What the contract's cases sell: tickets of Anna's on the till of the [`Shop`].

use tillgate_domain::ticket::{
    Amount, Article, Currency, Draft, Hand, Item, ItemKind, Label, Line, Means, Meta, Note, Opening, Payment, Rate,
    Receipt, Settlement, Ticket, close, open,
};
use tillgate_domain::{DeviceId, Environment, KnownRight, Rights, TicketId};

use crate::shop::{START, Shop, at};

/// The id of the ticket of this number; ids are in the order of their numbers.
pub(crate) fn id(number: u8) -> TicketId {
    TicketId::new(START, [number; 10])
}

/// What is paid in where a case says nothing else.
pub(crate) fn euro() -> Currency {
    Currency::parse("EUR").unwrap()
}

/// Anna at the till, with every right.
pub(crate) fn hand(shop: &Shop) -> Hand {
    Hand {
        user: Some(shop.anna.id),
        device: Some((shop.till.id, Environment::CashRegister)),
        rights: Rights::of(&[KnownRight::Admin]),
    }
}

/// Something to drink, without VAT and discount.
pub(crate) fn line(id: u32, price: &str, quantity: &str) -> Line {
    Line {
        id,
        external_id: Label::default(),
        kind: ItemKind::Positive,
        article: Article { name: Label::parse("Čaj").unwrap(), discount_allowed: true, ..Article::default() },
        comment: Note::default(),
        unit_price: price.parse().unwrap(),
        quantity: quantity.parse().unwrap(),
        unit: Label::parse("ks").unwrap(),
        discount: Rate::ZERO,
    }
}

/// The same, checked.
pub(crate) fn item(id: u32, price: &str, quantity: &str) -> Item {
    Item::new(line(id, price, quantity)).unwrap()
}

/// Cash.
pub(crate) fn cash(amount: &str) -> Payment {
    Payment { means: Means::Cash, name: Label::parse("hotovosť").unwrap(), amount: amount.parse().unwrap() }
}

/// The ticket of this number is opened in the second of its number.
pub(crate) fn opening(shop: &Shop, number: u8) -> Opening {
    Opening { id: id(number), tenant: shop.tenant.id, at: at(u64::from(number)) }
}

/// An open ticket.
pub(crate) fn opened(shop: &Shop, number: u8, draft: Draft) -> Ticket {
    open(opening(shop, number), draft.check().unwrap(), &hand(shop)).unwrap()
}

/// The same on another device.
pub(crate) fn opened_on(shop: &Shop, number: u8, draft: Draft, device: DeviceId) -> Ticket {
    let there = Hand { device: Some((device, Environment::Pda)), ..hand(shop) };
    open(opening(shop, number), draft.check().unwrap(), &there).unwrap()
}

/// A ticket of the other vendor.
pub(crate) fn far(shop: &Shop, number: u8) -> Ticket {
    let there =
        Hand { user: Some(shop.namesake.id), device: Some((shop.far.id, Environment::CashRegister)), ..hand(shop) };
    let opening = Opening { tenant: shop.other.id, ..opening(shop, number) };
    let draft = Draft { items: vec![item(1, "8", "1")], ..Draft::of(shop.namesake.id, euro()) };
    open(opening, draft.check().unwrap(), &there).unwrap()
}

/// The ticket, paid to the cent.
pub(crate) fn closed(ticket: &Ticket, shop: &Shop, number: u64) -> Ticket {
    let due: Amount = ticket.sheet.payable();
    let payment = Payment { means: Means::Card, name: Label::default(), amount: due };
    let payments = if due.is_zero() { Vec::new() } else { vec![payment] };
    let extra = serde_json::json!({ "eKasa": { "okp": "a-b", "ok": true }, "fiscalMemorySerialNumber": null });
    let extra = Meta::new(extra.as_object().unwrap().clone().into()).unwrap();
    let receipt = Receipt { number, fiscal: Label::parse("eKasa").unwrap(), daily_sales_report: Some(3), extra };
    close(ticket, Settlement::new(Some(payments), receipt), &hand(shop), None, at(91)).unwrap()
}
