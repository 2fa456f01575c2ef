//! Reads tickets: each call is one consistent snapshot of one tenant. Tickets of other tenants are
//! not found.

use super::view::{TicketView, view_ticket, view_tickets};
use crate::office::ports::{
    ChangeMark, DEFAULT_PAGE_SIZE, MAX_FETCH_ROWS, OfficeTx, OffsetPageRequest, TicketCursor, TicketFilter,
    TicketOrder, TicketSortKey,
};
use crate::office::{UnguardedOffice, text};
use crate::ticket::Ticket;
use crate::{LiveEventKind, StoreExt, StoreResult, TenantId, TicketId};

/// The number of tickets in one batch: a usual page and one more.
const TICKETS_PER_BATCH: u32 = DEFAULT_PAGE_SIZE + 1;

/// The filter, order and page of a list of tickets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketSearch {
    /// The tickets to list.
    pub filter: TicketFilter,
    /// The order of the tickets.
    pub order: TicketOrder,
    /// The page, with at most [`MAX_FETCH_ROWS`] tickets.
    pub page: OffsetPageRequest<TicketCursor>,
}

impl UnguardedOffice<'_> {
    /// The ticket with this id, in any state.
    pub fn find_ticket(&self, id: TicketId) -> StoreResult<Option<TicketView>> {
        self.store.read("find_ticket", |tx| match tx.tickets().find(self.tenant, id)? {
            Some(ticket) => view_ticket(tx, ticket).map(Some),
            None => Ok(None),
        })
    }

    /// The tickets with these ids that exist, in this order and in any state.
    pub fn find_tickets(&self, ids: &[TicketId]) -> StoreResult<Vec<TicketView>> {
        self.store.read("find_ticket", |tx| {
            let found: Vec<_> = ids.iter().map(|id| tx.tickets().find(self.tenant, *id)).collect::<StoreResult<_>>()?;
            view_tickets(tx, found.into_iter().flatten().collect())
        })
    }

    /// Lists tickets of a tenant, from after the position of the page, whether or not a ticket is
    /// there.
    pub fn list_tickets(&self, search: &TicketSearch) -> StoreResult<Vec<TicketView>> {
        let Some(filter) = normalize_filter(&search.filter) else { return Ok(Vec::new()) };
        let part = OffsetPageRequest { limit: search.page.limit.clamp(1, MAX_FETCH_ROWS), ..search.page.clone() };
        self.store.read("list_tickets", |tx| {
            let tickets = tx.tickets().list(self.tenant, &filter, search.order, &part)?;
            view_tickets(tx, tickets)
        })
    }

    /// Lists the same tickets batch by batch, as long as `fits` accepts what was read. A list of
    /// large tickets therefore ends early, with at least one, and reads at most one batch beyond
    /// its end.
    pub fn list_tickets_while(
        &self,
        search: &TicketSearch,
        fits: impl Fn(&[Ticket]) -> bool,
    ) -> StoreResult<Vec<TicketView>> {
        let Some(filter) = normalize_filter(&search.filter) else { return Ok(Vec::new()) };
        self.store.read("list_tickets", |tx| {
            let tickets = read_tickets_while(tx, self.tenant, &filter, search.order, &search.page, &fits)?;
            view_tickets(tx, tickets)
        })
    }

    /// Lists those of the tickets that have changed since the mark, in the order of their ids
    /// whatever that of the search is, as long as `fits` accepts what was read.
    pub fn list_changed_tickets_while(
        &self,
        search: &TicketSearch,
        since: ChangeMark,
        fits: impl Fn(&[Ticket]) -> bool,
    ) -> StoreResult<Vec<TicketView>> {
        let Some(filter) = normalize_filter(&search.filter) else { return Ok(Vec::new()) };
        let order = TicketOrder { sort_key: TicketSortKey::Id, descending: false };
        self.store.read("list_tickets", |tx| {
            let changed_since = since.for_filter(tx, self.tenant, LiveEventKind::Ticket)?;
            let filter = TicketFilter { changed_since, ..filter.clone() };
            let tickets = read_tickets_while(tx, self.tenant, &filter, order, &search.page, &fits)?;
            view_tickets(tx, tickets)
        })
    }

    /// The number of tickets of a tenant that the filter matches.
    pub fn count_tickets(&self, filter: &TicketFilter) -> StoreResult<u64> {
        let Some(filter) = normalize_filter(filter) else { return Ok(0) };
        self.store.read("count_tickets", |tx| tx.tickets().count(self.tenant, &filter))
    }
}

/// Reads a page batch by batch, as long as `fits` accepts what was read.
fn read_tickets_while(
    tx: &mut dyn OfficeTx,
    tenant: TenantId,
    filter: &TicketFilter,
    order: TicketOrder,
    page: &OffsetPageRequest<TicketCursor>,
    fits: &impl Fn(&[Ticket]) -> bool,
) -> StoreResult<Vec<Ticket>> {
    let most = usize::try_from(page.limit.clamp(1, MAX_FETCH_ROWS)).unwrap_or(usize::MAX);
    let (mut part, mut tickets) = (page.clone(), Vec::new());
    while tickets.len() < most && fits(&tickets) {
        part.limit = u32::try_from(most - tickets.len()).unwrap_or(TICKETS_PER_BATCH).min(TICKETS_PER_BATCH);
        let more = tx.tickets().list(tenant, filter, order, &part)?;
        let last = u32::try_from(more.len()).is_ok_and(|length| length < part.limit);
        (part.after, part.skip) = (more.last().map(|ticket| order.sort_key.cursor(ticket)), 0);
        tickets.extend(more);
        if last {
            break;
        }
    }
    Ok(tickets)
}

/// The filter for the store; `None` if nothing can match it.
fn normalize_filter(filter: &TicketFilter) -> Option<TicketFilter> {
    let text = text::normalize_search_text(filter.text.as_deref())?;
    Some(TicketFilter { text, ..filter.clone() })
}
