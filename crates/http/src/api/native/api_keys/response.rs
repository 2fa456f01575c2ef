//! API keys in responses of the native API.

use serde::Serialize;
use tillgate_domain::office::ApiKeyView;
use tillgate_domain::{ApiKey, ApiKeyId, Instant, Rights, Secret};
use utoipa::ToSchema;

use crate::api::native::key_status::KeyStatus;
use crate::api::native::schemas::ApiKeyStatus;
use crate::timestamps::{serialize_instant, serialize_optional_instant};

/// An API key, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct ApiKeyBody<'k> {
    /// Id of the key; it never changes.
    #[schema(value_type = uuid::Uuid)]
    id: ApiKeyId,
    /// The client id by which the program identifies itself; not secret.
    client_id: &'k str,
    /// Display name of the key.
    name: &'k str,
    /// What the key is for.
    description: &'k str,
    /// Whether the key can be used.
    #[schema(value_type = ApiKeyStatus)]
    status: &'static str,
    /// Name of the user as whom the program acts.
    user: &'k str,
    /// Name of the device on which the program acts.
    device: &'k str,
    /// The rights to which the key is restricted; empty if it has all current rights of its user.
    #[schema(value_type = Vec<String>)]
    permissions: &'k Rights,
    /// When the key was created.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When the key stops being accepted; null for never.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Instant>,
    /// The minute of the last request that was authenticated with the key; null for none.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Instant>,
    /// Until when the secret before the last rotation is accepted, too; null if there is none.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_secret_until: Option<Instant>,
}

/// An API key with its new secret.
#[derive(Serialize, ToSchema)]
#[schema(as = MadeApiKey)]
pub struct CreatedApiKeyBody<'k> {
    /// The secret. It is returned only in this response.
    client_secret: &'k str,
    #[serde(flatten)]
    key: ApiKeyBody<'k>,
}

/// Identification of an API key.
#[derive(Serialize, ToSchema)]
pub(in crate::api::native) struct ApiKeySummary<'k> {
    /// Id of the key.
    #[schema(value_type = uuid::Uuid)]
    id: ApiKeyId,
    /// The client id by which the program identifies itself; not secret.
    client_id: &'k str,
    /// Display name of the key.
    name: &'k str,
    /// `revoked` if this request revoked the key, otherwise `active`.
    #[schema(value_type = ApiKeyStatus)]
    status: &'static str,
}

impl<'k> ApiKeyBody<'k> {
    /// Converts a key with the names of its user and device.
    pub fn from_view(view: &'k ApiKeyView) -> Self {
        let key = &view.key;
        Self {
            id: key.id,
            client_id: &key.client_id,
            name: &key.name,
            description: &key.description,
            status: KeyStatus::from_active(key.active).name(),
            user: view.user.as_str(),
            device: view.device.as_str(),
            permissions: &key.permissions,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            previous_secret_until: key.previous_secret_until,
        }
    }
}

impl<'k> CreatedApiKeyBody<'k> {
    /// Converts a new key with its secret.
    pub fn from_view(view: &'k ApiKeyView, secret: &'k Secret<String>) -> Self {
        Self { client_secret: secret.expose(), key: ApiKeyBody::from_view(view) }
    }
}

impl<'k> ApiKeySummary<'k> {
    pub(in crate::api::native) fn from_key(key: &'k ApiKey) -> Self {
        Self::with_status(key, key.active)
    }

    /// Converts a key that has this status now.
    pub(in crate::api::native) fn with_status(key: &'k ApiKey, active: bool) -> Self {
        Self { id: key.id, client_id: &key.client_id, name: &key.name, status: KeyStatus::from_active(active).name() }
    }
}
