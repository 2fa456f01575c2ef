//! The ports for tenants, users, devices and roles, as the engine reads them. A lookup by name
//! never finds a deleted user.

use tillgate_domain::{
    Device, DeviceId, Epoch, FoldedText, Instant, Role, RoleId, SessionId, Slug, StoreResult, Tenant, TenantId, User,
    UserId, UserName,
};

/// Finds tenants by id and by slug.
pub trait Tenants {
    /// The tenant with this id.
    fn find(&mut self, id: TenantId) -> StoreResult<Option<Tenant>>;
    /// The tenant with this slug.
    fn find_by_slug(&mut self, slug: &Slug) -> StoreResult<Option<Tenant>>;
}

/// A user who may work on a till.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TillOperator {
    /// The identifier of the user.
    pub id: UserId,
    /// The name with which the user logs in.
    pub name: UserName,
    /// The name for people.
    pub display_name: String,
    /// Whether the user has a PIN.
    pub has_pin: bool,
}

/// Finds users and claims them for a login.
pub trait Users {
    /// The user with this id; deleted users are found, too.
    fn find(&mut self, id: UserId) -> StoreResult<Option<User>>;
    /// The user with this name in the tenant.
    fn find_by_name(&mut self, tenant: TenantId, name: &FoldedText) -> StoreResult<Option<User>>;
    /// The user with this e-mail address, in any tenant.
    fn find_by_email(&mut self, email: &FoldedText) -> StoreResult<Option<User>>;
    /// Claims the user for a login. Returns true if the user is active and at this epoch; then no
    /// other unit of work ends the user's sessions before this one ends, and `at` is recorded as
    /// `last_login_at`.
    fn claim(&mut self, id: UserId, epoch: Epoch, at: Instant) -> StoreResult<bool>;
    /// Records that the user has changed the password and is no longer required to. Returns true if
    /// it was required; then the user's version increases.
    fn clear_password_change_required(&mut self, id: UserId, at: Instant) -> StoreResult<bool>;
    /// At most `limit` active users who are assigned to the device and are not virtual, by their
    /// ids.
    fn list_operators(&mut self, device: DeviceId, limit: u32) -> StoreResult<Vec<TillOperator>>;
}

/// Finds devices, and changes their seats and pairings.
pub trait Devices {
    /// The device with this id; retired devices are found, too.
    fn find(&mut self, id: DeviceId) -> StoreResult<Option<Device>>;
    /// The device with this name in the tenant. If only retired devices have the name, the newest
    /// of them.
    fn find_by_name(&mut self, tenant: TenantId, name: &FoldedText) -> StoreResult<Option<Device>>;
    /// Claims the device for a login. Returns true if it is active and at this epoch; then no other
    /// unit of work ends the sessions on it before this one ends.
    fn claim(&mut self, id: DeviceId, epoch: Epoch, at: Instant) -> StoreResult<bool>;
    /// Moves the seat of a sale device from session `from` to session `to`. Returns false if
    /// another session has it.
    fn seat(&mut self, id: DeviceId, from: Option<SessionId>, to: Option<SessionId>) -> StoreResult<bool>;
    /// Moves the pairing of a device from session `from` to session `to`. Returns false if another
    /// session has it.
    fn pair(&mut self, id: DeviceId, from: Option<SessionId>, to: Option<SessionId>) -> StoreResult<bool>;
}

/// Finds the roles of a tenant by their ids.
pub trait Roles {
    /// Those of the roles that belong to the tenant, in any order.
    fn find_many(&mut self, tenant: TenantId, ids: &[RoleId]) -> StoreResult<Vec<Role>>;
}
