//! A writer's place in the queue: where it learns that its turn has come and what became of its work. Knows no database.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tillgate_domain::Stored;

use crate::deadline::Deadline;

/// What a waiting writer is told. `B` is what goes from hand to hand.
#[derive(Debug)]
pub(crate) enum Word<B> {
    /// Its turn has come.
    Turn(B),
    /// The group has ended; this is its answer.
    Answer(Stored<()>),
    /// The group came to nothing; it runs again, in a group of its own where `apart`.
    Again {
        /// Whether it gets a group of its own.
        apart: bool,
    },
}

/// A place in the queue. It outlives the waiting writer, who may leave at the deadline.
pub(crate) struct Turn<B> {
    /// Whether this writer wants a group of its own.
    pub(crate) apart: bool,
    slot: Mutex<Slot<B>>,
    bell: Condvar,
}

enum Slot<B> {
    Empty,
    Told(Word<B>),
    Left,
}

impl<B> Turn<B> {
    /// A place of somebody who waits.
    pub(crate) fn new(apart: bool) -> Self {
        Self { apart, slot: Mutex::new(Slot::Empty), bell: Condvar::new() }
    }

    /// Tells the writer; gives the word back where nobody waits any more.
    pub(crate) fn tell(&self, word: Word<B>) -> Result<(), Word<B>> {
        let mut slot = self.lock();
        if matches!(*slot, Slot::Left) {
            return Err(word);
        }
        *slot = Slot::Told(word);
        drop(slot);
        self.bell.notify_one();
        Ok(())
    }

    /// Waits to be told. `None` at the deadline: the place is given up, and nothing can be told any more.
    pub(crate) fn wait(&self, deadline: &Deadline) -> Option<Word<B>> {
        let mut slot = self.lock();
        loop {
            let left = deadline.left();
            match std::mem::replace(&mut *slot, if left.is_zero() { Slot::Left } else { Slot::Empty }) {
                Slot::Told(word) => {
                    *slot = Slot::Empty;
                    return Some(word);
                }
                _ if left.is_zero() => return None,
                _ => slot = self.bell.wait_timeout(slot, left).unwrap_or_else(PoisonError::into_inner).0,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slot<B>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_told_before_the_deadline_is_heard_after_it() {
        let turn = Turn::new(false);
        turn.tell(Word::Turn(7)).unwrap();
        assert!(matches!(turn.wait(&Deadline::after(Duration::ZERO)), Some(Word::Turn(7))));
    }

    #[test]
    fn whoever_has_left_is_told_nothing() {
        let turn = Turn::new(false);
        assert!(turn.wait(&Deadline::after(Duration::ZERO)).is_none());
        assert!(matches!(turn.tell(Word::Turn(7)), Err(Word::Turn(7))));
    }

    #[test]
    fn a_word_wakes_the_writer() {
        let turn = Turn::<()>::new(false);
        let far = Deadline::after(Duration::from_mins(1));
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| turn.wait(&far));
            turn.tell(Word::Answer(Ok(()))).unwrap();
            assert!(matches!(waits.join().unwrap(), Some(Word::Answer(Ok(())))));
        });
    }
}
