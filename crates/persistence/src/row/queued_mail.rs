//! Rows of `mail_queue`.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Text};
use tillgate_domain::office::ports::{MailKind, QueuedMail};
use tillgate_domain::{Email, Instant, StoreResult, UserId};

use super::Column;

#[derive(QueryableByName)]
pub(crate) struct QueuedMailRow {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Binary)]
    user_id: Vec<u8>,
    #[diesel(sql_type = Text)]
    email: String,
    #[diesel(sql_type = BigInt)]
    requested_at: i64,
    #[diesel(sql_type = BigInt)]
    expires_at: i64,
    #[diesel(sql_type = BigInt)]
    due_at: i64,
    #[diesel(sql_type = BigInt)]
    tries: i64,
}

impl QueuedMailRow {
    pub(crate) fn into_domain(self) -> StoreResult<QueuedMail> {
        let cell = |column| Column("mail_queue", column);
        Ok(QueuedMail {
            kind: cell("kind").parse_word(MailKind::ALL, MailKind::name, &self.kind)?,
            user: UserId(cell("user_id").parse_uuid(&self.user_id)?),
            email: Email::from_stored(self.email),
            requested_at: Instant::from_millis(self.requested_at),
            expires_at: Instant::from_millis(self.expires_at),
            due_at: Instant::from_millis(self.due_at),
            tries: self.tries,
        })
    }
}
