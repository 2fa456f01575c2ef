//! What has changed, in an order that every process can follow.
//!
//! SQLite has one writer, so its positions are committed in their order. In PostgreSQL a position is the number of the
//! transaction that wrote it, and a look goes on from the oldest that was running at the look before: what is committed late is
//! read late, and some of the rest twice. Each look is one statement, so that the bound and the rows are of one moment.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use tillgate_auth_core::ports::{Cursor, Feed, Look};
use tillgate_domain::{Change, DeviceId, Epoch, Instant, Scope, SessionId, StoreError, Stored, TenantId, UserId};

use super::removed;
use crate::connection::AnyConnection;
use crate::failure::classify;
use crate::row::Cell;
use crate::statement::Statement;
use crate::transaction::Transaction;

// both answer one row at least, with `next` in every row: the left side of the join is always there
const LOOK_SQLITE: &str = "SELECT feed.last + 1 AS next, feed.last + 1 AS bound, 0 AS server, \
     changes.kind, changes.scope, changes.subject_id, changes.epoch, changes.written_at \
     FROM (SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0) AS last) feed \
     LEFT JOIN changes ON changes.position >= $1 ORDER BY changes.position";
const LOOK_POSTGRES: &str = "SELECT pg_snapshot_xmin(feed.now)::text::bigint AS next, \
     pg_snapshot_xmax(feed.now)::text::bigint AS bound, \
     EXTRACT(EPOCH FROM pg_postmaster_start_time())::bigint & 32767 AS server, \
     changes.kind, changes.scope, changes.subject_id, changes.epoch, changes.written_at \
     FROM (SELECT pg_current_snapshot() AS now) feed \
     LEFT JOIN changes ON changes.position >= $1 ORDER BY changes.position, changes.number";
const SWEEP_SQLITE: &str = "DELETE FROM changes WHERE position IN (\
     SELECT position FROM changes WHERE written_at < $1 ORDER BY written_at LIMIT $2)";
const SWEEP_POSTGRES: &str = "DELETE FROM changes WHERE number IN (\
     SELECT number FROM changes WHERE written_at < $1 ORDER BY written_at LIMIT $2)";

/// Where a reader stands: a position, and on which server it was read. A standby that is promoted after it lost commits gives the
/// numbers of the lost transactions again, and may have passed the reader's position before the reader comes back; it was
/// started at another moment than the server before, and then everything that is kept is read. It shares the 63 bits of a
/// [`Cursor`] with the position: 15 for the server, 48 for the position.
#[derive(Clone, Copy, PartialEq, Eq)]
struct At {
    server: i64,
    position: i64,
}

const POSITION_BITS: u32 = 48;

impl At {
    const fn of(cursor: Cursor) -> Self {
        Self { server: cursor.0 >> POSITION_BITS, position: cursor.0 & ((1 << POSITION_BITS) - 1) }
    }

    const fn cursor(self) -> Cursor {
        Cursor((self.server << POSITION_BITS) | self.position)
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    next: i64,
    #[diesel(sql_type = BigInt)]
    bound: i64,
    #[diesel(sql_type = BigInt)]
    server: i64,
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
    fn changes_from(&mut self, position: i64) -> Stored<Vec<Row>> {
        let text = match self.connection {
            AnyConnection::Sqlite(_) => LOOK_SQLITE,
            AnyConnection::Postgres(_) => LOOK_POSTGRES,
        };
        Statement::new(text, [position.into()]).load(self.connection).map_err(classify)
    }
}

impl Feed for Transaction<'_> {
    fn look(&mut self, from: Option<Cursor>) -> Stored<Look> {
        let from = from.map(At::of);
        let mut rows = self.changes_from(from.map_or(0, |at| at.position))?;
        if let (Some(from), Some(row)) = (from, rows.first())
            && (from.server != row.server || from.position > row.bound)
        {
            rows = self.changes_from(0)?;
        }
        let next = rows.first().map(|row| At { server: row.server, position: row.next }.cursor());
        let next = next.ok_or_else(|| StoreError::Fault("the feed did not say where it stands".to_owned()))?;
        let changes = rows.iter().filter_map(|row| change(row).transpose()).collect::<Stored<_>>()?;
        Ok(Look { changes, next })
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32> {
        let text = match self.connection {
            AnyConnection::Sqlite(_) => SWEEP_SQLITE,
            AnyConnection::Postgres(_) => SWEEP_POSTGRES,
        };
        self.run(&Statement::new(text, [before.into(), i64::from(limit).into()])).map(removed)
    }
}

/// The change of a row; `None` for the row that only says where the feed stands.
fn change(row: &Row) -> Stored<Option<(Change, Instant)>> {
    let cell = |column| Cell("changes", column);
    let (Some(kind), Some(scope), Some(at)) = (row.kind.as_deref(), row.scope.as_deref(), row.written_at) else {
        return Ok(None);
    };
    let subject = || cell("subject_id").uuid(row.subject_id.as_deref().unwrap_or_default());
    let scope = || match scope {
        "user" => Ok(Scope::User(UserId(subject()?))),
        "device" => Ok(Scope::Device(DeviceId(subject()?))),
        "tenant" => Ok(Scope::Tenant(TenantId(subject()?))),
        "keys" => Ok(Scope::Keys),
        "clock" => Ok(Scope::Clock),
        _ => Err(cell("scope").corrupt("a word that is not known")),
    };
    let change = match (kind, row.epoch) {
        ("ended", _) => Change::Ended(SessionId(subject()?)),
        ("raised", Some(epoch)) => Change::Raised { scope: scope()?, epoch: Epoch(epoch) },
        ("raised", None) => return Err(cell("epoch").corrupt("a raised epoch is missing")),
        ("touched", _) => Change::Touched(scope()?),
        _ => return Err(cell("kind").corrupt("a word that is not known")),
    };
    Ok(Some((change, Instant::from_millis(at))))
}
