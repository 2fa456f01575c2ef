//! What the tests of tickets sell.

use uuid::Uuid;

use super::*;
use crate::{DeviceId, Environment, Instant, Right, TenantId, TicketId, UserId};

/// So much money.
pub(super) fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

/// What is paid in where a test says nothing else.
pub(super) fn euro() -> Currency {
    Currency::parse("EUR").unwrap()
}

/// So much in euro, as it is shown.
pub(super) fn euros(text: &str) -> Money {
    euro().money(amount(text))
}

/// A blank sheet of the first person.
pub(super) fn blank() -> Draft {
    Draft::of(user(1), euro())
}

/// Something sold without VAT and without a discount of its own.
pub(super) fn line(id: u32, price: &str, quantity: &str) -> ItemDraft {
    ItemDraft {
        id,
        external_id: Label::default(),
        kind: ItemKind::Positive,
        article: Article { name: Label::parse("Tea").unwrap(), discount_allowed: true, ..Article::default() },
        comment: Note::default(),
        unit_price: price.parse().unwrap(),
        quantity: quantity.parse().unwrap(),
        unit: Label::parse("pcs").unwrap(),
        discount: Rate::ZERO,
    }
}

/// The same, checked.
pub(super) fn item(id: u32, price: &str, quantity: &str) -> Item {
    Item::new(line(id, price, quantity)).unwrap()
}

/// The person of this number.
pub(super) fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

/// Somebody at a till with these rights.
pub(super) fn actor(number: u128, rights: &[&str]) -> TicketActor {
    TicketActor {
        user: Some(user(number)),
        device: Some((DeviceId(Uuid::from_u128(50)), Environment::CashRegister)),
        rights: rights.iter().map(|name| Right::parse(name).unwrap()).collect(),
    }
}

/// Somebody at a till with every right.
pub(super) fn admin(number: u128) -> TicketActor {
    actor(number, &["admin"])
}

/// How the ticket of this number is opened.
pub(super) fn opening(number: u128) -> Opening {
    Opening {
        id: TicketId(Uuid::from_u128(number)),
        tenant: TenantId(Uuid::from_u128(1)),
        at: Instant::from_millis(1_000),
    }
}

/// A sheet of the first person with these items.
pub(super) fn sheet(items: Vec<Item>) -> Sheet {
    Draft { items, ..blank() }.check().unwrap()
}

/// An open ticket of the first person.
pub(super) fn opened_ticket(sheet: Sheet) -> Ticket {
    open(opening(100), sheet, &admin(1)).unwrap()
}

/// Cash.
pub(super) fn cash(text: &str) -> Payment {
    Payment { method: PaymentMethod::Cash, name: Label::default(), amount: amount(text) }
}

/// What a fiscal device says.
pub(super) fn receipt() -> Receipt {
    Receipt { number: 7, fiscal: Label::parse("eKasa").unwrap(), daily_sales_report: Some(3), extra: Meta::default() }
}

/// The ticket, closed by payments of exactly what is due.
pub(super) fn closed_ticket(ticket: &Ticket) -> Ticket {
    let due = ticket.sheet.payable();
    let payment = Payment { method: PaymentMethod::Card, name: Label::default(), amount: due };
    let payments = if due.is_zero() { Vec::new() } else { vec![payment] };
    close(ticket, Settlement::new(Some(payments), receipt()), &admin(1), None, Instant::from_millis(2_000)).unwrap()
}
