//! The directory in memory, as the back office writes it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use tillgate_domain::office::ports::{
    DeviceFilter, Devices, Holders, HoldersOf, Page, Part, Roles, Tenants, UserFilter, UserOrder, Users,
};
use tillgate_domain::{
    Device, DeviceId, DeviceStatus, Folded, PrincipalId, Role, RoleId, RoleName, Slug, Stored, Tenant, TenantId, User,
    UserId, UserStatus,
};

use super::rows::Tables;
use super::transaction::{Transaction, broken, most};
use crate::ports::{self as auth, CredentialKind};

impl Tenants for Transaction<'_> {
    fn find(&mut self, id: TenantId) -> Stored<Option<Tenant>> {
        auth::Tenants::find(self, id)
    }

    fn named(&mut self, slug: &Slug) -> Stored<Option<Tenant>> {
        auth::Tenants::named(self, slug)
    }

    fn insert(&mut self, tenant: &Tenant) -> Stored<bool> {
        let tables = self.writing()?;
        if tables.slugs.has(&tenant.slug) {
            return Ok(false);
        }
        if tables.tenants.has(&tenant.id) {
            return broken("a tenant's id is new");
        }
        tables.slugs.put(tenant.slug.clone(), tenant.id);
        tables.tenants.put(tenant.id, tenant.clone());
        Ok(true)
    }

    fn claim(&mut self, id: TenantId) -> Stored<bool> {
        // one unit of work that writes is open at a time
        Ok(self.writing()?.tenants.has(&id))
    }

    fn update(&mut self, tenant: &Tenant) -> Stored<bool> {
        let tenants = &mut self.writing()?.tenants;
        let Some(old) = tenants.get(&tenant.id).filter(|old| old.version == tenant.version).cloned() else {
            return Ok(false);
        };
        let kept = Tenant {
            slug: old.slug,
            epoch: old.epoch,
            created_at: old.created_at,
            version: old.version.saturating_add(1),
            ..tenant.clone()
        };
        tenants.put(tenant.id, kept);
        Ok(true)
    }

    fn list(&mut self, page: &Page<TenantId>) -> Stored<Vec<Tenant>> {
        Ok(part(self.tables().tenants.rows(), page, |_| true))
    }
}

