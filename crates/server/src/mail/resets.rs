//! Sends the mails of password resets: selects pending requests, and retries until each mail is
//! sent or given up.
//!
//! Mail is sent by a background thread, never during a request: no client waits for a mail server,
//! and the duration of a request does not reveal whether an account exists. After a crash, any
//! process over the same database continues with the request.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use tillgate_auth_core::{Auth, OneTimeToken};
use tillgate_domain::office::ports::ResetRequest;
use tillgate_domain::office::{self, ResetDispatch, ResetGrant};
use tillgate_persistence::Database;

use super::Mailer;
use crate::command::CommandError;
use crate::configuration::Settings;

/// The interval between two searches for pending requests.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The maximum number of mails per search.
const MAX_MAILS_PER_POLL: u32 = 20;

/// The lifetime of a reset token.
const TOKEN_LIFETIME: Duration = Duration::from_mins(30);

/// How long a request is reserved for the process that claimed it.
const REQUEST_LEASE: Duration = Duration::from_mins(2);

/// The delay after the first failed attempt; it doubles with each further one.
const MIN_BACKOFF: Duration = Duration::from_secs(5);

/// The maximum delay between two attempts.
const MAX_BACKOFF: Duration = Duration::from_mins(15);

/// The age at which a request is given up.
const MAX_REQUEST_AGE: Duration = Duration::from_hours(24);

/// The number of searches between two sweeps of expired tokens.
const SWEEP_INTERVAL_POLLS: u32 = 60;
/// The maximum number of tokens that one sweep removes.
const MAX_SWEPT_TOKENS: u32 = 500;

/// The thread that sends the mails. Dropping it ends the thread.
pub(crate) struct ResetMailThread {
    _stop: Sender<()>,
}

impl ResetMailThread {
    /// Starts the thread.
    pub(crate) fn start(settings: &Settings, database: &Arc<Database>, auth: &Arc<Auth>) -> Result<Self, CommandError> {
        let (stop, stopped) = channel::<()>();
        let worker = ResetMailWorker {
            mail: Mailer::from_settings(settings)?,
            link: settings.mail.reset_link.clone(),
            database: Arc::clone(database),
            auth: Arc::clone(auth),
        };
        let work = move || {
            let mut polls = 0_u32;
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(POLL_INTERVAL) {
                worker.poll_requests();
                polls = (polls + 1) % SWEEP_INTERVAL_POLLS;
                if polls == 0 {
                    worker.sweep_tokens();
                }
            }
        };
        thread::Builder::new().name("tillgate-mail".to_owned()).spawn(work).map_err(CommandError::failed)?;
        Ok(Self { _stop: stop })
    }
}

struct ResetMailWorker {
    mail: Mailer,
    link: Option<String>,
    database: Arc<Database>,
    auth: Arc<Auth>,
}

impl ResetMailWorker {
    fn poll_requests(&self) {
        match office::unguarded::select_pending_resets(&*self.database, self.auth.time().at, MAX_MAILS_PER_POLL) {
            Ok(pending) => {
                for request in pending {
                    if let Err(why) = self.process_request(&request) {
                        tracing::warn!(request = %request.id, why, "the mail for a password reset was not sent; \
                                                                    retrying later");
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "pending password resets cannot be read"),
        }
    }

    fn process_request(&self, request: &ResetRequest) -> Result<(), String> {
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
            retry_at: now.saturating_add(REQUEST_LEASE),
        };
        let stamp = self.auth.system_context(request.address).map_err(|error| to_text(&error))?;
        let to =
            match office::unguarded::grant_reset(store, &stamp, request, &grant).map_err(|error| to_text(&error))? {
                ResetDispatch::Mail(to) => to,
                ResetDispatch::Discarded | ResetDispatch::AlreadyClaimed => return Ok(()),
            };
        let text = mail_text(self.link.as_deref(), token.expose());
        match self.mail.send(&request.id.to_string(), &to, "Reset your password", &text) {
            Ok(()) => office::unguarded::complete_reset(store, request.id).map_err(|error| to_text(&error)),
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

    fn sweep_tokens(&self) {
        let Ok(now) = self.auth.sweep_cutoff() else { return };
        if let Err(error) = office::unguarded::sweep_resets(&*self.database, now, MAX_SWEPT_TOKENS) {
            tracing::warn!(%error, "expired password resets cannot be removed");
        }
        if let Err(error) = office::unguarded::sweep_invitations(&*self.database, now, MAX_SWEPT_TOKENS) {
            tracing::warn!(%error, "expired invitations cannot be removed");
        }
    }
}

/// The delay before the next attempt after `tries` attempts.
fn backoff(tries: i64) -> Duration {
    let doubled = u32::try_from(tries.clamp(0, 16)).map_or(u32::MAX, |tries| 1 << tries);
    MIN_BACKOFF.saturating_mul(doubled).min(MAX_BACKOFF)
}

/// The text of the mail. It contains no name: names are chosen by users, and the mail would carry
/// their text.
fn mail_text(link: Option<&str>, token: &str) -> String {
    let minutes = TOKEN_LIFETIME.as_secs() / 60;
    let how = match link {
        Some(link) => format!("open this link within {minutes} minutes:\r\n\r\n{}", link.replace("{token}", token)),
        None => format!("enter this code in your app within {minutes} minutes:\r\n\r\n{token}"),
    };
    format!(
        "Somebody requested a password reset for this e-mail address. To choose a new password,\r\n{how}\r\n\r\n\
         It works once. If you did not request this, ignore this mail: the password does not change.\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_its_maximum() {
        let seconds: Vec<u64> = [0, 1, 2, 7, 8, 16, 1_000_000, -1].map(|tries| backoff(tries).as_secs()).to_vec();
        assert_eq!(seconds, [5, 10, 20, 640, 900, 900, 900, 5]);
    }

    #[test]
    fn token_is_in_the_link_or_alone() {
        let linked = mail_text(Some("https://app.example/reset?token={token}"), "abc_-");
        assert!(linked.contains("\r\nhttps://app.example/reset?token=abc_-\r\n"), "{linked}");
        assert!(mail_text(None, "abc_-").contains("\r\nabc_-\r\n"));
        assert!(linked.is_ascii() && linked.lines().all(|line| line.len() <= 100), "{linked}");
    }
}
