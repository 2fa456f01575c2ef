//! PORTOS, a contract of tills, waiters' handhelds and office programs in Slovakia.
//!
//! Member names in requests are case-insensitive, responses are in camelCase, errors are problems
//! with an `errorCode`. A login is always that of a user on a named device; a program can sign its
//! requests instead.

mod api_keys;
mod auth;
mod directory;
mod error;
#[cfg(feature = "fuzzing")]
mod fuzzing;
mod language;
mod list;
pub(crate) mod nws4;
mod paths;
mod refresh_token;
mod request;
mod response;
mod sessions;
mod ticket_id;
mod tickets;

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::Bytes;
use tillgate_auth_core::{RefreshTerms, ReplayCheck, RequestCredentials, Signature, Terms, TokenDenied};
use tillgate_domain::SubjectKind;

use crate::error::ApiError;
use crate::request::bearer::read_bearer;
use crate::request::head::RequestHead;
use crate::serving::dialect::Dialect;
use crate::serving::route::{PathMatching, Route};

/// PORTOS as a dialect.
#[derive(Clone, Debug)]
pub struct Portos {
    terms: Terms,
}

impl Portos {
    /// The name of the dialect in configuration, tokens, logs and metrics.
    pub const NAME: &'static str = "portos";

    /// Creates PORTOS with these terms for its sessions.
    pub fn new(terms: Terms) -> Self {
        Self { terms }
    }

    /// The default terms. The executable takes them from its configuration, whose defaults are the
    /// same.
    pub fn default_terms() -> Terms {
        Terms {
            access: Duration::from_mins(15),
            refresh: Some(RefreshTerms {
                idle: Some(Duration::from_hours(12)),
                overlap: Some(Duration::from_mins(5)),
                first_reusable: false,
            }),
            absolute: None,
            midnight: false,
            exchange_overlap: None,
            office: None,
        }
    }
}

/// Reads the signature of a request, which must cover everything that the request contains.
fn read_covering_signature(received: &nws4::SignedRequest<'_>) -> Result<Option<Signature>, ApiError> {
    match nws4::read_signature(received)? {
        Some(_) if !nws4::covers_query(received.query) => Err(ApiError::Denied(TokenDenied::Invalid.into())),
        read => Ok(read),
    }
}

impl Dialect for Portos {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn terms(&self) -> Option<&Terms> {
        Some(&self.terms)
    }

    fn read_credentials<'r>(&self, head: &'r RequestHead, body: &'r Bytes) -> Result<RequestCredentials<'r>, ApiError> {
        let received = nws4::SignedRequest::from_head(head, body);
        let (received, counting) = if head.is_gateway_check() {
            (nws4::SignedRequest { body: None, ..received }, ReplayCheck::Peek)
        } else if matches!(*head.method(), Method::GET | Method::HEAD) {
            // the scheme has no nonce: two equal requests within a millisecond have the same
            // signature
            (received, ReplayCheck::Peek)
        } else {
            (received, ReplayCheck::Consume)
        };
        match read_covering_signature(&received)? {
            Some(signature) => Ok(RequestCredentials::Signature(Box::new(signature), counting)),
            None => read_bearer(head.headers()),
        }
    }

    fn path_matching(&self) -> PathMatching {
        PathMatching::Lenient
    }

    fn routes(&self) -> Vec<Route> {
        [
            auth::routes(),
            Route::all_about(SubjectKind::Session, sessions::routes()),
            directory::routes(),
            Route::all_about(SubjectKind::ApiKey, api_keys::routes()),
            Route::all_about(SubjectKind::Ticket, tickets::routes()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn render_error(&self, failure: &ApiError, head: &RequestHead) -> HttpResponse {
        error::render_error(failure, head)
    }
}
