//! Rows of `roles`.

use diesel::prelude::*;
use tillgate_domain::{Role, RoleId, RoleName, StoreResult, TenantId};

use super::{Column, to_json, uuid_bytes};
use crate::schema::roles;

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
    pub(crate) fn from_domain(role: &Role) -> StoreResult<Self> {
        Ok(Self {
            id: uuid_bytes(&role.id.0),
            tenant_id: uuid_bytes(&role.tenant.0),
            name: role.name.as_str().to_owned(),
            folded: role.name.to_folded().as_str().to_owned(),
            label: role.label.clone(),
            description: role.description.clone(),
            rights: to_json(&role.rights)?,
            environments: to_json(&role.environments)?,
            built_in: role.built_in,
            version: role.version,
        })
    }

    pub(crate) fn into_domain(self) -> StoreResult<Role> {
        let cell = |column| Column("roles", column);
        Ok(Role {
            id: RoleId(cell("id").parse_uuid(&self.id)?),
            tenant: TenantId(cell("tenant_id").parse_uuid(&self.tenant_id)?),
            name: RoleName::from_stored(self.name),
            label: self.label,
            description: self.description,
            rights: cell("rights").parse_json(&self.rights)?,
            environments: cell("environments").parse_json(&self.environments)?,
            built_in: self.built_in,
            version: self.version,
        })
    }
}
