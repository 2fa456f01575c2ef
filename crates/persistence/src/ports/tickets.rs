//! Tickets. Every list is a reading in the order of an index that begins with the tenant, from a place on.

use diesel::RunQueryDsl;
use tillgate_domain::office::ports::{OrderedBy, Part, TicketFilter, TicketOrder, TicketPlace, Tickets};
use tillgate_domain::ticket::{Ticket, TicketState, TicketStatus};
use tillgate_domain::{DeviceId, Stored, TenantId, TicketId};

use crate::conditions::{Conditions, holds};
use crate::connection::AnyConnection;
use crate::failure::classify;
use crate::row::{Counted, TICKET_COLUMNS, TicketRow, TicketTexts};
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

const INSERT: &str = "INSERT INTO tickets (tenant_id, id, state, owner_id, updated_at, ended_at, external_id, name, customer, number, \
     payable, version, sheet, ending, currency, device_id, opened_at, refund_of) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) ON CONFLICT DO NOTHING";
const UPDATE: &str = "UPDATE tickets SET state = $3, owner_id = $4, updated_at = $5, ended_at = $6, external_id = $7, name = $8, \
     customer = $9, number = $10, payable = $11, version = $12, sheet = $13, ending = $14 \
     WHERE tenant_id = $1 AND id = $2 AND version = $15 AND state = 'open'";
// of two in PostgreSQL that meet, the second waits here for the first
const CLAIM: &str = "INSERT INTO ticket_claims (tenant_id, ticket_id, claims) VALUES ($1, $2, 1) \
     ON CONFLICT (tenant_id, ticket_id) DO UPDATE SET claims = ticket_claims.claims + 1";
const NUMBER: &str = "INSERT INTO ticket_numbers (tenant_id, device_id, number) VALUES ($1, $2, 1) \
     ON CONFLICT (tenant_id, device_id) DO UPDATE SET number = ticket_numbers.number + 1 RETURNING number";

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
            ticket.currency.as_str().into(),
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

    fn number(&mut self, tenant: TenantId, device: DeviceId) -> Stored<u64> {
        let statement = Statement::new(NUMBER, [Bind::from(&tenant.0), Bind::from(&device.0)]);
        let drawn: Counted = statement.get_result(self.writing()?).map_err(classify)?;
        Ok(drawn.number())
    }

    fn list(
        &mut self,
        tenant: TenantId,
        filter: &TicketFilter,
        order: TicketOrder,
        part: &Part<TicketPlace>,
    ) -> Stored<Vec<Ticket>> {
        let text = filter.text.as_ref().map(|text| text.to_ascii_lowercase());
        let mut all = conditions(self.connection, &tenant, filter, text.as_deref());
        let (column, direction, beyond) = (column(order.by), direction(order), if order.backwards { '<' } else { '>' });
        if let Some(TicketPlace { key, id }) = &part.after {
            let clause = format!("(tickets.{column}, tickets.id) {beyond} (?, ?)");
            all.and(&clause, &[Bind::Number(*key), Bind::from(&id.0)]);
        }
        let in_order = format!("tickets.{column} {direction}, tickets.id {direction}");
        let (text, binds) = all.part(TICKET_COLUMNS, &in_order, part);
        let rows: Vec<TicketRow> = Statement::once(text, binds).load(self.connection).map_err(classify)?;
        rows.into_iter().map(TicketRow::ticket).collect()
    }

    fn count(&mut self, tenant: TenantId, filter: &TicketFilter) -> Stored<u64> {
        let text = filter.text.as_ref().map(|text| text.to_ascii_lowercase());
        let all = conditions(self.connection, &tenant, filter, text.as_deref());
        let (text, binds) = all.after("SELECT COUNT(*) AS number FROM tickets");
        let counted: Counted = Statement::once(text, binds).get_result(self.connection).map_err(classify)?;
        Ok(counted.number())
    }
}

/// What is written of a ticket at each change: the first values of both statements.
fn written<'a>(ticket: &'a Ticket, texts: &'a TicketTexts) -> Vec<Bind<'a>> {
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
        ticket.sheet.payable().units().into(),
        ticket.version.into(),
        texts.sheet.as_str().into(),
        texts.ending.as_deref().into(),
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

fn column(by: OrderedBy) -> &'static str {
    match by {
        OrderedBy::Opened => "opened_at",
        OrderedBy::Updated => "updated_at",
        OrderedBy::Payable => "payable",
    }
}

fn direction(order: TicketOrder) -> &'static str {
    if order.backwards { "DESC" } else { "ASC" }
}

/// The conditions of a filter; `text` is what it looks for, in lower case.
fn conditions<'a>(
    connection: &AnyConnection,
    tenant: &'a TenantId,
    filter: &'a TicketFilter,
    text: Option<&'a str>,
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
    if let Some(text) = text {
        let [name, external, customer] =
            ["tickets.name", "tickets.external_id", "tickets.customer"].map(|column| holds(connection, column));
        all.and(&format!("({name} OR {external} OR {customer})"), &[text.into(); 3]);
    }
    all
}
