//! The in-memory port for the seals of audit events.

use tillgate_domain::audit::seal::{Seal, SealedEvent, StoredEvent};
use tillgate_domain::office::ports::{Seals, UnsealedCount};
use tillgate_domain::{Event, EventId, StoreResult};

use super::lock;
use super::rows::SealRow;
use super::transaction::{Transaction, constraint_error, to_usize};

impl Seals for Transaction<'_> {
    fn find_newest(&mut self) -> StoreResult<Seal> {
        Ok(self.tables().newest_seal.get(&()).cloned().unwrap_or_default())
    }

    fn claim(&mut self) -> StoreResult<Seal> {
        self.tables_mut()?;
        self.find_newest()
    }

    fn count_unsealed(&mut self, at_most: u32) -> StoreResult<UnsealedCount> {
        let mut lines = self.unsealed_events();
        lines.truncate(to_usize(at_most));
        let since = lines.iter().map(|line| line.at).min();
        Ok(UnsealedCount { events: u32::try_from(lines.len()).unwrap_or(u32::MAX), since })
    }

    fn list_unsealed(&mut self, limit: u32) -> StoreResult<Vec<StoredEvent>> {
        let mut lines = self.unsealed_events();
        lines.truncate(to_usize(limit));
        Ok(lines)
    }

    fn insert_seals(&mut self, before: &Seal, seals: &[(Vec<u8>, Seal)]) -> StoreResult<()> {
        let mut previous = before.hash.clone();
        for (id, seal) in seals {
            let tables = self.tables_mut()?;
            let Ok(id) = uuid::Uuid::from_slice(id).map(EventId) else {
                return constraint_error("a line of the audit has an id");
            };
            if !tables.event_ids.has(&id) || tables.seals.has(&id) || tables.by_sequence.has(&seal.sequence) {
                return Err(tillgate_domain::StoreError::Conflict("an audit event has a seal already".to_owned()));
            }
            let sealed = SealRow { seal: seal.clone(), previous: std::mem::replace(&mut previous, seal.hash.clone()) };
            tables.seals.put(id, sealed);
            tables.by_sequence.put(seal.sequence, id);
            tables.newest_seal.put((), seal.clone());
        }
        Ok(())
    }

    fn list_sealed(&mut self, from: i64, limit: u32) -> StoreResult<Vec<SealedEvent>> {
        let events = self.all_events();
        let numbers = self.tables().by_sequence.rows().range(from..).take(to_usize(limit));
        let line = |(sequence, id): (&i64, &EventId)| {
            let event = events.iter().find(|event| event.id == *id)?;
            let SealRow { seal, previous } = self.tables().seals.get(id)?.clone();
            Some(SealedEvent {
                event: StoredEvent::of(event),
                sequence: *sequence,
                previous: Some(previous),
                hash: Some(seal.hash),
            })
        };
        Ok(numbers.filter_map(line).collect())
    }
}

impl Transaction<'_> {
    /// All audit events, including those of the open unit of work.
    fn all_events(&self) -> Vec<Event> {
        lock(self.audit).iter().chain(&self.rows.new_events).cloned().collect()
    }

    /// The events without a seal, in the order of their ids.
    fn unsealed_events(&self) -> Vec<StoredEvent> {
        let mut events = self.all_events();
        events.retain(|event| !self.tables().seals.has(&event.id));
        events.sort_by_key(|event| event.id);
        events.iter().map(StoredEvent::of).collect()
    }
}
