//! The port for mails with a link that are to be sent.

use crate::words::words;
use crate::{Email, Instant, StoreResult, UserId};

words! {
    /// What the link of a mail is for.
    MailKind {
        /// To choose a password.
        Invitation = "invitation",
        /// To verify the e-mail address.
        EmailVerification = "email_verification",
    }
}

/// A mail that is to be sent. It has no token, which is generated when the mail is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedMail {
    /// What its link is for.
    pub kind: MailKind,
    /// The user whose token it carries.
    pub user: UserId,
    /// The address to which it is sent.
    pub email: Email,
    /// The instant at which the token was requested, as the token's row has it.
    pub requested_at: Instant,
    /// The instant at which the token expires.
    pub expires_at: Instant,
    /// The instant at which the mail is due.
    pub due_at: Instant,
    /// How many attempts to send it have failed.
    pub tries: i64,
}

/// Stores mails until they are sent, at most one of each kind per user.
pub trait MailQueue {
    /// Adds a mail, and removes the previous one of this kind for the user.
    fn insert_or_replace(&mut self, mail: &QueuedMail) -> StoreResult<()>;
    /// Lists at most `limit` mails that are due. Tenants take turns: the mail of each tenant that
    /// is due longest comes first, then the next one of each, and so on. Within a turn, the longest
    /// due comes first.
    fn list_due(&mut self, now: Instant, limit: u32) -> StoreResult<Vec<QueuedMail>>;
    /// Claims a mail. Returns true if it is still due at `from`; then it is due at `to`.
    fn claim(&mut self, kind: MailKind, user: UserId, from: Instant, to: Instant) -> StoreResult<bool>;
    /// Records that an attempt to send a mail has failed. Returns true if it is still due at
    /// `from`; then it is due at `to`, and its tries increase by one.
    fn postpone(&mut self, kind: MailKind, user: UserId, from: Instant, to: Instant) -> StoreResult<bool>;
    /// Removes a mail, if it is still due at this instant. Returns whether it was removed.
    fn remove(&mut self, kind: MailKind, user: UserId, due_at: Instant) -> StoreResult<bool>;
    /// Removes at most `limit` mails that were due, and whose token expired, before this instant.
    /// Returns their number.
    fn sweep(&mut self, before: Instant, limit: u32) -> StoreResult<u32>;
}
