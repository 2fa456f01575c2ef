//! The change feed, in an order that every process can follow.
//!
//! SQLite has one writer, so its positions are committed in order. On PostgreSQL, a position is the
//! number of the transaction that wrote the change, and a bookmark is the snapshot of a read. The
//! next read returns what that snapshot did not contain: what later transactions wrote, and what
//! those wrote that were open then. It finds each change once, however long a transaction stays
//! open anywhere in the cluster. Restarting from the oldest open transaction instead would read
//! everything since again, four times a second. Each read is one statement, so the bookmark and the
//! rows belong to the same moment.
//!
//! A process recognizes its own changes by their numbers and skips them.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use tillgate_auth_core::ports::{Bookmark, Feed, FeedBatch, FeedCursor, FeedEntry, ServerTime};
use tillgate_domain::{Change, DeviceId, Epoch, Instant, Scope, SessionId, StoreError, StoreResult, TenantId, UserId};

use super::removed_rows;
use crate::connection::AnyConnection;
use crate::error_class::classify;
use crate::row::Column;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

// The first row contains the end of the feed. SQLite returns at least that row, since the left side
// of the join always exists.
const SELECT_CHANGES_SQLITE: &str = "SELECT changes.position AS number, feed.last + 1 AS bound, 0 AS server, NULL AS open, \
     NULL AS clock_server, NULL AS clock, changes.kind, changes.scope, changes.subject_id, changes.epoch, changes.written_at \
     FROM (SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0) AS last) feed \
     LEFT JOIN changes ON changes.position >= $1 ORDER BY changes.position";
// On PostgreSQL the other rows are changes. `$2` is a list of transaction numbers separated by
// commas.
const SELECT_CHANGES_POSTGRES: &str = "WITH feed AS MATERIALIZED (SELECT pg_current_snapshot() AS now) \
     SELECT NULL::bigint AS position, NULL::bigint AS number, pg_snapshot_xmax(feed.now)::text::bigint AS bound, \
     EXTRACT(EPOCH FROM pg_postmaster_start_time())::bigint & 32767 AS server, \
     (SELECT string_agg(open.id::text, ',' ORDER BY open.id) FROM pg_snapshot_xip(feed.now) AS open (id)) AS open, \
     (EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000000)::bigint * 2 + pg_is_in_recovery()::int AS clock_server, \
     (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint AS clock, \
     NULL::text AS kind, NULL::text AS scope, NULL::bytea AS subject_id, NULL::bigint AS epoch, NULL::bigint AS written_at FROM feed \
     UNION ALL SELECT position, number, 0, 0, NULL, NULL, NULL, kind, scope, subject_id, epoch, written_at \
     FROM changes WHERE position >= $1 \
     UNION ALL SELECT position, number, 0, 0, NULL, NULL, NULL, kind, scope, subject_id, epoch, written_at FROM changes \
     WHERE position = ANY (string_to_array($2, ',')::bigint[]) \
     ORDER BY position NULLS FIRST, number";
const SELECT_END_SQLITE: &str =
    "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0) + 1 AS bound, 0 AS server";
const SELECT_END_POSTGRES: &str = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS bound, \
     EXTRACT(EPOCH FROM pg_postmaster_start_time())::bigint & 32767 AS server";
const SWEEP_SQLITE: &str = "DELETE FROM changes WHERE position IN (\
     SELECT position FROM changes WHERE written_at < $1 ORDER BY written_at LIMIT $2)";
const SWEEP_POSTGRES: &str = "DELETE FROM changes WHERE number IN (\
     SELECT number FROM changes WHERE written_at < $1 ORDER BY written_at LIMIT $2)";

/// A position, and the server on which it was read.
///
/// A standby that is promoted after it lost commits assigns the numbers of the lost transactions
/// again, and may have passed the reader's position before the reader comes back. It has another
/// start time than the previous server, so the reader then reads everything that is kept. Both
/// values share the 63 bits of a [`FeedCursor`]: 15 for the server, 48 for the position.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct StoredPosition {
    pub(super) server: i64,
    pub(super) position: i64,
}

const POSITION_BITS: u32 = 48;

impl StoredPosition {
    pub(super) const fn from_cursor(cursor: FeedCursor) -> Self {
        Self { server: cursor.0 >> POSITION_BITS, position: cursor.0 & ((1 << POSITION_BITS) - 1) }
    }

    pub(super) const fn to_cursor(self) -> FeedCursor {
        FeedCursor((self.server << POSITION_BITS) | self.position)
    }

    /// The bookmark of a read on this server. `open` lists the transactions that were running,
    /// separated by commas.
    pub(super) fn read_bookmark(server: i64, bound: i64, open: Option<&str>) -> StoreResult<Bookmark> {
        let open = open.unwrap_or_default().split(',').filter(|id| !id.is_empty());
        let at = |id: &str| Some(Self { server, position: id.parse().ok()? }.to_cursor());
        let open = open.map(|id| at(id).ok_or_else(no_position)).collect::<StoreResult<_>>()?;
        Ok(Bookmark { cursor: Self { server, position: bound }.to_cursor(), open })
    }
}

