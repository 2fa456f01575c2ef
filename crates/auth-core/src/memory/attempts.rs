//! Failed logins and places in memory.

use tillgate_domain::{Instant, Stored};
use uuid::Uuid;

use super::rows::Counted;
use super::transaction::{Transaction, many, most};
use crate::ports::{Attempts, Count, CountKey, Places, Settled};

impl Attempts for Transaction<'_> {
    fn counts(&mut self, keys: &[CountKey]) -> Stored<Vec<Count>> {
        let counts = &self.tables().counts;
        Ok(keys.iter().map(|key| counts.get(key).map_or_else(Count::default, |row| row.count)).collect())
    }

    fn charge(&mut self, key: CountKey, principal: Option<Uuid>, from: &Count, at: Instant) -> Stored<bool> {
        let tables = self.writing()?;
        let old = tables.counts.get(&key).cloned();
        let count = old.as_ref().map_or_else(Count::default, |row| row.count);
        if (count.failures, count.open) != (from.failures, from.open) {
            return Ok(false);
        }
        let principal = old.and_then(|row| row.principal).or(principal);
        if let Some(principal) = principal {
            tables.counts_of.put((principal, key), ());
        }
        let count = Count { open: count.open.saturating_add(1), opened_at: Some(at), ..count };
        tables.counts.put(key, Counted { count, principal, touched_at: at });
        Ok(true)
    }

    fn settle(&mut self, key: CountKey, how: Settled, at: Instant) -> Stored<()> {
        let counts = &mut self.writing()?.counts;
        let mut row =
            counts.get(&key).cloned().unwrap_or(Counted { count: Count::default(), principal: None, touched_at: at });
        row.count.open = row.count.open.saturating_sub(1).max(0);
        match how {
            Settled::Failed => {
                row.count.failures = row.count.failures.saturating_add(1);
                row.count.failed_at = Some(at);
            }
            Settled::Succeeded => {
                row.count.failures = 0;
                row.count.failed_at = None;
            }
            Settled::Returned => {}
        }
        row.touched_at = at;
        counts.put(key, row);
        Ok(())
    }

    fn forgive(&mut self, principal: Uuid) -> Stored<u32> {
        let tables = self.writing()?;
        let keys = tables.counts_of.rows().range((principal, CountKey([0; 32]))..);
        let keys: Vec<_> = keys.map(|(key, ())| *key).take_while(|key| key.0 == principal).map(|key| key.1).collect();
        for key in &keys {
            tables.counts.remove(key);
            tables.counts_of.remove(&(principal, *key));
        }
        Ok(many(keys.len()))
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32> {
        let tables = self.writing()?;
        let old = tables.counts.rows().iter().filter(|(_, row)| row.touched_at < before).take(most(limit));
        let old: Vec<_> = old.map(|(key, row)| (*key, row.principal)).collect();
        for (key, principal) in &old {
            tables.counts.remove(key);
            if let Some(principal) = principal {
                tables.counts_of.remove(&(*principal, *key));
            }
        }
        Ok(many(old.len()))
    }
}

impl Places for Transaction<'_> {
    fn find(&mut self, principal: Uuid, place: &CountKey) -> Stored<Option<Instant>> {
        Ok(self.tables().places.get(&(principal, *place)).copied())
    }

    fn note(&mut self, principal: Uuid, place: &CountKey, at: Instant) -> Stored<()> {
        let places = &mut self.writing()?.places;
        let key = (principal, *place);
        let last = places.get(&key).copied().max(Some(at)).unwrap_or(at);
        places.put(key, last);
        Ok(())
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32> {
        let places = &mut self.writing()?.places;
        let old = places.rows().iter().filter(|(_, last)| **last < before).take(most(limit));
        let old: Vec<_> = old.map(|(key, _)| *key).collect();
        for key in &old {
            places.remove(key);
        }
        Ok(many(old.len()))
    }
}
