//! PORTOS, a contract of tills, waiters' handhelds and office programs in Slovakia.
//!
//! Member names in requests are case-insensitive, responses are in camelCase, errors are problems
//! with an `errorCode`. A login is always that of a user on a named device; a program can sign its
//! requests instead.

mod api_keys;
mod auth;
mod directory;
mod error;
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
use actix_web::http::header::{HOST, HeaderMap};
use actix_web::web::Bytes;
use serde_json::Value;
use tillgate_auth_core::{LoginIdentity, RefreshTerms, ReplayCheck, RequestCredentials, Signature, Terms, TokenDenied};
use tillgate_domain::{Secret, SubjectKind};

use crate::error::ApiError;
use crate::request::bearer::read_bearer;
use crate::request::head::RequestHead;
use crate::serving::dialect::Dialect;
use crate::serving::route::{PathMatching, Route};
use language::Language;

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

    /// The terms that apply unless the configuration overrides them.
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
        }
    }

    /// Reads the body of a login: identity and password; a missing password is read as empty.
    ///
    /// # Errors
    /// The body cannot be read, or members are invalid.
    pub fn read_login(headers: &HeaderMap, body: &[u8]) -> Result<(LoginIdentity, Secret<String>), ApiError> {
        request::read_login(headers, body)
    }

    /// Reads the body of a refresh: the refresh token in the engine's encoding, and the access
    /// token sent with it.
    ///
    /// # Errors
    /// The body cannot be read, members are invalid, or the refresh token is malformed.
    pub fn read_refresh(
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(Secret<String>, Option<Secret<String>>), ApiError> {
        request::read_refresh(headers, body)
    }

    /// Reads the signature of a request; `None` if it has none. The host is taken from the `Host`
    /// header.
    ///
    /// # Errors
    /// The signature is invalid with any secret, or has the chunked form, which is not supported.
    pub fn read_signature(
        method: &Method,
        path: &str,
        query: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Option<Signature>, ApiError> {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        read_covering_signature(&nws4::SignedRequest { method, path, query, host, headers, body: Some(body) })
    }

    /// Returns the language tag of the response to a request (RFC 9110, 12.5.4).
    pub fn read_language(headers: &HeaderMap) -> &'static str {
        Language::from_headers(headers).tag()
    }

    /// Reads the query of the ticket list, and returns whether it selects a ticket with these
    /// members, which have full names such as `customer.id`.
    ///
    /// # Errors
    /// A member or an option has an invalid value.
    pub fn read_ticket_query(query: &str) -> Result<impl Fn(&Value) -> bool + use<>, ApiError> {
        let read = tickets::TicketQuery::parse(query)?;
        Ok(move |ticket: &Value| read.matches(ticket))
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
