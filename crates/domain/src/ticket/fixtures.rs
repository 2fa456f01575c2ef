//! The fixtures of the tests of tickets.

use uuid::Uuid;

use super::*;
use crate::{Authority, DeviceId, Environment, Instant, Right, TenantId, TicketId, UserId};

/// An amount of money.
pub(super) fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

/// The currency of the tests.
pub(super) fn euro() -> Currency {
    Currency::parse("EUR").unwrap()
}

/// An amount in euros, for display.
pub(super) fn euros(text: &str) -> Money {
    euro().money(amount(text))
}

/// A blank sheet of the first user.
pub(super) fn blank() -> Draft {
    Draft::of(user(1), euro())
}

impl Draft {
    /// The sheet for this customer, with the customer's own discount.
    pub(super) fn with_customer(self, customer: Customer) -> Self {
        Self { discount: customer.discount, customer: Some(customer), ..self }
    }
}

/// An item without VAT and without a discount of its own, unchecked.
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

/// The same item, checked.
pub(super) fn item(id: u32, price: &str, quantity: &str) -> Item {
    Item::new(line(id, price, quantity)).unwrap()
}

/// The user with this number.
pub(super) fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

/// A user on a till with these rights.
pub(super) fn actor(number: u128, rights: &[&str]) -> TicketActor {
    TicketActor {
        user: Some(user(number)),
        device: Some((DeviceId(Uuid::from_u128(50)), Environment::CashRegister)),
        authority: Authority::Rights(rights.iter().map(|name| Right::parse(name).unwrap()).collect()),
    }
}

/// A user on a till with every right.
pub(super) fn admin(number: u128) -> TicketActor {
    actor(number, &["admin"])
}

/// The opening of the ticket with this number.
pub(super) fn opening(number: u128) -> Opening {
    Opening {
        id: TicketId(Uuid::from_u128(number)),
        tenant: TenantId(Uuid::from_u128(1)),
        at: Instant::from_millis(1_000),
    }
}

/// A sheet of the first user with these items.
pub(super) fn sheet(items: Vec<Item>) -> Sheet {
    Draft { items, ..blank() }.check().unwrap()
}

/// An open ticket of the first user.
pub(super) fn opened_ticket(sheet: Sheet) -> Ticket {
    open(opening(100), sheet, &admin(1)).unwrap()
}

/// A payment in cash.
pub(super) fn cash(text: &str) -> Payment {
    Payment { method: PaymentMethod::Cash, name: Label::default(), amount: amount(text) }
}

/// The receipt of a fiscal device.
pub(super) fn receipt() -> Receipt {
    Receipt { number: 7, fiscal: Label::parse("eKasa").unwrap(), daily_sales_report: Some(3), extra: Meta::default() }
}

/// The ticket, closed with payments of exactly the due amount.
pub(super) fn closed_ticket(ticket: &Ticket) -> Ticket {
    let due = ticket.sheet.payable();
    let payment = Payment { method: PaymentMethod::Card, name: Label::default(), amount: due };
    let payments = if due.is_zero() { Vec::new() } else { vec![payment] };
    close(ticket, Settlement::new(Some(payments), receipt()), &admin(1), None, Instant::from_millis(2_000)).unwrap()
}
