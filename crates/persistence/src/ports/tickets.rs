//! Tickets.
//!
//! A ticket is one row. Its content is a JSON document of integers beside the columns by which
//! lists filter and sort. It is read and written as a whole, one conditional UPDATE changes all of
//! it, and one trigger in each database makes a closed ticket immutable. No query looks for items
//! across tickets.
//!
//! Every list is read in the order of an index that begins with the tenant, from a position on.

use diesel::RunQueryDsl;
use tillgate_domain::office::ports::{
    OffsetPageRequest, TicketCursor, TicketFilter, TicketOrder, TicketSortKey, Tickets,
};
use tillgate_domain::ticket::{NumberSeries, Ticket, TicketState, TicketStatus};
use tillgate_domain::{FoldedText, LiveEventKind, StoreError, StoreResult, TenantId, TicketId};

use crate::connection::AnyConnection;
use crate::error_class::classify;
use crate::ports::live_events::marks::{changed_condition, changed_values};
use crate::row::{CountRow, TICKET_COLUMNS, TicketRow, TicketTexts};
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;
use crate::where_clause::{WhereClause, contains_condition};

const INSERT: &str = "INSERT INTO tickets (tenant_id, id, state, owner_id, updated_at, ended_at, external_id, name, customer, number, \
     payable, payable_rest, version, sheet, ending, searched, currency, device_id, opened_at, refund_of) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) ON CONFLICT DO NOTHING";
const UPDATE: &str = "UPDATE tickets SET state = $3, owner_id = $4, updated_at = $5, ended_at = $6, external_id = $7, name = $8, \
     customer = $9, number = $10, payable = $11, payable_rest = $12, version = $13, sheet = $14, ending = $15, searched = $16 \
     WHERE tenant_id = $1 AND id = $2 AND version = $17 AND state = 'open'";
// on PostgreSQL, the second of two concurrent claims waits here for the first
const CLAIM_TICKET: &str = "INSERT INTO ticket_claims (tenant_id, ticket_id, claims) VALUES ($1, $2, 1) \
     ON CONFLICT (tenant_id, ticket_id) DO UPDATE SET claims = ticket_claims.claims + 1";
// on PostgreSQL, the second of two concurrent inserts of the same number waits here for the first
const INSERT_NUMBER: &str =
    "INSERT INTO receipt_numbers (tenant_id, series, number, ticket_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
const NEXT_NUMBER: &str = "INSERT INTO receipt_series (tenant_id, series, number) VALUES ($1, $2, 1) \
     ON CONFLICT (tenant_id, series) DO UPDATE SET number = receipt_series.number + 1 RETURNING number";
// the last number of the consecutive run that begins with this one
const SELECT_LAST_NUMBER: &str = "SELECT taken.number FROM receipt_numbers taken \
     WHERE taken.tenant_id = $1 AND taken.series = $2 AND taken.number >= $3 AND NOT EXISTS (SELECT 1 FROM receipt_numbers beyond \
     WHERE beyond.tenant_id = taken.tenant_id AND beyond.series = taken.series AND beyond.number = taken.number + 1) \
     ORDER BY taken.tenant_id, taken.series, taken.number LIMIT 1";
const SKIP_NUMBERS: &str = "UPDATE receipt_series SET number = $3 WHERE tenant_id = $1 AND series = $2";

