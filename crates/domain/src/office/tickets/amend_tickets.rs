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
    /// When and by whom; each change has a line of its own in the audit.
    pub context: AuditContext,
    /// Which ticket.
    pub id: TicketId,
    /// The version that the caller saw, where they hold to it.
    pub version: Option<i64>,
    /// What becomes of it.
    pub change: TicketChange,
}

/// Changes the tickets and returns each as it is then, in the order of the request. The rights that each asks follow from what
/// differs. What changes nothing writes nothing. One that is refused leaves all as they were.
pub fn amend_tickets(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    amendments: &[TicketAmendment],
) -> UseCaseResult<Vec<TicketView>> {
    store.write(|tx| commit_refusal(amend(tx, tenant, amendments)))
}

/// Judges all of them first, then writes: a refusal keeps what was written before it.
pub(super) fn amend(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    amendments: &[TicketAmendment],
) -> Result<Vec<TicketView>, UseCaseError> {
    let mut tickets: BTreeMap<TicketId, Ticket> = BTreeMap::new();
    let mut judged = Vec::new();
    for TicketAmendment { context: stamp, id, version, change } in amendments {
        let before = match tickets.remove(id) {
            Some(ticket) => ticket,
            None => load_ticket(tx, tenant, *id)?,
        };
        let hand = load_actor(tx, tenant, stamp)?;
        // who may not touch it at all learns nothing of it
        map_ticket_error(*id, hand.authorize(ticket::TicketOperation::Change, hand.ownership_of(before.sheet.owner)))?;
        let wanted = change.apply_to(tx, tenant, &before.sheet)?;
        let amended = map_ticket_error(*id, ticket::amend(&before, wanted, &hand, *version, stamp.at))?;
        let changed = amended.ticket != before;
        tickets.insert(*id, amended.ticket.clone());
        judged.push((stamp, amended, changed));
    }
    let told: Vec<Ticket> = judged.iter().map(|(_, amended, _)| amended.ticket.clone()).collect();
    // in one order, whatever that of the request: else two requests wait for each other
    judged.sort_by_key(|(_, amended, _)| amended.ticket.id);
    for (stamp, amended, changed) in judged {
        if !changed {
            continue;
        }
        save_ticket(tx, &amended.ticket)?;
        let mut details = ticket::audit_details(&amended.edits);
        details.insert("version".to_owned(), amended.ticket.version.into());
        let subject = Subject::Ticket(amended.ticket.id);
        tx.audit().record(&stamp.build_event(tenant, Action::TicketUpdate, subject, details))?;
    }
    Ok(view_tickets(tx, told)?)
}
