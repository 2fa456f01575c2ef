//! The back office in the browser, mounted like a dialect: its pages and the session of the browser
//! at its prefix, and below `/api/v1` the native API, whose credentials are a cookie.
//!
//! Both mounts have one name, so that the tokens of the browser's session open both and nothing
//! else. The tokens are in cookies only: no response contains one, so no script can read it. The
//! native API itself accepts no cookie and needs no defense against forged requests.

mod api;
mod app;
mod auth_pages;
mod cookies;
mod invitation;
mod session;
mod set_up;
mod verify_email;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Bytes;
use tillgate_auth_core::{OfficeTerms, RefreshTerms, RequestCredentials, Terms};

pub use api::OfficeApi;

use crate::api::native;
use crate::error::ApiError;
use crate::request::cookies::read_cookies;
use crate::request::head::RequestHead;
use crate::request::origin_check::{TrustedSenders, check_origin};
use crate::serving::dialect::Dialect;
use crate::serving::rate_limiter::RateLimiter;
use crate::serving::route::Route;
use cookies::CookieNames;

/// The number of tokens of mailed links that one address can try per minute.
const TOKENS_PER_MINUTE: u32 = 20;

/// The pages of the back office and the session of the browser, as a dialect.
#[derive(Clone, Debug)]
pub struct OfficePages {
    terms: Terms,
    /// Rate limit of used and guessed tokens per address.
    limiter: Arc<RateLimiter>,
}

impl OfficePages {
    /// The name of the back office in configuration, tokens, logs and metrics.
    pub const NAME: &'static str = "office";

    /// Creates the back office with these terms for its sessions.
    pub fn new(terms: Terms) -> Self {
        Self { terms, limiter: Arc::new(RateLimiter::new(TOKENS_PER_MINUTE)) }
    }

    /// The default terms. The executable takes them from its configuration, whose defaults are the
    /// same. An access token lives as long as the session may be idle: a page renews it only after
    /// somebody used the page.
    pub fn default_terms() -> Terms {
        Self::terms_of(
            Duration::from_mins(15),
            Duration::from_hours(1),
            Duration::from_hours(12),
            Duration::from_mins(5),
        )
    }

    /// The terms of sessions that end after `idle` without use, or after `read_only_idle` while
    /// their user may change nothing, and in any case `absolute` after the sign-in. Acts that give
    /// or take access require a proof of identity that is at most `max_proof_age` old.
    pub fn terms_of(idle: Duration, read_only_idle: Duration, absolute: Duration, max_proof_age: Duration) -> Terms {
        let overlap = Duration::from_mins(2).min(idle.min(read_only_idle) / 2);
        Terms {
            access: idle,
            refresh: Some(RefreshTerms { idle: Some(idle), overlap: Some(overlap), first_reusable: false }),
            absolute: Some(absolute),
            midnight: false,
            exchange_overlap: None,
            office: Some(OfficeTerms { read_only_access: read_only_idle, read_only_idle, max_proof_age }),
        }
    }
}

impl Dialect for OfficePages {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn terms(&self) -> Option<&Terms> {
        Some(&self.terms)
    }

    fn read_credentials<'r>(
        &self,
        head: &'r RequestHead,
        _body: &'r Bytes,
    ) -> Result<RequestCredentials<'r>, ApiError> {
        read_cookie_credentials(head)
    }

    fn rate_limit(&self, head: &RequestHead) -> Result<(), ApiError> {
        let tries_token = match head.route_path() {
            native::INVITATION_PATH => *head.method() == Method::POST,
            // opening the link says whether the token is valid
            native::VERIFY_EMAIL_PATH => true,
            _ => false,
        };
        if tries_token { self.limiter.check_rate(head) } else { Ok(()) }
    }

    fn rate_limiter_bytes(&self) -> Option<usize> {
        Some(self.limiter.size_bytes())
    }

    fn response_headers(&self) -> &[(HeaderName, HeaderValue)] {
        &*RESPONSE_HEADERS
    }

    fn routes(&self) -> Vec<Route> {
        [
            app::routes(),
            auth_pages::routes(),
            invitation::routes(),
            session::routes(),
            set_up::routes(),
            verify_email::routes(),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn render_error(&self, failure: &ApiError, head: &RequestHead) -> HttpResponse {
        if head.route_path() == session::SESSION_PATH {
            native::render_error(failure, head)
        } else {
            auth_pages::render_error_page(failure, head)
        }
    }
}

/// Headers of every response of both mounts: the version, by which a page recognizes that it is
/// older than the server, and the isolation of its documents and data from other sites.
static RESPONSE_HEADERS: LazyLock<[(HeaderName, HeaderValue); 4]> = LazyLock::new(|| {
    let header = |name, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
    // two builds of one version may have different files
    let version = format!("{}+{}", env!("CARGO_PKG_VERSION"), tillgate_web::digest());
    let unknown = HeaderValue::from_static(env!("CARGO_PKG_VERSION"));
    [
        (HeaderName::from_static("x-tillgate-version"), HeaderValue::try_from(version).unwrap_or(unknown)),
        header("cross-origin-opener-policy", "same-origin"),
        header("cross-origin-resource-policy", "same-origin"),
        header("permissions-policy", PERMISSIONS_POLICY),
    ]
});

/// Features that the pages use; the others are off.
const PERMISSIONS_POLICY: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=(), \
     clipboard-write=(self), publickey-credentials-create=(self), publickey-credentials-get=(self)";

/// Reads the access token from the cookie. A change is accepted from pages of this server only.
fn read_cookie_credentials(head: &RequestHead) -> Result<RequestCredentials<'_>, ApiError> {
    let Some(names) = CookieNames::of_connection(head) else { return Ok(RequestCredentials::None) };
    let tokens = read_cookies(head, names.access);
    if tokens.is_empty() {
        return Ok(RequestCredentials::None);
    }
    if !matches!(*head.method(), Method::GET | Method::HEAD) {
        check_origin(TrustedSenders::OwnPages, head)?;
    }
    Ok(RequestCredentials::AnyBearer(tokens))
}
