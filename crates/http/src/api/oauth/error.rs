//! Errors as defined by RFC 6749, 5.2.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use serde::Serialize;
use tillgate_auth_core::AuthDenied;
use tillgate_domain::DenialKind;

use crate::error::{ApiError, ProtocolError};
use crate::serving::response;

/// The challenge for client authentication (RFC 7617, 2).
const BASIC_CHALLENGE: &str = "Basic realm=\"tillgate\", charset=\"UTF-8\"";

#[derive(Serialize)]
struct ErrorBody<'s> {
    error: &'s str,
    error_description: String,
}

/// Renders the response to a failed request.
pub(super) fn render_error(failure: &ApiError) -> HttpResponse {
    let (error, description) = match failure {
        ApiError::Denied(denial) if denial.kind() == DenialKind::Forbidden => ("unauthorized_client", None),
        ApiError::Denied(denial) if denial.kind() == DenialKind::Unauthenticated => {
            // the same text for an unknown client and a wrong secret, which must be
            // indistinguishable
            ("invalid_client", Some("unknown client or wrong secret".to_owned()))
        }
        ApiError::Denied(AuthDenied::TooManyAttempts { .. }) => {
            ("temporarily_unavailable", Some("too many wrong client secrets; retry later".to_owned()))
        }
        // the reason is for the log only
        ApiError::Unavailable { .. } => {
            let description = "temporarily unavailable; retry later";
            ("temporarily_unavailable", Some(description.to_owned()))
        }
        ApiError::Fault(_) => ("server_error", Some("internal server error".to_owned())),
        ApiError::Protocol(ProtocolError::RateLimited { .. }) => ("temporarily_unavailable", None),
        ApiError::Protocol(ProtocolError::MalformedBody(why)) => ("invalid_request", Some(why.clone().into_owned())),
        ApiError::Protocol(_) | ApiError::Office(_) | ApiError::Denied(_) => ("invalid_request", None),
    };
    let status = failure.status();
    let description = description.unwrap_or_else(|| match failure {
        ApiError::Denied(denial) => denial.to_string(),
        _ => status.canonical_reason().unwrap_or_default().to_owned(),
    });
    let mut response = render_error_body(status, error, &description);
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(BASIC_CHALLENGE));
    }
    response
}

/// Reports a token type that cannot be revoked (RFC 7009, 2.2.1).
pub(super) fn render_unsupported_token_type() -> HttpResponse {
    let description = "only access tokens and refresh tokens of this server can be revoked";
    render_error_body(StatusCode::BAD_REQUEST, "unsupported_token_type", description)
}

fn render_error_body(status: StatusCode, error: &str, description: &str) -> HttpResponse {
    // the characters that a description may contain (RFC 6749, 5.2)
    let plain = |c: &char| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~');
    let body = ErrorBody { error, error_description: description.chars().filter(plain).collect() };
    response::render_json(status, &body).unwrap_or_else(|_| HttpResponse::new(status))
}
