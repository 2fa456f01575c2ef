//! Whether the database accepts writes, as seen by the latest unit of work that wrote.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use diesel::prelude::*;
use tillgate_auth_core::ports::InstanceState;
use tillgate_domain::{Mode, StoreResult};

use crate::database::Database;
use crate::error_class::{Cause, UnitError, classify};
use crate::row::instance::state_word;
use crate::schema::meta;

/// The latest observation.
#[derive(Default)]
pub(crate) struct WriteHealth {
    /// Whether `failure` is set, so that a success needs no lock.
    failed: AtomicBool,
    /// Whether a newer version has migrated the database: from then on this process writes nothing.
    migrated: AtomicBool,
    failure: Mutex<Option<Cause>>,
}

impl WriteHealth {
    /// Records the outcome of a unit of work that was allowed to write, and whether it did. One
    /// that only read proves nothing.
    pub(crate) fn record_outcome(&self, outcome: &Result<(), UnitError>, wrote: bool) {
        match outcome {
            // this unit of work was in progress when another one detected the migration
            Ok(()) if self.migrated.load(Ordering::Acquire) => {}
            Ok(()) if wrote && self.failed.load(Ordering::Acquire) => self.set_failure(None),
            Err(UnitError { cause: Some(cause), .. }) if cause.refuses_writes() => {
                if *cause == Cause::NewerSchema {
                    self.migrated.store(true, Ordering::Release);
                }
                self.set_failure(Some(*cause));
            }
            _ => {}
        }
    }

    /// Fails if a newer version has migrated the database.
    pub(crate) fn check(&self) -> StoreResult<()> {
        if self.migrated.load(Ordering::Acquire) { Err(Cause::NewerSchema.into_error()) } else { Ok(()) }
    }

    /// Why the database accepts no writes.
    pub(crate) fn failure(&self) -> Option<&'static str> {
        if self.migrated.load(Ordering::Acquire) {
            return Some(Cause::NewerSchema.text());
        }
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).map(Cause::text)
    }

    fn set_failure(&self, now: Option<Cause>) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*failure, &now) {
            (None, Some(cause)) => tracing::error!(why = cause.text(), "the database takes no writes"),
            (Some(_), None) => tracing::info!("the database takes writes again"),
            _ => {}
        }
        self.failed.store(now.is_some(), Ordering::Release);
        *failure = now;
    }
}

impl Database {
    /// Tests whether the database accepts writes, by a commit that leaves everything as it was. A
    /// row is changed and changed back: a full disk is detected only when a commit writes, and
    /// SQLite writes nothing for a row that keeps its values.
    ///
    /// # Errors
    ///
    /// If the database accepts no writes.
    pub fn try_write(&self) -> StoreResult<()> {
        let committed = self.run_unobserved(Mode::Write, &mut |tx| {
            let [open, moved] = [InstanceState::Open, InstanceState::Moved].map(state_word);
            for (from, to) in [(open, moved), (moved, open)] {
                let row = meta::table.find(1_i64).filter(meta::state.eq(from));
                let change = diesel::update(row).set(meta::state.eq(to));
                change.execute(tx.write_connection()?).map_err(classify)?;
            }
            Ok(())
        });
        committed.map_err(|failed| failed.error)
    }
}

#[cfg(test)]
mod tests {
    use tillgate_domain::StoreError;

    use super::*;

    fn failed(cause: Cause) -> Result<(), UnitError> {
        Err(UnitError { error: cause.into_error(), cause: Some(cause) })
    }

    #[test]
    fn only_a_write_clears_the_write_failure() {
        let writes = WriteHealth::default();
        let late = StoreError::Unavailable("the turn to write did not come in time".to_owned());
        writes.record_outcome(&Err(late.into()), true);
        assert_eq!(writes.failure(), None, "a busy database takes writes");
        for cause in [Cause::DiskFull, Cause::DiskFailure, Cause::ReadOnly, Cause::FileNotOpenable] {
            writes.record_outcome(&failed(cause), true);
            assert_eq!(writes.failure(), Some(cause.text()));
            writes.record_outcome(&Ok(()), false);
            writes.record_outcome(&failed(Cause::Locked), true);
            assert_eq!(writes.failure(), Some(cause.text()));
            writes.record_outcome(&Ok(()), true);
            assert_eq!(writes.failure(), None);
        }
    }
}
