//! Changes open tickets, one or several at once: all of them or none.

use std::collections::BTreeMap;

use super::change::TicketChange;
use super::common::{load_actor, load_ticket, map_ticket_error, save_ticket};
use super::view::{TicketView, view_tickets};
use crate::office::Office;
use crate::office::error::{UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficeTx;
use crate::ticket::{self, Ticket};
use crate::{Action, Event, EventId, StoreError, StoreExt, Subject, TicketId};

/// A change of one ticket.
#[derive(Clone, Debug, PartialEq)]
pub struct TicketAmendment {
    /// The identifier of the audit event of this change.
    pub event_id: EventId,
    /// The ticket to change.
    pub id: TicketId,
    /// The version that the caller has read, if it must match.
    pub version: Option<i64>,
    /// What to change.
    pub change: TicketChange,
}

impl Office<'_> {
    /// Changes the tickets and returns them in the order of the request. The required rights follow
    /// from the differences of each ticket. A change without a difference writes nothing. If one
    /// change is denied, none is made.
    pub fn amend_tickets(&self, amendments: &[TicketAmendment]) -> UseCaseResult<Vec<TicketView>> {
        self.store.write("amend_tickets", |tx| commit_refusal(amend(tx, self, BTreeMap::new(), amendments)))
    }

    /// Changes one ticket and returns it; see [`amend_tickets`](Self::amend_tickets).
    pub fn amend_ticket(&self, id: TicketId, version: Option<i64>, change: TicketChange) -> UseCaseResult<TicketView> {
        let amendment = TicketAmendment { event_id: self.context.event_id, id, version, change };
        self.store.write("amend_tickets", |tx| {
            commit_refusal(load_ticket(tx, self.tenant, id).and_then(|before| amend_one(tx, self, before, &amendment)))
        })
    }
}

/// Changes the ticket `before`, which this unit of work has read.
pub(super) fn amend_one(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    before: Ticket,
    amendment: &TicketAmendment,
) -> Result<TicketView, UseCaseError> {
    let read = BTreeMap::from([(before.id, before)]);
    let changed = amend(tx, office, read, std::slice::from_ref(amendment))?.pop();
    Ok(changed.ok_or_else(|| StoreError::Fault("a change of a ticket has no result".to_owned()))?)
}

/// Checks all changes before anything is written, because a denial does not roll back. `tickets`
/// are those that this unit of work has read already.
fn amend(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    mut tickets: BTreeMap<TicketId, Ticket>,
    amendments: &[TicketAmendment],
) -> Result<Vec<TicketView>, UseCaseError> {
    let mut judged = Vec::new();
    let actor = load_actor(tx, office)?;
    for TicketAmendment { event_id, id, version, change } in amendments {
        let before = match tickets.remove(id) {
            Some(ticket) => ticket,
            None => load_ticket(tx, office.tenant, *id)?,
        };
        // A caller who may not change the ticket at all learns nothing about it.
        let ownership = actor.ownership_of(before.sheet.owner);
        map_ticket_error(*id, actor.authorize(ticket::TicketOperation::Change, ownership))?;
        let wanted = change.apply_to(tx, office.tenant, &before.sheet)?;
        let amended = map_ticket_error(*id, ticket::amend(&before, wanted, &actor, *version, office.context.at))?;
        let changed = amended.ticket != before;
        tickets.insert(*id, amended.ticket.clone());
        judged.push((*event_id, amended, changed));
    }
    let changed_tickets: Vec<Ticket> = judged.iter().map(|(_, amended, _)| amended.ticket.clone()).collect();
    // In one order, whatever that of the request is, so that two requests do not wait for each
    // other.
    judged.sort_by_key(|(_, amended, _)| amended.ticket.id);
    for (event_id, amended, changed) in judged {
        if !changed {
            continue;
        }
        save_ticket(tx, &amended.ticket)?;
        let mut details = ticket::audit_details(&amended.edits);
        details.insert("version".to_owned(), amended.ticket.version.into());
        let subject = Subject::Ticket(amended.ticket.id);
        let event = office.build_event(Action::TicketUpdate, subject, details);
        tx.audit().record(&Event { id: event_id, ..event })?;
    }
    Ok(view_tickets(tx, changed_tickets)?)
}
