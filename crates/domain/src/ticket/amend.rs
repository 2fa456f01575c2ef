//! Changes an open ticket: items, discount, customer, name, owner, payments, together or one by one.

use super::edit::Edit;
use super::refused::TicketRefused;
use super::right::{Hand, Operation};
use super::sheet::Sheet;
use super::state::{Ticket, TicketState};
use crate::Instant;

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amended {
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
    hand: &Hand,
    seen: Option<i64>,
    at: Instant,
) -> Result<Amended, TicketRefused> {
    let whose = hand.whose(ticket.sheet.owner);
    hand.may(Operation::Change, whose)?;
    ticket.at_version(seen)?;
    ticket.still_open()?;
    if wanted.currency != ticket.sheet.currency {
        return Err(TicketRefused::Contradiction("its currency changes"));
    }
    wanted.check_growth(ticket.sheet.size())?;
    let edits = Edit::between(&ticket.sheet, &wanted);
    let by = hand.person()?;
    for operation in edits.iter().flat_map(|edit| edit.operations(by, whose)) {
        hand.may(operation, whose)?;
    }
    let share_stays = wanted.rounding.share() == ticket.sheet.rounding.share();
    if !share_stays || (ticket.refund_of.is_some() && edits.iter().any(|edit| !free_on_refund(edit))) {
        return Err(TicketRefused::RefundFixed);
    }
    // Another order of the items alone is a change to keep, though it is none to tell.
    if edits.is_empty() && wanted == ticket.sheet {
        return Ok(Amended { ticket: ticket.clone(), edits });
    }
    Ok(Amended { ticket: ticket.next(at, wanted, TicketState::Open), edits })
}

/// Whether it leaves alone what a refund takes back and gives back.
fn free_on_refund(edit: &Edit) -> bool {
    match edit {
        Edit::Owner { .. } | Edit::Payments { .. } => true,
        // it is paid out in cash as the sale was paid
        Edit::Field { name, .. } => *name != "discount",
        Edit::Added(_) | Edit::Removed(_) | Edit::Item { .. } => false,
    }
}

#[cfg(test)]
mod tests;
