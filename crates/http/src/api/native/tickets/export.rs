//! The export of tickets.

use serde_json::Value;
use tillgate_auth_core::Caller;
use tillgate_domain::office::ports::{TicketCursor, TicketFilter, TicketOrder};
use tillgate_domain::office::{ExportedList, TicketView};

use super::response::{self, TicketBody};
use super::{read_tickets, ticket_position};
use crate::api::native::export::{Column, ExportPages, ExportSource};
use crate::context::office::OfficeContext;
use crate::error::ApiError;

/// The tickets that are still to be exported.
pub(super) struct TicketExport {
    filter: TicketFilter,
    order: TicketOrder,
    pages: ExportPages<TicketCursor>,
}

impl TicketExport {
    pub(super) fn new(filter: TicketFilter, order: TicketOrder) -> Self {
        Self { filter, order, pages: ExportPages::new(order.sort_key.is_changing()) }
    }
}

impl ExportSource for TicketExport {
    const LIST: ExportedList = ExportedList::Tickets;
    const COLUMNS: &'static [Column] = &[
        Column::text("id", "/id"),
        Column::text("number", "/closed/number"),
        Column::text("state", "/state"),
        Column::text("opened_at", "/opened_at"),
        Column::text("closed_at", "/closed/at"),
        Column::text("device", "/device/name"),
        Column::text("owner", "/owner/user_name"),
        Column::text("name", "/name"),
        Column::text("zone", "/location/zone"),
        Column::text("table", "/location/table"),
        Column::text("currency", "/currency"),
        Column::decimal("without_vat", "/totals/after_discount"),
        Column::decimal("with_vat", "/totals/after_discount_including_vat"),
        Column::decimal("rounding", "/rounding"),
        Column::decimal("payable", "/payable"),
        Column::text("refund_of", "/refund_of"),
    ];
    type Item = TicketView;

    fn read_page(&mut self, context: &OfficeContext<'_>, caller: &Caller) -> Result<Vec<TicketView>, ApiError> {
        let office = context.unguarded(caller.profile.tenant.id);
        let (filter, order) = (&self.filter, self.order);
        self.pages.read_next(
            || Ok(office.find_change_mark()?),
            response::count_fitting,
            |part| read_tickets(office, filter, order, part),
            |view| view.ticket.id.0,
            |view, is_changed| ticket_position(order, view, is_changed),
        )
    }

    fn render(item: &TicketView) -> serde_json::Result<Value> {
        serde_json::to_value(TicketBody::from_view(item))
    }
}