impl Users for Transaction<'_> {
    fn find(&mut self, id: UserId) -> Stored<Option<User>> {
        auth::Users::find(self, id)
    }

    fn named(&mut self, tenant: TenantId, name: &Folded) -> Stored<Option<User>> {
        auth::Users::named(self, tenant, name)
    }

    fn mailed(&mut self, email: &Folded) -> Stored<Option<User>> {
        auth::Users::mailed(self, email)
    }

    fn insert(&mut self, user: &User) -> Stored<bool> {
        let tables = self.writing()?;
        if taken(tables, user) {
            return Ok(false);
        }
        if tables.users.has(&user.id) {
            return broken("a user's id is new");
        }
        if !tables.tenants.has(&user.tenant) {
            return broken("a user belongs to a tenant");
        }
        name_user(tables, user);
        tables.users.put(user.id, user.clone());
        Ok(true)
    }

    fn update(&mut self, user: &User) -> Stored<bool> {
        let tables = self.writing()?;
        let Some(old) = tables.users.get(&user.id).filter(|old| old.version == user.version).cloned() else {
            return Ok(false);
        };
        if taken(tables, user) {
            return Ok(false);
        }
        if old.status != UserStatus::Deleted {
            tables.user_names.remove(&(old.tenant, old.name.folded()));
            if let Some(email) = &old.email {
                tables.emails.remove(&email.folded());
            }
        }
        name_user(tables, user);
        let version = user.version.saturating_add(1);
        tables.users.put(user.id, User { epoch: old.epoch, version, ..user.clone() });
        Ok(true)
    }

    fn list(&mut self, tenant: TenantId, page: &Page<UserId>) -> Stored<Vec<User>> {
        Ok(part(self.tables().users.rows(), page, |user| user.tenant == tenant))
    }

    fn search(
        &mut self,
        tenant: TenantId,
        filter: &UserFilter,
        order: UserOrder,
        part: &Part<UserId>,
    ) -> Stored<Vec<User>> {
        let mut fitting: Vec<&User> = self.fitting(tenant, filter).collect();
        let before = |one: &User, other: &User| {
            let name = |user: &User| (user.name.as_str().to_ascii_lowercase(), user.id);
            match order {
                UserOrder::Oldest => one.id.cmp(&other.id),
                UserOrder::Newest => other.id.cmp(&one.id),
                UserOrder::Name => name(one).cmp(&name(other)),
                UserOrder::NameBackwards => name(other).cmp(&name(one)),
            }
        };
        fitting.sort_by(|one, other| before(one, other));
        if let Some(after) = part.after {
            match (self.tables().users.get(&after), order) {
                (Some(last), _) => fitting.retain(|user| before(last, user).is_lt()),
                (None, UserOrder::Oldest) => fitting.retain(|user| user.id > after),
                (None, UserOrder::Newest) => fitting.retain(|user| user.id < after),
                (None, UserOrder::Name | UserOrder::NameBackwards) => fitting.clear(),
            }
        }
        let skip = usize::try_from(part.skip).unwrap_or(usize::MAX);
        Ok(fitting.into_iter().skip(skip).take(most(part.limit)).cloned().collect())
    }

    fn count(&mut self, tenant: TenantId, filter: &UserFilter) -> Stored<u64> {
        Ok(u64::try_from(self.fitting(tenant, filter).count()).unwrap_or(u64::MAX))
    }

    fn any(&mut self) -> Stored<bool> {
        Ok(!self.tables().user_names.rows().is_empty())
    }

    fn holders(&mut self, tenant: TenantId, of: &HoldersOf<'_>) -> Stored<u64> {
        let tables = self.tables();
        let holds = |held: &BTreeSet<RoleId>| of.roles.iter().any(|role| held.contains(role));
        let stands = |device: &DeviceId| {
            Some(*device) != of.but_device
                && tables.devices.get(device).is_some_and(|device| device.status == DeviceStatus::Active)
        };
        let holder = |user: &&User| {
            user.tenant == tenant
                && Some(user.id) != of.but_user
                && user.status == UserStatus::Active
                && tables.credentials.has(&(PrincipalId::User(user.id), CredentialKind::Password))
                && (holds(&user.assignment.office)
                    || user.assignment.devices.iter().any(|(device, held)| stands(device) && holds(held)))
        };
        Ok(counted(tables.users.rows().values().filter(holder).count()))
    }

    fn roles_on(&mut self, device: DeviceId) -> Stored<BTreeSet<RoleId>> {
        let users = self.tables().users.rows().values();
        Ok(users.filter_map(|user| user.assignment.devices.get(&device)).flatten().copied().collect())
    }

    fn unlist(&mut self, device: DeviceId) -> Stored<()> {
        let users = &mut self.writing()?.users;
        let listed = users.rows().values().filter(|user| user.assignment.devices.contains_key(&device));
        for id in listed.map(|user| user.id).collect::<Vec<_>>() {
            users.change(&id, |user| {
                user.assignment.devices.remove(&device);
                user.version = user.version.saturating_add(1);
            });
        }
        Ok(())
    }
}

