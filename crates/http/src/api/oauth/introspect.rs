//! Token introspection (RFC 7662).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::json;
use tillgate_auth_core::Caller;

use super::request::FormParameters;
use super::response::IntrospectionBody;
use crate::error::ApiError;
use crate::request::Request;
use crate::serving::response;

/// Introspects a token. `token_type_hint` is ignored, because the format of a token reveals its
/// type.
pub(super) async fn introspect_token(call: Request, caller: Caller) -> Result<HttpResponse, ApiError> {
    let token = FormParameters::read(call.head().headers(), call.body())?.take_token()?;
    let found = match call.auth().introspect_cached(&caller, token.expose()) {
        Some(found) => found?,
        None => call.run_blocking(move |auth| auth.introspect(&caller, token.expose())).await?,
    };
    match &found {
        Some(found) => response::render_json(StatusCode::OK, &IntrospectionBody::from_introspection(found)),
        // the same response for every reason (RFC 7662, 2.2)
        None => response::render_json(StatusCode::OK, &json!({ "active": false })),
    }
}
