//! Opens a new ticket.

use super::edit::Edit;
use super::refused::TicketRefused;
use super::right::{Hand, Operation, Whose};
use super::sheet::{Draft, Sheet};
use super::state::{Record, Ticket, TicketState};
use crate::{Instant, TenantId, TicketId};

/// What a new ticket is, besides what stands on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Its id, drawn before the unit of work.
    pub id: TicketId,
    /// Whose it is.
    pub tenant: TenantId,
    /// When.
    pub at: Instant,
}

/// Opens a ticket with this sheet on it. It asks what a change from a blank ticket of one's own would ask besides the right to
/// change, but for the name: a ticket may be born with one.
pub fn open(opening: Opening, sheet: Sheet, hand: &Hand) -> Result<Ticket, TicketRefused> {
    hand.may(Operation::Create, Whose::Own)?;
    let (user, till) = (hand.person()?, hand.till()?);
    sheet.check_growth(0)?;
    for edit in Edit::between(&Draft::of(user, sheet.currency).check()?, &sheet) {
        for operation in edit.operations(user, Whose::Own) {
            if operation != Operation::Rename {
                hand.may(operation, Whose::Own)?;
            }
        }
    }
    let Opening { id, tenant, at } = opening;
    Ok(Ticket::first(Record {
        id,
        tenant,
        opened_at: at,
        opened_on: till,
        updated_at: at,
        refund_of: None,
        sheet,
        state: TicketState::Open,
        version: 1,
    }))
}

#[cfg(test)]
mod tests;
