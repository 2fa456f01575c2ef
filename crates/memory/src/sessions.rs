//! The in-memory port for sessions.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::Bound;
use std::time::Duration;

use tillgate_domain::{Change, EndReason, Epoch, Instant, KeyId, SessionId, StoreResult, Zone};

use super::rows::Tables;
use super::transaction::{Transaction, constraint_error, to_u32, to_usize};
use tillgate_auth_core::ports::{
    FirstUse, Rotation, ServerTime, SessionCursor, SessionFilter, SessionOrder, SessionRecord, SessionUse, SessionView,
    Sessions, StoreClock,
};
use tillgate_auth_core::{DialectName, Epochs, Session};

impl Sessions for Transaction<'_> {
    fn insert(&mut self, session: &Session) -> StoreResult<()> {
        let tables = self.tables_mut()?;
        if tables.sessions.has(&session.id) {
            return constraint_error("a session's id is new");
        }
        let known = tables.tenants.has(&session.tenant)
            && session.user.is_none_or(|user| tables.users.has(&user))
            && session.device.is_none_or(|device| tables.devices.has(&device));
        if !known {
            return constraint_error("a session's tenant, user and device are in the store");
        }
        if let Some(user) = session.user {
            tables.by_user.put((user, session.id), ());
        }
        if let Some(device) = session.device {
            tables.by_device.put((device, session.id), ());
        }
        if let Some(parent) = session.parent {
            tables.by_parent.put((parent, session.id), ());
        }
        if let Some(end) = end_instant(session) {
            tables.by_end.put((end, session.id), ());
        }
        tables.sessions.put(session.id, session.clone());
        Ok(())
    }

    fn find(&mut self, id: SessionId) -> StoreResult<Option<SessionRecord>> {
        let tables = self.tables();
        let Some(session) = tables.sessions.get(&id) else { return Ok(None) };
        let user = session.user.and_then(|user| tables.users.get(&user));
        let device = session.device.and_then(|device| tables.devices.get(&device));
        let tenant = tables.tenants.get(&session.tenant);
        Ok(Some(SessionRecord {
            epochs: Epochs {
                user: user.map_or(Epoch(0), |user| user.epoch),
                device: device.map_or(Epoch(0), |device| device.epoch),
                tenant: tenant.map_or(Epoch(0), |tenant| tenant.epoch),
            },
            user: user.map(|user| user.status),
            device: device.map(|device| device.status),
            zone: tenant.map_or(Zone::UTC, |tenant| tenant.zone.clone()),
            clock: self.store_clock(id),
            session: session.clone(),
        }))
    }

    fn rotate(&mut self, id: SessionId, from: i64, to: &Rotation) -> StoreResult<bool> {
        let now = self.store_time();
        let tables = self.tables_mut()?;
        let open = tables.sessions.get(&id).is_some_and(|row| row.generation == from && row.ended.is_none());
        if let (true, Some(now)) = (open, now) {
            tables.rotations.put(id, now);
        }
        if open {
            update_session(tables, id, |session| {
                session.generation = to.generation;
                session.key = to.key;
                session.previous_key = to.previous_key;
                session.rotated_at = Some(to.at);
                session.rotated_from = to.from;
                session.expires_at = to.expires_at;
                session.authentication.at = to.proved_at.unwrap_or(session.authentication.at);
            });
        }
        Ok(open)
    }

    fn extend(
        &mut self,
        id: SessionId,
        generation: i64,
        expires_at: Option<Instant>,
        from: Option<IpAddr>,
    ) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        let open = tables.sessions.get(&id).is_some_and(|row| row.generation == generation && row.ended.is_none());
        if open {
            update_session(tables, id, |session| (session.expires_at, session.rotated_from) = (expires_at, from));
        }
        Ok(open)
    }

    fn record_uses(&mut self, uses: &[SessionUse]) -> StoreResult<()> {
        let tables = self.tables_mut()?;
        for each in uses {
            let device = tables.sessions.change(&each.session, |session| {
                session.used_generation = session.used_generation.max(each.generation);
                session.last_used_at = session.last_used_at.max(Some(each.at));
                session.device
            });
            if let Some(Some(device)) = device {
                tables.devices.change(&device, |device| device.last_seen_at = device.last_seen_at.max(Some(each.at)));
            }
        }
        Ok(())
    }

    fn list_first_uses(&mut self, id: SessionId) -> StoreResult<Vec<FirstUse>> {
        Ok(read_first_uses(self.tables(), id))
    }

    fn record_first_use(&mut self, id: SessionId, first: FirstUse) -> StoreResult<()> {
        let tables = self.tables_mut()?;
        if tables.sessions.has(&id) && !tables.first_uses.has(&(id, first.generation)) {
            tables.first_uses.put((id, first.generation), first.at);
        }
        Ok(())
    }

    fn remove_first_uses(&mut self, id: SessionId, before: i64) -> StoreResult<()> {
        let tables = self.tables_mut()?;
        for each in read_first_uses(tables, id).iter().filter(|each| each.generation < before) {
            tables.first_uses.remove(&(id, each.generation));
        }
        Ok(())
    }

    fn list_live_dialects(&mut self, now: Instant) -> StoreResult<Vec<DialectName>> {
        let sessions = self.tables().sessions.rows().values().filter(|session| is_live(session, now));
        let dialects: BTreeSet<DialectName> = sessions.map(|session| session.dialect.clone()).collect();
        Ok(dialects.into_iter().collect())
    }

    fn list(
        &mut self,
        filter: &SessionFilter,
        order: SessionOrder,
        after: Option<SessionCursor>,
        limit: u32,
    ) -> StoreResult<Vec<SessionView>> {
        let tables = self.tables();
        let rows = tables.sessions.rows();
        let bound = after.map_or(Bound::Unbounded, |after| Bound::Excluded(after.id));
        let sessions: Box<dyn Iterator<Item = &Session>> = match order {
            SessionOrder::Newest => Box::new(rows.range((Bound::Unbounded, bound)).rev().map(|(_, session)| session)),
            SessionOrder::Oldest => Box::new(rows.range((bound, Bound::Unbounded)).map(|(_, session)| session)),
            SessionOrder::LastUsed => {
                let behind = |session: &&Session| after.is_none_or(|after| order.cursor(session) < after);
                let mut sessions: Vec<&Session> = rows.values().filter(behind).collect();
                sessions.sort_by_key(|session| Reverse(order.cursor(session)));
                Box::new(sessions.into_iter())
            }
        };
        Ok(sessions
            .filter(|session| matches_filter(tables, filter, session))
            .take(to_usize(limit))
            .map(|each| session_view(tables, each))
            .collect())
    }

    fn find_many(&mut self, ids: &BTreeSet<SessionId>) -> StoreResult<Vec<SessionView>> {
        let tables = self.tables();
        let sessions = ids.iter().filter_map(|id| tables.sessions.get(id));
        Ok(sessions.map(|session| session_view(tables, session)).collect())
    }

    fn uses_key(&mut self, key: KeyId, now: Instant) -> StoreResult<bool> {
        Ok(!self.ids_by_key(key, now, 1)?.is_empty())
    }

    fn ids_by_key(&mut self, key: KeyId, now: Instant, limit: u32) -> StoreResult<Vec<SessionId>> {
        let names = |session: &&Session| (session.key == key || session.previous_key == key) && is_live(session, now);
        let sessions = self.tables().sessions.rows().values().filter(names);
        Ok(sessions.take(to_usize(limit)).map(|session| session.id).collect())
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        let tables = self.tables_mut()?;
        let over = tables.by_end.rows().keys().take_while(|(end, _)| *end < before).take(to_usize(limit));
        let over: Vec<_> = over.map(|(_, id)| *id).collect();
        for id in &over {
            remove_session(tables, *id);
        }
        Ok(to_u32(over.len()))
    }
}

