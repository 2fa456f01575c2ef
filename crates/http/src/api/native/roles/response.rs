//! Roles in responses of the native API.

use serde::Serialize;
use tillgate_domain::office::RoleView;
use tillgate_domain::{Rights, RoleId};
use utoipa::ToSchema;

use crate::api::native::schemas::{Environments, RightNames};

/// A named set of rights.
#[derive(Serialize, ToSchema)]
#[schema(as = Role)]
pub struct RoleBody<'r> {
    /// Id of the role; it never changes.
    #[schema(value_type = uuid::Uuid)]
    id: RoleId,
    /// Name of the role in requests.
    name: &'r str,
    /// Display name of the role.
    label: &'r str,
    /// What the role is for.
    description: &'r str,
    /// The rights of the role; `admin` includes all rights.
    #[schema(value_type = RightNames)]
    rights: &'r Rights,
    /// Kinds of devices on which the role applies. Sessions without a device ignore this.
    #[schema(value_type = Environments)]
    environments: Vec<&'static str>,
    /// Whether the role was created with the tenant; such a role cannot be changed or deleted.
    built_in: bool,
    /// Number of users that are not deleted and of devices that have the role.
    holder_count: u64,
}

impl<'r> RoleBody<'r> {
    /// Converts a role.
    pub fn from_view(view: &'r RoleView) -> Self {
        let role = &view.role;
        Self {
            id: role.id,
            name: role.name.as_str(),
            label: &role.label,
            description: &role.description,
            rights: &role.rights,
            environments: role.environments.iter().map(|each| each.name()).collect(),
            built_in: role.built_in,
            holder_count: view.holder_count,
        }
    }
}
