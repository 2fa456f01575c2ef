//! A user as the native API shows them.

use serde::Serialize;
use tillgate_domain::office::{DeviceRoleAssignment, UserView};
use tillgate_domain::{ApiKey, Email, Instant, RoleName, UserId};
use utoipa::ToSchema;

use crate::native::passwords::ApiKeySummary;
use crate::native::schemas::UserStatus;
use crate::timestamps::serialize_instant;

/// A user.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct UserBody<'p> {
    /// It stays for good.
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    /// The name to log in under.
    user_name: &'p str,
    /// The address to log in with instead; null for none.
    email: Option<&'p str>,
    /// The name that people read.
    display_name: &'p str,
    /// Whoever is not `active` does not log in.
    #[schema(value_type = UserStatus)]
    status: &'static str,
    /// Whether they stand for a feature and not for a person.
    r#virtual: bool,
    /// The feature that a virtual user stands for.
    feature: Option<&'p str>,
    /// Whether the password must be changed at the next login.
    password_change_required: bool,
    /// The roles without a device.
    #[schema(value_type = Vec<String>)]
    roles: &'p [RoleName],
    /// The devices that they may log in on.
    devices: Vec<RolesOnDeviceBody<'p>>,
    /// When they were added.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When they were last changed.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

/// A user who was changed.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedUser)]
pub(super) struct UpdatedUserBody<'p> {
    #[serde(flatten)]
    user: UserBody<'p>,
    /// After a change of roles, the active API keys without permissions that run as this user: they give whatever the user is given.
    /// Narrow or revoke those that should not. Left out if there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    growing_api_keys: Vec<ApiKeySummary<'p>>,
}

impl<'p> UpdatedUserBody<'p> {
    pub(super) fn from_view(person: &'p UserView, growing: &'p [ApiKey]) -> Self {
        Self {
            user: UserBody::from_view(person),
            growing_api_keys: growing.iter().map(ApiKeySummary::from_key).collect(),
        }
    }
}

/// A device with the roles that a user has there; none lets them log in there without a right.
#[derive(Serialize, ToSchema)]
#[schema(as = RolesOnDevice)]
pub(super) struct RolesOnDeviceBody<'p> {
    /// The name of the device.
    #[schema(min_length = 1, max_length = 100)]
    device: &'p str,
    /// The roles that they have there, by name.
    #[schema(value_type = Vec<String>)]
    roles: &'p [RoleName],
}

impl<'p> UserBody<'p> {
    pub(super) fn from_view(person: &'p UserView) -> Self {
        let user = &person.user;
        Self {
            id: user.id,
            user_name: user.name.as_str(),
            email: user.email.as_ref().map(Email::as_str),
            display_name: &user.display_name,
            status: user.status.name(),
            r#virtual: user.is_virtual(),
            feature: user.feature.as_deref(),
            password_change_required: user.password_change_required,
            roles: &person.roles,
            devices: person.devices.iter().map(RolesOnDeviceBody::from_roles).collect(),
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

impl<'p> RolesOnDeviceBody<'p> {
    fn from_roles(on: &'p DeviceRoleAssignment) -> Self {
        Self { device: on.device.as_str(), roles: &on.roles }
    }
}
