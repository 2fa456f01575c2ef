//! The ports of the back office: the directory as those see it who change it.
//!
//! An `insert` answers false where a name, an e-mail address or a slug is taken; an `update` answers false where the version that
//! was read has moved on, or the new name is taken. Versions are raised by the store.

mod idempotency_keys;
mod lists;
mod resets;
mod seals;
pub mod searched;
mod tickets;

pub use idempotency_keys::{
    Answered, IdempotencyKey, IdempotencyKeys, InvalidIdempotencyKey, RequestDigest, RequestKey,
};
pub use lists::{
    ApiKeyFilter, DeviceFilter, EventFilter, Found, Holders, HoldersOf, Part, Told, UserCursor, UserFilter, UserOrder,
};
pub use resets::{Reset, ResetDigest, ResetRequest, Resets};
pub use seals::{Seals, Unsealed};
pub use tickets::{OrderedBy, TicketFilter, TicketOrder, TicketPlace, Tickets};

use std::collections::BTreeSet;

use crate::{
    ApiKey, ApiKeyId, Device, DeviceId, EventId, Folded, Instant, PrincipalId, Role, RoleId, RoleName, Scope, Secret,
    Slug, Stored, Tenant, TenantId, Tx, User, UserId, View,
};

/// Shows the ports of the back office.
pub struct OfficeView;

