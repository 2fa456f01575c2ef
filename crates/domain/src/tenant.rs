//! Tenants: vendors. Users, devices, roles and tickets belong to exactly one.

use std::fmt;

use crate::{BranchId, Epoch, Instant, Slug, TenantId};

/// A vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its short name in configuration and requests.
    pub slug: Slug,
    /// The name that people read.
    pub name: String,
    /// The time zone in which its days begin.
    pub zone: Zone,
    /// The language of its people.
    pub locale: Locale,
    /// Its stores, one at least.
    pub branches: Vec<Branch>,
    /// Raised by what ends every session of the tenant.
    pub epoch: Epoch,
    /// When it was made.
    pub created_at: Instant,
    /// Raised by every change that could remove its last admin, and by every change of its own fields.
    pub version: i64,
}

/// A store of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Its id.
    pub id: BranchId,
    /// The name that people read.
    pub name: String,
}

/// A time zone of the IANA database, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(jiff::tz::TimeZone);

/// A name that the time zone database does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time zone is named as in the IANA database, such as Europe/Bratislava or UTC")]
pub struct UnknownZone;

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(jiff::tz::TimeZone::UTC);

    /// The zone of that name.
    pub fn parse(name: &str) -> Result<Self, UnknownZone> {
        jiff::tz::TimeZone::get(name).map(Self).map_err(|_| UnknownZone)
    }

    /// The name in the IANA database.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The first instant of the next local date after `now`: 01:00 where 00:00 is skipped, the earlier of two where it comes
    /// twice. A day has 22 to 26 hours.
    pub fn next_midnight(&self, now: Instant) -> Instant {
        let midnight = || {
            let local = jiff::Timestamp::from_millisecond(now.millis()).ok()?.to_zoned(self.0.clone());
            let start = local.date().tomorrow().ok()?.to_zoned(self.0.clone()).ok()?.start_of_day().ok()?;
            Some(Instant::from_millis(start.timestamp().as_millisecond()))
        };
        midnight().unwrap_or(now)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A language, and where it matters a country, as `Accept-Language` names them: `sk-SK`, `en`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locale(String);

/// A text that is no language tag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a locale is a language tag such as en or sk-SK")]
pub struct InvalidLocale;

impl Locale {
    /// Takes a language tag of letters, digits and hyphens (RFC 5646), 35 characters at most.
    pub fn parse(tag: &str) -> Result<Self, InvalidLocale> {
        let part = |part: &str| (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric());
        if tag.len() <= 35 && tag.split('-').all(part) { Ok(Self(tag.to_owned())) } else { Err(InvalidLocale) }
    }

    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn midnight_after(zone: &str, now: &str) -> String {
        let now: jiff::Timestamp = now.parse().unwrap();
        let next = Zone::parse(zone).unwrap().next_midnight(Instant::from_millis(now.as_millisecond()));
        jiff::Timestamp::from_millisecond(next.millis()).unwrap().to_string()
    }

    #[test]
    fn a_day_begins_where_its_date_begins() {
        for (zone, now, next) in [
            ("UTC", "2026-11-21T23:59:59.999Z", "2026-11-22T00:00:00Z"),
            ("UTC", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"),
            ("Europe/Bratislava", "2026-07-01T21:59:59Z", "2026-07-01T22:00:00Z"),
            ("Asia/Kuala_Lumpur", "2026-07-01T16:00:00Z", "2026-07-02T16:00:00Z"),
            // 2018-11-04 began at 01:00 in Brazil
            ("America/Sao_Paulo", "2018-11-04T02:30:00Z", "2018-11-04T03:00:00Z"),
            // 2019-11-03 began twice in Havana
            ("America/Havana", "2019-11-03T03:30:00Z", "2019-11-03T04:00:00Z"),
        ] {
            assert_eq!(midnight_after(zone, now), next, "{zone} {now}");
        }
    }

    #[test]
    fn an_unknown_zone_is_refused() {
        assert_eq!(Zone::parse("Europe/Atlantis"), Err(UnknownZone));
        assert_eq!(Zone::parse("Europe/Bratislava").unwrap().name(), "Europe/Bratislava");
    }
}
