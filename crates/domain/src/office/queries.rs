//! Reads of the back office: each is one consistent snapshot of one tenant. Entities of other
//! tenants are not found.

use super::ports::{MAX_PAGE_SIZE, OfficePorts, OffsetPageRequest, PageRequest, UserCursor, UserFilter, UserOrder};
use crate::office::UnguardedOffice;
use crate::{
    Device, DeviceId, DeviceName, Role, RoleId, RoleName, Slug, Store, StoreExt, StoreResult, Tenant, TenantId, User,
    UserId, UserName, UserStatus,
};

fn clamp_limit<K: Clone>(page: &PageRequest<K>) -> PageRequest<K> {
    PageRequest { after: page.after.clone(), limit: page.limit.clamp(1, MAX_PAGE_SIZE) }
}

/// Reads the pages of a list, one after the other, until there are `most` items or no more. `key`
/// returns the position of an item, after which the next page begins.
///
/// # Errors
///
/// The first error of `read`.
pub fn collect_pages<T, K, E>(
    most: Option<usize>,
    mut part: impl FnMut(&PageRequest<K>) -> Result<Vec<T>, E>,
    key: impl Fn(&T) -> K,
) -> Result<Vec<T>, E> {
    let most = most.unwrap_or(usize::MAX);
    let mut whole = Vec::new();
    let mut page = PageRequest { after: None, limit: MAX_PAGE_SIZE };
    while whole.len() < most {
        let found = part(&page)?;
        let Some(last) = found.last() else { break };
        page.after = Some(key(last));
        whole.extend(found);
    }
    Ok(whole)
}

/// The tenant with this slug.
pub fn find_tenant_by_slug(store: &dyn Store<OfficePorts>, slug: &Slug) -> StoreResult<Option<Tenant>> {
    store.read("find_tenant", |tx| tx.tenants().find_by_slug(slug))
}

/// Lists at most [`MAX_PAGE_SIZE`] tenants in the order of their ids, for the operator of the
/// server.
pub fn list_tenants(store: &dyn Store<OfficePorts>, page: &PageRequest<TenantId>) -> StoreResult<Vec<Tenant>> {
    store.read("list_tenants", |tx| tx.tenants().list(&clamp_limit(page)))
}

/// Whether any user that is not deleted exists in any tenant.
pub fn any_user_exists(store: &dyn Store<OfficePorts>) -> StoreResult<bool> {
    store.read("any_user_exists", |tx| tx.users().any_exists())
}

impl UnguardedOffice<'_> {
    /// The tenant itself, with its stores.
    pub fn find_tenant(&self) -> StoreResult<Option<Tenant>> {
        self.store.read("find_tenant", |tx| tx.tenants().find(self.tenant))
    }

    /// The user with this id; deleted users are found, too.
    pub fn find_user(&self, id: UserId) -> StoreResult<Option<User>> {
        Ok(self.store.read("find_user", |tx| tx.users().find(id))?.filter(|user| user.tenant == self.tenant))
    }

    /// The user with this name that is not deleted.
    pub fn find_user_by_name(&self, name: &UserName) -> StoreResult<Option<User>> {
        self.store.read("find_user", |tx| tx.users().find_by_name(self.tenant, &name.to_folded()))
    }

    /// Lists at most [`MAX_PAGE_SIZE`] users in the order of their ids, including deleted ones.
    pub fn list_users(&self, page: &PageRequest<UserId>) -> StoreResult<Vec<User>> {
        self.store.read("list_users", |tx| tx.users().list(self.tenant, &clamp_limit(page)))
    }

    /// Lists at most [`MAX_PAGE_SIZE`] users in the order of their ids, without deleted ones.
    pub fn list_undeleted_users(&self, page: &PageRequest<UserId>) -> StoreResult<Vec<User>> {
        let PageRequest { after, limit } = clamp_limit(page);
        let present = UserStatus::ALL.into_iter().filter(|status| *status != UserStatus::Deleted);
        let filter = UserFilter { statuses: present.collect(), ..UserFilter::default() };
        let part = OffsetPageRequest { after: after.map(UserCursor::from_id), skip: 0, limit };
        self.store.read("list_users", |tx| tx.users().search(self.tenant, &filter, UserOrder::Oldest, &part))
    }

    /// The device with this id.
    pub fn find_device(&self, id: DeviceId) -> StoreResult<Option<Device>> {
        Ok(self.store.read("find_device", |tx| tx.devices().find(id))?.filter(|device| device.tenant == self.tenant))
    }

    /// The device with this name.
    pub fn find_device_by_name(&self, name: &DeviceName) -> StoreResult<Option<Device>> {
        self.store.read("find_device", |tx| tx.devices().find_by_name(self.tenant, &name.to_folded()))
    }

    /// Lists at most [`MAX_PAGE_SIZE`] devices in the order of their ids.
    pub fn list_devices(&self, page: &PageRequest<DeviceId>) -> StoreResult<Vec<Device>> {
        self.store.read("list_devices", |tx| tx.devices().list(self.tenant, &clamp_limit(page)))
    }

    /// The role with this id.
    pub fn find_role(&self, id: RoleId) -> StoreResult<Option<Role>> {
        Ok(self.store.read("find_role", |tx| tx.roles().find(id))?.filter(|role| role.tenant == self.tenant))
    }

    /// The role with this name.
    pub fn find_role_by_name(&self, name: &RoleName) -> StoreResult<Option<Role>> {
        self.store.read("find_role", |tx| tx.roles().find_by_name(self.tenant, name))
    }

    /// Lists all roles of a tenant.
    pub fn list_roles(&self) -> StoreResult<Vec<Role>> {
        self.store.read("list_roles", |tx| tx.roles().list(self.tenant))
    }
}
