//! Rows of `mail_queue`.

use diesel::prelude::*;
use tillgate_domain::office::ports::{MailKind, QueuedMail};
use tillgate_domain::{Email, Instant, StoreResult, UserId};

use super::Column;
use crate::schema::mail_queue;

#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = mail_queue)]
pub(crate) struct QueuedMailRow {
    kind: String,
    user_id: Vec<u8>,
    email: String,
    requested_at: i64,
    expires_at: i64,
    due_at: i64,
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
