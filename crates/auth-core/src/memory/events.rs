//! The audit in memory, as those see it who read it.

use std::cmp::Reverse;

use tillgate_domain::office::ports::{EventFilter, Events, Part, Told};
use tillgate_domain::{Event, EventId, Stored};

use super::locked;
use super::transaction::{Transaction, most};

impl Events for Transaction<'_> {
    fn list(&mut self, filter: &EventFilter, part: &Part<EventId>) -> Stored<Vec<Told>> {
        let mut fitting = self.lines(filter);
        fitting.sort_by_key(|told| Reverse(told.event.id));
        let after = fitting.into_iter().filter(|told| part.after.is_none_or(|after| told.event.id < after));
        let skip = usize::try_from(part.skip).unwrap_or(usize::MAX);
        Ok(after.skip(skip).take(most(part.limit)).collect())
    }

    fn count(&mut self, filter: &EventFilter) -> Stored<u64> {
        Ok(u64::try_from(self.lines(filter).len()).unwrap_or(u64::MAX))
    }
}

impl Transaction<'_> {
    /// The lines that the filter fits, those of the open unit of work among them.
    fn lines(&self, filter: &EventFilter) -> Vec<Told> {
        let committed = locked(self.audit);
        let all = committed.iter().chain(&self.rows.told);
        all.map(|event| self.told(event)).filter(|told| filter.fits(told)).collect()
    }

    fn told(&self, event: &Event) -> Told {
        let tables = self.tables();
        let user = event.actor.user.and_then(|id| tables.users.get(&id));
        let device = event.actor.device.and_then(|id| tables.devices.get(&id));
        Told {
            event: event.clone(),
            user_name: user.map(|user| user.name.clone()),
            device_name: device.map(|device| device.name.clone()),
        }
    }
}
