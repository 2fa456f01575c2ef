//! Idempotency keys of requests.

use diesel::sql_types::{Binary, Text};
use diesel::{QueryableByName, RunQueryDsl};
use tillgate_domain::office::ports::{IdempotencyKeys, ScopedIdempotencyKey, StoredResponse};
use tillgate_domain::{Instant, StoreResult, TicketId};

use super::removed_rows;
use crate::error_class::classify;
use crate::row::{Column, TICKET_COLUMNS, TicketRow, sheet_json};
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

#[derive(QueryableByName)]
struct IdempotencyKeyRow {
    #[diesel(sql_type = Binary)]
    request: Vec<u8>,
    #[diesel(sql_type = Binary)]
    ticket_id: Vec<u8>,
    #[diesel(sql_type = Text)]
    sheet: String,
}

const FIND: &str = "SELECT request, ticket_id, sheet FROM idempotency_keys \
     WHERE tenant_id = $1 AND user_id = $2 AND key = $3";
// on PostgreSQL, the second of two concurrent inserts waits here for the first
const INSERT: &str = "INSERT INTO idempotency_keys (tenant_id, user_id, key, request, ticket_id, sheet, used_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
const SWEEP: &str = "DELETE FROM idempotency_keys WHERE (tenant_id, user_id, key) IN (\
     SELECT tenant_id, user_id, key FROM idempotency_keys WHERE used_at < $1 ORDER BY used_at LIMIT $2)";

impl IdempotencyKeys for Transaction<'_> {
    fn find(&mut self, key: &ScopedIdempotencyKey) -> StoreResult<Option<StoredResponse>> {
        let cell = |column| Column("idempotency_keys", column);
        let binds = [Bind::from(&key.tenant.0), Bind::from(&key.user.0), key.key.as_str().into()];
        let mut rows: Vec<IdempotencyKeyRow> = Statement::new(FIND, binds).load(self.connection).map_err(classify)?;
        let Some(row) = rows.pop() else { return Ok(None) };
        let request = row.request.try_into().map_err(|_| cell("request").corrupt("no SHA-256"))?;
        let id = TicketId(cell("ticket_id").parse_uuid(&row.ticket_id)?);
        let text = format!("{TICKET_COLUMNS} WHERE tickets.tenant_id = $1 AND tickets.id = $2");
        let binds = vec![Bind::from(&key.tenant.0), Bind::from(&id.0)];
        let ticket: TicketRow = Statement::cached(text, binds).get_result(self.connection).map_err(classify)?;
        Ok(Some(StoredResponse { request_digest: request, ticket: ticket.into_domain_as_created(&row.sheet)? }))
    }

    fn insert(&mut self, key: &ScopedIdempotencyKey, response: &StoredResponse, at: Instant) -> StoreResult<bool> {
        let sheet = sheet_json(&response.ticket.sheet)?;
        let binds = [
            Bind::from(&key.tenant.0),
            Bind::from(&key.user.0),
            key.key.as_str().into(),
            Bind::Bytes(&response.request_digest),
            Bind::from(&response.ticket.id.0),
            sheet.as_str().into(),
            at.into(),
        ];
        Ok(self.execute(&Statement::new(INSERT, binds))? == 1)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        self.execute(&Statement::new(SWEEP, [before.into(), i64::from(limit).into()])).map(removed_rows)
    }
}