fn read_first_uses(tables: &Tables, id: SessionId) -> Vec<FirstUse> {
    let of = tables.first_uses.rows().range((id, i64::MIN)..=(id, i64::MAX));
    of.map(|((_, generation), at)| FirstUse { generation: *generation, at: *at }).collect()
}

/// The instant at which the session was ended, or expires.
fn end_instant(session: &Session) -> Option<Instant> {
    let ended = session.ended.map(|(at, _)| at);
    match (ended, session.expires_at) {
        (Some(ended), Some(expires)) => Some(ended.min(expires)),
        (ended, expires) => ended.or(expires),
    }
}

fn is_live(session: &Session, now: Instant) -> bool {
    session.ended.is_none() && session.expires_at.is_none_or(|expires| expires > now)
}

fn matches_filter(tables: &Tables, filter: &SessionFilter, session: &Session) -> bool {
    let user = session.user.and_then(|user| tables.users.get(&user));
    let device = session.device.and_then(|device| tables.devices.get(&device));
    filter.matches(session, user, device)
}

fn session_view(tables: &Tables, session: &Session) -> SessionView {
    let user = session.user.and_then(|user| tables.users.get(&user));
    let device = session.device.and_then(|device| tables.devices.get(&device));
    SessionView {
        user_name: user.map(|user| user.name.clone()),
        display_name: user.map(|user| user.display_name.clone()),
        device_name: device.map(|device| device.name.clone()),
        environment: device.map(|device| device.environment),
        session: session.clone(),
    }
}

