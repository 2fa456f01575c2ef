//! Wrong passwords and places in memory.

use tillgate_domain::{Instant, Stored};
use uuid::Uuid;

use super::rows::Counted;
use super::transaction::{Transaction, many, most};
use crate::ports::{Attempts, Bucket, CountKey, Places, Settled};

/// What is less than every other key.
const LEAST: CountKey = CountKey([0; 32]);

impl Attempts for Transaction<'_> {
    fn buckets(&mut self, keys: &[CountKey]) -> Stored<Vec<Bucket>> {
        let buckets = &self.tables().buckets;
        Ok(keys.iter().map(|key| buckets.get(key).map_or_else(Bucket::default, |row| row.bucket)).collect())
    }

    fn charge(
        &mut self,
        key: CountKey,
        principal: Option<Uuid>,
        from: &Bucket,
        to: &Bucket,
        at: Instant,
    ) -> Stored<bool> {
        let tables = self.writing()?;
        let old = tables.buckets.get(&key).cloned();
        let bucket = old.as_ref().map_or_else(Bucket::default, |row| row.bucket);
        if (bucket.full_at, bucket.open) != (from.full_at, from.open) {
            return Ok(false);
        }
        let principal = old.and_then(|row| row.principal).or(principal);
        if let Some(principal) = principal {
            tables.buckets_of.put((principal, key), ());
        }
        let bucket = Bucket { barred_until: bucket.barred_until, ..*to };
        tables.buckets.put(key, Counted { bucket, principal, touched_at: at });
        Ok(true)
    }

    fn settle(&mut self, key: CountKey, how: Settled, at: Instant) -> Stored<()> {
        self.writing()?.buckets.change(&key, |row| {
            row.bucket.open = row.bucket.open.saturating_sub(1).max(0);
            if let Settled::Returned(span) = how {
                row.bucket.full_at = row.bucket.full_at.before(span);
            }
            row.touched_at = at;
        });
        Ok(())
    }

    fn bar(&mut self, key: CountKey, until: Instant) -> Stored<()> {
        self.writing()?.buckets.change(&key, |row| row.bucket.barred_until = Some(until));
        Ok(())
    }

    fn remember(&mut self, key: CountKey, guess: &CountKey, since: Instant, at: Instant) -> Stored<bool> {
        let guesses = &mut self.writing()?.guesses;
        let new = guesses.get(&(key, *guess)).is_none_or(|guessed_at| *guessed_at <= since);
        if new {
            guesses.put((key, *guess), at);
        }
        Ok(new)
    }

    fn remembered(&mut self, key: CountKey, since: Instant) -> Stored<u32> {
        let guesses = self.tables().guesses.rows().range((key, LEAST)..).take_while(|((of, _), _)| *of == key);
        Ok(many(guesses.filter(|(_, guessed_at)| **guessed_at > since).count()))
    }

    fn refill(&mut self, key: CountKey) -> Stored<bool> {
        let tables = self.writing()?;
        let stored = tables.buckets.get(&key).is_some_and(|row| row.principal.is_none());
        if stored {
            tables.buckets.remove(&key);
        }
        Ok(stored)
    }

    fn forgive(&mut self, principal: Uuid) -> Stored<u32> {
        let tables = self.writing()?;
        let keys = tables.buckets_of.rows().range((principal, LEAST)..);
        let keys: Vec<_> = keys.map(|(key, ())| *key).take_while(|key| key.0 == principal).map(|key| key.1).collect();
        for key in &keys {
            tables.buckets.remove(key);
            tables.buckets_of.remove(&(principal, *key));
            let guesses = tables.guesses.rows().range((*key, LEAST)..).map(|(guess, _)| *guess);
            let guesses: Vec<_> = guesses.take_while(|(of, _)| of == key).collect();
            for guess in guesses {
                tables.guesses.remove(&guess);
            }
        }
        Ok(many(keys.len()))
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> Stored<u32> {
        let tables = self.writing()?;
        let old = tables.buckets.rows().iter().filter(|(_, row)| row.touched_at < before).take(most(limit));
        let old: Vec<_> = old.map(|(key, row)| (*key, row.principal)).collect();
        for (key, principal) in &old {
            tables.buckets.remove(key);
            if let Some(principal) = principal {
                tables.buckets_of.remove(&(*principal, *key));
            }
        }
        Ok(many(old.len()))
    }

    fn sweep_remembered(&mut self, before: Instant, limit: u32) -> Stored<u32> {
        let guesses = &mut self.writing()?.guesses;
        let old = guesses.rows().iter().filter(|(_, guessed_at)| **guessed_at < before).take(most(limit));
        let old: Vec<_> = old.map(|(key, _)| *key).collect();
        for key in &old {
            guesses.remove(key);
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

    fn trim(&mut self, principal: Uuid, keep: u32) -> Stored<()> {
        let places = &mut self.writing()?.places;
        let own = places.rows().range((principal, LEAST)..).take_while(|((of, _), _)| *of == principal);
        let mut own: Vec<_> = own.map(|(key, last)| (*last, *key)).collect();
        own.sort_unstable();
        let over = own.len().saturating_sub(most(keep));
        for (_, key) in own.into_iter().take(over) {
            places.remove(&key);
        }
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
