//! Reads the audit: what was done, by whom, and how it went, newest first.

use super::ports::{EventFilter, Found, OfficeView, Part, Told};
use super::refused::Decided;
use super::stamp::Authority;
use crate::{EventId, KnownRight, Store, StoreExt, Stored, TenantId};

/// The most that a part holds: a page of 200 and the one more that tells whether another follows.
const MOST: u32 = 201;

/// Lines of the audit, newest first. Whoever asks for one tenant says so in the filter.
pub fn read_audit(store: &dyn Store<OfficeView>, filter: &EventFilter, part: &Part<EventId>) -> Stored<Vec<Told>> {
    let Some(filter) = readable(filter) else { return Ok(Vec::new()) };
    store.read(|tx| tx.events().list(&filter, &bounded(part)))
}

/// The same with how many lines there are on all parts together, in one consistent reading.
pub fn search_audit(store: &dyn Store<OfficeView>, filter: &EventFilter, part: &Part<EventId>) -> Stored<Found<Told>> {
    let Some(filter) = readable(filter) else { return Ok(Found { items: Vec::new(), total: 0 }) };
    store.read(|tx| Ok(Found { items: tx.events().list(&filter, &bounded(part))?, total: tx.events().count(&filter)? }))
}

/// The same for whoever holds the right `auditRead`, of their tenant.
pub fn list_events(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    authority: &Authority,
    filter: &EventFilter,
    part: &Part<EventId>,
) -> Decided<Vec<Told>> {
    match authority.ask(KnownRight::AuditRead) {
        Err(refused) => Ok(Err(refused)),
        Ok(()) => Ok(Ok(read_audit(store, &EventFilter { tenant: Some(tenant), ..filter.clone() }, part)?)),
    }
}

/// The line of this id, where it is of the tenant. Asks the right `auditRead`.
pub fn find_event(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    authority: &Authority,
    id: EventId,
) -> Decided<Option<Told>> {
    let filter = EventFilter { id: Some(id), ..EventFilter::default() };
    let found = list_events(store, tenant, authority, &filter, &Part::first(1))?;
    Ok(found.map(|lines| lines.into_iter().next()))
}

fn bounded(part: &Part<EventId>) -> Part<EventId> {
    Part { limit: part.limit.clamp(1, MOST), ..part.clone() }
}

/// The filter that the store is asked; `None` where nothing can fit it.
fn readable(filter: &EventFilter) -> Option<EventFilter> {
    let text = super::text::sought(filter.text.as_deref())?;
    Some(EventFilter { text, ..filter.clone() })
}
