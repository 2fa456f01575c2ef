//! An observer that records its notifications and the thread on which they arrived.

use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use tillgate_domain::Change;
use tillgate_domain::change::Observer;

use crate::AuthStoreHarness;

/// One call of the observer: its thread, the changes, and the result of the probe at that moment.
struct Notification {
    thread: ThreadId,
    changes: Vec<Change>,
    probe: bool,
}

/// Records all notifications.
pub(crate) struct RecordingObserver {
    notifications: Mutex<Vec<Notification>>,
    numbers: Mutex<Vec<i64>>,
    probe: Box<dyn Fn() -> bool + Send + Sync>,
}

impl RecordingObserver {
    /// Registers a new observer with the store.
    pub(crate) fn observe(harness: &AuthStoreHarness) -> Arc<Self> {
        Self::observe_with_probe(harness, || true)
    }

    /// Registers a new observer that runs `probe` at each notification.
    pub(crate) fn observe_with_probe(
        harness: &AuthStoreHarness,
        probe: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Arc<Self> {
        let observer =
            Arc::new(Self { notifications: Mutex::default(), numbers: Mutex::default(), probe: Box::new(probe) });
        harness.observe(observer.clone());
        observer
    }

    /// All reported changes, in order.
    pub(crate) fn changes(&self) -> Vec<Change> {
        self.notifications.lock().unwrap().iter().flat_map(|notification| notification.changes.clone()).collect()
    }

    /// All reported feed numbers, in order.
    pub(crate) fn numbers(&self) -> Vec<i64> {
        self.numbers.lock().unwrap().clone()
    }

    /// The thread of each notification.
    pub(crate) fn threads(&self) -> Vec<ThreadId> {
        self.notifications.lock().unwrap().iter().map(|notification| notification.thread).collect()
    }

    /// The result of the probe at each notification.
    pub(crate) fn probes(&self) -> Vec<bool> {
        self.notifications.lock().unwrap().iter().map(|notification| notification.probe).collect()
    }
}

impl Observer for RecordingObserver {
    fn on_commit(&self, changes: &[Change]) {
        if !changes.is_empty() {
            let probe = (self.probe)();
            let notification = Notification { thread: thread::current().id(), changes: changes.to_vec(), probe };
            self.notifications.lock().unwrap().push(notification);
        }
    }

    fn on_feed_numbers(&self, numbers: &[i64]) {
        self.numbers.lock().unwrap().extend_from_slice(numbers);
    }
}
