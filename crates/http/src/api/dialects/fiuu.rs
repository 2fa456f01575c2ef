//! Fiuu POS, a contract of cash registers in Malaysia. A register logs in as itself, with a name
//! and a password of its own, and every session ends at midnight of the shop.
//!
//! Bodies are JSON or forms. A refresh sends its refresh token in the `Authorization` header.
//! Timestamps are in the shop's local time. Every error has a number.

mod auth;
mod error;
#[cfg(feature = "fuzzing")]
mod fuzzing;
mod paths;
mod request;
mod response;
mod terminals;

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use tillgate_auth_core::{RefreshTerms, RequestCredentials, Terms};

use crate::error::ApiError;
use crate::request::bearer::read_bearer;
use crate::request::head::RequestHead;
use crate::serving::dialect::Dialect;
use crate::serving::rate_limiter::RateLimiter;
use crate::serving::route::Route;

/// Fiuu POS as a dialect.
#[derive(Clone, Debug)]
pub struct Fiuu {
    terms: Terms,
    limiter: Arc<RateLimiter>,
    terminal_lists: Arc<terminals::TerminalListCache>,
}

impl Fiuu {
    /// The name of the dialect in configuration, tokens, logs and metrics.
    pub const NAME: &'static str = "fiuu";

    /// Default rate limit: requests of one address per minute.
    pub const DEFAULT_REQUESTS_PER_MINUTE: u32 = 100;

    /// Creates Fiuu POS with these terms for its sessions and this rate limit per address.
    pub fn new(terms: Terms, per_minute: u32) -> Self {
        Self { terms, limiter: Arc::new(RateLimiter::new(per_minute)), terminal_lists: Arc::default() }
    }

    /// The default terms. The executable takes them from its configuration, whose defaults are the
    /// same.
    pub fn default_terms() -> Terms {
        Terms {
            access: Duration::from_mins(15),
            refresh: Some(RefreshTerms { idle: None, overlap: Some(Duration::from_mins(2)), first_reusable: false }),
            absolute: None,
            midnight: true,
            exchange_overlap: None,
            office: None,
        }
    }
}

impl Dialect for Fiuu {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn terms(&self) -> Option<&Terms> {
        Some(&self.terms)
    }

    fn rate_limit(&self, head: &RequestHead) -> Result<(), ApiError> {
        self.limiter.check_rate(head)
    }

    fn rate_limiter_bytes(&self) -> Option<usize> {
        Some(self.limiter.size_bytes())
    }

    fn list_cache_bytes(&self) -> Option<usize> {
        Some(self.terminal_lists.size_bytes())
    }

    fn read_credentials<'r>(
        &self,
        head: &'r RequestHead,
        _body: &'r Bytes,
    ) -> Result<RequestCredentials<'r>, ApiError> {
        read_bearer(head.headers())
    }

    fn routes(&self) -> Vec<Route> {
        let mut routes = auth::routes();
        routes.push(terminals::route(&self.terminal_lists));
        routes
    }

    fn render_error(&self, failure: &ApiError, head: &RequestHead) -> HttpResponse {
        error::render_error(failure, head)
    }
}
