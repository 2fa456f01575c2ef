//! Lets one unit of work through at a time, and makes the next wait for a bounded time.

use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use tillgate_domain::{StoreError, StoreResult};

/// How long a unit of work waits for its turn.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// The gate, and who is inside.
#[derive(Default)]
pub(super) struct UnitLock {
    holder: Mutex<Option<ThreadId>>,
    released: Condvar,
}

/// Somebody's turn. It ends when this is dropped.
pub(super) struct UnitGuard<'g>(&'g UnitLock);

impl UnitLock {
    /// Waits for a turn. `Nested` where this thread is inside already, `Unavailable` where nobody left in time.
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
            return Err(StoreError::Unavailable("another unit of work takes too long".to_owned()));
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
