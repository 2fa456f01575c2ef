//! Verifications of e-mail addresses: one per user, by the digest of its token.

use diesel::prelude::*;
use tillgate_domain::office::ports::{EmailVerification, EmailVerifications, VerificationDigest};
use tillgate_domain::{Instant, StoreResult, UserId};

use super::removed_rows;
use crate::error_class::classify;
use crate::row::EmailVerificationRow;
use crate::schema::email_verifications;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

const PUT: &str = "INSERT INTO email_verifications (user_id, digest, email, created_at, expires_at) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (user_id) DO UPDATE SET digest = excluded.digest, \
     email = excluded.email, created_at = excluded.created_at, expires_at = excluded.expires_at";
const REPLACE_DIGEST: &str = "UPDATE email_verifications SET digest = $3 WHERE user_id = $1 AND created_at = $2";
const CONSUME: &str = "DELETE FROM email_verifications WHERE digest = $1";
const SWEEP: &str = "DELETE FROM email_verifications WHERE user_id IN (\
     SELECT user_id FROM email_verifications WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";

impl EmailVerifications for Transaction<'_> {
    fn insert_or_replace(&mut self, verification: &EmailVerification) -> StoreResult<()> {
        let binds = [
            Bind::from(&verification.user.0),
            Bind::Bytes(&verification.digest),
            verification.email.as_str().into(),
            verification.created_at.into(),
            verification.expires_at.into(),
        ];
        self.execute(&Statement::new(PUT, binds)).map(drop)
    }

    fn find(&mut self, digest: &VerificationDigest) -> StoreResult<Option<EmailVerification>> {
        let found: Option<EmailVerificationRow> = email_verifications::table
            .filter(email_verifications::digest.eq(digest.as_slice()))
            .select(EmailVerificationRow::as_select())
            .get_result(self.connection)
            .optional()
            .map_err(classify)?;
        found.map(EmailVerificationRow::into_domain).transpose()
    }

    fn find_by_user(&mut self, user: UserId) -> StoreResult<Option<EmailVerification>> {
        let found: Option<EmailVerificationRow> = email_verifications::table
            .find(user.0.as_bytes().as_slice())
            .select(EmailVerificationRow::as_select())
            .get_result(self.connection)
            .optional()
            .map_err(classify)?;
        found.map(EmailVerificationRow::into_domain).transpose()
    }

    fn replace_digest(&mut self, user: UserId, created_at: Instant, digest: &VerificationDigest) -> StoreResult<bool> {
        let binds = [Bind::from(&user.0), created_at.into(), Bind::Bytes(digest)];
        Ok(self.execute(&Statement::new(REPLACE_DIGEST, binds))? == 1)
    }

    fn consume(&mut self, digest: &VerificationDigest) -> StoreResult<bool> {
        Ok(self.execute(&Statement::new(CONSUME, [Bind::Bytes(digest)]))? == 1)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        self.execute(&Statement::new(SWEEP, [before.into(), i64::from(limit).into()])).map(removed_rows)
    }
}
