//! The port for PINs of users.

use tillgate_domain::{Instant, KeyId, StoreResult, StoredPin, UserId};

use super::Verifier;

/// Reads and writes PINs of users.
pub trait Pins {
    /// The PIN of a user.
    fn find(&mut self, user: UserId) -> StoreResult<Option<StoredPin>>;

    /// Sets the first PIN of a user, or replaces it. The caller has claimed its key.
    fn set(&mut self, user: UserId, pin: &StoredPin, at: Instant) -> StoreResult<()>;

    /// Claims the key of a digest that will be stored. Returns true if it is the current key of
    /// PINs; then no other unit of work rotates or revokes it before this one ends.
    fn claim_key(&mut self, key: KeyId) -> StoreResult<bool>;

    /// Removes the PIN; returns false if there is none.
    fn remove(&mut self, user: UserId) -> StoreResult<bool>;

    /// Claims the PIN for a login. Returns true if it has this verifier; then no other unit of work
    /// changes it before this one ends. Stores the verifier and the key of `rehashed`, the same PIN
    /// with another key, if given; the caller has claimed that key.
    fn claim(
        &mut self,
        user: UserId,
        verifier: &Verifier,
        rehashed: Option<&StoredPin>,
        at: Instant,
    ) -> StoreResult<bool>;

    /// Whether the digest of any PIN is with this key.
    fn uses_key(&mut self, key: KeyId) -> StoreResult<bool>;
}
