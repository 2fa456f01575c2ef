//! PosStar: what the web, mobile and desktop apps of many vendors speak.
//!
//! Anybody registers a vendor and is its admin; an e-mail address finds its vendor at login. There is one token, which is exchanged for
//! the next; a session stands on no device. Whatever belongs to another vendor reads as what is not there.

mod auth;
mod error;
mod register;
mod reset;

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use tillgate_auth_core::{RequestCredentials, Terms};

use crate::bearer::read_bearer;
use crate::dialect::Dialect;
use crate::error::ApiError;
use crate::head::RequestHead;
use crate::rate_limiter::RateLimiter;
use crate::route::{PathMatching, Route};

/// PosStar.
#[derive(Clone, Debug)]
pub struct PosStar {
    terms: Terms,
    /// Counts what an address registers and asks to reset.
    limiter: Arc<RateLimiter>,
}

impl PosStar {
    /// The label of its sessions and tokens.
    pub const NAME: &'static str = "posstar";

    /// How many vendors an address may register and resets it may ask for in a minute where no setting says otherwise.
    pub const DEFAULT_REQUESTS_PER_MINUTE: u32 = 20;

    /// PosStar with these terms for its sessions, and so many registrations and resets a minute from one address.
    pub fn new(terms: Terms, per_minute: u32) -> Self {
        Self { terms, limiter: Arc::new(RateLimiter::new(per_minute)) }
    }

    /// The terms that hold where no setting says otherwise.
    pub fn default_terms() -> Terms {
        Terms {
            access: Duration::from_hours(24),
            refresh: None,
            absolute: Some(Duration::from_hours(90 * 24)),
            midnight: false,
            exchange_overlap: Some(Duration::from_mins(5)),
        }
    }
}

impl Dialect for PosStar {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn rate_limit(&self, head: &RequestHead) -> Result<(), ApiError> {
        match head.route_path() {
            register::REGISTER_PATH | reset::FORGOT_PASSWORD_PATH | reset::RESET_PASSWORD_PATH => {
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
        // every call that proves itself by its body is an open one, and is not asked
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
