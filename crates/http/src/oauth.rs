//! What other systems ask, by OAuth 2.0's own standards: is this token good and whose is it (RFC 7662), end it (RFC 7009), and where
//! all that is found (RFC 8414).
//!
//! Whoever asks is a program with an API key, its client id and secret. There is no token endpoint: people and tills log in by
//! the other contracts, whose tokens are all asked about here.

mod client;
mod form;
mod introspect;
pub(crate) mod metadata;
mod revoke;
mod words;

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::Bytes;
use tillgate_auth_core::{Evidence, Terms};

use crate::dialect::Dialect;
use crate::failure::Failure;
use crate::head::Head;
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

    fn evidence<'r>(&self, head: &'r Head, body: &'r Bytes) -> Result<Evidence<'r>, Failure> {
        client::evidence(head.headers(), body)
    }

    fn routes(&self) -> Vec<Route> {
        vec![
            Route::known(Method::POST, introspect::PATH, introspect::introspect),
            Route::known(Method::POST, revoke::PATH, revoke::revoke),
        ]
    }

    fn word(&self, failure: &Failure, _head: &Head) -> HttpResponse {
        words::word(failure)
    }
}
