//! Versions of what can be changed: `ETag` in answers, `If-Match` in changes (RFC 9110, 8.8.3 and 13.1.1).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, HeaderMap, HeaderValue, IF_MATCH};
use serde::Serialize;

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

/// The version that a change was made for; `None` where it was made for whatever there is.
///
/// Of several tags the highest counts: versions only rise, so of those that a client has seen no other can be the one there is.
/// What is no tag of ours is a version that nothing has.
///
/// # Errors
/// It does not say.
pub(super) fn held(headers: &HeaderMap) -> Result<Option<i64>, Failure> {
    let sent: Vec<&HeaderValue> = headers.get_all(IF_MATCH).collect();
    if sent.is_empty() {
        return Err(Protocol::Unversioned.into());
    }
    let text: Vec<&str> = sent.into_iter().filter_map(|value| value.to_str().ok()).collect();
    let tags: Vec<&str> = text.iter().flat_map(|text| text.split(',')).map(str::trim).collect();
    if tags == ["*"] {
        return Ok(None);
    }
    Ok(Some(tags.into_iter().filter_map(version).max().unwrap_or(NEVER)))
}

/// The version of a tag as [`shown`] writes it; tags are the same only to the letter.
fn version(tag: &str) -> Option<i64> {
    let digits = tag.strip_prefix('"')?.strip_suffix('"')?;
    digits.parse().ok().filter(|version: &i64| version.to_string() == digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_tag_counts() {
        let held =
            |tags: &str| held(&[(IF_MATCH, HeaderValue::from_str(tags).unwrap())].into_iter().collect()).unwrap();
        assert_eq!(held("\"3\""), Some(3));
        assert_eq!(held("\"3\", \"12\",\"x\""), Some(12));
        assert_eq!(held("*"), None);
        for never in ["3", "W/\"3\"", "\"x\"", "", "\"\"", "\"03\"", "\"+3\"", "\" 3\"", "\"*\""] {
            assert_eq!(held(never), Some(NEVER), "{never}");
        }
    }
}
