//! Versions of what can be changed: `ETag` in answers, `If-Match` in changes (RFC 9110, 8.8.3 and 13.1.1).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, HeaderMap, HeaderValue, IF_MATCH};
use serde::Serialize;
use tillgate_domain::office::OfficeError;

use crate::error::{ApiError, ProtocolError};
use crate::response::render_json;

/// A version that nothing ever has.
const NO_VERSION: i64 = 0;

/// An answer that shows something at this version.
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

/// Which versions a change was made for (RFC 9110, 13.1.1): it holds if the version there is matches any of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum VersionCondition {
    /// Whatever there is: `*`.
    Any,
    /// One of these, the highest first.
    OneOf(Vec<i64>),
}

/// How many tags of one request are looked at.
const MAX_IF_MATCH_TAGS: usize = 16;

/// Reads `If-Match`. A weak tag counts as the strong one of the same version: proxies that compress answers weaken tags, and the
/// version says all that there is to say. What is no tag of ours matches nothing.
///
/// # Errors
/// It is missing.
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
    /// Makes a change by `attempt`, which is told the version to hold to; `None` holds to none. Where the version there is turns out
    /// to be another one of those that the request names, the change is tried again for that one.
    ///
    /// # Errors
    /// What `attempt` answers. None of the versions is the one there is: that it has moved on.
    pub(super) fn apply<T>(&self, mut attempt: impl FnMut(Option<i64>) -> Result<T, ApiError>) -> Result<T, ApiError> {
        let Self::OneOf(versions) = self else { return attempt(None) };
        let mut held = versions.first().copied().unwrap_or(NO_VERSION);
        let mut answer = attempt(Some(held));
        for _ in versions {
            match answer {
                Err(ApiError::Office(
                    OfficeError::VersionMismatch { current } | OfficeError::TicketVersionMismatch { current, .. },
                )) if current != held && versions.contains(&current) => {
                    held = current;
                    answer = attempt(Some(held));
                }
                _ => break,
            }
        }
        answer
    }
}

/// The version of a tag as [`shown`] writes it, or of the same tag weakened.
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
            let answer = read_condition(tags).apply(|held| {
                tried.push(held);
                if held.is_none_or(|held| held == current) {
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
        // another version each time it is looked at
        let mut moving = 10;
        let answer: Result<(), ApiError> = read_condition("\"7\", \"8\", \"9\"").apply(|_| {
            moving -= 1;
            Err(OfficeError::VersionMismatch { current: moving }.into())
        });
        assert!(answer.is_err() && moving >= 5);
    }
}
