//! Mails with a link that carries a one-time token: invitations, and verifications of e-mail
//! addresses.
//!
//! A use case stores the token's row with a digest that nobody has a token of, and queues the mail.
//! A background process generates the token when it sends the mail, so that the store has no token.

use std::time::Duration;

use crate::office::ports::{MailKind, OfficePorts, OfficeTx, QueuedMail};
use crate::{Email, Instant, Locale, Slug, Store, StoreExt, StoreResult, UserStatus};

/// The shortest interval between two mails of one kind to a user, so that repeated requests do not
/// fill a mailbox.
const MIN_MAIL_INTERVAL: Duration = Duration::from_mins(1);

/// How long after `now` another mail may be sent, if the previous one was requested so recently
/// that none may be sent now.
pub(in crate::office) fn remaining_interval(previous: Instant, now: Instant) -> Option<Duration> {
    let next = previous.saturating_add(MIN_MAIL_INTERVAL);
    (next > now).then(|| next.duration_since(now).min(MIN_MAIL_INTERVAL))
}

/// The token for a mail that is being sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailToken {
    /// The digest of the token, which the caller generates.
    pub digest: [u8; 32],
    /// The instant at which the mail is due again if this process does not send it.
    pub retry_at: Instant,
}

/// A mail that is to be sent now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkMail {
    /// The address to which it is sent.
    pub to: Email,
    /// The language of the user, otherwise of the tenant.
    pub locale: Locale,
    /// The slug of the user's tenant, whose back office the link opens.
    pub tenant: Slug,
    /// The instant at which the token expires.
    pub expires_at: Instant,
}

/// The outcome of claiming a queued mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailDispatch {
    /// The mail has to be sent with the token.
    Send(Box<LinkMail>),
    /// No mail is sent, because its token is void; it is no longer queued.
    Discarded,
    /// Another process is sending the mail, or it was requested again.
    AlreadyClaimed,
}

/// Lists at most `limit` queued mails that are due.
pub fn list_due_mails(store: &dyn Store<OfficePorts>, now: Instant, limit: u32) -> StoreResult<Vec<QueuedMail>> {
    store.read("list_due_mails", |tx| tx.mail_queue().list_due(now, limit))
}

/// Claims a queued mail for this process, and makes its token the one with this digest.
pub fn claim_mail(
    store: &dyn Store<OfficePorts>,
    now: Instant,
    mail: &QueuedMail,
    token: &MailToken,
) -> StoreResult<MailDispatch> {
    store.write("claim_mail", |tx| {
        if !tx.mail_queue().claim(mail.kind, mail.user, mail.due_at, token.retry_at)? {
            return Ok(MailDispatch::AlreadyClaimed);
        }
        let prepared = if mail.expires_at > now { prepare_mail(tx, mail, token)? } else { None };
        if let Some(prepared) = prepared {
            return Ok(MailDispatch::Send(Box::new(prepared)));
        }
        tx.mail_queue().remove(mail.kind, mail.user, token.retry_at)?;
        Ok(MailDispatch::Discarded)
    })
}

/// The mail, with the token made the one with this digest; `None` if its token is void.
fn prepare_mail(tx: &mut dyn OfficeTx, mail: &QueuedMail, token: &MailToken) -> StoreResult<Option<LinkMail>> {
    let user = tx.users().find(mail.user)?.filter(|user| {
        user.email.as_ref() == Some(&mail.email) && matches!(user.status, UserStatus::Active | UserStatus::Pending)
    });
    let Some(user) = user else { return Ok(None) };
    let renewed = match mail.kind {
        MailKind::Invitation => tx.invitations().replace_digest(user.id, mail.requested_at, &token.digest)?,
        MailKind::EmailVerification => {
            tx.email_verifications().replace_digest(user.id, mail.requested_at, &token.digest)?
        }
    };
    let Some(tenant) = tx.tenants().find(user.tenant)?.filter(|_| renewed) else { return Ok(None) };
    Ok(Some(LinkMail {
        to: mail.email.clone(),
        locale: user.locale.unwrap_or(tenant.locale),
        tenant: tenant.slug,
        expires_at: mail.expires_at,
    }))
}

/// Removes a claimed mail from the queue, because it was sent, or never can be.
pub fn complete_mail(store: &dyn Store<OfficePorts>, mail: &QueuedMail, token: &MailToken) -> StoreResult<()> {
    store.write("complete_mail", |tx| tx.mail_queue().remove(mail.kind, mail.user, token.retry_at).map(drop))
}

/// Makes a claimed mail, which could not be sent, due again at `to`, and counts the attempt.
pub fn retry_mail(
    store: &dyn Store<OfficePorts>,
    mail: &QueuedMail,
    token: &MailToken,
    to: Instant,
) -> StoreResult<()> {
    store.write("retry_mail", |tx| tx.mail_queue().postpone(mail.kind, mail.user, token.retry_at, to).map(drop))
}

/// Makes a claimed mail due at `to`, because nothing was sent and nothing has failed.
pub fn release_mail(
    store: &dyn Store<OfficePorts>,
    mail: &QueuedMail,
    token: &MailToken,
    to: Instant,
) -> StoreResult<()> {
    store.write("release_mail", |tx| tx.mail_queue().claim(mail.kind, mail.user, token.retry_at, to).map(drop))
}

/// Removes at most `limit` mails whose token has expired before they could be sent. Returns their
/// number.
pub fn sweep_mails(store: &dyn Store<OfficePorts>, now: Instant, limit: u32) -> StoreResult<u32> {
    store.write("sweep_mails", |tx| tx.mail_queue().sweep(now, limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_mail_follows_after_the_interval() {
        let at = |seconds: i64| Instant::from_millis(seconds * 1_000);
        let left = |previous, now| remaining_interval(at(previous), at(now)).map(|left| left.as_secs());
        assert_eq!((left(100, 100), left(100, 159), left(100, 160)), (Some(60), Some(1), None));
        assert_eq!(left(1_000, 100), Some(60), "the clock was set back");
    }
}
