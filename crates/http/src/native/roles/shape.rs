//! A role as the native API shows it.

use serde::Serialize;
use tillgate_domain::{Environment, Rights, Role, RoleId};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};

use crate::openapi::words_schema;

/// A role.
#[derive(Serialize, ToSchema)]
#[schema(as = Role)]
pub(super) struct Shape<'r> {
    #[schema(value_type = uuid::Uuid)]
    id: RoleId,
    /// The name that requests use.
    name: &'r str,
    /// The name that people read.
    label: &'r str,
    description: &'r str,
    /// What it allows; `admin` is everything.
    #[schema(schema_with = rights)]
    rights: &'r Rights,
    /// Where it counts. Sessions without a device ask nothing of this.
    #[schema(schema_with = environments)]
    environments: Vec<&'static str>,
    /// Made with the tenant: it cannot be changed or deleted.
    built_in: bool,
}

impl<'r> Shape<'r> {
    pub(super) fn of(role: &'r Role) -> Self {
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

/// The schema of rights.
pub(super) fn rights() -> Schema {
    let name = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[a-z][A-Za-z0-9]{0,63}$"));
    ArrayBuilder::new().items(name).min_items(Some(1)).into()
}

/// The schema of environments.
pub(super) fn environments() -> Schema {
    ArrayBuilder::new().items(RefOr::T(words_schema(Environment::ALL.map(Environment::name)))).min_items(Some(1)).into()
}
