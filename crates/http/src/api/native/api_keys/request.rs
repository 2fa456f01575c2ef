//! Requests of the API key operations.

use std::time::Duration;

use serde::Deserialize;
use tillgate_auth_core::auth::GeneratedApiKey;
use tillgate_domain::office::{
    ApiKeyChange, DEFAULT_SECRET_OVERLAP, EntityChange, MAX_SECRET_OVERLAP, NamedFields, NewApiKey,
};
use tillgate_domain::{DeviceName, ExactJson, Right, UserName};
use utoipa::ToSchema;
use validator::Validate;

use crate::api::native::key_status::KeyStatus;
use crate::api::native::schemas::ApiKeyStatus;
use crate::error::{ApiError, FieldErrorCode};
use crate::request::field::{BodyField, Description, DisplayName, FieldError, FromJson, not_null, well_typed};
use crate::timestamps::Rfc3339Instant;

/// A new API key.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewApiKey)]
pub(super) struct CreateApiKey {
    /// Display name of the key.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, min_length = 1, max_length = 200, required = true)]
    name: BodyField<DisplayName>,
    /// What the key is for.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: BodyField<Description>,
    /// `active` or `revoked`; `active` if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<ApiKeyStatus>)]
    status: BodyField<KeyStatus>,
    /// Name of the user as whom the program acts.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, min_length = 1, max_length = 100, required = true)]
    user: BodyField<UserName>,
    /// Name of the device on which the program acts; the user must be allowed to log in on it.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, min_length = 1, max_length = 100, required = true)]
    device: BodyField<DeviceName>,
    /// The rights to which the key is restricted. If omitted or empty, a key created by an admin
    /// always has all current rights of its user; a key created by anyone else gets the user's
    /// present rights as permissions.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<String>>)]
    permissions: BodyField<Vec<Right>>,
    /// When the key stops being accepted, in the future; never if omitted.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: BodyField<Rfc3339Instant>,
}

/// Changes to an API key, as a merge patch (RFC 7396): omitted members stay unchanged.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ApiKeyChange)]
pub(super) struct UpdateApiKey {
    /// New display name.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    name: BodyField<String>,
    /// New description; null removes it.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: BodyField<Description>,
    /// New status: `active` or `revoked`.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = ApiKeyStatus)]
    status: BodyField<KeyStatus>,
    /// Name of the user as whom the program acts from now on.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    user: BodyField<UserName>,
    /// Name of the device on which the program acts from now on.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    device: BodyField<DeviceName>,
    /// The complete new list of permissions; null and an empty list have the same meaning as for a
    /// new key.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<String>>)]
    permissions: BodyField<Vec<Right>>,
    /// When the key stops being accepted, in the future; null for never.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: BodyField<Rfc3339Instant>,
}

/// A new secret of an API key.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = ApiKeyRotation)]
pub(super) struct RotateApiKey {
    /// For how many hours the previous secret is accepted, too; 24 if omitted. With 0, it is
    /// rejected at once.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 24, default = 24)]
    overlap_hours: BodyField<OverlapHours>,
}

/// A number of hours in the range of [`MAX_SECRET_OVERLAP`].
struct OverlapHours(Duration);

impl FromJson for OverlapHours {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        let hours = i64::from_json(value)?;
        let overlap = u64::try_from(hours).ok().and_then(|hours| Some(Duration::from_secs(hours.checked_mul(3_600)?)));
        overlap
            .filter(|overlap| *overlap <= MAX_SECRET_OVERLAP)
            .map(Self)
            .ok_or_else(|| FieldError::for_value(FieldErrorCode::Range, "must be from 0 to 24"))
    }
}

impl RotateApiKey {
    pub(super) fn into_overlap(self) -> Duration {
        self.overlap_hours.into_value().map_or(DEFAULT_SECRET_OVERLAP, |OverlapHours(overlap)| overlap)
    }
}

impl CreateApiKey {
    /// Returns the names in the request that must exist in the tenant, and the expiry.
    pub(super) fn names(&self) -> NamedFields<'_> {
        NamedFields {
            user: self.user.as_value(),
            device: self.device.as_value(),
            expires_at: self.expires_at.as_value().map(|Rfc3339Instant(at)| *at),
            ..NamedFields::default()
        }
    }

    /// Combines the request with the generated id, client id and secret.
    pub(super) fn into_new_api_key(self, generated: GeneratedApiKey) -> Result<NewApiKey, ApiError> {
        Ok(NewApiKey {
            id: generated.id,
            client_id: generated.client_id,
            wrapped_secret: generated.wrapped_secret,
            name: self.name.require_value()?.0,
            description: self.description.into_value().map(|Description(text)| text).unwrap_or_default(),
            active: self.status.into_value().is_none_or(KeyStatus::is_active),
            user: self.user.require_value()?,
            device: self.device.require_value()?,
            permissions: self.permissions.into_value().unwrap_or_default().into_iter().collect(),
            expires_at: self.expires_at.into_value().map(|Rfc3339Instant(at)| at),
        })
    }
}

impl UpdateApiKey {
    /// Returns the names in the request that must exist in the tenant, and the change as a whole.
    pub(super) fn names<'a>(&'a self, change: EntityChange<'a>) -> NamedFields<'a> {
        NamedFields {
            user: self.user.as_value(),
            device: self.device.as_value(),
            change: Some(change),
            ..NamedFields::default()
        }
    }

    pub(super) fn into_change(self) -> ApiKeyChange {
        ApiKeyChange {
            name: self.name.into_value(),
            description: self
                .description
                .into_patch()
                .map(|text| text.map(|Description(text)| text).unwrap_or_default()),
            active: self.status.into_value().map(KeyStatus::is_active),
            user: self.user.into_value(),
            device: self.device.into_value(),
            permissions: self.permissions.into_patch().map(|rights| rights.unwrap_or_default().into_iter().collect()),
            expires_at: self.expires_at.into_patch().map(|at| at.map(|Rfc3339Instant(at)| at)),
        }
    }
}
