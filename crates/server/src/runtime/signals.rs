//! The end: a signal lets requests under way finish, a second one does not.

use crate::command::CommandError;
use crate::listener::StopHandle;

/// From now on SIGTERM and SIGINT stop the servers.
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

/// From now on Ctrl-C stops the servers.
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
