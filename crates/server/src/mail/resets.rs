//! Sends the mails of password resets: selects pending requests, and retries until each mail is
//! sent or given up.
//!
//! Mail is sent by a background thread, never during a request: no client waits for a mail server,
//! and the duration of a request does not reveal whether an account exists. After a crash, any
//! process over the same database continues with the request.

use std::sync::Arc;
use std::time::Duration;

use tillgate_auth_core::{Auth, OneTimeToken};
use tillgate_domain::ResetId;
use tillgate_domain::office::ports::ResetRequest;
use tillgate_domain::office::{self, ResetDispatch, ResetGrant};
use tillgate_persistence::Database;

use super::stop::{MailAttempt, MailStop};
use super::texts::{self, MailLanguage, ResetCode};
use super::{MAIL_LEASE, Mailer, OutgoingMail, backoff};
use crate::configuration::Settings;

/// The maximum number of mails per search.
const MAX_MAILS_PER_POLL: u32 = 20;

/// The lifetime of a reset token.
const TOKEN_LIFETIME: Duration = Duration::from_mins(30);

/// The age at which a request is given up.
const MAX_REQUEST_AGE: Duration = Duration::from_hours(24);

/// Sends the mails of password resets.
pub(super) struct ResetMailer {
    mailer: Arc<Mailer>,
    link: Option<String>,
    database: Arc<Database>,
    auth: Arc<Auth>,
}

impl ResetMailer {
    /// Sends mails with the link of the settings.
    pub(super) fn new(settings: &Settings, mailer: &Arc<Mailer>, database: &Arc<Database>, auth: &Arc<Auth>) -> Self {
        Self {
            mailer: Arc::clone(mailer),
            link: settings.mail.reset_link.clone(),
            database: Arc::clone(database),
            auth: Arc::clone(auth),
        }
    }

    /// Sends the mails of some pending requests, until the stop begins.
    pub(super) fn poll_requests(&self, stop: &MailStop) {
        match office::unguarded::select_pending_resets(&*self.database, self.auth.time().at, MAX_MAILS_PER_POLL) {
            Ok(pending) => {
                for request in pending {
                    if stop.is_stopping() {
                        return;
                    }
                    if let Err(why) = self.process_request(&request, stop) {
                        tracing::warn!(request = %request.id, why, "the mail for a password reset was not sent; \
                                                                    retrying later");
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "pending password resets cannot be read"),
        }
    }

    fn process_request(&self, request: &ResetRequest, stop: &MailStop) -> Result<(), String> {
        let (store, to_text) = (&*self.database, |error: &dyn std::fmt::Display| error.to_string());
        let now = self.auth.time().at;
        if now.duration_since(request.requested_at) > MAX_REQUEST_AGE {
            tracing::error!(request = %request.id, "the mail for a password reset could not be sent for a day: giving \
                                                    up");
            return office::unguarded::complete_reset(store, request.id).map_err(|error| to_text(&error));
        }
        let OneTimeToken { token, digest } = self.auth.generate_link_token().map_err(|error| to_text(&error))?;
        let grant = ResetGrant {
            digest,
            expires_at: now.saturating_add(TOKEN_LIFETIME),
            retry_at: now.saturating_add(MAIL_LEASE),
        };
        let stamp = self.auth.system_context(request.address).map_err(|error| to_text(&error))?;
        let (to, locale) =
            match office::unguarded::grant_reset(store, &stamp, request, &grant).map_err(|error| to_text(&error))? {
                ResetDispatch::Mail { to, locale } => (to, locale),
                ResetDispatch::Discarded | ResetDispatch::AlreadyClaimed => return Ok(()),
            };
        let link = self.link.as_ref().map(|link| link.replace("{token}", token.expose()));
        let code = link.as_ref().map_or_else(|| ResetCode::Token(token.expose()), |link| ResetCode::Link(link));
        let text = texts::reset_text(MailLanguage::of_locale(&locale), &code, TOKEN_LIFETIME);
        let attempt = self.begin(request.id, &grant, stop);
        let id = request.id.to_string();
        let mail = OutgoingMail { id: &id, to: &to, subject: text.subject, text: &text.body };
        match self.mailer.send(&mail, &|| attempt.may_send()) {
            Ok(_) => office::unguarded::complete_reset(store, request.id).map_err(|error| to_text(&error)),
            Err(unsent) if unsent.permanent => {
                tracing::warn!(request = %request.id, why = %unsent, "the mail for a password reset was rejected \
                                                                      permanently: giving up");
                office::unguarded::abandon_reset(store, request.id, &grant).map_err(|error| to_text(&error))
            }
            Err(unsent) => {
                let again = self.auth.time().at.saturating_add(backoff(request.tries));
                office::unguarded::retry_reset(store, request.id, &grant, again).map_err(|error| to_text(&error))?;
                Err(unsent.to_string())
            }
        }
    }

    /// Begins the attempt of the mail for a request that was claimed with this grant.
    fn begin(&self, request: ResetId, grant: &ResetGrant, stop: &MailStop) -> MailAttempt {
        let (database, auth, grant) = (Arc::clone(&self.database), Arc::clone(&self.auth), grant.clone());
        stop.begin(Box::new(move || office::unguarded::release_reset(&*database, request, &grant, auth.time().at)))
    }
}
