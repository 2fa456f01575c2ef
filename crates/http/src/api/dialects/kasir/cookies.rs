//! The access and refresh token cookies: attributes and lifetime.

use actix_web::HttpResponse;
use cookie::Cookie;
use tillgate_auth_core::IssuedTokens;
use tillgate_domain::Instant;

use super::BrowserSettings;
use crate::request::cookies::append_cookie;
use crate::request::head::RequestHead;

/// Name of the access token cookie.
pub(super) const ACCESS_COOKIE: &str = "access_token";
/// Name of the refresh token cookie.
pub(super) const REFRESH_COOKIE: &str = "refresh_token";

/// Whether cookies have the attribute `Secure`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecurePolicy {
    /// If the client used https, to this server or to a trusted proxy that reports it.
    #[default]
    Auto,
    /// Cookies are always secure.
    On,
    /// Cookies are never secure.
    Off,
}

/// The attribute `SameSite` of cookies (RFC 6265bis, 4.1.2.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameSite {
    /// `None` if other web origins are trusted and the cookie is secure, otherwise `Lax`.
    #[default]
    Auto,
    /// Cookies are sent from the same site only.
    Strict,
    /// Cookies are sent from the same site, and when a user follows a link.
    Lax,
    /// Cookies are sent from every site. They are always secure, because browsers require it.
    None,
}

impl BrowserSettings {
    fn cookie_attributes(&self, https: bool) -> (bool, cookie::SameSite) {
        let secure = match self.secure {
            SecurePolicy::Auto => https,
            SecurePolicy::On => true,
            SecurePolicy::Off => false,
        };
        match self.same_site {
            SameSite::Auto if secure && !self.origins.is_empty() => (true, cookie::SameSite::None),
            SameSite::Auto | SameSite::Lax => (secure, cookie::SameSite::Lax),
            SameSite::Strict => (secure, cookie::SameSite::Strict),
            SameSite::None => (true, cookie::SameSite::None),
        }
    }

    fn set_cookie(&self, response: &mut HttpResponse, head: &RequestHead, name: &str, value: &str, seconds: i64) {
        let (secure, same_site) = self.cookie_attributes(head.scheme() == "https");
        let cookie = Cookie::build((name, value))
            .path("/")
            .http_only(true)
            .secure(secure)
            .same_site(same_site)
            .max_age(cookie::time::Duration::seconds(seconds));
        append_cookie(response, cookie);
    }

    /// Sets both cookies: the access token until it expires, the refresh token until its session
    /// expires.
    pub(super) fn set_token_cookies(
        &self,
        response: &mut HttpResponse,
        head: &RequestHead,
        granted: &IssuedTokens,
        now: Instant,
    ) {
        let seconds = |until: Instant| i64::try_from(until.duration_since(now).as_secs()).unwrap_or(i64::MAX);
        self.set_cookie(
            response,
            head,
            ACCESS_COOKIE,
            granted.access_token.expose(),
            seconds(granted.access_expires_at),
        );
        if let (Some(token), Some(until)) = (&granted.refresh_token, granted.session_expires_at) {
            self.set_cookie(response, head, REFRESH_COOKIE, token.expose(), seconds(until));
        }
    }

    /// Removes both cookies.
    pub(super) fn clear_token_cookies(&self, response: &mut HttpResponse, head: &RequestHead) {
        for name in [ACCESS_COOKIE, REFRESH_COOKIE] {
            self.set_cookie(response, head, name, "", 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use cookie::SameSite as Written;

    use super::*;

    #[test]
    fn same_site_none_cookie_is_secure() {
        let front = || vec!["https://front.example".parse().unwrap()];
        let web = |origins, secure, same_site| BrowserSettings { origins, secure, same_site };
        for (web, https, secure, same_site) in [
            (BrowserSettings::default(), false, false, Written::Lax),
            (BrowserSettings::default(), true, true, Written::Lax),
            (web(front(), SecurePolicy::Auto, SameSite::Auto), false, false, Written::Lax),
            (web(front(), SecurePolicy::Auto, SameSite::Auto), true, true, Written::None),
            (web(front(), SecurePolicy::Off, SameSite::Auto), true, false, Written::Lax),
            (web(front(), SecurePolicy::On, SameSite::Auto), false, true, Written::None),
            (web(vec![], SecurePolicy::On, SameSite::Strict), false, true, Written::Strict),
            (web(front(), SecurePolicy::Auto, SameSite::Lax), true, true, Written::Lax),
            (web(vec![], SecurePolicy::Auto, SameSite::None), false, true, Written::None),
        ] {
            assert_eq!(web.cookie_attributes(https), (secure, same_site), "{web:?} {https}");
        }
    }
}
