//! Refunds items of a closed ticket by a new ticket that references it.

use std::collections::BTreeMap;

use serde_json::json;

use super::common::{load_actor, load_ticket, map_ticket_error};
use super::idempotency::{self, IdempotentRequest, TicketCreation};
use super::view::view_ticket;
use crate::office::Office;
use crate::office::error::{UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficeTx;
use crate::ticket::{self, Draft, Edit, Opening, Quantity, TicketError, TicketOperation};
use crate::{Action, StoreError, StoreExt, StoreResult, Subject, TicketId};

/// The refund to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRefund {
    /// The id of its ticket, created before.
    pub id: TicketId,
    /// The items to refund, with their quantities; `None` for everything that is left.
    pub items: Option<BTreeMap<u32, Quantity>>,
}

impl Office<'_> {
    /// Opens a refund of the closed ticket `sold`. Requires the rights `ticketCreate` and `storno`,
    /// and a sale device. All refunds together refund no more than was sold, also if they are
    /// concurrent. `once` is as for [`open_ticket`](Self::open_ticket).
    pub fn refund_ticket(
        &self,
        sold: TicketId,
        new: &NewRefund,
        once: Option<&IdempotentRequest>,
    ) -> UseCaseResult<TicketCreation> {
        self.store.write("refund_ticket", |tx| commit_refusal(refund(tx, self, sold, new, once)))
    }

    /// What is wrong with the items of a refund, although the request is invalid; the quantity of
    /// an item is `None` if it is invalid. Empty for a caller who may not refund the ticket.
    pub fn find_refund_faults(
        &self,
        sold: TicketId,
        items: &[(u32, Option<Quantity>)],
    ) -> StoreResult<Vec<TicketError>> {
        self.store.read("check_names", |tx| {
            let actor = load_actor(tx, self);
            match actor.and_then(|actor| Ok((actor, load_ticket(tx, self.tenant, sold)?))) {
                Ok((actor, sold)) => {
                    let ownership = actor.ownership_of(sold.sheet.owner);
                    let allowed = actor.authorize(TicketOperation::Refund, ownership).is_ok();
                    Ok(if allowed { ticket::find_refund_faults(&sold, items) } else { Vec::new() })
                }
                Err(UseCaseError::Office(_)) => Ok(Vec::new()),
                Err(UseCaseError::Store(error)) => Err(error),
            }
        })
    }
}

fn refund(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    sold: TicketId,
    new: &NewRefund,
    once: Option<&IdempotentRequest>,
) -> Result<TicketCreation, UseCaseError> {
    let actor = load_actor(tx, office)?;
    let user = map_ticket_error(sold, actor.require_person())?;
    if let Some(made) = idempotency::find_replay(tx, (office.tenant, user), once)? {
        return Ok(made);
    }
    let sold = load_ticket(tx, office.tenant, sold)?;
    map_ticket_error(sold.id, actor.authorize(TicketOperation::Refund, actor.ownership_of(sold.sheet.owner)))?;
    // What is left depends on all refunds: of two concurrent ones, the second waits here and then
    // sees the first.
    tx.tickets().claim(office.tenant, sold.id)?;
    let others = tx.tickets().list_refunds(office.tenant, sold.id)?;
    let items = new.items.clone().unwrap_or_else(|| ticket::compute_refundable(&sold, &others));
    let opening = Opening { id: new.id, tenant: office.tenant, at: office.context.at };
    let made = map_ticket_error(sold.id, ticket::refund(&sold, &others, &items, opening, &actor))?;
    if !tx.tickets().insert(&made)? {
        return Err(StoreError::Fault("the id of a new refund is in use".to_owned()).into());
    }
    idempotency::store_response(tx, (office.tenant, user), once, &made, office.context.at)?;
    let blank = map_ticket_error(made.id, Draft::of(user, made.sheet.currency).check())?;
    let mut details = ticket::audit_details(&Edit::diff(&blank, &made.sheet));
    details.insert("refund_of".to_owned(), json!(sold.id));
    details.insert("payable".to_owned(), json!(made.sheet.money(made.sheet.payable()).to_string()));
    tx.audit().record(&office.build_event(Action::TicketRefund, Subject::Ticket(made.id), details))?;
    Ok(TicketCreation { ticket: view_ticket(tx, made)?, replayed: false })
}
