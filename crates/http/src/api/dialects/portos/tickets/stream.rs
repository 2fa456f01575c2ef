//! Streaming of PORTOS' ticket list: tickets are read from the store page by page, and each page is
//! sent before the next one is read, so that a list occupies the memory of one page whatever its
//! length.

use std::collections::VecDeque;

use tillgate_domain::office::ports::{OffsetPageRequest as Page, TicketFilter, TicketOrder, TicketSortKey};
use tillgate_domain::office::{MAX_PAGE_SIZE, TicketSearch, TicketView, UnguardedOffice};
use tillgate_domain::ticket::TicketStatus;
use tillgate_domain::{TenantId, TicketId};

use super::super::list::count_body;
use super::query::TicketQuery;
use super::response;
use crate::context::office::OfficeContext;
use crate::error::ApiError;
use crate::serving::response::write_json;
use crate::serving::streaming::{PartSource, StreamPart};

/// Maximum number of tickets that are evaluated, and maximum number that are returned.
const MAX_SCANNED_TICKETS: usize = 10_000;
const MAX_RETURNED_TICKETS: usize = 1_000;

/// Number of tickets on the first page, and minimum of a page; up to [`MAX_PAGE_SIZE`], a page has
/// about [`TARGET_PAGE_BYTES`].
const FIRST_PAGE_SIZE: usize = 16;
const MIN_PAGE_SIZE: usize = 4;
const TARGET_PAGE_BYTES: usize = 256 * 1024;
/// If a page has fewer bytes, the next one has more tickets.
const SMALL_PAGE_BYTES: usize = TARGET_PAGE_BYTES / 4;

/// Estimated size of an item in a response, in bytes.
const ESTIMATED_ITEM_BYTES: usize = 700;

/// A list that is being sent.
pub(super) struct TicketListStream {
    tenant: TenantId,
    query: TicketQuery,
    source: TicketSource,
    /// Number of tickets on the next page.
    page_size: usize,
    /// Number of tickets written so far.
    written: usize,
}

/// The source of the remaining tickets.
enum TicketSource {
    /// Nothing has been read yet.
    Unread,
    /// Tickets in the order of the store.
    Scan(Box<StoreScan>),
    /// Found and sorted tickets, and their total number.
    Sorted(VecDeque<TicketId>, u64),
}

/// A scan of tickets in the order of the store.
struct StoreScan {
    search: TicketSearch,
    /// Number of tickets evaluated.
    scanned: usize,
    /// Number of matching tickets that are still to be skipped (unless the store skips them), and
    /// to be written after that.
    skip: usize,
    take: usize,
    /// Number of matching tickets: of those evaluated, or of all if the store has counted them.
    matched: u64,
    /// Whether the store has counted the tickets, and every ticket that it finds matches.
    counted_by_store: bool,
}

impl TicketListStream {
    /// Creates the list for a query.
    pub(super) const fn new(tenant: TenantId, query: TicketQuery) -> Self {
        Self { tenant, query, source: TicketSource::Unread, page_size: FIRST_PAGE_SIZE, written: 0 }
    }

    /// Chooses the source: counts if only the number is requested, sorts if the store does not have
    /// the order.
    fn choose_source(&self, office: UnguardedOffice<'_>, filter: TicketFilter) -> Result<TicketSource, ApiError> {
        let (skip, take) = self.query.page_bounds();
        let take = take.unwrap_or(MAX_RETURNED_TICKETS).min(MAX_RETURNED_TICKETS);
        if let Some(order) = self.query.store_order() {
            let counted = self.query.is_fully_filtered();
            let fitting = if counted { office.count_tickets(&filter)? } else { 0 };
            let (skip, passed) = if counted { (0, to_u64(skip)) } else { (skip, 0) };
            let search = TicketSearch { filter, order, page: Page { skip: passed, ..Page::first(0) } };
            return Ok(TicketSource::Scan(Box::new(StoreScan {
                search,
                scanned: 0,
                skip,
                take,
                matched: fitting,
                counted_by_store: counted,
            })));
        }
        // if the store does not have the order, the newest tickets are sorted
        let order = TicketOrder { sort_key: TicketSortKey::Opened, descending: true };
        let mut found = Vec::new();
        scan_tickets(office, TicketSearch { filter, order, page: Page::first(0) }, |view| {
            found.extend(self.query.match_ticket(view).map(|keys| (keys, view.ticket.id)));
        })?;
        self.query.sort_matches(&mut found);
        let total = to_u64(found.len());
        Ok(TicketSource::Sorted(found.into_iter().skip(skip).take(take).map(|(_, id)| id).collect(), total))
    }

    /// Returns the number of matching tickets.
    fn count_matches(&self, office: UnguardedOffice<'_>, filter: TicketFilter) -> Result<u64, ApiError> {
        if self.query.is_fully_filtered() {
            return Ok(office.count_tickets(&filter)?);
        }
        let mut fitting = 0;
        let search = TicketSearch { filter, order: TicketOrder::default(), page: Page::first(0) };
        scan_tickets(office, search, |view| fitting += u64::from(self.query.match_ticket(view).is_some()))?;
        Ok(fitting)
    }

