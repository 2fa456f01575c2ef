//! A writer's place in the queue: where it learns that its turn has come and what became of its work. Knows no database.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::deadline::Deadline;
use crate::error_class::UnitError;

/// What a waiting writer is told. `B` is what goes from hand to hand.
#[derive(Debug)]
pub(crate) enum Signal<B> {
    /// Its turn has come.
    YourTurn(B),
    /// The group has ended; this is its answer.
    Done(Result<(), UnitError>),
    /// The group came to nothing; it runs again, in a group of its own where `apart`.
    Retry {
        /// Whether it gets a group of its own.
        solo: bool,
    },
}

/// A place in the queue. It outlives the waiting writer, who may leave at the deadline.
pub(crate) struct Waiter<B> {
    /// Whether this writer wants a group of its own.
    pub(crate) solo: bool,
    state: Mutex<WaiterState<B>>,
    signaled: Condvar,
}

enum WaiterState<B> {
    Empty,
    Signaled(Signal<B>),
    Abandoned,
}

impl<B> Waiter<B> {
    /// A place of somebody who waits.
    pub(crate) fn new(apart: bool) -> Self {
        Self { solo: apart, state: Mutex::new(WaiterState::Empty), signaled: Condvar::new() }
    }

    /// Tells the writer; gives the word back where nobody waits any more.
    pub(crate) fn send(&self, word: Signal<B>) -> Result<(), Signal<B>> {
        let mut slot = self.lock();
        if matches!(*slot, WaiterState::Abandoned) {
            return Err(word);
        }
        *slot = WaiterState::Signaled(word);
        drop(slot);
        self.signaled.notify_one();
        Ok(())
    }

    /// Waits to be told. `None` at the deadline: the place is given up, and nothing can be told any more.
    pub(crate) fn wait(&self, deadline: &Deadline) -> Option<Signal<B>> {
        let mut slot = self.lock();
        loop {
            let left = deadline.remaining();
            match std::mem::replace(
                &mut *slot,
                if left.is_zero() { WaiterState::Abandoned } else { WaiterState::Empty },
            ) {
                WaiterState::Signaled(word) => {
                    *slot = WaiterState::Empty;
                    return Some(word);
                }
                _ if left.is_zero() => return None,
                _ => slot = self.signaled.wait_timeout(slot, left).unwrap_or_else(PoisonError::into_inner).0,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, WaiterState<B>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn signal_sent_before_the_deadline_is_received_after_it() {
        let turn = Waiter::new(false);
        turn.send(Signal::YourTurn(7)).unwrap();
        assert!(matches!(turn.wait(&Deadline::after(Duration::ZERO)), Some(Signal::YourTurn(7))));
    }

    #[test]
    fn abandoned_waiter_refuses_signals() {
        let turn = Waiter::new(false);
        assert!(turn.wait(&Deadline::after(Duration::ZERO)).is_none());
        assert!(matches!(turn.send(Signal::YourTurn(7)), Err(Signal::YourTurn(7))));
    }

    #[test]
    fn signal_wakes_the_waiter() {
        let turn = Waiter::<()>::new(false);
        let far = Deadline::after(Duration::from_mins(1));
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| turn.wait(&far));
            turn.send(Signal::Done(Ok(()))).unwrap();
            assert!(matches!(waits.join().unwrap(), Some(Signal::Done(Ok(())))));
        });
    }
}
