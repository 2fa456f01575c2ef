//! How long sessions live at most. The server's configuration says how long they may; a tenant shortens that and lengthens nothing.

use std::ops::RangeInclusive;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// The longest that each span of a session may be: as its tenant wants it, or as the server's configuration gives it. `None` is no
/// limit. What a tenant has kept since the configuration gave more does nothing more than that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionLimits {
    /// How long an access token is good.
    pub access: Option<Duration>,
    /// How long after its last refresh a session lives.
    pub idle: Option<Duration>,
    /// How long after its login a session lives, however often it is refreshed.
    pub absolute: Option<Duration>,
    /// How long a refresh token is answered again after it was followed by another.
    pub overlap: Option<Duration>,
}

impl SessionLimits {
    /// No session at all: every span is at its end.
    pub const ZERO: Self = Self {
        access: Some(Duration::ZERO),
        idle: Some(Duration::ZERO),
        absolute: Some(Duration::ZERO),
        overlap: Some(Duration::ZERO),
    };
    /// What an access token may be limited to: a shorter one would be refreshed all the time.
    pub const ACCESS_RANGE: RangeInclusive<Duration> = Duration::from_mins(2)..=DAY;
    /// What silence may be limited to.
    pub const IDLE_RANGE: RangeInclusive<Duration> = Duration::from_mins(5)..=Duration::from_hours(24 * 3650);
    /// What the whole life of a session may be limited to.
    pub const ABSOLUTE_RANGE: RangeInclusive<Duration> = Duration::from_mins(5)..=Duration::from_hours(24 * 3650);
    /// What the overlap may be limited to: below the least a till on a slow network loses its session by a lost answer.
    pub const OVERLAP_RANGE: RangeInclusive<Duration> = Duration::from_secs(30)..=Duration::from_hours(1);

    /// Each span as whichever of the two is longer; no limit where one of them has none.
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
