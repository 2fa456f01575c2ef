//! krmpesan's envelope: the status as `code`, and data, or the status's phrase as `message` and no data.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use serde::Serialize;
use tillgate_auth_core::{LoginRefusal, Refusal};

use crate::answer;
use crate::failure::{Failure, Protocol};
use crate::office;

#[derive(Serialize)]
struct Envelope<T> {
    code: u16,
    message: &'static str,
    data: T,
}

/// The answer to a call that succeeded.
pub(super) fn success(data: &impl Serialize) -> Result<HttpResponse, Failure> {
    let status = StatusCode::OK;
    answer::json(status, &Envelope { code: status.as_u16(), message: "success", data })
}

/// The answer to a call that failed.
pub(super) fn word(failure: &Failure) -> HttpResponse {
    let status = status(failure);
    let message = status.canonical_reason().unwrap_or_default();
    let envelope = Envelope { code: status.as_u16(), message, data: () };
    let mut answer = answer::json(status, &envelope).unwrap_or_else(|_| HttpResponse::new(status));
    if status == StatusCode::UNAUTHORIZED {
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tillgate\""));
    }
    answer
}

fn status(failure: &Failure) -> StatusCode {
    match failure {
        Failure::Refused(Refusal::Held { .. } | Refusal::Login(LoginRefusal::Stopped)) => StatusCode::TOO_MANY_REQUESTS,
        Failure::Refused(Refusal::Login(_) | Refusal::Token(_)) => StatusCode::UNAUTHORIZED,
        Failure::Refused(Refusal::Missing(_) | Refusal::Rank(_)) => StatusCode::FORBIDDEN,
        Failure::Office(refused) => match office::status(refused) {
            StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
            status => status,
        },
        Failure::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Failure::Fault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        // no call of this contract is refused in another way than those above
        Failure::Refused(_) | Failure::Protocol(Protocol::Fields(_)) => StatusCode::BAD_REQUEST,
        Failure::Protocol(protocol) => protocol.status(),
    }
}
