//! Where a request comes from that a cookie alone proves. A browser sends cookies along whoever wrote the page, so what changes
//! something is taken from trusted pages only.

use actix_web::http::Uri;
use actix_web::http::header::{HeaderMap, ORIGIN};

use crate::cors::{WebOrigin, only};
use crate::failure::{Failure, Protocol};
use crate::head::Head;

/// What browsers say of where a request comes from (Fetch Metadata, 2.3).
const SITE: &str = "sec-fetch-site";

/// Refuses a request that comes from a page of another origin than the server's own and these.
pub(super) fn check(origins: &[WebOrigin], head: &Head) -> Result<(), Failure> {
    if admits(origins, head.headers(), head.host()) { Ok(()) } else { Err(Protocol::ForeignOrigin.into()) }
}

fn admits(origins: &[WebOrigin], headers: &HeaderMap, host: &str) -> bool {
    let origin = only(headers, ORIGIN);
    if origin.is_some_and(|sent| origins.iter().any(|origin| origin.is(sent))) {
        return true;
    }
    match (headers.contains_key(SITE), headers.contains_key(ORIGIN)) {
        (true, _) => matches!(only(headers, SITE), Some("same-origin" | "none")),
        (false, true) => origin.is_some_and(|origin| is_host(origin, host)),
        // no browser: none leaves both out where something is changed
        (false, false) => true,
    }
}

/// Whether the origin is at this host, with the port that its scheme has where neither names one.
fn is_host(origin: &str, host: &str) -> bool {
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
    fn what_comes_from_where() {
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
            assert_eq!(admits(&origins, &headers(lines), "till.example:8080"), passes, "{lines:?}");
        }
    }

    #[test]
    fn the_usual_port_is_written_or_not() {
        for (origin, host, same) in [
            ("https://till.example", "till.example:443", true),
            ("https://till.example:443", "till.example", true),
            ("http://till.example", "till.example:80", true),
            ("http://till.example", "till.example:443", false),
            ("http://[::1]:8080", "[::1]:8080", true),
            ("http://till.example", "", false),
        ] {
            assert_eq!(is_host(origin, host), same, "{origin} {host}");
        }
    }
}
