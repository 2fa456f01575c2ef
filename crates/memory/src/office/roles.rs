//! The in-memory role port of the back office.

use tillgate_domain::office::ports::{RoleHolders, Roles};
use tillgate_domain::{Device, Role, RoleId, RoleName, Scope, StoreResult, TenantId, User, UserId, UserStatus};

use super::super::transaction::{Transaction, constraint_error, to_usize};
use super::to_u64;

impl Roles for Transaction<'_> {
    fn find(&mut self, id: RoleId) -> StoreResult<Option<Role>> {
        Ok(self.tables().roles.get(&id).cloned())
    }

    fn find_by_name(&mut self, tenant: TenantId, name: &RoleName) -> StoreResult<Option<Role>> {
        let tables = self.tables();
        Ok(tables.role_names.get(&(tenant, name.to_folded())).and_then(|id| tables.roles.get(id)).cloned())
    }

    fn insert(&mut self, role: &Role) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        let name = (role.tenant, role.name.to_folded());
        if tables.role_names.has(&name) {
            return Ok(false);
        }
        if tables.roles.has(&role.id) {
            return constraint_error("a role's id is new");
        }
        if !tables.tenants.has(&role.tenant) {
            return constraint_error("a role belongs to a tenant");
        }
        tables.role_names.put(name, role.id);
        tables.roles.put(role.id, role.clone());
        Ok(true)
    }

    fn update(&mut self, role: &Role) -> StoreResult<bool> {
        let tables = self.tables_mut()?;
        let Some(old) = tables.roles.get(&role.id).filter(|old| old.version == role.version).cloned() else {
            return Ok(false);
        };
        let name = (old.tenant, role.name.to_folded());
        if tables.role_names.get(&name).is_some_and(|holder| *holder != role.id) {
            return Ok(false);
        }
        tables.role_names.remove(&(old.tenant, old.name.to_folded()));
        tables.role_names.put(name, role.id);
        let (tenant, built_in, version) = (old.tenant, old.built_in, old.version.saturating_add(1));
        tables.roles.put(role.id, Role { tenant, built_in, version, ..role.clone() });
        Ok(true)
    }

    fn remove(&mut self, id: RoleId, version: i64) -> StoreResult<bool> {
        let assigned = self.find_holders(id, 0)?.total > 0;
        let tables = self.tables_mut()?;
        let Some(role) = tables.roles.get(&id).filter(|role| role.version == version && !assigned).cloned() else {
            return Ok(false);
        };
        tables.role_names.remove(&(role.tenant, role.name.to_folded()));
        let deleted: Vec<UserId> =
            tables.users.rows().values().filter(|user| holds_role(user, id)).map(|user| user.id).collect();
        for user in deleted {
            tables.users.change(&user, |user| {
                user.assignment.office.remove(&id);
                for assigned in user.assignment.devices.values_mut() {
                    assigned.remove(&id);
                }
            });
        }
        Ok(tables.roles.remove(&id))
    }

    fn find_holders(&mut self, id: RoleId, limit: u32) -> StoreResult<RoleHolders> {
        let tables = self.tables();
        let holds = |user: &&User| user.status != UserStatus::Deleted && holds_role(user, id);
        let users: Vec<&User> = tables.users.rows().values().filter(holds).collect();
        let devices = tables.devices.rows().values().filter(|device| device.roles.contains(&id));
        let devices: Vec<&Device> = devices.collect();
        let total = to_u64(users.len() + devices.len());
        let users: Vec<_> = users.into_iter().take(to_usize(limit)).map(|user| user.name.clone()).collect();
        let remaining = to_usize(limit).saturating_sub(users.len());
        let devices = devices.into_iter().take(remaining).map(|device| device.name.clone()).collect();
        Ok(RoleHolders { users, devices, total })
    }

    fn find_holder_scopes(&mut self, id: RoleId, limit: u32) -> StoreResult<Option<Vec<Scope>>> {
        self.tables_mut()?;
        let tables = self.tables();
        let holds = |user: &&User| user.status != UserStatus::Deleted && holds_role(user, id);
        let users = tables.users.rows().values().filter(holds).map(|user| Scope::User(user.id));
        let devices = tables.devices.rows().values().filter(|device| device.roles.contains(&id));
        let scopes: Vec<Scope> = users.chain(devices.map(|device| Scope::Device(device.id))).collect();
        Ok((scopes.len() <= to_usize(limit)).then_some(scopes))
    }

    fn list(&mut self, tenant: TenantId) -> StoreResult<Vec<Role>> {
        Ok(self.tables().roles.rows().values().filter(|role| role.tenant == tenant).cloned().collect())
    }
}

/// Whether the user has the role, without a device or on one.
pub(crate) fn holds_role(user: &User, role: RoleId) -> bool {
    user.assignment.office.contains(&role) || user.assignment.devices.values().any(|assigned| assigned.contains(&role))
}
