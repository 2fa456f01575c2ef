//! Roles in memory, as the back office writes them.

use tillgate_domain::office::ports::{Holders, Roles};
use tillgate_domain::{Device, Role, RoleId, RoleName, Scope, Stored, TenantId, User, UserId, UserStatus};

use super::super::transaction::{Transaction, broken, most};
use super::counted;

impl Roles for Transaction<'_> {
    fn find(&mut self, id: RoleId) -> Stored<Option<Role>> {
        Ok(self.tables().roles.get(&id).cloned())
    }

    fn named(&mut self, tenant: TenantId, name: &RoleName) -> Stored<Option<Role>> {
        let tables = self.tables();
        Ok(tables.role_names.get(&(tenant, name.folded())).and_then(|id| tables.roles.get(id)).cloned())
    }

    fn insert(&mut self, role: &Role) -> Stored<bool> {
        let tables = self.writing()?;
        let name = (role.tenant, role.name.folded());
        if tables.role_names.has(&name) {
            return Ok(false);
        }
        if tables.roles.has(&role.id) {
            return broken("a role's id is new");
        }
        if !tables.tenants.has(&role.tenant) {
            return broken("a role belongs to a tenant");
        }
        tables.role_names.put(name, role.id);
        tables.roles.put(role.id, role.clone());
        Ok(true)
    }

    fn update(&mut self, role: &Role) -> Stored<bool> {
        let tables = self.writing()?;
        let Some(old) = tables.roles.get(&role.id).filter(|old| old.version == role.version).cloned() else {
            return Ok(false);
        };
        let name = (old.tenant, role.name.folded());
        if tables.role_names.get(&name).is_some_and(|holder| *holder != role.id) {
            return Ok(false);
        }
        tables.role_names.remove(&(old.tenant, old.name.folded()));
        tables.role_names.put(name, role.id);
        let (tenant, built_in, version) = (old.tenant, old.built_in, old.version.saturating_add(1));
        tables.roles.put(role.id, Role { tenant, built_in, version, ..role.clone() });
        Ok(true)
    }

    fn remove(&mut self, id: RoleId, version: i64) -> Stored<bool> {
        let held = self.held(id, 0)?.total > 0;
        let tables = self.writing()?;
        let Some(role) = tables.roles.get(&id).filter(|role| role.version == version && !held).cloned() else {
            return Ok(false);
        };
        tables.role_names.remove(&(role.tenant, role.name.folded()));
        let deleted: Vec<UserId> =
            tables.users.rows().values().filter(|user| held_by(user, id)).map(|user| user.id).collect();
        for user in deleted {
            tables.users.change(&user, |user| {
                user.assignment.office.remove(&id);
                for held in user.assignment.devices.values_mut() {
                    held.remove(&id);
                }
            });
        }
        Ok(tables.roles.remove(&id))
    }

    fn held(&mut self, id: RoleId, limit: u32) -> Stored<Holders> {
        let tables = self.tables();
        let holds = |user: &&User| user.status != UserStatus::Deleted && held_by(user, id);
        let users: Vec<&User> = tables.users.rows().values().filter(holds).collect();
        let devices = tables.devices.rows().values().filter(|device| device.roles.contains(&id));
        let devices: Vec<&Device> = devices.collect();
        let total = counted(users.len() + devices.len());
        let users: Vec<_> = users.into_iter().take(most(limit)).map(|user| user.name.clone()).collect();
        let room = most(limit).saturating_sub(users.len());
        let devices = devices.into_iter().take(room).map(|device| device.name.clone()).collect();
        Ok(Holders { users, devices, total })
    }

    fn scopes(&mut self, id: RoleId, limit: u32) -> Stored<Option<Vec<Scope>>> {
        self.writing()?;
        let tables = self.tables();
        let holds = |user: &&User| user.status != UserStatus::Deleted && held_by(user, id);
        let users = tables.users.rows().values().filter(holds).map(|user| Scope::User(user.id));
        let devices = tables.devices.rows().values().filter(|device| device.roles.contains(&id));
        let scopes: Vec<Scope> = users.chain(devices.map(|device| Scope::Device(device.id))).collect();
        Ok((scopes.len() <= most(limit)).then_some(scopes))
    }

    fn list(&mut self, tenant: TenantId) -> Stored<Vec<Role>> {
        Ok(self.tables().roles.rows().values().filter(|role| role.tenant == tenant).cloned().collect())
    }
}

/// Whether the user has the role, without a device or on one.
fn held_by(user: &User, role: RoleId) -> bool {
    user.assignment.office.contains(&role) || user.assignment.devices.values().any(|held| held.contains(&role))
}
