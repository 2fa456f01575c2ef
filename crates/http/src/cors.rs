//! Calls of scripts that a browser loaded from elsewhere (the CORS protocol of the Fetch standard, 3.2), for every contract that
//! names web origins. What a browser may send where, a contract says; nothing here knows a cookie.

use std::str::FromStr;

use actix_web::HttpResponse;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    AsHeaderName, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use actix_web::http::{Method, Uri};

/// A web origin that is trusted with its users' cookies: scheme, host and port (RFC 6454, 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebOrigin(String);

/// A text that names no web origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no web origin such as https://pos.example or http://localhost:3000")]
pub struct InvalidWebOrigin(String);

impl WebOrigin {
    /// As browsers write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a browser's `RequestMeta` names it.
    pub(crate) fn matches(&self, sent: &str) -> bool {
        self.0 == sent
    }
}

impl FromStr for WebOrigin {
    type Err = InvalidWebOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidWebOrigin> {
        let invalid = || InvalidWebOrigin(text.to_owned());
        let uri: Uri = text.trim().parse().map_err(|_| invalid())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(invalid()) };
        let usual = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return Err(invalid()),
        };
        let bare = uri.path_and_query().is_none_or(|rest| rest == "/");
        if !bare || authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(invalid());
        }
        let host = authority.host().to_ascii_lowercase();
        Ok(Self(match authority.port_u16().filter(|port| *port != usual) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        }))
    }
}

/// The only header of this name, where it is text. Of two, one reader would take the one and another the other.
pub(crate) fn read_single_header(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    let mut lines = headers.get_all(name);
    match (lines.next(), lines.next()) {
        (Some(line), None) => line.to_str().ok(),
        _ => None,
    }
}

/// The methods that scripts may call with, whatever the path: a page is to read the 404 or 405 of a call that is not served, and a
/// browser hides both from it where the preflight did not allow the call.
const ALLOWED_METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";

/// The request headers that the answer to a preflight depends on.
const PREFLIGHT_VARY: &str = "Access-Control-Request-Method, Access-Control-Request-Headers, Origin";

/// The answer to a browser that asks on a script's behalf whether it may call (Fetch, 3.2.2), as Fiber's cors middleware answers it on
/// every path. For an origin that is not one of these the answer names no origin ([`adorn`]), and the browser makes no call. `None`
/// where the request asks nothing, or there are no origins.
pub(crate) fn answer_preflight(origins: &[WebOrigin], method: &Method, headers: &HeaderMap) -> Option<HttpResponse> {
    let asks = [ORIGIN, ACCESS_CONTROL_REQUEST_METHOD].iter().all(|name| headers.contains_key(name));
    if origins.is_empty() || *method != Method::OPTIONS || !asks {
        return None;
    }
    let mut answer = HttpResponse::NoContent().finish();
    let said = answer.headers_mut();
    said.insert(VARY, HeaderValue::from_static(PREFLIGHT_VARY));
    said.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(ALLOWED_METHODS));
    said.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type"));
    said.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    Some(answer)
}

/// Lets the scripts of these origins read the answer.
pub(crate) fn add_cors_headers(origins: &[WebOrigin], headers: &HeaderMap, answer: &mut HttpResponse) {
    if origins.is_empty() {
        return;
    }
    let trusted = find_trusted_origin(origins, headers).and_then(|origin| HeaderValue::from_str(origin.as_str()).ok());
    let said = answer.headers_mut();
    if said.get(VARY).is_none_or(|varies| varies != PREFLIGHT_VARY) {
        said.append(VARY, HeaderValue::from_static("Origin"));
    }
    if let Some(origin) = trusted {
        said.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        said.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        said.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Retry-After, X-Request-Id"));
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
            "https://*.example https://a",
        ] {
            assert!(bad.parse::<WebOrigin>().is_err(), "{bad}");
        }
    }
}
