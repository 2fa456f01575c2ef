//! The ports for enrollments and keys of devices, with which the engine enrolls a key. The back
//! office's ports start an enrollment and revoke a key.

use tillgate_domain::{
    DeviceId, DeviceKey, Enrollment, EnrollmentCompletion, EnrollmentDigest, Instant, StoreResult, TenantId, Thumbprint,
};

/// Finds enrollments by their codes, and completes them.
pub trait Enrollments {
    /// The enrollment whose code has this digest, completed or not.
    fn find(&mut self, digest: &EnrollmentDigest) -> StoreResult<Option<Enrollment>>;
    /// Completes the enrollment whose code has this digest, unless it is completed. Returns true
    /// for one caller only.
    fn complete(&mut self, digest: &EnrollmentDigest, completion: &EnrollmentCompletion) -> StoreResult<bool>;
}

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
}
