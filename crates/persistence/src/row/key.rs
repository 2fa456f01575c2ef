//! Rows of `keys`.

use diesel::prelude::*;
use tillgate_auth_core::ports::{KeyKind, KeyState, StoredKey};
use tillgate_domain::{Instant, KeyId, Stored};

use super::{Cell, bytes};
use crate::schema::keys;

/// A row of `keys`.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = keys, treat_none_as_default_value = false)]
pub(crate) struct KeyRow {
    id: Vec<u8>,
    kind: String,
    algorithm: String,
    state: String,
    wrapped: Vec<u8>,
    public: Option<Vec<u8>>,
    created_at: i64,
    since: i64,
}

impl KeyRow {
    /// The row of a key.
    pub(crate) fn of(key: &StoredKey) -> Self {
        Self {
            id: bytes(&key.id.0),
            kind: key.kind.name().to_owned(),
            algorithm: key.algorithm.clone(),
            state: key.state.name().to_owned(),
            wrapped: key.wrapped.clone(),
            public: key.public.clone(),
            created_at: key.created_at.millis(),
            since: key.since.millis(),
        }
    }

    /// The key of the row.
    pub(crate) fn key(self) -> Stored<StoredKey> {
        let cell = |column| Cell("keys", column);
        Ok(StoredKey {
            id: KeyId(cell("id").uuid(&self.id)?),
            kind: cell("kind").word(&KeyKind::ALL, KeyKind::name, &self.kind)?,
            algorithm: self.algorithm,
            state: cell("state").word(&KeyState::ALL, KeyState::name, &self.state)?,
            wrapped: self.wrapped,
            public: self.public,
            created_at: Instant::from_millis(self.created_at),
            since: Instant::from_millis(self.since),
        })
    }
}
