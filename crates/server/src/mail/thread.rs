//! The thread that sends the mails, and removes expired tokens of mailed links.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use tillgate_auth_core::Auth;
use tillgate_domain::office;
use tillgate_persistence::Database;

use super::Mailer;
use super::links::LinkMailer;
use super::resets::ResetMailer;
use crate::command::CommandError;
use crate::configuration::Settings;

/// The interval between two searches for mails to send.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The number of searches between two sweeps of expired tokens.
const SWEEP_INTERVAL_POLLS: u32 = 60;

/// The maximum number of tokens that one sweep removes.
const MAX_SWEPT_TOKENS: u32 = 500;

/// The thread that sends the mails. Dropping it ends the thread.
pub(crate) struct MailThread {
    _stop: Sender<()>,
}

impl MailThread {
    /// Starts the thread.
    pub(crate) fn start(settings: &Settings, database: &Arc<Database>, auth: &Arc<Auth>) -> Result<Self, CommandError> {
        let (stop, stopped) = channel::<()>();
        let mailer = Arc::new(Mailer::from_settings(settings)?);
        let resets = ResetMailer::new(settings, &mailer, database, auth);
        let links = LinkMailer::from_settings(settings, &mailer, database, auth);
        let (database, auth) = (Arc::clone(database), Arc::clone(auth));
        let work = move || {
            let mut polls = 0_u32;
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(POLL_INTERVAL) {
                resets.poll_requests();
                if let Some(links) = &links {
                    links.poll_queue();
                }
                polls = (polls + 1) % SWEEP_INTERVAL_POLLS;
                if polls == 0 {
                    sweep_tokens(&database, &auth);
                }
            }
        };
        thread::Builder::new().name("tillgate-mail".to_owned()).spawn(work).map_err(CommandError::failed)?;
        Ok(Self { _stop: stop })
    }
}

fn sweep_tokens(database: &Database, auth: &Auth) {
    let Ok(now) = auth.sweep_cutoff() else { return };
    if let Err(error) = office::unguarded::sweep_resets(database, now, MAX_SWEPT_TOKENS) {
        tracing::warn!(%error, "expired password resets cannot be removed");
    }
    if let Err(error) = office::unguarded::sweep_invitations(database, now, MAX_SWEPT_TOKENS) {
        tracing::warn!(%error, "expired invitations cannot be removed");
    }
    if let Err(error) = office::unguarded::sweep_email_verifications(database, now, MAX_SWEPT_TOKENS) {
        tracing::warn!(%error, "expired verifications of e-mail addresses cannot be removed");
    }
}
