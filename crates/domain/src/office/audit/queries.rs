//! Reads the audit: what was done, by whom, and how it went, newest first.

use crate::office::context::Authority;
use crate::office::error::UseCaseResult;
use crate::office::ports::{EventFilter, EventView, OfficePorts, OffsetPageRequest, PageWithTotal};
use crate::{EventId, KnownRight, Store, StoreExt, StoreResult, TenantId};

/// The most that a part holds: a page of 200 and the one more that tells whether another follows.
const MAX_FETCH_ROWS: u32 = 201;

/// Lines of the audit, newest first. Whoever asks for one tenant says so in the filter.
pub fn read_audit(
    store: &dyn Store<OfficePorts>,
    filter: &EventFilter,
    part: &OffsetPageRequest<EventId>,
) -> StoreResult<Vec<EventView>> {
    let Some(filter) = normalize_filter(filter) else { return Ok(Vec::new()) };
    store.read(|tx| tx.events().list(&filter, &clamp_limit(part)))
}

/// The same with how many lines there are on all parts together, in one consistent reading.
pub fn search_audit(
    store: &dyn Store<OfficePorts>,
    filter: &EventFilter,
    part: &OffsetPageRequest<EventId>,
) -> StoreResult<PageWithTotal<EventView>> {
    let Some(filter) = normalize_filter(filter) else { return Ok(PageWithTotal { items: Vec::new(), total: 0 }) };
    store.read(|tx| {
        Ok(PageWithTotal { items: tx.events().list(&filter, &clamp_limit(part))?, total: tx.events().count(&filter)? })
    })
}

/// The same for whoever holds the right `auditRead`, of their tenant.
pub fn list_events(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    authority: &Authority,
    filter: &EventFilter,
    part: &OffsetPageRequest<EventId>,
) -> UseCaseResult<Vec<EventView>> {
    match authority.require(KnownRight::AuditRead) {
        Err(refused) => Ok(Err(refused)),
        Ok(()) => Ok(Ok(read_audit(store, &EventFilter { tenant: Some(tenant), ..filter.clone() }, part)?)),
    }
}

/// The line of this id, where it is of the tenant. Asks the right `auditRead`.
pub fn find_event(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    authority: &Authority,
    id: EventId,
) -> UseCaseResult<Option<EventView>> {
    let filter = EventFilter { id: Some(id), ..EventFilter::default() };
    let found = list_events(store, tenant, authority, &filter, &OffsetPageRequest::first(1))?;
    Ok(found.map(|lines| lines.into_iter().next()))
}

fn clamp_limit(part: &OffsetPageRequest<EventId>) -> OffsetPageRequest<EventId> {
    OffsetPageRequest { limit: part.limit.clamp(1, MAX_FETCH_ROWS), ..part.clone() }
}

/// The filter that the store is asked; `None` where nothing can fit it.
fn normalize_filter(filter: &EventFilter) -> Option<EventFilter> {
    let text = crate::office::text::normalize_search_text(filter.text.as_deref())?;
    Some(EventFilter { text, ..filter.clone() })
}
