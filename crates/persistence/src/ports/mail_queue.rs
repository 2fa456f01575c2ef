//! Mails with a link that are to be sent: one of each kind per user.

use diesel::RunQueryDsl;
use tillgate_domain::office::ports::{MailKind, MailQueue, QueuedMail};
use tillgate_domain::{Instant, StoreResult, UserId};

use super::removed_rows;
use crate::error_class::classify;
use crate::row::QueuedMailRow;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

const PUT: &str = "INSERT INTO mail_queue (kind, user_id, email, requested_at, expires_at, due_at, tries) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (kind, user_id) DO UPDATE SET email = excluded.email, \
     requested_at = excluded.requested_at, expires_at = excluded.expires_at, due_at = excluded.due_at, \
     tries = excluded.tries";
/// Tenants take turns: `turn` is the position of a mail among the due ones of its tenant.
const LIST_DUE: &str = "SELECT kind, user_id, email, requested_at, expires_at, due_at, tries FROM (\
     SELECT due.*, ROW_NUMBER() OVER (PARTITION BY due.tenant_id ORDER BY due.due_at, due.user_id, due.kind) AS turn \
     FROM (SELECT mail_queue.*, (SELECT users.tenant_id FROM users WHERE users.id = mail_queue.user_id) AS tenant_id \
     FROM mail_queue WHERE mail_queue.due_at <= $1) AS due\
     ) AS waiting ORDER BY turn, due_at, user_id, kind LIMIT $2";
const CLAIM: &str = "UPDATE mail_queue SET due_at = $4 WHERE kind = $1 AND user_id = $2 AND due_at = $3";
const POSTPONE: &str = "UPDATE mail_queue SET due_at = $4, tries = tries + 1 \
     WHERE kind = $1 AND user_id = $2 AND due_at = $3";
const REMOVE: &str = "DELETE FROM mail_queue WHERE kind = $1 AND user_id = $2 AND due_at = $3";
const SWEEP: &str = "DELETE FROM mail_queue WHERE (kind, user_id) IN (\
     SELECT kind, user_id FROM mail_queue WHERE due_at < $1 AND expires_at < $1 ORDER BY due_at LIMIT $2) \
     AND due_at < $1 AND expires_at < $1";

impl MailQueue for Transaction<'_> {
    fn insert_or_replace(&mut self, mail: &QueuedMail) -> StoreResult<()> {
        let binds = [
            Bind::from(mail.kind.name()),
            Bind::from(&mail.user.0),
            mail.email.as_str().into(),
            mail.requested_at.into(),
            mail.expires_at.into(),
            mail.due_at.into(),
            mail.tries.into(),
        ];
        self.execute(&Statement::new(PUT, binds)).map(drop)
    }

    fn list_due(&mut self, now: Instant, limit: u32) -> StoreResult<Vec<QueuedMail>> {
        let binds = [Bind::from(now), i64::from(limit).into()];
        let rows: Vec<QueuedMailRow> = Statement::new(LIST_DUE, binds).load(self.connection).map_err(classify)?;
        rows.into_iter().map(QueuedMailRow::into_domain).collect()
    }

    fn claim(&mut self, kind: MailKind, user: UserId, from: Instant, to: Instant) -> StoreResult<bool> {
        let binds = [Bind::from(kind.name()), Bind::from(&user.0), from.into(), to.into()];
        Ok(self.execute(&Statement::new(CLAIM, binds))? == 1)
    }

    fn postpone(&mut self, kind: MailKind, user: UserId, from: Instant, to: Instant) -> StoreResult<bool> {
        let binds = [Bind::from(kind.name()), Bind::from(&user.0), from.into(), to.into()];
        Ok(self.execute(&Statement::new(POSTPONE, binds))? == 1)
    }

    fn remove(&mut self, kind: MailKind, user: UserId, due_at: Instant) -> StoreResult<bool> {
        let binds = [Bind::from(kind.name()), Bind::from(&user.0), due_at.into()];
        Ok(self.execute(&Statement::new(REMOVE, binds))? == 1)
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        self.execute(&Statement::new(SWEEP, [before.into(), i64::from(limit).into()])).map(removed_rows)
    }
}
