//! Looks at tickets: one consistent reading each, of one tenant. What belongs to another tenant reads as absent.

use super::shown::{Shown, all_shown, shown};
use crate::office::ports::{OfficeView, Part, TicketFilter, TicketOrder, TicketPlace};
use crate::office::text;
use crate::{Store, StoreExt, Stored, TenantId, TicketId};

/// The most that a part holds: a page of 200 and the one more that tells whether another follows.
const MOST: u32 = 201;

/// Which tickets, in which order, and which part of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketSearch {
    /// Which.
    pub filter: TicketFilter,
    /// In which order.
    pub order: TicketOrder,
    /// Which part, 201 at most.
    pub part: Part<TicketPlace>,
}

/// The ticket with this id, in any state.
pub fn find_ticket(store: &dyn Store<OfficeView>, tenant: TenantId, id: TicketId) -> Stored<Option<Shown>> {
    store.read(|tx| match tx.tickets().find(tenant, id)? {
        Some(ticket) => shown(tx, ticket).map(Some),
        None => Ok(None),
    })
}

/// The tickets with these ids, in this order and in any state, as far as they are there.
pub fn find_tickets(store: &dyn Store<OfficeView>, tenant: TenantId, ids: &[TicketId]) -> Stored<Vec<Shown>> {
    store.read(|tx| {
        let found: Vec<_> = ids.iter().map(|id| tx.tickets().find(tenant, *id)).collect::<Stored<_>>()?;
        all_shown(tx, found.into_iter().flatten().collect())
    })
}

/// Tickets of a tenant. The part begins behind the place in it, whether or not a ticket stands there.
pub fn list_tickets(store: &dyn Store<OfficeView>, tenant: TenantId, search: &TicketSearch) -> Stored<Vec<Shown>> {
    let Some(filter) = readable(&search.filter) else { return Ok(Vec::new()) };
    let part = Part { limit: search.part.limit.clamp(1, MOST), ..search.part.clone() };
    store.read(|tx| {
        let tickets = tx.tickets().list(tenant, &filter, search.order, &part)?;
        all_shown(tx, tickets)
    })
}

/// How many tickets of a tenant the filter fits.
pub fn count_tickets(store: &dyn Store<OfficeView>, tenant: TenantId, filter: &TicketFilter) -> Stored<u64> {
    let Some(filter) = readable(filter) else { return Ok(0) };
    store.read(|tx| tx.tickets().count(tenant, &filter))
}

/// The filter that the store is asked; `None` where nothing can fit it.
fn readable(filter: &TicketFilter) -> Option<TicketFilter> {
    let text = text::sought(filter.text.as_deref())?;
    Some(TicketFilter { text, ..filter.clone() })
}
