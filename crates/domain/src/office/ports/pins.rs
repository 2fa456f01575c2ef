//! The port for PINs of users, as the back office uses them. The engine's port reads them.

use crate::{Instant, StoreResult, StoredPin, UserId};

/// Writes PINs of users.
pub trait Pins {
    /// Sets the first PIN of a user, or replaces it.
    fn set(&mut self, user: UserId, pin: &StoredPin, at: Instant) -> StoreResult<()>;
    /// Removes the PIN; returns false if there is none.
    fn remove(&mut self, user: UserId) -> StoreResult<bool>;
}
