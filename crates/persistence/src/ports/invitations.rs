//! Invitations: one per user, by the digest of its token.

use std::collections::BTreeSet;

use diesel::prelude::*;
use tillgate_domain::office::ports::{Invitation, InvitationDigest, Invitations};
use tillgate_domain::{Email, Instant, RoleId, StoreResult, UserId};

use super::removed_rows;
use crate::error_class::classify;
use crate::row::InvitationRow;
use crate::schema::invitations;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

const PUT: &str = "INSERT INTO invitations (user_id, digest, created_at, expires_at, email) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (user_id) DO UPDATE SET digest = excluded.digest, \
     created_at = excluded.created_at, expires_at = excluded.expires_at, email = excluded.email";
const REPLACE_DIGEST: &str = "UPDATE invitations SET digest = $3 WHERE user_id = $1 AND created_at = $2";
const CONSUME: &str = "DELETE FROM invitations WHERE digest = $1";
const REVOKE: &str = "DELETE FROM invitations WHERE user_id = $1";
const REVOKE_BY_ROLE: &str = "DELETE FROM invitations WHERE user_id IN (\
     SELECT user_id FROM user_roles WHERE role_id = $1 UNION SELECT user_id FROM user_device_roles WHERE role_id = $1)";
const SWEEP: &str = "DELETE FROM invitations WHERE user_id IN (\
     SELECT user_id FROM invitations WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";

impl Invitations for Transaction<'_> {
    fn insert_or_replace(&mut self, invitation: &Invitation) -> StoreResult<()> {
        let binds = [
            Bind::from(&invitation.user.0),
            Bind::Bytes(&invitation.digest),
            invitation.created_at.into(),
            invitation.expires_at.into(),
            invitation.email.as_ref().map(Email::as_str).into(),
        ];
        self.execute(&Statement::new(PUT, binds)).map(drop)
    }

    fn find(&mut self, digest: &InvitationDigest) -> StoreResult<Option<Invitation>> {
        let found: Option<InvitationRow> = invitations::table
            .filter(invitations::digest.eq(digest.as_slice()))
            .select(InvitationRow::as_select())
            .get_result(self.connection)
            .optional()
            .map_err(classify)?;
        found.map(InvitationRow::into_domain).transpose()
    }

    fn list_by_users(&mut self, users: &BTreeSet<UserId>) -> StoreResult<Vec<Invitation>> {
        let rows: Vec<InvitationRow> = invitations::table
            .filter(invitations::user_id.eq_any(users.iter().map(|id| id.0.as_bytes().as_slice())))
            .order(invitations::user_id)
            .select(InvitationRow::as_select())
            .load(self.connection)
            .map_err(classify)?;
        rows.into_iter().map(InvitationRow::into_domain).collect()
    }

    fn find_by_user(&mut self, user: UserId) -> StoreResult<Option<Invitation>> {
        let found: Option<InvitationRow> = invitations::table
            .find(user.0.as_bytes().as_slice())
            .select(InvitationRow::as_select())
            .get_result(self.connection)
            .optional()
            .map_err(classify)?;
        found.map(InvitationRow::into_domain).transpose()
    }

    fn replace_digest(&mut self, user: UserId, created_at: Instant, digest: &InvitationDigest) -> StoreResult<bool> {
        let binds = [Bind::from(&user.0), created_at.into(), Bind::Bytes(digest)];
        Ok(self.execute(&Statement::new(REPLACE_DIGEST, binds))? == 1)
    }

    fn consume(&mut self, digest: &InvitationDigest) -> StoreResult<bool> {
        Ok(self.execute(&Statement::new(CONSUME, [Bind::Bytes(digest)]))? == 1)
    }

    fn revoke_by_user(&mut self, user: UserId) -> StoreResult<()> {
        self.execute(&Statement::new(REVOKE, [Bind::from(&user.0)])).map(drop)
    }

    fn revoke_by_role(&mut self, role: RoleId) -> StoreResult<()> {
        self.execute(&Statement::new(REVOKE_BY_ROLE, [Bind::from(&role.0)])).map(drop)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        self.execute(&Statement::new(SWEEP, [before.into(), i64::from(limit).into()])).map(removed_rows)
    }
}
