//! The ports of the back office: the directory as those see it who change it.
//!
//! An `insert` answers false where a name, an e-mail address or a slug is taken; an `update` answers false where the version that
//! was read has moved on, or the new name is taken. Versions are raised by the store.

mod idempotency_keys;
mod lists;
mod resets;
mod seals;
pub mod search_text;
mod tickets;

pub use idempotency_keys::{
    IdempotencyKey, IdempotencyKeys, InvalidIdempotencyKey, RequestDigest, ScopedIdempotencyKey, StoredResponse,
};
pub use lists::{
    ApiKeyFilter, DeviceFilter, EventFilter, EventView, OffsetPageRequest, PageWithTotal, RoleHolderFilter,
    RoleHolders, UserCursor, UserFilter, UserOrder,
};
pub use resets::{Reset, ResetDigest, ResetRequest, Resets};
pub use seals::{Seals, UnsealedCount};
pub use tickets::{TicketCursor, TicketFilter, TicketOrder, TicketSortKey, Tickets};

use std::collections::BTreeSet;

use crate::{
    ApiKey, ApiKeyId, Device, DeviceId, EventId, FoldedText, Instant, PortSet, PrincipalId, Role, RoleId, RoleName,
    Scope, Secret, Slug, StoreResult, Tenant, TenantId, Tx, User, UserId,
};

/// Shows the ports of the back office.
pub struct OfficePorts;

impl PortSet for OfficePorts {
    type Tx<'a> = dyn OfficeTx + 'a;
}

/// A transaction as the back office sees it.
pub trait OfficeTx: Tx {
    /// Vendors.
    fn tenants(&mut self) -> &mut dyn Tenants;
    /// People.
    fn users(&mut self) -> &mut dyn Users;
    /// Devices.
    fn devices(&mut self) -> &mut dyn Devices;
    /// Roles.
    fn roles(&mut self) -> &mut dyn Roles;
    /// What proves who somebody is.
    fn passwords(&mut self) -> &mut dyn Passwords;
    /// Resets of forgotten passwords.
    fn resets(&mut self) -> &mut dyn Resets;
    /// Keys of programs.
    fn api_keys(&mut self) -> &mut dyn ApiKeys;
    /// What is sold.
    fn tickets(&mut self) -> &mut dyn Tickets;
    /// Requests that count once.
    fn idempotency_keys(&mut self) -> &mut dyn IdempotencyKeys;
    /// The lines of the audit.
    fn events(&mut self) -> &mut dyn Events;
    /// The seals of the audit.
    fn seals(&mut self) -> &mut dyn Seals;
}

/// Which part of a list: those after `after` in the order of the list, `limit` at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest<K> {
    /// The last of the part before.
    pub after: Option<K>,
    /// How many at most.
    pub limit: u32,
}

/// Vendors.
pub trait Tenants {
    /// The tenant with this id.
    fn find(&mut self, id: TenantId) -> StoreResult<Option<Tenant>>;
    /// The tenant of this short name.
    fn find_by_slug(&mut self, slug: &Slug) -> StoreResult<Option<Tenant>>;
    /// Adds a tenant with its stores.
    fn insert(&mut self, tenant: &Tenant) -> StoreResult<bool>;
    /// Claims the tenant, and changes nothing of it: false where there is none. No other claim of it is answered before this unit
    /// of work ends, and whatever is read after it is as the claim before has left it.
    fn claim(&mut self, id: TenantId) -> StoreResult<bool>;
    /// Writes name, zone, language, limits and stores where the tenant still has this version, which is raised.
    fn update(&mut self, tenant: &Tenant) -> StoreResult<bool>;
    /// Tenants in the order of their ids.
    fn list(&mut self, page: &PageRequest<TenantId>) -> StoreResult<Vec<Tenant>>;
}

