//! Changes open tickets, one or several at once: all of them or none.

use std::collections::{BTreeMap, BTreeSet};

use super::change::TicketChange;
use super::common::{load_actor, load_ticket, map_ticket_error, save_ticket};
use super::view::{TicketView, view_tickets};
use crate::office::Office;
use crate::office::error::{OfficeError, UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficeTx;
use crate::ticket::{self, AmendResult, Ticket, TicketActor};
use crate::{Action, DenialKind, Event, EventId, StoreError, StoreExt, StoreResult, Subject, TicketId};

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

/// A change of one ticket that is checked and not made.
#[derive(Clone, Copy, Debug)]
pub struct UncheckedAmendment<'a> {
    /// The place in the request, from 0.
    pub index: usize,
    /// The ticket to change.
    pub id: TicketId,
    /// The version that the caller has read, if it must match.
    pub version: Option<i64>,
    /// What to change; an invalid field is missing, or its valid parts.
    pub change: &'a TicketChange,
    /// Whether no field of this change is invalid.
    pub is_valid: bool,
}

impl Office<'_> {
    /// Changes the tickets and returns them in the order of the request. The required rights follow
    /// from the differences of each ticket. A change without a difference writes nothing. If one
    /// change is denied, none is made, and the error is an [`OfficeError::Batch`] with what is
    /// wrong with each of them. A caller who may not make one of the changes gets that error alone.
    pub fn amend_tickets(&self, amendments: &[TicketAmendment]) -> UseCaseResult<Vec<TicketView>> {
        self.store.write("amend_tickets", |tx| {
            let changes = amendments.iter().enumerate().map(|(index, TicketAmendment { id, version, change, .. })| {
                UncheckedAmendment { index, id: *id, version: *version, change, is_valid: true }
            });
            commit_refusal(check_amendments(tx, self, changes).and_then(|CheckedAmendments { allowed, refusals }| {
                if let Some((_, denied)) = refusals.iter().find(|(_, error)| error.kind() == DenialKind::Forbidden) {
                    return Err(denied.clone().into());
                }
                if !refusals.is_empty() {
                    return Err(OfficeError::Batch(refusals).into());
                }
                let events = amendments.iter().map(|amendment| amendment.event_id);
                write_all(tx, self, events.zip(allowed).collect())
            }))
        })
    }

    /// Changes one ticket and returns it; see [`amend_tickets`](Self::amend_tickets).
    pub fn amend_ticket(
        &self,
        id: TicketId,
        versions: Option<&[i64]>,
        change: &TicketChange,
    ) -> UseCaseResult<TicketView> {
        self.store.write("amend_tickets", |tx| {
            let found = load_ticket(tx, self.tenant, id);
            commit_refusal(found.and_then(|before| amend_one(tx, self, &before, versions, change)))
        })
    }

    /// What [`amend_tickets`](Self::amend_tickets) would deny of these changes, so that it is
    /// reported together with the fields that are invalid. Nothing is revealed about tickets that
    /// the caller may not change.
    pub fn find_amendment_errors(&self, changes: &[UncheckedAmendment<'_>]) -> StoreResult<Vec<(usize, OfficeError)>> {
        self.store.read("check_names", |tx| match check_amendments(tx, self, changes.iter().copied()) {
            Ok(CheckedAmendments { mut refusals, .. }) => {
                refusals.retain(|(_, error)| error.kind() != DenialKind::Forbidden);
                Ok(refusals)
            }
            Err(UseCaseError::Office(_)) => Ok(Vec::new()),
            Err(UseCaseError::Store(error)) => Err(error),
        })
    }
}

/// A change that is allowed and not written yet.
struct AllowedAmendment {
    amended: AmendResult,
    /// Whether there is something to write.
    changes: bool,
}

/// What the check of several changes has found.
struct CheckedAmendments {
    allowed: Vec<AllowedAmendment>,
    /// The errors of the others, by their places in the request.
    refusals: Vec<(usize, OfficeError)>,
}

/// Changes the ticket `before`, which this unit of work has read.
pub(super) fn amend_one(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    before: &Ticket,
    versions: Option<&[i64]>,
    change: &TicketChange,
) -> Result<TicketView, UseCaseError> {
    let actor = load_actor(tx, office)?;
    let mut refusals = Vec::new();
    let allowed = check_amendment(tx, office, &actor, before, versions, change, &mut refusals)?;
    if let Some(first) = refusals.into_iter().next() {
        return Err(first.into());
    }
    let allowed = allowed.map(|one| (office.context.event_id, one)).into_iter().collect();
    let changed = write_all(tx, office, allowed)?.pop();
    Ok(changed.ok_or_else(|| StoreError::Fault("a change of a ticket has no result".to_owned()))?)
}

