//! The port for tickets. A ticket is changed only from the version that was read, and never after
//! it is closed or void.
//!
//! A receipt number is a row of its own (`receipt_numbers`), whether it was given or generated.
//! Tickets closed by earlier versions may have duplicate numbers and stay unchanged.

use super::lists::{ChangeMark, OffsetPageRequest};
use super::search_text;
use crate::ticket::{NumberSeries, Ticket, TicketState, TicketStatus};
use crate::{BranchId, DeviceId, FoldedText, Instant, StoreResult, TenantId, TicketId, UserId};

/// A filter for tickets; what is `None` or empty matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketFilter {
    /// Tickets in one of these states.
    pub statuses: Vec<TicketStatus>,
    /// Tickets of this owner.
    pub owner: Option<UserId>,
    /// Tickets that were opened on this device.
    pub device: Option<DeviceId>,
    /// Tickets that were opened on a device that is in this store now.
    pub branch: Option<BranchId>,
    /// Refunds of this ticket.
    pub refund_of: Option<TicketId>,
    /// Only refunds if true, only sales if false.
    pub is_refund: Option<bool>,
    /// Closed tickets with this receipt number.
    pub number: Option<u64>,
    /// Tickets opened at this instant or later.
    pub from: Option<Instant>,
    /// Tickets opened before this instant.
    pub until: Option<Instant>,
    /// Tickets with this text in their name, external id or customer's full name, compared by
    /// folding.
    pub text: Option<String>,
    /// Tickets that have changed since this mark, if the store
    /// [knows](super::Events::knows_changes) them.
    pub changed_since: Option<ChangeMark>,
}

impl TicketFilter {
    /// Whether the filter matches a ticket, whatever store its device is in, and whenever it has
    /// changed.
    pub fn matches(&self, ticket: &Ticket) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&ticket.state.status()))
            && self.owner.is_none_or(|owner| ticket.sheet.owner == owner)
            && self.device.is_none_or(|device| ticket.opened_on == device)
            && self.refund_of.is_none_or(|sold| ticket.refund_of == Some(sold))
            && self.is_refund.is_none_or(|is_refund| ticket.refund_of.is_some() == is_refund)
            && self.number.is_none_or(
                |number| matches!(&ticket.state, TicketState::Closed(closing) if closing.receipt.number == number),
            )
            && self.from.is_none_or(|from| ticket.opened_at >= from)
            && self.until.is_none_or(|until| ticket.opened_at < until)
            && self
                .text
                .as_ref()
                .is_none_or(|text| search_text::from_ticket(ticket).contains(FoldedText::of(text).as_str()))
    }
}

/// The sort key of tickets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TicketSortKey {
    /// The instant of opening.
    #[default]
    Opened,
    /// The instant of the newest change.
    Updated,
    /// The payable amount.
    Payable,
    /// The id alone.
    Id,
}

/// The order of tickets. Tickets that are equal in it are ordered by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TicketOrder {
    /// The sort key of the order.
    pub sort_key: TicketSortKey,
    /// Whether the order is descending.
    pub descending: bool,
}

/// The position of a ticket in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TicketCursor {
    /// The sort key: milliseconds, or ten-thousandths of a currency unit; zero in the order by id.
    pub key: i64,
    /// The id of the ticket.
    pub id: TicketId,
}

impl TicketSortKey {
    /// Whether the key of a ticket can change.
    pub const fn is_changing(self) -> bool {
        matches!(self, Self::Updated | Self::Payable)
    }

    /// The position of the ticket in this order.
    pub fn cursor(self, ticket: &Ticket) -> TicketCursor {
        let key = match self {
            Self::Opened => ticket.opened_at.millis(),
            Self::Updated => ticket.updated_at.millis(),
            Self::Payable => ticket.sheet.payable().ten_thousandths(),
            Self::Id => 0,
        };
        TicketCursor { key, id: ticket.id }
    }
}

/// Reads and writes tickets and receipt numbers.
pub trait Tickets {
    /// The ticket with this id, if it belongs to the tenant.
    fn find(&mut self, tenant: TenantId, id: TicketId) -> StoreResult<Option<Ticket>>;
    /// Adds a ticket. Returns false if the tenant has one with its id, since clients may choose
    /// ids.
    fn insert(&mut self, ticket: &Ticket) -> StoreResult<bool>;
    /// Writes a ticket, if the stored one is open and one version behind.
    fn update(&mut self, ticket: &Ticket) -> StoreResult<bool>;
    /// Locks a closed ticket before its refunds are read: no other lock of it succeeds before this
    /// unit of work ends.
    fn claim(&mut self, tenant: TenantId, sold: TicketId) -> StoreResult<()>;
    /// All refunds of a ticket, in any state.
    fn list_refunds(&mut self, tenant: TenantId, sold: TicketId) -> StoreResult<Vec<Ticket>>;
    /// Assigns a number of the series to a ticket that is being closed. Returns false if another
    /// ticket has it; of two concurrent calls, the second waits for the first.
    fn assign_number(
        &mut self,
        tenant: TenantId,
        series: &NumberSeries,
        number: u64,
        ticket: TicketId,
    ) -> StoreResult<bool>;
    /// Assigns the next number of the series to a ticket that is being closed: from 1, unique,
    /// skipping assigned ones. No number is lost if a unit of work is rolled back.
    fn allocate_number(&mut self, tenant: TenantId, series: &NumberSeries, ticket: TicketId) -> StoreResult<u64>;
    /// Lists the tickets of a tenant that the filter matches, in this order.
    fn list(
        &mut self,
        tenant: TenantId,
        filter: &TicketFilter,
        order: TicketOrder,
        part: &OffsetPageRequest<TicketCursor>,
    ) -> StoreResult<Vec<Ticket>>;
    /// The number of tickets of a tenant that the filter matches.
    fn count(&mut self, tenant: TenantId, filter: &TicketFilter) -> StoreResult<u64>;
}