impl View for OfficeView {
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
pub struct Page<K> {
    /// The last of the part before.
    pub after: Option<K>,
    /// How many at most.
    pub limit: u32,
}

/// Vendors.
pub trait Tenants {
    /// The tenant with this id.
    fn find(&mut self, id: TenantId) -> Stored<Option<Tenant>>;
    /// The tenant of this short name.
    fn named(&mut self, slug: &Slug) -> Stored<Option<Tenant>>;
    /// Adds a tenant with its stores.
    fn insert(&mut self, tenant: &Tenant) -> Stored<bool>;
    /// Claims the tenant, and changes nothing of it: false where there is none. No other claim of it is answered before this unit
    /// of work ends, and whatever is read after it is as the claim before has left it.
    fn claim(&mut self, id: TenantId) -> Stored<bool>;
    /// Writes name, zone, language, limits and stores where the tenant still has this version, which is raised.
    fn update(&mut self, tenant: &Tenant) -> Stored<bool>;
    /// Tenants in the order of their ids.
    fn list(&mut self, page: &Page<TenantId>) -> Stored<Vec<Tenant>>;
}

/// People.
pub trait Users {
    /// The user with this id, deleted ones too.
    fn find(&mut self, id: UserId) -> Stored<Option<User>>;
    /// The user of this name in this tenant, no deleted one.
    fn named(&mut self, tenant: TenantId, name: &Folded) -> Stored<Option<User>>;
    /// The user of this e-mail address in any tenant, no deleted one.
    fn mailed(&mut self, email: &Folded) -> Stored<Option<User>>;
    /// The users of these e-mail addresses in any tenant, no deleted ones, in any order.
    fn mailed_among(&mut self, emails: &BTreeSet<Folded>) -> Stored<Vec<User>>;
    /// Adds a user with their assignment.
    fn insert(&mut self, user: &User) -> Stored<bool>;
    /// Stores every field but the epoch, the assignment included, where the user still has the version in `user`.
    fn update(&mut self, user: &User) -> Stored<bool>;
    /// Records whether the user must change the password at the next login. True if that is a change, which raises the version;
    /// false if it was so already, and where there is no such user.
    fn set_password_change_required(&mut self, id: UserId, required: bool, at: Instant) -> Stored<bool>;
    /// Users of a tenant in the order of their ids, deleted ones too.
    fn list(&mut self, tenant: TenantId, page: &Page<UserId>) -> Stored<Vec<User>>;
    /// Users of a tenant whom the filter fits, in this order.
    fn search(
        &mut self,
        tenant: TenantId,
        filter: &UserFilter,
        order: UserOrder,
        part: &Part<UserCursor>,
    ) -> Stored<Vec<User>>;
    /// How many users of a tenant the filter fits.
    fn count(&mut self, tenant: TenantId, filter: &UserFilter) -> Stored<u64>;
    /// Whether any user exists who is not deleted, in any tenant.
    fn any(&mut self) -> Stored<bool>;
    /// How many users who can log in as things stand (active, with a password) hold a role of these where they can: without a
    /// device, or on an active one.
    fn holders(&mut self, tenant: TenantId, of: &HoldersOf<'_>) -> Stored<u64>;
    /// The roles that users of any status have on this device.
    fn roles_on(&mut self, device: DeviceId) -> Stored<BTreeSet<RoleId>>;
    /// Takes the device off the list of every user who has it there, with the roles on it, and raises the versions of these.
    fn unlist(&mut self, device: DeviceId) -> Stored<()>;
}

/// Devices.
pub trait Devices {
    /// The device with this id.
    fn find(&mut self, id: DeviceId) -> Stored<Option<Device>>;
    /// The device of this name in this tenant; where there are only retired ones of it, the newest of these.
    fn named(&mut self, tenant: TenantId, name: &Folded) -> Stored<Option<Device>>;
    /// Those of these devices that there are, in the order of their ids.
    fn among(&mut self, ids: &BTreeSet<DeviceId>) -> Stored<Vec<Device>>;
    /// Registers a device. The name of a retired one is free.
    fn insert(&mut self, device: &Device) -> Stored<bool>;
    /// Stores every field but the epoch, the seat, the pairing and `last_seen_at` where the device still has the version in
    /// `device`.
    fn update(&mut self, device: &Device) -> Stored<bool>;
    /// Devices of a tenant in the order of their ids.
    fn list(&mut self, tenant: TenantId, page: &Page<DeviceId>) -> Stored<Vec<Device>>;
    /// Those whom the filter fits, in the same order.
    fn search(&mut self, tenant: TenantId, filter: &DeviceFilter, page: &Page<DeviceId>) -> Stored<Vec<Device>>;
}

/// Roles. Who is given one that is removed at the same moment meets a conflict, or keeps it from being removed.
pub trait Roles {
    /// The role with this id.
    fn find(&mut self, id: RoleId) -> Stored<Option<Role>>;
    /// The role of this name in this tenant.
    fn named(&mut self, tenant: TenantId, name: &RoleName) -> Stored<Option<Role>>;
    /// Adds a role.
    fn insert(&mut self, role: &Role) -> Stored<bool>;
    /// Stores name, label, description, rights and environments where the role still has the version in `role`.
    fn update(&mut self, role: &Role) -> Stored<bool>;
    /// Removes the role where it still has this version and nobody holds it, be it a user or a device. From deleted users, who hold
    /// nothing, it is taken.
    fn remove(&mut self, id: RoleId, version: i64) -> Stored<bool>;
    /// Who holds the role: users who are not deleted in the order of their ids, then devices, `limit` of them at most, and how many in all.
    fn held(&mut self, id: RoleId, limit: u32) -> Stored<Holders>;
    /// Everybody of whom something is remembered that depends on the role: users who are not deleted and devices that hold it, in no
    /// order; `None` where they are more than `limit`. The role is claimed: whoever is being given it at this moment is among
    /// them, or reads it as it is after this unit of work.
    fn scopes(&mut self, id: RoleId, limit: u32) -> Stored<Option<Vec<Scope>>>;
    /// Every role of a tenant, in the order of ids.
    fn list(&mut self, tenant: TenantId) -> Stored<Vec<Role>>;
}

/// Keys of programs. Their secrets go in, wrapped, and do not come back this way.
pub trait ApiKeys {
    /// The key with this id.
    fn find(&mut self, id: ApiKeyId) -> Stored<Option<ApiKey>>;
    /// Adds a key with its secret, wrapped outside any transaction. False where any key has its client id.
    fn insert(&mut self, key: &ApiKey, wrapped: &[u8]) -> Stored<bool>;
    /// Stores name, description, whether it counts, user, device and permissions where the key still has the version in `key`.
    fn update(&mut self, key: &ApiKey) -> Stored<bool>;
    /// Removes the key where it still has this version.
    fn remove(&mut self, id: ApiKeyId, version: i64) -> Stored<bool>;
    /// Keys of a tenant that the filter fits, in the order of their ids.
    fn list(&mut self, tenant: TenantId, filter: &ApiKeyFilter, page: &Page<ApiKeyId>) -> Stored<Vec<ApiKey>>;
}

/// The lines of the audit, to read: [`Audit`](crate::Audit) writes them.
pub trait Events {
    /// Lines that the filter fits, newest first: the later id, which later instants draw.
    fn list(&mut self, filter: &EventFilter, part: &Part<EventId>) -> Stored<Vec<Told>>;
    /// How many lines the filter fits.
    fn count(&mut self, filter: &EventFilter) -> Stored<u64>;
}

/// Passwords, as hashes that were made outside any transaction.
pub trait Passwords {
    /// Sets the password of a principal: the first one, or another in its place, under a new version.
    fn set(&mut self, principal: PrincipalId, verifier: &Secret<String>, at: Instant) -> Stored<()>;
    /// Whether the principal has one.
    fn has(&mut self, principal: PrincipalId) -> Stored<bool>;
    /// Takes it away; false where there is none.
    fn remove(&mut self, principal: PrincipalId) -> Stored<bool>;
    /// Forgets the failed logins of the principal.
    fn forgive(&mut self, principal: PrincipalId) -> Stored<()>;
}
