//! OAuth 2.0 for resource servers: token introspection (RFC 7662), token revocation (RFC 7009), and
//! server metadata (RFC 8414).
//!
//! Clients are programs with an API key, which is their client id and secret. There is no token
//! endpoint: users and devices log in through the other contracts, and the tokens of all of them
//! can be introspected and revoked here.

mod auth;
mod error;
mod introspect;
pub(crate) mod metadata;
mod paths;
mod request;
mod response;
mod revoke;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::Bytes;
use tillgate_auth_core::{RequestCredentials, Terms};

use crate::error::ApiError;
use crate::request::head::RequestHead;
use crate::serving::dialect::Dialect;
use crate::serving::requirement::Requirement;
use crate::serving::route::Route;
use tillgate_domain::KnownRight;

/// The dialect of introspection and revocation.
#[derive(Clone, Copy, Debug, Default)]
pub struct OAuth;

impl OAuth {
    /// The name of the mount in tokens, logs and metrics.
    pub const NAME: &'static str = "oauth";

    /// Creates the dialect.
    pub fn new() -> Self {
        Self
    }
}

impl Dialect for OAuth {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn terms(&self) -> Option<&Terms> {
        None
    }

    fn read_credentials<'r>(&self, head: &'r RequestHead, body: &'r Bytes) -> Result<RequestCredentials<'r>, ApiError> {
        auth::read_credentials(head.headers(), body)
    }

    fn routes(&self) -> Vec<Route> {
        vec![
            Route::authenticated(
                Method::POST,
                paths::INTROSPECT_PATH,
                Requirement::Right(KnownRight::TokenIntrospect),
                introspect::introspect_token,
            ),
            Route::authenticated(
                Method::POST,
                paths::REVOKE_PATH,
                Requirement::Right(KnownRight::SessionDelete),
                revoke::revoke_token,
            ),
        ]
    }

    fn render_error(&self, failure: &ApiError, _head: &RequestHead) -> HttpResponse {
        error::render_error(failure)
    }
}
