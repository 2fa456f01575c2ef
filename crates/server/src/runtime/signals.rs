//! Shutdown by signals: the first one waits for requests in progress, a second one does not.

use crate::command::CommandError;
use crate::listener::StopHandle;

/// Stops the listeners on SIGTERM and SIGINT.
#[cfg(unix)]
pub(super) fn stop_on_signal(handles: Vec<StopHandle>) -> Result<(), CommandError> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate()).map_err(CommandError::failed)?;
    let mut int = signal(SignalKind::interrupt()).map_err(CommandError::failed)?;
    actix_web::rt::spawn(async move {
        let mut graceful = true;
        loop {
            let name = tokio::select! { _ = term.recv() => "SIGTERM", _ = int.recv() => "SIGINT" };
            tracing::info!(signal = name, graceful, "stopping");
            stop(&handles, graceful);
            graceful = false;
        }
    });
    Ok(())
}

/// Stops the listeners on Ctrl-C.
#[cfg(not(unix))]
pub(super) fn stop_on_signal(handles: Vec<StopHandle>) -> Result<(), CommandError> {
    actix_web::rt::spawn(async move {
        let mut graceful = true;
        while tokio::signal::ctrl_c().await.is_ok() {
            stop(&handles, graceful);
            graceful = false;
        }
    });
    Ok(())
}

fn stop(handles: &[StopHandle], graceful: bool) {
    for handle in handles {
        handle.stop(graceful);
    }
}
