//! The live events, in the order of the change feed: see [`super::feed`] for positions, bookmarks
//! and transactions that commit late. One statement also reads what the events name, so that a poll
//! costs the same whatever it finds.

pub(super) mod marks;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use tillgate_auth_core::ports::{Bookmark, LiveEventBatch, LiveEventView, LiveEvents};
use tillgate_domain::{
    DeviceId, Instant, LiveEvent, LiveEventKind, PrincipalId, StoreError, StoreResult, TenantId, UserId,
};

use super::feed::StoredPosition;
use super::removed_rows;
use crate::connection::AnyConnection;
use crate::error_class::classify;
use crate::row::Column;
use crate::statement::{Bind, Statement, placeholders};
use crate::transaction::Transaction;

/// Selects the version of a resource, and the principal of a session, of the event `found`.
macro_rules! select_resource {
    () => {
        "CASE found.kind \
         WHEN 'user' THEN (SELECT users.version FROM users WHERE users.id = found.subject_id) \
         WHEN 'device' THEN (SELECT devices.version FROM devices WHERE devices.id = found.subject_id) \
         WHEN 'role' THEN (SELECT roles.version FROM roles WHERE roles.id = found.subject_id) \
         WHEN 'tenant' THEN (SELECT tenants.version FROM tenants WHERE tenants.id = found.subject_id) \
         WHEN 'store' THEN (SELECT tenants.version FROM tenants WHERE tenants.id = found.tenant_id) \
         WHEN 'api_key' THEN (SELECT api_keys.version FROM api_keys WHERE api_keys.id = found.subject_id) \
         WHEN 'ticket' THEN (SELECT tickets.version FROM tickets \
         WHERE tickets.tenant_id = found.tenant_id AND tickets.id = found.subject_id) END AS version, \
         CASE found.kind WHEN 'session' THEN \
         (SELECT sessions.user_id FROM sessions WHERE sessions.id = found.subject_id) END AS user_id, \
         CASE found.kind WHEN 'session' THEN \
         (SELECT sessions.device_id FROM sessions WHERE sessions.id = found.subject_id) END AS device_id"
    };
}

// The first row contains the end of the events, as in the change feed.
const SELECT_EVENTS_SQLITE: &str = concat!(
    "SELECT feed.last + 1 AS bound, 0 AS server, NULL AS open, feed.swept AS swept, found.position AS number, \
     found.tenant_id, found.kind, found.subject_id, ",
    select_resource!(),
    " FROM (SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'live_events'), 0) AS last, \
     (SELECT live_events_swept FROM meta WHERE id = 1) AS swept) feed \
     LEFT JOIN (SELECT position, tenant_id, kind, subject_id FROM live_events WHERE position >= $1 \
     AND ($3 IS NULL OR tenant_id = $3) ORDER BY position LIMIT $2) found"
);
// A position beyond the snapshot is from another cluster, whose data was restored here.
const SELECT_EVENTS_POSTGRES: &str = concat!(
    "WITH feed AS MATERIALIZED (SELECT pg_current_snapshot() AS now), \
     found AS (SELECT position, number, tenant_id, kind, subject_id FROM live_events WHERE position >= $1 \
     AND position < (SELECT pg_snapshot_xmax(feed.now)::text::bigint FROM feed) \
     AND ($4::bytea IS NULL OR tenant_id = $4) \
     UNION ALL SELECT position, number, tenant_id, kind, subject_id FROM live_events \
     WHERE position = ANY (string_to_array($3, ',')::bigint[]) \
     AND ($4::bytea IS NULL OR tenant_id = $4) ORDER BY position, number LIMIT $2) \
     SELECT NULL::bigint AS number, pg_snapshot_xmax(feed.now)::text::bigint AS bound, \
     EXTRACT(EPOCH FROM pg_postmaster_start_time())::bigint & 32767 AS server, \
     (SELECT string_agg(open.id::text, ',' ORDER BY open.id) FROM pg_snapshot_xip(feed.now) AS open (id)) AS open, \
     (SELECT live_events_swept FROM meta WHERE id = 1) AS swept, NULL::bytea AS tenant_id, NULL::text AS kind, \
     NULL::bytea AS subject_id, NULL::bigint AS version, NULL::bytea AS user_id, NULL::bytea AS device_id FROM feed \
     UNION ALL SELECT found.number, 0, 0, NULL, 0, found.tenant_id, found.kind, found.subject_id, ",
    select_resource!(),
    " FROM found"
);
const SWEEP_SQLITE: &str = "DELETE FROM live_events WHERE position IN (\
     SELECT position FROM live_events WHERE written_at < $1 ORDER BY written_at LIMIT $2) RETURNING position AS number";
const SWEEP_POSTGRES: &str = "DELETE FROM live_events WHERE number IN (\
     SELECT number FROM live_events WHERE written_at < $1 ORDER BY written_at LIMIT $2) RETURNING position AS number";
const RECORD_SWEPT: &str = "UPDATE meta SET live_events_swept = $1 WHERE id = 1 AND live_events_swept < $1";

