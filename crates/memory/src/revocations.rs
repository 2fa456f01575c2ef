//! The in-memory ports for revocations and audit events.

use tillgate_domain::{
    Audit, Change, EndReason, Epoch, Event, Instant, LiveEvent, Revocations, Scope, SessionId, StoreResult,
};
use uuid::Uuid;

use super::transaction::{Transaction, constraint_error};
use tillgate_auth_core::SessionKind;

impl Revocations for Transaction<'_> {
    fn end_session(&mut self, session: SessionId, why: EndReason, at: Instant) -> StoreResult<bool> {
        let ended = self.mark_ended(session, why, at)?;
        if ended {
            self.record_change(Change::SessionEnded(session), at)?;
            self.end_children(session, why, at)?;
        }
        Ok(ended)
    }

    fn bump_epoch(&mut self, scope: Scope, why: EndReason, at: Instant) -> StoreResult<Option<Epoch>> {
        let Some(epoch) = self.bump_epoch_of(scope)? else { return Ok(None) };
        self.record_change(Change::EpochBumped { scope, epoch }, at)?;
        let mut over = Vec::new();
        for id in self.sessions_of(scope) {
            let permanent = self.tables().sessions.get(&id).is_none_or(|row| row.kind == SessionKind::Permanent);
            if !permanent && self.mark_ended(id, why, at)? {
                over.push(id);
            }
        }
        // Dependent sessions are not below the epoch; each is reported by a change of its own.
        for id in over {
            self.end_children(id, why, at)?;
        }
        Ok(Some(epoch))
    }

    fn end_permanent(&mut self, scope: Scope, why: EndReason, at: Instant) -> StoreResult<()> {
        for id in self.sessions_of(scope) {
            if self.tables().sessions.get(&id).is_some_and(|row| row.kind == SessionKind::Permanent) {
                Revocations::end_session(self, id, why, at)?;
            }
        }
        Ok(())
    }

    fn invalidate(&mut self, scope: Scope, at: Instant) -> StoreResult<()> {
        self.record_change(Change::Invalidated(scope), at)
    }
}

impl Transaction<'_> {
    /// Raises the epoch only.
    fn bump_epoch_of(&mut self, scope: Scope) -> StoreResult<Option<Epoch>> {
        let tables = self.tables_mut()?;
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
    fn sessions_of(&self, scope: Scope) -> Vec<SessionId> {
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
    fn record(&mut self, event: &Event) -> StoreResult<()> {
        let lines = &mut self.tables_mut()?.event_ids;
        if lines.has(&event.id) {
            return constraint_error("the id of an audit line is new");
        }
        lines.put(event.id, ());
        self.rows.new_events.push(event.clone());
        self.insert_live_events(&LiveEvent::list_for(event), event.at)
    }
}
