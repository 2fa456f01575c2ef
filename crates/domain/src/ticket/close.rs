//! Closes a ticket that is paid, for good.

use super::actor::{TicketActor, TicketOperation};
use super::edit::Edit;
use super::error::TicketError;
use super::payment::{self, Payment, PaymentMethod};
use super::sheet::{Draft, Sheet};
use super::state::{Closing, Receipt, Ticket, TicketState};
use super::text::Label;
use crate::Instant;

/// How a ticket is settled at its closing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Payments that replace those of the ticket.
    pub payments: Option<Vec<Payment>>,
    /// The receipt that the closed ticket has.
    pub receipt: Receipt,
    /// Whether the caller has given the receipt's number, report or further properties, or another
    /// fiscal memory than the till's own; otherwise the server has.
    pub caller_numbered: bool,
    /// Whether the due amount counts as paid in cash if the ticket has no payments and none are
    /// given.
    pub assume_cash: bool,
}

impl Settlement {
    /// A settlement with these payments, or those of the ticket, and a number from the server.
    pub const fn new(payments: Option<Vec<Payment>>, receipt: Receipt) -> Self {
        Self { payments, receipt, caller_numbered: false, assume_cash: false }
    }
}

/// Closes the ticket. The payments must cover the due amount, and exceed it by no more than their
/// cash.
///
/// Closing requires the rights of a change of the ticket for whatever a change could do: other
/// payments than those of the ticket, and numbers from the caller. Counting the due amount as paid
/// in cash is part of closing.
pub fn close(
    ticket: &Ticket,
    settlement: Settlement,
    hand: &TicketActor,
    seen: Option<&[i64]>,
    at: Instant,
) -> Result<Ticket, TicketError> {
    let ownership = hand.ownership_of(ticket.sheet.owner);
    hand.authorize(TicketOperation::Close, ownership)?;
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
        Some(payments) => replace_payments(&ticket.sheet, payments)?,
        None => ticket.sheet.clone(),
    };
    let edits = Edit::diff(&ticket.sheet, &sheet);
    if settlement.caller_numbered || !(edits.is_empty() || as_cash) {
        hand.authorize(TicketOperation::Change, ownership)?;
    }
    let by = hand.require_person()?;
    for operation in edits.iter().flat_map(|edit| edit.required_operations(by, ownership)) {
        hand.authorize(operation, ownership)?;
    }
    sheet.check_growth(ticket.sheet.size_bytes().max(Sheet::MAX_BYTES) + Sheet::CLOSING_RESERVE_BYTES)?;
    if sheet.items.is_empty() {
        return Err(TicketError::NoItems);
    }
    payment::change_due(sheet.currency, sheet.payable(), &sheet.payments)?;
    let closing = Closing { at, by, on: hand.require_sale_device()?, receipt: settlement.receipt };
    Ok(ticket.next_version(at, sheet, TicketState::Closed(Box::new(closing))))
}

/// What is wrong with payments that replace those of a sheet when its ticket is closed.
pub(crate) fn find_payment_faults(sheet: &Sheet, payments: &[Payment]) -> Vec<TicketError> {
    let mut faults = Vec::new();
    Draft { payments: payments.to_vec(), ..sheet.draft().clone() }.add_faults(&mut faults);
    faults.extend(payment::check_signs(sheet.payable(), payments).err());
    faults
}

/// The sheet with these payments. If nothing but their signs is wrong, it is found after the rights
/// are checked.
fn replace_payments(sheet: &Sheet, payments: Vec<Payment>) -> Result<Sheet, TicketError> {
    let mut faults = find_payment_faults(sheet, &payments);
    if faults.iter().all(|fault| matches!(fault, TicketError::InvalidPayment { .. })) {
        faults.clear();
    }
    Draft { payments, ..sheet.draft().clone() }.check_with_faults(faults)
}

#[cfg(test)]
mod tests;
