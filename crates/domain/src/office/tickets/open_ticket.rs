//! Opens a ticket, or changes the one that has its id already.

use super::amend_tickets::{TicketAmendment, amend};
use super::change::TicketChange;
use super::common::{load_actor, map_ticket_error};
use super::idempotency::{self, IdempotentRequest, TicketCreation};
use super::view::{TicketView, view_ticket};
use crate::office::context::AuditContext;
use crate::office::error::{FieldName, OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{OfficePorts, OfficeTx};
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
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    stamp: &AuditContext,
    new: &NewTicket,
    once: Option<&IdempotentRequest>,
) -> UseCaseResult<TicketCreation> {
    store.write(|tx| commit_refusal(open_once(tx, tenant, stamp, new, once)))
}

/// Changes the ticket of this id, or opens it where the tenant has none of it. The answer says whether it was opened. `version` is
/// the one that the caller saw; a ticket that is not there yet has none.
pub fn put_ticket(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    stamp: &AuditContext,
    new: &NewTicket,
    version: Option<i64>,
) -> UseCaseResult<(TicketView, bool)> {
    store.write(|tx| commit_refusal(put(tx, tenant, stamp, new, version)))
}

fn put(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &AuditContext,
    new: &NewTicket,
    version: Option<i64>,
) -> Result<(TicketView, bool), UseCaseError> {
    if tx.tickets().find(tenant, new.id)?.is_some() {
        let amendment = TicketAmendment { context: stamp.clone(), id: new.id, version, change: new.sheet.clone() };
        let changed = amend(tx, tenant, std::slice::from_ref(&amendment))?.into_iter().next();
        return Ok((changed.ok_or_else(|| StoreError::Fault("a change has no outcome".to_owned()))?, false));
    }
    match open(tx, tenant, stamp, new)? {
        Some(ticket) => Ok((view_ticket(tx, ticket)?, true)),
        // somebody was faster: run again, and change what is there then
        None => Err(StoreError::Conflict("the id of a ticket was taken meanwhile".to_owned()).into()),
    }
}

fn open_once(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &AuditContext,
    new: &NewTicket,
    once: Option<&IdempotentRequest>,
) -> Result<TicketCreation, UseCaseError> {
    let user = map_ticket_error(new.id, load_actor(tx, tenant, stamp)?.require_person())?;
    if let Some(made) = idempotency::find_replay(tx, (tenant, user), once)? {
        return Ok(made);
    }
    let taken = || OfficeError::AlreadyExists { field: FieldName::Ticket, value: new.id.to_string() };
    let ticket = open(tx, tenant, stamp, new)?.ok_or_else(taken)?;
    idempotency::store_response(tx, (tenant, user), once, &ticket, stamp.at)?;
    Ok(TicketCreation { ticket: view_ticket(tx, ticket)?, replayed: false })
}

/// The ticket; `None` where its id is taken.
fn open(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &AuditContext,
    new: &NewTicket,
) -> Result<Option<Ticket>, UseCaseError> {
    let hand = load_actor(tx, tenant, stamp)?;
    let blank = Draft::of(map_ticket_error(new.id, hand.require_person())?, new.currency);
    // who may open none at all is told so before what would stand on it is looked at
    map_ticket_error(new.id, hand.authorize(ticket::TicketOperation::Create, ticket::Ownership::Own))?;
    let sheet = new.sheet.apply_to(tx, tenant, &blank)?;
    let opening = Opening { id: new.id, tenant, at: stamp.at };
    let ticket = map_ticket_error(new.id, ticket::open(opening, sheet, &hand))?;
    if !tx.tickets().insert(&ticket)? {
        return Ok(None);
    }
    let edits = Edit::diff(&map_ticket_error(new.id, blank.check())?, &ticket.sheet);
    let event =
        stamp.build_event(tenant, Action::TicketOpen, Subject::Ticket(ticket.id), ticket::audit_details(&edits));
    tx.audit().record(&event)?;
    Ok(Some(ticket))
}
