//! Ports: who there is. What a lookup by name finds is never a deleted user.

use tillgate_domain::{
    Device, DeviceId, Epoch, FoldedText, Instant, Role, RoleId, SessionId, Slug, StoreResult, Tenant, TenantId, User,
    UserId,
};

/// Vendors.
pub trait Tenants {
    /// The tenant with this id.
    fn find(&mut self, id: TenantId) -> StoreResult<Option<Tenant>>;
    /// The tenant of this short name.
    fn find_by_slug(&mut self, slug: &Slug) -> StoreResult<Option<Tenant>>;
}

/// People.
pub trait Users {
    /// The user with this id, deleted ones too.
    fn find(&mut self, id: UserId) -> StoreResult<Option<User>>;
    /// The user of this name in this tenant.
    fn find_by_name(&mut self, tenant: TenantId, name: &FoldedText) -> StoreResult<Option<User>>;
    /// The user of this e-mail address, whichever tenant they belong to.
    fn find_by_email(&mut self, email: &FoldedText) -> StoreResult<Option<User>>;
    /// Claims the user for a login: true where they are active and at this epoch, and then nothing ends everything of theirs
    /// before this unit of work ends.
    fn claim(&mut self, id: UserId, epoch: Epoch, at: Instant) -> StoreResult<bool>;
    /// Records that the user has changed the password and need not change it at the next login. True if they had to, which raises
    /// the user's version.
    fn clear_password_change_required(&mut self, id: UserId, at: Instant) -> StoreResult<bool>;
}

/// Devices.
pub trait Devices {
    /// The device with this id, retired ones too.
    fn find(&mut self, id: DeviceId) -> StoreResult<Option<Device>>;
    /// The device of this name in this tenant; where there are only retired ones of it, the newest of these.
    fn find_by_name(&mut self, tenant: TenantId, name: &FoldedText) -> StoreResult<Option<Device>>;
    /// Claims the device for a login of its own: true where it is active and at this epoch, and then nothing ends everything on
    /// it before this unit of work ends.
    fn claim(&mut self, id: DeviceId, epoch: Epoch, at: Instant) -> StoreResult<bool>;
    /// Gives the seat of a sale device from one session to another. False where another session holds it by now.
    fn seat(&mut self, id: DeviceId, from: Option<SessionId>, to: Option<SessionId>) -> StoreResult<bool>;
    /// Gives the pairing of a device from one permanent session to another. False where another session holds it by now.
    fn pair(&mut self, id: DeviceId, from: Option<SessionId>, to: Option<SessionId>) -> StoreResult<bool>;
}

/// Roles.
pub trait Roles {
    /// Those of these roles that the tenant has, in any order.
    fn find_many(&mut self, tenant: TenantId, ids: &[RoleId]) -> StoreResult<Vec<Role>>;
}
