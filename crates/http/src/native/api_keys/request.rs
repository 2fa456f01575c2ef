//! What requests say of API keys.

use std::str::FromStr;

use serde::Deserialize;
use tillgate_auth_core::auth::GeneratedApiKey;
use tillgate_domain::office::{ApiKeyChange, NamedFields, NewApiKey};
use tillgate_domain::{DeviceName, ExactJson, Right, UserName};
use utoipa::ToSchema;
use validator::Validate;

use crate::error::ApiError;
use crate::field::{BodyField, Description, DisplayName, FieldError, FromJson, not_null, well_typed};
use crate::native::schemas::ApiKeyStatus;

/// Whether a key counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::native) enum KeyStatus {
    Active,
    Revoked,
}

impl KeyStatus {
    pub(in crate::native) const ALL: [Self; 2] = [Self::Active, Self::Revoked];

    pub(in crate::native) const fn from_active(active: bool) -> Self {
        if active { Self::Active } else { Self::Revoked }
    }

    pub(in crate::native) const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }

    pub(super) fn is_active(self) -> bool {
        self == Self::Active
    }
}

impl FromStr for KeyStatus {
    type Err = ();
    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|status| status.name() == name).ok_or(())
    }
}

impl FromJson for KeyStatus {
    fn from_json(value: ExactJson) -> Result<Self, Vec<FieldError>> {
        String::from_json(value)?.parse().map_err(|()| FieldError::for_value("format", "must be active or revoked"))
    }
}

/// A key that is to be.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewApiKey)]
pub(super) struct CreateApiKey {
    /// What people call it by.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, min_length = 1, max_length = 200, required = true)]
    name: BodyField<DisplayName>,
    /// What it is for.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: BodyField<Description>,
    /// `active`, which it is where nothing is sent, or `revoked`.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<ApiKeyStatus>)]
    status: BodyField<KeyStatus>,
    /// The name of the user whom a request runs as.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, min_length = 1, max_length = 100, required = true)]
    user: BodyField<UserName>,
    /// The name of the device that it runs on: one that the user may log in on.
    #[serde(default)]
    #[validate(required, custom(function = "well_typed"))]
    #[schema(value_type = String, min_length = 1, max_length = 100, required = true)]
    device: BodyField<DeviceName>,
    /// What the user's rights are narrowed to. Without any, a key of an admin gives whatever the user is given later; for everybody
    /// else it gets the rights as permissions that the user has now.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<String>>)]
    permissions: BodyField<Vec<Right>>,
}

/// What becomes of a key, as a merge patch (RFC 7396): what is not sent stays as it is.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = ApiKeyChange)]
pub(super) struct UpdateApiKey {
    /// What people call it by from now on.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    name: BodyField<String>,
    /// What it is for; null for nothing any more.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: BodyField<Description>,
    /// Whether it counts from now on.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = ApiKeyStatus)]
    status: BodyField<KeyStatus>,
    /// The user whom a request runs as from now on.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    user: BodyField<UserName>,
    /// The device that it runs on from now on.
    #[serde(default)]
    #[validate(custom(function = "not_null"))]
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    device: BodyField<DeviceName>,
    /// The permissions, in the place of those there are; null or none as for a new key.
    #[serde(default)]
    #[validate(custom(function = "well_typed"))]
    #[schema(value_type = Option<Vec<String>>)]
    permissions: BodyField<Vec<Right>>,
}

impl CreateApiKey {
    /// What it names of the tenant.
    pub(super) fn names(&self) -> NamedFields<'_> {
        NamedFields { user: self.user.as_value(), device: self.device.as_value(), ..NamedFields::default() }
    }

    /// The key, as it was drawn.
    pub(super) fn into_new_api_key(self, drawn: GeneratedApiKey) -> Result<NewApiKey, ApiError> {
        Ok(NewApiKey {
            id: drawn.id,
            client_id: drawn.client_id,
            wrapped_secret: drawn.wrapped_secret,
            name: self.name.require_value()?.0,
            description: self.description.into_value().map(|Description(text)| text).unwrap_or_default(),
            active: self.status.into_value().is_none_or(KeyStatus::is_active),
            user: self.user.require_value()?,
            device: self.device.require_value()?,
            permissions: self.permissions.into_value().unwrap_or_default().into_iter().collect(),
        })
    }
}

impl UpdateApiKey {
    /// What it names of the tenant.
    pub(super) fn names(&self) -> NamedFields<'_> {
        NamedFields { user: self.user.as_value(), device: self.device.as_value(), ..NamedFields::default() }
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
        }
    }
}
