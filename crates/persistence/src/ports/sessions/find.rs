//! Finds a session with everything that decides whether it is live: the most frequent statement.
//!
//! diesel composes the text of a query twice at each execution, even if the query is prepared. For
//! these columns that takes several microseconds, so the text is a constant.

use std::time::Duration;

use diesel::dsl::SqlTypeOf;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use tillgate_auth_core::Epochs;
use tillgate_auth_core::ports::{SessionRecord, StoreClock};
use tillgate_domain::{Epoch, Instant, SessionId, StoreResult, Zone};

use crate::connection::{AnyConnection, MultiBackend};
use crate::error_class::classify;
use crate::row::{Column, SessionRow};
use crate::transaction::Transaction;

/// The text of the statement up to the id: the columns of [`SessionRow`], the epoch and zone of the
/// tenant, the epochs and statuses of the user and the device, and what the database says of its
/// clock.
macro_rules! find_session_sql {
    ($clock:literal) => {
        concat!(
            "SELECT sessions.id, sessions.tenant_id, sessions.kind, sessions.user_id, sessions.device_id, \
             sessions.parent_id, sessions.dialect, sessions.terms, sessions.generation, sessions.key_id, \
             sessions.previous_key_id, sessions.used, sessions.user_epoch, sessions.device_epoch, \
             sessions.tenant_epoch, sessions.methods, sessions.proved_at, sessions.address, \
             sessions.rotated_from, sessions.thumbprint, sessions.created_at, sessions.rotated_at, \
             sessions.last_used_at, sessions.expires_at, sessions.expires_day, sessions.ended_at, \
             sessions.ended_why, tenants.epoch, tenants.zone, users.epoch, users.status, devices.epoch, \
             devices.status, ",
            $clock,
            " FROM sessions INNER JOIN tenants ON sessions.tenant_id = tenants.id \
             LEFT OUTER JOIN users ON sessions.user_id = users.id \
             LEFT OUTER JOIN devices ON sessions.device_id = devices.id WHERE sessions.id = "
        )
    };
}

// SQLite has no clock of its own.
const FIND_SESSION: &str = find_session_sql!("NULL, NULL, NULL");
// The milliseconds since the rotation, if this server dated it; the number of the server, which is
// its start time in microseconds and whether it was in recovery; and its clock in milliseconds. The
// recovery distinguishes a promoted standby from itself before its promotion, when a new timeline
// begins.
const FIND_SESSION_POSTGRES: &str = find_session_sql!(
    "CASE WHEN sessions.rotated_server = \
     (EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000000)::bigint * 2 + pg_is_in_recovery()::int \
     THEN (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint - sessions.rotated_clock END, \
     (EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000000)::bigint * 2 + pg_is_in_recovery()::int, \
     (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint"
);

/// The statement, for the session with this id.
struct FindSession<'a> {
    text: &'static str,
    id: &'a [u8],
}

type SessionColumns = SqlTypeOf<<SessionRow as Selectable<MultiBackend>>::SelectExpression>;
type RecordColumns = (
    SessionColumns,
    BigInt,
    Text,
    Nullable<BigInt>,
    Nullable<Text>,
    Nullable<BigInt>,
    Nullable<Text>,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<BigInt>,
);
type RecordRow = (
    SessionRow,
    i64,
    String,
    Option<i64>,
    Option<String>,
    Option<i64>,
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
);

impl QueryFragment<MultiBackend> for FindSession<'_> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        pass.push_sql(self.text);
        pass.push_bind_param::<Binary, [u8]>(self.id)
    }
}

// A connection always gets the same text, so the type identifies the prepared statement.
impl QueryId for FindSession<'_> {
    type QueryId = FindSession<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for FindSession<'_> {
    type SqlType = RecordColumns;
}

impl RunQueryDsl<AnyConnection> for FindSession<'_> {}

impl Transaction<'_> {
    pub(super) fn find_session(&mut self, id: SessionId) -> StoreResult<Option<SessionRecord>> {
        let text = match self.connection {
            AnyConnection::Sqlite(_) => FIND_SESSION,
            AnyConnection::Postgres(_) => FIND_SESSION_POSTGRES,
        };
        let query = FindSession { text, id: id.0.as_bytes() };
        let found: Option<RecordRow> = query.get_result(self.connection).optional().map_err(classify)?;
        found.map(into_record).transpose()
    }
}

fn into_record(found: RecordRow) -> StoreResult<SessionRecord> {
    let (row, tenant, zone, user, user_status, device, device_status, since, server, now) = found;
    let epoch = |epoch: Option<i64>| Epoch(epoch.unwrap_or_default());
    let user_status = user_status.map(|status| Column("users", "status").check_parsed(status.parse())).transpose()?;
    let device_status =
        device_status.map(|status| Column("devices", "status").check_parsed(status.parse())).transpose()?;
    let since_rotation = since.map(|since| Duration::from_millis(u64::try_from(since).unwrap_or_default()));
    let clock =
        server.zip(now).map(|(server, now)| StoreClock { since_rotation, server, now: Instant::from_millis(now) });
    Ok(SessionRecord {
        session: row.into_domain()?,
        epochs: Epochs { user: epoch(user), device: epoch(device), tenant: Epoch(tenant) },
        user: user_status,
        device: device_status,
        zone: Column("tenants", "zone").check_parsed(Zone::parse(&zone))?,
        clock,
    })
}

#[cfg(test)]
mod tests {
    use diesel::sqlite::Sqlite;

    use super::*;
    use crate::schema::sessions;

    /// The columns are read by their position.
    #[test]
    fn text_begins_with_the_columns_of_a_row() {
        let query = diesel::debug_query::<Sqlite, _>(&sessions::table.select(SessionRow::as_select())).to_string();
        let composed = query.replace('`', "");
        let (columns, _) = composed.split_once(" FROM ").unwrap();
        for text in [FIND_SESSION, FIND_SESSION_POSTGRES] {
            assert!(text.starts_with(&format!("{columns}, tenants.epoch, ")), "{columns}");
        }
    }
}
