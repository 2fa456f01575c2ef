//! Makes an open ticket void: deleted before it was paid.

use super::refused::TicketRefused;
use super::right::{Hand, Operation};
use super::state::{Ticket, TicketState, Voiding};
use super::text::Note;
use crate::Instant;

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
