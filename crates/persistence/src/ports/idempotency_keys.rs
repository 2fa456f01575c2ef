//! Requests that count once.

use diesel::sql_types::{Binary, Text};
use diesel::{QueryableByName, RunQueryDsl};
use tillgate_domain::office::ports::{Answered, IdempotencyKeys, RequestKey};
use tillgate_domain::{Instant, Stored, TicketId};

use super::removed;
use crate::failure::classify;
use crate::row::{Cell, TICKET_COLUMNS, TicketRow, sheet_text};
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = Binary)]
    request: Vec<u8>,
    #[diesel(sql_type = Binary)]
    ticket_id: Vec<u8>,
    #[diesel(sql_type = Text)]
    sheet: String,
}

const FIND: &str = "SELECT request, ticket_id, sheet FROM idempotency_keys \
     WHERE tenant_id = $1 AND user_id = $2 AND key = $3";
// of two in PostgreSQL that meet, the second waits here for the first
const INSERT: &str = "INSERT INTO idempotency_keys (tenant_id, user_id, key, request, ticket_id, sheet, used_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
const SWEEP: &str = "DELETE FROM idempotency_keys WHERE (tenant_id, user_id, key) IN (\
     SELECT tenant_id, user_id, key FROM idempotency_keys WHERE used_at < $1 ORDER BY used_at LIMIT $2)";

impl IdempotencyKeys for Transaction<'_> {
    fn find(&mut self, key: &RequestKey) -> Stored<Option<Answered>> {
        let cell = |column| Cell("idempotency_keys", column);
        let binds = [Bind::from(&key.tenant.0), Bind::from(&key.user.0), key.key.as_str().into()];
        let mut rows: Vec<KeyRow> = Statement::new(FIND, binds).load(self.connection).map_err(classify)?;
        let Some(row) = rows.pop() else { return Ok(None) };
        let request = row.request.try_into().map_err(|_| cell("request").corrupt("no SHA-256"))?;
        let id = TicketId(cell("ticket_id").uuid(&row.ticket_id)?);
        let text = format!("{TICKET_COLUMNS} WHERE tickets.tenant_id = $1 AND tickets.id = $2");
        let binds = vec![Bind::from(&key.tenant.0), Bind::from(&id.0)];
        let ticket: TicketRow = Statement::kept(text, binds).get_result(self.connection).map_err(classify)?;
        Ok(Some(Answered { request, ticket: ticket.made_with(&row.sheet)? }))
    }

    fn insert(&mut self, key: &RequestKey, answered: &Answered, at: Instant) -> Stored<bool> {
        let sheet = sheet_text(&answered.ticket.sheet)?;
        let binds = [
            Bind::from(&key.tenant.0),
            Bind::from(&key.user.0),
            key.key.as_str().into(),
            Bind::Bytes(&answered.request),
            Bind::from(&answered.ticket.id.0),
            sheet.as_str().into(),
            at.into(),
        ];
        Ok(self.run(&Statement::new(INSERT, binds))? == 1)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32> {
        self.run(&Statement::new(SWEEP, [before.into(), i64::from(limit).into()])).map(removed)
    }
}