fn no_position() -> StoreError {
    StoreError::Fault("the feed returned no position".to_owned())
}

#[derive(QueryableByName)]
struct EndRow {
    #[diesel(sql_type = BigInt)]
    bound: i64,
    #[diesel(sql_type = BigInt)]
    server: i64,
}

#[derive(QueryableByName)]
struct FeedRow {
    #[diesel(sql_type = Nullable<BigInt>)]
    number: Option<i64>,
    #[diesel(sql_type = BigInt)]
    bound: i64,
    #[diesel(sql_type = BigInt)]
    server: i64,
    #[diesel(sql_type = Nullable<Text>)]
    open: Option<String>,
    /// The server that dates rotations, and its clock.
    #[diesel(sql_type = Nullable<BigInt>)]
    clock_server: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    clock: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    kind: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    scope: Option<String>,
    #[diesel(sql_type = Nullable<Binary>)]
    subject_id: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    epoch: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    written_at: Option<i64>,
}

impl Transaction<'_> {
    fn select_changes(&mut self, position: i64, open: &str) -> StoreResult<Vec<FeedRow>> {
        let text = match self.connection {
            AnyConnection::Sqlite(_) => SELECT_CHANGES_SQLITE,
            AnyConnection::Postgres(_) => SELECT_CHANGES_POSTGRES,
        };
        Statement::new(text, [position.into(), Bind::Text(open)]).load(self.connection).map_err(classify)
    }
}

/// The end of the feed, from the first row of a read.
fn read_end(rows: &[FeedRow]) -> StoreResult<Bookmark> {
    let row = rows.first().ok_or_else(no_position)?;
    StoredPosition::read_bookmark(row.server, row.bound, row.open.as_deref())
}

impl Feed for Transaction<'_> {
    fn poll(&mut self, from: Option<&Bookmark>) -> StoreResult<FeedBatch> {
        let at =
            from.map_or(StoredPosition { server: 0, position: 0 }, |from| StoredPosition::from_cursor(from.cursor));
        let open = from.map_or(&[][..], |from| &from.open);
        let open: Vec<String> =
            open.iter().map(|open| StoredPosition::from_cursor(*open).position.to_string()).collect();
        let mut rows = self.select_changes(at.position, &open.join(","))?;
        let now = StoredPosition::from_cursor(read_end(&rows)?.cursor);
        let elsewhere = at.server != now.server || at.position > now.position;
        if from.is_some() && elsewhere {
            rows = self.select_changes(0, "")?;
        }
        let next = read_end(&rows)?;
        let clock = rows.first().and_then(|row| row.clock_server.zip(row.clock));
        let clock = clock.map(|(server, now)| ServerTime { server, now: Instant::from_millis(now) });
        let changes = rows.iter().filter_map(|row| read_change(row).transpose()).collect::<StoreResult<_>>()?;
        Ok(FeedBatch { entries: changes, next, restarted: from.is_none() || elsewhere, clock })
    }

    fn find_end(&mut self) -> StoreResult<FeedCursor> {
        let text = match self.connection {
            AnyConnection::Sqlite(_) => SELECT_END_SQLITE,
            AnyConnection::Postgres(_) => SELECT_END_POSTGRES,
        };
        let row: EndRow = Statement::new(text, []).get_result(self.connection).map_err(classify)?;
        Ok(StoredPosition { server: row.server, position: row.bound }.to_cursor())
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        let text = match self.connection {
            AnyConnection::Sqlite(_) => SWEEP_SQLITE,
            AnyConnection::Postgres(_) => SWEEP_POSTGRES,
        };
        self.execute(&Statement::new(text, [before.into(), i64::from(limit).into()])).map(removed_rows)
    }
}

/// The change in a row; `None` for the row that only contains the end of the feed.
fn read_change(row: &FeedRow) -> StoreResult<Option<FeedEntry>> {
    let cell = |column| Column("changes", column);
    let (Some(number), Some(kind), Some(scope), Some(at)) =
        (row.number, row.kind.as_deref(), row.scope.as_deref(), row.written_at)
    else {
        return Ok(None);
    };
    let subject = || cell("subject_id").parse_uuid(row.subject_id.as_deref().unwrap_or_default());
    let scope = || match scope {
        "user" => Ok(Scope::User(UserId(subject()?))),
        "device" => Ok(Scope::Device(DeviceId(subject()?))),
        "tenant" => Ok(Scope::Tenant(TenantId(subject()?))),
        "keys" => Ok(Scope::Keys),
        "clock" => Ok(Scope::Clock),
        _ => Err(cell("scope").corrupt("an unknown word")),
    };
    let change = match (kind, row.epoch) {
        ("ended", _) => Change::SessionEnded(SessionId(subject()?)),
        ("raised", Some(epoch)) => Change::EpochBumped { scope: scope()?, epoch: Epoch(epoch) },
        ("raised", None) => return Err(cell("epoch").corrupt("a raised epoch is missing")),
        ("touched", _) => Change::Invalidated(scope()?),
        _ => return Err(cell("kind").corrupt("an unknown word")),
    };
    Ok(Some(FeedEntry { number, change, at: Instant::from_millis(at) }))
}