impl Devices for Transaction<'_> {
    fn find(&mut self, id: DeviceId) -> Stored<Option<Device>> {
        auth::Devices::find(self, id)
    }

    fn named(&mut self, tenant: TenantId, name: &Folded) -> Stored<Option<Device>> {
        auth::Devices::named(self, tenant, name)
    }

    fn among(&mut self, ids: &BTreeSet<DeviceId>) -> Stored<Vec<Device>> {
        Ok(ids.iter().filter_map(|id| self.tables().devices.get(id)).cloned().collect())
    }

    fn insert(&mut self, device: &Device) -> Stored<bool> {
        let tables = self.writing()?;
        if device_taken(tables, device) {
            return Ok(false);
        }
        if tables.devices.has(&device.id) {
            return broken("a device's id is new");
        }
        if !tables.tenants.has(&device.tenant) {
            return broken("a device belongs to a tenant");
        }
        name_device(tables, device);
        tables.devices.put(device.id, device.clone());
        Ok(true)
    }

    fn update(&mut self, device: &Device) -> Stored<bool> {
        let tables = self.writing()?;
        let Some(old) = tables.devices.get(&device.id).filter(|old| old.version == device.version).cloned() else {
            return Ok(false);
        };
        if device_taken(tables, device) {
            return Ok(false);
        }
        if old.status != DeviceStatus::Retired {
            tables.device_names.remove(&(old.tenant, old.name.folded()));
        }
        name_device(tables, device);
        let kept = Device {
            epoch: old.epoch,
            seat: old.seat,
            pairing: old.pairing,
            last_seen_at: old.last_seen_at,
            version: device.version.saturating_add(1),
            ..device.clone()
        };
        tables.devices.put(device.id, kept);
        Ok(true)
    }

    fn list(&mut self, tenant: TenantId, page: &Page<DeviceId>) -> Stored<Vec<Device>> {
        Ok(part(self.tables().devices.rows(), page, |device| device.tenant == tenant))
    }

    fn search(&mut self, tenant: TenantId, filter: &DeviceFilter, page: &Page<DeviceId>) -> Stored<Vec<Device>> {
        Ok(part(self.tables().devices.rows(), page, |device| device.tenant == tenant && filter.fits(device)))
    }
}

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

    fn list(&mut self, tenant: TenantId) -> Stored<Vec<Role>> {
        Ok(self.tables().roles.rows().values().filter(|role| role.tenant == tenant).cloned().collect())
    }
}

impl Transaction<'_> {
    /// Users of a tenant whom the filter fits, in the order of their ids.
    fn fitting<'f>(&'f self, tenant: TenantId, filter: &'f UserFilter) -> impl Iterator<Item = &'f User> {
        self.tables().users.rows().values().filter(move |user| user.tenant == tenant && filter.fits(user))
    }
}

/// The rows of a part of a list.
fn part<K: Ord + Copy, V: Clone>(rows: &BTreeMap<K, V>, page: &Page<K>, listed: impl Fn(&V) -> bool) -> Vec<V> {
    let start = page.after.map_or(Bound::Unbounded, Bound::Excluded);
    let rows = rows.range((start, Bound::Unbounded)).map(|(_, row)| row);
    rows.filter(|row| listed(row)).take(most(page.limit)).cloned().collect()
}

/// Whether the user has the role, without a device or on one.
fn held_by(user: &User, role: RoleId) -> bool {
    user.assignment.office.contains(&role) || user.assignment.devices.values().any(|held| held.contains(&role))
}

/// Whether another device that is not retired has the device's name.
fn device_taken(tables: &Tables, device: &Device) -> bool {
    let holder = tables.device_names.get(&(device.tenant, device.name.folded()));
    device.status != DeviceStatus::Retired && holder.is_some_and(|holder| *holder != device.id)
}

fn name_device(tables: &mut Tables, device: &Device) {
    if device.status != DeviceStatus::Retired {
        tables.device_names.put((device.tenant, device.name.folded()), device.id);
    }
}

fn counted(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Whether somebody else holds the user's name or e-mail address. A deleted user holds neither.
fn taken(tables: &Tables, user: &User) -> bool {
    let other = |holder: Option<&UserId>| holder.is_some_and(|holder| *holder != user.id);
    user.status != UserStatus::Deleted
        && (other(tables.user_names.get(&(user.tenant, user.name.folded())))
            || user.email.as_ref().is_some_and(|email| other(tables.emails.get(&email.folded()))))
}

fn name_user(tables: &mut Tables, user: &User) {
    if user.status != UserStatus::Deleted {
        tables.user_names.put((user.tenant, user.name.folded()), user.id);
        if let Some(email) = &user.email {
            tables.emails.put(email.folded(), user.id);
        }
    }
}
