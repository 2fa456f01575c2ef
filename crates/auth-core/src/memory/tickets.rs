//! Tickets in memory, and the requests that count once.

use std::cmp::Reverse;

use tillgate_domain::office::ports::{
    Answered, IdempotencyKeys, Part, RequestKey, TicketFilter, TicketOrder, TicketPlace, Tickets,
};
use tillgate_domain::ticket::{NumberSeries, Ticket, TicketStatus};
use tillgate_domain::{Instant, Stored, TenantId, TicketId};

use super::transaction::{Transaction, broken, many, most};

impl Tickets for Transaction<'_> {
    fn find(&mut self, tenant: TenantId, id: TicketId) -> Stored<Option<Ticket>> {
        Ok(self.tables().tickets.get(&(tenant, id)).cloned())
    }

    fn insert(&mut self, ticket: &Ticket) -> Stored<bool> {
        let tables = self.writing()?;
        let key = (ticket.tenant, ticket.id);
        if tables.tickets.has(&key) {
            return Ok(false);
        }
        if !(tables.tenants.has(&ticket.tenant)
            && tables.users.has(&ticket.sheet.owner)
            && tables.devices.has(&ticket.opened_on))
        {
            return broken("a ticket belongs to a tenant, a user and a device");
        }
        if ticket.refund_of.is_some_and(|sold| !tables.tickets.has(&(ticket.tenant, sold))) {
            return broken("a refund is one of a ticket");
        }
        tables.tickets.put(key, ticket.clone());
        Ok(true)
    }

    fn update(&mut self, ticket: &Ticket) -> Stored<bool> {
        let tables = self.writing()?;
        let key = (ticket.tenant, ticket.id);
        let stands = tables.tickets.get(&key).is_some_and(|there| {
            there.state.status() == TicketStatus::Open && there.version.saturating_add(1) == ticket.version
        });
        if stands && !tables.users.has(&ticket.sheet.owner) {
            return broken("a ticket belongs to a user");
        }
        if stands {
            tables.tickets.put(key, ticket.clone());
        }
        Ok(stands)
    }

    fn claim(&mut self, tenant: TenantId, sold: TicketId) -> Stored<()> {
        // units of work follow one another here
        if self.writing()?.tickets.has(&(tenant, sold)) { Ok(()) } else { broken("what is claimed is a ticket") }
    }

    fn refunds(&mut self, tenant: TenantId, sold: TicketId) -> Stored<Vec<Ticket>> {
        let all = self.tables().tickets.rows().values();
        Ok(all.filter(|ticket| ticket.tenant == tenant && ticket.refund_of == Some(sold)).cloned().collect())
    }

    fn give_number(&mut self, tenant: TenantId, series: &NumberSeries, number: u64, ticket: TicketId) -> Stored<bool> {
        let tables = self.writing()?;
        if !tables.tickets.has(&(tenant, ticket)) {
            return broken("a number is one of a ticket");
        }
        let key = (tenant, series.clone(), number);
        let free = !tables.receipt_numbers.has(&key);
        if free {
            tables.receipt_numbers.put(key, ticket);
        }
        Ok(free)
    }

    fn draw_number(&mut self, tenant: TenantId, series: &NumberSeries, ticket: TicketId) -> Stored<u64> {
        loop {
            let drawn = &mut self.writing()?.receipt_series;
            let key = (tenant, series.clone());
            let next = drawn.get(&key).copied().unwrap_or_default().saturating_add(1);
            drawn.put(key, next);
            if self.give_number(tenant, series, next, ticket)? {
                return Ok(next);
            }
        }
    }

    fn list(
        &mut self,
        tenant: TenantId,
        filter: &TicketFilter,
        order: TicketOrder,
        part: &Part<TicketPlace>,
    ) -> Stored<Vec<Ticket>> {
        let mut fitting = self.tickets_fitting(tenant, filter);
        let place = |ticket: &&Ticket| order.by.place(ticket);
        if order.backwards {
            fitting.sort_by_key(|ticket| Reverse(place(ticket)));
        } else {
            fitting.sort_by_key(place);
        }
        let after = |ticket: &&Ticket| match part.after {
            Some(after) if order.backwards => place(ticket) < after,
            Some(after) => place(ticket) > after,
            None => true,
        };
        let skip = usize::try_from(part.skip).unwrap_or(usize::MAX);
        Ok(fitting.into_iter().filter(after).skip(skip).take(most(part.limit)).cloned().collect())
    }

    fn count(&mut self, tenant: TenantId, filter: &TicketFilter) -> Stored<u64> {
        Ok(u64::try_from(self.tickets_fitting(tenant, filter).len()).unwrap_or(u64::MAX))
    }
}

impl Transaction<'_> {
    fn tickets_fitting(&self, tenant: TenantId, filter: &TicketFilter) -> Vec<&Ticket> {
        let all = self.tables().tickets.rows().values();
        all.filter(|ticket| ticket.tenant == tenant && filter.fits(ticket)).collect()
    }
}

impl IdempotencyKeys for Transaction<'_> {
    fn find(&mut self, key: &RequestKey) -> Stored<Option<Answered>> {
        Ok(self.tables().answered.get(key).map(|(answered, _)| answered.clone()))
    }

    fn insert(&mut self, key: &RequestKey, answered: &Answered, at: Instant) -> Stored<bool> {
        let tables = self.writing()?;
        if tables.answered.has(key) {
            return Ok(false);
        }
        if !tables.tickets.has(&(key.tenant, answered.ticket.id)) {
            return broken("what was answered is a ticket");
        }
        tables.answered.put(key.clone(), (answered.clone(), at));
        Ok(true)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32> {
        let answered = &mut self.writing()?.answered;
        let old = answered.rows().iter().filter(|(_, (_, at))| *at < before).take(most(limit));
        let old: Vec<RequestKey> = old.map(|(key, _)| key.clone()).collect();
        for key in &old {
            answered.remove(key);
        }
        Ok(many(old.len()))
    }
}
