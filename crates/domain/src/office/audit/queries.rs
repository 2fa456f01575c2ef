//! Reads audit events, newest first.

use crate::office::OfficeReader;
use crate::office::error::UseCaseResult;
use crate::office::ports::{EventFilter, EventView, MAX_FETCH_ROWS, OfficePorts, OffsetPageRequest, PageWithTotal};
use crate::{EventId, KnownRight, Store, StoreExt, StoreResult};

/// Reads audit events, newest first, without a check of rights. The filter selects the tenant.
pub fn read_audit(
    store: &dyn Store<OfficePorts>,
    filter: &EventFilter,
    part: &OffsetPageRequest<EventId>,
) -> StoreResult<Vec<EventView>> {
    let Some(filter) = normalize_filter(filter) else { return Ok(Vec::new()) };
    store.read("read_audit", |tx| tx.events().list(&filter, &clamp_limit(part)))
}

/// Reads audit events and their total number, in one consistent snapshot.
pub fn search_audit(
    store: &dyn Store<OfficePorts>,
    filter: &EventFilter,
    part: &OffsetPageRequest<EventId>,
) -> StoreResult<PageWithTotal<EventView>> {
    let Some(filter) = normalize_filter(filter) else { return Ok(PageWithTotal { items: Vec::new(), total: 0 }) };
    store.read("search_audit", |tx| {
        Ok(PageWithTotal { items: tx.events().list(&filter, &clamp_limit(part))?, total: tx.events().count(&filter)? })
    })
}

impl OfficeReader<'_> {
    /// Reads the audit events of a tenant. Requires the right `auditRead`.
    pub fn list_events(
        &self,
        filter: &EventFilter,
        part: &OffsetPageRequest<EventId>,
    ) -> UseCaseResult<Vec<EventView>> {
        match self.require(KnownRight::AuditRead) {
            Err(refused) => Ok(Err(refused.into())),
            Ok(()) => {
                Ok(Ok(read_audit(self.store, &EventFilter { tenant: Some(self.tenant), ..filter.clone() }, part)?))
            }
        }
    }

    /// Finds an audit event of the tenant. Requires the right `auditRead`.
    pub fn find_event(&self, id: EventId) -> UseCaseResult<Option<EventView>> {
        let filter = EventFilter { id: Some(id), ..EventFilter::default() };
        let found = self.list_events(&filter, &OffsetPageRequest::first(1))?;
        Ok(found.map(|lines| lines.into_iter().next()))
    }
}

fn clamp_limit(part: &OffsetPageRequest<EventId>) -> OffsetPageRequest<EventId> {
    OffsetPageRequest { limit: part.limit.clamp(1, MAX_FETCH_ROWS), ..part.clone() }
}

/// The filter for the store; `None` if nothing can match it.
fn normalize_filter(filter: &EventFilter) -> Option<EventFilter> {
    let text = crate::office::text::normalize_search_text(filter.text.as_deref())?;
    Some(EventFilter { text, ..filter.clone() })
}
