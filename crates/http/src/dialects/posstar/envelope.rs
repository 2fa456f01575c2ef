//! PosStar's words for what fails: the status, a message, and the status's phrase.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use serde::Serialize;
use tillgate_auth_core::{LoginRefusal, Refusal};
use tillgate_domain::office::{Field, Refused};

use crate::answer;
use crate::failure::{Failure, FieldFault, Protocol};
use crate::office;

#[derive(Serialize)]
struct Failed<'f> {
    #[serde(rename = "statusCode")]
    status_code: u16,
    message: Cow<'f, str>,
    error: &'static str,
}

/// The answer to a call that failed.
pub(super) fn word(failure: &Failure) -> HttpResponse {
    let status = status(failure);
    let error = status.canonical_reason().unwrap_or_default();
    let message = sentence(failure).unwrap_or(Cow::Borrowed(error));
    let mut answer = answer::json(status, &Failed { status_code: status.as_u16(), message, error })
        .unwrap_or_else(|_| HttpResponse::new(status));
    if status == StatusCode::UNAUTHORIZED {
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tillgate\""));
    }
    answer
}

fn status(failure: &Failure) -> StatusCode {
    match failure {
        Failure::Refused(refusal) => match refusal {
            Refusal::Held { .. } | Refusal::Login(LoginRefusal::Stopped) => StatusCode::TOO_MANY_REQUESTS,
            // whatever else stands against a login reads as a wrong password
            Refusal::Login(_) | Refusal::Token(_) => StatusCode::UNAUTHORIZED,
            Refusal::Missing(_) | Refusal::Rank(_) => StatusCode::FORBIDDEN,
            Refusal::Weak(_) => StatusCode::BAD_REQUEST,
            Refusal::NoSession => StatusCode::NOT_FOUND,
        },
        Failure::Office(refused) => match office::status(refused) {
            StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
            status => status,
        },
        Failure::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Failure::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        Failure::Protocol(Protocol::Fields(_)) => StatusCode::BAD_REQUEST,
        Failure::Protocol(protocol) => protocol.status(),
    }
}

/// What is wrong with a request that can be mended; everything else is told by the status's phrase alone.
fn sentence(failure: &Failure) -> Option<Cow<'_, str>> {
    match failure {
        Failure::Refused(refusal @ Refusal::Weak(_)) => Some(Cow::Owned(refusal.to_string())),
        Failure::Office(Refused::Taken { field: Field::Email, .. }) => Some(Cow::Borrowed("Email already registered")),
        Failure::Office(refused) => office::fault(refused).map(|of_field| Cow::Owned(fault(&of_field))),
        Failure::Protocol(Protocol::Malformed(why)) => Some(Cow::Borrowed(why)),
        Failure::Protocol(Protocol::Fields(faults)) => {
            Some(Cow::Owned(faults.iter().map(fault).collect::<Vec<_>>().join("; ")))
        }
        _ => None,
    }
}

fn fault(fault: &FieldFault) -> String {
    let field = if fault.field.is_empty() { "the body" } else { &fault.field };
    format!("{field} {}", fault.message)
}
