//! The port for verifications of e-mail addresses, by whose mailed token a user proves an address.

use crate::{Email, Instant, StoreResult, UserId};

/// The SHA-256 of the token of a verification.
pub type VerificationDigest = [u8; 32];

/// A request to verify the e-mail address of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailVerification {
    /// The digest of its token.
    pub digest: VerificationDigest,
    /// The user whose address it verifies.
    pub user: UserId,
    /// The address to which the token is mailed. It verifies no other one.
    pub email: Email,
    /// The instant of its creation.
    pub created_at: Instant,
    /// The instant at which it expires.
    pub expires_at: Instant,
}

/// Stores verifications of e-mail addresses, at most one per user.
pub trait EmailVerifications {
    /// Adds a verification, and removes the previous one of the user.
    fn insert_or_replace(&mut self, verification: &EmailVerification) -> StoreResult<()>;
    /// The verification with this digest.
    fn find(&mut self, digest: &VerificationDigest) -> StoreResult<Option<EmailVerification>>;
    /// The verification of this user.
    fn find_by_user(&mut self, user: UserId) -> StoreResult<Option<EmailVerification>>;
    /// Gives the verification of the user another digest. Returns true if the user still has the
    /// verification that was created at this instant.
    fn replace_digest(&mut self, user: UserId, created_at: Instant, digest: &VerificationDigest) -> StoreResult<bool>;
    /// Removes a verification. Returns true for one caller only.
    fn consume(&mut self, digest: &VerificationDigest) -> StoreResult<bool>;
    /// Removes at most `limit` verifications that expired before this instant. Returns their
    /// number.
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;
}
