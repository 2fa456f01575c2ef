//! Reports each unit of work when it has ended: which one is slow, and which one runs again and
//! again.

use std::sync::OnceLock;
use std::time::Duration;

/// A unit of work that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitReport {
    /// The name that its caller gave it.
    pub name: &'static str,
    /// `ok`, or the [kind](tillgate_domain::StoreError::kind) of its error.
    pub outcome: &'static str,
    /// How many times its closure ran: more than once after conflicts, zero if it never got a
    /// connection or its turn.
    pub runs: u32,
    /// The time from the call to its end, waiting included.
    pub duration: Duration,
}

type ReportFn = dyn Fn(&UnitReport) + Send + Sync;

/// The observer of units of work, if there is one.
#[derive(Default)]
pub(crate) struct UnitObserver(OnceLock<Box<ReportFn>>);

impl UnitObserver {
    /// Sets the observer; `false` if there is one already.
    pub(crate) fn set(&self, observer: impl Fn(&UnitReport) + Send + Sync + 'static) -> bool {
        self.0.set(Box::new(observer)).is_ok()
    }

    /// Calls the observer, for which the report is made.
    pub(crate) fn notify(&self, report: impl FnOnce() -> UnitReport) {
        if let Some(observer) = self.0.get() {
            observer(&report());
        }
    }
}
