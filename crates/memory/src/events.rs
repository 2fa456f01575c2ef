//! The in-memory port that reads audit events.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use tillgate_domain::office::ports::{
    ChangeMark, EventFilter, EventView, Events, MAX_CHANGES_SINCE_MARK, OffsetPageRequest,
};
use tillgate_domain::{
    BranchId, Event, EventId, EventOutcome, Instant, LiveEvent, LiveEventKind, StoreResult, TenantId,
};
use uuid::Uuid;

use super::lock;
use super::transaction::{Transaction, to_usize};

impl Events for Transaction<'_> {
    fn list(&mut self, filter: &EventFilter, part: &OffsetPageRequest<EventId>) -> StoreResult<Vec<EventView>> {
        let mut fitting = self.matching_events(filter);
        fitting.sort_by_key(|view| Reverse(view.event.id));
        let after = fitting.into_iter().filter(|view| part.after.is_none_or(|after| view.event.id < after));
        let skip = usize::try_from(part.skip).unwrap_or(usize::MAX);
        Ok(after.skip(skip).take(to_usize(part.limit)).collect())
    }

    fn count_refused(
        &mut self,
        tenant: TenantId,
        branch: Option<BranchId>,
        since: Instant,
        most: u32,
    ) -> StoreResult<u64> {
        let from = EventId::new(since, [0; 10]);
        let committed = lock(self.audit);
        let refused = committed
            .iter()
            .chain(&self.rows.new_events)
            .filter(|event| event.tenant == Some(tenant) && event.outcome == EventOutcome::Refused && event.id >= from);
        let in_store = refused.filter(|event| self.tables().is_in_branch(event.actor.device, branch));
        Ok(u64::try_from(in_store.take(to_usize(most)).count()).unwrap_or(u64::MAX))
    }

    fn count(&mut self, filter: &EventFilter) -> StoreResult<u64> {
        Ok(u64::try_from(self.matching_events(filter).len()).unwrap_or(u64::MAX))
    }

    fn find_change_mark(&mut self) -> StoreResult<ChangeMark> {
        Ok(ChangeMark(self.tables().next_live_event.get(&()).copied().unwrap_or(1)))
    }

    fn knows_changes(&mut self, tenant: TenantId, kind: LiveEventKind, since: ChangeMark) -> StoreResult<bool> {
        let tables = self.tables();
        let next = tables.next_live_event.get(&()).copied().unwrap_or(1);
        let swept = tables.swept_live_event.get(&()).copied().unwrap_or_default();
        let most = to_usize(MAX_CHANGES_SINCE_MARK);
        Ok(since.0 <= next && since.0 > swept && self.live_events_since(tenant, kind, since).nth(most).is_none())
    }
}

impl Transaction<'_> {
    /// The live events of this kind after the mark.
    fn live_events_since(
        &self,
        tenant: TenantId,
        kind: LiveEventKind,
        since: ChangeMark,
    ) -> impl Iterator<Item = &LiveEvent> {
        let events = self.tables().live_events.rows().range(since.0..).map(|(_, (event, _))| event);
        events.filter(move |event| event.tenant == tenant && event.kind == kind)
    }

    /// The resources of this kind that have changed since the mark; `None` without one.
    pub(crate) fn find_changed(
        &self,
        tenant: TenantId,
        kind: LiveEventKind,
        since: Option<ChangeMark>,
    ) -> Option<BTreeSet<Uuid>> {
        since.map(|since| self.live_events_since(tenant, kind, since).filter_map(|event| event.subject).collect())
    }

    /// The events that the filter matches, including those of the open unit of work.
    fn matching_events(&self, filter: &EventFilter) -> Vec<EventView> {
        let committed = lock(self.audit);
        let all = committed.iter().chain(&self.rows.new_events);
        let in_store = all.filter(|event| self.tables().is_in_branch(event.actor.device, filter.branch));
        in_store.map(|event| self.event_view(event)).filter(|view| filter.matches(view)).collect()
    }

    fn event_view(&self, event: &Event) -> EventView {
        let tables = self.tables();
        let user = event.actor.user.and_then(|id| tables.users.get(&id));
        let device = event.actor.device.and_then(|id| tables.devices.get(&id));
        EventView {
            event: event.clone(),
            user_name: user.map(|user| user.name.clone()),
            device_name: device.map(|device| device.name.clone()),
        }
    }
}
