//! Responses to a change of a user's password.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use tillgate_domain::ApiKey;
use utoipa::ToSchema;

use crate::api::native::api_keys::ApiKeySummary;
use crate::error::ApiError;
use crate::serving::response::render_json;

/// The API keys of a user whose password was changed.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedPassword)]
pub(in crate::api::native) struct ChangedPasswordBody<'k> {
    /// The user's API keys that were active. A key works without a password, so someone who knew
    /// the old password may have some of them.
    api_keys: Vec<ApiKeySummary<'k>>,
}

/// Renders the response to a change of a user's password.
pub(in crate::api::native) fn render_changed_password(keys: &[ApiKey], ended: bool) -> Result<HttpResponse, ApiError> {
    let api_keys = keys.iter().map(|key| ApiKeySummary::with_status(key, !ended)).collect();
    render_json(StatusCode::OK, &ChangedPasswordBody { api_keys })
}
