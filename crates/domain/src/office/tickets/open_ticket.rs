//! Opens a ticket, or changes the one with the same id.

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

/// The ticket to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTicket {
    /// The id, created by the server, or by the client for [`put_ticket`].
    pub id: TicketId,
    /// The currency of the ticket.
    pub currency: Currency,
    /// The content of the sheet.
    pub sheet: TicketChange,
}

/// Opens the ticket on a sale device. Requires the right `ticketCreate` and the rights for what is
/// on the sheet. With `once`, a repeat of the request opens no other ticket and gets the same
/// response.
pub fn open_ticket(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    context: &AuditContext,
    new: &NewTicket,
    once: Option<&IdempotentRequest>,
) -> UseCaseResult<TicketCreation> {
    store.write("open_ticket", |tx| commit_refusal(open_once(tx, tenant, context, new, once)))
}

/// Changes the ticket with this id, or opens it if the tenant has none. Returns whether it was
/// opened. `version` is the one that the caller has read; a new ticket has none.
pub fn put_ticket(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    context: &AuditContext,
    new: &NewTicket,
    version: Option<i64>,
) -> UseCaseResult<(TicketView, bool)> {
    store.write("put_ticket", |tx| commit_refusal(put(tx, tenant, context, new, version)))
}

fn put(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    context: &AuditContext,
    new: &NewTicket,
    version: Option<i64>,
) -> Result<(TicketView, bool), UseCaseError> {
    if tx.tickets().find(tenant, new.id)?.is_some() {
        let amendment = TicketAmendment { context: context.clone(), id: new.id, version, change: new.sheet.clone() };
        let changed = amend(tx, tenant, std::slice::from_ref(&amendment))?.into_iter().next();
        return Ok((changed.ok_or_else(|| StoreError::Fault("a change of a ticket has no result".to_owned()))?, false));
    }
    match open(tx, tenant, context, new)? {
        Some(ticket) => Ok((view_ticket(tx, ticket)?, true)),
        // Another request was faster: run again and change its ticket.
        None => Err(StoreError::Conflict("the id of a ticket was taken in the meantime".to_owned()).into()),
    }
}

fn open_once(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    context: &AuditContext,
    new: &NewTicket,
    once: Option<&IdempotentRequest>,
) -> Result<TicketCreation, UseCaseError> {
    let user = map_ticket_error(new.id, load_actor(tx, tenant, context)?.require_person())?;
    if let Some(made) = idempotency::find_replay(tx, (tenant, user), once)? {
        return Ok(made);
    }
    let taken = || OfficeError::AlreadyExists { field: FieldName::Ticket, value: new.id.to_string() };
    let ticket = open(tx, tenant, context, new)?.ok_or_else(taken)?;
    idempotency::store_response(tx, (tenant, user), once, &ticket, context.at)?;
    Ok(TicketCreation { ticket: view_ticket(tx, ticket)?, replayed: false })
}

/// Opens the ticket; `None` if its id is taken.
fn open(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    context: &AuditContext,
    new: &NewTicket,
) -> Result<Option<Ticket>, UseCaseError> {
    let actor = load_actor(tx, tenant, context)?;
    let blank = Draft::of(map_ticket_error(new.id, actor.require_person())?, new.currency);
    // A caller who may not open tickets is denied before the sheet is checked.
    map_ticket_error(new.id, actor.authorize(ticket::TicketOperation::Create, ticket::Ownership::Own))?;
    let sheet = new.sheet.apply_to(tx, tenant, &blank)?;
    let opening = Opening { id: new.id, tenant, at: context.at };
    let ticket = map_ticket_error(new.id, ticket::open(opening, sheet, &actor))?;
    if !tx.tickets().insert(&ticket)? {
        return Ok(None);
    }
    let edits = Edit::diff(&map_ticket_error(new.id, blank.check())?, &ticket.sheet);
    let event =
        context.build_event(tenant, Action::TicketOpen, Subject::Ticket(ticket.id), ticket::audit_details(&edits));
    tx.audit().record(&event)?;
    Ok(Some(ticket))
}
