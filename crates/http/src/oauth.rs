//! What other systems ask, by OAuth 2.0's own standards: is this token good and whose is it (RFC 7662), end it (RFC 7009), and where
//! all that is found (RFC 8414).
//!
//! Whoever asks is a program with an API key, its client id and secret. There is no token endpoint: people and tills log in by
//! the other contracts, whose tokens are all asked about here.

mod auth;
mod error;
mod introspect;
pub(crate) mod metadata;
mod request;
mod revoke;

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::Bytes;
use tillgate_auth_core::{RequestCredentials, Terms};

use crate::dialect::Dialect;
use crate::error::ApiError;
use crate::head::RequestHead;
use crate::route::Route;

/// Introspection and revocation.
#[derive(Clone, Debug)]
pub struct OAuth {
    /// Those of no session: nobody logs in here.
    terms: Terms,
}

impl OAuth {
    /// Its label.
    pub const NAME: &'static str = "oauth";

    /// Introspection and revocation.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Default for OAuth {
    fn default() -> Self {
        let terms = Terms {
            access: Duration::ZERO,
            refresh: None,
            absolute: Some(Duration::ZERO),
            midnight: false,
            exchange_overlap: None,
        };
        Self { terms }
    }
}

impl Dialect for OAuth {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn read_credentials<'r>(&self, head: &'r RequestHead, body: &'r Bytes) -> Result<RequestCredentials<'r>, ApiError> {
        auth::read_credentials(head.headers(), body)
    }

    fn routes(&self) -> Vec<Route> {
        vec![
            Route::authenticated(Method::POST, introspect::INTROSPECT_PATH, introspect::introspect_token),
            Route::authenticated(Method::POST, revoke::REVOKE_PATH, revoke::revoke_token),
        ]
    }

    fn render_error(&self, failure: &ApiError, _head: &RequestHead) -> HttpResponse {
        error::render_error(failure)
    }
}
