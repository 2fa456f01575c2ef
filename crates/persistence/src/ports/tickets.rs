//! Tickets. Every list is a reading in the order of an index that begins with the tenant, from a place on.

use diesel::RunQueryDsl;
use tillgate_domain::office::ports::{OrderedBy, Part, TicketFilter, TicketOrder, TicketPlace, Tickets};
use tillgate_domain::ticket::{NumberSeries, Ticket, TicketState, TicketStatus};
use tillgate_domain::{Folded, StoreError, Stored, TenantId, TicketId};

use crate::conditions::{Conditions, holds};
use crate::connection::AnyConnection;
use crate::failure::classify;
use crate::row::{Counted, TICKET_COLUMNS, TicketRow, TicketTexts};
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

const INSERT: &str = "INSERT INTO tickets (tenant_id, id, state, owner_id, updated_at, ended_at, external_id, name, customer, number, \
     payable, payable_rest, version, sheet, ending, searched, currency, device_id, opened_at, refund_of) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) ON CONFLICT DO NOTHING";
const UPDATE: &str = "UPDATE tickets SET state = $3, owner_id = $4, updated_at = $5, ended_at = $6, external_id = $7, name = $8, \
     customer = $9, number = $10, payable = $11, payable_rest = $12, version = $13, sheet = $14, ending = $15, searched = $16 \
     WHERE tenant_id = $1 AND id = $2 AND version = $17 AND state = 'open'";
// of two in PostgreSQL that meet, the second waits here for the first
const CLAIM: &str = "INSERT INTO ticket_claims (tenant_id, ticket_id, claims) VALUES ($1, $2, 1) \
     ON CONFLICT (tenant_id, ticket_id) DO UPDATE SET claims = ticket_claims.claims + 1";
// of two in PostgreSQL that give the same number, the second waits here for the first
const GIVE: &str =
    "INSERT INTO receipt_numbers (tenant_id, series, number, ticket_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
const DRAW: &str = "INSERT INTO receipt_series (tenant_id, series, number) VALUES ($1, $2, 1) \
     ON CONFLICT (tenant_id, series) DO UPDATE SET number = receipt_series.number + 1 RETURNING number";
// the last of the numbers that follow one another from this one on
const LAST_TAKEN: &str = "SELECT taken.number FROM receipt_numbers taken \
     WHERE taken.tenant_id = $1 AND taken.series = $2 AND taken.number >= $3 AND NOT EXISTS (SELECT 1 FROM receipt_numbers beyond \
     WHERE beyond.tenant_id = taken.tenant_id AND beyond.series = taken.series AND beyond.number = taken.number + 1) \
     ORDER BY taken.tenant_id, taken.series, taken.number LIMIT 1";
const SKIP: &str = "UPDATE receipt_series SET number = $3 WHERE tenant_id = $1 AND series = $2";

