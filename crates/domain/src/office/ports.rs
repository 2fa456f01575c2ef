//! The ports of the back office, for reading and changing the directory, tickets and the audit.
//!
//! An `insert` returns false if a name, an e-mail address or a slug is in use. An `update` returns
//! false if the stored version differs from the given one, or if the new name is in use. The store
//! increases versions.

mod device_keys;
mod email_verifications;
mod enrollments;
mod idempotency_keys;
mod invitations;
mod lists;
mod mail_queue;
mod pending_keys;
mod pins;
mod resets;
mod seals;
pub mod search_text;
mod setup_tokens;
mod tickets;

pub use device_keys::DeviceKeys;
pub use email_verifications::{EmailVerification, EmailVerifications, VerificationDigest};
pub use enrollments::Enrollments;
pub use idempotency_keys::{
    IdempotencyKey, IdempotencyKeys, InvalidIdempotencyKey, RequestDigest, ScopedIdempotencyKey, StoredResponse,
};
pub use invitations::{Invitation, InvitationDigest, Invitations};
pub use lists::{
    ApiKeyFilter, ChangeMark, DEFAULT_PAGE_SIZE, DeviceFilter, EventFilter, EventView, MAX_CHANGES_SINCE_MARK,
    MAX_FETCH_ROWS, MAX_PAGE_SIZE, OffsetPageRequest, PageWithTotal, RoleHolderFilter, RoleHolders, TillCountSpan,
    TillCounts, UserCursor, UserFilter, UserOrder,
};
pub use mail_queue::{MailKind, MailQueue, QueuedMail};
pub use pending_keys::PendingKeys;
pub use pins::Pins;
pub use resets::{Reset, ResetDigest, ResetRequest, Resets};
pub use seals::{Seals, UnsealedCount};
pub use setup_tokens::{SetupTokenDigest, SetupTokens};
pub use tickets::{TicketCursor, TicketFilter, TicketOrder, TicketSortKey, Tickets};

use std::collections::BTreeSet;

use crate::{
    ApiKey, ApiKeyId, BranchId, Device, DeviceId, EventId, FoldedText, Instant, LiveEventKind, PortSet, PrincipalId,
    Role, RoleId, RoleName, Scope, Secret, Slug, StoreResult, Tenant, TenantId, Tx, User, UserId,
};

/// The set of ports that the back office uses.
pub struct OfficePorts;

impl PortSet for OfficePorts {
    type Tx<'a> = dyn OfficeTx + 'a;
}

/// A transaction with the ports of the back office.
pub trait OfficeTx: Tx {
    /// Tenants and their stores.
    fn tenants(&mut self) -> &mut dyn Tenants;
    /// Users and their roles.
    fn users(&mut self) -> &mut dyn Users;
    /// Devices of a tenant.
    fn devices(&mut self) -> &mut dyn Devices;
    /// Enrollments of devices.
    fn enrollments(&mut self) -> &mut dyn Enrollments;
    /// Keys of devices.
    fn device_keys(&mut self) -> &mut dyn DeviceKeys;
    /// Keys of machines that wait to be accepted.
    fn pending_keys(&mut self) -> &mut dyn PendingKeys;
    /// Roles of a tenant.
    fn roles(&mut self) -> &mut dyn Roles;
    /// Verifiers of passwords.
    fn passwords(&mut self) -> &mut dyn Passwords;
    /// PINs of users.
    fn pins(&mut self) -> &mut dyn Pins;
    /// Resets of forgotten passwords.
    fn resets(&mut self) -> &mut dyn Resets;
    /// Invitations of users to choose a password.
    fn invitations(&mut self) -> &mut dyn Invitations;
    /// Verifications of users' e-mail addresses.
    fn email_verifications(&mut self) -> &mut dyn EmailVerifications;
    /// Mails with a link that are to be sent.
    fn mail_queue(&mut self) -> &mut dyn MailQueue;
    /// API keys of programs.
    fn api_keys(&mut self) -> &mut dyn ApiKeys;
    /// Tickets and receipt numbers.
    fn tickets(&mut self) -> &mut dyn Tickets;
    /// Idempotency keys of requests.
    fn idempotency_keys(&mut self) -> &mut dyn IdempotencyKeys;
    /// Audit events, to read.
    fn events(&mut self) -> &mut dyn Events;
    /// Seals of audit events.
    fn seals(&mut self) -> &mut dyn Seals;
    /// The token with which the first administrator is set up.
    fn setup_tokens(&mut self) -> &mut dyn SetupTokens;
}

/// A page of a list: at most `limit` rows after `after`, in the order of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest<K> {
    /// The last row of the previous page.
    pub after: Option<K>,
    /// The greatest number of rows.
    pub limit: u32,
}

