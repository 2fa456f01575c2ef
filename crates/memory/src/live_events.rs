//! The in-memory port of the live events. Units of work run one after the other, so positions are
//! in the order of commits.

use tillgate_domain::{
    ApiKeyId, DeviceId, Instant, LiveEvent, LiveEventKind, RoleId, SessionId, StoreResult, TenantId, TicketId, UserId,
};

use super::transaction::{Transaction, to_u32, to_usize};
use tillgate_auth_core::ports::{Bookmark, FeedCursor, LiveEventBatch, LiveEventView, LiveEvents};

impl LiveEvents for Transaction<'_> {
    fn poll(&mut self, from: Option<&Bookmark>, tenant: Option<TenantId>, limit: u32) -> StoreResult<LiveEventBatch> {
        let tables = self.tables();
        let next = tables.next_live_event.get(&()).copied().unwrap_or(1);
        let swept = tables.swept_live_event.get(&()).copied().unwrap_or_default();
        let from = from.map(|from| from.cursor.0).filter(|from| *from <= next && *from > swept);
        let found = from.map(|from| tables.live_events.rows().range(from..));
        let found = found.into_iter().flatten().map(|(_, (event, _))| event);
        let found = found.filter(|event| tenant.is_none_or(|tenant| event.tenant == tenant));
        let events: Vec<LiveEventView> = found.map(|event| self.view_live_event(event)).collect();
        let has_gap = from.is_none() || events.len() > to_usize(limit);
        let events = if has_gap { Vec::new() } else { events };
        Ok(LiveEventBatch { events, next: Bookmark::from_cursor(FeedCursor(next)), has_gap })
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        let tables = self.tables_mut()?;
        let old = tables.live_events.rows().iter().filter(|(_, (_, at))| *at < before).take(to_usize(limit));
        let old: Vec<i64> = old.map(|(position, _)| *position).collect();
        for position in &old {
            tables.live_events.remove(position);
        }
        if let Some(newest) = old.iter().copied().max() {
            let swept = tables.swept_live_event.get(&()).copied().unwrap_or_default();
            tables.swept_live_event.put((), newest.max(swept));
        }
        Ok(to_u32(old.len()))
    }
}

impl Transaction<'_> {
    /// Writes live events.
    pub(super) fn insert_live_events(&mut self, events: &[LiveEvent], at: Instant) -> StoreResult<()> {
        let tables = self.tables_mut()?;
        for event in events {
            let position = tables.next_live_event.get(&()).copied().unwrap_or(1);
            tables.live_events.put(position, (*event, at));
            tables.next_live_event.put((), position.saturating_add(1));
        }
        Ok(())
    }

    /// The event with what the tables have of its resource.
    fn view_live_event(&self, event: &LiveEvent) -> LiveEventView {
        let tables = self.tables();
        let of = |id| match event.kind {
            LiveEventKind::User => tables.users.get(&UserId(id)).map(|user| user.version),
            LiveEventKind::Device => tables.devices.get(&DeviceId(id)).map(|device| device.version),
            LiveEventKind::Role => tables.roles.get(&RoleId(id)).map(|role| role.version),
            LiveEventKind::Tenant => tables.tenants.get(&TenantId(id)).map(|tenant| tenant.version),
            LiveEventKind::ApiKey => tables.api_keys.get(&ApiKeyId(id)).map(|key| key.key.version),
            LiveEventKind::Ticket => tables.tickets.get(&(event.tenant, TicketId(id))).map(|ticket| ticket.version),
            // a store has the version of its tenant
            LiveEventKind::Store => tables.tenants.get(&event.tenant).map(|tenant| tenant.version),
            LiveEventKind::AuditEvent | LiveEventKind::Session => None,
        };
        let session = event.subject.filter(|_| event.kind == LiveEventKind::Session);
        let session = session.and_then(|id| tables.sessions.get(&SessionId(id)));
        LiveEventView {
            event: *event,
            version: event.subject.and_then(of),
            principal: session.and_then(tillgate_auth_core::Session::principal),
        }
    }
}
