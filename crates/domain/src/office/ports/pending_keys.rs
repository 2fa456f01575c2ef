//! The port for keys that wait to be accepted, as the back office uses them. The engine's port adds
//! them.

use crate::{DeviceId, EnrollmentDigest, Instant, PendingKey, StoreResult, TenantId};

/// Finds and decides keys that wait.
pub trait PendingKeys {
    /// The key whose code has this digest, decided or not.
    fn find_by_code(&mut self, code: &EnrollmentDigest) -> StoreResult<Option<PendingKey>>;
    /// At most `limit` keys of the tenant that wait at this instant. The one that waits until the
    /// latest instant is first.
    fn list_waiting(&mut self, tenant: TenantId, now: Instant, limit: u32) -> StoreResult<Vec<PendingKey>>;
    /// Counts that digits are typed for the key, if it waits, and returns it with this count.
    /// Concurrent attempts are counted one after the other: each sees what the previous one has
    /// decided.
    fn count_attempt(&mut self, code: &EnrollmentDigest) -> StoreResult<Option<PendingKey>>;
    /// Accepts the key for a device, if it waits; it can then be polled until this instant. Returns
    /// whether it waited.
    fn accept(&mut self, code: &EnrollmentDigest, device: DeviceId, expires_at: Instant) -> StoreResult<bool>;
    /// Denies the key, if it waits. Returns whether it waited.
    fn deny(&mut self, code: &EnrollmentDigest) -> StoreResult<bool>;
    /// Removes at most `limit` keys that have expired before this instant, except those that have
    /// presented the code of an enrollment which is not completed: no other machine can present it.
    /// Returns their number.
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;
}
