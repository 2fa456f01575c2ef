//! Voids an open ticket.

use serde_json::{Map, json};

use super::common::{load_actor, load_ticket, map_ticket_error, save_ticket};
use super::view::{TicketView, view_ticket};
use crate::office::context::AuditContext;
use crate::office::error::{UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::{OfficePorts, OfficeTx};
use crate::ticket::{self, Note};
use crate::{Action, Store, StoreExt, Subject, TenantId, TicketId};

/// Voids the ticket, which stays stored with its sheet. Requires the right `ticketDelete`, for a
/// ticket of another owner also `ticketUpdateAny`. It does not require a sale device.
pub fn void_ticket(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    context: &AuditContext,
    id: TicketId,
    version: Option<i64>,
    reason: &Note,
) -> UseCaseResult<TicketView> {
    store.write("void_ticket", |tx| commit_refusal(void(tx, tenant, context, id, version, reason)))
}

fn void(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    context: &AuditContext,
    id: TicketId,
    version: Option<i64>,
    reason: &Note,
) -> Result<TicketView, UseCaseError> {
    let (before, actor) = (load_ticket(tx, tenant, id)?, load_actor(tx, tenant, context)?);
    let after = map_ticket_error(id, ticket::void(&before, reason.clone(), &actor, version, context.at))?;
    save_ticket(tx, &after)?;
    let details = Map::from_iter([
        ("reason".to_owned(), json!(reason.as_str())),
        ("payable".to_owned(), json!(after.sheet.money(after.sheet.payable()).to_string())),
        ("version".to_owned(), json!(after.version)),
    ]);
    tx.audit().record(&context.build_event(tenant, Action::TicketVoid, Subject::Ticket(id), details))?;
    Ok(view_ticket(tx, after)?)
}
