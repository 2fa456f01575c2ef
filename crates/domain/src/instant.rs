//! Points in time: whole milliseconds since 1970-01-01T00:00:00Z.

use std::time::Duration;

/// Milliseconds since the Unix epoch in UTC. Arithmetic saturates, so no sum of settings overflows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// The instant this many milliseconds after the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The whole seconds since the Unix epoch, rounded down: the `NumericDate` of RFC 7519, section
    /// 2.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The instant this much later.
    pub fn saturating_add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span_millis(span)))
    }

    /// The instant this much earlier.
    pub fn saturating_sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span_millis(span)))
    }

    /// The time since `earlier`; zero if that is later.
    pub fn duration_since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or_default())
    }
}

fn span_millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
