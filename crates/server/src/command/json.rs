//! JSON output of the commands: the bodies of the native API, with the members that only commands
//! print, and times in RFC 3339.

use std::time::Duration;

use serde::Serialize;
use tillgate_domain::{Instant, RoleName, Tenant};
use tillgate_http::native_bodies::TenantBody;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// RFC 3339 in UTC, always with milliseconds, so that table columns align.
const INSTANT_FORMAT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// A tenant with the names of its stores.
#[derive(Serialize)]
pub(super) struct TenantWithStores<'t> {
    #[serde(flatten)]
    tenant: TenantBody<'t>,
    stores: Vec<&'t str>,
}

impl<'t> TenantWithStores<'t> {
    pub(super) fn from_tenant(tenant: &'t Tenant) -> Self {
        let stores = tenant.branches.iter().map(|store| store.name.as_str()).collect();
        Self { tenant: TenantBody::from_tenant(tenant), stores }
    }
}

/// The names of roles in a cell of a table.
pub(super) fn join_names(roles: &[RoleName]) -> String {
    roles.iter().map(RoleName::as_str).collect::<Vec<_>>().join(",")
}

/// A duration in its largest whole unit, in the format of settings: `20h`, `90s`.
pub(super) fn format_span(span: Duration) -> String {
    let (millis, units) = (span.as_millis(), [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)]);
    let whole = units.into_iter().find(|(_, unit)| millis > 0 && millis % unit == 0);
    whole.map_or_else(|| format!("{millis}ms"), |(name, unit)| format!("{}{name}", millis / unit))
}

/// A time in RFC 3339 (UTC), or in milliseconds since 1970 if RFC 3339 cannot express it.
pub(crate) fn format_instant(at: Instant) -> String {
    let nanos = i128::from(at.millis()) * 1_000_000;
    let text = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok().and_then(|at| at.format(INSTANT_FORMAT).ok());
    text.unwrap_or_else(|| at.millis().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_use_their_largest_whole_unit() {
        for (seconds, text) in [(86_400, "1d"), (72_000, "20h"), (5_400, "90m"), (90, "90s"), (0, "0ms")] {
            assert_eq!(format_span(Duration::from_secs(seconds)), text);
        }
        assert_eq!(format_span(Duration::from_millis(1_500)), "1500ms");
    }

    #[test]
    fn instants_are_rfc_3339_in_utc() {
        assert_eq!(format_instant(Instant::from_millis(1_800_000_000_123)), "2027-01-15T08:00:00.123Z");
        assert_eq!(format_instant(Instant::from_millis(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(format_instant(Instant::from_millis(i64::MAX)), i64::MAX.to_string());
    }
}
