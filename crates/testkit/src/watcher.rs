//! An observer that remembers what it was told, and how.

use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use tillgate_domain::Change;
use tillgate_domain::change::Observer;

use crate::Bench;

/// What was told at once: on which thread, what, and what a look at that moment found.
struct Told {
    thread: ThreadId,
    changes: Vec<Change>,
    look: bool,
}

/// Remembers what it was told.
pub(crate) struct Watcher {
    told: Mutex<Vec<Told>>,
    numbers: Mutex<Vec<i64>>,
    look: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Watcher {
    /// A watcher over the store from now on.
    pub(crate) fn over(bench: &Bench) -> Arc<Self> {
        Self::looking(bench, || true)
    }

    /// One that looks at something whenever it is told.
    pub(crate) fn looking(bench: &Bench, look: impl Fn() -> bool + Send + Sync + 'static) -> Arc<Self> {
        let watcher = Arc::new(Self { told: Mutex::default(), numbers: Mutex::default(), look: Box::new(look) });
        bench.observe(watcher.clone());
        watcher
    }

    /// Every change that it was told of, in that order.
    pub(crate) fn changes(&self) -> Vec<Change> {
        self.told.lock().unwrap().iter().flat_map(|told| told.changes.clone()).collect()
    }

    /// The numbers that it was told, in that order.
    pub(crate) fn numbers(&self) -> Vec<i64> {
        self.numbers.lock().unwrap().clone()
    }

    /// On which threads, each time that it was told of something.
    pub(crate) fn threads(&self) -> Vec<ThreadId> {
        self.told.lock().unwrap().iter().map(|told| told.thread).collect()
    }

    /// What it saw each time.
    pub(crate) fn looks(&self) -> Vec<bool> {
        self.told.lock().unwrap().iter().map(|told| told.look).collect()
    }
}

impl Observer for Watcher {
    fn committed(&self, changes: &[Change]) {
        if !changes.is_empty() {
            let look = (self.look)();
            let told = Told { thread: thread::current().id(), changes: changes.to_vec(), look };
            self.told.lock().unwrap().push(told);
        }
    }

    fn numbered(&self, numbers: &[i64]) {
        self.numbers.lock().unwrap().extend_from_slice(numbers);
    }
}
