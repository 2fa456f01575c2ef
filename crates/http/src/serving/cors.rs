//! Cross-origin requests of scripts in browsers (the CORS protocol of the Fetch standard, 3.2), for
//! every dialect with trusted web origins. The dialect decides which credentials a browser may use;
//! nothing here depends on cookies.

use std::str::FromStr;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    AsHeaderName, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use url::{Host, Url};

/// A web origin whose scripts may send requests with their users' cookies: scheme, host and port
/// (RFC 6454, 4), in the form that browsers send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebOrigin(String);

/// A text is not a web origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a web origin such as https://pos.example or http://localhost:3000")]
pub struct InvalidWebOrigin(String);

impl WebOrigin {
    /// The origin as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether connections to the origin are encrypted, or stay on the machine of the client.
    pub fn is_protected(&self) -> bool {
        let Ok(url) = Url::parse(&self.0) else { return false };
        let is_local = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        url.scheme() == "https" || is_local
    }

    /// Whether a browser's `Origin` header has this origin.
    pub(crate) fn matches(&self, sent: &str) -> bool {
        self.0 == sent
    }
}

impl FromStr for WebOrigin {
    type Err = InvalidWebOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidWebOrigin> {
        let invalid = || InvalidWebOrigin(text.to_owned());
        let url = Url::parse(text).map_err(|_| invalid())?;
        // the parser corrects more than a configuration should contain, such as
        // `https:\\pos.example`
        let (_, authority) = text.split_once("://").ok_or_else(invalid)?;
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let is_plain = |c: char| !(c.is_whitespace() || c.is_control() || "/\\?#@%".contains(c));
        if matches!(url.scheme(), "http" | "https") && authority.chars().all(is_plain) {
            Ok(Self(url.origin().ascii_serialization()))
        } else {
            Err(invalid())
        }
    }
}

/// Returns the value of a header that occurs once and is text. If a header is repeated, different
/// readers could use different values.
pub(crate) fn read_single_header(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    let mut lines = headers.get_all(name);
    match (lines.next(), lines.next()) {
        (Some(line), None) => line.to_str().ok(),
        _ => None,
    }
}

/// The methods that scripts may use on every path. A method without a route is included, because a
/// browser hides the 404 or 405 from the page if the preflight did not allow the method.
const ALLOWED_METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";

/// The request headers on which the response to a preflight depends.
const PREFLIGHT_VARY: &str = "Access-Control-Request-Method, Access-Control-Request-Headers, Origin";

/// Answers a CORS preflight (Fetch, 3.2.2) on every path, as Fiber's cors middleware does. The
/// response to an untrusted origin names no origin (see [`add_cors_headers`]), so that the browser
/// does not send the request. `None` if the request is not a preflight, or if there are no trusted
/// origins.
pub(crate) fn answer_preflight(origins: &[WebOrigin], method: &Method, headers: &HeaderMap) -> Option<HttpResponse> {
    let has_preflight_headers = [ORIGIN, ACCESS_CONTROL_REQUEST_METHOD].iter().all(|name| headers.contains_key(name));
    if origins.is_empty() || *method != Method::OPTIONS || !has_preflight_headers {
        return None;
    }
    let mut response = HttpResponse::NoContent().finish();
    let response_headers = response.headers_mut();
    response_headers.insert(VARY, HeaderValue::from_static(PREFLIGHT_VARY));
    response_headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(ALLOWED_METHODS));
    response_headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type"));
    response_headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    Some(response)
}

/// Allows scripts of trusted origins to read the response.
pub(crate) fn add_cors_headers(origins: &[WebOrigin], headers: &HeaderMap, response: &mut HttpResponse) {
    if origins.is_empty() {
        return;
    }
    let trusted = find_trusted_origin(origins, headers).and_then(|origin| HeaderValue::from_str(origin.as_str()).ok());
    let response_headers = response.headers_mut();
    if response_headers.get(VARY).is_none_or(|varies| varies != PREFLIGHT_VARY) {
        response_headers.append(VARY, HeaderValue::from_static("Origin"));
    }
    if let Some(origin) = trusted {
        response_headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        response_headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        response_headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After, X-Request-Id"));
    }
}

fn find_trusted_origin<'o>(origins: &'o [WebOrigin], headers: &HeaderMap) -> Option<&'o WebOrigin> {
    let sent = read_single_header(headers, ORIGIN)?;
    origins.iter().find(|origin| origin.matches(sent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_origin_is_normalized_as_browsers_write_it() {
        for (text, written) in [
            ("https://pos.example", "https://pos.example"),
            ("https://POS.example:443/", "https://pos.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:80", "http://[::1]"),
            ("https://predajňa.example", "https://xn--predaja-5kb.example"),
        ] {
            assert_eq!(text.parse::<WebOrigin>().unwrap().as_str(), written);
        }
        for bad in [
            "",
            "*",
            "null",
            "pos.example",
            "https://",
            "ftp://pos.example",
            "https://pos.example/app",
            "https://pos.example/?a",
            "https://user@pos.example",
            "https://:secret@pos.example",
            "https://pos.example/#a",
            "https://pos.example:99999",
            "https://*.example https://a",
            "https:pos.example",
            "https:\\\\pos.example",
            "https:///pos.example",
            "https://pos\t.example",
            "https://%70os.example",
        ] {
            assert!(bad.parse::<WebOrigin>().is_err(), "{bad}");
        }
    }
}
