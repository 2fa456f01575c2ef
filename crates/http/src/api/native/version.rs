//! Versions of resources: `ETag` in responses and `If-Match` in requests (RFC 9110, 8.8.3 and
//! 13.1.1).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, HeaderValue, IF_MATCH, IfMatch};
use serde::Serialize;

use crate::error::{ApiError, ProtocolError};
use crate::request::head::RequestHead;
use crate::serving::response::render_json;

/// Renders a resource with its version in `ETag`.
pub(super) fn render_versioned(
    status: StatusCode,
    version: i64,
    body: &impl Serialize,
) -> Result<HttpResponse, ApiError> {
    let mut response = render_json(status, body)?;
    let tag = HeaderValue::from_str(&format!("\"{version}\""));
    response.headers_mut().insert(ETAG, tag.map_err(|_| ApiError::Fault("a version cannot be written".to_owned()))?);
    Ok(response)
}

/// Reads the versions in `If-Match`, of which the resource must have one (RFC 9110, 13.1.1); `None`
/// for `*`, which matches every version. A weak tag is equivalent to the strong tag of the same
/// version, because proxies that compress responses weaken tags and the version identifies the
/// content completely. Any other tag matches nothing, nor does a header with bytes outside of
/// ASCII, which no tag of this API contains.
///
/// # Errors
/// The header is missing.
pub(super) fn read_if_match(head: &RequestHead) -> Result<Option<Vec<i64>>, ApiError> {
    if !head.headers().contains_key(IF_MATCH) {
        return Err(ProtocolError::PreconditionRequired.into());
    }
    Ok(head.typed_header().map_or(Some(Vec::new()), versions_in))
}

fn versions_in(header: IfMatch) -> Option<Vec<i64>> {
    let IfMatch::Items(tags) = header else { return None };
    Some(tags.iter().filter_map(|tag| parse_version(tag.tag())).collect())
}

/// Parses the version in a tag written by [`render_versioned`].
fn parse_version(digits: &str) -> Option<i64> {
    digits.parse().ok().filter(|version: &i64| version.to_string() == digits)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::Header;
    use actix_web::test::TestRequest;

    use super::*;

    fn read_versions(tags: &str) -> Option<Vec<i64>> {
        let request = TestRequest::default().insert_header((IF_MATCH, tags)).to_http_request();
        versions_in(IfMatch::parse(&request).unwrap())
    }

    #[test]
    fn every_valid_tag_counts() {
        assert_eq!(read_versions("\"3\""), Some(vec![3]));
        assert_eq!(read_versions("\"3\", \"12\",\"x\", W/\"7\", \"3\""), Some(vec![3, 12, 7, 3]));
        let many: Vec<String> = (1..=40).map(|version| format!("\"{version}\"")).collect();
        assert_eq!(read_versions(&many.join(", ")), Some((1..=40).collect()));
        assert_eq!(read_versions("*"), None);
        for never in ["3", "w/\"3\"", "W/3", "\"x\"", "", "\"\"", "\"03\"", "\"+3\"", "\" 3\"", "\"*\"", "*, \"x\""] {
            assert_eq!(read_versions(never), Some(vec![]), "{never}");
        }
    }
}
