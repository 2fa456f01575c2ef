//! Makes an open ticket void.

use serde_json::{Map, json};

use super::common::{load_actor, load_ticket, map_ticket_error, save_ticket};
use super::view::{TicketView, view_ticket};
use crate::office::context::AuditContext;
use crate::office::error::{UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{OfficePorts, OfficeTx};
use crate::ticket::{self, Note};
use crate::{Action, Store, StoreExt, Subject, TenantId, TicketId};

/// Makes the ticket void: it stays in the books with what stood on it. Asks `ticketDelete`, for another's ticket `ticketUpdateAny`
/// too; it need not be on a sale device.
pub fn void_ticket(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    stamp: &AuditContext,
    id: TicketId,
    version: Option<i64>,
    reason: &Note,
) -> UseCaseResult<TicketView> {
    store.write(|tx| commit_refusal(void(tx, tenant, stamp, id, version, reason)))
}

fn void(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    stamp: &AuditContext,
    id: TicketId,
    version: Option<i64>,
    reason: &Note,
) -> Result<TicketView, UseCaseError> {
    let (before, hand) = (load_ticket(tx, tenant, id)?, load_actor(tx, tenant, stamp)?);
    let after = map_ticket_error(id, ticket::void(&before, reason.clone(), &hand, version, stamp.at))?;
    save_ticket(tx, &after)?;
    let details = Map::from_iter([
        ("reason".to_owned(), json!(reason.as_str())),
        ("payable".to_owned(), json!(after.sheet.money(after.sheet.payable()).to_string())),
        ("version".to_owned(), json!(after.version)),
    ]);
    tx.audit().record(&stamp.build_event(tenant, Action::TicketVoid, Subject::Ticket(id), details))?;
    Ok(view_ticket(tx, after)?)
}
