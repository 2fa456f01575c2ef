//! Sends queued mails with a link to a page of the back office for browsers: invitations, and
//! verifications of e-mail addresses. The link begins with `server.public_url`, never with the
//! `Host` of a request.
//!
//! The token is generated when the mail is sent. After a crash, any process over the same database
//! sends the mail with another token.

use std::sync::Arc;

use tillgate_auth_core::{Auth, OneTimeToken};
use tillgate_domain::office::ports::{MailKind, QueuedMail};
use tillgate_domain::office::{self, LinkMail, MailDispatch, MailToken};
use tillgate_http::office_links::{invitation_path, verify_email_path};
use tillgate_persistence::Database;

use super::stop::{MailAttempt, MailStop};
use super::texts::{self, MailLanguage};
use super::{MAIL_LEASE, MailError, Mailer, OutgoingMail, backoff};
use crate::composition;
use crate::configuration::Settings;

/// The maximum number of mails per search.
const MAX_MAILS_PER_POLL: u32 = 20;

/// Sends the queued mails.
pub(super) struct LinkMailer {
    mailer: Arc<Mailer>,
    settings: Settings,
    public_url: String,
    database: Arc<Database>,
    auth: Arc<Auth>,
}

impl LinkMailer {
    /// Sends mails with links to the public address of the server; `None` if it is not set. Then
    /// the mails stay queued until a sweep removes them, after their tokens have expired.
    pub(super) fn from_settings(
        settings: &Settings,
        mailer: &Arc<Mailer>,
        database: &Arc<Database>,
        auth: &Arc<Auth>,
    ) -> Option<Self> {
        let public_url = settings.server.public_url.as_ref()?.as_str().to_owned();
        Some(Self {
            mailer: Arc::clone(mailer),
            settings: settings.clone(),
            public_url,
            database: Arc::clone(database),
            auth: Arc::clone(auth),
        })
    }

    /// Sends some of the mails that are due, until the stop begins.
    pub(super) fn poll_queue(&self, stop: &MailStop) {
        match office::unguarded::list_due_mails(&*self.database, self.auth.time().at, MAX_MAILS_PER_POLL) {
            Ok(due) => {
                for mail in due {
                    if stop.is_stopping() {
                        return;
                    }
                    if let Err(why) = self.send(&mail, stop) {
                        let (kind, user) = (mail.kind.name(), mail.user);
                        tracing::warn!(kind, %user, why, "a mail with a link was not sent; retrying later");
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "queued mails cannot be read"),
        }
    }

    fn send(&self, mail: &QueuedMail, stop: &MailStop) -> Result<(), String> {
        let (store, to_text) = (&*self.database, |error: &dyn std::fmt::Display| error.to_string());
        let now = self.auth.time().at;
        let OneTimeToken { token: secret, digest } =
            self.auth.generate_link_token().map_err(|error| to_text(&error))?;
        let token = MailToken { digest, retry_at: now.saturating_add(MAIL_LEASE) };
        let link_mail =
            match office::unguarded::claim_mail(store, now, mail, &token).map_err(|error| to_text(&error))? {
                MailDispatch::Send(link_mail) => link_mail,
                MailDispatch::AlreadyClaimed => return Ok(()),
                MailDispatch::Discarded => {
                    let (kind, user) = (mail.kind.name(), mail.user);
                    tracing::info!(kind, %user, "a queued mail was discarded: its token is void or has expired");
                    return Ok(());
                }
            };
        let attempt = self.begin(mail, token, stop);
        let id = format!("{}-{}-{}", mail.kind.name(), mail.user, now.millis());
        match self.mail_link(mail.kind, &link_mail, secret.expose(), &id, &attempt) {
            Ok(()) => office::unguarded::complete_mail(store, mail, &token).map_err(|error| to_text(&error)),
            Err(unsent) if unsent.permanent => {
                let (kind, user) = (mail.kind.name(), mail.user);
                tracing::warn!(kind, %user, why = %unsent, "a mail with a link was rejected permanently: giving up");
                office::unguarded::complete_mail(store, mail, &token).map_err(|error| to_text(&error))
            }
            Err(unsent) => {
                let again = self.auth.time().at.saturating_add(backoff(mail.tries));
                office::unguarded::retry_mail(store, mail, &token, again).map_err(|error| to_text(&error))?;
                Err(unsent.to_string())
            }
        }
    }

    /// Begins the attempt of a mail that was claimed with this token.
    fn begin(&self, mail: &QueuedMail, token: MailToken, stop: &MailStop) -> MailAttempt {
        let (database, auth, mail) = (Arc::clone(&self.database), Arc::clone(&self.auth), mail.clone());
        stop.begin(Box::new(move || office::unguarded::release_mail(&*database, &mail, &token, auth.time().at)))
    }

    /// Mails the link with the token. `id` is the name of the file in the spool folder.
    fn mail_link(
        &self,
        kind: MailKind,
        mail: &LinkMail,
        token: &str,
        id: &str,
        attempt: &MailAttempt,
    ) -> Result<(), MailError> {
        let no_office = "no mount \"office\" without a host serves the tenant of the user";
        let prefix =
            composition::office_prefix(&self.settings, &mail.tenant).ok_or_else(|| MailError::temporary(&no_office))?;
        let path = match kind {
            MailKind::Invitation => invitation_path(prefix, token),
            MailKind::EmailVerification => verify_email_path(prefix, token),
        };
        let text = texts::link_text(
            kind,
            MailLanguage::of_locale(&mail.locale),
            &format!("{}{path}", self.public_url),
            mail.expires_at,
        );
        let outgoing = OutgoingMail { id, to: &mail.to, subject: text.subject, text: &text.body };
        self.mailer.send(&outgoing, &|| attempt.may_send()).map(drop)
    }
}