impl Tickets for Transaction<'_> {
    fn find(&mut self, tenant: TenantId, id: TicketId) -> StoreResult<Option<Ticket>> {
        let text = format!("{TICKET_COLUMNS} WHERE tickets.tenant_id = $1 AND tickets.id = $2");
        let binds = vec![Bind::from(&tenant.0), Bind::from(&id.0)];
        let mut rows: Vec<TicketRow> = Statement::cached(text, binds).load(self.connection).map_err(classify)?;
        rows.pop().map(TicketRow::into_domain).transpose()
    }

    fn insert(&mut self, ticket: &Ticket) -> StoreResult<bool> {
        let texts = TicketTexts::from_domain(ticket)?;
        let mut binds = column_values(ticket, &texts);
        binds.extend([
            ticket.sheet.currency.as_str().into(),
            Bind::from(&ticket.opened_on.0),
            ticket.opened_at.into(),
            Bind::from(ticket.refund_of.as_ref().map(|sold| &sold.0)),
        ]);
        Ok(self.execute(&Statement::new(INSERT, binds))? == 1)
    }

    fn update(&mut self, ticket: &Ticket) -> StoreResult<bool> {
        let texts = TicketTexts::from_domain(ticket)?;
        let mut binds = column_values(ticket, &texts);
        binds.push(ticket.version.saturating_sub(1).into());
        Ok(self.execute(&Statement::new(UPDATE, binds))? == 1)
    }

    fn claim(&mut self, tenant: TenantId, sold: TicketId) -> StoreResult<()> {
        self.execute(&Statement::new(CLAIM_TICKET, [Bind::from(&tenant.0), Bind::from(&sold.0)])).map(drop)
    }

    fn list_refunds(&mut self, tenant: TenantId, sold: TicketId) -> StoreResult<Vec<Ticket>> {
        let text = format!("{TICKET_COLUMNS} WHERE tickets.tenant_id = $1 AND tickets.refund_of = $2");
        let binds = vec![Bind::from(&tenant.0), Bind::from(&sold.0)];
        let rows: Vec<TicketRow> = Statement::cached(text, binds).load(self.connection).map_err(classify)?;
        rows.into_iter().map(TicketRow::into_domain).collect()
    }

    fn assign_number(
        &mut self,
        tenant: TenantId,
        series: &NumberSeries,
        number: u64,
        ticket: TicketId,
    ) -> StoreResult<bool> {
        // every number fits into the column: very large ones are negative there
        let number = number.cast_signed();
        let binds = [Bind::from(&tenant.0), series.as_str().into(), number.into(), Bind::from(&ticket.0)];
        Ok(self.execute(&Statement::new(INSERT_NUMBER, binds))? == 1)
    }

    fn allocate_number(&mut self, tenant: TenantId, series: &NumberSeries, ticket: TicketId) -> StoreResult<u64> {
        loop {
            let statement = Statement::new(NEXT_NUMBER, [Bind::from(&tenant.0), series.as_str().into()]);
            let drawn: CountRow = statement.get_result(self.write_connection()?).map_err(classify)?;
            if self.assign_number(tenant, series, drawn.count(), ticket)? {
                return Ok(drawn.count());
            }
            // the number was supplied by a client: continue after the consecutive run that it
            // begins
            let of = |number: u64| [Bind::from(&tenant.0), series.as_str().into(), number.cast_signed().into()];
            let taken = Statement::new(SELECT_LAST_NUMBER, of(drawn.count()));
            let taken: Vec<CountRow> = taken.load(self.write_connection()?).map_err(classify)?;
            let last =
                taken.first().ok_or_else(|| StoreError::Conflict("the number was given meanwhile".to_owned()))?;
            self.execute(&Statement::new(SKIP_NUMBERS, of(last.count())))?;
        }
    }

    fn list(
        &mut self,
        tenant: TenantId,
        filter: &TicketFilter,
        order: TicketOrder,
        part: &OffsetPageRequest<TicketCursor>,
    ) -> StoreResult<Vec<Ticket>> {
        let text = filter.text.as_deref().map(FoldedText::of);
        let mut all = filter_clause(self.connection, &tenant, filter, text.as_ref());
        let (direction, beyond) = (sort_direction(order), if order.descending { '<' } else { '>' });
        let columns = order_columns(order.sort_key);
        if let Some(TicketCursor { key, id }) = &part.after {
            let keys = match order.sort_key {
                TicketSortKey::Opened | TicketSortKey::Updated => vec![*key],
                TicketSortKey::Payable => split_amount(*key).to_vec(),
                TicketSortKey::Id => Vec::new(),
            };
            let places = vec!["?"; keys.len() + 1].join(", ");
            let binds: Vec<Bind<'_>> = keys.into_iter().map(Bind::Number).chain([Bind::from(&id.0)]).collect();
            all.and(&format!("({}) {beyond} ({places})", columns.join(", ")), &binds);
        }
        let in_order: Vec<String> = columns.iter().map(|column| format!("{column} {direction}")).collect();
        let in_order = in_order.join(", ");
        let (text, binds) = all.build_page(TICKET_COLUMNS, &in_order, part);
        let rows: Vec<TicketRow> = Statement::uncached(text, binds).load(self.connection).map_err(classify)?;
        rows.into_iter().map(TicketRow::into_domain).collect()
    }

    fn count(&mut self, tenant: TenantId, filter: &TicketFilter) -> StoreResult<u64> {
        let text = filter.text.as_deref().map(FoldedText::of);
        let all = filter_clause(self.connection, &tenant, filter, text.as_ref());
        let (text, binds) = all.build_statement("SELECT COUNT(*) AS number FROM tickets");
        let counted: CountRow = Statement::uncached(text, binds).get_result(self.connection).map_err(classify)?;
        Ok(counted.count())
    }
}

