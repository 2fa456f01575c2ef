//! Mails the tokens of resets: takes up who has asked, and keeps at it until the mail is on its way.
//!
//! It works beside the requests of clients, on a thread of its own: none of them waits for a mail server, and none can tell by its
//! time whether there was anybody to mail. What a crash interrupts is taken up again, by whichever process over the store comes first.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use tillgate_auth_core::Auth;
use tillgate_domain::office::ports::ResetRequest;
use tillgate_domain::office::{self, ResetDispatch, ResetGrant};
use tillgate_persistence::Database;

use super::Mailer;
use crate::command::CommandError;
use crate::configuration::Settings;

/// How often it looks for requests.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// How many mails it sends at a look.
const MAX_MAILS_PER_POLL: u32 = 20;

/// How long a token is good.
const TOKEN_LIFETIME: Duration = Duration::from_mins(30);

/// How long a request is left to whoever has taken it up.
const REQUEST_LEASE: Duration = Duration::from_mins(2);

/// The first wait after a mail that could not be sent; each doubles.
const MIN_BACKOFF: Duration = Duration::from_secs(5);

/// The longest wait.
const MAX_BACKOFF: Duration = Duration::from_mins(15);

/// How old a request may grow: nobody waits longer for such a mail.
const MAX_REQUEST_AGE: Duration = Duration::from_hours(24);

/// After how many looks tokens past their time are thrown away, and how many at once.
const SWEEP_INTERVAL_POLLS: u32 = 60;
const MAX_SWEPT_TOKENS: u32 = 500;

/// The thread that mails; it ends with this.
pub(crate) struct ResetMailThread {
    _stop: Sender<()>,
}

impl ResetMailThread {
    /// Starts to mail.
    pub(crate) fn start(settings: &Settings, database: &Arc<Database>, auth: &Arc<Auth>) -> Result<Self, CommandError> {
        let (stop, stopped) = channel::<()>();
        let worker = ResetMailWorker {
            mail: Mailer::from_settings(settings)?,
            link: settings.mail.reset_link.clone(),
            database: Arc::clone(database),
            auth: Arc::clone(auth),
        };
        let work = move || {
            let mut looks = 0_u32;
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(POLL_INTERVAL) {
                worker.poll_requests();
                looks = (looks + 1) % SWEEP_INTERVAL_POLLS;
                if looks == 0 {
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
        match office::select_pending_resets(&*self.database, self.auth.time().at, MAX_MAILS_PER_POLL) {
            Ok(pending) => {
                for request in pending {
                    if let Err(why) = self.process_request(&request) {
                        tracing::warn!(request = %request.id, why, "a request to reset a password is taken up again later");
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "requests to reset passwords cannot be read"),
        }
    }

    fn process_request(&self, request: &ResetRequest) -> Result<(), String> {
        let (store, said) = (&*self.database, |error: &dyn std::fmt::Display| error.to_string());
        let now = self.auth.time().at;
        if now.duration_since(request.requested_at) > MAX_REQUEST_AGE {
            tracing::error!(request = %request.id, "no mail could be sent for a day: a request to reset a password is given up");
            return office::complete_reset(store, request.id).map_err(|error| said(&error));
        }
        let (token, digest) = self.auth.generate_reset_token().map_err(|error| said(&error))?;
        let grant = ResetGrant {
            digest,
            expires_at: now.saturating_add(TOKEN_LIFETIME),
            retry_at: now.saturating_add(REQUEST_LEASE),
        };
        let stamp = self.auth.system_context(request.address).map_err(|error| said(&error))?;
        let to = match office::grant_reset(store, &stamp, request, &grant).map_err(|error| said(&error))? {
            ResetDispatch::Mail(to) => to,
            ResetDispatch::Discarded | ResetDispatch::AlreadyClaimed => return Ok(()),
        };
        let text = mail_text(self.link.as_deref(), token.expose());
        match self.mail.send(&request.id.to_string(), &to, "Reset your password", &text) {
            Ok(()) => office::complete_reset(store, request.id).map_err(|error| said(&error)),
            Err(unsent) if unsent.permanent => {
                tracing::warn!(request = %request.id, why = %unsent, "a mail is refused for good: a request to reset a password is given up");
                office::abandon_reset(store, request.id, &grant).map_err(|error| said(&error))
            }
            Err(unsent) => {
                let again = self.auth.time().at.saturating_add(backoff(request.tries));
                office::retry_reset(store, request.id, &grant, again).map_err(|error| said(&error))?;
                Err(unsent.to_string())
            }
        }
    }

    fn sweep_tokens(&self) {
        let Ok(now) = self.auth.sweep_cutoff() else { return };
        if let Err(error) = office::sweep_resets(&*self.database, now, MAX_SWEPT_TOKENS) {
            tracing::warn!(%error, "resets that have expired cannot be removed");
        }
    }
}

/// How long to wait after a request has been taken up so many times before.
fn backoff(tries: i64) -> Duration {
    let doubled = u32::try_from(tries.clamp(0, 16)).map_or(u32::MAX, |tries| 1 << tries);
    MIN_BACKOFF.saturating_mul(doubled).min(MAX_BACKOFF)
}

/// The mail. It greets nobody by name: a name is what somebody has typed.
fn mail_text(link: Option<&str>, token: &str) -> String {
    let minutes = TOKEN_LIFETIME.as_secs() / 60;
    let how = match link {
        Some(link) => format!("open this link within {minutes} minutes:\r\n\r\n{}", link.replace("{token}", token)),
        None => format!("give this code to your app within {minutes} minutes:\r\n\r\n{token}"),
    };
    format!(
        "Somebody asked to reset the password of this e-mail address. To choose another one,\r\n{how}\r\n\r\n\
         It works once. If it was not you, there is nothing to do: the password stays as it is.\r\n"
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
