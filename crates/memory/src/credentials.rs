//! The in-memory ports for credentials, of the engine and of the back office.

use std::collections::BTreeSet;

use tillgate_domain::office::ports::{Invitations, Passwords, Resets};
use tillgate_domain::{Instant, PrincipalId, Secret, StoreResult, UserId};

use super::transaction::{Transaction, constraint_error};
use tillgate_auth_core::ports::{Attempts, Credential, CredentialKind, Credentials, Verifier};

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
        Ok(self.tables().credentials.get(&(principal, kind)).cloned())
    }

    fn claim(
        &mut self,
        principal: PrincipalId,
        kind: CredentialKind,
        version: i64,
        rehashed: Option<&Verifier>,
        _at: Instant,
    ) -> StoreResult<bool> {
        let credentials = &mut self.tables_mut()?.credentials;
        let key = (principal, kind);
        let claimed = credentials.get(&key).is_some_and(|row| row.version == version);
        if let (true, Some(rehashed)) = (claimed, rehashed) {
            credentials.change(&key, |row| row.verifier = rehashed.clone());
        }
        Ok(claimed)
    }

    fn replace(
        &mut self,
        principal: PrincipalId,
        kind: CredentialKind,
        version: i64,
        verifier: &Verifier,
        _at: Instant,
    ) -> StoreResult<bool> {
        let credentials = &mut self.tables_mut()?.credentials;
        let key = (principal, kind);
        let replaced = credentials.get(&key).is_some_and(|row| row.version == version);
        if replaced {
            credentials.change(&key, |row| {
                row.verifier = verifier.clone();
                row.version = version.saturating_add(1);
            });
            revoke_tokens(self, principal)?;
        }
        Ok(replaced)
    }
}

impl Passwords for Transaction<'_> {
    fn set(&mut self, principal: PrincipalId, verifier: &Secret<String>, _at: Instant) -> StoreResult<()> {
        let tables = self.tables_mut()?;
        let known = match principal {
            PrincipalId::User(id) => tables.users.has(&id),
            PrincipalId::Device(id) => tables.devices.has(&id),
        };
        if !known {
            return constraint_error("a password belongs to a user or a device");
        }
        let kind = CredentialKind::Password;
        let key = (principal, kind);
        let version = tables.credentials.get(&key).map_or(1, |row| row.version.saturating_add(1));
        tables.credentials.put(key, Credential { principal, kind, verifier: verifier.clone(), version });
        revoke_tokens(self, principal)
    }

    fn has(&mut self, principal: PrincipalId) -> StoreResult<bool> {
        Ok(self.tables().credentials.has(&(principal, CredentialKind::Password)))
    }

    fn find_users_with_password(&mut self, users: &BTreeSet<UserId>) -> StoreResult<BTreeSet<UserId>> {
        let credentials = &self.tables().credentials;
        let has = |id: &&UserId| credentials.has(&(PrincipalId::User(**id), CredentialKind::Password));
        Ok(users.iter().filter(has).copied().collect())
    }

    fn remove(&mut self, principal: PrincipalId) -> StoreResult<bool> {
        Ok(self.tables_mut()?.credentials.remove(&(principal, CredentialKind::Password)))
    }

    fn clear_failed_logins(&mut self, principal: PrincipalId) -> StoreResult<()> {
        Attempts::clear_failed_logins(self, principal.uuid()).map(|_| ())
    }
}
