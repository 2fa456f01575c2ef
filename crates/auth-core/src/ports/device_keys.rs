//! The port for keys of devices, with which the engine enrolls a key. The back office's port lists
//! and revokes them.

use tillgate_domain::{DeviceId, DeviceKey, Instant, StoreResult, TenantId, Thumbprint};

/// Finds, adds and retires keys of devices.
pub trait DeviceKeys {
    /// The key with this thumbprint in the tenant, with any state.
    fn find(&mut self, tenant: TenantId, thumbprint: &Thumbprint) -> StoreResult<Option<DeviceKey>>;
    /// The current key of a device.
    fn find_current(&mut self, device: DeviceId) -> StoreResult<Option<DeviceKey>>;
    /// Adds a key. Returns false and changes nothing if the tenant has or had a key with this
    /// thumbprint, or if the key is current and the device has a current key.
    fn insert(&mut self, key: &DeviceKey) -> StoreResult<bool>;
    /// Retires the key with this thumbprint, if it is current; otherwise returns false.
    fn retire(&mut self, tenant: TenantId, thumbprint: &Thumbprint, at: Instant) -> StoreResult<bool>;
    /// Records a use of the key with this thumbprint, unless there is none or a use after
    /// `recorded_before` is stored.
    fn record_use(
        &mut self,
        tenant: TenantId,
        thumbprint: &Thumbprint,
        at: Instant,
        recorded_before: Instant,
    ) -> StoreResult<()>;
}
