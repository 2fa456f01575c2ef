//! Opens a new ticket.

use super::actor::{Ownership, TicketActor, TicketOperation};
use super::edit::Edit;
use super::error::TicketError;
use super::sheet::{Draft, Sheet};
use super::state::{Ticket, TicketRecord, TicketState};
use crate::{Instant, TenantId, TicketId};

/// The properties of a new ticket besides its sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The identifier, created before the unit of work.
    pub id: TicketId,
    /// The tenant to which it belongs.
    pub tenant: TenantId,
    /// The instant of the opening.
    pub at: Instant,
}

/// Opens a ticket with this sheet. Requires the right to open tickets, and the rights for a change
/// from a blank own ticket, except those for a change and for the name.
pub fn open(opening: Opening, sheet: Sheet, hand: &TicketActor) -> Result<Ticket, TicketError> {
    hand.authorize(TicketOperation::Create, Ownership::Own)?;
    let (user, till) = (hand.require_person()?, hand.require_sale_device()?);
    sheet.check_growth(0)?;
    for edit in Edit::diff(&Draft::of(user, sheet.currency).check()?, &sheet) {
        for operation in edit.required_operations(user, Ownership::Own) {
            if operation != TicketOperation::Rename {
                hand.authorize(operation, Ownership::Own)?;
            }
        }
    }
    let Opening { id, tenant, at } = opening;
    Ok(Ticket::new(TicketRecord {
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
