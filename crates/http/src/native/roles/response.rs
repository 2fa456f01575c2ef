//! A role as the native API shows it.

use serde::Serialize;
use tillgate_domain::{Rights, Role, RoleId};
use utoipa::ToSchema;

use crate::native::schemas::{Environments, RightNames};

/// A role.
#[derive(Serialize, ToSchema)]
#[schema(as = Role)]
pub(super) struct RoleBody<'r> {
    /// It stays for good.
    #[schema(value_type = uuid::Uuid)]
    id: RoleId,
    /// The name that requests use.
    name: &'r str,
    /// The name that people read.
    label: &'r str,
    /// What it is for.
    description: &'r str,
    /// What it allows; `admin` is everything.
    #[schema(value_type = RightNames)]
    rights: &'r Rights,
    /// Where it counts. Sessions without a device ask nothing of this.
    #[schema(value_type = Environments)]
    environments: Vec<&'static str>,
    /// Made with the tenant: it cannot be changed or deleted.
    built_in: bool,
}

impl<'r> RoleBody<'r> {
    pub(super) fn from_role(role: &'r Role) -> Self {
        Self {
            id: role.id,
            name: role.name.as_str(),
            label: &role.label,
            description: &role.description,
            rights: &role.rights,
            environments: role.environments.iter().map(|each| each.name()).collect(),
            built_in: role.built_in,
        }
    }
}
