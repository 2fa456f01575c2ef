//! PINs of users, for the engine and the back office. They are rows of `credentials`.

use diesel::prelude::*;
use tillgate_auth_core::ports::{self as auth, Verifier};
use tillgate_domain::office::ports as office;
use tillgate_domain::{Instant, KeyId, Secret, StoreResult, StoredPin, UserId};

use crate::error_class::classify;
use crate::row::Column;
use crate::schema::credentials;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

/// The kind of the credentials that are PINs.
const KIND: &str = "pin";

const SET: &str = "INSERT INTO credentials \
     (principal_id, principal_kind, kind, device_id, version, verifier, set_at, used_at, key_id, due) \
     VALUES ($1, 'user', 'pin', NULL, 1, $2, $3, NULL, $4, $5 = 1) \
     ON CONFLICT (principal_id, principal_kind, kind) WHERE device_id IS NULL \
     DO UPDATE SET verifier = excluded.verifier, version = credentials.version + 1, set_at = excluded.set_at, \
     key_id = excluded.key_id, due = excluded.due";
const CLAIM: &str = "UPDATE credentials \
     SET used_at = $3, verifier = COALESCE($4, verifier), key_id = COALESCE($5, key_id) \
     WHERE principal_id = $1 AND principal_kind = 'user' AND kind = 'pin' AND device_id IS NULL AND verifier = $2";
/// Locks the row of the key, which a rotation or a revocation changes.
const CLAIM_KEY: &str = "UPDATE keys SET since = since WHERE id = $1 AND kind = 'pin' AND state = 'current'";
const REMOVE: &str = "DELETE FROM credentials \
     WHERE principal_id = $1 AND principal_kind = 'user' AND kind = 'pin' AND device_id IS NULL";

impl auth::Pins for Transaction<'_> {
    fn find(&mut self, user: UserId) -> StoreResult<Option<StoredPin>> {
        let found: Option<(String, Option<Vec<u8>>, bool)> = credentials::table
            .filter(credentials::principal_id.eq(user.0.as_bytes().as_slice()))
            .filter(credentials::principal_kind.eq("user"))
            .filter(credentials::kind.eq(KIND))
            .filter(credentials::device_id.is_null())
            .select((credentials::verifier, credentials::key_id, credentials::due))
            .get_result(self.connection)
            .optional()
            .map_err(classify)?;
        let Some((verifier, key, due)) = found else { return Ok(None) };
        let key = Column("credentials", "key_id").parse_uuid(&key.unwrap_or_default()).map(KeyId)?;
        Ok(Some(StoredPin { verifier: Secret::new(verifier), key, due }))
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
        at: Instant,
    ) -> StoreResult<bool> {
        let binds = [
            Bind::from(&user.0),
            verifier.expose().as_str().into(),
            at.into(),
            rehashed.map(|pin| pin.verifier.expose().as_str()).into(),
            Bind::from(rehashed.map(|pin| &pin.key.0)),
        ];
        Ok(self.execute(&Statement::new(CLAIM, binds))? == 1)
    }

    fn uses_key(&mut self, key: KeyId) -> StoreResult<bool> {
        let found = credentials::table.filter(credentials::key_id.eq(key.0.as_bytes().as_slice()));
        diesel::select(diesel::dsl::exists(found)).get_result(self.connection).map_err(classify)
    }
}

impl office::Pins for Transaction<'_> {
    fn claim_key(&mut self, key: KeyId) -> StoreResult<bool> {
        Ok(self.execute(&Statement::new(CLAIM_KEY, [Bind::from(&key.0)]))? == 1)
    }

    fn set(&mut self, user: UserId, pin: &StoredPin, at: Instant) -> StoreResult<()> {
        let binds = [
            Bind::from(&user.0),
            pin.verifier.expose().as_str().into(),
            at.into(),
            Bind::from(&pin.key.0),
            i64::from(pin.due).into(),
        ];
        self.execute(&Statement::new(SET, binds)).map(drop)
    }

    fn remove(&mut self, user: UserId) -> StoreResult<bool> {
        Ok(self.execute(&Statement::new(REMOVE, [Bind::from(&user.0)]))? == 1)
    }
}
