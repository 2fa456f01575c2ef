//! What requests say of API keys.

use std::str::FromStr;

use serde::Deserialize;
use tillgate_auth_core::auth::DrawnApiKey;
use tillgate_domain::office::{ApiKeyChange, NamedFields, NewApiKey};
use tillgate_domain::{DeviceName, ExactJson, Right, UserName};
use utoipa::ToSchema;
use validator::Validate;

use crate::failure::Failure;
use crate::field::{Description, DisplayName, Field, Fit, Unfit, fits, stays};
use crate::native::schemas::ApiKeyStatus;

/// Whether a key counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::native) enum Status {
    Active,
    Revoked,
}

impl Status {
    pub(in crate::native) const ALL: [Self; 2] = [Self::Active, Self::Revoked];

    pub(in crate::native) const fn of(active: bool) -> Self {
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

impl FromStr for Status {
    type Err = ();
    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|status| status.name() == name).ok_or(())
    }
}

impl Fit for Status {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        String::fit(value)?.parse().map_err(|()| Unfit::whole("format", "must be active or revoked"))
    }
}

/// A key that is to be.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = NewApiKey)]
pub(super) struct New {
    /// What people call it by.
    #[serde(default)]
    #[validate(required, custom(function = "fits"))]
    #[schema(value_type = String, min_length = 1, max_length = 200, required = true)]
    name: Field<DisplayName>,
    /// What it is for.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: Field<Description>,
    /// `active`, which it is where nothing is sent, or `revoked`.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<ApiKeyStatus>)]
    status: Field<Status>,
    /// The name of the user whom a request runs as.
    #[serde(default)]
    #[validate(required, custom(function = "fits"))]
    #[schema(value_type = String, min_length = 1, max_length = 100, required = true)]
    user: Field<UserName>,
    /// The name of the device that it runs on: one that the user may log in on.
    #[serde(default)]
    #[validate(required, custom(function = "fits"))]
    #[schema(value_type = String, min_length = 1, max_length = 100, required = true)]
    device: Field<DeviceName>,
    /// What the user's rights are narrowed to. Without any, a key of an admin gives whatever the user is given later; for everybody
    /// else it gets the rights as permissions that the user has now.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<Vec<String>>)]
    permissions: Field<Vec<Right>>,
}

/// What becomes of a key, as a merge patch (RFC 7396): what is not sent stays as it is.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(as = ApiKeyChange)]
pub(super) struct Change {
    /// What people call it by from now on.
    #[serde(default)]
    #[validate(custom(function = "stays"))]
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    name: Field<String>,
    /// What it is for; null for nothing any more.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<String>, max_length = 2000)]
    description: Field<Description>,
    /// Whether it counts from now on.
    #[serde(default)]
    #[validate(custom(function = "stays"))]
    #[schema(value_type = ApiKeyStatus)]
    status: Field<Status>,
    /// The user whom a request runs as from now on.
    #[serde(default)]
    #[validate(custom(function = "stays"))]
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    user: Field<UserName>,
    /// The device that it runs on from now on.
    #[serde(default)]
    #[validate(custom(function = "stays"))]
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    device: Field<DeviceName>,
    /// The permissions, in the place of those there are; null or none as for a new key.
    #[serde(default)]
    #[validate(custom(function = "fits"))]
    #[schema(value_type = Option<Vec<String>>)]
    permissions: Field<Vec<Right>>,
}

impl New {
    /// What it names of the tenant.
    pub(super) fn names(&self) -> NamedFields<'_> {
        NamedFields { user: self.user.value(), device: self.device.value(), ..NamedFields::default() }
    }

    /// The key, as it was drawn.
    pub(super) fn key(self, drawn: DrawnApiKey) -> Result<NewApiKey, Failure> {
        Ok(NewApiKey {
            id: drawn.id,
            client: drawn.client,
            wrapped: drawn.wrapped,
            name: self.name.needed()?.0,
            description: self.description.given().map(|Description(text)| text).unwrap_or_default(),
            active: self.status.given().is_none_or(Status::is_active),
            user: self.user.needed()?,
            device: self.device.needed()?,
            permissions: self.permissions.given().unwrap_or_default().into_iter().collect(),
        })
    }
}

impl Change {
    /// What it names of the tenant.
    pub(super) fn names(&self) -> NamedFields<'_> {
        NamedFields { user: self.user.value(), device: self.device.value(), ..NamedFields::default() }
    }

    pub(super) fn change(self) -> ApiKeyChange {
        ApiKeyChange {
            name: self.name.given(),
            description: self.description.patch().map(|text| text.map(|Description(text)| text).unwrap_or_default()),
            active: self.status.given().map(Status::is_active),
            user: self.user.given(),
            device: self.device.given(),
            permissions: self.permissions.patch().map(|rights| rights.unwrap_or_default().into_iter().collect()),
        }
    }
}
