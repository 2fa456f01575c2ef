//! Limits of session lifetimes. The server's configuration sets the lifetimes; a tenant can only
//! shorten them.

use std::ops::RangeInclusive;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// Upper limits of the lifetimes of a session; `None` is no limit. A limit above the configured
/// lifetime has no effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionLimits {
    /// The lifetime of an access token.
    pub access: Option<Duration>,
    /// The idle timeout: how long after its last refresh a session ends.
    pub idle: Option<Duration>,
    /// The absolute timeout: how long after its login a session ends.
    pub absolute: Option<Duration>,
    /// The grace period: how long after a rotation the previous refresh token still returns its
    /// successor.
    pub overlap: Option<Duration>,
}

impl SessionLimits {
    /// No session at all: every limit is zero.
    pub const ZERO: Self = Self {
        access: Some(Duration::ZERO),
        idle: Some(Duration::ZERO),
        absolute: Some(Duration::ZERO),
        overlap: Some(Duration::ZERO),
    };
    /// The range of limits for access tokens; shorter ones would be refreshed all the time.
    pub const ACCESS_RANGE: RangeInclusive<Duration> = Duration::from_mins(2)..=DAY;
    /// The range of limits for the idle timeout.
    pub const IDLE_RANGE: RangeInclusive<Duration> = Duration::from_mins(5)..=Duration::from_hours(24 * 3650);
    /// The range of limits for the absolute timeout.
    pub const ABSOLUTE_RANGE: RangeInclusive<Duration> = Duration::from_mins(5)..=Duration::from_hours(24 * 3650);
    /// The range of limits for the grace period. With a shorter one, a till on a slow network would
    /// lose its session after a lost response.
    pub const OVERLAP_RANGE: RangeInclusive<Duration> = Duration::from_secs(30)..=Duration::from_hours(1);

    /// The greater of both for each limit; no limit if one of them has none.
    #[must_use]
    pub fn or_longer(self, other: Self) -> Self {
        let longer = |one: Option<Duration>, other: Option<Duration>| Some(one?.max(other?));
        Self {
            access: longer(self.access, other.access),
            idle: longer(self.idle, other.idle),
            absolute: longer(self.absolute, other.absolute),
            overlap: longer(self.overlap, other.overlap),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_limit_wins_and_none_is_longest() {
        let minutes = |minutes: u64| Some(Duration::from_mins(minutes));
        let one = SessionLimits { access: minutes(5), idle: minutes(9), absolute: None, overlap: minutes(1) };
        let other = SessionLimits { access: minutes(7), idle: minutes(8), absolute: minutes(2), overlap: minutes(1) };
        let longer = SessionLimits { access: minutes(7), idle: minutes(9), absolute: None, overlap: minutes(1) };
        assert_eq!((one.or_longer(other), other.or_longer(one)), (longer, longer));
        assert_eq!(one.or_longer(SessionLimits::ZERO), one);
        assert_eq!(one.or_longer(SessionLimits::default()), SessionLimits::default());
    }
}
