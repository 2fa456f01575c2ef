//! PORTOS' list of tickets as it is written: tickets are read from the store page by page, and each page is written before the next one
//! is read, so that a list takes the room of one page whatever its length.

use std::collections::VecDeque;

use serde::Serialize;
use tillgate_domain::office::ports::{OrderedBy, Part as Page, TicketFilter, TicketOrder};
use tillgate_domain::office::{Shown, TicketSearch, count_tickets, find_tickets, list_tickets};
use tillgate_domain::ticket::TicketStatus;
use tillgate_domain::{TenantId, TicketId};

use super::super::list::counted;
use super::list::TicketQuery;
use super::row;
use crate::failure::Failure;
use crate::office::Office;
use crate::streamed::{Part, Parts};

/// How many tickets are looked through at most, and how many are answered.
const MAX_LOOKED_THROUGH: usize = 10_000;
const MAX_ANSWERED: usize = 1_000;

/// How many tickets the first page has, how many a page has at most and at least: as many as make about [`PAGE_BYTES`].
const FIRST_PAGE: usize = 16;
const MAX_PAGE: usize = 200;
const MIN_PAGE: usize = 4;
const PAGE_BYTES: usize = 256 * 1024;
/// With fewer bytes the next page has more tickets.
const SMALL_PAGE_BYTES: usize = PAGE_BYTES / 4;

/// About how many bytes an item has in an answer.
const ITEM_BYTES: usize = 700;

/// A list that is being written.
pub(super) struct TicketList {
    tenant: TenantId,
    query: TicketQuery,
    way: Way,
    /// How many tickets the next page has.
    page: usize,
    /// How many were written so far.
    written: usize,
}

/// Where the tickets of a list come from.
enum Way {
    /// Nothing was read yet.
    New,
    /// As the store orders them.
    Walk(Walk),
    /// Tickets that were found and sorted, and how many there are.
    Sorted(VecDeque<TicketId>, u64),
}

/// A walk through the tickets in the order of the store.
struct Walk {
    search: TicketSearch,
    /// How many tickets were looked at.
    looked: usize,
    /// How many that fit are still to be passed over, unless the store does so, and how many to be written then.
    skip: usize,
    take: usize,
    /// How many fit: of those that were looked at, or of all where the store has told.
    fitting: u64,
    /// Whether the store has told, and every ticket that it finds fits.
    told: bool,
}

impl TicketList {
    /// The list of what a request asks.
    pub(super) const fn new(tenant: TenantId, query: TicketQuery) -> Self {
        Self { tenant, query, way: Way::New, page: FIRST_PAGE, written: 0 }
    }

    /// Begins: counts what is only counted, sorts what the store has no order for.
    fn begin(&self, office: &Office<'_>, filter: TicketFilter) -> Result<Way, Failure> {
        let (skip, take) = self.query.part();
        let take = take.unwrap_or(MAX_ANSWERED).min(MAX_ANSWERED);
        if let Some(order) = self.query.order() {
            let told = self.query.is_all();
            let fitting = if told { count_tickets(office.store, self.tenant, &filter)? } else { 0 };
            let (skip, passed) = if told { (0, length(skip)) } else { (skip, 0) };
            let search = TicketSearch { filter, order, part: Page { skip: passed, ..Page::first(0) } };
            return Ok(Way::Walk(Walk { search, looked: 0, skip, take, fitting, told }));
        }
        // whoever sorts by what the store has no order for sees the newest
        let order = TicketOrder { by: OrderedBy::Opened, backwards: true };
        let mut found = Vec::new();
        self.look_through(office, TicketSearch { filter, order, part: Page::first(0) }, |shown| {
            found.extend(self.query.tried(shown).map(|keys| (keys, shown.ticket.id)));
        })?;
        self.query.sort(&mut found);
        let total = length(found.len());
        Ok(Way::Sorted(found.into_iter().skip(skip).take(take).map(|(_, id)| id).collect(), total))
    }

    /// How many tickets fit.
    fn count(&self, office: &Office<'_>, filter: TicketFilter) -> Result<u64, Failure> {
        if self.query.is_all() {
            return Ok(count_tickets(office.store, self.tenant, &filter)?);
        }
        let mut fitting = 0;
        let search = TicketSearch { filter, order: TicketOrder::default(), part: Page::first(0) };
        self.look_through(office, search, |shown| fitting += u64::from(self.query.tried(shown).is_some()))?;
        Ok(fitting)
    }

