//! The in-memory ports for tickets and idempotency keys.

use std::cmp::Reverse;

use tillgate_domain::office::ports::{
    IdempotencyKeys, OffsetPageRequest, ScopedIdempotencyKey, StoredResponse, TicketCursor, TicketFilter, TicketOrder,
    Tickets,
};
use tillgate_domain::ticket::{NumberSeries, Ticket, TicketStatus};
use tillgate_domain::{Instant, LiveEventKind, StoreResult, TenantId, TicketId};

use super::transaction::{Transaction, constraint_error, to_u32, to_usize};

impl Tickets for Transaction<'_> {
    fn find(&mut self, tenant: TenantId, id: TicketId) -> StoreResult<Option<Ticket>> {
        Ok(self.tables().tickets.get(&(tenant, id)).cloned())
    }

    fn insert(&mut self, ticket: &Ticket) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        let key = (ticket.tenant, ticket.id);
        if tables.tickets.has(&key) {
            return Ok(false);
        }
        if !(tables.tenants.has(&ticket.tenant)
            && tables.users.has(&ticket.sheet.owner)
            && tables.devices.has(&ticket.opened_on))
        {
            return constraint_error("a ticket belongs to a tenant, a user and a device");
        }
        if ticket.refund_of.is_some_and(|sold| !tables.tickets.has(&(ticket.tenant, sold))) {
            return constraint_error("a refund is one of a ticket");
        }
        tables.tickets.put(key, ticket.clone());
        Ok(true)
    }

    fn update(&mut self, ticket: &Ticket) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        let key = (ticket.tenant, ticket.id);
        let is_current = tables.tickets.get(&key).is_some_and(|stored| {
            stored.state.status() == TicketStatus::Open && stored.version.saturating_add(1) == ticket.version
        });
        if is_current && !tables.users.has(&ticket.sheet.owner) {
            return constraint_error("a ticket belongs to a user");
        }
        if is_current {
            tables.tickets.put(key, ticket.clone());
        }
        Ok(is_current)
    }

    fn claim(&mut self, tenant: TenantId, sold: TicketId) -> StoreResult<()> {
        // Units of work run one after the other here.
        if self.tables_mut()?.tickets.has(&(tenant, sold)) {
            Ok(())
        } else {
            constraint_error("what is claimed is a ticket")
        }
    }

    fn list_refunds(&mut self, tenant: TenantId, sold: TicketId) -> StoreResult<Vec<Ticket>> {
        let all = self.tables().tickets.rows().values();
        Ok(all.filter(|ticket| ticket.tenant == tenant && ticket.refund_of == Some(sold)).cloned().collect())
    }

    fn assign_number(
        &mut self,
        tenant: TenantId,
        series: &NumberSeries,
        number: u64,
        ticket: TicketId,
    ) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        if !tables.tickets.has(&(tenant, ticket)) {
            return constraint_error("a number is one of a ticket");
        }
        let key = (tenant, series.clone(), number);
        let free = !tables.receipt_numbers.has(&key);
        if free {
            tables.receipt_numbers.put(key, ticket);
        }
        Ok(free)
    }

    fn allocate_number(&mut self, tenant: TenantId, series: &NumberSeries, ticket: TicketId) -> StoreResult<u64> {
        loop {
            let drawn = &mut self.tables_mut()?.receipt_series;
            let key = (tenant, series.clone());
            let next = drawn.get(&key).copied().unwrap_or_default().saturating_add(1);
            drawn.put(key, next);
            if self.assign_number(tenant, series, next, ticket)? {
                return Ok(next);
            }
        }
    }

    fn list(
        &mut self,
        tenant: TenantId,
        filter: &TicketFilter,
        order: TicketOrder,
        part: &OffsetPageRequest<TicketCursor>,
    ) -> StoreResult<Vec<Ticket>> {
        let mut fitting = self.matching_tickets(tenant, filter);
        let cursor_of = |ticket: &&Ticket| order.sort_key.cursor(ticket);
        if order.descending {
            fitting.sort_by_key(|ticket| Reverse(cursor_of(ticket)));
        } else {
            fitting.sort_by_key(cursor_of);
        }
        let after = |ticket: &&Ticket| match part.after {
            Some(after) if order.descending => cursor_of(ticket) < after,
            Some(after) => cursor_of(ticket) > after,
            None => true,
        };
        let skip = usize::try_from(part.skip).unwrap_or(usize::MAX);
        Ok(fitting.into_iter().filter(after).skip(skip).take(to_usize(part.limit)).cloned().collect())
    }

    fn count(&mut self, tenant: TenantId, filter: &TicketFilter) -> StoreResult<u64> {
        Ok(u64::try_from(self.matching_tickets(tenant, filter).len()).unwrap_or(u64::MAX))
    }
}

impl Transaction<'_> {
    fn matching_tickets(&self, tenant: TenantId, filter: &TicketFilter) -> Vec<&Ticket> {
        let tables = self.tables();
        let is_in_store = |ticket: &Ticket| tables.is_in_branch(Some(ticket.opened_on), filter.branch);
        let changed = self.find_changed(tenant, LiveEventKind::Ticket, filter.changed_since);
        let has_changed = |ticket: &Ticket| changed.as_ref().is_none_or(|changed| changed.contains(&ticket.id.0));
        let fits = |ticket: &Ticket| filter.matches(ticket) && is_in_store(ticket) && has_changed(ticket);
        tables.tickets.rows().values().filter(|ticket| ticket.tenant == tenant && fits(ticket)).collect()
    }
}

impl IdempotencyKeys for Transaction<'_> {
    fn find(&mut self, key: &ScopedIdempotencyKey) -> StoreResult<Option<StoredResponse>> {
        Ok(self.tables().responses.get(key).map(|(answered, _)| answered.clone()))
    }

    fn insert(&mut self, key: &ScopedIdempotencyKey, answered: &StoredResponse, at: Instant) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        if tables.responses.has(key) {
            return Ok(false);
        }
        if !tables.tickets.has(&(key.tenant, answered.ticket.id)) {
            return constraint_error("what was answered is a ticket");
        }
        tables.responses.put(key.clone(), (answered.clone(), at));
        Ok(true)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        let answered = &mut self.tables_mut()?.responses;
        let old = answered.rows().iter().filter(|(_, (_, at))| *at < before).take(to_usize(limit));
        let old: Vec<ScopedIdempotencyKey> = old.map(|(key, _)| key.clone()).collect();
        for key in &old {
            answered.remove(key);
        }
        Ok(to_u32(old.len()))
    }
}
