//! Opens a new ticket.

use super::actor::{Ownership, TicketActor, TicketOperation};
use super::edit::Edit;
use super::error::TicketError;
use super::sheet::{Draft, Sheet};
use super::state::{Ticket, TicketRecord, TicketState};
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
