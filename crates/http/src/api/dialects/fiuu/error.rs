//! Fiuu's errors: a number, a slug of the status, and a message.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use tillgate_auth_core::{AuthDenied, LoginDenied, TokenDenied};
use tillgate_domain::DenialKind;

use super::paths::REFRESH_PATH;
use crate::error::{ApiError, FieldErrorCode, ProtocolError};
use crate::request::head::RequestHead;
use crate::serving::response;

#[derive(Serialize)]
struct ErrorBody {
    code: u32,
    error: String,
    message: &'static str,
}

/// Renders the response to a failed request.
pub(super) fn render_error(failure: &ApiError, head: &RequestHead) -> HttpResponse {
    let status = map_status(failure);
    let (code, message) =
        find_published_error(failure, head.route_path()).unwrap_or_else(|| build_default_error(status));
    response::render_json_error(status, &ErrorBody { code, error: build_slug(status), message })
}

/// Maps a failure to its status. The status of an account is reported after a correct password
/// only.
fn map_status(failure: &ApiError) -> StatusCode {
    match failure {
        ApiError::Denied(AuthDenied::Login(LoginDenied::Pending | LoginDenied::Suspended | LoginDenied::Retired)) => {
            StatusCode::FORBIDDEN
        }
        failure => failure.status_without_422(),
    }
}

/// Returns the published number and message, if the contract defines them.
fn find_published_error(failure: &ApiError, route: &str) -> Option<(u32, &'static str)> {
    Some(match failure {
        ApiError::Denied(denial) => map_denial(denial, route)?,
        ApiError::Office(office_error) => default_error(office_error.kind())?,
        ApiError::Protocol(ProtocolError::InvalidFields(violations))
            if violations.iter().any(|violation| violation.code == FieldErrorCode::Format) =>
        {
            (40_021, "Invalid POS ID.")
        }
        ApiError::Protocol(ProtocolError::InvalidFields(_) | ProtocolError::MalformedBody(_)) => {
            (40_031, INVALID_PARAMETERS_MESSAGE)
        }
        ApiError::Protocol(ProtocolError::RateLimited { .. }) => (42_900, "Too many requests."),
        ApiError::Protocol(ProtocolError::UntrustedOrigin) => (40_310, UNAUTHORIZED_MESSAGE),
        ApiError::Fault(_) => (500, "Internal server error."),
        ApiError::Unavailable { .. } | ApiError::Protocol(_) => return None,
    })
}

const INVALID_PARAMETERS_MESSAGE: &str = "Invalid or missing parameters.";
const UNAUTHORIZED_MESSAGE: &str = "User not authorized.";
const LOCKED_OUT_MESSAGE: &str =
    "Login failed, this account is temporarily locked due to multiple failed login attempts.";

fn map_denial(denial: &AuthDenied, route: &str) -> Option<(u32, &'static str)> {
    Some(match denial {
        AuthDenied::Login(LoginDenied::Pending) => (40_311, "Login failed, this account is pending activation."),
        AuthDenied::Login(LoginDenied::Suspended) => (40_312, "Login failed, this account is currently suspended."),
        AuthDenied::Login(LoginDenied::Retired) => (40_313, "Login failed, this account is permanently deleted."),
        AuthDenied::Login(_) => (40_125, "Authentication failed."),
        AuthDenied::Token(TokenDenied::SessionOver | TokenDenied::Replay) => (40_122, "Session expired."),
        // a refresh token expires with its session
        AuthDenied::Token(TokenDenied::Expired) if route == REFRESH_PATH => (40_122, "Session expired."),
        AuthDenied::Token(TokenDenied::Expired) => (40_123, "Token expired."),
        AuthDenied::Token(_) if route == REFRESH_PATH => (40_121, "Invalid or missing refresh token."),
        AuthDenied::Token(_) | AuthDenied::TokenUnproven(_) => (40_120, "Invalid or missing access token."),
        other => return default_error(other.kind()),
    })
}

/// The published number and message for errors without ones of their own.
const fn default_error(kind: DenialKind) -> Option<(u32, &'static str)> {
    match kind {
        DenialKind::InvalidFields | DenialKind::Invalid | DenialKind::ProofRequired | DenialKind::PollDenied => {
            Some((40_031, INVALID_PARAMETERS_MESSAGE))
        }
        DenialKind::TooManyAttempts => Some((42_930, LOCKED_OUT_MESSAGE)),
        DenialKind::Forbidden => Some((40_310, UNAUTHORIZED_MESSAGE)),
        DenialKind::Unauthenticated
        | DenialKind::NotFound
        | DenialKind::Conflict
        | DenialKind::VersionMismatch
        | DenialKind::Inconsistent => None,
    }
}

/// Returns the number and message of an error that the contract does not define: status times 100
/// and reason phrase.
fn build_default_error(status: StatusCode) -> (u32, &'static str) {
    (u32::from(status.as_u16()) * 100, status.canonical_reason().unwrap_or_default())
}

/// Returns the slug of a status: the contract's own, if defined, otherwise the reason phrase.
fn build_slug(status: StatusCode) -> String {
    match status {
        StatusCode::BAD_REQUEST => "invalid_request".to_owned(),
        StatusCode::TOO_MANY_REQUESTS => "rate_limit_exceeded".to_owned(),
        other => other.canonical_reason().unwrap_or_default().to_ascii_lowercase().replace(' ', "_"),
    }
}
