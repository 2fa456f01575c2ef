//! Whether the database takes writes, as the newest unit of work that wrote found it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use diesel::prelude::*;
use tillgate_domain::{Mode, StoreError, StoreResult};

use crate::database::Database;
use crate::error_class::{MIGRATED, classify, refuses_writes};
use crate::schema::meta;

/// What was found last.
#[derive(Default)]
pub(crate) struct WriteHealth {
    /// Whether `failure` is something: what succeeds takes no lock.
    failed: AtomicBool,
    /// Whether a newer program has migrated the database: from then on this one writes nothing.
    migrated: AtomicBool,
    failure: Mutex<Option<String>>,
}

impl WriteHealth {
    /// Notes what came of a unit of work that was allowed to write, and whether it did. One that only read proves nothing.
    pub(crate) fn record_outcome(&self, outcome: &StoreResult<()>, wrote: bool) {
        match outcome {
            // a unit of work that was under way when another found that out
            Ok(()) if self.migrated.load(Ordering::Acquire) => {}
            Ok(()) if wrote && self.failed.load(Ordering::Acquire) => self.set_failure(None),
            Err(error @ StoreError::Unavailable(why)) if refuses_writes(error) => {
                if why == MIGRATED {
                    self.migrated.store(true, Ordering::Release);
                }
                self.set_failure(Some(why.clone()));
            }
            _ => {}
        }
    }

    /// Refuses to write to a database that a newer program has migrated.
    pub(crate) fn check(&self) -> StoreResult<()> {
        if self.migrated.load(Ordering::Acquire) { Err(StoreError::Unavailable(MIGRATED.to_owned())) } else { Ok(()) }
    }

    /// Why the database takes no writes.
    pub(crate) fn failure(&self) -> Option<String> {
        if self.migrated.load(Ordering::Acquire) {
            return Some(MIGRATED.to_owned());
        }
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_failure(&self, now: Option<String>) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*failure, &now) {
            (None, Some(why)) => tracing::error!(why, "the database takes no writes"),
            (Some(_), None) => tracing::info!("the database takes writes again"),
            _ => {}
        }
        self.failed.store(now.is_some(), Ordering::Release);
        *failure = now;
    }
}

impl Database {
    /// Tries whether the database takes writes, by one that is rolled back. A full disk is found by what is committed alone.
    pub fn try_write(&self) -> StoreResult<()> {
        let mut taken = false;
        let outcome = self.run_unobserved(Mode::Write, &mut |tx| {
            taken = false;
            let same = diesel::update(meta::table.find(1_i64)).set(meta::state.eq(meta::state));
            same.execute(tx.write_connection()?).map_err(classify)?;
            taken = true;
            Err(StoreError::Fault("rolled back".to_owned()))
        });
        if taken { Ok(()) } else { outcome }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unavailable(why: &str) -> StoreResult<()> {
        Err(StoreError::Unavailable(why.to_owned()))
    }

    #[test]
    fn only_a_write_clears_the_write_failure() {
        let writes = WriteHealth::default();
        writes.record_outcome(&unavailable("the turn to write did not come in time"), true);
        assert_eq!(writes.failure(), None, "a busy database takes writes");
        for why in
            ["the disk is full", "the disk fails", "the database is read-only", "the database file cannot be opened"]
        {
            writes.record_outcome(&unavailable(why), true);
            assert_eq!(writes.failure().as_deref(), Some(why));
            writes.record_outcome(&Ok(()), false);
            writes.record_outcome(&unavailable("the database is locked"), true);
            assert_eq!(writes.failure().as_deref(), Some(why));
            writes.record_outcome(&Ok(()), true);
            assert_eq!(writes.failure(), None);
        }
    }
}