    /// Shows `look` each of the tickets that come first.
    fn look_through(
        &self,
        office: &Office<'_>,
        mut search: TicketSearch,
        mut look: impl FnMut(&Shown),
    ) -> Result<(), Failure> {
        let (mut looked, mut page) = (0, FIRST_PAGE);
        while looked < MAX_LOOKED_THROUGH {
            let limit = page.min(MAX_LOOKED_THROUGH - looked);
            let found = turn(office, self.tenant, &mut search, limit)?;
            found.iter().for_each(&mut look);
            looked += found.len();
            if found.len() < limit {
                break;
            }
            page = next_page(page, found.iter().map(weight).sum());
        }
        Ok(())
    }

    /// Writes the next page of a walk, and says whether it is the last.
    fn walk(&mut self, office: &Office<'_>, walk: &mut Walk, out: &mut Vec<u8>) -> Result<bool, Failure> {
        let left = if walk.told { walk.take } else { MAX_LOOKED_THROUGH - walk.looked };
        let limit = self.page.min(left);
        if limit == 0 {
            return Ok(true);
        }
        let found = turn(office, self.tenant, &mut walk.search, limit)?;
        walk.looked += found.len();
        let mut weight = 0;
        for shown in &found {
            weight += self::weight(shown);
            if !walk.told {
                if self.query.tried(shown).is_none() {
                    continue;
                }
                walk.fitting += 1;
            }
            if walk.skip > 0 {
                walk.skip -= 1;
            } else if walk.take > 0 {
                walk.take -= 1;
                self.write(shown, out)?;
            }
        }
        self.page = next_page(self.page, weight.max(out.len()));
        Ok(found.len() == left || found.len() < limit)
    }

    /// Writes the next of the tickets that were sorted, and says whether they are the last. One that was deleted meanwhile is not
    /// there.
    fn step(
        &mut self,
        office: &Office<'_>,
        sorted: &mut VecDeque<TicketId>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Failure> {
        let ids: Vec<TicketId> = sorted.drain(..self.page.min(sorted.len())).collect();
        let found = find_tickets(office.store, self.tenant, &ids)?;
        let there = found.iter().filter(|shown| shown.ticket.state.status() != TicketStatus::Void);
        there.into_iter().try_for_each(|shown| self.write(shown, out))?;
        self.page = next_page(self.page, out.len());
        Ok(sorted.is_empty())
    }

    fn write(&mut self, shown: &Shown, out: &mut Vec<u8>) -> Result<(), Failure> {
        if self.written > 0 {
            out.push(b',');
        }
        self.written += 1;
        json(out, &row::of(shown))
    }
}

impl Parts for TicketList {
    fn next(mut self, office: &Office<'_>) -> Result<Part<Self>, Failure> {
        let mut out = Vec::new();
        let mut way = std::mem::replace(&mut self.way, Way::New);
        if let Way::New = way {
            let filter = self.query.filter();
            if self.query.counts() {
                let total = filter.map_or(Ok(0), |filter| self.count(office, filter))?;
                json(&mut out, &counted(usize::try_from(total).unwrap_or(usize::MAX)))?;
                return Ok((out, None));
            }
            out.extend_from_slice(b"{\"items\":[");
            way = match filter {
                Some(filter) => self.begin(office, filter)?,
                None => Way::Sorted(VecDeque::new(), 0),
            };
        }
        let (last, total) = match &mut way {
            Way::Walk(walk) => (self.walk(office, walk, &mut out)?, walk.fitting),
            Way::Sorted(ids, total) => (self.step(office, ids, &mut out)?, *total),
            Way::New => (true, 0),
        };
        if !last {
            return Ok((out, Some(Self { way, ..self })));
        }
        out.extend_from_slice(format!("],\"count\":{},\"totalCount\":{total}}}", self.written).as_bytes());
        Ok((out, None))
    }
}

/// The next tickets of a search, which goes on behind them.
fn turn(office: &Office<'_>, tenant: TenantId, search: &mut TicketSearch, limit: usize) -> Result<Vec<Shown>, Failure> {
    search.part.limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let found = list_tickets(office.store, tenant, search)?;
    search.part.skip = 0;
    if let Some(last) = found.last() {
        search.part.after = Some(search.order.by.place(&last.ticket));
    }
    Ok(found)
}

/// About how many bytes a ticket has in an answer.
fn weight(shown: &Shown) -> usize {
    shown.ticket.sheet.items.len().saturating_add(2).saturating_mul(ITEM_BYTES)
}

/// How many tickets the page has after one of so many that had so many bytes.
fn next_page(page: usize, bytes: usize) -> usize {
    let next = match bytes {
        0..SMALL_PAGE_BYTES => page * 4,
        SMALL_PAGE_BYTES..=PAGE_BYTES => page,
        _ => page / 4,
    };
    next.clamp(MIN_PAGE, MAX_PAGE)
}

fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn json(out: &mut Vec<u8>, value: &impl Serialize) -> Result<(), Failure> {
    serde_json::to_writer(out, value).map_err(|error| Failure::Fault(format!("an answer cannot be written: {error}")))
}
