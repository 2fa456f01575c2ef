//! The response to an introspection (RFC 7662, section 2.2).

use serde::Serialize;
use tillgate_auth_core::token::access_token::Confirmation;
use tillgate_auth_core::{Introspection, TokenUse};
use tillgate_domain::{DeviceId, PrincipalId, SessionId, TenantId};
use uuid::Uuid;

/// The response for an active token. `session`, `device`, `tenant` and `token_use` are members of
/// tillgate's own.
#[derive(Serialize)]
pub(super) struct IntrospectionBody<'i> {
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
    /// The key to which the token is bound (RFC 9449, 6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<&'i Confirmation>,
    token_use: &'static str,
    session: SessionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<DeviceId>,
    tenant: TenantId,
}

impl<'i> IntrospectionBody<'i> {
    pub(super) fn from_introspection(found: &'i Introspection) -> Self {
        let profile = &found.profile;
        Self {
            active: true,
            scope: profile.rights.to_scope(),
            client_id: &found.client,
            username: profile.user.as_ref().map(|user| user.name.as_str()),
            token_type: match found.token_use {
                TokenUse::Access if found.confirmation.is_some() => "DPoP",
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
            cnf: found.confirmation.as_ref(),
            token_use: found.token_use.name(),
            session: found.session,
            device: found.device,
            tenant: found.tenant,
        }
    }
}
