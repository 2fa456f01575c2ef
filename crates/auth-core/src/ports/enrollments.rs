//! The port for enrollments, with which the engine completes one. The back office's port starts and
//! cancels it.

use tillgate_domain::{Enrollment, EnrollmentCompletion, EnrollmentDigest, StoreResult};

/// Finds enrollments by their codes, and completes them.
pub trait Enrollments {
    /// The enrollment whose code has this digest, completed or not.
    fn find(&mut self, digest: &EnrollmentDigest) -> StoreResult<Option<Enrollment>>;
    /// Completes the enrollment whose code has this digest, unless it is completed. Returns true
    /// for one caller only.
    fn complete(&mut self, digest: &EnrollmentDigest, completion: &EnrollmentCompletion) -> StoreResult<bool>;
}