/// People.
pub trait Users {
    /// The user with this id, deleted ones too.
    fn find(&mut self, id: UserId) -> StoreResult<Option<User>>;
    /// The user of this name in this tenant, no deleted one.
    fn find_by_name(&mut self, tenant: TenantId, name: &FoldedText) -> StoreResult<Option<User>>;
    /// The user of this e-mail address in any tenant, no deleted one.
    fn find_by_email(&mut self, email: &FoldedText) -> StoreResult<Option<User>>;
    /// The users of these e-mail addresses in any tenant, no deleted ones, in any order.
    fn find_many_by_email(&mut self, emails: &BTreeSet<FoldedText>) -> StoreResult<Vec<User>>;
    /// Adds a user with their assignment.
    fn insert(&mut self, user: &User) -> StoreResult<bool>;
    /// Stores every field but the epoch, the assignment included, where the user still has the version in `user`.
    fn update(&mut self, user: &User) -> StoreResult<bool>;
    /// Records whether the user must change the password at the next login. True if that is a change, which raises the version;
    /// false if it was so already, and where there is no such user.
    fn set_password_change_required(&mut self, id: UserId, required: bool, at: Instant) -> StoreResult<bool>;
    /// Users of a tenant in the order of their ids, deleted ones too.
    fn list(&mut self, tenant: TenantId, page: &PageRequest<UserId>) -> StoreResult<Vec<User>>;
    /// Users of a tenant whom the filter fits, in this order.
    fn search(
        &mut self,
        tenant: TenantId,
        filter: &UserFilter,
        order: UserOrder,
        part: &OffsetPageRequest<UserCursor>,
    ) -> StoreResult<Vec<User>>;
    /// How many users of a tenant the filter fits.
    fn count(&mut self, tenant: TenantId, filter: &UserFilter) -> StoreResult<u64>;
    /// Whether any user exists who is not deleted, in any tenant.
    fn any_exists(&mut self) -> StoreResult<bool>;
    /// How many users who can log in as things stand (active, with a password) hold a role of these where they can: without a
    /// device, or on an active one.
    fn count_holders(&mut self, tenant: TenantId, of: &RoleHolderFilter<'_>) -> StoreResult<u64>;
    /// The roles that users of any status have on this device.
    fn find_roles_on_device(&mut self, device: DeviceId) -> StoreResult<BTreeSet<RoleId>>;
    /// Takes the device off the list of every user who has it there, with the roles on it, and raises the versions of these.
    fn remove_device(&mut self, device: DeviceId) -> StoreResult<()>;
}

/// Devices.
pub trait Devices {
    /// The device with this id.
    fn find(&mut self, id: DeviceId) -> StoreResult<Option<Device>>;
    /// The device of this name in this tenant; where there are only retired ones of it, the newest of these.
    fn find_by_name(&mut self, tenant: TenantId, name: &FoldedText) -> StoreResult<Option<Device>>;
    /// Those of these devices that there are, in the order of their ids.
    fn find_many(&mut self, ids: &BTreeSet<DeviceId>) -> StoreResult<Vec<Device>>;
    /// Registers a device. The name of a retired one is free.
    fn insert(&mut self, device: &Device) -> StoreResult<bool>;
    /// Stores every field but the epoch, the seat, the pairing and `last_seen_at` where the device still has the version in
    /// `device`.
    fn update(&mut self, device: &Device) -> StoreResult<bool>;
    /// Devices of a tenant in the order of their ids.
    fn list(&mut self, tenant: TenantId, page: &PageRequest<DeviceId>) -> StoreResult<Vec<Device>>;
    /// Those whom the filter fits, in the same order.
    fn search(
        &mut self,
        tenant: TenantId,
        filter: &DeviceFilter,
        page: &PageRequest<DeviceId>,
    ) -> StoreResult<Vec<Device>>;
}

/// Roles. Who is given one that is removed at the same moment meets a conflict, or keeps it from being removed.
pub trait Roles {
    /// The role with this id.
    fn find(&mut self, id: RoleId) -> StoreResult<Option<Role>>;
    /// The role of this name in this tenant.
    fn find_by_name(&mut self, tenant: TenantId, name: &RoleName) -> StoreResult<Option<Role>>;
    /// Adds a role.
    fn insert(&mut self, role: &Role) -> StoreResult<bool>;
    /// Stores name, label, description, rights and environments where the role still has the version in `role`.
    fn update(&mut self, role: &Role) -> StoreResult<bool>;
    /// Removes the role where it still has this version and nobody holds it, be it a user or a device. From deleted users, who hold
    /// nothing, it is taken.
    fn remove(&mut self, id: RoleId, version: i64) -> StoreResult<bool>;
    /// Who holds the role: users who are not deleted in the order of their ids, then devices, `limit` of them at most, and how many in all.
    fn find_holders(&mut self, id: RoleId, limit: u32) -> StoreResult<RoleHolders>;
    /// Everybody of whom something is remembered that depends on the role: users who are not deleted and devices that hold it, in no
    /// order; `None` where they are more than `limit`. The role is claimed: whoever is being given it at this moment is among
    /// them, or reads it as it is after this unit of work.
    fn find_holder_scopes(&mut self, id: RoleId, limit: u32) -> StoreResult<Option<Vec<Scope>>>;
    /// Every role of a tenant, in the order of ids.
    fn list(&mut self, tenant: TenantId) -> StoreResult<Vec<Role>>;
}

/// Keys of programs. Their secrets go in, wrapped, and do not come back this way.
pub trait ApiKeys {
    /// The key with this id.
    fn find(&mut self, id: ApiKeyId) -> StoreResult<Option<ApiKey>>;
    /// Adds a key with its secret, wrapped outside any transaction. False where any key has its client id.
    fn insert(&mut self, key: &ApiKey, wrapped: &[u8]) -> StoreResult<bool>;
    /// Stores name, description, whether it counts, user, device and permissions where the key still has the version in `key`.
    fn update(&mut self, key: &ApiKey) -> StoreResult<bool>;
    /// Removes the key where it still has this version.
    fn remove(&mut self, id: ApiKeyId, version: i64) -> StoreResult<bool>;
    /// Keys of a tenant that the filter fits, in the order of their ids.
    fn list(
        &mut self,
        tenant: TenantId,
        filter: &ApiKeyFilter,
        page: &PageRequest<ApiKeyId>,
    ) -> StoreResult<Vec<ApiKey>>;
}

/// The lines of the audit, to read: [`Audit`](crate::Audit) writes them.
pub trait Events {
    /// Lines that the filter fits, newest first: the later id, which later instants draw.
    fn list(&mut self, filter: &EventFilter, part: &OffsetPageRequest<EventId>) -> StoreResult<Vec<EventView>>;
    /// How many lines the filter fits.
    fn count(&mut self, filter: &EventFilter) -> StoreResult<u64>;
}

/// Passwords, as hashes that were made outside any transaction.
pub trait Passwords {
    /// Sets the password of a principal: the first one, or another in its place, under a new version.
    fn set(&mut self, principal: PrincipalId, verifier: &Secret<String>, at: Instant) -> StoreResult<()>;
    /// Whether the principal has one.
    fn has(&mut self, principal: PrincipalId) -> StoreResult<bool>;
    /// Takes it away; false where there is none.
    fn remove(&mut self, principal: PrincipalId) -> StoreResult<bool>;
    /// Forgets the failed logins of the principal.
    fn clear_failed_logins(&mut self, principal: PrincipalId) -> StoreResult<()>;
}
