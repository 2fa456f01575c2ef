//! How long a tenant wants its sessions to live at most. The server's configuration says how long they may; a tenant shortens that
//! and lengthens nothing.

use std::ops::RangeInclusive;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// The longest that a tenant wants each span of a session to be. `None` leaves it as the server's configuration says, and so does
/// a span that is longer than that.
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
    /// What an access token may be limited to: a shorter one would be refreshed all the time.
    pub const ACCESS: RangeInclusive<Duration> = Duration::from_mins(2)..=DAY;
    /// What silence may be limited to.
    pub const IDLE: RangeInclusive<Duration> = Duration::from_mins(5)..=Duration::from_hours(24 * 3650);
    /// What the whole life of a session may be limited to.
    pub const ABSOLUTE: RangeInclusive<Duration> = Duration::from_mins(5)..=Duration::from_hours(24 * 3650);
    /// What the overlap may be limited to: below the least a till on a slow network loses its session by a lost answer.
    pub const OVERLAP: RangeInclusive<Duration> = Duration::from_secs(30)..=Duration::from_hours(1);
}
