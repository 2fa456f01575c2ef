//! The seam between the one engine and the many wire contracts over it.
//!
//! A dialect translates: names, envelopes, status codes, where the evidence stands. What two dialects share is a function
//! beside them, never a method here, and no rule of sessions or rights is decided by one.

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use tillgate_auth_core::{RequestCredentials, Terms};

use crate::{ApiError, PathMatching, RequestHead, Route, WebOrigin};

/// A published wire contract.
pub trait Dialect: Send + Sync + 'static {
    /// Its label: in the audience of its tokens, in sessions, logs and metrics.
    fn name(&self) -> &'static str;

    /// The terms of the sessions that are made through it.
    fn terms(&self) -> &Terms;

    /// The web origins whose scripts may call it with their users' cookies; see `cors`. None, where it is not for browsers.
    fn trusted_origins(&self) -> &[WebOrigin] {
        &[]
    }

    /// Counts a call against what its contract lets one address ask. Gateways that ask on others' behalf are not counted.
    ///
    /// # Errors
    /// The address has asked too much.
    fn rate_limit(&self, _head: &RequestHead) -> Result<(), ApiError> {
        Ok(())
    }

    /// How many bytes the addresses take whose requests it counts; `None` where it counts none.
    fn rate_limiter_bytes(&self) -> Option<usize> {
        None
    }

    /// How many bytes the lists take that it keeps for a moment; `None` where it keeps none.
    fn list_cache_bytes(&self) -> Option<usize> {
        None
    }

    /// What proves the request, before the handler of a call that requires a caller runs. Open calls such as a login and a refresh
    /// are not asked: a header that nobody needs there refuses nothing. `RequestCredentials::None` if nothing was sent that this contract
    /// takes.
    ///
    /// # Errors
    /// What was sent is refused for how it was sent.
    fn read_credentials<'r>(&self, head: &'r RequestHead, body: &'r Bytes) -> Result<RequestCredentials<'r>, ApiError>;

    /// How paths of requests are compared with those of its calls.
    fn path_matching(&self) -> PathMatching {
        PathMatching::ExactJson
    }

    /// Its calls, below the mount's prefix. Registration, the check for clashes, `Allow` and the rights matrix all read this
    /// one table.
    fn routes(&self) -> Vec<Route>;

    /// The answer to a call that failed, in this contract's words. It may be asked about every kind of failure on every route,
    /// unknown ones included, and must not panic.
    fn render_error(&self, failure: &ApiError, head: &RequestHead) -> HttpResponse;
}
