//! The log of an outage: failed attempts to connect are logged once when it begins, with their
//! number once a minute, and when it is over.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::ConnectFailure;
use crate::deadline::monotonic_now;

/// The interval between two log lines of one outage.
const REPORT_INTERVAL: Duration = Duration::from_mins(1);

/// The failed attempts to connect since the last successful one.
#[derive(Debug, Default)]
pub(super) struct Outage(Mutex<Option<FailedAttempts>>);

#[derive(Clone, Copy, Debug)]
struct FailedAttempts {
    failed: u64,
    reported_at: Duration,
}

impl Outage {
    /// Logs a failed attempt, if the outage is new or was not logged for a while.
    pub(super) fn log_failure(&self, error: &ConnectFailure) {
        match self.count_failure(monotonic_now()) {
            Some(1) => tracing::warn!(%error, "no connection to the database"),
            Some(attempts) => tracing::warn!(%error, attempts, "still no connection to the database"),
            None => {}
        }
    }

    /// Logs the end of the outage, if there was one.
    pub(super) fn log_success(&self) {
        if let Some(attempts) = self.end() {
            tracing::info!(attempts, "connected to the database again after failed attempts");
        }
    }

    /// Counts a failed attempt. Returns their number if it is to be logged.
    fn count_failure(&self, now: Duration) -> Option<u64> {
        let mut outage = self.lock();
        let Some(attempts) = outage.as_mut() else {
            *outage = Some(FailedAttempts { failed: 1, reported_at: now });
            return Some(1);
        };
        attempts.failed += 1;
        if now.saturating_sub(attempts.reported_at) < REPORT_INTERVAL {
            return None;
        }
        attempts.reported_at = now;
        Some(attempts.failed)
    }

    /// Ends the outage. Returns the number of its failed attempts; `None` if there was no outage.
    fn end(&self) -> Option<u64> {
        self.lock().take().map(|attempts| attempts.failed)
    }

    fn lock(&self) -> MutexGuard<'_, Option<FailedAttempts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outage_is_logged_at_its_start_once_a_minute_and_at_its_end() {
        let outage = Outage::default();
        let fail = |after| outage.count_failure(Duration::from_secs(after));
        assert_eq!(outage.end(), None);
        assert_eq!([0, 1, 59].map(fail), [Some(1), None, None]);
        assert_eq!([60, 61, 119, 120].map(fail), [Some(4), None, None, Some(7)]);
        assert_eq!((outage.end(), outage.end()), (Some(7), None));
        assert_eq!(fail(121), Some(1), "another outage");
    }
}
