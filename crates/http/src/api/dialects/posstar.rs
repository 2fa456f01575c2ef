//! PosStar, a contract of the web, mobile and desktop apps of many vendors.
//!
//! Anybody can register a vendor and is its admin; a login finds the vendor by the user's e-mail
//! address. There is a single token, which is exchanged for the next one. A session has no device.
//! Data of other vendors is answered like unknown data.

mod auth;
mod error;
mod paths;
mod register;
mod request;
mod reset;
mod response;

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use tillgate_auth_core::{RequestCredentials, Terms};

use crate::error::ApiError;
use crate::request::bearer::read_bearer;
use crate::request::head::RequestHead;
use crate::serving::dialect::Dialect;
use crate::serving::rate_limiter::RateLimiter;
use crate::serving::route::{PathMatching, Route};

/// PosStar as a dialect.
#[derive(Clone, Debug)]
pub struct PosStar {
    terms: Terms,
    /// Rate limit of registrations and password resets per address.
    limiter: Arc<RateLimiter>,
}

impl PosStar {
    /// The name of the dialect in configuration, tokens, logs and metrics.
    pub const NAME: &'static str = "posstar";

    /// Default rate limit: registrations and password resets of one address per minute.
    pub const DEFAULT_REQUESTS_PER_MINUTE: u32 = 20;

    /// Creates PosStar with these terms for its sessions and this rate limit of registrations and
    /// resets per address.
    pub fn new(terms: Terms, per_minute: u32) -> Self {
        Self { terms, limiter: Arc::new(RateLimiter::new(per_minute)) }
    }

    /// The default terms. The executable takes them from its configuration, whose defaults are the
    /// same.
    pub fn default_terms() -> Terms {
        Terms {
            access: Duration::from_hours(24),
            refresh: None,
            absolute: Some(Duration::from_hours(90 * 24)),
            midnight: false,
            exchange_overlap: Some(Duration::from_mins(5)),
            office: None,
        }
    }
}

impl Dialect for PosStar {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn terms(&self) -> Option<&Terms> {
        Some(&self.terms)
    }

    fn rate_limit(&self, head: &RequestHead) -> Result<(), ApiError> {
        match head.route_path() {
            paths::REGISTER_PATH | paths::FORGOT_PASSWORD_PATH | paths::RESET_PASSWORD_PATH => {
                self.limiter.check_rate(head)
            }
            _ => Ok(()),
        }
    }

    fn rate_limiter_bytes(&self) -> Option<usize> {
        Some(self.limiter.size_bytes())
    }

    fn read_credentials<'r>(
        &self,
        head: &'r RequestHead,
        _body: &'r Bytes,
    ) -> Result<RequestCredentials<'r>, ApiError> {
        // operations with credentials in the body have public routes, which do not use this
        // function
        read_bearer(head.headers())
    }

    fn path_matching(&self) -> PathMatching {
        PathMatching::Lenient
    }

    fn routes(&self) -> Vec<Route> {
        let mut routes = auth::routes();
        routes.push(register::route());
        routes.extend(reset::routes());
        routes
    }

    fn render_error(&self, failure: &ApiError, _head: &RequestHead) -> HttpResponse {
        error::render_error(failure)
    }
}
