//! The in-memory port for keys.

use tillgate_domain::{Instant, KeyId, StoreResult};

use super::transaction::{Transaction, constraint_error};
use tillgate_auth_core::ports::{KeyKind, KeyState, Keys, StoredKey};

impl Keys for Transaction<'_> {
    fn list(&mut self) -> StoreResult<Vec<StoredKey>> {
        let mut all: Vec<_> = self.tables().keys.rows().values().cloned().collect();
        all.sort_by_key(|key| (key.created_at, key.id));
        Ok(all)
    }

    fn insert(&mut self, key: &StoredKey) -> StoreResult<bool> {
        self.tables_mut()?;
        if key.state == KeyState::Current && self.has_current_key(key.kind) {
            return Ok(false);
        }
        let keys = &mut self.tables_mut()?.keys;
        if keys.has(&key.id) {
            return constraint_error("a key's id is new");
        }
        keys.put(key.id, key.clone());
        Ok(true)
    }

    fn change_state(&mut self, id: KeyId, from: KeyState, to: KeyState, at: Instant) -> StoreResult<bool> {
        self.tables_mut()?;
        let Some(kind) = self.tables().keys.get(&id).filter(|key| key.state == from).map(|key| key.kind) else {
            return Ok(false);
        };
        if to == KeyState::Current && self.has_current_key(kind) {
            return Ok(false);
        }
        self.tables_mut()?.keys.change(&id, |key| {
            key.state = to;
            key.state_since = at;
        });
        Ok(true)
    }

    fn remove(&mut self, id: KeyId) -> StoreResult<()> {
        self.tables_mut()?.keys.remove(&id);
        Ok(())
    }
}

impl Transaction<'_> {
    /// Whether the kind has a current key.
    fn has_current_key(&self, kind: KeyKind) -> bool {
        self.tables().keys.rows().values().any(|key| key.kind == kind && key.state == KeyState::Current)
    }
}