/// Changes a session and its entry in the index of ends.
fn update_session(tables: &mut Tables, id: SessionId, change: impl FnOnce(&mut Session)) {
    let Some((before, after)) = tables.sessions.change(&id, |session| {
        let before = end_instant(session);
        change(session);
        (before, end_instant(session))
    }) else {
        return;
    };
    if before != after {
        if let Some(before) = before {
            tables.by_end.remove(&(before, id));
        }
        if let Some(after) = after {
            tables.by_end.put((after, id), ());
        }
    }
}

fn remove_session(tables: &mut Tables, id: SessionId) {
    let Some(session) = tables.sessions.get(&id).cloned() else { return };
    if let Some(user) = session.user {
        tables.by_user.remove(&(user, id));
    }
    if let Some(device) = session.device {
        tables.by_device.remove(&(device, id));
    }
    if let Some(parent) = session.parent {
        tables.by_parent.remove(&(parent, id));
    }
    if let Some(end) = end_instant(&session) {
        tables.by_end.remove(&(end, id));
    }
    for each in read_first_uses(tables, id) {
        tables.first_uses.remove(&(id, each.generation));
    }
    tables.rotations.remove(&id);
    tables.sessions.remove(&id);
}

impl Transaction<'_> {
    /// The time of the store's own clock since the Unix epoch, and its server.
    fn store_time(&self) -> Option<(Duration, i64)> {
        let (clock, server) = self.rows.clock.as_ref()?;
        Some((Duration::from_millis(u64::try_from(clock.now().millis()).unwrap_or_default()), *server))
    }

    /// The reading of the store's own clock for a session.
    fn store_clock(&self, id: SessionId) -> Option<StoreClock> {
        let (now, server) = self.store_time()?;
        let dated = self.tables().rotations.get(&id).filter(|(_, by)| *by == server);
        let rotated = dated.map(|(at, _)| now.saturating_sub(*at));
        Some(StoreClock { since_rotation: rotated, server, now: self.server_time()?.now })
    }

    /// A reading of the store's own clock.
    pub(super) fn server_time(&self) -> Option<ServerTime> {
        let (clock, server) = self.rows.clock.as_ref()?;
        Some(ServerTime { server: *server, now: clock.now() })
    }

    /// Marks a session as ended. Returns false if it has ended already or does not exist.
    pub(super) fn mark_ended(&mut self, id: SessionId, why: EndReason, at: Instant) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        let open = tables.sessions.get(&id).is_some_and(|session| session.ended.is_none());
        if open {
            update_session(tables, id, |session| session.ended = Some((at, why)));
        }
        Ok(open)
    }

    /// Ends all sessions that depend on this one, each with a change of its own.
    pub(super) fn end_children(&mut self, parent: SessionId, why: EndReason, at: Instant) -> StoreResult<()> {
        let mut parents = vec![parent];
        while let Some(parent) = parents.pop() {
            let first = SessionId(uuid::Uuid::nil());
            let children = self.tables().by_parent.rows().range((parent, first)..);
            let children: Vec<_> = children.map(|(key, ())| *key).take_while(|key| key.0 == parent).collect();
            for (_, child) in children {
                if self.mark_ended(child, why, at)? {
                    self.record_change(Change::SessionEnded(child), at)?;
                }
                parents.push(child);
            }
        }
        Ok(())
    }
}