impl Tickets for Transaction<'_> {
    fn find(&mut self, tenant: TenantId, id: TicketId) -> Stored<Option<Ticket>> {
        let text = format!("{TICKET_COLUMNS} WHERE tickets.tenant_id = $1 AND tickets.id = $2");
        let binds = vec![Bind::from(&tenant.0), Bind::from(&id.0)];
        let mut rows: Vec<TicketRow> = Statement::kept(text, binds).load(self.connection).map_err(classify)?;
        rows.pop().map(TicketRow::ticket).transpose()
    }

    fn insert(&mut self, ticket: &Ticket) -> Stored<bool> {
        let texts = TicketTexts::of(ticket)?;
        let mut binds = written(ticket, &texts);
        binds.extend([
            ticket.sheet.currency.as_str().into(),
            Bind::from(&ticket.opened_on.0),
            ticket.opened_at.into(),
            Bind::from(ticket.refund_of.as_ref().map(|sold| &sold.0)),
        ]);
        Ok(self.run(&Statement::new(INSERT, binds))? == 1)
    }

    fn update(&mut self, ticket: &Ticket) -> Stored<bool> {
        let texts = TicketTexts::of(ticket)?;
        let mut binds = written(ticket, &texts);
        binds.push(ticket.version.saturating_sub(1).into());
        Ok(self.run(&Statement::new(UPDATE, binds))? == 1)
    }

    fn claim(&mut self, tenant: TenantId, sold: TicketId) -> Stored<()> {
        self.run(&Statement::new(CLAIM, [Bind::from(&tenant.0), Bind::from(&sold.0)])).map(drop)
    }

    fn refunds(&mut self, tenant: TenantId, sold: TicketId) -> Stored<Vec<Ticket>> {
        let text = format!("{TICKET_COLUMNS} WHERE tickets.tenant_id = $1 AND tickets.refund_of = $2");
        let binds = vec![Bind::from(&tenant.0), Bind::from(&sold.0)];
        let rows: Vec<TicketRow> = Statement::kept(text, binds).load(self.connection).map_err(classify)?;
        rows.into_iter().map(TicketRow::ticket).collect()
    }

    fn give_number(&mut self, tenant: TenantId, series: &NumberSeries, number: u64, ticket: TicketId) -> Stored<bool> {
        // every number has a place in the column, the very large ones below zero
        let number = number.cast_signed();
        let binds = [Bind::from(&tenant.0), series.as_str().into(), number.into(), Bind::from(&ticket.0)];
        Ok(self.run(&Statement::new(GIVE, binds))? == 1)
    }

    fn draw_number(&mut self, tenant: TenantId, series: &NumberSeries, ticket: TicketId) -> Stored<u64> {
        loop {
            let statement = Statement::new(DRAW, [Bind::from(&tenant.0), series.as_str().into()]);
            let drawn: Counted = statement.get_result(self.writing()?).map_err(classify)?;
            if self.give_number(tenant, series, drawn.number(), ticket)? {
                return Ok(drawn.number());
            }
            // it was given: on after those that follow it
            let of = |number: u64| [Bind::from(&tenant.0), series.as_str().into(), number.cast_signed().into()];
            let taken = Statement::new(LAST_TAKEN, of(drawn.number()));
            let taken: Vec<Counted> = taken.load(self.writing()?).map_err(classify)?;
            let last =
                taken.first().ok_or_else(|| StoreError::Conflict("the number was given meanwhile".to_owned()))?;
            self.run(&Statement::new(SKIP, of(last.number())))?;
        }
    }

    fn list(
        &mut self,
        tenant: TenantId,
        filter: &TicketFilter,
        order: TicketOrder,
        part: &Part<TicketPlace>,
    ) -> Stored<Vec<Ticket>> {
        let text = filter.text.as_deref().map(Folded::of);
        let mut all = conditions(self.connection, &tenant, filter, text.as_ref());
        let (direction, beyond) = (direction(order), if order.backwards { '<' } else { '>' });
        let columns = columns(order.by);
        if let Some(TicketPlace { key, id }) = &part.after {
            let keys = if order.by == OrderedBy::Payable { payable(*key).to_vec() } else { vec![*key] };
            let places = vec!["?"; keys.len() + 1].join(", ");
            let binds: Vec<Bind<'_>> = keys.into_iter().map(Bind::Number).chain([Bind::from(&id.0)]).collect();
            all.and(&format!("({}) {beyond} ({places})", columns.join(", ")), &binds);
        }
        let in_order: Vec<String> = columns.iter().map(|column| format!("{column} {direction}")).collect();
        let in_order = in_order.join(", ");
        let (text, binds) = all.part(TICKET_COLUMNS, &in_order, part);
        let rows: Vec<TicketRow> = Statement::once(text, binds).load(self.connection).map_err(classify)?;
        rows.into_iter().map(TicketRow::ticket).collect()
    }

    fn count(&mut self, tenant: TenantId, filter: &TicketFilter) -> Stored<u64> {
        let text = filter.text.as_deref().map(Folded::of);
        let all = conditions(self.connection, &tenant, filter, text.as_ref());
        let (text, binds) = all.after("SELECT COUNT(*) AS number FROM tickets");
        let counted: Counted = Statement::once(text, binds).get_result(self.connection).map_err(classify)?;
        Ok(counted.number())
    }
}

