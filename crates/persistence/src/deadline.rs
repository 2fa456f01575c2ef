//! How long a unit of work may still wait. The one place of this crate that reads the monotonic clock: what it measures is
//! waiting, which no rule of the trade depends on, so no clock is handed in.

use std::time::{Duration, Instant};

/// Reads the monotonic clock.
#[expect(clippy::disallowed_methods, reason = "waiting is measured here and nowhere else in this crate")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The end of all waiting of one unit of work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    until: Instant,
    whole: Duration,
}

impl Deadline {
    /// The deadline that lies this far ahead.
    pub(crate) fn after(whole: Duration) -> Self {
        let now = now();
        Self { until: now.checked_add(whole).unwrap_or(now), whole }
    }

    /// What is left of it, zero where it has passed.
    pub(crate) fn left(&self) -> Duration {
        self.until.saturating_duration_since(now())
    }

    /// Whether it has passed.
    pub(crate) fn passed(&self) -> bool {
        self.left().is_zero()
    }

    /// What is left where that is clearly less than the whole, `None` where next to nothing has been used up.
    pub(crate) fn shortened(&self) -> Option<Duration> {
        let left = self.left();
        (left < self.whole.mul_f32(0.75)).then_some(left)
    }
}
