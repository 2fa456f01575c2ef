//! Takes goods of a closed ticket back, by a new ticket that refers to it.

use std::collections::BTreeMap;

use serde_json::json;

use super::once::{self, Made, Once};
use super::shown::shown;
use super::work::{hand, known, ruled};
use crate::office::ports::{OfficeTx, OfficeView};
use crate::office::refused::{Decided, Halt, decide};
use crate::office::stamp::Stamp;
use crate::ticket::{self, Draft, Edit, Opening, Quantity};
use crate::{Action, Store, StoreError, StoreExt, Subject, TenantId, TicketId};

/// A refund that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRefund {
    /// The id of its ticket, drawn before.
    pub id: TicketId,
    /// What of which item; `None` for all that is left.
    pub items: Option<BTreeMap<u32, Quantity>>,
}

/// Opens a refund of the closed ticket `sold`. Asks `ticketCreate` and `storno` on a sale device. All refunds together take back no
/// more than was sold, also where two are made at once. `once` is as for opening a ticket.
pub fn refund_ticket(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    stamp: &Stamp,
    sold: TicketId,
    new: &NewRefund,
    once: Option<&Once>,
) -> Decided<Made> {
    store.write(|tx| decide(refund(tx, tenant, stamp, sold, new, once)))
}

fn refund(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &Stamp,
    sold: TicketId,
    new: &NewRefund,
    once: Option<&Once>,
) -> Result<Made, Halt> {
    let hand = hand(tx, tenant, stamp)?;
    let user = ruled(sold, hand.person())?;
    if let Some(made) = once::before(tx, (tenant, user), once)? {
        return Ok(made);
    }
    let sold = known(tx, tenant, sold)?;
    ruled(sold.id, hand.may(ticket::Operation::Refund, hand.whose(sold.sheet.owner)))?;
    // what is left depends on all its refunds: of two at once the second waits here, and then sees the first
    tx.tickets().claim(tenant, sold.id)?;
    let others = tx.tickets().refunds(tenant, sold.id)?;
    let items = new.items.clone().unwrap_or_else(|| ticket::left_of(&sold, &others));
    let opening = Opening { id: new.id, tenant, at: stamp.at };
    let made = ruled(sold.id, ticket::refund(&sold, &others, &items, opening, &hand))?;
    if !tx.tickets().insert(&made)? {
        return Err(StoreError::Fault("the id of a refund is taken".to_owned()).into());
    }
    once::keep(tx, (tenant, user), once, &made, stamp.at)?;
    let blank = ruled(made.id, Draft::of(user, made.sheet.currency).check())?;
    let mut details = ticket::details(&Edit::between(&blank, &made.sheet));
    details.insert("refund_of".to_owned(), json!(sold.id));
    details.insert("payable".to_owned(), json!(made.sheet.money(made.sheet.payable()).to_string()));
    tx.audit().tell(&stamp.done(tenant, Action::TicketRefund, Subject::Ticket(made.id), details))?;
    Ok(Made { shown: shown(tx, made)?, again: false })
}