/// What is written of a ticket at each change: the first values of both statements.
fn written<'a>(ticket: &'a Ticket, texts: &'a TicketTexts) -> Vec<Bind<'a>> {
    let [payable, payable_rest] = payable(ticket.sheet.payable().ten_thousandths());
    vec![
        Bind::from(&ticket.tenant.0),
        Bind::from(&ticket.id.0),
        ticket.state.status().name().into(),
        Bind::from(&ticket.sheet.owner.0),
        ticket.updated_at.into(),
        ticket.state.ended_at().into(),
        ticket.sheet.external_id.as_str().into(),
        ticket.sheet.name.as_str().into(),
        customer(ticket).into(),
        number(ticket).into(),
        payable.into(),
        payable_rest.into(),
        ticket.version.into(),
        texts.sheet.as_str().into(),
        texts.ending.as_deref().into(),
        texts.searched.as_str().into(),
    ]
}

/// The full name of the customer, to be searched for.
fn customer(ticket: &Ticket) -> &str {
    ticket.sheet.customer.as_ref().map_or("", |customer| customer.full_name.as_str())
}

/// The number of a closed ticket, as far as a column holds it.
fn number(ticket: &Ticket) -> Option<i64> {
    match &ticket.state {
        TicketState::Closed(closing) => i64::try_from(closing.receipt.number).ok(),
        TicketState::Open | TicketState::Void(_) => None,
    }
}

/// An amount of ten-thousandths as the two columns have it: hundredths, and what is above them. So amounts of every currency are in
/// the order of their numbers, and what was kept before there was the second column stays as it is.
fn payable(ten_thousandths: i64) -> [i64; 2] {
    [ten_thousandths.div_euclid(100), ten_thousandths.rem_euclid(100)]
}

/// What tickets are ordered by, column by column.
fn columns(by: OrderedBy) -> &'static [&'static str] {
    match by {
        OrderedBy::Opened => &["tickets.opened_at", "tickets.id"],
        OrderedBy::Updated => &["tickets.updated_at", "tickets.id"],
        OrderedBy::Payable => &["tickets.payable", "tickets.payable_rest", "tickets.id"],
    }
}

fn direction(order: TicketOrder) -> &'static str {
    if order.backwards { "DESC" } else { "ASC" }
}

/// The conditions of a filter; `text` is what it looks for.
fn conditions<'a>(
    connection: &AnyConnection,
    tenant: &'a TenantId,
    filter: &'a TicketFilter,
    text: Option<&'a Folded>,
) -> Conditions<'a> {
    let mut all = Conditions::default();
    all.and("tickets.tenant_id = ?", &[Bind::from(&tenant.0)]);
    let (asked, others): (Vec<TicketStatus>, Vec<TicketStatus>) =
        TicketStatus::ALL.into_iter().partition(|status| filter.statuses.contains(status));
    match (&asked[..], &others[..]) {
        ([one], _) => all.and("tickets.state = ?", &[one.name().into()]),
        // two of them: said so, the order of the list is still that of an index
        (_, [other]) => all.and("tickets.state <> ?", &[other.name().into()]),
        _ => {}
    }
    all.and_maybe("tickets.owner_id = ?", filter.owner.as_ref().map(|id| Bind::from(&id.0)));
    all.and_maybe("tickets.device_id = ?", filter.device.as_ref().map(|id| Bind::from(&id.0)));
    all.and_maybe("tickets.refund_of = ?", filter.refund_of.as_ref().map(|id| Bind::from(&id.0)));
    all.and_maybe("tickets.opened_at >= ?", filter.from.map(Bind::from));
    all.and_maybe("tickets.opened_at < ?", filter.until.map(Bind::from));
    all.and_maybe(&holds(connection, "tickets.searched"), text.map(|text| text.as_str().into()));
    all
}
