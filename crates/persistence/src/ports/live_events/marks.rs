//! Marks in the live events, from which a list continues with what has changed since.
//!
//! On PostgreSQL, a mark is the oldest transaction that is open: everything that the reader does
//! not see is written by that transaction or by later ones. Changes that the reader sees may be
//! after the mark, too.

use diesel::RunQueryDsl;
use diesel::prelude::QueryableByName;
use diesel::sql_types::BigInt;
use tillgate_auth_core::ports::Cursor;
use tillgate_domain::office::ports::{ChangeMark, PageRequest};
use tillgate_domain::{LiveEventKind, StoreResult, TenantId};
use uuid::Uuid;

use crate::connection::AnyConnection;
use crate::error_class::classify;
use crate::ports::feed::StoredPosition;
use crate::row::{Column, IdRow};
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
// the empty text of bytes is before every id
const SELECT_CHANGED: &str = "SELECT DISTINCT subject_id AS id FROM live_events \
     WHERE position >= $1 AND tenant_id = $2 AND kind = $3 AND subject_id > $4 ORDER BY subject_id LIMIT $5";

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

    /// The ids that live events after the mark name, as far as all of these events are still there
    /// and were written by this server.
    pub(crate) fn list_changed_subjects(
        &mut self,
        tenant: TenantId,
        kind: LiveEventKind,
        since: ChangeMark,
        page: &PageRequest<Uuid>,
    ) -> StoreResult<Option<Vec<Uuid>>> {
        let StoredPosition { server, position } = StoredPosition::from_cursor(Cursor(since.0));
        let end = self.select_end()?;
        // a watermark beyond the end is from another cluster, whose data was restored here
        let is_swept = end.swept < end.bound && position <= end.swept;
        if server != end.server || position > end.bound || is_swept {
            return Ok(None);
        }
        let after = page.after.map(Uuid::into_bytes);
        let binds = [
            position.into(),
            Bind::from(&tenant.0),
            kind.name().into(),
            Bind::Bytes(after.as_ref().map_or(&[], |after| after.as_slice())),
            i64::from(page.limit).into(),
        ];
        let rows: Vec<IdRow> = Statement::new(SELECT_CHANGED, binds).load(self.connection).map_err(classify)?;
        rows.iter()
            .map(|row| Column("live_events", "subject_id").parse_uuid(&row.id))
            .collect::<StoreResult<_>>()
            .map(Some)
    }
}
