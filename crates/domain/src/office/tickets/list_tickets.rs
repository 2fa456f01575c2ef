//! Looks at tickets: one consistent reading each, of one tenant. What belongs to another tenant reads as absent.

use super::shown::{Shown, all_shown, shown};
use crate::office::ports::{OfficeView, Part, TicketFilter, TicketOrder, TicketPlace};
use crate::office::text;
use crate::ticket::Ticket;
use crate::{Store, StoreExt, Stored, TenantId, TicketId};

/// The most that a part holds: a page of 200 and the one more that tells whether another follows.
const MOST: u32 = 201;

/// How many are read at once where they are read part by part: a page of the usual length and the one more.
const PART: u32 = 51;

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

/// The same part by part, for as long as what was read `fits`: a list of large tickets ends early, with one at least, and what it reads
/// beyond the end is one part at most.
pub fn list_tickets_while(
    store: &dyn Store<OfficeView>,
    tenant: TenantId,
    search: &TicketSearch,
    fits: impl Fn(&[Ticket]) -> bool,
) -> Stored<Vec<Shown>> {
    let Some(filter) = readable(&search.filter) else { return Ok(Vec::new()) };
    let most = usize::try_from(search.part.limit.clamp(1, MOST)).unwrap_or(usize::MAX);
    store.read(|tx| {
        let (mut part, mut tickets) = (search.part.clone(), Vec::new());
        while tickets.len() < most && fits(&tickets) {
            part.limit = u32::try_from(most - tickets.len()).unwrap_or(PART).min(PART);
            let more = tx.tickets().list(tenant, &filter, search.order, &part)?;
            let last = u32::try_from(more.len()).is_ok_and(|length| length < part.limit);
            (part.after, part.skip) = (more.last().map(|ticket| search.order.by.place(ticket)), 0);
            tickets.extend(more);
            if last {
                break;
            }
        }
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
