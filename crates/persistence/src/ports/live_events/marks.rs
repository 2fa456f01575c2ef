//! Marks in the live events, from which a list continues with what has changed since.
//!
//! On PostgreSQL, a mark is the oldest transaction that is open: everything that the reader does
//! not see is written by that transaction or by later ones. Changes that the reader sees may be
//! after the mark, too.

use diesel::RunQueryDsl;
use diesel::prelude::QueryableByName;
use diesel::sql_types::BigInt;
use tillgate_auth_core::ports::FeedCursor;
use tillgate_domain::office::ports::{ChangeMark, MAX_CHANGES_SINCE_MARK};
use tillgate_domain::{LiveEventKind, StoreResult, TenantId};

use crate::connection::AnyConnection;
use crate::error_class::classify;
use crate::ports::feed::StoredPosition;
use crate::row::CountRow;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

const SELECT_END_SQLITE: &str = "SELECT feed.last + 1 AS oldest, feed.last + 1 AS bound, 0 AS server, \
     (SELECT live_events_swept FROM meta WHERE id = 1) AS swept \
     FROM (SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'live_events'), 0) AS last) feed";
const SELECT_END_POSTGRES: &str = "SELECT pg_snapshot_xmin(feed.now)::text::bigint AS oldest, \
     pg_snapshot_xmax(feed.now)::text::bigint AS bound, \
     EXTRACT(EPOCH FROM pg_postmaster_start_time())::bigint & 32767 AS server, \
     (SELECT live_events_swept FROM meta WHERE id = 1) AS swept \
     FROM (SELECT pg_current_snapshot() AS now) feed";
#[derive(QueryableByName)]
struct EndRow {
    /// The first position that may not be visible yet.
    #[diesel(sql_type = BigInt)]
    oldest: i64,
    /// The position after all visible ones.
    #[diesel(sql_type = BigInt)]
    bound: i64,
    #[diesel(sql_type = BigInt)]
    server: i64,
    /// The greatest position that was removed.
    #[diesel(sql_type = BigInt)]
    swept: i64,
}

impl Transaction<'_> {
    fn select_end(&mut self) -> StoreResult<EndRow> {
        let text = match self.connection {
            AnyConnection::Sqlite(_) => SELECT_END_SQLITE,
            AnyConnection::Postgres(_) => SELECT_END_POSTGRES,
        };
        Statement::new(text, []).get_result(self.connection).map_err(classify)
    }

    /// The mark of this moment.
    pub(crate) fn read_change_mark(&mut self) -> StoreResult<ChangeMark> {
        let EndRow { oldest, server, .. } = self.select_end()?;
        Ok(ChangeMark(StoredPosition { server, position: oldest }.to_cursor().0))
    }

    /// Whether all live events after the mark are still there, were written by this server, and are
    /// not too many of this kind.
    pub(crate) fn has_countable_changes(
        &mut self,
        tenant: TenantId,
        kind: LiveEventKind,
        since: ChangeMark,
    ) -> StoreResult<bool> {
        let StoredPosition { server, position } = StoredPosition::from_cursor(FeedCursor(since.0));
        let end = self.select_end()?;
        // a watermark beyond the end is from another cluster, whose data was restored here
        let is_swept = end.swept < end.bound && position <= end.swept;
        if server != end.server || position > end.bound || is_swept {
            return Ok(false);
        }
        let (events, most) = (changes_clause(kind), MAX_CHANGES_SINCE_MARK);
        let text = format!("SELECT COUNT(*) AS number FROM (SELECT 1 AS one {events} LIMIT ?) part");
        let text = ["$1", "$2", "$3"].iter().fold(text, |text, place| text.replacen('?', place, 1));
        let binds = vec![Bind::from(&tenant.0), position.into(), i64::from(most).saturating_add(1).into()];
        let counted: CountRow = Statement::cached(text, binds).get_result(self.connection).map_err(classify)?;
        Ok(counted.count() <= u64::from(most))
    }
}

/// The live events of this kind of resources, with a `?` for the tenant and for the position of the
/// mark. The kind is part of the text: only then does the partial index apply.
fn changes_clause(kind: LiveEventKind) -> String {
    let kind = kind.name();
    format!(
        "FROM live_events WHERE live_events.tenant_id = ? AND live_events.kind = '{kind}' AND live_events.position >= ?"
    )
}

/// The condition that the resource `id` of the tenant has changed since a mark; it has the
/// [values](changed_values) of the mark.
pub(crate) fn changed_condition(kind: LiveEventKind, id: &str) -> String {
    format!("{id} IN (SELECT live_events.subject_id {})", changes_clause(kind))
}

/// The values of a [condition](changed_condition).
pub(crate) fn changed_values(tenant: &TenantId, since: ChangeMark) -> [Bind<'_>; 2] {
    [Bind::from(&tenant.0), StoredPosition::from_cursor(FeedCursor(since.0)).position.into()]
}
