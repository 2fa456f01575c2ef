//! The origin check of requests that are authenticated by a cookie alone. A browser sends cookies
//! with requests of every page, so changes are accepted from trusted pages only.

use actix_web::http::Uri;
use actix_web::http::header::{HeaderMap, ORIGIN};

use crate::error::{ApiError, ProtocolError};
use crate::request::head::RequestHead;
use crate::serving::cors::{WebOrigin, read_single_header};

/// Header in which browsers report the site of the requesting page (Fetch Metadata, 2.3).
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Which senders may change something with a cookie.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TrustedSenders<'o> {
    /// The server's own pages, pages of these origins, and programs that are no browsers. For a
    /// contract that scripts use with cookies, too.
    PagesAndPrograms(&'o [WebOrigin]),
    /// The server's own pages only. A request that does not say who sends it is rejected.
    OwnPages,
}

/// Rejects a request whose sender is not one of these.
pub(crate) fn check_origin(trusted: TrustedSenders<'_>, head: &RequestHead) -> Result<(), ApiError> {
    let passes = match trusted {
        TrustedSenders::PagesAndPrograms(origins) => is_trusted_sender(origins, head.headers(), head.host()),
        TrustedSenders::OwnPages => is_own_page(head.headers(), head.scheme(), head.host()),
    };
    if passes { Ok(()) } else { Err(ProtocolError::UntrustedOrigin.into()) }
}

/// Whether a page of this server sent the request. Browsers of before 2023 send only `Origin`, and
/// so does every browser over plain HTTP.
fn is_own_page(headers: &HeaderMap, scheme: &str, host: &str) -> bool {
    if headers.contains_key(SEC_FETCH_SITE) {
        return read_single_header(headers, SEC_FETCH_SITE) == Some("same-origin");
    }
    read_single_header(headers, ORIGIN).is_some_and(|origin| {
        let downgraded = scheme == "https" && !origin.starts_with("https://");
        !downgraded && is_same_host(origin, host)
    })
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
    fn own_page_is_recognized_by_fetch_metadata_then_by_origin() {
        for (lines, https, passes) in [
            (&[][..], true, false),
            (&[("sec-fetch-site", "same-origin")], true, true),
            (&[("sec-fetch-site", "same-origin")], false, true),
            (&[("sec-fetch-site", "none")], true, false),
            (&[("sec-fetch-site", "same-site")], true, false),
            (&[("sec-fetch-site", "cross-site")], true, false),
            (&[("sec-fetch-site", "none"), ("origin", "https://till.example")], true, false),
            (&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], true, false),
            (&[("origin", "https://till.example")], true, true),
            (&[("origin", "https://till.example:443")], true, true),
            (&[("origin", "http://till.example:443")], true, false),
            // behind a proxy that does not report the scheme
            (&[("origin", "https://till.example")], false, true),
            (&[("origin", "http://till.example")], false, true),
            (&[("origin", "https://evil.example")], true, false),
            (&[("origin", "https://till.example.evil.example")], true, false),
            (&[("origin", "null")], true, false),
            (&[("origin", "https://till.example"), ("origin", "https://evil.example")], true, false),
        ] {
            let scheme = if https { "https" } else { "http" };
            assert_eq!(is_own_page(&headers(lines), scheme, "till.example"), passes, "{lines:?} {scheme}");
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
