//! The server's keys.

use diesel::prelude::*;
use tillgate_auth_core::ports::{KeyState, Keys, StoredKey};
use tillgate_domain::{Instant, KeyId, StoreResult};

use super::unique_violation_as_conflict;
use crate::error_class::classify;
use crate::row::KeyRow;
use crate::schema::keys;
use crate::statement::{Bind, OnConflictDoNothing, Statement};
use crate::transaction::Transaction;

const SET_STATE: &str = "UPDATE keys SET state = $1, since = $2 WHERE id = $3 AND state = $4";
const SET_CURRENT: &str = "UPDATE keys SET state = $1, since = $2 WHERE id = $3 AND state = $4 \
     AND NOT EXISTS (SELECT 1 FROM keys rival WHERE rival.kind = keys.kind AND rival.state = $1 AND rival.id <> keys.id)";

impl Keys for Transaction<'_> {
    fn list(&mut self) -> StoreResult<Vec<StoredKey>> {
        let rows: Vec<KeyRow> = keys::table
            .order((keys::created_at, keys::id))
            .select(KeyRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        rows.into_iter().map(KeyRow::into_domain).collect()
    }

    fn insert(&mut self, key: &StoredKey) -> StoreResult<bool> {
        let insert = diesel::insert_into(keys::table).values(KeyRow::from_domain(key));
        Ok(OnConflictDoNothing(insert).execute(self.write_connection()?).map_err(classify)? == 1)
    }

    fn change_state(&mut self, id: KeyId, from: KeyState, to: KeyState, at: Instant) -> StoreResult<bool> {
        let text = if to == KeyState::Current { SET_CURRENT } else { SET_STATE };
        let binds = [to.name().into(), at.into(), Bind::from(&id.0), from.name().into()];
        let turned = Statement::new(text, binds).execute(self.write_connection()?);
        Ok(turned.map_err(unique_violation_as_conflict)? == 1)
    }

    fn remove(&mut self, id: KeyId) -> StoreResult<()> {
        let removed = keys::table.find(id.0.as_bytes().as_slice());
        diesel::delete(removed).execute(self.write_connection()?).map_err(classify)?;
        Ok(())
    }
}
