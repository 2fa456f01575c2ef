//! A device as the native API shows it.

use std::collections::BTreeMap;

use serde::Serialize;
use tillgate_domain::office::DeviceView;
use tillgate_domain::{DeviceId, Instant, JsonObject, RoleName};
use utoipa::ToSchema;

use crate::native::schemas::{DeviceStatus, Environment};
use crate::timestamps::{serialize_instant, serialize_optional_instant};

/// A device.
#[derive(Serialize, ToSchema)]
#[schema(as = Device)]
pub(super) struct DeviceBody<'d> {
    /// It stays for good.
    #[schema(value_type = uuid::Uuid)]
    id: DeviceId,
    /// The name to log in under.
    name: &'d str,
    /// What kind it is: a till, a handheld, an office program or a tool.
    #[schema(value_type = Environment)]
    environment: &'static str,
    /// Only on an `active` one does anybody log in.
    #[schema(value_type = DeviceStatus)]
    status: &'static str,
    /// Where it stands, what it is for.
    description: &'d str,
    /// What the program on it remembers of its own.
    #[schema(value_type = Object)]
    preferences: &'d JsonObject,
    /// What the back office sets for the program on it.
    settings: &'d BTreeMap<String, String>,
    /// The roles that it has when it logs in as itself.
    #[schema(value_type = Vec<String>)]
    roles: &'d [RoleName],
    /// When a session on it was last used, to the minute.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen_at: Option<Instant>,
    /// When it was registered.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When it was last changed.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

impl<'d> DeviceBody<'d> {
    pub(super) fn from_view(equipped: &'d DeviceView) -> Self {
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
