//! The port for enrollments, as the back office uses them. The engine's port completes them.

use crate::{ApiKeyId, DeviceId, Enrollment, Instant, RoleId, StoreResult};

/// Stores enrollments, at most one per device.
pub trait Enrollments {
    /// Adds an enrollment that waits for its code, and removes the previous one of the device.
    fn insert_or_replace(&mut self, enrollment: &Enrollment) -> StoreResult<()>;
    /// The enrollment of this device.
    fn find_by_device(&mut self, device: DeviceId) -> StoreResult<Option<Enrollment>>;
    /// Removes the enrollment of a device, unless it is completed. Returns whether there was one.
    fn cancel(&mut self, device: DeviceId) -> StoreResult<bool>;
    /// Removes the enrollments of the devices that have this role as themselves, unless they are
    /// completed.
    fn cancel_by_role(&mut self, role: RoleId) -> StoreResult<()>;
    /// Lets the codes that were started with this API key and are not used expire at this instant,
    /// unless they expire before.
    fn limit_by_api_key(&mut self, key: ApiKeyId, until: Instant) -> StoreResult<()>;
    /// Removes at most `limit` enrollments whose codes expired before this instant. Returns their
    /// number.
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;
}
