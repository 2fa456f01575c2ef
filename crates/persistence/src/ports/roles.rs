//! Roles: those among some for a login, all of a tenant for the back office.

use diesel::prelude::*;
use tillgate_auth_core::ports as auth;
use tillgate_domain::office::ports as office;
use tillgate_domain::{Role, RoleId, RoleName, Stored, TenantId};

use crate::failure::classify;
use crate::row::RoleRow;
use crate::schema::roles;
use crate::statement::OrNothing;
use crate::transaction::Transaction;

impl auth::Roles for Transaction<'_> {
    fn among(&mut self, tenant: TenantId, ids: &[RoleId]) -> Stored<Vec<Role>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // a tenant has few roles: one index and one prepared statement serve every set of ids
        let mut held = office::Roles::list(self, tenant)?;
        held.retain(|role| ids.contains(&role.id));
        Ok(held)
    }
}

impl office::Roles for Transaction<'_> {
    fn named(&mut self, tenant: TenantId, name: &RoleName) -> Stored<Option<Role>> {
        let folded = name.folded();
        let row: Option<RoleRow> = roles::table
            .filter(roles::tenant_id.eq(tenant.0.as_bytes().as_slice()))
            .filter(roles::folded.eq(folded.as_str()))
            .select(RoleRow::as_select())
            .get_result(self.connection)
            .optional()
            .map_err(classify)?;
        row.map(RoleRow::role).transpose()
    }

    fn insert(&mut self, role: &Role) -> Stored<bool> {
        let insert = diesel::insert_into(roles::table).values(RoleRow::of(role)?);
        Ok(OrNothing(insert).execute(self.writing()?).map_err(classify)? == 1)
    }

    fn list(&mut self, tenant: TenantId) -> Stored<Vec<Role>> {
        let rows: Vec<RoleRow> = roles::table
            .filter(roles::tenant_id.eq(tenant.0.as_bytes().as_slice()))
            .order(roles::id)
            .select(RoleRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        rows.into_iter().map(RoleRow::role).collect()
    }
}
