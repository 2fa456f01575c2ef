//! The in-memory ports for PINs of users, of the engine and the back office.

use tillgate_domain::office::ports as office;
use tillgate_domain::{Instant, KeyId, StoreResult, StoredPin, UserId};

use super::transaction::{Transaction, constraint_error};
use tillgate_auth_core::ports::{self as auth, KeyKind, KeyState, StoredKey, Verifier};

impl auth::Pins for Transaction<'_> {
    fn find(&mut self, user: UserId) -> StoreResult<Option<StoredPin>> {
        Ok(self.tables().pins.get(&user).cloned())
    }

    fn set(&mut self, user: UserId, pin: &StoredPin, at: Instant) -> StoreResult<()> {
        office::Pins::set(self, user, pin, at)
    }

    fn claim_key(&mut self, key: KeyId) -> StoreResult<bool> {
        office::Pins::claim_key(self, key)
    }

    fn remove(&mut self, user: UserId) -> StoreResult<bool> {
        office::Pins::remove(self, user)
    }

    fn claim(
        &mut self,
        user: UserId,
        verifier: &Verifier,
        rehashed: Option<&StoredPin>,
        _at: Instant,
    ) -> StoreResult<bool> {
        let pins = &mut self.tables_mut()?.pins;
        let is_claimed = pins.get(&user).is_some_and(|pin| pin.verifier == *verifier);
        if let (true, Some(rehashed)) = (is_claimed, rehashed) {
            pins.change(&user, |pin| {
                pin.verifier = rehashed.verifier.clone();
                pin.key = rehashed.key;
            });
        }
        Ok(is_claimed)
    }

    fn uses_key(&mut self, key: KeyId) -> StoreResult<bool> {
        Ok(self.tables().pins.rows().values().any(|pin| pin.key == key))
    }
}

impl office::Pins for Transaction<'_> {
    fn claim_key(&mut self, key: KeyId) -> StoreResult<bool> {
        let keys = &self.tables_mut()?.keys;
        let is_current = |key: &StoredKey| key.kind == KeyKind::Pin && key.state == KeyState::Current;
        Ok(keys.get(&key).is_some_and(is_current))
    }

    fn set(&mut self, user: UserId, pin: &StoredPin, _at: Instant) -> StoreResult<()> {
        let tables = self.tables_mut()?;
        if !tables.users.has(&user) {
            return constraint_error("a PIN belongs to a user");
        }
        tables.pins.put(user, pin.clone());
        Ok(())
    }

    fn remove(&mut self, user: UserId) -> StoreResult<bool> {
        Ok(self.tables_mut()?.pins.remove(&user))
    }
}
