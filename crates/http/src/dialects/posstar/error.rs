//! PosStar's words for what fails: the status, a message, and the status's phrase.

use std::borrow::Cow;

use actix_web::HttpResponse;
use serde::Serialize;
use tillgate_auth_core::AuthDenied;
use tillgate_domain::office::{FieldName, OfficeError};

use crate::error::{ApiError, FieldViolation, ProtocolError};
use crate::office;
use crate::response;

#[derive(Serialize)]
struct ErrorBody<'f> {
    #[serde(rename = "statusCode")]
    status_code: u16,
    message: Cow<'f, str>,
    error: &'static str,
}

/// The answer to a call that failed.
pub(super) fn render_error(failure: &ApiError) -> HttpResponse {
    let status = failure.status_without_422();
    let error = status.canonical_reason().unwrap_or_default();
    let message = describe_error(failure).unwrap_or(Cow::Borrowed(error));
    response::render_json_error(status, &ErrorBody { status_code: status.as_u16(), message, error })
}

/// What is wrong with a request that can be mended; everything else is told by the status's phrase alone.
fn describe_error(failure: &ApiError) -> Option<Cow<'_, str>> {
    match failure {
        ApiError::Denied(refusal @ AuthDenied::WeakPassword(_)) => Some(Cow::Owned(refusal.to_string())),
        ApiError::Office(OfficeError::AlreadyExists { field: FieldName::Email, .. }) => {
            Some(Cow::Borrowed("Email already registered"))
        }
        ApiError::Office(refused) => match office::office_error_violations(refused).as_slice() {
            [] => None,
            of_fields => Some(Cow::Owned(join_violations(of_fields))),
        },
        ApiError::Protocol(ProtocolError::MalformedBody(why)) => Some(Cow::Borrowed(why)),
        ApiError::Protocol(ProtocolError::InvalidFields(faults)) => Some(Cow::Owned(join_violations(faults))),
        _ => None,
    }
}

fn join_violations(faults: &[FieldViolation]) -> String {
    faults.iter().map(describe_violation).collect::<Vec<_>>().join("; ")
}

fn describe_violation(fault: &FieldViolation) -> String {
    let field = if fault.field.is_empty() { "the body" } else { &fault.field };
    format!("{field} {}", fault.message)
}
