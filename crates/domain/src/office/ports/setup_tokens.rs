//! The port for the one-time token with which the first administrator is set up in the browser.

use crate::{Instant, StoreResult};

/// The SHA-256 of a set-up token.
pub type SetupTokenDigest = [u8; 32];

/// Stores the digest of the set-up token: one for all processes over the store.
pub trait SetupTokens {
    /// The digest of the token, if there is one.
    fn find(&mut self) -> StoreResult<Option<SetupTokenDigest>>;
    /// Stores the digest of a new token, which replaces the previous one.
    fn put(&mut self, digest: &SetupTokenDigest, at: Instant) -> StoreResult<()>;
    /// Removes the token with this digest. Returns true for one caller only.
    fn consume(&mut self, digest: &SetupTokenDigest) -> StoreResult<bool>;
}
