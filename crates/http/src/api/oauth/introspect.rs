//! Token introspection (RFC 7662).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use serde_json::json;
use tillgate_auth_core::{Caller, Introspection, TokenUse};
use tillgate_domain::{DeviceId, PrincipalId, SessionId, TenantId};
use uuid::Uuid;

use super::request::FormParameters;
use crate::error::ApiError;
use crate::request::Request;
use crate::serving::response;

/// Path below the mount's prefix.
pub(super) const INTROSPECT_PATH: &str = "/introspect";

/// The response for an active token. `session`, `device`, `tenant` and `token_use` are members of
/// tillgate's own.
#[derive(Serialize)]
struct IntrospectionBody<'i> {
    active: bool,
    scope: String,
    client_id: &'i str,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'i str>,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    sub: Uuid,
    aud: &'i str,
    iss: &'i str,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<Uuid>,
    token_use: &'static str,
    session: SessionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<DeviceId>,
    tenant: TenantId,
}

impl<'i> IntrospectionBody<'i> {
    fn from_introspection(found: &'i Introspection) -> Self {
        let profile = &found.profile;
        Self {
            active: true,
            scope: profile.rights.to_scope(),
            client_id: &found.client,
            username: profile.user.as_ref().map(|user| user.name.as_str()),
            token_type: match found.token_use {
                TokenUse::Access => "Bearer",
                // the value for a token that is not an access token (RFC 8693, 2.2.1)
                TokenUse::Refresh => "N_A",
            },
            exp: found.expires_at.map(tillgate_domain::Instant::seconds),
            iat: found.issued_at.map(tillgate_domain::Instant::seconds),
            sub: match found.principal {
                PrincipalId::User(id) => id.0,
                PrincipalId::Device(id) => id.0,
            },
            aud: &found.audience,
            iss: &found.issuer,
            jti: found.id,
            token_use: found.token_use.name(),
            session: found.session,
            device: found.device,
            tenant: found.tenant,
        }
    }
}

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
        // the same answer for every reason (RFC 7662, 2.2)
        None => response::render_json(StatusCode::OK, &json!({ "active": false })),
    }
}
