//! The export of tickets.

use serde_json::Value;
use tillgate_auth_core::Caller;
use tillgate_domain::office::ports::{OffsetPageRequest, TicketFilter, TicketOrder};
use tillgate_domain::office::{ExportedList, MAX_PAGE_SIZE, TicketSearch, TicketView};

use super::response::{self, TicketBody};
use crate::api::native::export::{Column, ExportSource};
use crate::context::office::OfficeContext;
use crate::error::ApiError;

/// The tickets that are still to be exported.
pub(super) struct TicketExport(TicketSearch);

impl TicketExport {
    pub(super) fn new(filter: TicketFilter, order: TicketOrder) -> Self {
        Self(TicketSearch { filter, order, page: OffsetPageRequest::first(MAX_PAGE_SIZE) })
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
        let tenant = caller.profile.tenant.id;
        let found = context.unguarded(tenant).list_tickets_while(&self.0, response::fits_page)?;
        if let Some(last) = found.last() {
            self.0.page.after = Some(self.0.order.sort_key.cursor(&last.ticket));
        }
        Ok(found)
    }

    fn render(item: &TicketView) -> serde_json::Result<Value> {
        serde_json::to_value(TicketBody::from_view(item))
    }
}
