//! A device as the native API shows it.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use tillgate_domain::office::Equipped;
use tillgate_domain::{DeviceId, DeviceStatus, Environment, Instant, RoleName};
use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;

use crate::instants::instant;
use crate::openapi::words_schema;

/// A device.
#[derive(Serialize, ToSchema)]
#[schema(as = Device)]
pub(super) struct Shape<'d> {
    #[schema(value_type = uuid::Uuid)]
    id: DeviceId,
    name: &'d str,
    #[schema(schema_with = environment)]
    environment: &'static str,
    #[schema(schema_with = status)]
    status: &'static str,
    description: &'d str,
    /// What the program on it remembers of its own.
    #[schema(value_type = Object)]
    preferences: &'d Map<String, Value>,
    /// What the back office sets for the program on it.
    settings: &'d BTreeMap<String, String>,
    /// The roles that it has when it logs in as itself.
    #[schema(value_type = Vec<String>)]
    roles: &'d [RoleName],
    /// When a session on it was last used, to the minute.
    #[serde(serialize_with = "maybe")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen_at: Option<Instant>,
    #[serde(serialize_with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[serde(serialize_with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

impl<'d> Shape<'d> {
    pub(super) fn of(equipped: &'d Equipped) -> Self {
        let device = &equipped.device;
        Self {
            id: device.id,
            name: device.name.as_str(),
            environment: device.environment.name(),
            status: device.status.name(),
            description: &device.description,
            preferences: &device.preferences,
            settings: &device.settings,
            roles: &equipped.roles,
            last_seen_at: device.last_seen_at,
            created_at: device.created_at,
            updated_at: device.updated_at,
        }
    }
}

#[expect(clippy::ref_option, reason = "the shape that serde calls")]
fn maybe<S: Serializer>(at: &Option<Instant>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => instant(at, serializer),
        None => serializer.serialize_none(),
    }
}

/// The schema of an environment.
pub(super) fn environment() -> Schema {
    words_schema(Environment::ALL.map(Environment::name))
}

/// The schema of a status.
pub(super) fn status() -> Schema {
    words_schema(DeviceStatus::ALL.map(DeviceStatus::name))
}

/// The schema of the status of a new device.
pub(super) fn first_status() -> Schema {
    words_schema([DeviceStatus::Active, DeviceStatus::Pending].map(DeviceStatus::name))
}
