//! How long a unit of work may still wait. What is measured is waiting, which no rule of the trade depends on, so the machine's
//! clock is read here and not handed in.

use std::time::Duration;

use tillgate_auth_core::clock::Clock;
use tillgate_auth_core::system::SystemClock;

/// Reads the monotonic clock: the time since some moment before this process began.
pub(crate) fn monotonic_now() -> Duration {
    SystemClock.monotonic()
}

/// How long ago that reading was.
pub(crate) fn elapsed_since(start: Duration) -> Duration {
    monotonic_now().saturating_sub(start)
}

/// The end of all waiting of one unit of work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    until: Duration,
    total: Duration,
}

impl Deadline {
    /// The deadline that lies this far ahead.
    pub(crate) fn after(whole: Duration) -> Self {
        Self { until: monotonic_now().saturating_add(whole), total: whole }
    }

    /// What is left of it, zero where it has passed.
    pub(crate) fn remaining(&self) -> Duration {
        self.until.saturating_sub(monotonic_now())
    }

    /// Whether it has passed.
    pub(crate) fn has_passed(&self) -> bool {
        self.remaining().is_zero()
    }

    /// What is left where that is clearly less than the whole, `None` where next to nothing has been used up.
    pub(crate) fn remaining_if_shortened(&self) -> Option<Duration> {
        let left = self.remaining();
        (left < self.total.mul_f32(0.75)).then_some(left)
    }
}
