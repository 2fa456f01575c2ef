//! Instants on the wire: RFC 3339 in UTC, always with milliseconds, so that they sort as text.

use serde::Serializer;
use tillgate_domain::Instant;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const TIMESTAMP_FORMAT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// The instant as text; empty for one that no calendar of four-digit years holds.
pub(crate) fn format_instant(at: Instant) -> String {
    let nanos = i128::from(at.millis()) * 1_000_000;
    let date = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok();
    date.and_then(|date| date.format(TIMESTAMP_FORMAT).ok()).unwrap_or_default()
}

/// The same without milliseconds where there are none, as some contracts write it.
pub(crate) fn format_trimmed(at: Instant) -> String {
    let text = format_instant(at);
    text.strip_suffix(".000Z").map(|seconds| format!("{seconds}Z")).unwrap_or(text)
}

/// An instant as a request gives it (RFC 3339), to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rfc3339Instant(pub(crate) Instant);

impl std::str::FromStr for Rfc3339Instant {
    type Err = time::error::Parse;

    fn from_str(text: &str) -> Result<Self, time::error::Parse> {
        let at = OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339)?;
        // years of four digits fit
        let millis = i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).unwrap_or(i64::MAX);
        Ok(Self(Instant::from_millis(millis)))
    }
}

/// For `#[serde(serialize_with)]`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
pub(crate) fn serialize_instant<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format_instant(*at))
}

/// The same for one that may be missing.
#[expect(clippy::ref_option, reason = "serde hands it over so")]
pub(crate) fn serialize_optional_instant<S: Serializer>(
    at: &Option<Instant>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serialize_instant(at, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instant_is_formatted_in_utc_with_milliseconds() {
        assert_eq!(format_instant(Instant::from_millis(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(format_instant(Instant::from_millis(1_795_258_496_789)), "2026-11-21T10:54:56.789Z");
        assert_eq!(format_trimmed(Instant::from_millis(0)), "1970-01-01T00:00:00Z");
        assert_eq!(format_trimmed(Instant::from_millis(120)), "1970-01-01T00:00:00.120Z");
    }
}
