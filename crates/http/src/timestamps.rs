//! Timestamps on the wire: RFC 3339 in UTC, always with milliseconds, so that they sort as text.

use serde::Serializer;
use tillgate_domain::Instant;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

const TIMESTAMP_FORMAT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// Formats an instant; empty if its year does not have four digits.
pub(crate) fn format_instant(at: Instant) -> String {
    let nanos = i128::from(at.millis()) * 1_000_000;
    let date = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok();
    date.and_then(|date| date.format(TIMESTAMP_FORMAT).ok()).unwrap_or_default()
}

/// Formats an instant without milliseconds if they are zero, as some contracts require.
pub(crate) fn format_trimmed(at: Instant) -> String {
    let text = format_instant(at);
    text.strip_suffix(".000Z").map(|seconds| format!("{seconds}Z")).unwrap_or(text)
}

/// A timestamp in a request (RFC 3339), with a resolution of one millisecond. In UTC, too, its year
/// has four digits, so that it can be formatted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rfc3339Instant(pub(crate) Instant);

impl Rfc3339Instant {
    /// The message for a text that is not an instant.
    pub(crate) const MESSAGE: &str = "must be an instant such as 2026-11-21T08:00:00Z";
}

/// A text is no timestamp, or one that cannot be formatted in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidTimestamp;

impl std::str::FromStr for Rfc3339Instant {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let at = OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok();
        let at = at.and_then(|at| at.checked_to_offset(UtcOffset::UTC)).filter(|at| (0..=9999).contains(&at.year()));
        let at = at.ok_or(InvalidTimestamp)?;
        // years of four digits fit into an i64
        let millis = i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).unwrap_or(i64::MAX);
        Ok(Self(Instant::from_millis(millis)))
    }
}

/// Serializes an instant, for `#[serde(serialize_with)]`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is required by serde")]
pub(crate) fn serialize_instant<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format_instant(*at))
}

/// Serializes an optional instant, for `#[serde(serialize_with)]`.
#[expect(clippy::ref_option, reason = "the signature is required by serde")]
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

    #[test]
    fn parsed_instant_can_be_formatted() {
        let reformat = |text: &str| text.parse().map(|Rfc3339Instant(at)| format_instant(at)).ok();
        for (text, formatted) in [
            ("9999-12-31T23:59:59.999Z", Some("9999-12-31T23:59:59.999Z")),
            ("9999-12-31T23:59:59+23:59", Some("9999-12-31T00:00:59.000Z")),
            ("9999-12-31T23:59:59-23:59", None),
            ("0000-01-01T00:00:00Z", Some("0000-01-01T00:00:00.000Z")),
            ("0000-01-01T00:00:00+00:01", None),
        ] {
            assert_eq!(reformat(text).as_deref(), formatted, "{text}");
        }
    }
}
