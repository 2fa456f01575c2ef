//! Rows of `roles`.

use diesel::prelude::*;
use tillgate_domain::{Role, RoleId, RoleName, Stored, TenantId};

use super::{Cell, bytes, to_json};
use crate::schema::roles;

/// A row of `roles`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = roles)]
pub(crate) struct RoleRow {
    id: Vec<u8>,
    tenant_id: Vec<u8>,
    name: String,
    pub(crate) folded: String,
    label: String,
    description: String,
    pub(crate) rights: String,
    pub(crate) environments: String,
    built_in: bool,
    version: i64,
}

impl RoleRow {
    /// The row of a role.
    pub(crate) fn of(role: &Role) -> Stored<Self> {
        Ok(Self {
            id: bytes(&role.id.0),
            tenant_id: bytes(&role.tenant.0),
            name: role.name.as_str().to_owned(),
            folded: role.name.folded().as_str().to_owned(),
            label: role.label.clone(),
            description: role.description.clone(),
            rights: to_json(&role.rights)?,
            environments: to_json(&role.environments)?,
            built_in: role.built_in,
            version: role.version,
        })
    }

    /// The role of the row.
    pub(crate) fn role(self) -> Stored<Role> {
        let cell = |column| Cell("roles", column);
        Ok(Role {
            id: RoleId(cell("id").uuid(&self.id)?),
            tenant: TenantId(cell("tenant_id").uuid(&self.tenant_id)?),
            name: RoleName::restored(self.name),
            label: self.label,
            description: self.description,
            rights: cell("rights").json(&self.rights)?,
            environments: cell("environments").json(&self.environments)?,
            built_in: self.built_in,
            version: self.version,
        })
    }
}
