//! Stops the sending of mails in order: no further mail is begun, and the mail in progress has the
//! shutdown grace period. After that, a mail of which nothing was sent is due again.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tillgate_auth_core::{Clock, SystemClock};
use tillgate_domain::StoreResult;
use tokio::sync::Notify;

/// Makes a mail that was claimed and not sent due again.
pub(crate) type UnsentMail = Box<dyn FnOnce() -> StoreResult<()> + Send>;

/// The mail in progress.
#[derive(Default)]
enum Progress {
    #[default]
    None,
    /// A mail is claimed, and the mail server cannot have accepted it.
    Claimed(UnsentMail),
    /// The mail server may accept the mail.
    Sent,
}

#[derive(Default)]
struct SendingState {
    /// When the stop began, by the monotonic clock.
    stopped_at: Option<Duration>,
    /// Nothing may be sent any more.
    is_over: bool,
    progress: Progress,
}

#[derive(Default)]
struct StopSignal {
    state: Mutex<SendingState>,
    /// The stop has begun.
    stopped: Condvar,
    /// The stop does not wait any more.
    hastened: Notify,
}

/// A handle that stops the sending of mails.
#[derive(Clone, Default)]
pub(crate) struct MailStop(Arc<StopSignal>);

impl MailStop {
    /// Stops the sending: with `graceful`, the mail in progress has the shutdown grace period. A
    /// second call can only speed up the stop.
    pub(crate) fn stop(&self, graceful: bool) {
        self.lock().stopped_at.get_or_insert_with(|| SystemClock.monotonic());
        self.0.stopped.notify_all();
        if !graceful {
            self.0.hastened.notify_one();
        }
    }

    /// Whether no further mail may be begun.
    pub(super) fn is_stopping(&self) -> bool {
        self.lock().stopped_at.is_some()
    }

    /// Waits for this interval, or until the stop begins. Returns whether it has begun.
    pub(super) fn wait(&self, interval: Duration) -> bool {
        let (state, _) = self
            .0
            .stopped
            .wait_timeout_while(self.lock(), interval, |state| state.stopped_at.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        state.stopped_at.is_some()
    }

    /// Begins a mail that was claimed; `unsent` makes it due again.
    pub(super) fn begin(&self, unsent: UnsentMail) -> MailAttempt {
        self.lock().progress = Progress::Claimed(unsent);
        MailAttempt(self.clone())
    }

    /// How much of the grace period is left; it begins with the stop.
    pub(super) fn remaining_grace(&self, grace: Duration) -> Duration {
        let now = SystemClock.monotonic();
        let stopped_at = self.lock().stopped_at.unwrap_or(now);
        grace.saturating_sub(now.saturating_sub(stopped_at))
    }

    /// Waits until a stop that is not graceful is requested.
    pub(super) async fn wait_until_hastened(&self) {
        self.0.hastened.notified().await;
    }

    /// Ends the sending: from now on, nothing is sent. Returns the mail in progress if nothing of
    /// it was sent.
    pub(super) fn end(&self) -> Option<UnsentMail> {
        let mut state = self.lock();
        state.is_over = true;
        match std::mem::take(&mut state.progress) {
            Progress::Claimed(unsent) => {
                tracing::info!("the server stops before a mail in progress was sent: it is due again");
                Some(unsent)
            }
            Progress::Sent => {
                tracing::warn!(
                    "the server stops before the mail server has replied to a mail: it is sent again later, and may \
                     arrive twice"
                );
                None
            }
            Progress::None => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, SendingState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A mail in progress, until it is dropped.
pub(super) struct MailAttempt(MailStop);

impl MailAttempt {
    /// Whether the mail may be sent. From then on, the mail server may have accepted it.
    pub(super) fn may_send(&self) -> bool {
        let mut state = self.0.lock();
        if !state.is_over {
            state.progress = Progress::Sent;
        }
        !state.is_over
    }
}

impl Drop for MailAttempt {
    fn drop(&mut self) {
        self.0.lock().progress = Progress::None;
    }
}
