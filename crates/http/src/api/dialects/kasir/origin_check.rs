//! The origin check of requests that are authenticated by a cookie alone. A browser sends cookies
//! with requests of every page, so changes are accepted from trusted pages only.

use actix_web::http::Uri;
use actix_web::http::header::{HeaderMap, ORIGIN};

use crate::error::{ApiError, ProtocolError};
use crate::request::head::RequestHead;
use crate::serving::cors::{WebOrigin, read_single_header};

/// Header in which browsers report the site of the requesting page (Fetch Metadata, 2.3).
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Rejects a request of a page whose origin is neither the server's own nor one of these.
pub(super) fn check_origin(origins: &[WebOrigin], head: &RequestHead) -> Result<(), ApiError> {
    if is_trusted_sender(origins, head.headers(), head.host()) {
        Ok(())
    } else {
        Err(ProtocolError::UntrustedOrigin.into())
    }
}

fn is_trusted_sender(origins: &[WebOrigin], headers: &HeaderMap, host: &str) -> bool {
    let origin = read_single_header(headers, ORIGIN);
    if origin.is_some_and(|sent| origins.iter().any(|origin| origin.matches(sent))) {
        return true;
    }
    match (headers.contains_key(SEC_FETCH_SITE), headers.contains_key(ORIGIN)) {
        (true, _) => matches!(read_single_header(headers, SEC_FETCH_SITE), Some("same-origin" | "none")),
        (false, true) => origin.is_some_and(|origin| is_same_host(origin, host)),
        // not a browser: a browser sends at least one of the two with a change
        (false, false) => true,
    }
}

/// Whether the origin has this host, with the default port of its scheme if neither has a port.
fn is_same_host(origin: &str, host: &str) -> bool {
    let Ok(uri) = origin.parse::<Uri>() else { return false };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
    let usual = if scheme == "https" { ":443" } else { ":80" };
    let bare = |text: &str| text.strip_suffix(usual).unwrap_or(text).to_ascii_lowercase();
    bare(authority.as_str()) == bare(host)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn sender_is_trusted_by_fetch_metadata_or_origin() {
        let origins = ["https://front.example".parse().unwrap()];
        for (lines, passes) in [
            (&[][..], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "anything")], false),
            (&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://front.example")], true),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://till.example:8080")], false),
            (&[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")], true),
            (&[("origin", "https://front.example")], true),
            (&[("origin", "http://front.example")], false),
            (&[("origin", "https://front.example.evil.example")], false),
            (&[("origin", "http://till.example:8080")], true),
            (&[("origin", "https://TILL.example:8080")], true),
            (&[("origin", "https://till.example")], false),
            (&[("origin", "https://evil.example")], false),
            (&[("origin", "null")], false),
            (&[("origin", "")], false),
            (&[("origin", "till.example:8080")], false),
            (&[("origin", "https://front.example"), ("origin", "https://evil.example")], false),
        ] {
            assert_eq!(is_trusted_sender(&origins, &headers(lines), "till.example:8080"), passes, "{lines:?}");
        }
    }

    #[test]
    fn default_port_may_be_omitted() {
        for (origin, host, same) in [
            ("https://till.example", "till.example:443", true),
            ("https://till.example:443", "till.example", true),
            ("http://till.example", "till.example:80", true),
            ("http://till.example", "till.example:443", false),
            ("http://[::1]:8080", "[::1]:8080", true),
            ("http://till.example", "", false),
        ] {
            assert_eq!(is_same_host(origin, host), same, "{origin} {host}");
        }
    }
}
