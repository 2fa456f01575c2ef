//! What the back office looks at: one consistent reading each, of one tenant. What belongs to another tenant reads as absent.

use super::ports::{OfficeView, Page, Part, UserCursor, UserFilter, UserOrder};
use crate::{
    Device, DeviceId, DeviceName, Role, RoleId, RoleName, Slug, Store, StoreExt, Stored, Tenant, TenantId, User,
    UserId, UserName, UserStatus,
};

/// The most that a list shows at once.
const MOST: u32 = 200;

fn bounded<K: Clone>(page: &Page<K>) -> Page<K> {
    Page { after: page.after.clone(), limit: page.limit.clamp(1, MOST) }
}

/// Every part of a list, one after the other, until there are `most` of them or no more. `key` is what the next part comes after.
///
/// # Errors
/// A part could not be read.
pub fn all<T, K, E>(
    most: Option<usize>,
    mut part: impl FnMut(&Page<K>) -> Result<Vec<T>, E>,
    key: impl Fn(&T) -> K,
) -> Result<Vec<T>, E> {
    let most = most.unwrap_or(usize::MAX);
    let mut whole = Vec::new();
    let mut page = Page { after: None, limit: MOST };
    while whole.len() < most {
        let found = part(&page)?;
        let Some(last) = found.last() else { break };
        page.after = Some(key(last));
        whole.extend(found);
    }
    Ok(whole)
}

/// The tenant of this short name.
pub fn tenant_named(store: &dyn Store<OfficeView>, slug: &Slug) -> Stored<Option<Tenant>> {
    store.read(|tx| tx.tenants().named(slug))
}

/// The tenant with this id.
pub fn find_tenant(store: &dyn Store<OfficeView>, id: TenantId) -> Stored<Option<Tenant>> {
    store.read(|tx| tx.tenants().find(id))
}

/// Tenants in the order of their ids, 200 at most: for the operator of the server.
pub fn list_tenants(store: &dyn Store<OfficeView>, page: &Page<TenantId>) -> Stored<Vec<Tenant>> {
    store.read(|tx| tx.tenants().list(&bounded(page)))
}

/// Whether there is any user in any tenant who is not deleted.
pub fn any_user(store: &dyn Store<OfficeView>) -> Stored<bool> {
    store.read(|tx| tx.users().any())
}

/// The user with this id, a deleted one too.
pub fn find_user(store: &dyn Store<OfficeView>, tenant: TenantId, id: UserId) -> Stored<Option<User>> {
    Ok(store.read(|tx| tx.users().find(id))?.filter(|user| user.tenant == tenant))
}

/// The user of this name who is not deleted.
pub fn user_named(store: &dyn Store<OfficeView>, tenant: TenantId, name: &UserName) -> Stored<Option<User>> {
    store.read(|tx| tx.users().named(tenant, &name.folded()))
}

/// Users in the order of their ids, deleted ones too, 200 at most.
pub fn list_users(store: &dyn Store<OfficeView>, tenant: TenantId, page: &Page<UserId>) -> Stored<Vec<User>> {
    store.read(|tx| tx.users().list(tenant, &bounded(page)))
}

/// Users in the order of their ids who are not deleted, 200 at most.
pub fn list_present_users(store: &dyn Store<OfficeView>, tenant: TenantId, page: &Page<UserId>) -> Stored<Vec<User>> {
    let Page { after, limit } = bounded(page);
    let present = UserStatus::ALL.into_iter().filter(|status| *status != UserStatus::Deleted);
    let filter = UserFilter { statuses: present.collect(), ..UserFilter::default() };
    let part = Part { after: after.map(UserCursor::of_id), skip: 0, limit };
    store.read(|tx| tx.users().search(tenant, &filter, UserOrder::Oldest, &part))
}

/// The device with this id.
pub fn find_device(store: &dyn Store<OfficeView>, tenant: TenantId, id: DeviceId) -> Stored<Option<Device>> {
    Ok(store.read(|tx| tx.devices().find(id))?.filter(|device| device.tenant == tenant))
}

/// The device of this name.
pub fn device_named(store: &dyn Store<OfficeView>, tenant: TenantId, name: &DeviceName) -> Stored<Option<Device>> {
    store.read(|tx| tx.devices().named(tenant, &name.folded()))
}

/// Devices in the order of their ids, 200 at most.
pub fn list_devices(store: &dyn Store<OfficeView>, tenant: TenantId, page: &Page<DeviceId>) -> Stored<Vec<Device>> {
    store.read(|tx| tx.devices().list(tenant, &bounded(page)))
}

/// The role with this id.
pub fn find_role(store: &dyn Store<OfficeView>, tenant: TenantId, id: RoleId) -> Stored<Option<Role>> {
    Ok(store.read(|tx| tx.roles().find(id))?.filter(|role| role.tenant == tenant))
}

/// The role of this name.
pub fn role_named(store: &dyn Store<OfficeView>, tenant: TenantId, name: &RoleName) -> Stored<Option<Role>> {
    store.read(|tx| tx.roles().named(tenant, name))
}

/// Every role of a tenant.
pub fn list_roles(store: &dyn Store<OfficeView>, tenant: TenantId) -> Stored<Vec<Role>> {
    store.read(|tx| tx.roles().list(tenant))
}
