//! Tenants and their branches.

use std::collections::BTreeMap;

use diesel::prelude::*;
use tillgate_auth_core::ports as auth;
use tillgate_domain::office::ports as office;
use tillgate_domain::office::ports::PageRequest;
use tillgate_domain::{Branch, Slug, StoreResult, Tenant, TenantId, Zone};

use super::foreign_key_violation_as_conflict;
use crate::error_class::classify;
use crate::row::{BranchRow, LimitColumns, TenantRow};
use crate::schema::{branches, tenants};
use crate::statement::{Bind, OnConflictDoNothing, Statement};
use crate::transaction::Transaction;

impl Transaction<'_> {
    /// Replaces the branches of a tenant. The preceding update has locked the tenant's row.
    fn replace_branches(&mut self, tenant: &Tenant) -> StoreResult<()> {
        let found = auth::Tenants::find(self, tenant.id)?.map(|found| found.branches).unwrap_or_default();
        for removed in found.iter().filter(|old| tenant.branches.iter().all(|each| each.id != old.id)) {
            let rows = branches::table.find(removed.id.0.as_bytes().as_slice());
            diesel::delete(rows).execute(self.write_connection()?).map_err(foreign_key_violation_as_conflict)?;
        }
        for branch in &tenant.branches {
            match found.iter().find(|old| old.id == branch.id) {
                None => self.insert_branch(tenant.id, branch)?,
                Some(old) if old != branch => {
                    let row = branches::table.find(branch.id.0.as_bytes().as_slice());
                    let changed = diesel::update(row).set((
                        branches::name.eq(branch.name.as_str()),
                        branches::zone.eq(branch.zone.as_ref().map(Zone::name)),
                    ));
                    changed.execute(self.write_connection()?).map_err(classify)?;
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn insert_branch(&mut self, tenant: TenantId, branch: &Branch) -> StoreResult<()> {
        let insert = diesel::insert_into(branches::table).values(BranchRow::from_domain(tenant, branch));
        insert.execute(self.write_connection()?).map(drop).map_err(classify)
    }

    fn load_branches(&mut self, rows: Vec<TenantRow>) -> StoreResult<Vec<Tenant>> {
        let ids: Vec<&[u8]> = rows.iter().map(|row| row.id.as_slice()).collect();
        let found: Vec<BranchRow> = match ids.as_slice() {
            [] => return Ok(Vec::new()),
            // the text of a list depends on its length, so its prepared form is not kept; a single
            // id has its own text
            [id] => branches::table
                .filter(branches::tenant_id.eq(id))
                .order(branches::id)
                .select(BranchRow::as_select())
                .load(self.connection),
            _ => branches::table
                .filter(branches::tenant_id.eq_any(&ids))
                .order(branches::id)
                .select(BranchRow::as_select())
                .load(self.connection),
        }
        .map_err(classify)?;
        let mut by_tenant: BTreeMap<Vec<u8>, Vec<Branch>> = BTreeMap::new();
        for row in found {
            by_tenant.entry(row.tenant_id.clone()).or_default().push(row.into_domain()?);
        }
        rows.into_iter()
            .map(|row| {
                let branches = by_tenant.remove(&row.id).unwrap_or_default();
                row.into_domain(branches)
            })
            .collect()
    }
}

impl auth::Tenants for Transaction<'_> {
    fn find(&mut self, id: TenantId) -> StoreResult<Option<Tenant>> {
        let rows = tenants::table
            .find(id.0.as_bytes().as_slice())
            .select(TenantRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        Ok(self.load_branches(rows)?.pop())
    }

    fn find_by_slug(&mut self, slug: &Slug) -> StoreResult<Option<Tenant>> {
        let rows = tenants::table
            .filter(tenants::slug.eq(slug.as_str()))
            .select(TenantRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        Ok(self.load_branches(rows)?.pop())
    }
}

impl office::Tenants for Transaction<'_> {
    fn find(&mut self, id: TenantId) -> StoreResult<Option<Tenant>> {
        auth::Tenants::find(self, id)
    }

    fn find_by_slug(&mut self, slug: &Slug) -> StoreResult<Option<Tenant>> {
        auth::Tenants::find_by_slug(self, slug)
    }

    fn insert(&mut self, tenant: &Tenant) -> StoreResult<bool> {
        let insert = diesel::insert_into(tenants::table).values(TenantRow::from_domain(tenant));
        if OnConflictDoNothing(insert).execute(self.write_connection()?).map_err(classify)? == 0 {
            return Ok(false);
        }
        for branch in &tenant.branches {
            self.insert_branch(tenant.id, branch)?;
        }
        Ok(true)
    }

    fn claim(&mut self, id: TenantId) -> StoreResult<bool> {
        // changes nothing: the lock on the row is what the next claim waits for
        Ok(self.execute(&Statement::new("UPDATE tenants SET version = version WHERE id = $1", [Bind::from(&id.0)]))?
            == 1)
    }

    fn update(&mut self, tenant: &Tenant) -> StoreResult<bool> {
        let unchanged =
            tenants::table.find(tenant.id.0.as_bytes().as_slice()).filter(tenants::version.eq(tenant.version));
        let rows = diesel::update(unchanged)
            .set((
                tenants::name.eq(tenant.name.as_str()),
                tenants::zone.eq(tenant.zone.name()),
                tenants::locale.eq(tenant.locale.as_str()),
                tenants::accent_color.eq(tenant.accent_color.map(|color| color.to_string())),
                tenants::machine_codes.eq(tenant.machine_codes),
                LimitColumns::from_domain(&tenant.limits),
                tenants::version.eq(tenants::version + 1_i64),
            ))
            .execute(self.write_connection()?)
            .map_err(classify)?;
        if rows == 0 {
            return Ok(false);
        }
        self.replace_branches(tenant)?;
        Ok(true)
    }

    fn list(&mut self, page: &PageRequest<TenantId>) -> StoreResult<Vec<Tenant>> {
        // no id is less than the nil one, so the first page uses the same statement as the others
        let after = page.after.map_or(uuid::Uuid::nil(), |id| id.0);
        let rows = tenants::table
            .filter(tenants::id.gt(after.as_bytes().as_slice()))
            .order(tenants::id)
            .limit(i64::from(page.limit))
            .select(TenantRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        self.load_branches(rows)
    }
}
