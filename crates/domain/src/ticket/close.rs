//! Closes a ticket that is paid, for ever.

use super::payment::{self, Payment};
use super::refused::TicketRefused;
use super::right::{Hand, Operation};
use super::sheet::Draft;
use super::state::{Closing, Receipt, Ticket, TicketState};
use crate::Instant;

/// Closes the ticket. `payments` take the place of those on it; they belong to the closing and ask no right of their own. What
/// is due must be covered, and no more given than change can make good.
pub fn close(
    ticket: &Ticket,
    payments: Option<Vec<Payment>>,
    receipt: Receipt,
    hand: &Hand,
    seen: Option<i64>,
    at: Instant,
) -> Result<Ticket, TicketRefused> {
    hand.may(Operation::Close, hand.whose(ticket.sheet.owner))?;
    ticket.at_version(seen)?;
    ticket.still_open()?;
    let sheet = match payments {
        Some(payments) => Draft { payments, ..ticket.sheet.draft().clone() }.check()?,
        None => ticket.sheet.clone(),
    };
    if sheet.items.is_empty() {
        return Err(TicketRefused::Empty);
    }
    payment::change_due(sheet.payable(), &sheet.payments)?;
    let closing = Closing { at, by: hand.person()?, on: hand.till()?, receipt };
    Ok(ticket.next(at, sheet, TicketState::Closed(Box::new(closing))))
}

#[cfg(test)]
mod tests;
