//! PORTOS: what tills, waiters' handhelds and office programs in Slovakia speak.
//!
//! Names of request members are taken in any case, answers are camelCase, errors are problems with an `errorCode`. A login is
//! always a user's on a named device; a program may sign its requests instead.

mod accept_language;
mod api_keys;
mod auth;
mod directory;
mod error;
mod language;
mod list;
pub(crate) mod nws4;
mod path;
mod refresh_token;
mod sessions;
mod ticket_id;
mod ticket_messages;
mod tickets;

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{HOST, HeaderMap};
use actix_web::web::Bytes;
use serde_json::Value;
use tillgate_auth_core::{LoginIdentity, RefreshTerms, ReplayCheck, RequestCredentials, Signature, Terms, TokenDenied};
use tillgate_domain::Secret;

use crate::bearer::read_bearer;
use crate::dialect::Dialect;
use crate::error::ApiError;
use crate::head::RequestHead;
use crate::route::{PathMatching, Route};
use language::Language;

/// PORTOS.
#[derive(Clone, Debug)]
pub struct Portos {
    terms: Terms,
}

impl Portos {
    /// PORTOS with these terms for its sessions.
    pub fn new(terms: Terms) -> Self {
        Self { terms }
    }

    /// The terms that hold where no setting says otherwise.
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

    /// Reads the body of a login: who, and the password, which is empty where it is missing.
    ///
    /// # Errors
    /// The body cannot be read, or names the members that cannot be.
    pub fn read_login(headers: &HeaderMap, body: &[u8]) -> Result<(LoginIdentity, Secret<String>), ApiError> {
        auth::read_login(headers, body)
    }

    /// Reads the body of a refresh: the refresh token as the engine writes it, and the access token beside it.
    ///
    /// # Errors
    /// The body cannot be read, names the members that cannot be, or bears what is no refresh token.
    pub fn read_refresh(
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(Secret<String>, Option<Secret<String>>), ApiError> {
        auth::read_refresh(headers, body)
    }

    /// Reads the signature of a request; nothing where another scheme is named, or none. The host is the `Host` header's.
    ///
    /// # Errors
    /// The signature cannot hold, whatever the secret is; or it is of the chunked form, which is not taken.
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

    /// Which of the two languages a request is answered in, by its tag (RFC 9110, 12.5.4).
    pub fn read_language(headers: &HeaderMap) -> &'static str {
        Language::from_headers(headers).tag()
    }

    /// Reads the query of the list of tickets: whether a ticket is one that it asks for, by its members under their whole names, such
    /// as `customer.id`.
    ///
    /// # Errors
    /// It names the members that cannot have such a value, and the options.
    pub fn read_ticket_query(query: &str) -> Result<impl Fn(&Value) -> bool + use<>, ApiError> {
        let read = tickets::TicketQuery::parse(query)?;
        Ok(move |ticket: &Value| read.matches(ticket))
    }
}

/// The signature of a request, where it covers all that the request says.
fn read_covering_signature(received: &nws4::SignedRequest<'_>) -> Result<Option<Signature>, ApiError> {
    match nws4::read_signature(received)? {
        Some(_) if !nws4::covers_query(received.query) => Err(ApiError::Denied(TokenDenied::Invalid.into())),
        read => Ok(read),
    }
}

impl Dialect for Portos {
    fn name(&self) -> &'static str {
        "portos"
    }

    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn read_credentials<'r>(&self, head: &'r RequestHead, body: &'r Bytes) -> Result<RequestCredentials<'r>, ApiError> {
        let received = nws4::SignedRequest::from_head(head, body);
        let (received, counting) = if head.is_gateway_check() {
            (nws4::SignedRequest { body: None, ..received }, ReplayCheck::Peek)
        } else if matches!(*head.method(), Method::GET | Method::HEAD) {
            // the scheme has no nonce: clients that ask the same twice within a millisecond sign the same twice
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
        [auth::routes(), sessions::routes(), directory::routes(), api_keys::routes(), tickets::routes()]
            .into_iter()
            .flatten()
            .collect()
    }

    fn render_error(&self, failure: &ApiError, head: &RequestHead) -> HttpResponse {
        error::render_error(failure, head)
    }
}
