//! An API key as the native API shows it.

use serde::Serialize;
use tillgate_domain::office::KnownApiKey;
use tillgate_domain::{ApiKeyId, Instant, Rights, Secret};
use utoipa::ToSchema;

use super::sent::Status;
use crate::instants::instant;
use crate::native::schemas::ApiKeyStatus;

/// An API key.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(super) struct Shape<'k> {
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
    #[serde(serialize_with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

/// An API key that was just made, with its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = MadeApiKey)]
pub(super) struct Made<'k> {
    /// The secret, shown this once.
    client_secret: &'k str,
    #[serde(flatten)]
    key: Shape<'k>,
}

impl<'k> Shape<'k> {
    pub(super) fn of(known: &'k KnownApiKey) -> Self {
        let key = &known.key;
        Self {
            id: key.id,
            client_id: &key.client,
            name: &key.name,
            description: &key.description,
            status: Status::of(key.active).name(),
            user: known.user.as_str(),
            device: known.device.as_str(),
            permissions: &key.permissions,
            created_at: key.created_at,
        }
    }
}

impl<'k> Made<'k> {
    pub(super) fn of(known: &'k KnownApiKey, secret: &'k Secret<String>) -> Self {
        Self { client_secret: secret.expose(), key: Shape::of(known) }
    }
}
