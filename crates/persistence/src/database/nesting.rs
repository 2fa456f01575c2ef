//! Knows which databases the current thread is inside of, so that a unit of work inside another is an error and not a deadlock.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use tillgate_domain::{StoreError, StoreResult};

thread_local! {
    static OPEN_UNITS: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// A database's own number in this process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DatabaseNumber(u64);

impl DatabaseNumber {
    /// A number that no other database has.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Refuses where this thread is inside a unit of work of this database.
    pub(crate) fn check_not_nested(self) -> StoreResult<()> {
        if OPEN_UNITS.with_borrow(|inside| inside.contains(&self.0)) { Err(StoreError::Nested) } else { Ok(()) }
    }

    /// Says that this thread is inside until what is returned is dropped.
    pub(crate) fn enter(self) -> NestingGuard {
        OPEN_UNITS.with_borrow_mut(|inside| inside.push(self.0));
        NestingGuard
    }
}

/// That the thread is inside a unit of work.
pub(crate) struct NestingGuard;

impl Drop for NestingGuard {
    fn drop(&mut self) {
        OPEN_UNITS.with_borrow_mut(Vec::pop);
    }
}
