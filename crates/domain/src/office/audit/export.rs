//! Exports of audit events. The events are read page by page, so an export of any length occupies
//! the memory of one page.

use serde_json::{Map, Value, json};

use super::queries::read_audit;
use crate::office::Office;
use crate::office::context::AuditContext;
use crate::office::error::{OfficeError, UseCaseResult};
use crate::office::ports::{EventFilter, EventView, MAX_PAGE_SIZE, OfficePorts, OffsetPageRequest};
use crate::{Action, EventId, KnownRight, Store, StoreExt, StoreResult, Subject};

impl Office<'_> {
    /// Reads the first page of an export, as
    /// [`list_events`](crate::office::OfficeReader::list_events) would, and records the export as
    /// an audit event, which is not part of it. `format` is the name of the file format. Requires
    /// the right `auditRead` and a recent proof of identity.
    pub fn start_export(&self, filter: &EventFilter, format: &str) -> UseCaseResult<Vec<EventView>> {
        if let Err(refused) = self.authorize_export() {
            return Ok(Err(refused));
        }
        let filter = EventFilter { tenant: Some(self.tenant), ..filter.clone() };
        Ok(Ok(start_audit_export(self.store, &self.context, &filter, format)?))
    }

    /// Checks what an export requires.
    ///
    /// # Errors
    /// The right `auditRead` or a recent proof of identity is missing.
    pub fn authorize_export(&self) -> Result<(), OfficeError> {
        self.require(KnownRight::AuditRead)?;
        self.require_recent_proof()
    }
}

/// Reads the first page of an export without a check of rights, and records the export. The filter
/// selects the tenant; an export of all tenants is an event of the server.
pub fn start_audit_export(
    store: &dyn Store<OfficePorts>,
    context: &AuditContext,
    filter: &EventFilter,
    format: &str,
) -> StoreResult<Vec<EventView>> {
    // before the event is recorded, and not in its transaction: a search may read the whole log
    let first = read_audit(store, filter, &export_page(None))?;
    let subject = filter.tenant.map_or(Subject::Server, Subject::Tenant);
    let details = Map::from_iter([
        ("format".to_owned(), json!(format)),
        ("filter".to_owned(), Value::Object(describe_filter(filter))),
    ]);
    let event = context.build_event(filter.tenant, Action::AuditExport, subject, details);
    store.write("start_audit_export", |tx| tx.audit().record(&event))?;
    Ok(first)
}

/// The page of an export that follows the event with this id; `None` for the first.
pub fn export_page(last: Option<EventId>) -> OffsetPageRequest<EventId> {
    OffsetPageRequest { after: last, ..OffsetPageRequest::first(MAX_PAGE_SIZE) }
}

/// The criteria of a filter in the details of an event; the tenant is that of the event.
fn describe_filter(filter: &EventFilter) -> Map<String, Value> {
    let EventFilter {
        tenant: _,
        id,
        user,
        device,
        branch,
        session,
        actions,
        outcome,
        subject_kind,
        subject_id,
        from,
        until,
        text,
        // only a dialect's list sets it
        text_actions: _,
    } = filter;
    let actions: Vec<&str> = actions.iter().map(|action| action.name()).collect();
    let criteria = [
        ("id", id.map(|id| json!(id))),
        ("user", user.map(|id| json!(id))),
        ("device", device.map(|id| json!(id))),
        ("store", branch.map(|id| json!(id))),
        ("session", session.map(|id| json!(id))),
        ("action", (!actions.is_empty()).then(|| json!(actions))),
        ("outcome", outcome.map(|outcome| json!(outcome.name()))),
        ("subject_kind", subject_kind.map(|kind| json!(kind.name()))),
        ("subject", subject_id.map(|id| json!(id))),
        ("from", from.map(|at| json!(at.millis()))),
        ("until", until.map(|at| json!(at.millis()))),
        ("search", text.as_ref().map(|text| json!(text))),
    ];
    criteria.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
