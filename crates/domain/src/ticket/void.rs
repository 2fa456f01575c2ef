//! Makes an open ticket void: deleted before it was paid.

use super::actor::{TicketActor, TicketOperation};
use super::error::TicketError;
use super::state::{Ticket, TicketState, Voiding};
use super::text::Note;
use crate::Instant;

/// Makes the ticket void. It keeps what stood on it. What a refund would have taken back can be taken back again.
pub fn void(
    ticket: &Ticket,
    reason: Note,
    hand: &TicketActor,
    seen: Option<i64>,
    at: Instant,
) -> Result<Ticket, TicketError> {
    hand.authorize(TicketOperation::Delete, hand.ownership_of(ticket.sheet.owner))?;
    ticket.require_version(seen)?;
    ticket.require_open()?;
    let voiding = Voiding { at, by: hand.require_person()?, on: hand.device.map(|(device, _)| device), reason };
    Ok(ticket.next_version(at, ticket.sheet.clone(), TicketState::Void(Box::new(voiding))))
}

#[cfg(test)]
mod tests;