/// Checks all changes before anything is written, because a denial does not roll back.
fn check_amendments<'a>(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    changes: impl IntoIterator<Item = UncheckedAmendment<'a>>,
) -> Result<CheckedAmendments, UseCaseError> {
    let actor = load_actor(tx, office)?;
    let (mut allowed, mut refusals) = (Vec::new(), Vec::new());
    let mut tickets: BTreeMap<TicketId, Ticket> = BTreeMap::new();
    // Tickets of which an earlier change in the request is denied. Their state after it is unknown,
    // so only the fields of another change are checked.
    let mut denied: BTreeSet<TicketId> = BTreeSet::new();
    for UncheckedAmendment { index, id, version, change, is_valid } in changes {
        let before = match tickets.remove(&id) {
            Some(ticket) => ticket,
            None => match load_ticket(tx, office.tenant, id) {
                Ok(ticket) => ticket,
                Err(UseCaseError::Office(error)) => {
                    refusals.push((index, error));
                    continue;
                }
                Err(failed) => return Err(failed),
            },
        };
        let mut errors = Vec::new();
        let named = TicketChange { owner: change.owner.clone(), ..TicketChange::default() };
        let checked = if denied.contains(&id) {
            check_fields(tx, office, &actor, &before, change, &mut errors)?;
            None
        } else {
            let versions = version.as_ref().map(std::slice::from_ref);
            // The rights that a change requires are unknown if a field is invalid.
            let allowed = if is_valid { change } else { &named };
            let checked = check_amendment(tx, office, &actor, &before, versions, allowed, &mut errors)?;
            if !is_valid {
                let content = TicketChange { owner: None, ..change.clone() };
                check_fields(tx, office, &actor, &before, &content, &mut errors)?;
            }
            checked
        };
        if let Some(checked) = checked.filter(|_| is_valid && errors.is_empty()) {
            tickets.insert(id, checked.amended.ticket.clone());
            allowed.push(checked);
        } else {
            denied.insert(id);
            tickets.insert(id, before);
        }
        refusals.extend(errors.into_iter().map(|error| (index, error)));
    }
    Ok(CheckedAmendments { allowed, refusals })
}

/// Checks one change; `None` if it is denied. Adds everything that is wrong with its fields, and
/// then why the ticket cannot be changed.
fn check_amendment(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    actor: &TicketActor,
    before: &Ticket,
    versions: Option<&[i64]>,
    change: &TicketChange,
    errors: &mut Vec<OfficeError>,
) -> Result<Option<AllowedAmendment>, UseCaseError> {
    let wanted = check_fields(tx, office, actor, before, change, errors)?;
    let amended = match wanted {
        Some(wanted) => ticket::amend(before, wanted, actor, versions, office.context.at).map(Some),
        None => ticket::require_changeable(before, actor, versions).map(|()| None),
    };
    match map_ticket_error(before.id, amended) {
        Ok(amended) => Ok(amended.map(|amended| AllowedAmendment { changes: amended.ticket != *before, amended })),
        Err(UseCaseError::Office(error)) => {
            // A missing right is found by every check.
            if !errors.contains(&error) {
                errors.push(error);
            }
            Ok(None)
        }
        Err(failed) => Err(failed),
    }
}

/// The requested sheet; `None` if it is invalid. A caller who may not change the ticket at all
/// learns nothing about it.
fn check_fields(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    actor: &TicketActor,
    before: &Ticket,
    change: &TicketChange,
    errors: &mut Vec<OfficeError>,
) -> Result<Option<ticket::Sheet>, UseCaseError> {
    let ownership = actor.ownership_of(before.sheet.owner);
    let found = map_ticket_error(before.id, actor.authorize(ticket::TicketOperation::Change, ownership))
        .and_then(|()| change.apply_to(tx, office.tenant, &before.sheet));
    match found {
        Ok(sheet) => Ok(Some(sheet)),
        Err(UseCaseError::Office(error)) => {
            // A missing right is found by every check.
            if !errors.contains(&error) {
                errors.push(error);
            }
            Ok(None)
        }
        Err(failed) => Err(failed),
    }
}

/// Writes changes that are allowed, and returns the tickets in the same order.
fn write_all(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    mut allowed: Vec<(EventId, AllowedAmendment)>,
) -> Result<Vec<TicketView>, UseCaseError> {
    let changed_tickets: Vec<Ticket> = allowed.iter().map(|(_, each)| each.amended.ticket.clone()).collect();
    // In one order, whatever that of the request is, so that two requests do not wait for each
    // other.
    allowed.sort_by_key(|(_, each)| each.amended.ticket.id);
    for (event_id, AllowedAmendment { amended, changes }) in allowed {
        if !changes {
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
