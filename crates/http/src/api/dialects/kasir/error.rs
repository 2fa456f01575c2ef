//! POS Kasir's errors: `{message, error, data}`.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::{Serialize, Serializer};
use tillgate_auth_core::{AuthDenied, LoginDenied, TokenDenied};
use tillgate_domain::DenialKind;
use tillgate_domain::office::{FieldName, OfficeError};

use super::paths::REFRESH_PATH;
use crate::error::{ApiError, ProtocolError, join_violations, office};
use crate::request::head::RequestHead;
use crate::serving::response;

#[derive(Serialize)]
struct ErrorBody<'e> {
    message: &'static str,
    #[serde(serialize_with = "serialize_sentence")]
    error: Option<Cow<'e, str>>,
    data: (),
}

/// Serializes a text, which the published front end shows, or an empty object.
#[expect(clippy::ref_option, reason = "the signature is required by serde")]
fn serialize_sentence<S: Serializer>(error: &Option<Cow<'_, str>>, serializer: S) -> Result<S::Ok, S::Error> {
    match error {
        Some(sentence) => serializer.serialize_str(sentence),
        None => serializer.collect_map::<&str, (), _>([]),
    }
}

/// Renders the response to a failed request.
pub(super) fn render_error(failure: &ApiError, head: &RequestHead) -> HttpResponse {
    let status = map_status(failure);
    let message = find_published_message(failure, head.route_path());
    let message = message.unwrap_or_else(|| status.canonical_reason().unwrap_or_default());
    response::render_json_error(status, &ErrorBody { message, error: describe_error(failure), data: () })
}

fn map_status(failure: &ApiError) -> StatusCode {
    match failure {
        // a user who may not log in without a device has no role without one
        ApiError::Denied(AuthDenied::Login(LoginDenied::DeviceNotAllowed | LoginDenied::RankTooLow)) => {
            StatusCode::FORBIDDEN
        }
        // the contract has no other status for a wrong `old_password`
        ApiError::Denied(AuthDenied::WrongPassword) => StatusCode::UNAUTHORIZED,
        failure => failure.status_without_422(),
    }
}

/// Returns the published message, if the contract defines one.
fn find_published_message(failure: &ApiError, route: &str) -> Option<&'static str> {
    match failure {
        ApiError::Denied(denial) => map_denial(denial, route),
        ApiError::Office(office_error) => map_office_error(office_error),
        ApiError::Protocol(ProtocolError::MalformedBody(_) | ProtocolError::InvalidFields(_)) => {
            Some(UNREADABLE_MESSAGE)
        }
        ApiError::Protocol(ProtocolError::UntrustedOrigin) => Some("Origin not allowed"),
        ApiError::Protocol(ProtocolError::RateLimited { .. }) => Some(TOO_MANY_MESSAGE),
        ApiError::Unavailable { .. } | ApiError::Fault(_) | ApiError::Protocol(_) => None,
    }
}

const UNREADABLE_MESSAGE: &str = "Failed to parse request body";
const TOO_MANY_MESSAGE: &str = "Too many requests";
const FORBIDDEN_MESSAGE: &str = "Insufficient permissions";

fn map_denial(denial: &AuthDenied, route: &str) -> Option<&'static str> {
    Some(match denial {
        AuthDenied::Login(LoginDenied::DeviceNotAllowed | LoginDenied::RankTooLow) => FORBIDDEN_MESSAGE,
        AuthDenied::Login(_) => "Invalid username or password",
        AuthDenied::WrongPassword => "Invalid current password",
        AuthDenied::Token(TokenDenied::Missing) if route == REFRESH_PATH => "Refresh token missing",
        AuthDenied::Token(_) if route == REFRESH_PATH => "Invalid or expired session",
        AuthDenied::Token(TokenDenied::Missing) => "Authorization header required",
        AuthDenied::Token(_) | AuthDenied::TokenUnproven(_) => "Invalid or expired token",
        other => return default_message(other.kind()),
    })
}

/// The published message for errors without one of their own.
const fn default_message(kind: DenialKind) -> Option<&'static str> {
    match kind {
        DenialKind::InvalidFields | DenialKind::Invalid | DenialKind::ProofRequired | DenialKind::PollDenied => {
            Some(UNREADABLE_MESSAGE)
        }
        DenialKind::Forbidden => Some(FORBIDDEN_MESSAGE),
        DenialKind::TooManyAttempts => Some(TOO_MANY_MESSAGE),
        DenialKind::Unauthenticated
        | DenialKind::NotFound
        | DenialKind::Conflict
        | DenialKind::VersionMismatch
        | DenialKind::Inconsistent => None,
    }
}

fn map_office_error(office_error: &OfficeError) -> Option<&'static str> {
    match office_error {
        OfficeError::AlreadyExists { field: FieldName::UserName, .. } => Some("Username already exists"),
        OfficeError::AlreadyExists { field: FieldName::Email, .. } => Some("Email already exists"),
        OfficeError::NotFound { field: FieldName::User, .. } => Some("User not found"),
        OfficeError::RankTooHigh(_) => Some("Cannot assign a role equal to or higher than your own"),
        other => default_message(other.kind()),
    }
}

/// Returns the text that the front end shows in addition to the message.
fn describe_error(failure: &ApiError) -> Option<Cow<'_, str>> {
    match failure {
        ApiError::Denied(AuthDenied::WrongPassword) => Some(Cow::Borrowed("the current password is wrong")),
        ApiError::Denied(denial @ AuthDenied::WeakPassword(_)) => Some(Cow::Owned(denial.to_string())),
        ApiError::Office(office_error) => match office::office_error_violations(office_error).as_slice() {
            [] if matches!(office_error.kind(), DenialKind::Conflict | DenialKind::Forbidden) => {
                Some(Cow::Owned(office_error.to_string()))
            }
            [] => None,
            violations => Some(Cow::Owned(join_violations(violations, rename_field))),
        },
        ApiError::Protocol(ProtocolError::MalformedBody(why)) => Some(Cow::Borrowed(why)),
        ApiError::Protocol(ProtocolError::InvalidFields(violations)) => {
            Some(Cow::Owned(join_violations(violations, rename_field)))
        }
        _ => None,
    }
}

/// The contract's name of a field of the back office.
fn rename_field(field: &str) -> &str {
    match field {
        "user_name" => "username",
        "current_password" => "old_password",
        field => field,
    }
}
