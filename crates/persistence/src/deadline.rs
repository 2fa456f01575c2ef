//! The deadline of a unit of work. Only waiting is measured, and no business rule depends on it, so
//! the machine's clock is read here instead of being passed in.

use std::time::Duration;

use tillgate_auth_core::clock::Clock;
use tillgate_auth_core::system::SystemClock;

/// The monotonic clock: the time since an arbitrary moment before this process began.
pub(crate) fn monotonic_now() -> Duration {
    SystemClock.monotonic()
}

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
    /// A deadline after this time from now.
    pub(crate) fn after(total: Duration) -> Self {
        Self { until: monotonic_now().saturating_add(total), total }
    }

    /// The remaining time; zero if the deadline has passed.
    pub(crate) fn remaining(&self) -> Duration {
        self.until.saturating_sub(monotonic_now())
    }

    pub(crate) fn has_passed(&self) -> bool {
        self.remaining().is_zero()
    }

    /// The remaining time if it is less than three quarters of the total, otherwise `None`.
    pub(crate) fn remaining_if_shortened(&self) -> Option<Duration> {
        let remaining = self.remaining();
        (remaining < self.total.mul_f32(0.75)).then_some(remaining)
    }
}
