//! Those who are told what was committed.

use std::sync::{Arc, PoisonError, RwLock};

use tillgate_domain::change::Observer;

use crate::transaction::WrittenChanges;

/// The observers of one database.
#[derive(Default)]
pub(crate) struct Observers(RwLock<Vec<Arc<dyn Observer>>>);

impl Observers {
    /// Adds one.
    pub(crate) fn add(&self, observer: Arc<dyn Observer>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(observer);
    }

    /// Tells them all.
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
