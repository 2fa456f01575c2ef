//! The thread that sends the mails.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tillgate_auth_core::Auth;
use tillgate_persistence::Database;
use tokio::sync::oneshot;

use super::links::LinkMailer;
use super::resets::ResetMailer;
use super::stop::{MailStop, UnsentMail};
use super::{Mailer, SmtpTimeouts};
use crate::command::CommandError;
use crate::configuration::Settings;

/// The interval between two searches for mails to send.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The thread that sends the mails. Dropping it ends the thread after the mail in progress.
pub(crate) struct MailThread {
    stop: MailStop,
    /// The thread has ended.
    ended: oneshot::Receiver<()>,
}

impl MailThread {
    /// Starts the thread.
    pub(crate) fn start(settings: &Settings, database: &Arc<Database>, auth: &Arc<Auth>) -> Result<Self, CommandError> {
        let mailer = Arc::new(Mailer::from_settings(settings, SmtpTimeouts::BACKGROUND)?);
        let resets = ResetMailer::new(settings, &mailer, database, auth);
        let links = LinkMailer::from_settings(settings, &mailer, database, auth);
        Self::run(move |stop| {
            while !stop.wait(POLL_INTERVAL) {
                resets.poll_requests(stop);
                if let Some(links) = &links {
                    links.poll_queue(stop);
                }
            }
        })
    }

    fn run(work: impl FnOnce(&MailStop) + Send + 'static) -> Result<Self, CommandError> {
        let (alive, ended) = oneshot::channel();
        let stop = MailStop::default();
        let thread_stop = stop.clone();
        let work = move || {
            work(&thread_stop);
            drop::<oneshot::Sender<()>>(alive);
        };
        thread::Builder::new().name("tillgate-mail".to_owned()).spawn(work).map_err(CommandError::failed)?;
        Ok(Self { stop, ended })
    }

    /// A handle that stops the sending.
    pub(crate) fn stop_handle(&self) -> MailStop {
        self.stop.clone()
    }

    /// Stops the sending, unless it was stopped, and waits for the mail in progress until the grace
    /// period since the stop is over. Returns that mail if nothing of it was sent.
    pub(crate) async fn wait_until_stopped(mut self, grace: Duration) -> Option<UnsentMail> {
        let stop = self.stop.clone();
        stop.stop(true);
        tokio::select! {
            biased;
            _ = &mut self.ended => {}
            () = stop.wait_until_hastened() => {}
            () = tokio::time::sleep(stop.remaining_grace(grace)) => {}
        }
        stop.end()
    }
}

impl Drop for MailThread {
    fn drop(&mut self) {
        self.stop.stop(true);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A thread with a mail in progress. It goes on when it receives something, asks whether the
    /// mail may be sent if `late` is set, and reports that.
    struct BusyThread {
        thread: MailThread,
        resume: Sender<()>,
        may_send: Receiver<bool>,
        released: Receiver<()>,
    }

    impl BusyThread {
        fn start(late: bool) -> Self {
            let (resume, resumed) = channel::<()>();
            let (report, may_send) = channel();
            let (release, released) = channel();
            let (ready, is_ready) = channel();
            let thread = MailThread::run(move |stop| {
                let attempt = stop.begin(Box::new(move || {
                    release.send(()).unwrap();
                    Ok(())
                }));
                let early = (!late).then(|| attempt.may_send());
                ready.send(()).unwrap();
                let _ = resumed.recv();
                let _ = report.send(early.unwrap_or_else(|| attempt.may_send()));
            })
            .unwrap();
            is_ready.recv().unwrap();
            Self { thread, resume, may_send, released }
        }
    }

    const LONG: Duration = Duration::from_hours(1);

    #[actix_web::test]
    async fn mail_in_progress_is_waited_for_within_the_grace_period() {
        for late in [false, true] {
            let BusyThread { thread, resume, may_send, released } = BusyThread::start(late);
            let stop = thread.stop_handle();
            let helper = std::thread::spawn(move || {
                while !stop.is_stopping() {
                    std::thread::yield_now();
                }
                drop(resume);
            });
            assert!(thread.wait_until_stopped(LONG).await.is_none());
            helper.join().unwrap();
            assert_eq!(may_send.recv(), Ok(true));
            assert!(released.recv().is_err(), "it is not due again");
        }
    }

    #[actix_web::test]
    async fn mail_that_was_not_sent_within_the_grace_period_is_due_again() {
        let BusyThread { thread, resume, may_send, released } = BusyThread::start(true);
        let unsent = thread.wait_until_stopped(Duration::ZERO).await.unwrap();
        unsent().unwrap();
        assert_eq!(released.recv(), Ok(()));
        drop(resume);
        assert_eq!(may_send.recv(), Ok(false), "nothing is sent any more");
    }

    #[actix_web::test]
    async fn hastened_stop_does_not_wait_for_a_reply_and_keeps_the_mail_reserved() {
        let BusyThread { thread, resume, .. } = BusyThread::start(false);
        thread.stop_handle().stop(false);
        assert!(thread.wait_until_stopped(LONG).await.is_none());
        drop(resume);
    }

    #[test]
    fn wait_ends_with_the_stop() {
        let stop = MailStop::default();
        assert!(!stop.wait(Duration::ZERO) && !stop.is_stopping());
        stop.stop(true);
        assert!(stop.wait(LONG) && stop.is_stopping());
        assert!(stop.remaining_grace(LONG) <= LONG);
    }
}
