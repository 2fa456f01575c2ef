//! The port for keys of devices, as the back office uses them. The engine's port adds them.

use crate::{DeviceId, DeviceKey, Instant, StoreResult, TenantId, Thumbprint};

/// Reads and revokes keys of devices.
pub trait DeviceKeys {
    /// The keys of a device with any state, newest first.
    fn list_by_device(&mut self, device: DeviceId) -> StoreResult<Vec<DeviceKey>>;
    /// Revokes the key with this thumbprint, if it is current; otherwise returns false.
    fn revoke(&mut self, tenant: TenantId, thumbprint: &Thumbprint, at: Instant) -> StoreResult<bool>;
}
