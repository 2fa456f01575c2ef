//! Shutdown by signals: the first one waits for requests in progress, a second one does not.

use crate::listener::StopHandle;
use crate::mail::MailStop;
use crate::main_thread::StopSignals;

/// Stops the listeners and the sending of mails on each signal.
pub(super) fn stop_on_signal(mut signals: StopSignals, handles: Vec<StopHandle>, mailing: MailStop) {
    actix_web::rt::spawn(async move {
        let mut graceful = true;
        loop {
            let name = signals.receive().await;
            tracing::info!(signal = name, graceful, "stopping");
            for handle in &handles {
                handle.stop(graceful);
            }
            mailing.stop(graceful);
            graceful = false;
        }
    });
}
