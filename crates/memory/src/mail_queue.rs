//! The in-memory port for mails with a link that are to be sent.

use std::collections::BTreeMap;

use tillgate_domain::office::ports::{MailKind, MailQueue, QueuedMail};
use tillgate_domain::{Instant, StoreResult, TenantId, UserId};

use super::transaction::{Transaction, constraint_error, to_u32, to_usize};

impl MailQueue for Transaction<'_> {
    fn insert_or_replace(&mut self, mail: &QueuedMail) -> StoreResult<()> {
        let tables = self.tables_mut()?;
        if !tables.users.has(&mail.user) {
            return constraint_error("a mail is a user's");
        }
        tables.mail_queue.put((mail.kind, mail.user), mail.clone());
        Ok(())
    }

    fn list_due(&mut self, now: Instant, limit: u32) -> StoreResult<Vec<QueuedMail>> {
        let tables = self.tables();
        let queued = tables.mail_queue.rows().values();
        let mut due: Vec<QueuedMail> = queued.filter(|mail| mail.due_at <= now).cloned().collect();
        due.sort_by_key(|mail| (mail.due_at, mail.user, mail.kind));
        let mut counts: BTreeMap<Option<TenantId>, usize> = BTreeMap::new();
        let mut turns: Vec<(usize, QueuedMail)> = Vec::with_capacity(due.len());
        for mail in due {
            let count = counts.entry(tables.users.get(&mail.user).map(|user| user.tenant)).or_default();
            turns.push((*count, mail));
            *count += 1;
        }
        // the sort is stable
        turns.sort_by_key(|(turn, _)| *turn);
        turns.truncate(to_usize(limit));
        Ok(turns.into_iter().map(|(_, mail)| mail).collect())
    }

    fn claim(&mut self, kind: MailKind, user: UserId, from: Instant, to: Instant) -> StoreResult<bool> {
        let queue = &mut self.tables_mut()?.mail_queue;
        let is_due = queue.get(&(kind, user)).is_some_and(|mail| mail.due_at == from);
        if is_due {
            queue.change(&(kind, user), |mail| mail.due_at = to);
        }
        Ok(is_due)
    }

    fn postpone(&mut self, kind: MailKind, user: UserId, from: Instant, to: Instant) -> StoreResult<bool> {
        let queue = &mut self.tables_mut()?.mail_queue;
        let is_due = queue.get(&(kind, user)).is_some_and(|mail| mail.due_at == from);
        if is_due {
            queue.change(&(kind, user), |mail| {
                mail.due_at = to;
                mail.tries = mail.tries.saturating_add(1);
            });
        }
        Ok(is_due)
    }

    fn remove(&mut self, kind: MailKind, user: UserId, due_at: Instant) -> StoreResult<bool> {
        let queue = &mut self.tables_mut()?.mail_queue;
        let found = queue.get(&(kind, user)).is_some_and(|mail| mail.due_at == due_at);
        Ok(found && queue.remove(&(kind, user)))
    }

    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32> {
        let queue = &mut self.tables_mut()?.mail_queue;
        let old = queue.rows().values().filter(|mail| mail.due_at < before && mail.expires_at < before);
        let old: Vec<(MailKind, UserId)> = old.take(to_usize(limit)).map(|mail| (mail.kind, mail.user)).collect();
        for key in &old {
            queue.remove(key);
        }
        Ok(to_u32(old.len()))
    }
}
