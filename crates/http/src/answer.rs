//! Answers in JSON, written once into one buffer.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;

use crate::failure::Failure;

/// An answer in JSON.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Result<HttpResponse, Failure> {
    let bytes =
        serde_json::to_vec(body).map_err(|error| Failure::Fault(format!("an answer cannot be written: {error}")))?;
    Ok(of(status, "application/json", bytes))
}

/// A problem (RFC 9457) in JSON.
pub(crate) fn problem(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    of(status, "application/problem+json", serde_json::to_vec(body).unwrap_or_default())
}

fn of(status: StatusCode, content_type: &'static str, bytes: Vec<u8>) -> HttpResponse {
    let mut answer = HttpResponse::with_body(status, bytes).map_into_boxed_body();
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
