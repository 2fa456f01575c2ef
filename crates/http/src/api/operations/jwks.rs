//! The public keys (RFC 7517, 5), with which other systems verify tokens. They may cache them for a
//! limited time.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderMap, IF_NONE_MATCH};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tillgate_auth_core::digest::sha256;

use crate::error::ApiError;
use crate::request::Request;

/// Maximum time for which the keys may be cached. A revoked key is accepted elsewhere for up to
/// this long.
const MAX_JWKS_AGE: Duration = Duration::from_mins(5);

pub(super) async fn get_jwks(call: Request) -> Result<HttpResponse, ApiError> {
    let keys = call.auth().jwks();
    let tag = etag(&keys);
    let max_age = jwks_max_age(call.auth().key_lead()).as_secs();
    let known = matches_etag(call.head().headers(), &tag);
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, tag)).insert_header((CACHE_CONTROL, format!("public, max-age={max_age}")));
    Ok(if known {
        response.finish()
    } else {
        response.content_type("application/jwk-set+json").body(keys.as_bytes().to_vec())
    })
}

/// Returns how long the keys may be cached. A new key is published for `lead` before it signs, so
/// that a client that fetches twice in that time has it.
fn jwks_max_age(lead: Duration) -> Duration {
    MAX_JWKS_AGE.min(lead / 2)
}

/// Returns a tag that is equal for two key sets only if they are equal (RFC 9110, 8.8.3).
fn etag(keys: &str) -> String {
    let digest = sha256(keys.as_bytes());
    format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(digest.get(..16).unwrap_or_default()))
}

/// Whether the client has these keys (RFC 9110, 13.1.2). Our tags contain no comma.
fn matches_etag(headers: &HeaderMap, tag: &str) -> bool {
    let lines = headers.get_all(IF_NONE_MATCH).filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).any(|each| {
        let each = each.strip_prefix("W/").unwrap_or(each);
        each == "*" || each == tag
    })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn jwks_max_age_shows_a_key_before_it_signs() {
        for (lead, expected) in [(86_400, 300), (600, 300), (60, 30), (1, 0), (0, 0)] {
            assert_eq!(jwks_max_age(Duration::from_secs(lead)).as_secs(), expected, "{lead}");
        }
    }

    #[test]
    fn etag_matches_alone_in_a_list_and_weakly() {
        let tag = etag("{}");
        for (sent, known) in [
            (tag.clone(), true),
            (format!("\"other\", {tag}"), true),
            (format!("W/{tag}"), true),
            ("*".to_owned(), true),
            ("\"other\"".to_owned(), false),
            (tag.replace('"', ""), false),
            (String::new(), false),
        ] {
            let headers = [(IF_NONE_MATCH, HeaderValue::from_str(&sent).unwrap())].into_iter().collect();
            assert_eq!(matches_etag(&headers, &tag), known, "{sent}");
        }
        assert!(!matches_etag(&HeaderMap::new(), &tag));
    }
}
