//! The port for PINs of users, as the back office uses them. The engine's port reads them.

use crate::{Instant, KeyId, StoreResult, StoredPin, UserId};

/// Writes PINs of users.
pub trait Pins {
    /// Claims the key of a digest that will be stored. Returns true if it is the current key of
    /// PINs; then no other unit of work rotates or revokes it before this one ends.
    fn claim_key(&mut self, key: KeyId) -> StoreResult<bool>;
    /// Sets the first PIN of a user, or replaces it. The caller has claimed its key.
    fn set(&mut self, user: UserId, pin: &StoredPin, at: Instant) -> StoreResult<()>;
    /// Removes the PIN; returns false if there is none.
    fn remove(&mut self, user: UserId) -> StoreResult<bool>;
}
