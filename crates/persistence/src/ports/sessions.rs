//! Sessions. Each frequent operation is one statement: finding a session with everything that
//! decides whether it is live, a rotation, a batch of uses.

mod find;
mod list;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use diesel::prelude::*;
use tillgate_auth_core::ports::{
    FirstUse, Rotation, SessionCursor, SessionFilter, SessionOrder, SessionRecord, SessionUse, SessionView, Sessions,
};
use tillgate_auth_core::{DialectName, Session};
use tillgate_domain::{Instant, KeyId, SessionId, StoreResult};
use uuid::Uuid;

use super::removed_rows;
use crate::connection::AnyConnection;
use crate::error_class::classify;
use crate::row::{Column, IdRow, SessionRow, day_number};
use crate::schema::{first_uses, sessions};
use crate::statement::{Bind, Statement, placeholders};
use crate::transaction::Transaction;

const MAX_USES_PER_STATEMENT: usize = 500;

const ROTATE: &str = "UPDATE sessions SET generation = $3, key_id = $4, previous_key_id = $5, rotated_at = $6, expires_at = $7, \
     expires_day = $8, rotated_from = $9, proved_at = COALESCE($10, proved_at) WHERE id = $1 AND generation = $2 AND ended_at IS NULL";
// SQLite has no clock of its own, and its processes run on one machine. `clock_timestamp()`
// advances within a transaction.
const ROTATE_POSTGRES: &str = "UPDATE sessions SET generation = $3, key_id = $4, previous_key_id = $5, rotated_at = $6, \
     expires_at = $7, expires_day = $8, rotated_from = $9, proved_at = COALESCE($10, proved_at), \
     rotated_clock = (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint, \
     rotated_server = (EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000000)::bigint * 2 + pg_is_in_recovery()::int \
     WHERE id = $1 AND generation = $2 AND ended_at IS NULL";
const EXTEND: &str = "UPDATE sessions SET expires_at = $3, expires_day = $4, rotated_from = $5 \
     WHERE id = $1 AND generation = $2 AND ended_at IS NULL";
const INSERT_FIRST_USE: &str = "INSERT INTO first_uses (session_id, generation, first_used_at) \
     SELECT id, $2, $3 FROM sessions WHERE id = $1 ON CONFLICT (session_id, generation) DO NOTHING";
const DELETE_FIRST_USES: &str = "DELETE FROM first_uses WHERE session_id = $1 AND generation < $2";
const SELECT_IDS_BY_KEY: &str = "SELECT id FROM sessions \
     WHERE key_id = $1 AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > $2) \
     UNION ALL SELECT id FROM sessions \
     WHERE previous_key_id = $1 AND key_id <> $1 AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > $2) LIMIT $3";
// the condition is repeated outside of the subquery: on PostgreSQL, a session may have been rotated
// since the subquery read it
const SWEEP_ENDED: &str = "DELETE FROM sessions WHERE id IN (\
     SELECT id FROM sessions WHERE ended_at IS NOT NULL AND ended_at < $1 ORDER BY ended_at LIMIT $2) AND ended_at < $1";
const SWEEP_EXPIRED: &str = "DELETE FROM sessions WHERE id IN (\
     SELECT id FROM sessions WHERE expires_day <= $3 AND expires_at < $1 LIMIT $2) AND expires_at < $1";

impl Transaction<'_> {
    /// Records uses of different sessions. On PostgreSQL, their rows are first locked in the order
    /// of their ids, so that two processes that record the same sessions do not deadlock.
    fn record_uses(&mut self, uses: &[(Uuid, i64, i64)]) -> StoreResult<()> {
        let binds: Vec<Bind<'_>> =
            uses.iter().flat_map(|(id, generation, at)| [Bind::from(id), (*generation).into(), (*at).into()]).collect();
        let lock = match self.connection {
            AnyConnection::Sqlite(_) => "",
            AnyConnection::Postgres(_) => " ORDER BY held.id FOR NO KEY UPDATE OF held",
        };
        let given = format!("WITH given (id, generation, at) AS (VALUES {})", placeholders(1, uses.len(), 3));
        let of_sessions = format!(
            "{given}, mine AS (SELECT held.id, given.generation, given.at FROM sessions held \
             JOIN given ON given.id = held.id \
             WHERE held.used < given.generation OR held.last_used_at IS NULL OR held.last_used_at < given.at{lock}) \
             UPDATE sessions SET used = CASE WHEN used < mine.generation THEN mine.generation ELSE used END, \
             last_used_at = CASE WHEN last_used_at IS NULL OR last_used_at < mine.at THEN mine.at ELSE last_used_at END \
             FROM mine WHERE sessions.id = mine.id"
        );
        self.execute(&Statement::uncached(of_sessions, binds.clone()))?;
        let of_devices = format!(
            "{given}, seen AS (SELECT sessions.device_id, MAX(given.at) AS at FROM sessions \
             JOIN given ON given.id = sessions.id GROUP BY sessions.device_id), \
             mine AS (SELECT held.id, seen.at FROM devices held JOIN seen ON seen.device_id = held.id \
             WHERE held.last_seen_at IS NULL OR held.last_seen_at < seen.at{lock}) \
             UPDATE devices SET last_seen_at = mine.at FROM mine \
             WHERE devices.id = mine.id AND (last_seen_at IS NULL OR last_seen_at < mine.at)"
        );
        self.execute(&Statement::uncached(of_devices, binds))?;
        Ok(())
    }
}

