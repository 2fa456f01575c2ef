//! The observers that are notified of committed changes.

use std::sync::{Arc, PoisonError, RwLock};

use tillgate_domain::change::Observer;

use crate::transaction::WrittenChanges;

#[derive(Default)]
pub(crate) struct Observers(RwLock<Vec<Arc<dyn Observer>>>);

impl Observers {
    pub(crate) fn add(&self, observer: Arc<dyn Observer>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(observer);
    }

    pub(crate) fn notify(&self, written: &WrittenChanges) {
        if written.changes.is_empty() {
            return;
        }
        for observer in self.0.read().unwrap_or_else(PoisonError::into_inner).iter() {
            observer.on_commit(&written.changes);
            observer.on_feed_numbers(&written.numbers);
        }
    }
}
