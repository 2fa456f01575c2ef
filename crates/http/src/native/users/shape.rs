//! A user as the native API shows them.

use serde::Serialize;
use tillgate_domain::office::{Person, RolesOn};
use tillgate_domain::{Email, Instant, RoleName, UserId, UserStatus};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use crate::instants::instant;

/// A user.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct Shape<'p> {
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    user_name: &'p str,
    email: Option<&'p str>,
    display_name: &'p str,
    #[schema(schema_with = status)]
    status: &'static str,
    /// Whether they stand for a feature and not for a person.
    r#virtual: bool,
    /// The feature that a virtual user stands for.
    feature: Option<&'p str>,
    /// The roles without a device.
    #[schema(value_type = Vec<String>)]
    roles: &'p [RoleName],
    /// The devices that they may log in on.
    devices: Vec<On<'p>>,
    #[serde(serialize_with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[serde(serialize_with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

/// A device with the roles that a user has there; none lets them log in there without a right.
#[derive(Serialize, ToSchema)]
#[schema(as = RolesOnDevice)]
pub(super) struct On<'p> {
    /// The name of the device.
    #[schema(min_length = 1, max_length = 100)]
    device: &'p str,
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

/// The schema of a status.
pub(super) fn status() -> Schema {
    words(&UserStatus::ALL)
}

/// The schema of the status of a new user.
pub(super) fn first_status() -> Schema {
    words(&[UserStatus::Active, UserStatus::Pending])
}

fn words(statuses: &[UserStatus]) -> Schema {
    let words: Vec<&str> = statuses.iter().map(|status| status.name()).collect();
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).into()
}
