//! Versions of what can be changed: `ETag` in answers, `If-Match` in changes (RFC 9110, 8.8.3 and 13.1.1).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, HeaderMap, HeaderValue, IF_MATCH};
use serde::Serialize;
use tillgate_domain::office::Refused;

use crate::answer::json;
use crate::failure::{Failure, Protocol};

/// A version that nothing ever has.
const NEVER: i64 = 0;

/// An answer that shows something at this version.
pub(super) fn shown(status: StatusCode, version: i64, body: &impl Serialize) -> Result<HttpResponse, Failure> {
    let mut answer = json(status, body)?;
    let tag = HeaderValue::from_str(&format!("\"{version}\""));
    answer.headers_mut().insert(ETAG, tag.map_err(|_| Failure::Fault("a version cannot be written".to_owned()))?);
    Ok(answer)
}

/// Which versions a change was made for (RFC 9110, 13.1.1): it holds if the version there is matches any of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// Whatever there is: `*`.
    Any,
    /// One of these, the highest first.
    OneOf(Vec<i64>),
}

/// How many tags of one request are looked at.
const MAX_TAGS: usize = 16;

/// Reads `If-Match`. A weak tag counts as the strong one of the same version: proxies that compress answers weaken tags, and the
/// version says all that there is to say. What is no tag of ours matches nothing.
///
/// # Errors
/// It is missing.
pub(super) fn condition(headers: &HeaderMap) -> Result<Condition, Failure> {
    let sent: Vec<&HeaderValue> = headers.get_all(IF_MATCH).collect();
    if sent.is_empty() {
        return Err(Protocol::Unversioned.into());
    }
    let text: Vec<&str> = sent.into_iter().filter_map(|value| value.to_str().ok()).collect();
    let tags: Vec<&str> = text.iter().flat_map(|text| text.split(',')).map(str::trim).collect();
    if tags == ["*"] {
        return Ok(Condition::Any);
    }
    let mut versions: Vec<i64> = tags.into_iter().take(MAX_TAGS).filter_map(version).collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions.dedup();
    Ok(Condition::OneOf(versions))
}

impl Condition {
    /// Makes a change by `attempt`, which is told the version to hold to; `None` holds to none. Where the version there is turns out
    /// to be another one of those that the request names, the change is tried again for that one.
    ///
    /// # Errors
    /// What `attempt` answers. None of the versions is the one there is: that it has moved on.
    pub(super) fn holding<T>(&self, mut attempt: impl FnMut(Option<i64>) -> Result<T, Failure>) -> Result<T, Failure> {
        let Self::OneOf(versions) = self else { return attempt(None) };
        let mut held = versions.first().copied().unwrap_or(NEVER);
        let mut answer = attempt(Some(held));
        for _ in versions {
            match answer {
                Err(Failure::Office(Refused::Moved { current } | Refused::TicketMoved { current, .. }))
                    if current != held && versions.contains(&current) =>
                {
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
fn version(tag: &str) -> Option<i64> {
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    let digits = tag.strip_prefix('"')?.strip_suffix('"')?;
    digits.parse().ok().filter(|version: &i64| version.to_string() == digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tags: &str) -> Condition {
        condition(&[(IF_MATCH, HeaderValue::from_str(tags).unwrap())].into_iter().collect()).unwrap()
    }

    #[test]
    fn every_tag_of_ours_counts() {
        assert_eq!(read("\"3\""), Condition::OneOf(vec![3]));
        assert_eq!(read("\"3\", \"12\",\"x\", W/\"7\", \"3\""), Condition::OneOf(vec![12, 7, 3]));
        assert_eq!(read("*"), Condition::Any);
        for never in ["3", "w/\"3\"", "W/3", "\"x\"", "", "\"\"", "\"03\"", "\"+3\"", "\" 3\"", "\"*\"", "*, \"x\""] {
            assert_eq!(read(never), Condition::OneOf(vec![]), "{never}");
        }
        assert_eq!(condition(&HeaderMap::new()), Err(Protocol::Unversioned.into()));
    }

    #[test]
    fn a_change_holds_to_the_version_there_is_if_it_is_named() {
        let tried = |tags: &str, current: i64| {
            let mut tried = Vec::new();
            let answer = read(tags).holding(|held| {
                tried.push(held);
                if held.is_none_or(|held| held == current) { Ok(()) } else { Err(Refused::Moved { current }.into()) }
            });
            (answer.is_ok(), tried)
        };
        assert_eq!(tried("\"4\"", 4), (true, vec![Some(4)]));
        assert_eq!(tried("\"4\", \"99\"", 4), (true, vec![Some(99), Some(4)]));
        assert_eq!(tried("\"5\", \"99\"", 4), (false, vec![Some(99)]));
        assert_eq!(tried("*", 4), (true, vec![None]));
        assert_eq!(tried("\"x\"", 4), (false, vec![Some(NEVER)]));
        // another version each time it is looked at
        let mut moving = 10;
        let answer: Result<(), Failure> = read("\"7\", \"8\", \"9\"").holding(|_| {
            moving -= 1;
            Err(Refused::Moved { current: moving }.into())
        });
        assert!(answer.is_err() && moving >= 5);
    }
}
