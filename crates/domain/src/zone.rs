//! Time zones, which determine the days of a tenant and its local times. The rules are those of the
//! IANA database, compiled in.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::Instant;

/// A time zone of the IANA database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// The name is not in the time zone database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone; use a name of the IANA database such as Europe/Bratislava or UTC")]
pub struct UnknownZone;

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// Finds the zone with this name.
    pub fn parse(name: &str) -> Result<Self, UnknownZone> {
        TimeZone::get(name).map(Self).map_err(|_| UnknownZone)
    }

    /// The names of all zones, in order.
    pub fn list_names() -> Vec<String> {
        jiff::tz::db().available().map(|name| name.to_string()).collect()
    }

    /// The name in the IANA database.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The first instant of the next local date after `now`: 01:00 if 00:00 is skipped, the earlier
    /// of two if it occurs twice and that one is still ahead. A day has 22 to 26 hours.
    pub fn next_midnight(&self, now: Instant) -> Instant {
        let midnight = || {
            let now = Timestamp::from_millisecond(now.millis()).ok()?;
            let tomorrow = now.to_zoned(self.0.clone()).date().tomorrow().ok()?;
            let first = tomorrow.to_zoned(self.0.clone()).ok()?.start_of_day().ok()?.timestamp();
            // If clocks are set back just after midnight, the next date has begun once already.
            let next = if first > now {
                first
            } else {
                self.0.to_ambiguous_timestamp(tomorrow.at(0, 0, 0, 0)).later().ok()?
            };
            Some(Instant::from_millis(next.as_millisecond()))
        };
        midnight().unwrap_or(now)
    }

    /// The bounds of a local date in ISO 8601, such as `2026-11-21`: its first instant, and that of
    /// the following day. `None` if the text is not a date.
    pub fn day_bounds(&self, date: &str) -> Option<(Instant, Instant)> {
        let date: jiff::civil::Date = Some(date).filter(|date| date.len() == 10)?.parse().ok()?;
        let start = date.to_zoned(self.0.clone()).ok()?.start_of_day().ok()?;
        let start = Instant::from_millis(start.timestamp().as_millisecond());
        Some((start, self.next_midnight(start)))
    }

    /// The local time of an instant, with milliseconds and the offset from UTC (RFC 3339):
    /// `2026-11-21T20:00:00.000+08:00`. Empty for a year with more than four digits.
    pub fn format_local(&self, at: Instant) -> String {
        let zoned = Timestamp::from_millisecond(at.millis()).map(|at| at.to_zoned(self.0.clone()));
        zoned.map(|at| at.strftime("%Y-%m-%dT%H:%M:%S.%3f%:z").to_string()).unwrap_or_default()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
