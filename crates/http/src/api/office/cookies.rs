//! The cookies of the browser's session: their names, attributes and lifetime.

use std::net::{Ipv4Addr, Ipv6Addr};

use actix_web::HttpResponse;
use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use tillgate_auth_core::IssuedTokens;
use tillgate_domain::{Instant, Secret};
use tillgate_web::PageLanguage;

use crate::error::{ApiError, ProtocolError};
use crate::request::cookies::{append_cookie, read_cookies, read_secret_cookies};
use crate::request::head::RequestHead;

/// The names of the two cookies on one kind of connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CookieNames {
    /// The cookie with the access token.
    pub(super) access: &'static str,
    /// The cookie with the refresh token.
    pub(super) renewal: &'static str,
    /// Whether browsers keep them for TLS only.
    secure: bool,
}

/// With TLS. Browsers accept names with this prefix from the host itself only, with `Secure` and
/// without `Domain` (RFC 6265bis, 4.1.3.2), so no other host of the domain can replace them.
static SECURE_NAMES: CookieNames =
    CookieNames { access: "__Host-tillgate-office", renewal: "__Host-tillgate-renew", secure: true };

/// On the machine itself without TLS, where not every browser accepts `Secure` cookies.
static LOOPBACK_NAMES: CookieNames =
    CookieNames { access: "tillgate-office", renewal: "tillgate-renew", secure: false };

/// The headers by which proxies say for whom they forward (RFC 7239; RFC 9110, 7.6.3).
const FORWARDING_HEADERS: [&str; 5] = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];

impl CookieNames {
    /// The names on the connection of a request; `None` without TLS from another machine, where the
    /// tokens would be readable on the network. A request that a proxy has forwarded comes from
    /// another machine, even if the proxy is on this one and names it as the host.
    pub(super) fn of_connection(head: &RequestHead) -> Option<&'static Self> {
        let is_local = || {
            is_loopback_host(head.host())
                && head.address().is_none_or(|address| address.is_loopback())
                && !FORWARDING_HEADERS.iter().any(|name| head.headers().contains_key(*name))
        };
        match head.scheme() {
            "https" => Some(&SECURE_NAMES),
            _ => is_local().then_some(&LOOPBACK_NAMES),
        }
    }

    /// The names on the connection of a request that sets cookies.
    pub(super) fn require_for(head: &RequestHead) -> Result<&'static Self, ApiError> {
        Self::of_connection(head).ok_or_else(|| ProtocolError::TlsRequired.into())
    }

    /// Reads the refresh tokens of a request.
    pub(super) fn read_renewals(&self, head: &RequestHead) -> Vec<Secret<String>> {
        read_secret_cookies(head, self.renewal)
    }

    /// Sets both cookies: the access token until it expires, the refresh token until its session
    /// expires.
    pub(super) fn set_tokens(&self, response: &mut HttpResponse, issued: &IssuedTokens, now: Instant) {
        let seconds = |until: Instant| i64::try_from(until.duration_since(now).as_secs()).unwrap_or(i64::MAX);
        self.set_cookie(response, self.access, issued.access_token.expose(), seconds(issued.access_expires_at));
        if let (Some(token), Some(until)) = (&issued.refresh_token, issued.session_expires_at) {
            self.set_cookie(response, self.renewal, token.expose(), seconds(until));
        }
    }

    /// Removes both cookies.
    pub(super) fn clear(&self, response: &mut HttpResponse) {
        for name in [self.access, self.renewal] {
            self.set_cookie(response, name, "", 0);
        }
    }

    fn set_cookie(&self, response: &mut HttpResponse, name: &str, value: &str, seconds: i64) {
        let cookie = Cookie::build((name, value))
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Strict)
            .max_age(Duration::seconds(seconds));
        append_cookie(response, cookie);
    }
}

/// The cookie with the language that a person chose on a page. The app reads it, too.
const LANGUAGE_COOKIE: &str = "tillgate-locale";

/// How long the browser keeps the language.
const LOCALE_COOKIE_LIFETIME: Duration = Duration::days(365);

/// The language that a person chose in this browser before.
pub(super) fn find_language_cookie(head: &RequestHead) -> Option<PageLanguage> {
    read_cookies(head, LANGUAGE_COOKIE).into_iter().find_map(PageLanguage::from_tag)
}

/// Keeps the language in the browser.
pub(super) fn set_language_cookie(response: &mut HttpResponse, head: &RequestHead, language: PageLanguage) {
    let cookie = Cookie::build((LANGUAGE_COOKIE, language.tag()))
        .path("/")
        .secure(head.scheme() == "https")
        .same_site(SameSite::Lax)
        .max_age(LOCALE_COOKIE_LIFETIME);
    append_cookie(response, cookie);
}

/// Whether a host, with or without a port, is the machine itself (RFC 6761, 6.3).
fn is_loopback_host(host: &str) -> bool {
    if let Some((address, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback());
    }
    let name = host.split_once(':').map_or(host, |(name, _)| name).trim_end_matches('.');
    let lower = name.to_ascii_lowercase();
    lower == "localhost"
        || lower.ends_with(".localhost")
        || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_host_is_recognized_with_and_without_port() {
        for host in ["localhost", "LOCALHOST:8080", "a.localhost", "127.0.0.1:8080", "127.9.9.9", "[::1]:8080", "[::1]"]
        {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in
            ["", "192.168.1.4", "localhost.example", "127.0.0.1.example", "notlocalhost", "[2001:db8::1]", "::1"]
        {
            assert!(!is_loopback_host(host), "{host}");
        }
    }
}
