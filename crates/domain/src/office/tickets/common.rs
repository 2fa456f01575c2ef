//! What the use cases of tickets share: whose hand works, and the ticket that is worked on.

use crate::office::context::{AuditContext, Authority};
use crate::office::error::{FieldName, OfficeError, UseCaseError};
use crate::office::ports::OfficeTx;
use crate::ticket::{Ticket, TicketActor, TicketError};
use crate::{KnownRight, Rights, StoreError, TenantId, TicketId};

/// Who works on a ticket, where, with which rights. The host of the server is no person and works on none.
pub(super) fn load_actor(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &AuditContext,
) -> Result<TicketActor, UseCaseError> {
    let device = match stamp.actor.device {
        Some(id) => tx.devices().find(id)?.filter(|device| device.tenant == tenant),
        None => None,
    };
    let rights = match &stamp.authority {
        Authority::Host => Rights::of(&[KnownRight::Admin]),
        Authority::Rights(rights) => rights.clone(),
    };
    Ok(TicketActor { user: stamp.actor.user, device: device.map(|device| (device.id, device.environment)), rights })
}

/// The ticket of this id.
pub(super) fn load_ticket(tx: &mut dyn OfficeTx, tenant: TenantId, id: TicketId) -> Result<Ticket, UseCaseError> {
    let found = tx.tickets().find(tenant, id)?;
    Ok(found.ok_or_else(|| OfficeError::NotFound { field: FieldName::Ticket, value: id.to_string() })?)
}

/// What the rules said of a ticket.
pub(super) fn map_ticket_error<T>(ticket: TicketId, ruling: Result<T, TicketError>) -> Result<T, UseCaseError> {
    ruling.map_err(|why| match why {
        TicketError::RightMissing(right) => OfficeError::RightMissing(right).into(),
        TicketError::VersionMismatch { current } => OfficeError::TicketVersionMismatch { ticket, current }.into(),
        other => OfficeError::Ticket(other).into(),
    })
}

/// Stores what became of a ticket. Where somebody was faster the unit of work runs again and judges what is there then.
pub(super) fn save_ticket(tx: &mut dyn OfficeTx, ticket: &Ticket) -> Result<(), UseCaseError> {
    if tx.tickets().update(ticket)? {
        Ok(())
    } else {
        Err(StoreError::Conflict("the ticket was changed meanwhile".to_owned()).into())
    }
}
