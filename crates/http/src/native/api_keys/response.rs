//! An API key as the native API shows it.

use serde::Serialize;
use tillgate_domain::office::ApiKeyView;
use tillgate_domain::{ApiKeyId, Instant, Rights, Secret};
use utoipa::ToSchema;

use super::request::KeyStatus;
use crate::native::schemas::ApiKeyStatus;
use crate::timestamps::serialize_instant;

/// An API key.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(super) struct ApiKeyBody<'k> {
    /// It stays for good.
    #[schema(value_type = uuid::Uuid)]
    id: ApiKeyId,
    /// What the program calls it by; no secret.
    client_id: &'k str,
    /// What people call it by.
    name: &'k str,
    /// What it is for.
    description: &'k str,
    /// Whether it counts.
    #[schema(value_type = ApiKeyStatus)]
    status: &'static str,
    /// The name of the user whom a request runs as.
    user: &'k str,
    /// The name of the device that it runs on.
    device: &'k str,
    /// What the user's rights are narrowed to; none: the key gives whatever the user is given.
    #[schema(value_type = Vec<String>)]
    permissions: &'k Rights,
    /// When it was made.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

/// An API key that was just made, with its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = MadeApiKey)]
pub(super) struct CreatedApiKeyBody<'k> {
    /// The secret, shown this once.
    client_secret: &'k str,
    #[serde(flatten)]
    key: ApiKeyBody<'k>,
}

impl<'k> ApiKeyBody<'k> {
    pub(super) fn from_view(known: &'k ApiKeyView) -> Self {
        let key = &known.key;
        Self {
            id: key.id,
            client_id: &key.client_id,
            name: &key.name,
            description: &key.description,
            status: KeyStatus::from_active(key.active).name(),
            user: known.user.as_str(),
            device: known.device.as_str(),
            permissions: &key.permissions,
            created_at: key.created_at,
        }
    }
}

impl<'k> CreatedApiKeyBody<'k> {
    pub(super) fn from_view(known: &'k ApiKeyView, secret: &'k Secret<String>) -> Self {
        Self { client_secret: secret.expose(), key: ApiKeyBody::from_view(known) }
    }
}
