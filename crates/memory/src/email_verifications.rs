//! The in-memory port for verifications of e-mail addresses.

use tillgate_domain::office::ports::{EmailVerification, EmailVerifications, VerificationDigest};
use tillgate_domain::{Instant, StoreResult, UserId};

use super::transaction::{Transaction, constraint_error, to_u32, to_usize};

impl EmailVerifications for Transaction<'_> {
    fn insert_or_replace(&mut self, verification: &EmailVerification) -> StoreResult<()> {
        let tables = self.tables_mut()?;
        if !tables.users.has(&verification.user) {
            return constraint_error("a verification is a user's");
        }
        tables.email_verifications.put(verification.user, verification.clone());
        Ok(())
    }

    fn find(&mut self, digest: &VerificationDigest) -> StoreResult<Option<EmailVerification>> {
        Ok(self.tables().email_verifications.rows().values().find(|each| each.digest == *digest).cloned())
    }

    fn find_by_user(&mut self, user: UserId) -> StoreResult<Option<EmailVerification>> {
        Ok(self.tables().email_verifications.get(&user).cloned())
    }

    fn replace_digest(&mut self, user: UserId, created_at: Instant, digest: &VerificationDigest) -> StoreResult<bool> {
        let verifications = &mut self.tables_mut()?.email_verifications;
        let found = verifications.get(&user).is_some_and(|verification| verification.created_at == created_at);
        if found {
            verifications.change(&user, |verification| verification.digest = *digest);
        }
        Ok(found)
    }

    fn consume(&mut self, digest: &VerificationDigest) -> StoreResult<bool> {
        let Some(verification) = EmailVerifications::find(self, digest)? else { return Ok(false) };
        Ok(self.tables_mut()?.email_verifications.remove(&verification.user))
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        let verifications = &mut self.tables_mut()?.email_verifications;
        let old = verifications.rows().values().filter(|verification| verification.expires_at < before);
        let old: Vec<UserId> = old.take(to_usize(limit)).map(|verification| verification.user).collect();
        for user in &old {
            verifications.remove(user);
        }
        Ok(to_u32(old.len()))
    }
}
