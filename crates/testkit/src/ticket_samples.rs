//! Tickets for the contract's cases: sold by Anna on the till of the [`ContractFixture`].

use tillgate_domain::ticket::{
    Amount, Article, Currency, Draft, Item, ItemDraft, ItemKind, Label, Meta, Note, Opening, Payment, PaymentMethod,
    Rate, Receipt, Settlement, Ticket, TicketActor, close, open,
};
use tillgate_domain::{Authority, DeviceId, Environment, KnownRight, Rights, TicketId};

use crate::contract_fixture::{ContractFixture, FIXTURE_START, after_start};

/// The id of the ticket with this number. Ids sort in the order of their numbers.
pub(crate) fn ticket_id(number: u8) -> TicketId {
    TicketId::new(FIXTURE_START, [number; 10])
}

/// The currency of tickets unless a case uses another.
pub(crate) fn euro() -> Currency {
    Currency::parse("EUR").unwrap()
}

/// Anna on the till, with every right.
pub(crate) fn ticket_actor(fixture: &ContractFixture) -> TicketActor {
    TicketActor {
        user: Some(fixture.anna.id),
        device: Some((fixture.till.id, Environment::CashRegister)),
        authority: Authority::Rights(Rights::of(&[KnownRight::Admin])),
    }
}

/// A drink, without VAT and discount.
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

/// The same line, validated.
pub(crate) fn sample_item(id: u32, price: &str, quantity: &str) -> Item {
    Item::new(sample_line(id, price, quantity)).unwrap()
}

/// A payment in cash.
pub(crate) fn cash_payment(amount: &str) -> Payment {
    Payment { method: PaymentMethod::Cash, name: Label::parse("hotovosť").unwrap(), amount: amount.parse().unwrap() }
}

/// The opening of the ticket with this number, `number` seconds after the start.
pub(crate) fn sample_opening(fixture: &ContractFixture, number: u8) -> Opening {
    Opening { id: ticket_id(number), tenant: fixture.tenant.id, at: after_start(u64::from(number)) }
}

/// An open ticket, opened on the till.
pub(crate) fn open_ticket(fixture: &ContractFixture, number: u8, draft: Draft) -> Ticket {
    open(sample_opening(fixture, number), draft.check().unwrap(), &ticket_actor(fixture)).unwrap()
}

/// An open ticket, opened on another device.
pub(crate) fn open_ticket_on(fixture: &ContractFixture, number: u8, draft: Draft, device: DeviceId) -> Ticket {
    let actor = TicketActor { device: Some((device, Environment::Pda)), ..ticket_actor(fixture) };
    open(sample_opening(fixture, number), draft.check().unwrap(), &actor).unwrap()
}

/// An open ticket of the other tenant.
pub(crate) fn foreign_ticket(fixture: &ContractFixture, number: u8) -> Ticket {
    let actor = TicketActor {
        user: Some(fixture.namesake.id),
        device: Some((fixture.foreign_device.id, Environment::CashRegister)),
        ..ticket_actor(fixture)
    };
    let opening = Opening { tenant: fixture.other_tenant.id, ..sample_opening(fixture, number) };
    let draft = Draft { items: vec![sample_item(1, "8", "1")], ..Draft::of(fixture.namesake.id, euro()) };
    open(opening, draft.check().unwrap(), &actor).unwrap()
}

/// The ticket, paid exactly and closed.
pub(crate) fn close_ticket(ticket: &Ticket, fixture: &ContractFixture, number: u64) -> Ticket {
    let due: Amount = ticket.sheet.payable();
    let payment = Payment { method: PaymentMethod::Card, name: Label::default(), amount: due };
    let payments = if due.is_zero() { Vec::new() } else { vec![payment] };
    let extra = serde_json::json!({ "eKasa": { "okp": "a-b", "ok": true }, "fiscalMemorySerialNumber": null });
    let extra = Meta::new(extra.as_object().unwrap().clone().into()).unwrap();
    let receipt = Receipt { number, fiscal: Label::parse("eKasa").unwrap(), daily_sales_report: Some(3), extra };
    close(ticket, Settlement::new(Some(payments), receipt), &ticket_actor(fixture), None, after_start(91)).unwrap()
}
