//! Closes a ticket that is paid, for ever.

use super::actor::{TicketActor, TicketOperation};
use super::edit::Edit;
use super::error::TicketError;
use super::payment::{self, Payment, PaymentMethod};
use super::sheet::{Draft, Sheet};
use super::state::{Closing, Receipt, Ticket, TicketState};
use super::text::Label;
use crate::Instant;

/// How a ticket is settled when it is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Payments in the place of those on the ticket.
    pub payments: Option<Vec<Payment>>,
    /// What the ticket bears afterwards.
    pub receipt: Receipt,
    /// Whether the caller gave the receipt its number, its report or what else it bears, or another fiscal memory than the till's own
    /// to number it: otherwise the server did.
    pub caller_numbered: bool,
    /// Where no payment stands on the ticket and none is given: whether what is due counts as paid in cash.
    pub assume_cash: bool,
}

impl Settlement {
    /// These payments, or those on the ticket where there are none; the server made the number.
    pub const fn new(payments: Option<Vec<Payment>>, receipt: Receipt) -> Self {
        Self { payments, receipt, caller_numbered: false, assume_cash: false }
    }
}

/// Closes the ticket. What is due must be covered, and no more given than change can make good.
///
/// Closing changes nothing that a change could not: payments other than those on the ticket, and numbers that the caller gives, ask
/// what a change of the ticket asks. That what is due counts as paid in cash where nothing was said of a payment is closing itself.
pub fn close(
    ticket: &Ticket,
    settlement: Settlement,
    hand: &TicketActor,
    seen: Option<i64>,
    at: Instant,
) -> Result<Ticket, TicketError> {
    let whose = hand.ownership_of(ticket.sheet.owner);
    hand.authorize(TicketOperation::Close, whose)?;
    ticket.require_version(seen)?;
    ticket.require_open()?;
    let due = ticket.sheet.payable();
    let as_cash =
        settlement.payments.is_none() && settlement.assume_cash && ticket.sheet.payments.is_empty() && !due.is_zero();
    let payments = if as_cash {
        Some(vec![Payment { method: PaymentMethod::Cash, name: Label::default(), amount: due }])
    } else {
        settlement.payments
    };
    let sheet = match payments {
        Some(payments) => Draft { payments, ..ticket.sheet.draft().clone() }.check()?,
        None => ticket.sheet.clone(),
    };
    let edits = Edit::diff(&ticket.sheet, &sheet);
    if settlement.caller_numbered || !(edits.is_empty() || as_cash) {
        hand.authorize(TicketOperation::Change, whose)?;
    }
    let by = hand.require_person()?;
    for operation in edits.iter().flat_map(|edit| edit.required_operations(by, whose)) {
        hand.authorize(operation, whose)?;
    }
    sheet.check_growth(ticket.sheet.size_bytes().max(Sheet::MAX_BYTES) + Sheet::CLOSING_RESERVE_BYTES)?;
    if sheet.items.is_empty() {
        return Err(TicketError::NoItems);
    }
    payment::change_due(sheet.currency, sheet.payable(), &sheet.payments)?;
    let closing = Closing { at, by, on: hand.require_sale_device()?, receipt: settlement.receipt };
    Ok(ticket.next_version(at, sheet, TicketState::Closed(Box::new(closing))))
}

#[cfg(test)]
mod tests;
