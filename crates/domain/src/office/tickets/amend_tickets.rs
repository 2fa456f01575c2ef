//! Changes open tickets, one or several at once: all of them or none.

use std::collections::BTreeMap;

use super::change::TicketChange;
use super::common::{load_actor, load_ticket, map_ticket_error, save_ticket};
use super::view::{TicketView, view_tickets};
use crate::office::context::AuditContext;
use crate::office::error::{UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{OfficePorts, OfficeTx};
use crate::ticket::{self, Ticket};
use crate::{Action, Store, StoreExt, Subject, TenantId, TicketId};

/// A change of one ticket.
#[derive(Clone, Debug, PartialEq)]
pub struct TicketAmendment {
    /// The context of the change; each change has its own audit event.
    pub context: AuditContext,
    /// The ticket to change.
    pub id: TicketId,
    /// The version that the caller has read, if it must match.
    pub version: Option<i64>,
    /// What to change.
    pub change: TicketChange,
}

/// Changes the tickets and returns them in the order of the request. The required rights follow
/// from the differences of each ticket. A change without a difference writes nothing. If one change
/// is denied, none is made.
pub fn amend_tickets(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    amendments: &[TicketAmendment],
) -> UseCaseResult<Vec<TicketView>> {
    store.write("amend_tickets", |tx| commit_refusal(amend(tx, tenant, amendments)))
}

/// Checks all changes before anything is written, because a denial does not roll back.
pub(super) fn amend(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    amendments: &[TicketAmendment],
) -> Result<Vec<TicketView>, UseCaseError> {
    let mut tickets: BTreeMap<TicketId, Ticket> = BTreeMap::new();
    let mut judged = Vec::new();
    for TicketAmendment { context, id, version, change } in amendments {
        let before = match tickets.remove(id) {
            Some(ticket) => ticket,
            None => load_ticket(tx, tenant, *id)?,
        };
        let hand = load_actor(tx, tenant, context)?;
        // A caller who may not change the ticket at all learns nothing about it.
        map_ticket_error(*id, hand.authorize(ticket::TicketOperation::Change, hand.ownership_of(before.sheet.owner)))?;
        let wanted = change.apply_to(tx, tenant, &before.sheet)?;
        let amended = map_ticket_error(*id, ticket::amend(&before, wanted, &hand, *version, context.at))?;
        let changed = amended.ticket != before;
        tickets.insert(*id, amended.ticket.clone());
        judged.push((context, amended, changed));
    }
    let told: Vec<Ticket> = judged.iter().map(|(_, amended, _)| amended.ticket.clone()).collect();
    // In one order, whatever that of the request is, so that two requests do not wait for each
    // other.
    judged.sort_by_key(|(_, amended, _)| amended.ticket.id);
    for (context, amended, changed) in judged {
        if !changed {
            continue;
        }
        save_ticket(tx, &amended.ticket)?;
        let mut details = ticket::audit_details(&amended.edits);
        details.insert("version".to_owned(), amended.ticket.version.into());
        let subject = Subject::Ticket(amended.ticket.id);
        tx.audit().record(&context.build_event(tenant, Action::TicketUpdate, subject, details))?;
    }
    Ok(view_tickets(tx, told)?)
}
