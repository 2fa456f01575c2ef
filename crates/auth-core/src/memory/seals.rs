//! The chain of the audit in memory.

use tillgate_domain::audit::seal::{Line, Seal, SealedLine};
use tillgate_domain::office::ports::{Seals, Unsealed};
use tillgate_domain::{Event, EventId, Stored};

use super::locked;
use super::transaction::{Transaction, broken, most};

/// A seal with the hash of the line before.
#[derive(Clone)]
pub(super) struct Sealed {
    pub(super) seal: Seal,
    pub(super) previous: Vec<u8>,
}

impl Seals for Transaction<'_> {
    fn newest(&mut self) -> Stored<Seal> {
        Ok(self.tables().newest_seal.get(&()).cloned().unwrap_or_default())
    }

    fn claim(&mut self) -> Stored<Seal> {
        self.writing()?;
        self.newest()
    }

    fn waiting(&mut self, at_most: u32) -> Stored<Unsealed> {
        let mut lines = self.waiting_lines();
        lines.truncate(most(at_most));
        let since = lines.iter().map(|line| line.at).min();
        Ok(Unsealed { lines: u32::try_from(lines.len()).unwrap_or(u32::MAX), since })
    }

    fn unsealed(&mut self, limit: u32) -> Stored<Vec<Line>> {
        let mut lines = self.waiting_lines();
        lines.truncate(most(limit));
        Ok(lines)
    }

    fn seal(&mut self, before: &Seal, seals: &[(Vec<u8>, Seal)]) -> Stored<()> {
        let mut previous = before.hash.clone();
        for (id, seal) in seals {
            let tables = self.writing()?;
            let Ok(id) = uuid::Uuid::from_slice(id).map(EventId) else {
                return broken("a line of the audit has an id");
            };
            if !tables.lines.has(&id) || tables.seals.has(&id) || tables.by_sequence.has(&seal.sequence) {
                return Err(tillgate_domain::StoreError::Conflict("a line of the audit has a seal already".to_owned()));
            }
            let sealed = Sealed { seal: seal.clone(), previous: std::mem::replace(&mut previous, seal.hash.clone()) };
            tables.seals.put(id, sealed);
            tables.by_sequence.put(seal.sequence, id);
            tables.newest_seal.put((), seal.clone());
        }
        Ok(())
    }

    fn sealed(&mut self, from: i64, limit: u32) -> Stored<Vec<SealedLine>> {
        let events = self.events();
        let numbers = self.tables().by_sequence.rows().range(from..).take(most(limit));
        let line = |(sequence, id): (&i64, &EventId)| {
            let event = events.iter().find(|event| event.id == *id)?;
            let Sealed { seal, previous } = self.tables().seals.get(id)?.clone();
            Some(SealedLine {
                line: Line::of(event),
                sequence: *sequence,
                previous: Some(previous),
                hash: Some(seal.hash),
            })
        };
        Ok(numbers.filter_map(line).collect())
    }
}

impl Transaction<'_> {
    /// The lines that were told, those of the open unit of work among them.
    fn events(&self) -> Vec<Event> {
        locked(self.audit).iter().chain(&self.rows.told).cloned().collect()
    }

    /// Those of them that have no seal, in the order of their ids.
    fn waiting_lines(&self) -> Vec<Line> {
        let mut events = self.events();
        events.retain(|event| !self.tables().seals.has(&event.id));
        events.sort_by_key(|event| event.id);
        events.iter().map(Line::of).collect()
    }
}
