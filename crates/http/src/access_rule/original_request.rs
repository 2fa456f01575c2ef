//! The original request of a gateway check: method and target, in the headers of nginx
//! (`X-Original-Method`, `X-Original-URI`), of ingress-nginx (`X-Original-URL`, a full URL) or of
//! Traefik and Caddy (`X-Forwarded-Method`, `X-Forwarded-Uri`).
//!
//! A gateway also passes on the client's own headers, so a client could add the headers of another
//! gateway to have another path checked. Therefore a pair of headers must be complete, and all
//! pairs must agree.

use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::error::{ApiError, ProtocolError};

/// The request that a gateway has received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OriginalRequest {
    pub(crate) method: Method,
    /// Path and query as sent by the client.
    pub(crate) target: String,
}

const ORIGINAL_HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("x-original-method"), HeaderName::from_static("x-original-uri")];
/// Header of ingress-nginx with the target: `https://host/path?query`.
const ORIGINAL_URL_HEADER: HeaderName = HeaderName::from_static("x-original-url");
const FORWARDED_HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("x-forwarded-method"), HeaderName::from_static("x-forwarded-uri")];

impl OriginalRequest {
    /// Reads the original request from the headers.
    ///
    /// # Errors
    /// There is none, because the gateway is misconfigured; or the headers contradict each other,
    /// because the client has added some.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Result<Self, ApiError> {
        match (read_header_pair(headers, &ORIGINAL_HEADERS)?, read_header_pair(headers, &FORWARDED_HEADERS)?) {
            (Some(one), Some(other)) if one != other => Err(ProtocolError::NoAccessRule.into()),
            (Some(original), _) | (None, Some(original)) => Ok(original),
            (None, None) => Err(ProtocolError::MissingOriginalRequest.into()),
        }
    }
}

/// Reads a pair of headers; `None` if neither is present.
fn read_header_pair(headers: &HeaderMap, names: &[HeaderName; 2]) -> Result<Option<OriginalRequest>, ProtocolError> {
    let [method, target] = names;
    let names_original = names == &ORIGINAL_HEADERS;
    let mut lines = [method, target].map(|name| headers.get_all(name));
    let [method, target] = lines.each_mut().map(Iterator::next);
    if lines.iter_mut().any(|more| more.next().is_some()) {
        return Err(ProtocolError::NoAccessRule);
    }
    let url = if names_original { read_original_url(headers)? } else { None };
    let text = |target: &HeaderValue| target.to_str().map(str::to_owned).map_err(|_| ProtocolError::NoAccessRule);
    let target = match (target.map(text).transpose()?, url) {
        (Some(target), Some(url)) if target != url => return Err(ProtocolError::NoAccessRule),
        (target, url) => target.or(url),
    };
    let (method, target) = match (method, target) {
        (None, None) => return Ok(None),
        (Some(method), Some(target)) => (method, target),
        _ => return Err(ProtocolError::NoAccessRule),
    };
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| ProtocolError::NoAccessRule)?;
    Ok(Some(OriginalRequest { method, target }))
}

/// Returns path and query of `X-Original-URL`; `None` if it is absent.
fn read_original_url(headers: &HeaderMap) -> Result<Option<String>, ProtocolError> {
    let mut urls = headers.get_all(ORIGINAL_URL_HEADER);
    let Some(url) = urls.next() else { return Ok(None) };
    let (None, Ok(url)) = (urls.next(), url.to_str()) else { return Err(ProtocolError::NoAccessRule) };
    let rest = url.split_once("://").filter(|(scheme, _)| matches!(*scheme, "https" | "http")).map(|(_, rest)| rest);
    let Some(rest) = rest else { return Err(ProtocolError::NoAccessRule) };
    // the authority ends before the path or the query, or at the end
    match rest.find(['/', '?']) {
        Some(at) if rest.as_bytes().get(at) == Some(&b'/') => Ok(rest.get(at..).map(str::to_owned)),
        _ => Err(ProtocolError::NoAccessRule),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_original_request(lines: &[(&'static str, &'static str)]) -> Result<(String, String), &'static str> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        OriginalRequest::from_headers(&headers)
            .map(|original| (original.method.to_string(), original.target))
            .map_err(|failure| failure.code())
    }

    #[test]
    fn second_header_pair_must_name_the_same_request() {
        let (method, uri) = (("x-original-method", "PUT"), ("x-original-uri", "/a?b"));
        let (other_method, other_uri) = (("x-forwarded-method", "PUT"), ("x-forwarded-uri", "/a?b"));
        let put = Ok(("PUT".to_owned(), "/a?b".to_owned()));
        for (lines, expected) in [
            (&[method, uri][..], &put),
            (&[other_method, other_uri], &put),
            (&[method, uri, other_method, other_uri], &put),
            (&[], &Err("access_nothing_asked")),
            (&[method], &Err("access_unlisted")),
            (&[uri], &Err("access_unlisted")),
            (&[uri, other_method], &Err("access_unlisted")),
            (&[method, uri, other_method], &Err("access_unlisted")),
            (&[method, uri, other_uri], &Err("access_unlisted")),
            (&[method, uri, other_method, ("x-forwarded-uri", "/b")], &Err("access_unlisted")),
            (&[method, uri, ("x-forwarded-method", "GET"), other_uri], &Err("access_unlisted")),
            (&[method, uri, ("x-original-uri", "/b")], &Err("access_unlisted")),
            (&[method, uri, uri], &Err("access_unlisted")),
            (&[method, ("x-original-url", "https://shop.example/a?b")], &put),
            (&[method, uri, ("x-original-url", "https://shop.example/a?b")], &put),
            (&[method, ("x-original-url", "http://[::1]:8080/a?b"), other_method, other_uri], &put),
            (&[method, uri, ("x-original-url", "https://shop.example/b")], &Err("access_unlisted")),
            (&[("x-original-url", "https://shop.example/a?b")], &Err("access_unlisted")),
            (&[method, ("x-original-url", "/a?b")], &Err("access_unlisted")),
            (&[method, ("x-original-url", "https://shop.example?/a")], &Err("access_unlisted")),
            (&[method, ("x-original-url", "https://shop.example")], &Err("access_unlisted")),
            (&[method, ("x-original-url", "ftp://shop.example/a?b")], &Err("access_unlisted")),
            (&[("x-original-method", "P T"), uri], &Err("access_unlisted")),
            (&[("x-original-method", ""), uri], &Err("access_unlisted")),
        ] {
            assert_eq!(&read_original_request(lines), expected, "{lines:?}");
        }
    }
}
