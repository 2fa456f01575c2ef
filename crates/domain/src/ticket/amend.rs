//! Changes an open ticket: items, discount, customer, name, owner, payments, together or one by one.

use super::actor::{TicketActor, TicketOperation};
use super::edit::Edit;
use super::error::TicketError;
use super::sheet::Sheet;
use super::state::{Ticket, TicketState};
use crate::Instant;

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmendResult {
    /// The ticket now.
    pub ticket: Ticket,
    /// What differs. Where nothing does, the ticket is the one that was there, at its version, and there is nothing to write.
    pub edits: Vec<Edit>,
}

/// Puts the wanted sheet in the place of the one there is. `seen` is the version that the caller saw; `None` asks for none.
///
/// Judged in this order: whether the caller may change the ticket at all, the version, the state, then what the differences ask.
/// So who comes second is told that the ticket has moved on, also where it was closed meanwhile.
pub fn amend(
    ticket: &Ticket,
    wanted: Sheet,
    hand: &TicketActor,
    seen: Option<i64>,
    at: Instant,
) -> Result<AmendResult, TicketError> {
    let whose = hand.ownership_of(ticket.sheet.owner);
    hand.authorize(TicketOperation::Change, whose)?;
    ticket.require_version(seen)?;
    ticket.require_open()?;
    if wanted.currency != ticket.sheet.currency {
        return Err(TicketError::Inconsistent("its currency changes"));
    }
    wanted.check_growth(ticket.sheet.size_bytes())?;
    let edits = Edit::diff(&ticket.sheet, &wanted);
    let by = hand.require_person()?;
    for operation in edits.iter().flat_map(|edit| edit.required_operations(by, whose)) {
        hand.authorize(operation, whose)?;
    }
    let share_stays = wanted.rounding.share() == ticket.sheet.rounding.share();
    if !share_stays || (ticket.refund_of.is_some() && edits.iter().any(|edit| !is_allowed_on_refund(edit))) {
        return Err(TicketError::RefundImmutable);
    }
    // Another order of the items alone is a change to keep, though it is none to tell.
    if edits.is_empty() && wanted == ticket.sheet {
        return Ok(AmendResult { ticket: ticket.clone(), edits });
    }
    Ok(AmendResult { ticket: ticket.next_version(at, wanted, TicketState::Open), edits })
}

/// Whether it leaves alone what a refund takes back and gives back.
fn is_allowed_on_refund(edit: &Edit) -> bool {
    match edit {
        Edit::Owner { .. } | Edit::Payments { .. } => true,
        // it is paid out in cash as the sale was paid
        Edit::Field { name, .. } => *name != "discount",
        Edit::ItemAdded(_) | Edit::ItemRemoved(_) | Edit::ItemChanged { .. } => false,
    }
}

#[cfg(test)]
mod tests;
