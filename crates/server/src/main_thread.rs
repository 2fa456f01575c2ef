//! The main thread of a server: receives the signals that stop it, SIGTERM and SIGINT, from the
//! beginning of the start. The start itself runs on another thread, because it waits for the
//! database: a statement may wait for a lock of another session for as long as that session lives.

use std::sync::{Arc, Mutex, PoisonError};

use actix_web::rt::{System, SystemRunner};

use crate::command::CommandError;

/// The runtime of the main thread, and the signals that it receives.
pub(crate) struct MainThread {
    /// Runs the listeners.
    pub(crate) runtime: SystemRunner,
    /// The signals since this was created.
    pub(crate) signals: StopSignals,
}

/// The result of a start.
pub(crate) enum StartOutcome<T> {
    /// The start is complete.
    Complete(T),
    /// A signal ended the start.
    Stopped,
}

impl MainThread {
    /// From now on, the signals do not end the process by themselves.
    pub(crate) fn new() -> Result<Self, CommandError> {
        let runtime = System::new();
        let signals = runtime.block_on(async { StopSignals::listen() })?;
        Ok(Self { runtime, signals })
    }

    /// Runs the start on a thread of its own until it is complete or a signal arrives. After a
    /// signal the thread is left as it is and ends with the process, as in a crash: the database
    /// rolls back what was not committed.
    pub(crate) fn run_start<T: Send + 'static>(
        &mut self,
        start: impl FnOnce(&StartStep) -> Result<T, CommandError> + Send + 'static,
    ) -> Result<StartOutcome<T>, CommandError> {
        let (report, reported) = tokio::sync::oneshot::channel();
        let step = StartStep::default();
        let current_step = step.clone();
        // after a signal, nobody receives the result
        let work = move || drop(report.send(start(&step)));
        std::thread::Builder::new().name("tillgate-start".to_owned()).spawn(work).map_err(CommandError::failed)?;
        let signals = &mut self.signals;
        self.runtime.block_on(async move {
            tokio::select! {
                // a signal that arrives with the result stops the complete server in good order
                biased;
                result = reported => match result {
                    Ok(result) => result.map(StartOutcome::Complete),
                    Err(_) => Err(CommandError::failed("the thread of the start panicked")),
                },
                signal = signals.receive() => {
                    tracing::warn!(signal, step = current_step.name(), "stopped before the start was complete");
                    Ok(StartOutcome::Stopped)
                }
            }
        })
    }
}

/// The current step of a start, for the log if a signal ends the start.
#[derive(Clone, Default)]
pub(crate) struct StartStep(Arc<Mutex<&'static str>>);

impl StartStep {
    /// Sets the step that begins now.
    pub(crate) fn begin(&self, name: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = name;
    }

    fn name(&self) -> &'static str {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The signals that stop a server.
#[cfg(unix)]
pub(crate) struct StopSignals {
    term: tokio::signal::unix::Signal,
    int: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl StopSignals {
    /// Listens on the current runtime.
    fn listen() -> Result<Self, CommandError> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).map_err(CommandError::failed);
        Ok(Self { term: listen(SignalKind::terminate())?, int: listen(SignalKind::interrupt())? })
    }

    /// Waits for the next signal and returns its name.
    pub(crate) async fn receive(&mut self) -> &'static str {
        tokio::select! { _ = self.term.recv() => "SIGTERM", _ = self.int.recv() => "SIGINT" }
    }
}

/// Ctrl-C, which stops a server.
#[cfg(not(unix))]
pub(crate) struct StopSignals;

#[cfg(not(unix))]
impl StopSignals {
    fn listen() -> Result<Self, CommandError> {
        Ok(Self)
    }

    /// Waits for the next Ctrl-C.
    pub(crate) async fn receive(&mut self) -> &'static str {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        "Ctrl-C"
    }
}
