//! A lock that one unit of work holds at a time, with a limited waiting time and detection of
//! nesting.

use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use tillgate_domain::{StoreError, StoreResult};

/// How long a unit of work waits for the lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// The lock, with the thread that holds it.
#[derive(Default)]
pub(super) struct UnitLock {
    holder: Mutex<Option<ThreadId>>,
    released: Condvar,
}

/// The lock as held by a unit of work, until it is dropped.
pub(super) struct UnitGuard<'g>(&'g UnitLock);

impl UnitLock {
    /// Waits for the lock. Returns `Nested` if this thread holds it, `Unavailable` after
    /// [`LOCK_TIMEOUT`].
    pub(super) fn lock(&self) -> StoreResult<UnitGuard<'_>> {
        let me = thread::current().id();
        let inside = self.holder.lock().unwrap_or_else(PoisonError::into_inner);
        if *inside == Some(me) {
            return Err(StoreError::Nested);
        }
        let (mut inside, _) = self
            .released
            .wait_timeout_while(inside, LOCK_TIMEOUT, |inside| inside.is_some())
            .unwrap_or_else(PoisonError::into_inner);
        if inside.is_some() {
            return Err(StoreError::Unavailable("another unit of work held the lock for too long".to_owned()));
        }
        *inside = Some(me);
        Ok(UnitGuard(self))
    }
}

impl Drop for UnitGuard<'_> {
    fn drop(&mut self) {
        *self.0.holder.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.0.released.notify_one();
    }
}
