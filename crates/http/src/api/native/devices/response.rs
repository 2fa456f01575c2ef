//! Devices in responses of the native API.

use std::collections::BTreeMap;

use serde::Serialize;
use tillgate_domain::office::DeviceView;
use tillgate_domain::{DeviceId, Instant, JsonObject, RoleName};
use utoipa::ToSchema;

use crate::api::native::schemas::{DeviceStatus, Environment};
use crate::timestamps::{serialize_instant, serialize_optional_instant};

/// A device on which users log in, or which logs in as itself.
#[derive(Serialize, ToSchema)]
#[schema(as = Device)]
pub struct DeviceBody<'d> {
    /// Id of the device; it never changes.
    #[schema(value_type = uuid::Uuid)]
    id: DeviceId,
    /// Name of the device in logins.
    name: &'d str,
    /// Kind of the device: a till, a handheld, a back-office program or a tool.
    #[schema(value_type = Environment)]
    environment: &'static str,
    /// Status of the device; logins require `active`.
    #[schema(value_type = DeviceStatus)]
    status: &'static str,
    /// Where the device is or what it is for.
    description: &'d str,
    /// Preferences that the program on the device stores for itself.
    #[schema(value_type = Object)]
    preferences: &'d JsonObject,
    /// Settings that the back office makes for the program on the device.
    settings: &'d BTreeMap<String, String>,
    /// Names of the roles that apply when the device logs in as itself.
    #[schema(value_type = Vec<String>)]
    roles: &'d [RoleName],
    /// When a session on the device was last used, with a resolution of one minute; null if never.
    #[serde(serialize_with = "serialize_optional_instant")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen_at: Option<Instant>,
    /// When the device was created.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When the device was last changed.
    #[serde(serialize_with = "serialize_instant")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

impl<'d> DeviceBody<'d> {
    /// Converts a device with the names of its roles.
    pub fn from_view(view: &'d DeviceView) -> Self {
        let device = &view.device;
        Self {
            id: device.id,
            name: device.name.as_str(),
            environment: device.environment.name(),
            status: device.status.name(),
            description: &device.description,
            preferences: &device.preferences,
            settings: &device.settings,
            roles: &view.roles,
            last_seen_at: device.last_seen_at,
            created_at: device.created_at,
            updated_at: device.updated_at,
        }
    }
}
