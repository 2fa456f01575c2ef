//! Rows of `email_verifications`.

use diesel::prelude::*;
use tillgate_domain::office::ports::EmailVerification;
use tillgate_domain::{Email, Instant, StoreResult, UserId};

use super::Column;
use crate::schema::email_verifications;

#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = email_verifications)]
pub(crate) struct EmailVerificationRow {
    user_id: Vec<u8>,
    digest: Vec<u8>,
    email: String,
    created_at: i64,
    expires_at: i64,
}

impl EmailVerificationRow {
    pub(crate) fn into_domain(self) -> StoreResult<EmailVerification> {
        let cell = |column| Column("email_verifications", column);
        Ok(EmailVerification {
            digest: cell("digest").parse_digest(&self.digest)?,
            user: UserId(cell("user_id").parse_uuid(&self.user_id)?),
            email: Email::from_stored(self.email),
            created_at: Instant::from_millis(self.created_at),
            expires_at: Instant::from_millis(self.expires_at),
        })
    }
}
