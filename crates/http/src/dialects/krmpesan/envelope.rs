//! krmpesan's envelope: the status as `code`, and data, or the status's phrase as `message` and no data.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use crate::answer;
use crate::failure::Failure;

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
    let status = failure.status_or_400();
    let message = status.canonical_reason().unwrap_or_default();
    answer::failed(status, &Envelope { code: status.as_u16(), message, data: () })
}
