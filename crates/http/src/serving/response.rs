//! JSON responses, serialized once into one buffer.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use serde::Serialize;

use crate::error::ApiError;
use crate::request::bearer::BEARER_CHALLENGE;

/// Renders a JSON response.
pub(crate) fn render_json(status: StatusCode, body: &impl Serialize) -> Result<HttpResponse, ApiError> {
    let mut bytes = Vec::new();
    write_json(&mut bytes, body)?;
    Ok(build_json_response(status, bytes))
}

/// Appends JSON to a response.
pub(crate) fn write_json(out: &mut Vec<u8>, value: &impl Serialize) -> Result<(), ApiError> {
    serde_json::to_writer(out, value).map_err(|error| ApiError::Fault(format!("a response cannot be written: {error}")))
}

/// Builds a response with this JSON.
pub(crate) fn build_json_response(status: StatusCode, json: Vec<u8>) -> HttpResponse {
    build_response(status, "application/json", json)
}

/// Renders a JSON response to a failed request; a 401 includes a challenge (RFC 9110, 11.6.1).
pub(crate) fn render_json_error(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    let mut response = render_json(status, body).unwrap_or_else(|_| HttpResponse::new(status));
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(BEARER_CHALLENGE));
    }
    response
}

/// Renders a problem (RFC 9457) as JSON.
pub(crate) fn render_problem(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    build_response(status, "application/problem+json", serde_json::to_vec(body).unwrap_or_default())
}

fn build_response(status: StatusCode, content_type: &'static str, bytes: Vec<u8>) -> HttpResponse {
    let mut response = HttpResponse::with_body(status, bytes).map_into_boxed_body();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
