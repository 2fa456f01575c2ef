//! Changes open tickets, one or several at once: all of them or none.

use std::collections::BTreeMap;

use super::change::TicketChange;
use super::shown::{Shown, all_shown};
use super::work::{hand, known, ruled, store as keep};
use crate::office::ports::{OfficeTx, OfficeView};
use crate::office::refused::{Decided, Halt, decide};
use crate::office::stamp::Stamp;
use crate::ticket::{self, Ticket};
use crate::{Action, Store, StoreExt, Subject, TenantId, TicketId};

/// A change of one ticket.
#[derive(Clone, Debug, PartialEq)]
pub struct TicketAmendment {
    /// When and by whom; each change has a line of its own in the audit.
    pub stamp: Stamp,
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
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    amendments: &[TicketAmendment],
) -> Decided<Vec<Shown>> {
    store.write(|tx| decide(amend(tx, tenant, amendments)))
}

/// Judges all of them first, then writes: a refusal keeps what was written before it.
pub(super) fn amend(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    amendments: &[TicketAmendment],
) -> Result<Vec<Shown>, Halt> {
    let mut tickets: BTreeMap<TicketId, Ticket> = BTreeMap::new();
    let mut judged = Vec::new();
    for TicketAmendment { stamp, id, version, change } in amendments {
        let before = match tickets.remove(id) {
            Some(ticket) => ticket,
            None => known(tx, tenant, *id)?,
        };
        let hand = hand(tx, tenant, stamp)?;
        // who may not touch it at all learns nothing of it
        ruled(*id, hand.may(ticket::Operation::Change, hand.whose(before.sheet.owner)))?;
        let wanted = change.onto(tx, tenant, &before.sheet)?;
        let amended = ruled(*id, ticket::amend(&before, wanted, &hand, *version, stamp.at))?;
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
        keep(tx, &amended.ticket)?;
        let mut details = ticket::details(&amended.edits);
        details.insert("version".to_owned(), amended.ticket.version.into());
        let subject = Subject::Ticket(amended.ticket.id);
        tx.audit().tell(&stamp.done(tenant, Action::TicketUpdate, subject, details))?;
    }
    Ok(all_shown(tx, told)?)
}
