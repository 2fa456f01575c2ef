//! Lets one unit of work through at a time, and makes the next wait for a bounded time.

use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use tillgate_domain::{StoreError, Stored};

/// How long a unit of work waits for its turn.
const PATIENCE: Duration = Duration::from_secs(2);

/// The gate, and who is inside.
#[derive(Default)]
pub(super) struct Gate {
    inside: Mutex<Option<ThreadId>>,
    left: Condvar,
}

/// Somebody's turn. It ends when this is dropped.
pub(super) struct Turn<'g>(&'g Gate);

impl Gate {
    /// Waits for a turn. `Nested` where this thread is inside already, `Unavailable` where nobody left in time.
    pub(super) fn enter(&self) -> Stored<Turn<'_>> {
        let me = thread::current().id();
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if *inside == Some(me) {
            return Err(StoreError::Nested);
        }
        let (mut inside, _) = self
            .left
            .wait_timeout_while(inside, PATIENCE, |inside| inside.is_some())
            .unwrap_or_else(PoisonError::into_inner);
        if inside.is_some() {
            return Err(StoreError::Unavailable("another unit of work takes too long".to_owned()));
        }
        *inside = Some(me);
        Ok(Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.inside.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.0.left.notify_one();
    }
}
