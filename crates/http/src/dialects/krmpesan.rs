//! krmpesan: what a server-side SDK in Indonesia speaks. It holds one refresh token per device that lasts for ever, and refreshes
//! before every request.
//!
//! The refresh token and the name of its pairing come in the query, whatever the method; the body, its type and a stale
//! `Authorization` header are never looked at. Tokens are had from the command line and from a page for people, by the user's
//! password.

mod app;
mod auth;
mod devices;
mod error;

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use tillgate_auth_core::{RefreshTerms, RequestCredentials, Terms};

use crate::bearer::read_bearer;
use crate::dialect::Dialect;
use crate::error::ApiError;
use crate::head::RequestHead;
use crate::rate_limiter::RateLimiter;
use crate::route::Route;

/// krmpesan.
#[derive(Clone, Debug)]
pub struct Krmpesan {
    terms: Terms,
    /// Counts wrong tokens by address.
    wrong_token_limiter: Arc<RateLimiter>,
}

impl Krmpesan {
    /// The label of its sessions and tokens.
    pub const NAME: &'static str = "krmpesan";

    /// How many wrong tokens an address may present in a minute; the next is answered 429. A good one is answered always.
    const MAX_WRONG_TOKENS_PER_MINUTE: u32 = 60;

    /// krmpesan with these terms for its sessions.
    pub fn new(terms: Terms) -> Self {
        Self { terms, wrong_token_limiter: Arc::new(RateLimiter::new(Self::MAX_WRONG_TOKENS_PER_MINUTE)) }
    }

    /// The terms that hold where no setting says otherwise.
    pub fn default_terms() -> Terms {
        Terms {
            access: Duration::from_hours(24),
            refresh: Some(RefreshTerms { idle: None, overlap: None, first_reusable: false }),
            absolute: None,
            midnight: false,
            exchange_overlap: None,
        }
    }
}

impl Dialect for Krmpesan {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn rate_limiter_bytes(&self) -> Option<usize> {
        Some(self.wrong_token_limiter.size_bytes())
    }

    fn read_credentials<'r>(
        &self,
        head: &'r RequestHead,
        _body: &'r Bytes,
    ) -> Result<RequestCredentials<'r>, ApiError> {
        read_bearer(head.headers())
    }

    fn routes(&self) -> Vec<Route> {
        let mut routes = auth::routes(&self.wrong_token_limiter);
        routes.push(devices::route());
        routes.extend(app::routes());
        routes
    }

    fn render_error(&self, failure: &ApiError, _head: &RequestHead) -> HttpResponse {
        error::render_error(failure)
    }
}
