//! The in-memory directory ports of the engine.

use tillgate_domain::office::ports as office;
use tillgate_domain::{
    Device, DeviceId, DeviceStatus, Epoch, FoldedText, Instant, Role, RoleId, SessionId, Slug, StoreResult, Tenant,
    TenantId, User, UserId, UserStatus,
};

use super::transaction::{Transaction, to_usize};
use tillgate_auth_core::ports::{Devices, Roles, Tenants, TillOperator, Users};

impl Tenants for Transaction<'_> {
    fn find(&mut self, id: TenantId) -> StoreResult<Option<Tenant>> {
        Ok(self.tables().tenants.get(&id).cloned())
    }

    fn find_by_slug(&mut self, slug: &Slug) -> StoreResult<Option<Tenant>> {
        let tables = self.tables();
        Ok(tables.slugs.get(slug).and_then(|id| tables.tenants.get(id)).cloned())
    }
}

impl Users for Transaction<'_> {
    fn find(&mut self, id: UserId) -> StoreResult<Option<User>> {
        Ok(self.tables().users.get(&id).cloned())
    }

    fn find_by_name(&mut self, tenant: TenantId, name: &FoldedText) -> StoreResult<Option<User>> {
        let tables = self.tables();
        Ok(tables.user_names.get(&(tenant, name.clone())).and_then(|id| tables.users.get(id)).cloned())
    }

    fn find_by_email(&mut self, email: &FoldedText) -> StoreResult<Option<User>> {
        let tables = self.tables();
        Ok(tables.emails.get(email).and_then(|id| tables.users.get(id)).cloned())
    }

    fn claim(&mut self, id: UserId, epoch: Epoch, at: Instant) -> StoreResult<bool> {
        let users = &mut self.tables_mut()?.users;
        let is_current = |user: &User| user.status == UserStatus::Active && user.epoch == epoch;
        let claimed = users.get(&id).is_some_and(is_current);
        if claimed {
            users.change(&id, |user| user.last_login_at = Some(at));
        }
        Ok(claimed)
    }

    fn clear_password_change_required(&mut self, id: UserId, at: Instant) -> StoreResult<bool> {
        office::Users::set_password_change_required(self, id, false, at)
    }

    fn list_operators(&mut self, device: DeviceId, limit: u32) -> StoreResult<Vec<TillOperator>> {
        let tables = self.tables();
        let works_there = |user: &&User| {
            user.status == UserStatus::Active && !user.is_virtual() && user.assignment.devices.contains_key(&device)
        };
        let operators = tables.users.rows().values().filter(works_there).take(to_usize(limit));
        let to_operator = |user: &User| TillOperator {
            id: user.id,
            name: user.name.clone(),
            display_name: user.display_name.clone(),
            has_pin: tables.pins.has(&user.id),
        };
        Ok(operators.map(to_operator).collect())
    }
}

impl Devices for Transaction<'_> {
    fn find(&mut self, id: DeviceId) -> StoreResult<Option<Device>> {
        Ok(self.tables().devices.get(&id).cloned())
    }

    fn find_by_name(&mut self, tenant: TenantId, name: &FoldedText) -> StoreResult<Option<Device>> {
        let tables = self.tables();
        if let Some(id) = tables.device_names.get(&(tenant, name.clone())) {
            return Ok(tables.devices.get(id).cloned());
        }
        let retired = |device: &&Device| {
            device.tenant == tenant && device.status == DeviceStatus::Retired && device.name.to_folded() == *name
        };
        Ok(tables.devices.rows().values().rev().find(retired).cloned())
    }

    fn claim(&mut self, id: DeviceId, epoch: Epoch, _at: Instant) -> StoreResult<bool> {
        let is_current = |device: &Device| device.status == DeviceStatus::Active && device.epoch == epoch;
        Ok(self.tables_mut()?.devices.get(&id).is_some_and(is_current))
    }

    fn seat(&mut self, id: DeviceId, from: Option<SessionId>, to: Option<SessionId>) -> StoreResult<bool> {
        let devices = &mut self.tables_mut()?.devices;
        let is_current = devices.get(&id).is_some_and(|device| device.seat == from);
        if is_current {
            devices.change(&id, |device| device.seat = to);
        }
        Ok(is_current)
    }

    fn pair(&mut self, id: DeviceId, from: Option<SessionId>, to: Option<SessionId>) -> StoreResult<bool> {
        let devices = &mut self.tables_mut()?.devices;
        let is_current = devices.get(&id).is_some_and(|device| device.pairing == from);
        if is_current {
            devices.change(&id, |device| device.pairing = to);
        }
        Ok(is_current)
    }
}

impl Roles for Transaction<'_> {
    fn find_many(&mut self, tenant: TenantId, ids: &[RoleId]) -> StoreResult<Vec<Role>> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let roles = &self.tables().roles;
        Ok(ids.iter().filter_map(|id| roles.get(id)).filter(|role| role.tenant == tenant).cloned().collect())
    }
}
