//! Opens a ticket, or changes the one with the same id.

use super::amend_tickets::amend_one;
use super::change::TicketChange;
use super::common::{load_actor, map_ticket_error};
use super::idempotency::{self, IdempotentRequest, TicketCreation};
use super::view::{TicketView, view_ticket};
use crate::office::Office;
use crate::office::error::{FieldName, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficeTx;
use crate::ticket::{self, Currency, Draft, Edit, Opening, Ticket, TicketActor};
use crate::{Action, StoreError, StoreExt, Subject, TicketId};

/// The ticket to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTicket {
    /// The id, created by the server, or by the client for [`put_ticket`](Office::put_ticket).
    pub id: TicketId,
    /// The currency of the ticket.
    pub currency: Currency,
    /// The content of the sheet.
    pub sheet: TicketChange,
}

impl Office<'_> {
    /// Opens the ticket on a sale device. Requires the right `ticketCreate` and the rights for what
    /// is on the sheet. With `once`, a repeat of the request opens no other ticket and gets the
    /// same response.
    pub fn open_ticket(&self, new: &NewTicket, once: Option<&IdempotentRequest>) -> UseCaseResult<TicketCreation> {
        self.store.write("open_ticket", |tx| commit_refusal(open_once(tx, self, new, once)))
    }

    /// Changes the ticket with this id, or opens it if the tenant has none. Returns whether it was
    /// opened. `versions` are those that the caller has read; a new ticket has none.
    pub fn put_ticket(&self, new: &NewTicket, versions: Option<&[i64]>) -> UseCaseResult<(TicketView, bool)> {
        self.store.write("put_ticket", |tx| commit_refusal(put(tx, self, new, versions)))
    }
}

fn put(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    new: &NewTicket,
    versions: Option<&[i64]>,
) -> Result<(TicketView, bool), UseCaseError> {
    if let Some(before) = tx.tickets().find(office.tenant, new.id)? {
        return Ok((amend_one(tx, office, &before, versions, &new.sheet)?, false));
    }
    let actor = load_actor(tx, office)?;
    match open(tx, office, &actor, new)? {
        Some(ticket) => Ok((view_ticket(tx, ticket)?, true)),
        // Another request was faster: run again and change its ticket.
        None => Err(StoreError::Conflict("the id of a ticket was taken in the meantime".to_owned()).into()),
    }
}

fn open_once(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    new: &NewTicket,
    once: Option<&IdempotentRequest>,
) -> Result<TicketCreation, UseCaseError> {
    let actor = load_actor(tx, office)?;
    let user = map_ticket_error(new.id, actor.require_person())?;
    if let Some(made) = idempotency::find_replay(tx, (office.tenant, user), once)? {
        return Ok(made);
    }
    let taken = || OfficeError::AlreadyExists { field: FieldName::Ticket, value: new.id.to_string() };
    let ticket = open(tx, office, &actor, new)?.ok_or_else(taken)?;
    idempotency::store_response(tx, (office.tenant, user), once, &ticket, office.context.at)?;
    Ok(TicketCreation { ticket: view_ticket(tx, ticket)?, replayed: false })
}

/// Opens the ticket; `None` if its id is taken.
fn open(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    actor: &TicketActor,
    new: &NewTicket,
) -> Result<Option<Ticket>, UseCaseError> {
    let blank = Draft::of(map_ticket_error(new.id, actor.require_person())?, new.currency);
    // A caller who may not open tickets is denied before the sheet is checked.
    map_ticket_error(new.id, actor.authorize(ticket::TicketOperation::Create, ticket::Ownership::Own))?;
    let sheet = new.sheet.apply_to(tx, office.tenant, &blank)?;
    let opening = Opening { id: new.id, tenant: office.tenant, at: office.context.at };
    let ticket = map_ticket_error(new.id, ticket::open(opening, sheet, actor))?;
    if !tx.tickets().insert(&ticket)? {
        return Ok(None);
    }
    let edits = Edit::diff(&map_ticket_error(new.id, blank.check())?, &ticket.sheet);
    let event = office.build_event(Action::TicketOpen, Subject::Ticket(ticket.id), ticket::audit_details(&edits));
    tx.audit().record(&event)?;
    Ok(Some(ticket))
}