impl Sessions for Transaction<'_> {
    fn insert(&mut self, session: &Session) -> StoreResult<()> {
        let row = SessionRow::from_domain(session)?;
        diesel::insert_into(sessions::table).values(row).execute(self.write_connection()?).map_err(classify)?;
        Ok(())
    }

    fn find(&mut self, id: SessionId) -> StoreResult<Option<SessionRecord>> {
        self.find_session(id)
    }

    fn rotate(&mut self, id: SessionId, from: i64, to: &Rotation) -> StoreResult<bool> {
        let address = to.from.map(|address| address.to_string());
        let binds = [
            Bind::from(&id.0),
            from.into(),
            to.generation.into(),
            Bind::from(&to.key.0),
            Bind::from(&to.previous_key.0),
            to.at.into(),
            to.expires_at.into(),
            to.expires_at.map(day_number).into(),
            address.as_deref().into(),
            to.proved_at.into(),
        ];
        let text = match self.connection {
            AnyConnection::Sqlite(_) => ROTATE,
            AnyConnection::Postgres(_) => ROTATE_POSTGRES,
        };
        Ok(self.execute(&Statement::new(text, binds))? == 1)
    }

    fn extend(
        &mut self,
        id: SessionId,
        generation: i64,
        expires_at: Option<Instant>,
        from: Option<IpAddr>,
    ) -> StoreResult<bool> {
        let address = from.map(|address| address.to_string());
        let binds = [
            Bind::from(&id.0),
            generation.into(),
            expires_at.into(),
            expires_at.map(day_number).into(),
            address.as_deref().into(),
        ];
        Ok(self.execute(&Statement::new(EXTEND, binds))? == 1)
    }

    fn record_uses(&mut self, uses: &[SessionUse]) -> StoreResult<()> {
        let mut merged = BTreeMap::<Uuid, (i64, i64)>::new();
        for each in uses {
            let (generation, at) = merged.entry(each.session.0).or_insert((each.generation, each.at.millis()));
            *generation = each.generation.max(*generation);
            *at = each.at.millis().max(*at);
        }
        let merged: Vec<_> = merged.into_iter().map(|(id, (generation, at))| (id, generation, at)).collect();
        merged.chunks(MAX_USES_PER_STATEMENT).try_for_each(|batch| self.record_uses(batch))
    }

    fn list_first_uses(&mut self, id: SessionId) -> StoreResult<Vec<FirstUse>> {
        let rows: Vec<(i64, i64)> = first_uses::table
            .filter(first_uses::session_id.eq(id.0.as_bytes().as_slice()))
            .order(first_uses::generation)
            .select((first_uses::generation, first_uses::first_used_at))
            .load(self.connection)
            .map_err(classify)?;
        let first = |(generation, at)| FirstUse { generation, at: Instant::from_millis(at) };
        Ok(rows.into_iter().map(first).collect())
    }

    fn record_first_use(&mut self, id: SessionId, first: FirstUse) -> StoreResult<()> {
        let binds = [Bind::from(&id.0), first.generation.into(), first.at.into()];
        self.execute(&Statement::new(INSERT_FIRST_USE, binds)).map(drop)
    }

    fn remove_first_uses(&mut self, id: SessionId, before: i64) -> StoreResult<()> {
        self.execute(&Statement::new(DELETE_FIRST_USES, [Bind::from(&id.0), before.into()])).map(drop)
    }

    fn list_live_dialects(&mut self, now: Instant) -> StoreResult<Vec<DialectName>> {
        let live = sessions::expires_at.is_null().or(sessions::expires_at.gt(now.millis()));
        let labels: Vec<String> = sessions::table
            .filter(sessions::ended_at.is_null())
            .filter(live)
            .order(sessions::dialect)
            .select(sessions::dialect)
            .distinct()
            .load(self.connection)
            .map_err(classify)?;
        Ok(labels.iter().map(|label| DialectName::new(label)).collect())
    }

    fn list(
        &mut self,
        filter: &SessionFilter,
        order: SessionOrder,
        after: Option<SessionCursor>,
        limit: u32,
    ) -> StoreResult<Vec<SessionView>> {
        // PostgreSQL cannot store such a text, so no session has this label
        if filter.dialect.as_ref().is_some_and(|label| label.as_str().contains('\0')) {
            return Ok(Vec::new());
        }
        list::list_page(self, filter, order, after, limit)
    }

    fn find_many(&mut self, ids: &BTreeSet<SessionId>) -> StoreResult<Vec<SessionView>> {
        list::find_many(self, ids)
    }

    fn uses_key(&mut self, key: KeyId, now: Instant) -> StoreResult<bool> {
        Ok(!self.ids_by_key(key, now, 1)?.is_empty())
    }

    fn ids_by_key(&mut self, key: KeyId, now: Instant, limit: u32) -> StoreResult<Vec<SessionId>> {
        let binds = [Bind::from(&key.0), now.into(), i64::from(limit).into()];
        let rows: Vec<IdRow> = Statement::new(SELECT_IDS_BY_KEY, binds).load(self.connection).map_err(classify)?;
        rows.iter().map(|row| Ok(SessionId(Column("sessions", "id").parse_uuid(&row.id)?))).collect()
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        let ended =
            self.execute(&Statement::new(SWEEP_ENDED, [before.into(), i64::from(limit).into()])).map(removed_rows)?;
        let rest = i64::from(limit.saturating_sub(ended));
        let expired = Statement::new(SWEEP_EXPIRED, [before.into(), rest.into(), day_number(before).into()]);
        Ok(ended.saturating_add(self.execute(&expired).map(removed_rows)?))
    }
}
