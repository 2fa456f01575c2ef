//! What the back office looks at: one consistent reading each, of one tenant. What belongs to another tenant reads as absent.

use super::ports::{OfficeView, Page};
use super::refused::Refused;
use super::stamp::Authority;
use crate::{
    ApiKey, ApiKeyId, Device, DeviceId, DeviceName, Role, RoleId, RoleName, Slug, Store, StoreExt, Stored, Tenant,
    TenantId, User, UserId, UserName,
};

/// The most that a list shows at once.
const MOST: u32 = 200;

fn bounded<K: Clone>(page: &Page<K>) -> Page<K> {
    Page { after: page.after.clone(), limit: page.limit.clamp(1, MOST) }
}

/// The tenant of this short name.
pub fn tenant_named(store: &dyn Store<OfficeView>, slug: &Slug) -> Stored<Option<Tenant>> {
    store.read(|tx| tx.tenants().named(slug))
}

/// The tenant with this id.
pub fn find_tenant(store: &dyn Store<OfficeView>, id: TenantId) -> Stored<Option<Tenant>> {
    store.read(|tx| tx.tenants().find(id))
}

/// Tenants in the order of their ids, 200 at most: for whoever runs the server.
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

/// Refuses whoever may do nothing with keys of programs: reading them asks one of the rights to make, change or delete them.
pub fn may_read_api_keys(authority: &Authority) -> Result<(), Refused> {
    authority.ask("apiKeyUpdate").or_else(|_| authority.ask("apiKeyDelete")).or_else(|_| authority.ask("apiKeyCreate"))
}

/// The key of a program with this id.
pub fn find_api_key(store: &dyn Store<OfficeView>, tenant: TenantId, id: ApiKeyId) -> Stored<Option<ApiKey>> {
    Ok(store.read(|tx| tx.api_keys().find(id))?.filter(|key| key.tenant == tenant))
}

/// Keys of programs in the order of their ids, 200 at most.
pub fn list_api_keys(store: &dyn Store<OfficeView>, tenant: TenantId, page: &Page<ApiKeyId>) -> Stored<Vec<ApiKey>> {
    store.read(|tx| tx.api_keys().list(tenant, &bounded(page)))
}
