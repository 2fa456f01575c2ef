//! Voids an open ticket.

use serde_json::{Map, json};

use super::common::{load_actor, load_ticket, map_ticket_error, save_ticket};
use super::view::{TicketView, view_ticket};
use crate::office::Office;
use crate::office::error::{UseCaseError, UseCaseResult, commit_refusal};
use crate::office::ports::OfficeTx;
use crate::ticket::{self, Note};
use crate::{Action, StoreExt, Subject, TicketId};

impl Office<'_> {
    /// Voids the ticket, which stays stored with its sheet. Requires the right `ticketDelete`, for
    /// a ticket of another owner also `ticketUpdateAny`. It does not require a sale device.
    pub fn void_ticket(&self, id: TicketId, versions: Option<&[i64]>, reason: &Note) -> UseCaseResult<TicketView> {
        self.store.write("void_ticket", |tx| commit_refusal(void(tx, self, id, versions, reason)))
    }
}

fn void(
    tx: &mut dyn OfficeTx,
    office: &Office<'_>,
    id: TicketId,
    versions: Option<&[i64]>,
    reason: &Note,
) -> Result<TicketView, UseCaseError> {
    let (before, actor) = (load_ticket(tx, office.tenant, id)?, load_actor(tx, office)?);
    let after = map_ticket_error(id, ticket::void(&before, reason.clone(), &actor, versions, office.context.at))?;
    save_ticket(tx, &after)?;
    let details = Map::from_iter([
        ("reason".to_owned(), json!(reason.as_str())),
        ("payable".to_owned(), json!(after.sheet.money(after.sheet.payable()).to_string())),
        ("version".to_owned(), json!(after.version)),
    ]);
    tx.audit().record(&office.build_event(Action::TicketVoid, Subject::Ticket(id), details))?;
    Ok(view_ticket(tx, after)?)
}
