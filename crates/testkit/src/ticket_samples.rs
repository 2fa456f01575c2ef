//! What the contract's cases sell: tickets of Anna's on the till of the [`Shop`].

use tillgate_domain::ticket::{
    Amount, Article, Currency, Draft, Item, ItemDraft, ItemKind, Label, Meta, Note, Opening, Payment, PaymentMethod,
    Rate, Receipt, Settlement, Ticket, TicketActor, close, open,
};
use tillgate_domain::{DeviceId, Environment, KnownRight, Rights, TicketId};

use crate::contract_fixture::{ContractFixture, FIXTURE_START, after_start};

/// The id of the ticket of this number; ids are in the order of their numbers.
pub(crate) fn ticket_id(number: u8) -> TicketId {
    TicketId::new(FIXTURE_START, [number; 10])
}

/// What is paid in where a case says nothing else.
pub(crate) fn euro() -> Currency {
    Currency::parse("EUR").unwrap()
}

/// Anna at the till, with every right.
pub(crate) fn ticket_actor(shop: &ContractFixture) -> TicketActor {
    TicketActor {
        user: Some(shop.anna.id),
        device: Some((shop.till.id, Environment::CashRegister)),
        rights: Rights::of(&[KnownRight::Admin]),
    }
}

/// Something to drink, without VAT and discount.
pub(crate) fn sample_line(id: u32, price: &str, quantity: &str) -> ItemDraft {
    ItemDraft {
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
pub(crate) fn sample_item(id: u32, price: &str, quantity: &str) -> Item {
    Item::new(sample_line(id, price, quantity)).unwrap()
}

/// Cash.
pub(crate) fn cash_payment(amount: &str) -> Payment {
    Payment { method: PaymentMethod::Cash, name: Label::parse("hotovosť").unwrap(), amount: amount.parse().unwrap() }
}

/// The ticket of this number is opened in the second of its number.
pub(crate) fn sample_opening(shop: &ContractFixture, number: u8) -> Opening {
    Opening { id: ticket_id(number), tenant: shop.tenant.id, at: after_start(u64::from(number)) }
}

/// An open ticket.
pub(crate) fn open_ticket(shop: &ContractFixture, number: u8, draft: Draft) -> Ticket {
    open(sample_opening(shop, number), draft.check().unwrap(), &ticket_actor(shop)).unwrap()
}

/// The same on another device.
pub(crate) fn open_ticket_on(shop: &ContractFixture, number: u8, draft: Draft, device: DeviceId) -> Ticket {
    let there = TicketActor { device: Some((device, Environment::Pda)), ..ticket_actor(shop) };
    open(sample_opening(shop, number), draft.check().unwrap(), &there).unwrap()
}

/// A ticket of the other vendor.
pub(crate) fn foreign_ticket(shop: &ContractFixture, number: u8) -> Ticket {
    let there = TicketActor {
        user: Some(shop.namesake.id),
        device: Some((shop.foreign_device.id, Environment::CashRegister)),
        ..ticket_actor(shop)
    };
    let opening = Opening { tenant: shop.other_tenant.id, ..sample_opening(shop, number) };
    let draft = Draft { items: vec![sample_item(1, "8", "1")], ..Draft::of(shop.namesake.id, euro()) };
    open(opening, draft.check().unwrap(), &there).unwrap()
}

/// The ticket, paid to the cent.
pub(crate) fn close_ticket(ticket: &Ticket, shop: &ContractFixture, number: u64) -> Ticket {
    let due: Amount = ticket.sheet.payable();
    let payment = Payment { method: PaymentMethod::Card, name: Label::default(), amount: due };
    let payments = if due.is_zero() { Vec::new() } else { vec![payment] };
    let extra = serde_json::json!({ "eKasa": { "okp": "a-b", "ok": true }, "fiscalMemorySerialNumber": null });
    let extra = Meta::new(extra.as_object().unwrap().clone().into()).unwrap();
    let receipt = Receipt { number, fiscal: Label::parse("eKasa").unwrap(), daily_sales_report: Some(3), extra };
    close(ticket, Settlement::new(Some(payments), receipt), &ticket_actor(shop), None, after_start(91)).unwrap()
}