    /// Writes the next page of a scan, and returns whether it is the last.
    fn write_scanned_page(
        &mut self,
        office: UnguardedOffice<'_>,
        walk: &mut StoreScan,
        out: &mut Vec<u8>,
    ) -> Result<bool, ApiError> {
        let left = if walk.counted_by_store { walk.take } else { MAX_SCANNED_TICKETS - walk.scanned };
        let limit = self.page_size.min(left);
        if limit == 0 {
            return Ok(true);
        }
        let found = load_next_tickets(office, &mut walk.search, limit)?;
        walk.scanned += found.len();
        let mut weight = 0;
        for view in &found {
            weight += self::estimate_bytes(view);
            if !walk.counted_by_store {
                if self.query.match_ticket(view).is_none() {
                    continue;
                }
                walk.matched += 1;
            }
            if walk.skip > 0 {
                walk.skip -= 1;
            } else if walk.take > 0 {
                walk.take -= 1;
                self.write_ticket(view, out)?;
            }
        }
        self.page_size = next_page_size(self.page_size, weight.max(out.len()));
        Ok(found.len() == left || found.len() < limit)
    }

    /// Writes the next page of sorted tickets, and returns whether it is the last. Tickets that
    /// have been deleted in the meantime are omitted.
    fn write_sorted_page(
        &mut self,
        office: UnguardedOffice<'_>,
        sorted: &mut VecDeque<TicketId>,
        out: &mut Vec<u8>,
    ) -> Result<bool, ApiError> {
        let ids: Vec<TicketId> = sorted.drain(..self.page_size.min(sorted.len())).collect();
        let found = office.find_tickets(&ids)?;
        let present = found.iter().filter(|view| view.ticket.state.status() != TicketStatus::Void);
        present.into_iter().try_for_each(|view| self.write_ticket(view, out))?;
        self.page_size = next_page_size(self.page_size, out.len());
        Ok(sorted.is_empty())
    }

    fn write_ticket(&mut self, view: &TicketView, out: &mut Vec<u8>) -> Result<(), ApiError> {
        if self.written > 0 {
            out.push(b',');
        }
        self.written += 1;
        write_json(out, &response::build_row(view))
    }
}

impl PartSource for TicketListStream {
    fn next_part(mut self, context: &OfficeContext<'_>) -> Result<StreamPart<Self>, ApiError> {
        let office = context.unguarded(self.tenant);
        let mut out = Vec::new();
        let mut source = std::mem::replace(&mut self.source, TicketSource::Unread);
        if let TicketSource::Unread = source {
            let filter = self.query.store_filter();
            if self.query.is_count_only() {
                let total = filter.map_or(Ok(0), |filter| self.count_matches(office, filter))?;
                write_json(&mut out, &count_body(usize::try_from(total).unwrap_or(usize::MAX)))?;
                return Ok((out, None));
            }
            out.extend_from_slice(b"{\"items\":[");
            source = match filter {
                Some(filter) => self.choose_source(office, filter)?,
                None => TicketSource::Sorted(VecDeque::new(), 0),
            };
        }
        let (last, total) = match &mut source {
            TicketSource::Scan(walk) => (self.write_scanned_page(office, walk, &mut out)?, walk.matched),
            TicketSource::Sorted(ids, total) => (self.write_sorted_page(office, ids, &mut out)?, *total),
            TicketSource::Unread => (true, 0),
        };
        if !last {
            return Ok((out, Some(Self { source, ..self })));
        }
        out.extend_from_slice(format!("],\"count\":{},\"totalCount\":{total}}}", self.written).as_bytes());
        Ok((out, None))
    }
}

/// Calls `look` with each of the first tickets.
fn scan_tickets(
    office: UnguardedOffice<'_>,
    mut search: TicketSearch,
    mut look: impl FnMut(&TicketView),
) -> Result<(), ApiError> {
    let (mut looked, mut page) = (0, FIRST_PAGE_SIZE);
    while looked < MAX_SCANNED_TICKETS {
        let limit = page.min(MAX_SCANNED_TICKETS - looked);
        let found = load_next_tickets(office, &mut search, limit)?;
        found.iter().for_each(&mut look);
        looked += found.len();
        if found.len() < limit {
            break;
        }
        page = next_page_size(page, found.iter().map(estimate_bytes).sum());
    }
    Ok(())
}

/// Loads the next tickets of a search, and moves the search behind them.
fn load_next_tickets(
    office: UnguardedOffice<'_>,
    search: &mut TicketSearch,
    limit: usize,
) -> Result<Vec<TicketView>, ApiError> {
    search.page.limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let found = office.list_tickets(search)?;
    search.page.skip = 0;
    if let Some(last) = found.last() {
        search.page.after = Some(search.order.sort_key.cursor(&last.ticket));
    }
    Ok(found)
}

/// Estimates the size of a ticket in a response, in bytes.
fn estimate_bytes(view: &TicketView) -> usize {
    view.ticket.sheet.items.len().saturating_add(2).saturating_mul(ESTIMATED_ITEM_BYTES)
}

/// Returns the size of the next page, after a page with this number of tickets and bytes.
fn next_page_size(page: usize, bytes: usize) -> usize {
    let next = match bytes {
        0..SMALL_PAGE_BYTES => page * 4,
        SMALL_PAGE_BYTES..=TARGET_PAGE_BYTES => page,
        _ => page / 4,
    };
    next.clamp(MIN_PAGE_SIZE, MAX_PAGE_SIZE as usize)
}

fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
