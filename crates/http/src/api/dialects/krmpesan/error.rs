//! krmpesan's envelope: the status as `code` with data, or with the reason phrase as `message` and
//! no data.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use crate::error::ApiError;
use crate::serving::response;

#[derive(Serialize)]
struct Envelope<T> {
    code: u16,
    message: &'static str,
    data: T,
}

/// Renders the response to a successful request.
pub(super) fn render_success(data: &impl Serialize) -> Result<HttpResponse, ApiError> {
    let status = StatusCode::OK;
    response::render_json(status, &Envelope { code: status.as_u16(), message: "success", data })
}

/// Renders the response to a failed request.
pub(super) fn render_error(failure: &ApiError) -> HttpResponse {
    let status = failure.status_without_422();
    let message = status.canonical_reason().unwrap_or_default();
    response::render_json_error(status, &Envelope { code: status.as_u16(), message, data: () })
}
