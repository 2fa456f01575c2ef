//! Signals between two threads that interleave within their units of work.
//!
//! A store that serializes transactions keeps the second thread from ever giving its signal.
//! Therefore every wait has a timeout, and a case must pass whether or not the wait timed out.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// Sufficient for a signal that is certain to be given.
const LONG_TIMEOUT: Duration = Duration::from_secs(10);
/// Sufficient for a few statements of the other thread, and far below the deadline of a unit of
/// work.
const SHORT_TIMEOUT: Duration = Duration::from_millis(300);

/// A point that one thread reaches and another waits for.
#[derive(Default)]
pub(crate) struct ThreadSignal {
    is_set: Mutex<bool>,
    condvar: Condvar,
}

impl ThreadSignal {
    pub(crate) fn set(&self) {
        *self.is_set.lock().unwrap() = true;
        self.condvar.notify_all();
    }

    /// Waits for a signal that is certain to be given, and panics after [`LONG_TIMEOUT`].
    pub(crate) fn wait(&self) {
        assert!(self.wait_timeout(LONG_TIMEOUT), "the other thread did not reach this point in time");
    }

    /// Waits for a signal that the store may delay. Returns whether it was given in time.
    pub(crate) fn wait_briefly(&self) -> bool {
        self.wait_timeout(SHORT_TIMEOUT)
    }

    /// Returns whether the signal was given in this time.
    pub(crate) fn wait_timeout(&self, span: Duration) -> bool {
        let is_set = self.is_set.lock().unwrap();
        let (is_set, _) = self.condvar.wait_timeout_while(is_set, span, |is_set| !*is_set).unwrap();
        *is_set
    }
}

/// A point at which two threads meet. Each continues once both have arrived, or after
/// [`SHORT_TIMEOUT`].
#[derive(Default)]
pub(crate) struct Rendezvous {
    arrived: Mutex<u32>,
    condvar: Condvar,
}

impl Rendezvous {
    pub(crate) fn wait(&self) {
        let mut arrived = self.arrived.lock().unwrap();
        *arrived += 1;
        self.condvar.notify_all();
        drop(self.condvar.wait_timeout_while(arrived, SHORT_TIMEOUT, |arrived| *arrived < 2).unwrap());
    }
}

/// Runs both closures concurrently, each on a thread of its own, and returns their results.
pub(crate) fn run_both<A: Send, B: Send>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B + Send) -> (A, B) {
    std::thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = scope.spawn(other);
        (join_thread(one), join_thread(other))
    })
}

fn join_thread<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
