//! The readers that the fuzz targets call. No server is built with this module.

use actix_web::http::Method;
use actix_web::http::header::{HOST, HeaderMap};
use serde_json::Value;
use tillgate_auth_core::{LoginIdentity, Signature};
use tillgate_domain::Secret;

use super::language::Language;
use super::{Portos, nws4, read_covering_signature, request, tickets};
use crate::error::ApiError;

impl Portos {
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
