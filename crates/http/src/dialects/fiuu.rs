//! Fiuu POS: what cash registers in Malaysia speak. A register logs in as itself, under a name and a password of its own, and
//! everything ends at its shop's midnight.
//!
//! Bodies are JSON or forms. A refresh proves itself by its refresh token in the `Authorization` header; instants are written as the
//! shop's clocks read them; every refusal bears a number.

mod auth;
mod error;
mod terminals;

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::HeaderMap;
use actix_web::web::Bytes;
use tillgate_auth_core::{LoginIdentity, RefreshTerms, RequestCredentials, Terms};
use tillgate_domain::Secret;

use crate::bearer::read_bearer;
use crate::dialect::Dialect;
use crate::error::ApiError;
use crate::head::RequestHead;
use crate::rate_limiter::RateLimiter;
use crate::route::Route;

/// Fiuu POS.
#[derive(Clone, Debug)]
pub struct Fiuu {
    terms: Terms,
    limiter: Arc<RateLimiter>,
    terminal_lists: Arc<terminals::TerminalListCache>,
}

impl Fiuu {
    /// The label of its sessions and tokens.
    pub const NAME: &'static str = "fiuu";

    /// How many requests an address may send in a minute where no setting says otherwise.
    pub const DEFAULT_REQUESTS_PER_MINUTE: u32 = 100;

    /// Fiuu POS with these terms for its sessions, and so many requests a minute from one address.
    pub fn new(terms: Terms, per_minute: u32) -> Self {
        Self { terms, limiter: Arc::new(RateLimiter::new(per_minute)), terminal_lists: Arc::default() }
    }

    /// The terms that hold where no setting says otherwise.
    pub fn default_terms() -> Terms {
        Terms {
            access: Duration::from_mins(15),
            refresh: Some(RefreshTerms { idle: None, overlap: Some(Duration::from_mins(2)), first_reusable: false }),
            absolute: None,
            midnight: true,
            exchange_overlap: None,
        }
    }

    /// Reads the body of a login.
    ///
    /// # Errors
    /// It cannot be read, or bears no name that a register can have.
    pub fn read_login(headers: &HeaderMap, body: &[u8]) -> Result<(LoginIdentity, Secret<String>), ApiError> {
        auth::read_login(headers, body)
    }
}

impl Dialect for Fiuu {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn terms(&self) -> &Terms {
        &self.terms
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
