//! Signals between two threads that meet inside their units of work. A store that lets one in at a time keeps the other from
//! ever giving its signal, so every wait has an end, and a case must hold whichever way it ended.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// Long enough for what is sure to come.
const LONG_TIMEOUT: Duration = Duration::from_secs(10);
/// Long enough for another thread's few statements, far below the deadline of a unit of work.
const SHORT_TIMEOUT: Duration = Duration::from_millis(300);

/// Something that one thread has reached and another waits for.
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

    /// Waits for what is sure to come.
    pub(crate) fn wait(&self) {
        assert!(self.wait_timeout(LONG_TIMEOUT), "the other thread never came so far");
    }

    /// Waits for what comes unless the store holds the other thread back. Tells whether it came.
    pub(crate) fn wait_briefly(&self) -> bool {
        self.wait_timeout(SHORT_TIMEOUT)
    }

    fn wait_timeout(&self, span: Duration) -> bool {
        let given = self.is_set.lock().unwrap();
        let (given, _) = self.condvar.wait_timeout_while(given, span, |given| !*given).unwrap();
        *given
    }
}

/// Where two threads meet: each goes on when both are there, or when the other is plainly held back.
#[derive(Default)]
pub(crate) struct Rendezvous {
    arrived: Mutex<u32>,
    condvar: Condvar,
}

impl Rendezvous {
    pub(crate) fn wait(&self) {
        let mut here = self.arrived.lock().unwrap();
        *here += 1;
        self.condvar.notify_all();
        drop(self.condvar.wait_timeout_while(here, SHORT_TIMEOUT, |here| *here < 2).unwrap());
    }
}

/// Runs both on a thread each and returns what they returned.
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
