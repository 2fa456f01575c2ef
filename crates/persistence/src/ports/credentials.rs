//! Credentials: read and claimed by a login, set by the back office.

use std::collections::BTreeSet;

use diesel::prelude::*;
use tillgate_auth_core::ports::{Credential, CredentialKind, Credentials, Verifier};
use tillgate_domain::office::ports::{Invitations, Passwords, Resets};
use tillgate_domain::{Instant, PrincipalId, Secret, StoreResult, UserId};

use crate::error_class::classify;
use crate::row::Column;
use crate::schema::credentials;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

const CLAIM: &str = "UPDATE credentials SET used_at = $5, verifier = COALESCE($6, verifier) \
     WHERE principal_id = $1 AND principal_kind = $2 AND kind = $3 AND device_id IS NULL AND version = $4";
const REPLACE: &str = "UPDATE credentials SET verifier = $5, version = version + 1, set_at = $6 \
     WHERE principal_id = $1 AND principal_kind = $2 AND kind = $3 AND device_id IS NULL AND version = $4";
const REMOVE: &str = "DELETE FROM credentials \
     WHERE principal_id = $1 AND principal_kind = $2 AND kind = $3 AND device_id IS NULL";
const SET: &str = "INSERT INTO credentials (principal_id, principal_kind, kind, device_id, version, verifier, set_at, used_at) \
     VALUES ($1, $2, $3, NULL, 1, $4, $5, NULL) \
     ON CONFLICT (principal_id, principal_kind, kind) WHERE device_id IS NULL \
     DO UPDATE SET verifier = excluded.verifier, version = credentials.version + 1, set_at = excluded.set_at";

/// The stored word for the kind of a principal.
const fn principal_kind(principal: PrincipalId) -> &'static str {
    match principal {
        PrincipalId::User(_) => "user",
        PrincipalId::Device(_) => "device",
    }
}

/// Removes the tokens by which the user could choose a password, which is set already.
fn revoke_tokens(tx: &mut Transaction<'_>, principal: PrincipalId) -> StoreResult<()> {
    match principal {
        PrincipalId::User(user) => {
            Invitations::revoke_by_user(tx, user)?;
            Resets::revoke_by_user(tx, user)
        }
        PrincipalId::Device(_) => Ok(()),
    }
}

impl Credentials for Transaction<'_> {
    fn find(&mut self, principal: PrincipalId, kind: CredentialKind) -> StoreResult<Option<Credential>> {
        let id = principal.uuid();
        let found: Option<(String, i64)> = credentials::table
            .filter(credentials::principal_id.eq(id.as_bytes().as_slice()))
            .filter(credentials::principal_kind.eq(principal_kind(principal)))
            .filter(credentials::kind.eq(kind.name()))
            .filter(credentials::device_id.is_null())
            .select((credentials::verifier, credentials::version))
            .get_result(self.connection)
            .optional()
            .map_err(classify)?;
        Ok(found.map(|(verifier, version)| Credential { principal, kind, verifier: Secret::new(verifier), version }))
    }

    fn claim(
        &mut self,
        principal: PrincipalId,
        kind: CredentialKind,
        version: i64,
        rehashed: Option<&Verifier>,
        at: Instant,
    ) -> StoreResult<bool> {
        let id = principal.uuid();
        let rehashed = rehashed.map(|verifier| verifier.expose().as_str());
        let binds = [
            Bind::from(&id),
            principal_kind(principal).into(),
            kind.name().into(),
            version.into(),
            at.into(),
            rehashed.into(),
        ];
        Ok(self.execute(&Statement::new(CLAIM, binds))? == 1)
    }

    fn replace(
        &mut self,
        principal: PrincipalId,
        kind: CredentialKind,
        version: i64,
        verifier: &Verifier,
        at: Instant,
    ) -> StoreResult<bool> {
        let id = principal.uuid();
        let verifier = verifier.expose().as_str();
        let binds = [
            Bind::from(&id),
            principal_kind(principal).into(),
            kind.name().into(),
            version.into(),
            verifier.into(),
            at.into(),
        ];
        let replaced = self.execute(&Statement::new(REPLACE, binds))? == 1;
        if replaced {
            revoke_tokens(self, principal)?;
        }
        Ok(replaced)
    }
}

impl Passwords for Transaction<'_> {
    fn set(&mut self, principal: PrincipalId, verifier: &Secret<String>, at: Instant) -> StoreResult<()> {
        let id = principal.uuid();
        let kind = CredentialKind::Password.name();
        let binds = [
            Bind::from(&id),
            principal_kind(principal).into(),
            kind.into(),
            verifier.expose().as_str().into(),
            at.into(),
        ];
        self.execute(&Statement::new(SET, binds))?;
        revoke_tokens(self, principal)
    }

    fn has(&mut self, principal: PrincipalId) -> StoreResult<bool> {
        let id = principal.uuid();
        let found = credentials::table
            .filter(credentials::principal_id.eq(id.as_bytes().as_slice()))
            .filter(credentials::principal_kind.eq(principal_kind(principal)))
            .filter(credentials::kind.eq(CredentialKind::Password.name()))
            .filter(credentials::device_id.is_null());
        diesel::select(diesel::dsl::exists(found)).get_result(self.connection).map_err(classify)
    }

    fn find_users_with_password(&mut self, users: &BTreeSet<UserId>) -> StoreResult<BTreeSet<UserId>> {
        let ids: Vec<Vec<u8>> = credentials::table
            .filter(credentials::principal_id.eq_any(users.iter().map(|id| id.0.as_bytes().as_slice())))
            .filter(credentials::principal_kind.eq("user"))
            .filter(credentials::kind.eq(CredentialKind::Password.name()))
            .filter(credentials::device_id.is_null())
            .select(credentials::principal_id)
            .load(self.connection)
            .map_err(classify)?;
        ids.iter().map(|id| Column("credentials", "principal_id").parse_uuid(id).map(UserId)).collect()
    }

    fn remove(&mut self, principal: PrincipalId) -> StoreResult<bool> {
        let id = principal.uuid();
        let binds = [Bind::from(&id), principal_kind(principal).into(), CredentialKind::Password.name().into()];
        Ok(self.execute(&Statement::new(REMOVE, binds))? == 1)
    }

    fn clear_failed_logins(&mut self, principal: PrincipalId) -> StoreResult<()> {
        tillgate_auth_core::ports::Attempts::clear_failed_logins(self, principal.uuid()).map(drop)
    }
}
