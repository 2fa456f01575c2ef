//! Looks at tickets: one consistent reading each, of one tenant. What belongs to another tenant reads as absent.

use super::view::{TicketView, view_ticket, view_tickets};
use crate::office::ports::{OfficePorts, OffsetPageRequest, TicketCursor, TicketFilter, TicketOrder};
use crate::office::text;
use crate::ticket::Ticket;
use crate::{Store, StoreExt, StoreResult, TenantId, TicketId};

/// The most that a part holds: a page of 200 and the one more that tells whether another follows.
const MAX_FETCH_ROWS: u32 = 201;

/// How many are read at once where they are read part by part: a page of the usual length and the one more.
const TICKETS_PER_BATCH: u32 = 51;

/// Which tickets, in which order, and which part of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketSearch {
    /// Which.
    pub filter: TicketFilter,
    /// In which order.
    pub order: TicketOrder,
    /// Which part, 201 at most.
    pub page: OffsetPageRequest<TicketCursor>,
}

/// The ticket with this id, in any state.
pub fn find_ticket(store: &dyn Store<OfficePorts>, tenant: TenantId, id: TicketId) -> StoreResult<Option<TicketView>> {
    store.read(|tx| match tx.tickets().find(tenant, id)? {
        Some(ticket) => view_ticket(tx, ticket).map(Some),
        None => Ok(None),
    })
}

/// The tickets with these ids, in this order and in any state, as far as they are there.
pub fn find_tickets(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    ids: &[TicketId],
) -> StoreResult<Vec<TicketView>> {
    store.read(|tx| {
        let found: Vec<_> = ids.iter().map(|id| tx.tickets().find(tenant, *id)).collect::<StoreResult<_>>()?;
        view_tickets(tx, found.into_iter().flatten().collect())
    })
}

/// Tickets of a tenant. The part begins behind the place in it, whether or not a ticket stands there.
pub fn list_tickets(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    search: &TicketSearch,
) -> StoreResult<Vec<TicketView>> {
    let Some(filter) = normalize_filter(&search.filter) else { return Ok(Vec::new()) };
    let part = OffsetPageRequest { limit: search.page.limit.clamp(1, MAX_FETCH_ROWS), ..search.page.clone() };
    store.read(|tx| {
        let tickets = tx.tickets().list(tenant, &filter, search.order, &part)?;
        view_tickets(tx, tickets)
    })
}

/// The same part by part, for as long as what was read `fits`: a list of large tickets ends early, with one at least, and what it reads
/// beyond the end is one part at most.
pub fn list_tickets_while(
    store: &dyn Store<OfficePorts>,
    tenant: TenantId,
    search: &TicketSearch,
    fits: impl Fn(&[Ticket]) -> bool,
) -> StoreResult<Vec<TicketView>> {
    let Some(filter) = normalize_filter(&search.filter) else { return Ok(Vec::new()) };
    let most = usize::try_from(search.page.limit.clamp(1, MAX_FETCH_ROWS)).unwrap_or(usize::MAX);
    store.read(|tx| {
        let (mut part, mut tickets) = (search.page.clone(), Vec::new());
        while tickets.len() < most && fits(&tickets) {
            part.limit = u32::try_from(most - tickets.len()).unwrap_or(TICKETS_PER_BATCH).min(TICKETS_PER_BATCH);
            let more = tx.tickets().list(tenant, &filter, search.order, &part)?;
            let last = u32::try_from(more.len()).is_ok_and(|length| length < part.limit);
            (part.after, part.skip) = (more.last().map(|ticket| search.order.sort_key.cursor(ticket)), 0);
            tickets.extend(more);
            if last {
                break;
            }
        }
        view_tickets(tx, tickets)
    })
}

/// How many tickets of a tenant the filter fits.
pub fn count_tickets(store: &dyn Store<OfficePorts>, tenant: TenantId, filter: &TicketFilter) -> StoreResult<u64> {
    let Some(filter) = normalize_filter(filter) else { return Ok(0) };
    store.read(|tx| tx.tickets().count(tenant, &filter))
}

/// The filter that the store is asked; `None` where nothing can fit it.
fn normalize_filter(filter: &TicketFilter) -> Option<TicketFilter> {
    let text = text::normalize_search_text(filter.text.as_deref())?;
    Some(TicketFilter { text, ..filter.clone() })
}