/// Reads and writes tenants with their stores.
pub trait Tenants {
    /// The tenant with this id.
    fn find(&mut self, id: TenantId) -> StoreResult<Option<Tenant>>;
    /// The tenant with this slug.
    fn find_by_slug(&mut self, slug: &Slug) -> StoreResult<Option<Tenant>>;
    /// Adds a tenant with its stores.
    fn insert(&mut self, tenant: &Tenant) -> StoreResult<bool>;
    /// Locks the tenant without changing it; returns false if it does not exist. No other lock of
    /// it succeeds before this unit of work ends, and everything that is read afterwards is as the
    /// previous lock has left it.
    fn claim(&mut self, id: TenantId) -> StoreResult<bool>;
    /// Writes name, zone, language, accent color, limits and stores, if the stored version is that
    /// of `tenant`, and increases the version. Removing a store to which a device is added
    /// concurrently either conflicts or prevents the device.
    fn update(&mut self, tenant: &Tenant) -> StoreResult<bool>;
    /// Lists tenants in the order of their ids.
    fn list(&mut self, page: &PageRequest<TenantId>) -> StoreResult<Vec<Tenant>>;
}

/// Reads and writes users with their roles.
pub trait Users {
    /// The user with this id; deleted users are found, too.
    fn find(&mut self, id: UserId) -> StoreResult<Option<User>>;
    /// The user with this name in the tenant, unless it is deleted.
    fn find_by_name(&mut self, tenant: TenantId, name: &FoldedText) -> StoreResult<Option<User>>;
    /// The user with this e-mail address in any tenant, unless it is deleted.
    fn find_by_email(&mut self, email: &FoldedText) -> StoreResult<Option<User>>;
    /// The users with these e-mail addresses in any tenant, unless they are deleted, in any order.
    fn find_many_by_email(&mut self, emails: &BTreeSet<FoldedText>) -> StoreResult<Vec<User>>;
    /// Adds a user with its roles.
    fn insert(&mut self, user: &User) -> StoreResult<bool>;
    /// Writes all fields except the epoch and `last_login_at`, and the roles, if the stored version
    /// is that of `user`.
    fn update(&mut self, user: &User) -> StoreResult<bool>;
    /// Records whether the user must change the password at the next login. Returns true, and
    /// increases the version, if that is a change; false otherwise, and if the user does not exist.
    fn set_password_change_required(&mut self, id: UserId, required: bool, at: Instant) -> StoreResult<bool>;
    /// Lists users of a tenant in the order of their ids, including deleted ones.
    fn list(&mut self, tenant: TenantId, page: &PageRequest<UserId>) -> StoreResult<Vec<User>>;
    /// Lists the users of a tenant that the filter matches, in the given order.
    fn search(
        &mut self,
        tenant: TenantId,
        filter: &UserFilter,
        order: UserOrder,
        part: &OffsetPageRequest<UserCursor>,
    ) -> StoreResult<Vec<User>>;
    /// The number of users of a tenant that the filter matches.
    fn count(&mut self, tenant: TenantId, filter: &UserFilter) -> StoreResult<u64>;
    /// Whether any user that is not deleted exists in any tenant.
    fn any_exists(&mut self) -> StoreResult<bool>;
    /// The number of users who can log in (active, with a password) and have one of the roles where
    /// they can: without a device, or on an active one.
    fn count_holders(&mut self, tenant: TenantId, of: &RoleHolderFilter<'_>) -> StoreResult<u64>;
    /// The roles that users of any status have on this device.
    fn find_roles_on_device(&mut self, device: DeviceId) -> StoreResult<BTreeSet<RoleId>>;
    /// Removes the device from all users, with the roles on it, and increases their versions.
    fn remove_device(&mut self, device: DeviceId) -> StoreResult<()>;
}

/// Reads and writes devices.
pub trait Devices {
    /// The device with this id.
    fn find(&mut self, id: DeviceId) -> StoreResult<Option<Device>>;
    /// The device with this name in the tenant. If only retired devices have the name, the newest
    /// of them.
    fn find_by_name(&mut self, tenant: TenantId, name: &FoldedText) -> StoreResult<Option<Device>>;
    /// Those of the devices that exist, in the order of their ids.
    fn find_many(&mut self, ids: &BTreeSet<DeviceId>) -> StoreResult<Vec<Device>>;
    /// Adds a device. The name of a retired device is free.
    fn insert(&mut self, device: &Device) -> StoreResult<bool>;
    /// Writes all fields except the epoch, the seat, the pairing and `last_seen_at`, if the stored
    /// version is that of `device`.
    fn update(&mut self, device: &Device) -> StoreResult<bool>;
    /// Lists devices of a tenant in the order of their ids.
    fn list(&mut self, tenant: TenantId, page: &PageRequest<DeviceId>) -> StoreResult<Vec<Device>>;
    /// Lists the devices of a tenant that the filter matches, in the same order.
    fn search(
        &mut self,
        tenant: TenantId,
        filter: &DeviceFilter,
        page: &PageRequest<DeviceId>,
    ) -> StoreResult<Vec<Device>>;
    /// Counts the sale devices of a tenant, all or those in this store.
    fn count_tills(
        &mut self,
        tenant: TenantId,
        branch: Option<BranchId>,
        span: &TillCountSpan,
    ) -> StoreResult<TillCounts>;
    /// The number of devices in this store, with any status.
    fn count_in_branch(&mut self, branch: BranchId) -> StoreResult<u64>;
}

/// Reads and writes roles. Assigning a role that is removed concurrently either conflicts or
/// prevents the removal.
pub trait Roles {
    /// The role with this id.
    fn find(&mut self, id: RoleId) -> StoreResult<Option<Role>>;
    /// The role with this name in the tenant.
    fn find_by_name(&mut self, tenant: TenantId, name: &RoleName) -> StoreResult<Option<Role>>;
    /// Adds a role to its tenant.
    fn insert(&mut self, role: &Role) -> StoreResult<bool>;
    /// Writes name, label, description, rights and environments, if the stored version is that of
    /// `role`.
    fn update(&mut self, role: &Role) -> StoreResult<bool>;
    /// Removes the role, if it has this version and no user or device has it. It is removed from
    /// deleted users, too.
    fn remove(&mut self, id: RoleId, version: i64) -> StoreResult<bool>;
    /// The holders of the role: at most `limit` users that are not deleted in the order of their
    /// ids, then devices; and their total number.
    fn find_holders(&mut self, id: RoleId, limit: u32) -> StoreResult<RoleHolders>;
    /// The users that are not deleted and the devices that have the role, in any order; `None` if
    /// they are more than `limit`. Locks the role: a user who is being given it concurrently is
    /// among them, or reads the role as it is after this unit of work.
    fn find_holder_scopes(&mut self, id: RoleId, limit: u32) -> StoreResult<Option<Vec<Scope>>>;
    /// Lists all roles of a tenant in the order of their ids.
    fn list(&mut self, tenant: TenantId) -> StoreResult<Vec<Role>>;
}

/// Reads and writes API keys. Secrets are written encrypted, and not read here.
pub trait ApiKeys {
    /// The key with this id.
    fn find(&mut self, id: ApiKeyId) -> StoreResult<Option<ApiKey>>;
    /// Adds a key with its encrypted secret. Returns false if any key has its client id.
    fn insert(&mut self, key: &ApiKey, wrapped: &[u8]) -> StoreResult<bool>;
    /// Writes name, description, status, user, device, permissions and expiry, if the stored
    /// version is that of `key`. A revoked key loses its previous secret and the end of its
    /// overlap.
    fn update(&mut self, key: &ApiKey) -> StoreResult<bool>;
    /// Writes a new encrypted secret and the permissions, if the stored version is that of `key`.
    /// The present secret becomes the previous one until the end of the overlap that `key` has;
    /// without an overlap, no previous one remains.
    fn rotate(&mut self, key: &ApiKey, wrapped: &[u8]) -> StoreResult<bool>;
    /// Removes the key, if it has this version.
    fn remove(&mut self, id: ApiKeyId, version: i64) -> StoreResult<bool>;
    /// Lists the keys of a tenant that the filter matches, in the order of their ids.
    fn list(
        &mut self,
        tenant: TenantId,
        filter: &ApiKeyFilter,
        page: &PageRequest<ApiKeyId>,
    ) -> StoreResult<Vec<ApiKey>>;
}

/// Reads audit events; [`Audit`](crate::Audit) writes them.
pub trait Events {
    /// Lists the events that the filter matches, newest first, by id.
    fn list(&mut self, filter: &EventFilter, part: &OffsetPageRequest<EventId>) -> StoreResult<Vec<EventView>>;
    /// The number of refused events of a tenant since this instant, counted up to `most`, all or
    /// those on devices that are in this store now. The instant is that of the events' ids.
    fn count_refused(
        &mut self,
        tenant: TenantId,
        branch: Option<BranchId>,
        since: Instant,
        most: u32,
    ) -> StoreResult<u64>;
    /// The number of events that the filter matches.
    fn count(&mut self, filter: &EventFilter) -> StoreResult<u64>;
    /// A mark in the [live events](crate::LiveEvent): whatever this unit of work does not see yet
    /// is after it.
    fn find_change_mark(&mut self) -> StoreResult<ChangeMark>;
    /// Whether the live events after the mark tell which resources of this kind have changed since:
    /// the store still has all of them, and at most [`MAX_CHANGES_SINCE_MARK`] are of this kind.
    /// This costs no more than reading that many events, whatever the mark.
    fn knows_changes(&mut self, tenant: TenantId, kind: LiveEventKind, since: ChangeMark) -> StoreResult<bool>;
}

/// Writes verifiers of passwords.
pub trait Passwords {
    /// Sets the first password of a principal, or replaces it under a new version. Removes the
    /// invitation of a user.
    fn set(&mut self, principal: PrincipalId, verifier: &Secret<String>, at: Instant) -> StoreResult<()>;
    /// Whether the principal has a password.
    fn has(&mut self, principal: PrincipalId) -> StoreResult<bool>;
    /// Those of these users who have a password.
    fn find_users_with_password(&mut self, users: &BTreeSet<UserId>) -> StoreResult<BTreeSet<UserId>>;
    /// Removes the password; returns false if there is none.
    fn remove(&mut self, principal: PrincipalId) -> StoreResult<bool>;
    /// Clears the failed logins of the principal.
    fn clear_failed_logins(&mut self, principal: PrincipalId) -> StoreResult<()>;
}
