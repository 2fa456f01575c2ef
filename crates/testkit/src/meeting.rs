//! Signals between two threads that meet inside their units of work. A store that lets one in at a time keeps the other from
//! ever giving its signal, so every wait has an end, and a case must hold whichever way it ended.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// Long enough for what is sure to come.
const SURE: Duration = Duration::from_secs(10);
/// Long enough for another thread's few statements, far below the deadline of a unit of work.
const BRIEF: Duration = Duration::from_millis(300);

/// Something that one thread has reached and another waits for.
#[derive(Default)]
pub(crate) struct Signal {
    given: Mutex<bool>,
    told: Condvar,
}

impl Signal {
    pub(crate) fn give(&self) {
        *self.given.lock().unwrap() = true;
        self.told.notify_all();
    }

    /// Waits for what is sure to come.
    pub(crate) fn wait(&self) {
        assert!(self.within(SURE), "the other thread never came so far");
    }

    /// Waits for what comes unless the store holds the other thread back. Tells whether it came.
    pub(crate) fn wait_briefly(&self) -> bool {
        self.within(BRIEF)
    }

    fn within(&self, span: Duration) -> bool {
        let given = self.given.lock().unwrap();
        let (given, _) = self.told.wait_timeout_while(given, span, |given| !*given).unwrap();
        *given
    }
}

/// Where two threads meet: each goes on when both are there, or when the other is plainly held back.
#[derive(Default)]
pub(crate) struct Crossing {
    here: Mutex<u32>,
    told: Condvar,
}

impl Crossing {
    pub(crate) fn meet(&self) {
        let mut here = self.here.lock().unwrap();
        *here += 1;
        self.told.notify_all();
        drop(self.told.wait_timeout_while(here, BRIEF, |here| *here < 2).unwrap());
    }
}

/// Runs both on a thread each and returns what they returned.
pub(crate) fn both<A: Send, B: Send>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B + Send) -> (A, B) {
    std::thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = scope.spawn(other);
        (joined(one), joined(other))
    })
}

fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
