//! The interface between the engine and a wire contract.
//!
//! A dialect translates names, envelopes, status codes and the location of credentials. Code that
//! two dialects share is a function outside of both, never a method of this trait; and a dialect
//! decides no rule of sessions or rights.

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Bytes;
use tillgate_auth_core::{RequestCredentials, Terms};

use crate::error::ApiError;
use crate::request::head::RequestHead;
use crate::serving::cors::WebOrigin;
use crate::serving::route::{PathMatching, Route};

/// A published wire contract.
pub trait Dialect: Send + Sync + 'static {
    /// The dialect's name: in the audience of its tokens, in sessions, logs and metrics.
    fn name(&self) -> &'static str;

    /// The terms of the sessions that are created through this dialect; `None` if no session can
    /// be.
    fn terms(&self) -> Option<&Terms>;

    /// The web origins whose scripts may send requests with their users' cookies; empty if the
    /// contract is not for browsers.
    fn trusted_origins(&self) -> &[WebOrigin] {
        &[]
    }

    /// Counts a request against the contract's rate limit per address. Checks of gateways are not
    /// counted.
    ///
    /// # Errors
    /// The address has exceeded the limit.
    fn rate_limit(&self, _head: &RequestHead) -> Result<(), ApiError> {
        Ok(())
    }

    /// Memory of the addresses counted by the rate limit, in bytes; `None` without a rate limit.
    fn rate_limiter_bytes(&self) -> Option<usize> {
        None
    }

    /// Memory of cached lists, in bytes; `None` if the dialect caches none.
    fn list_cache_bytes(&self) -> Option<usize> {
        None
    }

    /// Reads the credentials of a request, before the handler of a route that requires a caller
    /// runs. It is not called for public routes such as login and refresh, so that an irrelevant
    /// header cannot fail these. Returns [`RequestCredentials::None`] if the request has no
    /// credentials that this contract accepts.
    ///
    /// # Errors
    /// The credentials are malformed.
    fn read_credentials<'r>(&self, head: &'r RequestHead, body: &'r Bytes) -> Result<RequestCredentials<'r>, ApiError>;

    /// Headers of every response, errors included; empty for a contract that has none.
    fn response_headers(&self) -> &[(HeaderName, HeaderValue)] {
        &[]
    }

    /// How request paths are compared with those of the routes.
    fn path_matching(&self) -> PathMatching {
        PathMatching::Exact
    }

    /// The routes, below the mount's prefix. Registration, the check for conflicting mounts,
    /// `Allow` and the matrix of rights read this table.
    fn routes(&self) -> Vec<Route>;

    /// Renders the response to a failed request in this contract's format. It may be called for
    /// every kind of failure on every route, including unknown ones, and must not panic.
    fn render_error(&self, failure: &ApiError, head: &RequestHead) -> HttpResponse;
}
