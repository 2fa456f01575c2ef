//! Counts the waiting units of work and rejects those beyond the limit.

use std::sync::atomic::{AtomicUsize, Ordering};

use tillgate_domain::{StoreError, StoreResult};

/// The units of work that wait for a connection or for their turn to write.
#[derive(Debug)]
pub(crate) struct WaitQueue {
    waiting: AtomicUsize,
    max_waiting: usize,
}

impl WaitQueue {
    pub(crate) fn new(most: usize) -> Self {
        Self { waiting: AtomicUsize::new(0), max_waiting: most }
    }

    pub(crate) fn count(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Takes a slot in the queue until the guard is dropped. Fails if the queue is full.
    pub(crate) fn enter(&self) -> StoreResult<WaitSlot<'_>> {
        let slot = WaitSlot(self);
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.max_waiting {
            return Err(StoreError::Unavailable(format!("{} units of work are waiting already", self.max_waiting)));
        }
        Ok(slot)
    }
}

pub(crate) struct WaitSlot<'w>(&'w WaitQueue);

impl Drop for WaitSlot<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_queue_refuses_until_a_slot_is_released() {
        let waiting = WaitQueue::new(1);
        let first = waiting.enter().unwrap();
        assert!(matches!(waiting.enter(), Err(StoreError::Unavailable(_))));
        assert_eq!(waiting.count(), 1);
        drop(first);
        assert!(waiting.enter().is_ok());
        assert_eq!(waiting.count(), 0);
    }
}
