//! The in-memory port for invitations.

use std::collections::BTreeSet;

use tillgate_domain::office::ports::{Invitation, InvitationDigest, Invitations};
use tillgate_domain::{Instant, RoleId, StoreResult, UserId};

use super::office::roles::holds_role;
use super::transaction::{Transaction, constraint_error, to_u32, to_usize};

impl Invitations for Transaction<'_> {
    fn insert_or_replace(&mut self, invitation: &Invitation) -> StoreResult<()> {
        let tables = self.tables_mut()?;
        if !tables.users.has(&invitation.user) {
            return constraint_error("an invitation is a user's");
        }
        tables.invitations.put(invitation.user, invitation.clone());
        Ok(())
    }

    fn find(&mut self, digest: &InvitationDigest) -> StoreResult<Option<Invitation>> {
        Ok(self.tables().invitations.rows().values().find(|invitation| invitation.digest == *digest).cloned())
    }

    fn list_by_users(&mut self, users: &BTreeSet<UserId>) -> StoreResult<Vec<Invitation>> {
        let invitations = &self.tables().invitations;
        Ok(users.iter().filter_map(|user| invitations.get(user)).cloned().collect())
    }

    fn find_by_user(&mut self, user: UserId) -> StoreResult<Option<Invitation>> {
        Ok(self.tables().invitations.get(&user).cloned())
    }

    fn replace_digest(&mut self, user: UserId, created_at: Instant, digest: &InvitationDigest) -> StoreResult<bool> {
        let invitations = &mut self.tables_mut()?.invitations;
        let found = invitations.get(&user).is_some_and(|invitation| invitation.created_at == created_at);
        if found {
            invitations.change(&user, |invitation| invitation.digest = *digest);
        }
        Ok(found)
    }

    fn consume(&mut self, digest: &InvitationDigest) -> StoreResult<bool> {
        let Some(invitation) = Invitations::find(self, digest)? else { return Ok(false) };
        Ok(self.tables_mut()?.invitations.remove(&invitation.user))
    }

    fn revoke_by_user(&mut self, user: UserId) -> StoreResult<()> {
        self.tables_mut()?.invitations.remove(&user);
        Ok(())
    }

    fn revoke_by_role(&mut self, role: RoleId) -> StoreResult<()> {
        let tables = self.tables_mut()?;
        let holders = tables.users.rows().values().filter(|user| holds_role(user, role));
        for user in holders.map(|user| user.id).collect::<Vec<_>>() {
            tables.invitations.remove(&user);
        }
        Ok(())
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        let invitations = &mut self.tables_mut()?.invitations;
        let old = invitations.rows().values().filter(|invitation| invitation.expires_at < before);
        let old: Vec<UserId> = old.take(to_usize(limit)).map(|invitation| invitation.user).collect();
        for user in &old {
            invitations.remove(user);
        }
        Ok(to_u32(old.len()))
    }
}
