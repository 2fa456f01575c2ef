//! The port for keys of machines that wait to be accepted, with which the engine adds them and
//! answers their polls. The back office's port accepts and denies them.

use tillgate_domain::{EnrollmentDigest, Instant, PendingKey, StoreResult, TenantId};

/// Adds and finds keys that wait.
pub trait PendingKeys {
    /// Adds a key that waits. Returns false and changes nothing if there is one with one of its
    /// codes.
    fn insert(&mut self, key: &PendingKey) -> StoreResult<bool>;
    /// The key whose code has this digest, decided or not.
    fn find_by_code(&mut self, code: &EnrollmentDigest) -> StoreResult<Option<PendingKey>>;
    /// The key that is polled with the code of this digest, decided or not.
    fn find_by_device_code(&mut self, device_code: &EnrollmentDigest) -> StoreResult<Option<PendingKey>>;
    /// Gives the key with this code another code with which it is polled, if it waits; it then
    /// waits until this instant. Returns whether it waited.
    fn renew(
        &mut self,
        code: &EnrollmentDigest,
        device_code: &EnrollmentDigest,
        expires_at: Instant,
    ) -> StoreResult<bool>;
    /// Records a poll that was not too early.
    fn record_poll(&mut self, device_code: &EnrollmentDigest, at: Instant) -> StoreResult<()>;
    /// Lets the key that is polled with this code be polled until this instant, because its machine
    /// was enrolled and may not get the response. Does nothing if there is none.
    fn extend(&mut self, device_code: &EnrollmentDigest, until: Instant) -> StoreResult<()>;
    /// The number of keys of the tenant, or of all tenants, that have not expired at this instant,
    /// decided or not.
    fn count_live(&mut self, tenant: Option<TenantId>, now: Instant) -> StoreResult<u32>;
}
