//! Rows of `keys`.

use diesel::prelude::*;
use tillgate_auth_core::ports::{KeyKind, KeyState, StoredKey};
use tillgate_domain::{Instant, KeyId, StoreResult};

use super::{Column, uuid_bytes};
use crate::schema::keys;

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
    pub(crate) fn from_domain(key: &StoredKey) -> Self {
        Self {
            id: uuid_bytes(&key.id.0),
            kind: key.kind.name().to_owned(),
            algorithm: key.algorithm.clone(),
            state: key.state.name().to_owned(),
            wrapped: key.wrapped_secret.clone(),
            public: key.public.clone(),
            created_at: key.created_at.millis(),
            since: key.state_since.millis(),
        }
    }

    pub(crate) fn into_domain(self) -> StoreResult<StoredKey> {
        let cell = |column| Column("keys", column);
        Ok(StoredKey {
            id: KeyId(cell("id").parse_uuid(&self.id)?),
            kind: cell("kind").parse_word(&KeyKind::ALL, KeyKind::name, &self.kind)?,
            algorithm: self.algorithm,
            state: cell("state").parse_word(&KeyState::ALL, KeyState::name, &self.state)?,
            wrapped_secret: self.wrapped,
            public: self.public,
            created_at: Instant::from_millis(self.created_at),
            state_since: Instant::from_millis(self.since),
        })
    }
}
