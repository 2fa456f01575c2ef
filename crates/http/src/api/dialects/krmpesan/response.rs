//! krmpesan's responses: the status as `code`, a message, and the data.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use crate::error::ApiError;
use crate::serving::response;

#[derive(Serialize)]
pub(super) struct EnvelopeBody<T> {
    pub(super) code: u16,
    pub(super) message: &'static str,
    pub(super) data: T,
}

/// Renders the response to a successful request.
pub(super) fn render_success(data: &impl Serialize) -> Result<HttpResponse, ApiError> {
    let status = StatusCode::OK;
    response::render_json(status, &EnvelopeBody { code: status.as_u16(), message: "success", data })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TokensBody<'g> {
    pub(super) access_token: &'g str,
    /// Lifetime of the access token in seconds.
    pub(super) expires_in: u64,
    pub(super) token_type: &'static str,
    pub(super) id_token: &'g str,
}
