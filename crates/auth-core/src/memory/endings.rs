//! Endings and the audit in memory.

use tillgate_domain::{Audit, Change, EndedWhy, Endings, Epoch, Event, Instant, Scope, SessionId, Stored};
use uuid::Uuid;

use super::transaction::{Transaction, broken};
use crate::SessionKind;

impl Endings for Transaction<'_> {
    fn end(&mut self, session: SessionId, why: EndedWhy, at: Instant) -> Stored<bool> {
        let ended = self.close(session, why, at)?;
        if ended {
            self.tell_of(Change::Ended(session), at)?;
            self.close_on(session, why, at)?;
        }
        Ok(ended)
    }

    fn raise(&mut self, scope: Scope, why: EndedWhy, at: Instant) -> Stored<Option<Epoch>> {
        let Some(epoch) = self.lift(scope)? else { return Ok(None) };
        self.tell_of(Change::Raised { scope, epoch }, at)?;
        let mut over = Vec::new();
        for id in self.of(scope) {
            let permanent = self.tables().sessions.get(&id).is_none_or(|row| row.kind == SessionKind::Permanent);
            if !permanent && self.close(id, why, at)? {
                over.push(id);
            }
        }
        // what is still open and stands on one of them is not below the epoch: it is told by itself
        for id in over {
            self.close_on(id, why, at)?;
        }
        Ok(Some(epoch))
    }

    fn sever(&mut self, scope: Scope, why: EndedWhy, at: Instant) -> Stored<()> {
        for id in self.of(scope) {
            if self.tables().sessions.get(&id).is_some_and(|row| row.kind == SessionKind::Permanent) {
                Endings::end(self, id, why, at)?;
            }
        }
        Ok(())
    }

    fn touch(&mut self, scope: Scope, at: Instant) -> Stored<()> {
        self.tell_of(Change::Touched(scope), at)
    }
}

impl Transaction<'_> {
    /// Raises the epoch alone.
    fn lift(&mut self, scope: Scope) -> Stored<Option<Epoch>> {
        let tables = self.writing()?;
        let next = |epoch: &mut Epoch| {
            *epoch = epoch.next();
            *epoch
        };
        Ok(match scope {
            Scope::User(id) => tables.users.change(&id, |user| next(&mut user.epoch)),
            Scope::Device(id) => tables.devices.change(&id, |device| next(&mut device.epoch)),
            Scope::Tenant(id) => tables.tenants.change(&id, |tenant| next(&mut tenant.epoch)),
            Scope::Keys | Scope::Clock => None,
        })
    }

    /// The sessions of a scope.
    fn of(&self, scope: Scope) -> Vec<SessionId> {
        let tables = self.tables();
        let first = SessionId(Uuid::nil());
        match scope {
            Scope::User(user) => {
                let rows = tables.by_user.rows().range((user, first)..);
                rows.map(|(key, ())| *key).take_while(|key| key.0 == user).map(|key| key.1).collect()
            }
            Scope::Device(device) => {
                let rows = tables.by_device.rows().range((device, first)..);
                rows.map(|(key, ())| *key).take_while(|key| key.0 == device).map(|key| key.1).collect()
            }
            Scope::Tenant(tenant) => {
                tables.sessions.rows().values().filter(|row| row.tenant == tenant).map(|row| row.id).collect()
            }
            Scope::Keys | Scope::Clock => Vec::new(),
        }
    }
}

impl Audit for Transaction<'_> {
    fn tell(&mut self, event: &Event) -> Stored<()> {
        let lines = &mut self.writing()?.lines;
        if lines.has(&event.id) {
            return broken("the id of an audit line is new");
        }
        lines.put(event.id, ());
        self.rows.told.push(event.clone());
        Ok(())
    }
}
