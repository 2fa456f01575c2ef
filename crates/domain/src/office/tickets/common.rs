//! What the use cases of tickets share: reading the actor and the ticket, and writing the ticket.

use crate::office::Office;
use crate::office::error::{FieldName, OfficeError, UseCaseError};
use crate::office::ports::OfficeTx;
use crate::ticket::{Ticket, TicketActor, TicketError};
use crate::{StoreError, Subject, TenantId, TicketId};

/// The user who works on a ticket, with its device and rights. The host of the server is not a user
/// and cannot work on tickets.
pub(super) fn load_actor(tx: &mut dyn OfficeTx, office: &Office<'_>) -> Result<TicketActor, UseCaseError> {
    let device = match office.context.actor.device {
        Some(id) => tx.devices().find(id)?.filter(|device| device.tenant == office.tenant),
        None => None,
    };
    Ok(TicketActor {
        user: office.context.actor.user,
        device: device.map(|device| (device.id, device.environment)),
        authority: office.context.authority.clone(),
    })
}

/// The ticket with this id.
pub(super) fn load_ticket(tx: &mut dyn OfficeTx, tenant: TenantId, id: TicketId) -> Result<Ticket, UseCaseError> {
    let found = tx.tickets().find(tenant, id)?;
    Ok(found.ok_or_else(|| OfficeError::NotFound { field: FieldName::Ticket, value: id.to_string() })?)
}

/// Adds the ticket to an error of the rules.
pub(super) fn map_ticket_error<T>(ticket: TicketId, ruling: Result<T, TicketError>) -> Result<T, UseCaseError> {
    ruling.map_err(|why| match why {
        TicketError::RightMissing(missing) => missing.into(),
        TicketError::VersionMismatch { current } => {
            OfficeError::VersionMismatch { subject: Subject::Ticket(ticket), current }.into()
        }
        other => OfficeError::Ticket(other).into(),
    })
}

/// Writes a ticket. If another unit of work was faster, this one runs again with the new state.
pub(super) fn save_ticket(tx: &mut dyn OfficeTx, ticket: &Ticket) -> Result<(), UseCaseError> {
    if tx.tickets().update(ticket)? {
        Ok(())
    } else {
        Err(StoreError::Conflict("the ticket was changed in the meantime".to_owned()).into())
    }
}
