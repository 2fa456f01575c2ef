//! The thread that sends the mails.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use tillgate_auth_core::Auth;
use tillgate_persistence::Database;

use super::Mailer;
use super::links::LinkMailer;
use super::resets::ResetMailer;
use crate::command::CommandError;
use crate::configuration::Settings;

/// The interval between two searches for mails to send.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

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
        let work = move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(POLL_INTERVAL) {
                resets.poll_requests();
                if let Some(links) = &links {
                    links.poll_queue();
                }
            }
        };
        thread::Builder::new().name("tillgate-mail".to_owned()).spawn(work).map_err(CommandError::failed)?;
        Ok(Self { _stop: stop })
    }
}
