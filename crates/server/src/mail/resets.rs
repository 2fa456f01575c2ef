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
use tillgate_domain::office::{self, Grant, Taken};
use tillgate_persistence::Database;

use super::Mail;
use crate::command::Stop;
use crate::configuration::Settings;

/// How often it looks for requests.
const LOOK: Duration = Duration::from_secs(1);

/// How many mails it sends at a look.
const PART: u32 = 20;

/// How long a token is good.
const GOOD: Duration = Duration::from_mins(30);

/// How long a request is left to whoever has taken it up.
const LEASE: Duration = Duration::from_mins(2);

/// The first wait after a mail that could not be sent; each doubles.
const FIRST_WAIT: Duration = Duration::from_secs(5);

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_mins(15);

/// How old a request may grow: nobody waits longer for such a mail.
const GIVEN_UP: Duration = Duration::from_hours(24);

/// After how many looks tokens past their time are thrown away, and how many at once.
const SWEEP: u32 = 60;
const SWEPT: u32 = 500;

/// The thread that mails; it ends with this.
pub(crate) struct Resets {
    _stop: Sender<()>,
}

impl Resets {
    /// Starts to mail.
    pub(crate) fn start(settings: &Settings, database: &Arc<Database>, auth: &Arc<Auth>) -> Result<Self, Stop> {
        let (stop, stopped) = channel::<()>();
        let worker = Worker {
            mail: Mail::of(settings)?,
            link: settings.mail.reset_link.clone(),
            database: Arc::clone(database),
            auth: Arc::clone(auth),
        };
        let work = move || {
            let mut looks = 0_u32;
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(LOOK) {
                worker.look();
                looks = (looks + 1) % SWEEP;
                if looks == 0 {
                    worker.sweep();
                }
            }
        };
        thread::Builder::new().name("tillgate-mail".to_owned()).spawn(work).map_err(Stop::failed)?;
        Ok(Self { _stop: stop })
    }
}

struct Worker {
    mail: Mail,
    link: Option<String>,
    database: Arc<Database>,
    auth: Arc<Auth>,
}

impl Worker {
    fn look(&self) {
        match office::pending_resets(&*self.database, self.auth.time().at, PART) {
            Ok(pending) => {
                for request in pending {
                    if let Err(why) = self.take_up(&request) {
                        tracing::warn!(request = %request.id, why, "a request to reset a password is taken up again later");
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "requests to reset passwords cannot be read"),
        }
    }

    fn take_up(&self, request: &ResetRequest) -> Result<(), String> {
        let (store, said) = (&*self.database, |error: &dyn std::fmt::Display| error.to_string());
        let now = self.auth.time().at;
        if now.since(request.asked_at) > GIVEN_UP {
            tracing::error!(request = %request.id, "no mail could be sent for a day: a request to reset a password is given up");
            return office::settle_reset(store, request.id).map_err(|error| said(&error));
        }
        let (token, digest) = self.auth.draw_reset().map_err(|error| said(&error))?;
        let grant = Grant { digest, expires_at: now.after(GOOD), again_at: now.after(LEASE) };
        let stamp = self.auth.own_stamp(request.address).map_err(|error| said(&error))?;
        let to = match office::grant_reset(store, &stamp, request, &grant).map_err(|error| said(&error))? {
            Taken::Mail(to) => to,
            Taken::Nobody | Taken::Lost => return Ok(()),
        };
        let text = text(self.link.as_deref(), token.expose());
        match self.mail.send(&request.id.to_string(), &to, "Reset your password", &text) {
            Ok(()) => office::settle_reset(store, request.id).map_err(|error| said(&error)),
            Err(unsent) if unsent.permanent => {
                tracing::warn!(request = %request.id, why = %unsent, "a mail is refused for good: a request to reset a password is given up");
                office::abandon_reset(store, request.id, &grant).map_err(|error| said(&error))
            }
            Err(unsent) => {
                let again = self.auth.time().at.after(wait(request.tries));
                office::retry_reset(store, request.id, &grant, again).map_err(|error| said(&error))?;
                Err(unsent.to_string())
            }
        }
    }

    fn sweep(&self) {
        let Ok(now) = self.auth.sweep_instant() else { return };
        if let Err(error) = office::sweep_resets(&*self.database, now, SWEPT) {
            tracing::warn!(%error, "resets that have expired cannot be removed");
        }
    }
}

/// How long to wait after a request has been taken up so many times before.
fn wait(tries: i64) -> Duration {
    let doubled = u32::try_from(tries.clamp(0, 16)).map_or(u32::MAX, |tries| 1 << tries);
    FIRST_WAIT.saturating_mul(doubled).min(LONGEST_WAIT)
}

/// The mail. It greets nobody by name: a name is what somebody has typed.
fn text(link: Option<&str>, token: &str) -> String {
    let minutes = GOOD.as_secs() / 60;
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
    fn waits_double_up_to_the_longest() {
        let seconds: Vec<u64> = [0, 1, 2, 7, 8, 16, 1_000_000, -1].map(|tries| wait(tries).as_secs()).to_vec();
        assert_eq!(seconds, [5, 10, 20, 640, 900, 900, 900, 5]);
    }

    #[test]
    fn the_token_stands_in_the_link_or_alone() {
        let linked = text(Some("https://app.example/reset?token={token}"), "abc_-");
        assert!(linked.contains("\r\nhttps://app.example/reset?token=abc_-\r\n"), "{linked}");
        assert!(text(None, "abc_-").contains("\r\nabc_-\r\n"));
        assert!(linked.is_ascii() && linked.lines().all(|line| line.len() <= 100), "{linked}");
    }
}
