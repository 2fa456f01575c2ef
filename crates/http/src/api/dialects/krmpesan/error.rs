//! krmpesan's errors: the status as `code`, its phrase as `message`, and no data.

use actix_web::HttpResponse;

use super::response::EnvelopeBody;
use crate::error::ApiError;
use crate::serving::response;

/// Renders the response to a failed request.
pub(super) fn render_error(failure: &ApiError) -> HttpResponse {
    let status = failure.status_without_422();
    let message = status.canonical_reason().unwrap_or_default();
    response::render_json_error(status, &EnvelopeBody { code: status.as_u16(), message, data: () })
}
