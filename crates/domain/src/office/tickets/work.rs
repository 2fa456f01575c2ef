//! What the use cases of tickets share: whose hand works, and the ticket that is worked on.

use crate::office::ports::OfficeTx;
use crate::office::refused::{Field, Halt, Refused};
use crate::office::stamp::{Authority, Stamp};
use crate::ticket::{Hand, Ticket, TicketRefused};
use crate::{KnownRight, Rights, StoreError, TenantId, TicketId};

/// Who works on a ticket, where, with which rights. The host of the server is no person and works on none.
pub(super) fn hand(tx: &mut dyn OfficeTx, tenant: TenantId, stamp: &Stamp) -> Result<Hand, Halt> {
    let device = match stamp.actor.device {
        Some(id) => tx.devices().find(id)?.filter(|device| device.tenant == tenant),
        None => None,
    };
    let rights = match &stamp.authority {
        Authority::Host => Rights::of(&[KnownRight::Admin]),
        Authority::Rights(rights) => rights.clone(),
    };
    Ok(Hand { user: stamp.actor.user, device: device.map(|device| (device.id, device.environment)), rights })
}

/// The ticket of this id.
pub(super) fn known(tx: &mut dyn OfficeTx, tenant: TenantId, id: TicketId) -> Result<Ticket, Halt> {
    let found = tx.tickets().find(tenant, id)?;
    Ok(found.ok_or_else(|| Refused::Absent { field: Field::Ticket, value: id.to_string() })?)
}

/// What the rules said of a ticket.
pub(super) fn ruled<T>(ticket: TicketId, ruling: Result<T, TicketRefused>) -> Result<T, Halt> {
    ruling.map_err(|why| match why {
        TicketRefused::Missing(right) => Refused::Missing(right).into(),
        TicketRefused::Moved { current } => Refused::TicketMoved { ticket, current }.into(),
        other => Refused::Ticket(other).into(),
    })
}

/// Stores what became of a ticket. Where somebody was faster the unit of work runs again and judges what is there then.
pub(super) fn store(tx: &mut dyn OfficeTx, ticket: &Ticket) -> Result<(), Halt> {
    if tx.tickets().update(ticket)? {
        Ok(())
    } else {
        Err(StoreError::Conflict("the ticket was changed meanwhile".to_owned()).into())
    }
}
