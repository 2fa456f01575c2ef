//! PosStar's errors: the status, a message, and the reason phrase.

use std::borrow::Cow;

use actix_web::HttpResponse;
use serde::Serialize;
use tillgate_auth_core::AuthDenied;
use tillgate_domain::office::{FieldName, OfficeError};

use crate::error::{ApiError, ProtocolError, join_violations, office};
use crate::serving::response;

#[derive(Serialize)]
struct ErrorBody<'f> {
    #[serde(rename = "statusCode")]
    status_code: u16,
    message: Cow<'f, str>,
    error: &'static str,
}

/// Renders the response to a failed request.
pub(super) fn render_error(failure: &ApiError) -> HttpResponse {
    let status = failure.status_without_422();
    let error = status.canonical_reason().unwrap_or_default();
    let message = describe_error(failure).unwrap_or(Cow::Borrowed(error));
    response::render_json_error(status, &ErrorBody { status_code: status.as_u16(), message, error })
}

/// Describes errors that the client can fix; all others have the reason phrase only.
fn describe_error(failure: &ApiError) -> Option<Cow<'_, str>> {
    match failure {
        ApiError::Denied(denial @ AuthDenied::WeakPassword(_)) => Some(Cow::Owned(denial.to_string())),
        ApiError::Office(OfficeError::AlreadyExists { field: FieldName::Email, .. }) => {
            Some(Cow::Borrowed("Email already registered"))
        }
        ApiError::Office(office_error) => match office::office_error_violations(office_error).as_slice() {
            [] => None,
            violations => Some(Cow::Owned(join_violations(violations, |field| field))),
        },
        ApiError::Protocol(ProtocolError::MalformedBody(why)) => Some(Cow::Borrowed(why)),
        ApiError::Protocol(ProtocolError::InvalidFields(violations)) => {
            Some(Cow::Owned(join_violations(violations, |field| field)))
        }
        _ => None,
    }
}
