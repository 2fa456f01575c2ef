//! Tracks the databases in whose units of work the current thread is, so that a nested unit of work
//! is an error and not a deadlock.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use tillgate_domain::{StoreError, StoreResult};

thread_local! {
    static OPEN_UNITS: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// A number that identifies a database within this process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DatabaseNumber(u64);

impl DatabaseNumber {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Fails if this thread is inside a unit of work of this database.
    pub(crate) fn check_not_nested(self) -> StoreResult<()> {
        if OPEN_UNITS.with_borrow(|inside| inside.contains(&self.0)) { Err(StoreError::Nested) } else { Ok(()) }
    }

    /// Marks this thread as inside a unit of work until the guard is dropped.
    pub(crate) fn enter(self) -> NestingGuard {
        OPEN_UNITS.with_borrow_mut(|inside| inside.push(self.0));
        NestingGuard
    }
}

/// Marks the thread as inside a unit of work.
pub(crate) struct NestingGuard;

impl Drop for NestingGuard {
    fn drop(&mut self) {
        OPEN_UNITS.with_borrow_mut(Vec::pop);
    }
}
