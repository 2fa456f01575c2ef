//! Closes a ticket that is paid, for ever; or makes an open one void.

use super::payment::{self, Payment};
use super::refused::TicketRefused;
use super::right::{Hand, Operation};
use super::sheet::Draft;
use super::state::{Closing, Receipt, Ticket, TicketState, Voiding};
use super::text::Note;
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
    payment::change(sheet.payable(), &sheet.payments)?;
    let closing = Closing { at, by: hand.person()?, on: hand.till()?, receipt };
    Ok(ticket.next(at, sheet, TicketState::Closed(Box::new(closing))))
}

/// Makes the ticket void. It keeps what stood on it. What a refund would have taken back can be taken back again.
pub fn void(
    ticket: &Ticket,
    reason: Note,
    hand: &Hand,
    seen: Option<i64>,
    at: Instant,
) -> Result<Ticket, TicketRefused> {
    hand.may(Operation::Delete, hand.whose(ticket.sheet.owner))?;
    ticket.at_version(seen)?;
    ticket.still_open()?;
    let voiding = Voiding { at, by: hand.person()?, on: hand.device.map(|(device, _)| device), reason };
    Ok(ticket.next(at, ticket.sheet.clone(), TicketState::Void(Box::new(voiding))))
}

#[cfg(test)]
mod tests;
