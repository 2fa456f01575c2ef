//! The port for keys that wait to be accepted, as the back office uses them. The engine's port adds
//! them.

use crate::{DeviceId, EnrollmentDigest, Instant, PendingKey, StoreResult, TenantId};

/// Finds and decides keys that wait.
pub trait PendingKeys {
    /// The key whose code has this digest, decided or not.
    fn find_by_code(&mut self, code: &EnrollmentDigest) -> StoreResult<Option<PendingKey>>;
    /// At most `limit` keys that wait at this instant and can be accepted in the tenant: its own,
    /// and those of no tenant yet. The one that waits until the latest instant is first.
    fn list_waiting(&mut self, tenant: TenantId, now: Instant, limit: u32) -> StoreResult<Vec<PendingKey>>;
    /// Accepts the key for a device, if it waits; it can then be polled until this instant. Returns
    /// whether it waited.
    fn accept(
        &mut self,
        code: &EnrollmentDigest,
        tenant: TenantId,
        device: DeviceId,
        expires_at: Instant,
    ) -> StoreResult<bool>;
    /// Denies the key, if it waits. Returns whether it waited.
    fn deny(&mut self, code: &EnrollmentDigest, tenant: TenantId) -> StoreResult<bool>;
    /// Removes at most `limit` keys that have expired before this instant. Returns their number.
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;
}
