//! An observer that remembers what it was told, and how.

use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use tillgate_domain::Change;
use tillgate_domain::change::Observer;

use crate::AuthStoreHarness;

/// What was told at once: on which thread, what, and what a look at that moment found.
struct Notification {
    thread: ThreadId,
    changes: Vec<Change>,
    probe: bool,
}

/// Remembers what it was told.
pub(crate) struct RecordingObserver {
    notifications: Mutex<Vec<Notification>>,
    numbers: Mutex<Vec<i64>>,
    probe: Box<dyn Fn() -> bool + Send + Sync>,
}

impl RecordingObserver {
    /// A watcher over the store from now on.
    pub(crate) fn observe(bench: &AuthStoreHarness) -> Arc<Self> {
        Self::observe_with_probe(bench, || true)
    }

    /// One that looks at something whenever it is told.
    pub(crate) fn observe_with_probe(
        bench: &AuthStoreHarness,
        look: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Arc<Self> {
        let watcher =
            Arc::new(Self { notifications: Mutex::default(), numbers: Mutex::default(), probe: Box::new(look) });
        bench.observe(watcher.clone());
        watcher
    }

    /// Every change that it was told of, in that order.
    pub(crate) fn changes(&self) -> Vec<Change> {
        self.notifications.lock().unwrap().iter().flat_map(|told| told.changes.clone()).collect()
    }

    /// The numbers that it was told, in that order.
    pub(crate) fn numbers(&self) -> Vec<i64> {
        self.numbers.lock().unwrap().clone()
    }

    /// On which threads, each time that it was told of something.
    pub(crate) fn threads(&self) -> Vec<ThreadId> {
        self.notifications.lock().unwrap().iter().map(|told| told.thread).collect()
    }

    /// What it saw each time.
    pub(crate) fn probes(&self) -> Vec<bool> {
        self.notifications.lock().unwrap().iter().map(|told| told.probe).collect()
    }
}

impl Observer for RecordingObserver {
    fn on_commit(&self, changes: &[Change]) {
        if !changes.is_empty() {
            let look = (self.probe)();
            let told = Notification { thread: thread::current().id(), changes: changes.to_vec(), probe: look };
            self.notifications.lock().unwrap().push(told);
        }
    }

    fn on_feed_numbers(&self, numbers: &[i64]) {
        self.numbers.lock().unwrap().extend_from_slice(numbers);
    }
}
