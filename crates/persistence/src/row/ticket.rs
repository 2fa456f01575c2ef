//! Rows of `tickets`: the columns by which lists filter and sort, and two JSON documents with
//! everything else.

mod document;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use tillgate_domain::office::ports::search_text;
use tillgate_domain::ticket::{Sheet, Ticket, TicketRecord, TicketState, TicketStatus};
use tillgate_domain::{DeviceId, Instant, StoreResult, TenantId, TicketId};

use super::{Column, to_json};
use document::{EndingDocument, SheetDocument};

/// A row of `tickets` as it is read.
#[derive(QueryableByName)]
pub(crate) struct TicketRow {
    #[diesel(sql_type = Binary)]
    tenant_id: Vec<u8>,
    #[diesel(sql_type = Binary)]
    id: Vec<u8>,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Binary)]
    device_id: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    opened_at: i64,
    #[diesel(sql_type = BigInt)]
    updated_at: i64,
    #[diesel(sql_type = Nullable<Binary>)]
    refund_of: Option<Vec<u8>>,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Text)]
    sheet: String,
    #[diesel(sql_type = Nullable<Text>)]
    ending: Option<String>,
}

/// The columns of a [`TicketRow`].
pub(crate) const SELECT_COLUMNS: &str = "SELECT tickets.tenant_id, tickets.id, tickets.state, tickets.currency, tickets.device_id, \
     tickets.opened_at, tickets.updated_at, tickets.refund_of, tickets.version, tickets.sheet, tickets.ending FROM tickets";

impl TicketRow {
    pub(crate) fn into_domain(self) -> StoreResult<Ticket> {
        let cell = |column| Column("tickets", column);
        let status = cell("state").parse_word(&TicketStatus::ALL, TicketStatus::name, &self.state)?;
        let ending = self.ending.as_deref();
        let ending = || ending.ok_or_else(|| cell("ending").corrupt("nothing, of a ticket that is not open"));
        let state = match status {
            TicketStatus::Open => TicketState::Open,
            TicketStatus::Closed => EndingDocument::parse_closing(cell("ending"), ending()?)?,
            TicketStatus::Void => EndingDocument::parse_voiding(cell("ending"), ending()?)?,
        };
        let record = TicketRecord {
            id: TicketId(cell("id").parse_uuid(&self.id)?),
            tenant: TenantId(cell("tenant_id").parse_uuid(&self.tenant_id)?),
            opened_at: Instant::from_millis(self.opened_at),
            opened_on: DeviceId(cell("device_id").parse_uuid(&self.device_id)?),
            updated_at: Instant::from_millis(self.updated_at),
            refund_of: cell("refund_of").parse_optional_uuid(self.refund_of.as_deref())?.map(TicketId),
            sheet: parse_sheet(cell("sheet"), &self.sheet, &self.currency, self.refund_of.is_some())?,
            state,
            version: self.version,
        };
        cell("sheet").check_parsed(Ticket::restore(record))
    }

    /// The ticket as it was created with this sheet, whatever has become of it since.
    pub(crate) fn into_domain_as_created(self, made: &str) -> StoreResult<Ticket> {
        let sheet = parse_sheet(Column("idempotency_keys", "sheet"), made, &self.currency, self.refund_of.is_some())?;
        let now = self.into_domain()?;
        let record = TicketRecord {
            updated_at: now.opened_at,
            sheet,
            state: TicketState::Open,
            version: 1,
            ..now.record().clone()
        };
        Column("idempotency_keys", "sheet").check_parsed(Ticket::restore(record))
    }
}

/// The text columns that are computed from a ticket.
pub(crate) struct TicketTexts {
    /// The sheet as JSON.
    pub(crate) sheet: String,
    /// How the ticket was closed or made void, as JSON.
    pub(crate) ending: Option<String>,
    /// The text by which the ticket is searched.
    pub(crate) searched: String,
}

impl TicketTexts {
    pub(crate) fn from_domain(ticket: &Ticket) -> StoreResult<Self> {
        let ending = EndingDocument::from_domain(&ticket.state).map(|document| to_json(&document)).transpose()?;
        Ok(Self { sheet: sheet_json(&ticket.sheet)?, ending, searched: search_text::from_ticket(ticket) })
    }
}

pub(crate) fn sheet_json(sheet: &Sheet) -> StoreResult<String> {
    to_json(&SheetDocument::from_domain(sheet))
}

fn parse_sheet(cell: Column, text: &str, currency: &str, refund: bool) -> StoreResult<Sheet> {
    cell.parse_json::<SheetDocument>(text)?.into_domain(cell, currency, refund)
}
