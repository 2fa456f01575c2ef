//! Voids an open ticket, before it is paid.

use super::actor::{TicketActor, TicketOperation};
use super::error::TicketError;
use super::state::{Ticket, TicketState, Voiding};
use super::text::Note;
use crate::Instant;

/// Voids the ticket, which keeps its sheet. What a refund would have refunded can be refunded
/// again.
pub fn void(
    ticket: &Ticket,
    reason: Note,
    hand: &TicketActor,
    seen: Option<&[i64]>,
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
