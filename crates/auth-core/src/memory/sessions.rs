//! Sessions in memory.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::Bound;
use std::time::Duration;

use tillgate_domain::{Change, EndedWhy, Epoch, Instant, KeyId, SessionId, Stored, Zone};

use super::rows::Tables;
use super::transaction::{Transaction, broken, many, most};
use crate::ports::{FirstUse, Listed, Rotation, ServerTime, SessionFilter, Sessions, Standing, StoreClock, Use};
use crate::{Dialect, Epochs, Session};

impl Sessions for Transaction<'_> {
    fn insert(&mut self, session: &Session) -> Stored<()> {
        let tables = self.writing()?;
        if tables.sessions.has(&session.id) {
            return broken("a session's id is new");
        }
        let known = tables.tenants.has(&session.tenant)
            && session.user.is_none_or(|user| tables.users.has(&user))
            && session.device.is_none_or(|device| tables.devices.has(&device));
        if !known {
            return broken("a session's tenant, user and device are in the store");
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
        if let Some(end) = end_of(session) {
            tables.by_end.put((end, session.id), ());
        }
        tables.sessions.put(session.id, session.clone());
        Ok(())
    }

    fn find(&mut self, id: SessionId) -> Stored<Option<Standing>> {
        let tables = self.tables();
        let Some(session) = tables.sessions.get(&id) else { return Ok(None) };
        let user = session.user.and_then(|user| tables.users.get(&user));
        let device = session.device.and_then(|device| tables.devices.get(&device));
        let tenant = tables.tenants.get(&session.tenant);
        Ok(Some(Standing {
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

    fn rotate(&mut self, id: SessionId, from: i64, to: &Rotation) -> Stored<bool> {
        let now = self.time();
        let tables = self.writing()?;
        let open = tables.sessions.get(&id).is_some_and(|row| row.generation == from && row.ended.is_none());
        if let (true, Some(now)) = (open, now) {
            tables.rotated.put(id, now);
        }
        if open {
            change(tables, id, |session| {
                session.generation = to.generation;
                session.key = to.key;
                session.previous_key = to.previous_key;
                session.rotated_at = Some(to.at);
                session.rotated_from = to.from;
                session.expires_at = to.expires_at;
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
    ) -> Stored<bool> {
        let tables = self.writing()?;
        let open = tables.sessions.get(&id).is_some_and(|row| row.generation == generation && row.ended.is_none());
        if open {
            change(tables, id, |session| (session.expires_at, session.rotated_from) = (expires_at, from));
        }
        Ok(open)
    }

    fn note(&mut self, uses: &[Use]) -> Stored<()> {
        let tables = self.writing()?;
        for each in uses {
            let device = tables.sessions.change(&each.session, |session| {
                session.used = session.used.max(each.generation);
                session.last_used_at = session.last_used_at.max(Some(each.at));
                session.device
            });
            if let Some(Some(device)) = device {
                tables.devices.change(&device, |device| device.last_seen_at = device.last_seen_at.max(Some(each.at)));
            }
        }
        Ok(())
    }

    fn first_uses(&mut self, id: SessionId) -> Stored<Vec<FirstUse>> {
        Ok(first_uses(self.tables(), id))
    }

    fn note_first_use(&mut self, id: SessionId, first: FirstUse, settled: Instant) -> Stored<bool> {
        let tables = self.writing()?;
        if !tables.sessions.has(&id) {
            return broken("a first use is of a session that is in the store");
        }
        let new = !tables.first_uses.has(&(id, first.generation));
        if new {
            tables.first_uses.put((id, first.generation), first.at);
        }
        let uses = first_uses(tables, id);
        let newest = uses.iter().filter(|each| each.at <= settled).map(|each| each.generation).max();
        for each in uses.iter().filter(|each| newest.is_some_and(|newest| each.generation < newest)) {
            tables.first_uses.remove(&(id, each.generation));
        }
        Ok(new)
    }

    fn dialects(&mut self, now: Instant) -> Stored<Vec<Dialect>> {
        let sessions = self.tables().sessions.rows().values().filter(|session| live(session, now));
        let dialects: BTreeSet<Dialect> = sessions.map(|session| session.dialect.clone()).collect();
        Ok(dialects.into_iter().collect())
    }

    fn list(&mut self, filter: &SessionFilter, after: Option<SessionId>, limit: u32) -> Stored<Vec<Listed>> {
        let tables = self.tables();
        let end = after.map_or(Bound::Unbounded, Bound::Excluded);
        let sessions = tables.sessions.rows().range((Bound::Unbounded, end)).rev().map(|(_, session)| session);
        Ok(sessions
            .filter(|session| shown(filter, session))
            .take(most(limit))
            .map(|each| listed(tables, each))
            .collect())
    }

    fn names(&mut self, key: KeyId, now: Instant) -> Stored<bool> {
        Ok(!self.under(key, now, 1)?.is_empty())
    }

    fn under(&mut self, key: KeyId, now: Instant, limit: u32) -> Stored<Vec<SessionId>> {
        let names = |session: &&Session| (session.key == key || session.previous_key == key) && live(session, now);
        let sessions = self.tables().sessions.rows().values().filter(names);
        Ok(sessions.take(most(limit)).map(|session| session.id).collect())
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32> {
        let tables = self.writing()?;
        let over = tables.by_end.rows().keys().take_while(|(end, _)| *end < before).take(most(limit));
        let over: Vec<_> = over.map(|(_, id)| *id).collect();
        for id in &over {
            remove(tables, *id);
        }
        Ok(many(over.len()))
    }
}

fn first_uses(tables: &Tables, id: SessionId) -> Vec<FirstUse> {
    let of = tables.first_uses.rows().range((id, i64::MIN)..=(id, i64::MAX));
    of.map(|((_, generation), at)| FirstUse { generation: *generation, at: *at }).collect()
}

/// When the session was ended, or else is over if nothing happens.
fn end_of(session: &Session) -> Option<Instant> {
    let ended = session.ended.map(|(at, _)| at);
    match (ended, session.expires_at) {
        (Some(ended), Some(expires)) => Some(ended.min(expires)),
        (ended, expires) => ended.or(expires),
    }
}

fn live(session: &Session, now: Instant) -> bool {
    session.ended.is_none() && session.expires_at.is_none_or(|expires| expires > now)
}

fn shown(filter: &SessionFilter, session: &Session) -> bool {
    filter.tenant.is_none_or(|tenant| session.tenant == tenant)
        && filter.user.is_none_or(|user| session.user == Some(user))
        && filter.device.is_none_or(|device| session.device == Some(device))
        && filter.session.is_none_or(|id| session.id == id)
        && filter.live.is_none_or(|(wanted, at)| live(session, at) == wanted)
}

fn listed(tables: &Tables, session: &Session) -> Listed {
    let user = session.user.and_then(|user| tables.users.get(&user));
    let device = session.device.and_then(|device| tables.devices.get(&device));
    Listed {
        user_name: user.map(|user| user.name.clone()),
        display_name: user.map(|user| user.display_name.clone()),
        device_name: device.map(|device| device.name.clone()),
        environment: device.map(|device| device.environment),
        session: session.clone(),
    }
}

/// Changes a session and its place among the ends.
fn change(tables: &mut Tables, id: SessionId, change: impl FnOnce(&mut Session)) {
    let Some((before, after)) = tables.sessions.change(&id, |session| {
        let before = end_of(session);
        change(session);
        (before, end_of(session))
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

fn remove(tables: &mut Tables, id: SessionId) {
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
    if let Some(end) = end_of(&session) {
        tables.by_end.remove(&(end, id));
    }
    for each in first_uses(tables, id) {
        tables.first_uses.remove(&(id, each.generation));
    }
    tables.rotated.remove(&id);
    tables.sessions.remove(&id);
}

impl Transaction<'_> {
    /// What time it is by the store's own clock, since the Unix epoch, and which server says so.
    fn time(&self) -> Option<(Duration, i64)> {
        let (clock, server) = self.rows.clock.as_ref()?;
        Some((Duration::from_millis(u64::try_from(clock.now().millis()).unwrap_or_default()), *server))
    }

    /// What the store's own clock says of a session.
    fn store_clock(&self, id: SessionId) -> Option<StoreClock> {
        let (now, server) = self.time()?;
        let dated = self.tables().rotated.get(&id).filter(|(_, by)| *by == server);
        let rotated = dated.map(|(at, _)| now.saturating_sub(*at));
        Some(StoreClock { rotated, server, now: self.server_time()?.now })
    }

    /// A reading of the store's own clock.
    pub(super) fn server_time(&self) -> Option<ServerTime> {
        let (clock, server) = self.rows.clock.as_ref()?;
        Some(ServerTime { server: *server, now: clock.now() })
    }

    /// Marks a session as ended. False where it was over already or never was.
    pub(super) fn close(&mut self, id: SessionId, why: EndedWhy, at: Instant) -> Stored<bool> {
        let tables = self.writing()?;
        let open = tables.sessions.get(&id).is_some_and(|session| session.ended.is_none());
        if open {
            change(tables, id, |session| session.ended = Some((at, why)));
        }
        Ok(open)
    }

    /// Ends every session that stands on this one, each with a change of its own.
    pub(super) fn close_on(&mut self, parent: SessionId, why: EndedWhy, at: Instant) -> Stored<()> {
        let mut parents = vec![parent];
        while let Some(parent) = parents.pop() {
            let first = SessionId(uuid::Uuid::nil());
            let children = self.tables().by_parent.rows().range((parent, first)..);
            let children: Vec<_> = children.map(|(key, ())| *key).take_while(|key| key.0 == parent).collect();
            for (_, child) in children {
                if self.close(child, why, at)? {
                    self.tell_of(Change::Ended(child), at)?;
                }
                parents.push(child);
            }
        }
        Ok(())
    }
}
