//! The server's keys in memory.

use tillgate_domain::{Instant, KeyId, Stored};

use super::transaction::{Transaction, broken};
use crate::ports::{KeyKind, KeyState, Keys, StoredKey};

impl Keys for Transaction<'_> {
    fn all(&mut self) -> Stored<Vec<StoredKey>> {
        let mut all: Vec<_> = self.tables().keys.rows().values().cloned().collect();
        all.sort_by_key(|key| (key.created_at, key.id));
        Ok(all)
    }

    fn insert(&mut self, key: &StoredKey) -> Stored<bool> {
        self.writing()?;
        if key.state == KeyState::Current && self.used(key.kind) {
            return Ok(false);
        }
        let keys = &mut self.writing()?.keys;
        if keys.has(&key.id) {
            return broken("a key's id is new");
        }
        keys.put(key.id, key.clone());
        Ok(true)
    }

    fn turn(&mut self, id: KeyId, from: KeyState, to: KeyState, at: Instant) -> Stored<bool> {
        self.writing()?;
        let Some(kind) = self.tables().keys.get(&id).filter(|key| key.state == from).map(|key| key.kind) else {
            return Ok(false);
        };
        if to == KeyState::Current && self.used(kind) {
            return Ok(false);
        }
        self.writing()?.keys.change(&id, |key| {
            key.state = to;
            key.since = at;
        });
        Ok(true)
    }

    fn remove(&mut self, id: KeyId) -> Stored<()> {
        self.writing()?.keys.remove(&id);
        Ok(())
    }
}

impl Transaction<'_> {
    /// Whether the kind has a current key.
    fn used(&self, kind: KeyKind) -> bool {
        self.tables().keys.rows().values().any(|key| key.kind == kind && key.state == KeyState::Current)
    }
}