/// The values that every change of a ticket writes: the first values of both statements.
fn column_values<'a>(ticket: &'a Ticket, texts: &'a TicketTexts) -> Vec<Bind<'a>> {
    let [payable, payable_rest] = split_amount(ticket.sheet.payable().ten_thousandths());
    vec![
        Bind::from(&ticket.tenant.0),
        Bind::from(&ticket.id.0),
        ticket.state.status().name().into(),
        Bind::from(&ticket.sheet.owner.0),
        ticket.updated_at.into(),
        ticket.state.ended_at().into(),
        ticket.sheet.external_id.as_str().into(),
        ticket.sheet.name.as_str().into(),
        customer_name(ticket).into(),
        receipt_number(ticket).into(),
        payable.into(),
        payable_rest.into(),
        ticket.version.into(),
        texts.sheet.as_str().into(),
        texts.ending.as_deref().into(),
        texts.searched.as_str().into(),
    ]
}

/// The customer's full name, for the search.
fn customer_name(ticket: &Ticket) -> &str {
    ticket.sheet.customer.as_ref().map_or("", |customer| customer.full_name.as_str())
}

/// The number of a closed ticket, if it fits into the column.
fn receipt_number(ticket: &Ticket) -> Option<i64> {
    match &ticket.state {
        TicketState::Closed(closing) => i64::try_from(closing.receipt.number).ok(),
        TicketState::Open | TicketState::Void(_) => None,
    }
}

/// Splits an amount in ten-thousandths into the two columns: hundredths, and the remainder.
/// Together they sort amounts of every currency, and rows written before the second column existed
/// stay valid.
fn split_amount(ten_thousandths: i64) -> [i64; 2] {
    [ten_thousandths.div_euclid(100), ten_thousandths.rem_euclid(100)]
}

/// The columns of an order, in sequence.
fn order_columns(by: TicketSortKey) -> &'static [&'static str] {
    match by {
        TicketSortKey::Opened => &["tickets.opened_at", "tickets.id"],
        TicketSortKey::Updated => &["tickets.updated_at", "tickets.id"],
        TicketSortKey::Payable => &["tickets.payable", "tickets.payable_rest", "tickets.id"],
        TicketSortKey::Id => &["tickets.id"],
    }
}

fn sort_direction(order: TicketOrder) -> &'static str {
    if order.descending { "DESC" } else { "ASC" }
}

/// That the device of a ticket is in a store.
const IS_IN_STORE: &str = "tickets.device_id IN (SELECT devices.id FROM devices WHERE devices.branch_id = ?)";

/// The conditions of a filter; `text` is its folded search text.
fn filter_clause<'a>(
    connection: &AnyConnection,
    tenant: &'a TenantId,
    filter: &'a TicketFilter,
    text: Option<&'a FoldedText>,
) -> WhereClause<'a> {
    let mut all = WhereClause::default();
    all.and("tickets.tenant_id = ?", &[Bind::from(&tenant.0)]);
    let (asked, others): (Vec<TicketStatus>, Vec<TicketStatus>) =
        TicketStatus::ALL.into_iter().partition(|status| filter.statuses.contains(status));
    match (&asked[..], &others[..]) {
        ([one], _) => all.and("tickets.state = ?", &[one.name().into()]),
        // exactly two states: written as an inequality, the list still follows the order of an
        // index
        (_, [other]) => all.and("tickets.state <> ?", &[other.name().into()]),
        _ => {}
    }
    all.and_if_some("tickets.owner_id = ?", filter.owner.as_ref().map(|id| Bind::from(&id.0)));
    all.and_if_some("tickets.device_id = ?", filter.device.as_ref().map(|id| Bind::from(&id.0)));
    all.and_if_some(IS_IN_STORE, filter.branch.as_ref().map(|id| Bind::from(&id.0)));
    all.and_if_some("tickets.refund_of = ?", filter.refund_of.as_ref().map(|id| Bind::from(&id.0)));
    if let Some(is_refund) = filter.is_refund {
        all.and(if is_refund { "tickets.refund_of IS NOT NULL" } else { "tickets.refund_of IS NULL" }, &[]);
    }
    // very large numbers are negative in the column
    all.and_if_some("tickets.number = ?", filter.number.map(|number| Bind::from(number.cast_signed())));
    all.and_if_some("tickets.opened_at >= ?", filter.from.map(Bind::from));
    all.and_if_some("tickets.opened_at < ?", filter.until.map(Bind::from));
    all.and_if_some(&contains_condition(connection, "tickets.searched"), text.map(|text| text.as_str().into()));
    if let Some(since) = filter.changed_since {
        all.and(&changed_condition(LiveEventKind::Ticket, "tickets.id"), &changed_values(tenant, since));
    }
    all
}
