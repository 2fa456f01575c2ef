//! Versions of resources: `ETag` in responses and `If-Match` in requests (RFC 9110, 8.8.3 and
//! 13.1.1).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, HeaderMap, HeaderValue, IF_MATCH};
use serde::Serialize;
use tillgate_domain::office::OfficeError;

use crate::error::{ApiError, ProtocolError};
use crate::serving::response::render_json;

/// A version that no resource has.
const NO_VERSION: i64 = 0;

/// Renders a resource with its version in `ETag`.
pub(super) fn render_versioned(
    status: StatusCode,
    version: i64,
    body: &impl Serialize,
) -> Result<HttpResponse, ApiError> {
    let mut answer = render_json(status, body)?;
    let tag = HeaderValue::from_str(&format!("\"{version}\""));
    answer.headers_mut().insert(ETAG, tag.map_err(|_| ApiError::Fault("a version cannot be written".to_owned()))?);
    Ok(answer)
}

/// The versions to which a change applies (RFC 9110, 13.1.1); the current version must match any of
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum VersionCondition {
    /// Any version: `*`.
    Any,
    /// One of these versions, highest first.
    OneOf(Vec<i64>),
}

/// Maximum number of tags of a request that are evaluated.
const MAX_IF_MATCH_TAGS: usize = 16;

/// Reads `If-Match`. A weak tag is equivalent to the strong tag of the same version, because
/// proxies that compress responses weaken tags and the version identifies the content completely.
/// Any other tag matches nothing.
///
/// # Errors
/// The header is missing.
pub(super) fn read_if_match(headers: &HeaderMap) -> Result<VersionCondition, ApiError> {
    let sent: Vec<&HeaderValue> = headers.get_all(IF_MATCH).collect();
    if sent.is_empty() {
        return Err(ProtocolError::PreconditionRequired.into());
    }
    let text: Vec<&str> = sent.into_iter().filter_map(|value| value.to_str().ok()).collect();
    let tags: Vec<&str> = text.iter().flat_map(|text| text.split(',')).map(str::trim).collect();
    if tags == ["*"] {
        return Ok(VersionCondition::Any);
    }
    let mut versions: Vec<i64> = tags.into_iter().take(MAX_IF_MATCH_TAGS).filter_map(parse_etag).collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions.dedup();
    Ok(VersionCondition::OneOf(versions))
}

impl VersionCondition {
    /// Runs `attempt` with the version that the resource must have; `None` accepts any version. If
    /// the resource has another version of those in the request, `attempt` runs again with that
    /// one.
    ///
    /// # Errors
    /// The error of `attempt`; a version mismatch if the current version is not in the request.
    pub(super) fn apply<T>(&self, mut attempt: impl FnMut(Option<i64>) -> Result<T, ApiError>) -> Result<T, ApiError> {
        let Self::OneOf(versions) = self else { return attempt(None) };
        let mut expected = versions.first().copied().unwrap_or(NO_VERSION);
        let mut answer = attempt(Some(expected));
        for _ in versions {
            match answer {
                Err(ApiError::Office(
                    OfficeError::VersionMismatch { current } | OfficeError::TicketVersionMismatch { current, .. },
                )) if current != expected && versions.contains(&current) => {
                    expected = current;
                    answer = attempt(Some(expected));
                }
                _ => break,
            }
        }
        answer
    }
}

/// Parses a tag written by [`render_versioned`], strong or weak.
fn parse_etag(tag: &str) -> Option<i64> {
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    let digits = tag.strip_prefix('"')?.strip_suffix('"')?;
    digits.parse().ok().filter(|version: &i64| version.to_string() == digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_condition(tags: &str) -> VersionCondition {
        read_if_match(&[(IF_MATCH, HeaderValue::from_str(tags).unwrap())].into_iter().collect()).unwrap()
    }

    #[test]
    fn every_valid_tag_counts() {
        assert_eq!(read_condition("\"3\""), VersionCondition::OneOf(vec![3]));
        assert_eq!(read_condition("\"3\", \"12\",\"x\", W/\"7\", \"3\""), VersionCondition::OneOf(vec![12, 7, 3]));
        assert_eq!(read_condition("*"), VersionCondition::Any);
        for never in ["3", "w/\"3\"", "W/3", "\"x\"", "", "\"\"", "\"03\"", "\"+3\"", "\" 3\"", "\"*\"", "*, \"x\""] {
            assert_eq!(read_condition(never), VersionCondition::OneOf(vec![]), "{never}");
        }
        assert_eq!(read_if_match(&HeaderMap::new()), Err(ProtocolError::PreconditionRequired.into()));
    }

    #[test]
    fn change_applies_to_current_version_if_listed() {
        let tried = |tags: &str, current: i64| {
            let mut tried = Vec::new();
            let answer = read_condition(tags).apply(|expected| {
                tried.push(expected);
                if expected.is_none_or(|expected| expected == current) {
                    Ok(())
                } else {
                    Err(OfficeError::VersionMismatch { current }.into())
                }
            });
            (answer.is_ok(), tried)
        };
        assert_eq!(tried("\"4\"", 4), (true, vec![Some(4)]));
        assert_eq!(tried("\"4\", \"99\"", 4), (true, vec![Some(99), Some(4)]));
        assert_eq!(tried("\"5\", \"99\"", 4), (false, vec![Some(99)]));
        assert_eq!(tried("*", 4), (true, vec![None]));
        assert_eq!(tried("\"x\"", 4), (false, vec![Some(NO_VERSION)]));
        // the version changes between attempts
        let mut moving = 10;
        let answer: Result<(), ApiError> = read_condition("\"7\", \"8\", \"9\"").apply(|_| {
            moving -= 1;
            Err(OfficeError::VersionMismatch { current: moving }.into())
        });
        assert!(answer.is_err() && moving >= 5);
    }
}
