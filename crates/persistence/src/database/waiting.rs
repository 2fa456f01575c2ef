//! Counts the units of work that wait, and turns away the one too many.

use std::sync::atomic::{AtomicUsize, Ordering};

use tillgate_domain::{StoreError, Stored};

/// Who waits for a connection or for their turn to write.
#[derive(Debug)]
pub(crate) struct Waiting {
    now: AtomicUsize,
    most: usize,
}

impl Waiting {
    /// A queue in which this many have room.
    pub(crate) fn new(most: usize) -> Self {
        Self { now: AtomicUsize::new(0), most }
    }

    /// How many wait now.
    pub(crate) fn count(&self) -> usize {
        self.now.load(Ordering::Relaxed)
    }

    /// Takes a place in the queue until what is returned is dropped.
    pub(crate) fn queue(&self) -> Stored<Place<'_>> {
        let place = Place(self);
        if self.now.fetch_add(1, Ordering::Relaxed) >= self.most {
            return Err(StoreError::Unavailable(format!("{} units of work are waiting already", self.most)));
        }
        Ok(place)
    }
}

/// A place in the queue.
pub(crate) struct Place<'w>(&'w Waiting);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_too_many_is_turned_away_and_a_place_comes_free() {
        let waiting = Waiting::new(1);
        let first = waiting.queue().unwrap();
        assert!(matches!(waiting.queue(), Err(StoreError::Unavailable(_))));
        assert_eq!(waiting.count(), 1);
        drop(first);
        assert!(waiting.queue().is_ok());
        assert_eq!(waiting.count(), 0);
    }
}
