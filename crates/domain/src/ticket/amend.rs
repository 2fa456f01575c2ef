//! Changes an open ticket: items, discount, customer, name, owner and payments, together or
//! separately.
//!
//! A change of a ticket is the complete sheet that is wanted, not one call per operation. The
//! required rights follow from the differences between the two sheets. A request that changes five
//! things is therefore checked as five operations, whichever route it used, and the same
//! differences are the details of the audit event.

use super::actor::{TicketActor, TicketOperation};
use super::edit::Edit;
use super::error::TicketError;
use super::sheet::Sheet;
use super::state::{Ticket, TicketState};
use crate::Instant;

/// The result of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmendResult {
    /// The ticket after the change.
    pub ticket: Ticket,
    /// The differences. If there are none, the ticket and its version are unchanged, and nothing
    /// has to be written.
    pub edits: Vec<Edit>,
}

/// Replaces the sheet of a ticket. `seen` are the versions that the caller has read, of which the
/// ticket must have one; `None` matches every version.
///
/// The checks are made in this order: whether the caller may change the ticket at all, the version,
/// the state, then the rights for the differences. The second of two concurrent changes therefore
/// learns that the ticket has changed, even if it was closed.
pub fn amend(
    ticket: &Ticket,
    wanted: Sheet,
    hand: &TicketActor,
    seen: Option<&[i64]>,
    at: Instant,
) -> Result<AmendResult, TicketError> {
    require_changeable(ticket, hand, seen)?;
    let ownership = hand.ownership_of(ticket.sheet.owner);
    if wanted.currency != ticket.sheet.currency {
        return Err(TicketError::Inconsistent("its currency changes"));
    }
    wanted.check_growth(ticket.sheet.size_bytes())?;
    let edits = Edit::diff(&ticket.sheet, &wanted);
    let by = hand.require_person()?;
    for operation in edits.iter().flat_map(|edit| edit.required_operations(by, ownership)) {
        hand.authorize(operation, ownership)?;
    }
    let share_stays = wanted.rounding.share() == ticket.sheet.rounding.share();
    if !share_stays || (ticket.refund_of.is_some() && edits.iter().any(|edit| !is_allowed_on_refund(edit))) {
        return Err(TicketError::RefundImmutable);
    }
    // A different order of the items is stored, although it is not a difference to record.
    if edits.is_empty() && wanted == ticket.sheet {
        return Ok(AmendResult { ticket: ticket.clone(), edits });
    }
    Ok(AmendResult { ticket: ticket.next_version(at, wanted, TicketState::Open), edits })
}

/// Checks what does not depend on the sheet that is wanted: whether the caller may change the
/// ticket at all, the version, and the state, in this order.
pub fn require_changeable(ticket: &Ticket, hand: &TicketActor, seen: Option<&[i64]>) -> Result<(), TicketError> {
    hand.authorize(TicketOperation::Change, hand.ownership_of(ticket.sheet.owner))?;
    ticket.require_version(seen)?;
    ticket.require_open()
}

/// Whether the change keeps what a refund refunds.
fn is_allowed_on_refund(edit: &Edit) -> bool {
    match edit {
        Edit::Owner { .. } | Edit::Payments { .. } => true,
        // The rounding may change: a refund is paid out in cash as a sale is paid.
        Edit::Field { name, .. } => *name != "discount",
        Edit::ItemAdded(_) | Edit::ItemRemoved(_) | Edit::ItemChanged { .. } => false,
    }
}

#[cfg(test)]
mod tests;
