//! Tickets as the store keeps them: found by their tenant and id, changed from the version that was read, and never again once they
//! are closed or void.

use super::lists::OffsetPageRequest;
use super::search_text;
use crate::ticket::{NumberSeries, Ticket, TicketStatus};
use crate::{DeviceId, FoldedText, Instant, StoreResult, TenantId, TicketId, UserId};

/// Which tickets. What is `None` or empty narrows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketFilter {
    /// In one of these states.
    pub statuses: Vec<TicketStatus>,
    /// Whose they are.
    pub owner: Option<UserId>,
    /// The device that they were opened on.
    pub device: Option<DeviceId>,
    /// Refunds of this ticket.
    pub refund_of: Option<TicketId>,
    /// Opened at this instant or later.
    pub from: Option<Instant>,
    /// Opened before this instant.
    pub until: Option<Instant>,
    /// With this text in their name, the client's own id or the full name of the customer, compared as names are.
    pub text: Option<String>,
}

impl TicketFilter {
    /// Whether the filter fits a ticket.
    pub fn matches(&self, ticket: &Ticket) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&ticket.state.status()))
            && self.owner.is_none_or(|owner| ticket.sheet.owner == owner)
            && self.device.is_none_or(|device| ticket.opened_on == device)
            && self.refund_of.is_none_or(|sold| ticket.refund_of == Some(sold))
            && self.from.is_none_or(|from| ticket.opened_at >= from)
            && self.until.is_none_or(|until| ticket.opened_at < until)
            && self
                .text
                .as_ref()
                .is_none_or(|text| search_text::from_ticket(ticket).contains(FoldedText::of(text).as_str()))
    }
}

/// By what tickets are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TicketSortKey {
    /// When they were opened.
    #[default]
    Opened,
    /// When they were last changed.
    Updated,
    /// What is to be paid.
    Payable,
}

/// In which order tickets come. Those whom it does not tell apart come in the order of their ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TicketOrder {
    /// By what.
    pub sort_key: TicketSortKey,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// Where a ticket stands in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TicketCursor {
    /// What it is ordered by: milliseconds, or ten-thousandths of a currency's unit.
    pub key: i64,
    /// Its id.
    pub id: TicketId,
}

impl TicketSortKey {
    /// Where the ticket stands.
    pub fn cursor(self, ticket: &Ticket) -> TicketCursor {
        let key = match self {
            Self::Opened => ticket.opened_at.millis(),
            Self::Updated => ticket.updated_at.millis(),
            Self::Payable => ticket.sheet.payable().ten_thousandths(),
        };
        TicketCursor { key, id: ticket.id }
    }
}

/// Tickets.
pub trait Tickets {
    /// The ticket of this tenant with this id.
    fn find(&mut self, tenant: TenantId, id: TicketId) -> StoreResult<Option<Ticket>>;
    /// Adds a ticket. False where the tenant has one of this id: clients may draw ids of their own.
    fn insert(&mut self, ticket: &Ticket) -> StoreResult<bool>;
    /// Stores what was made of a ticket where the one there is open and one version behind.
    fn update(&mut self, ticket: &Ticket) -> StoreResult<bool>;
    /// Claims a closed ticket before its refunds are read: no other claim of it succeeds before this unit of work ends.
    fn claim(&mut self, tenant: TenantId, sold: TicketId) -> StoreResult<()>;
    /// The refunds of a ticket, whatever their state.
    fn list_refunds(&mut self, tenant: TenantId, sold: TicketId) -> StoreResult<Vec<Ticket>>;
    /// Gives a ticket that is being closed this number of the series. False where another has it; of two who give the same at once
    /// the second waits for the first.
    fn assign_number(
        &mut self,
        tenant: TenantId,
        series: &NumberSeries,
        number: u64,
        ticket: TicketId,
    ) -> StoreResult<bool>;
    /// Draws the next number of the series for a ticket that is being closed: from 1, each once and none that was given. None is
    /// lost with a unit of work that is rolled back.
    fn allocate_number(&mut self, tenant: TenantId, series: &NumberSeries, ticket: TicketId) -> StoreResult<u64>;
    /// Tickets of a tenant that the filter fits, in this order.
    fn list(
        &mut self,
        tenant: TenantId,
        filter: &TicketFilter,
        order: TicketOrder,
        part: &OffsetPageRequest<TicketCursor>,
    ) -> StoreResult<Vec<Ticket>>;
    /// How many tickets of a tenant the filter fits.
    fn count(&mut self, tenant: TenantId, filter: &TicketFilter) -> StoreResult<u64>;
}
