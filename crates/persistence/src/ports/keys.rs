//! The server's keys.

use diesel::prelude::*;
use tillgate_auth_core::ports::{KeyState, Keys, StoredKey};
use tillgate_domain::{Instant, KeyId, Stored};

use super::contested;
use crate::failure::classify;
use crate::row::KeyRow;
use crate::schema::keys;
use crate::statement::{Bind, OrNothing, Statement};
use crate::transaction::Transaction;

const TURN: &str = "UPDATE keys SET state = $1, since = $2 WHERE id = $3 AND state = $4";
const TURN_CURRENT: &str = "UPDATE keys SET state = $1, since = $2 WHERE id = $3 AND state = $4 \
     AND NOT EXISTS (SELECT 1 FROM keys rival WHERE rival.kind = keys.kind AND rival.state = $1 AND rival.id <> keys.id)";

impl Keys for Transaction<'_> {
    fn all(&mut self) -> Stored<Vec<StoredKey>> {
        let rows: Vec<KeyRow> = keys::table
            .order((keys::created_at, keys::id))
            .select(KeyRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        rows.into_iter().map(KeyRow::key).collect()
    }

    fn insert(&mut self, key: &StoredKey) -> Stored<bool> {
        let insert = diesel::insert_into(keys::table).values(KeyRow::of(key));
        Ok(OrNothing(insert).execute(self.writing()?).map_err(classify)? == 1)
    }

    fn turn(&mut self, id: KeyId, from: KeyState, to: KeyState, at: Instant) -> Stored<bool> {
        let text = if to == KeyState::Current { TURN_CURRENT } else { TURN };
        let binds = [to.name().into(), at.into(), Bind::from(&id.0), from.name().into()];
        let turned = Statement::new(text, binds).execute(self.writing()?);
        Ok(turned.map_err(contested)? == 1)
    }

    fn remove(&mut self, id: KeyId) -> Stored<()> {
        let gone = keys::table.find(id.0.as_bytes().as_slice());
        diesel::delete(gone).execute(self.writing()?).map_err(classify)?;
        Ok(())
    }
}
