//! A queued writer: it waits here for its turn and for the result of its work. This module knows no
//! database.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::deadline::Deadline;
use crate::error_class::UnitError;

/// What a waiting writer receives. `B` is passed from writer to writer.
#[derive(Debug)]
pub(crate) enum Signal<B> {
    /// It is this writer's turn.
    YourTurn(B),
    /// The group has ended with this result for the writer.
    Done(Result<(), UnitError>),
    /// The group was rolled back; the writer runs again.
    Retry {
        /// Whether it must run in a group of its own.
        solo: bool,
    },
}

/// A writer's position in the queue. It outlives the writer's thread, which may give up at the
/// deadline.
pub(crate) struct Waiter<B> {
    /// Whether this writer requires a group of its own.
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
    pub(crate) fn new(solo: bool) -> Self {
        Self { solo, state: Mutex::new(WaiterState::Empty), signaled: Condvar::new() }
    }

    /// Sends a signal to the writer; returns it if the writer no longer waits.
    pub(crate) fn send(&self, signal: Signal<B>) -> Result<(), Signal<B>> {
        let mut slot = self.lock();
        if matches!(*slot, WaiterState::Abandoned) {
            return Err(signal);
        }
        *slot = WaiterState::Signaled(signal);
        drop(slot);
        self.signaled.notify_one();
        Ok(())
    }

    /// Waits for a signal. Returns `None` at the deadline; no signal can be sent afterwards.
    pub(crate) fn wait(&self, deadline: &Deadline) -> Option<Signal<B>> {
        let mut slot = self.lock();
        loop {
            let remaining = deadline.remaining();
            match std::mem::replace(
                &mut *slot,
                if remaining.is_zero() { WaiterState::Abandoned } else { WaiterState::Empty },
            ) {
                WaiterState::Signaled(signal) => {
                    *slot = WaiterState::Empty;
                    return Some(signal);
                }
                _ if remaining.is_zero() => return None,
                _ => slot = self.signaled.wait_timeout(slot, remaining).unwrap_or_else(PoisonError::into_inner).0,
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
