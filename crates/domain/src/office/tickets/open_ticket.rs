//! Opens a ticket, or changes the one that has its id already.

use super::amend_tickets::{TicketAmendment, amend};
use super::change::TicketChange;
use super::once::{self, Made, Once};
use super::shown::{Shown, shown};
use super::work::{hand, ruled};
use crate::office::ports::{OfficeTx, OfficeView};
use crate::office::refused::{Decided, Field, Halt, Refused, decide};
use crate::office::stamp::Stamp;
use crate::ticket::{self, Currency, Draft, Edit, Opening, Ticket};
use crate::{Action, Store, StoreError, StoreExt, Subject, TenantId, TicketId};

/// A ticket that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTicket {
    /// Its id, drawn before: by the server, or by a client that keeps to [`put_ticket`].
    pub id: TicketId,
    /// In what it is paid.
    pub currency: Currency,
    /// What stands on it.
    pub sheet: TicketChange,
}

/// Opens the ticket: on a sale device, by who holds `ticketCreate` and what else stands on it asks. Where `once` is given, the same
/// request again opens no other ticket and is answered the same.
pub fn open_ticket(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    stamp: &Stamp,
    new: &NewTicket,
    once: Option<&Once>,
) -> Decided<Made> {
    store.write(|tx| decide(open_once(tx, tenant, stamp, new, once)))
}

/// Changes the ticket of this id, or opens it where the tenant has none of it. The answer says whether it was opened. `version` is
/// the one that the caller saw; a ticket that is not there yet has none.
pub fn put_ticket(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    stamp: &Stamp,
    new: &NewTicket,
    version: Option<i64>,
) -> Decided<(Shown, bool)> {
    store.write(|tx| decide(put(tx, tenant, stamp, new, version)))
}

fn put(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &Stamp,
    new: &NewTicket,
    version: Option<i64>,
) -> Result<(Shown, bool), Halt> {
    if tx.tickets().find(tenant, new.id)?.is_some() {
        let amendment = TicketAmendment { stamp: stamp.clone(), id: new.id, version, change: new.sheet.clone() };
        let changed = amend(tx, tenant, std::slice::from_ref(&amendment))?.into_iter().next();
        return Ok((changed.ok_or_else(|| StoreError::Fault("a change has no outcome".to_owned()))?, false));
    }
    match open(tx, tenant, stamp, new)? {
        Some(ticket) => Ok((shown(tx, ticket)?, true)),
        // somebody was faster: run again, and change what is there then
        None => Err(StoreError::Conflict("the id of a ticket was taken meanwhile".to_owned()).into()),
    }
}

fn open_once(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &Stamp,
    new: &NewTicket,
    once: Option<&Once>,
) -> Result<Made, Halt> {
    let user = ruled(new.id, hand(tx, tenant, stamp)?.person())?;
    if let Some(made) = once::before(tx, (tenant, user), once)? {
        return Ok(made);
    }
    let taken = || Refused::Taken { field: Field::Ticket, value: new.id.to_string() };
    let ticket = open(tx, tenant, stamp, new)?.ok_or_else(taken)?;
    once::keep(tx, (tenant, user), once, &ticket, stamp.at)?;
    Ok(Made { shown: shown(tx, ticket)?, again: false })
}

/// The ticket; `None` where its id is taken.
fn open(tx: &mut dyn OfficeTx, tenant: TenantId, stamp: &Stamp, new: &NewTicket) -> Result<Option<Ticket>, Halt> {
    let hand = hand(tx, tenant, stamp)?;
    let blank = Draft::of(ruled(new.id, hand.person())?, new.currency);
    // who may open none at all is told so before what would stand on it is looked at
    ruled(new.id, hand.may(ticket::Operation::Create, ticket::Whose::Own))?;
    let sheet = new.sheet.onto(tx, tenant, &blank)?;
    let opening = Opening { id: new.id, tenant, at: stamp.at };
    let ticket = ruled(new.id, ticket::open(opening, sheet, &hand))?;
    if !tx.tickets().insert(&ticket)? {
        return Ok(None);
    }
    let edits = Edit::between(&ruled(new.id, blank.check())?, &ticket.sheet);
    let event = stamp.done(tenant, Action::TicketOpen, Subject::Ticket(ticket.id), ticket::details(&edits));
    tx.audit().tell(&event)?;
    Ok(Some(ticket))
}
