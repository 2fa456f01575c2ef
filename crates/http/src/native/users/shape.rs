//! A user as the native API shows them.

use serde::Serialize;
use tillgate_domain::office::{Person, RolesOn};
use tillgate_domain::{ApiKey, Email, Instant, RoleName, UserId};
use utoipa::ToSchema;

use crate::instants::instant;
use crate::native::passwords::NamedApiKey;
use crate::native::schemas::UserStatus;

/// A user.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct Shape<'p> {
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
    devices: Vec<On<'p>>,
    /// When they were added.
    #[serde(serialize_with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When they were last changed.
    #[serde(serialize_with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

/// A user who was changed.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedUser)]
pub(super) struct Changed<'p> {
    #[serde(flatten)]
    user: Shape<'p>,
    /// After a change of roles, the active API keys without permissions that run as this user: they give whatever the user is given.
    /// Narrow or revoke those that should not. Left out if there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    growing_api_keys: Vec<NamedApiKey<'p>>,
}

impl<'p> Changed<'p> {
    pub(super) fn of(person: &'p Person, growing: &'p [ApiKey]) -> Self {
        Self { user: Shape::of(person), growing_api_keys: growing.iter().map(NamedApiKey::of).collect() }
    }
}

/// A device with the roles that a user has there; none lets them log in there without a right.
#[derive(Serialize, ToSchema)]
#[schema(as = RolesOnDevice)]
pub(super) struct On<'p> {
    /// The name of the device.
    #[schema(min_length = 1, max_length = 100)]
    device: &'p str,
    /// The roles that they have there, by name.
    #[schema(value_type = Vec<String>)]
    roles: &'p [RoleName],
}

impl<'p> Shape<'p> {
    pub(super) fn of(person: &'p Person) -> Self {
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
            devices: person.devices.iter().map(On::of).collect(),
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

impl<'p> On<'p> {
    fn of(on: &'p RolesOn) -> Self {
        Self { device: on.device.as_str(), roles: &on.roles }
    }
}
