//! Versions of resources: `ETag` in responses and `If-Match` in requests (RFC 9110, 8.8.3 and
//! 13.1.1).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, HeaderValue, IF_MATCH, IfMatch};
use serde::Serialize;
use tillgate_domain::office::OfficeError;

use crate::error::{ApiError, ProtocolError};
use crate::request::head::RequestHead;
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

/// Maximum number of versions of a request that are evaluated; the highest ones are.
const MAX_IF_MATCH_VERSIONS: usize = 16;

/// Reads `If-Match`. A weak tag is equivalent to the strong tag of the same version, because
/// proxies that compress responses weaken tags and the version identifies the content completely.
/// Any other tag matches nothing, nor does a header with bytes outside of ASCII, which no tag of
/// this API contains.
///
/// # Errors
/// The header is missing.
pub(super) fn read_if_match(head: &RequestHead) -> Result<VersionCondition, ApiError> {
    if !head.headers().contains_key(IF_MATCH) {
        return Err(ProtocolError::PreconditionRequired.into());
    }
    Ok(head.typed_header().map_or(VersionCondition::OneOf(Vec::new()), VersionCondition::from_header))
}

impl VersionCondition {
    fn from_header(header: IfMatch) -> Self {
        let IfMatch::Items(tags) = header else { return Self::Any };
        let mut versions: Vec<i64> = tags.iter().filter_map(|tag| parse_version(tag.tag())).collect();
        versions.sort_unstable_by(|one, other| other.cmp(one));
        versions.dedup();
        versions.truncate(MAX_IF_MATCH_VERSIONS);
        Self::OneOf(versions)
    }

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
                Err(ApiError::Office(OfficeError::VersionMismatch { current, .. }))
                    if current != expected && versions.contains(&current) =>
                {
                    expected = current;
                    answer = attempt(Some(expected));
                }
                _ => break,
            }
        }
        answer
    }
}

/// Parses the version in a tag written by [`render_versioned`].
fn parse_version(digits: &str) -> Option<i64> {
    digits.parse().ok().filter(|version: &i64| version.to_string() == digits)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::Header;
    use actix_web::test::TestRequest;
    use tillgate_domain::{Subject, UserId};

    use super::*;

    fn mismatch(current: i64) -> ApiError {
        OfficeError::VersionMismatch { subject: Subject::User(UserId(uuid::Uuid::nil())), current }.into()
    }

    fn read_condition(tags: &str) -> VersionCondition {
        let request = TestRequest::default().insert_header((IF_MATCH, tags)).to_http_request();
        VersionCondition::from_header(IfMatch::parse(&request).unwrap())
    }

    #[test]
    fn every_valid_tag_counts() {
        assert_eq!(read_condition("\"3\""), VersionCondition::OneOf(vec![3]));
        assert_eq!(read_condition("\"3\", \"12\",\"x\", W/\"7\", \"3\""), VersionCondition::OneOf(vec![12, 7, 3]));
        assert_eq!(read_condition("*"), VersionCondition::Any);
        for never in ["3", "w/\"3\"", "W/3", "\"x\"", "", "\"\"", "\"03\"", "\"+3\"", "\" 3\"", "\"*\"", "*, \"x\""] {
            assert_eq!(read_condition(never), VersionCondition::OneOf(vec![]), "{never}");
        }
    }

    #[test]
    fn highest_versions_are_evaluated() {
        let tags: Vec<String> = (1..=20).map(|version| format!("\"{version}\"")).collect();
        assert_eq!(read_condition(&tags.join(", ")), VersionCondition::OneOf((5..=20).rev().collect()));
    }

    #[test]
    fn change_applies_to_current_version_if_listed() {
        let tried = |tags: &str, current: i64| {
            let mut tried = Vec::new();
            let answer = read_condition(tags).apply(|expected| {
                tried.push(expected);
                if expected.is_none_or(|expected| expected == current) { Ok(()) } else { Err(mismatch(current)) }
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
            Err(mismatch(moving))
        });
        assert!(answer.is_err() && moving >= 5);
    }
}