#[derive(QueryableByName)]
struct LiveEventRow {
    #[diesel(sql_type = BigInt)]
    bound: i64,
    #[diesel(sql_type = BigInt)]
    server: i64,
    #[diesel(sql_type = Nullable<Text>)]
    open: Option<String>,
    #[diesel(sql_type = BigInt)]
    swept: i64,
    /// The order of writing; none in the row that only contains the end.
    #[diesel(sql_type = Nullable<BigInt>)]
    number: Option<i64>,
    #[diesel(sql_type = Nullable<Binary>)]
    tenant_id: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Text>)]
    kind: Option<String>,
    #[diesel(sql_type = Nullable<Binary>)]
    subject_id: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    version: Option<i64>,
    #[diesel(sql_type = Nullable<Binary>)]
    user_id: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    device_id: Option<Vec<u8>>,
}

impl LiveEventRow {
    /// The event in the row; `None` for the row that only contains the end of the events.
    fn to_view(&self) -> StoreResult<Option<LiveEventView>> {
        let cell = |column| Column("live_events", column);
        let (Some(tenant), Some(kind)) = (self.tenant_id.as_deref(), self.kind.as_deref()) else { return Ok(None) };
        let session = |column, id: &Option<Vec<u8>>| Column("sessions", column).parse_optional_uuid(id.as_deref());
        let user = session("user_id", &self.user_id)?.map(|id| PrincipalId::User(UserId(id)));
        let device = session("device_id", &self.device_id)?.map(|id| PrincipalId::Device(DeviceId(id)));
        Ok(Some(LiveEventView {
            event: LiveEvent {
                tenant: TenantId(cell("tenant_id").parse_uuid(tenant)?),
                kind: cell("kind").parse_word(LiveEventKind::ALL, LiveEventKind::name, kind)?,
                subject: cell("subject_id").parse_optional_uuid(self.subject_id.as_deref())?,
            },
            version: self.version,
            principal: user.or(device),
        }))
    }
}

/// A row with the position of a removed event.
#[derive(QueryableByName)]
struct SweptRow {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Transaction<'_> {
    /// Writes live events.
    pub(crate) fn insert_live_events(&mut self, events: &[LiveEvent], at: Instant) -> StoreResult<()> {
        if events.is_empty() {
            return Ok(());
        }
        let values: Vec<Bind<'_>> = events
            .iter()
            .flat_map(|event| {
                let tenant = Bind::from(&event.tenant.0);
                [tenant, event.kind.name().into(), event.subject.as_ref().into(), at.into()]
            })
            .collect();
        // an audit event has few live events, so there are few texts
        let text = format!(
            "INSERT INTO live_events (tenant_id, kind, subject_id, written_at) VALUES {}",
            placeholders(1, events.len(), 4)
        );
        self.execute(&Statement::cached(text, values)).map(drop)
    }

    fn select_live_events(
        &mut self,
        position: i64,
        open: &str,
        tenant: Option<TenantId>,
        limit: u32,
    ) -> StoreResult<Vec<LiveEventRow>> {
        let tenant = tenant.map(|tenant| tenant.0);
        let limit = i64::from(limit).saturating_add(1);
        let statement = match self.connection {
            AnyConnection::Sqlite(_) => {
                Statement::new(SELECT_EVENTS_SQLITE, [position.into(), limit.into(), tenant.as_ref().into()])
            }
            AnyConnection::Postgres(_) => Statement::new(
                SELECT_EVENTS_POSTGRES,
                [position.into(), limit.into(), Bind::Text(open), tenant.as_ref().into()],
            ),
        };
        let mut rows: Vec<LiveEventRow> = statement.load(self.connection).map_err(classify)?;
        rows.sort_by_key(|row| row.number);
        Ok(rows)
    }
}

impl LiveEvents for Transaction<'_> {
    fn poll(&mut self, from: Option<&Bookmark>, tenant: Option<TenantId>, limit: u32) -> StoreResult<LiveEventBatch> {
        let at = from.map(|from| StoredPosition::from_cursor(from.cursor));
        let open = from.map_or(&[][..], |from| &from.open);
        let open: Vec<String> =
            open.iter().map(|open| StoredPosition::from_cursor(*open).position.to_string()).collect();
        let rows = self.select_live_events(at.map_or(i64::MAX, |at| at.position), &open.join(","), tenant, limit)?;
        let first = rows.first().ok_or_else(|| StoreError::Fault("the live events have no position".to_owned()))?;
        let next = StoredPosition::read_bookmark(first.server, first.bound, first.open.as_deref())?;
        let events = rows.iter().filter_map(|row| row.to_view().transpose()).collect::<StoreResult<Vec<_>>>()?;
        // a watermark beyond the end is from another cluster, whose data was restored here
        let swept = Some(first.swept).filter(|swept| *swept < first.bound);
        let has_gap = at.is_none_or(|at| {
            at.server != first.server || at.position > first.bound || swept.is_some_and(|swept| at.position <= swept)
        }) || u32::try_from(events.len()).is_ok_and(|found| found > limit);
        Ok(LiveEventBatch { events: if has_gap { Vec::new() } else { events }, next, has_gap })
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        let text = match self.connection {
            AnyConnection::Sqlite(_) => SWEEP_SQLITE,
            AnyConnection::Postgres(_) => SWEEP_POSTGRES,
        };
        let statement = Statement::new(text, [before.into(), i64::from(limit).into()]);
        let removed: Vec<SweptRow> = statement.load(self.write_connection()?).map_err(classify)?;
        if let Some(newest) = removed.iter().map(|row| row.number).max() {
            self.execute(&Statement::new(RECORD_SWEPT, [newest.into()]))?;
        }
        Ok(removed_rows(removed.len()))
    }
}
