//! POS Kasir, a contract of web front ends and scripts of an Indonesian point of sale.
//!
//! A login returns its tokens in the body for scripts and as cookies for browsers, and either
//! authenticates later requests; if both are sent, the `Authorization` header is used. A session
//! has no device, and operations require a role instead of a right.

mod auth;
mod cookies;
mod error;
#[cfg(feature = "fuzzing")]
mod fuzzing;
mod logs;
mod page;
mod paths;
mod request;
mod response;
mod users;

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::Bytes;
use tillgate_auth_core::{RefreshTerms, RequestCredentials, Terms};
use tillgate_domain::SubjectKind;

use crate::error::ApiError;
use crate::request::bearer::read_bearer;
use crate::request::cookies::read_cookies;
use crate::request::head::RequestHead;
use crate::request::origin_check::{TrustedSenders, check_origin};
use crate::serving::cors::WebOrigin;
use crate::serving::dialect::Dialect;
use crate::serving::rate_limiter::RateLimiter;
use crate::serving::route::{PathMatching, Route};

pub use cookies::{SameSite, SecurePolicy};

/// POS Kasir as a dialect.
#[derive(Debug)]
pub struct Kasir {
    terms: Terms,
    browser: Arc<BrowserSettings>,
    limiter: RateLimiter,
}

/// Settings of POS Kasir for browsers.
#[derive(Clone, Debug, Default)]
pub struct BrowserSettings {
    /// Origins of web front ends besides the server's own; their scripts may send requests with
    /// their users' cookies.
    pub origins: Vec<WebOrigin>,
    /// Whether cookies require TLS.
    pub secure: SecurePolicy,
    /// Whether cookies are sent with cross-site requests.
    pub same_site: SameSite,
}

impl Kasir {
    /// The name of the dialect in configuration, tokens, logs and metrics.
    pub const NAME: &'static str = "kasir";

    /// Default rate limit: requests of one address per minute.
    pub const DEFAULT_REQUESTS_PER_MINUTE: u32 = 100;

    /// Creates POS Kasir with these terms for its sessions and this rate limit per address.
    pub fn new(terms: Terms, web: BrowserSettings, per_minute: u32) -> Self {
        Self { terms, browser: Arc::new(web), limiter: RateLimiter::new(per_minute) }
    }

    /// The default terms. The executable takes them from its configuration, whose defaults are the
    /// same.
    pub fn default_terms() -> Terms {
        Terms {
            access: Duration::from_hours(1),
            refresh: Some(RefreshTerms {
                idle: Some(Duration::from_hours(7 * 24)),
                overlap: Some(Duration::from_mins(2)),
                first_reusable: true,
            }),
            absolute: None,
            midnight: false,
            exchange_overlap: None,
            office: None,
        }
    }
}

impl Dialect for Kasir {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn terms(&self) -> Option<&Terms> {
        Some(&self.terms)
    }

    fn trusted_origins(&self) -> &[WebOrigin] {
        &self.browser.origins
    }

    fn rate_limit(&self, head: &RequestHead) -> Result<(), ApiError> {
        self.limiter.check_rate(head)
    }

    fn rate_limiter_bytes(&self) -> Option<usize> {
        Some(self.limiter.size_bytes())
    }

    fn read_credentials<'r>(
        &self,
        head: &'r RequestHead,
        _body: &'r Bytes,
    ) -> Result<RequestCredentials<'r>, ApiError> {
        // these authenticate by a password, or by another token than the access token
        if matches!(head.route_path(), paths::LOGIN_PATH | paths::REFRESH_PATH | paths::LOGOUT_PATH) {
            return Ok(RequestCredentials::None);
        }
        if let RequestCredentials::Bearer(token) = read_bearer(head.headers())? {
            return Ok(RequestCredentials::Bearer(token));
        }
        let tokens = read_cookies(head, cookies::ACCESS_COOKIE);
        if tokens.is_empty() {
            return Ok(RequestCredentials::None);
        }
        if !matches!(*head.method(), Method::GET | Method::HEAD) {
            check_origin(TrustedSenders::PagesAndPrograms(&self.browser.origins), head)?;
        }
        Ok(RequestCredentials::AnyBearer(tokens))
    }

    fn path_matching(&self) -> PathMatching {
        PathMatching::Lenient
    }

    fn routes(&self) -> Vec<Route> {
        let mut routes = auth::routes(&self.browser);
        routes.extend(Route::all_about(SubjectKind::User, users::routes()));
        routes.push(logs::route());
        routes
    }

    fn render_error(&self, failure: &ApiError, head: &RequestHead) -> HttpResponse {
        error::render_error(failure, head)
    }
}
