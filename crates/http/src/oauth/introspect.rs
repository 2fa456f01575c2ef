//! Token introspection (RFC 7662).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use serde_json::json;
use tillgate_auth_core::{Caller, Introspected, TokenUse};
use tillgate_domain::{DeviceId, PrincipalId, SessionId, TenantId};
use uuid::Uuid;

use super::form::Form;
use crate::answer;
use crate::call::Call;
use crate::failure::Failure;

/// Where it is, below the mount's prefix.
pub(super) const PATH: &str = "/introspect";

/// What is told of a token that is taken. `session`, `device`, `tenant` and `token_use` are tillgate's own members.
#[derive(Serialize)]
struct Told<'i> {
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

impl<'i> Told<'i> {
    fn of(found: &'i Introspected) -> Self {
        let profile = &found.profile;
        Self {
            active: true,
            scope: profile.rights.scope(),
            client_id: &found.client,
            username: profile.user.as_ref().map(|user| user.name.as_str()),
            token_type: match found.token_use {
                TokenUse::Access => "Bearer",
                // the word for what is no access token (RFC 8693, 2.2.1)
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

/// The hint is not needed: what kind of token it is shows at once.
pub(super) async fn introspect(call: Call, caller: Caller) -> Result<HttpResponse, Failure> {
    let token = Form::read(call.head().headers(), call.body())?.token()?;
    let found = match call.engine().recall(&caller, token.expose()) {
        Some(found) => found?,
        None => call.block(move |engine| engine.introspect(&caller, token.expose())).await?,
    };
    match &found {
        Some(found) => answer::json(StatusCode::OK, &Told::of(found)),
        // whatever speaks against it (RFC 7662, 2.2)
        None => answer::json(StatusCode::OK, &json!({ "active": false })),
    }
}
