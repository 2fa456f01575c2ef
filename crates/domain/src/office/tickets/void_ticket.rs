//! Makes an open ticket void.

use serde_json::{Map, json};

use super::shown::{Shown, shown};
use super::work::{hand, known, ruled, store as keep};
use crate::office::ports::{OfficeTx, OfficeView};
use crate::office::refused::{Decided, Halt, decide};
use crate::office::stamp::Stamp;
use crate::ticket::{self, Note};
use crate::{Action, Store, StoreExt, Subject, TenantId, TicketId};

/// Makes the ticket void: it stays in the books with what stood on it. Asks `ticketDelete`, for another's ticket `ticketUpdateAny`
/// too; it need not be on a sale device.
pub fn void_ticket(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    stamp: &Stamp,
    id: TicketId,
    version: Option<i64>,
    reason: &Note,
) -> Decided<Shown> {
    store.write(|tx| decide(void(tx, tenant, stamp, id, version, reason)))
}

fn void(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &Stamp,
    id: TicketId,
    version: Option<i64>,
    reason: &Note,
) -> Result<Shown, Halt> {
    let (before, hand) = (known(tx, tenant, id)?, hand(tx, tenant, stamp)?);
    let after = ruled(id, ticket::void(&before, reason.clone(), &hand, version, stamp.at))?;
    keep(tx, &after)?;
    let details = Map::from_iter([
        ("reason".to_owned(), json!(reason.as_str())),
        ("payable".to_owned(), json!(after.sheet.money(after.sheet.payable()).to_string())),
        ("version".to_owned(), json!(after.version)),
    ]);
    tx.audit().tell(&stamp.done(tenant, Action::TicketVoid, Subject::Ticket(id), details))?;
    Ok(shown(tx, after)?)
}
