//! The last writes of a server that has stopped serving. They run on a thread of their own, so that
//! a database that does not answer delays the end of the process by a limited time only.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use tillgate_auth_core::{Clock, SystemClock};

use crate::command::CommandError;

/// How long the last writes may take together. With the shutdown grace period of 10 seconds, the
/// process ends before a service manager that waits for 20 seconds kills it.
pub(super) const FINAL_WRITES_TIMEOUT: Duration = Duration::from_secs(5);

/// One of the last writes.
pub(super) struct FinalWrite {
    /// What is not written if it fails, for the log.
    what: &'static str,
    run: Box<dyn FnOnce() -> Result<(), CommandError> + Send>,
}

impl FinalWrite {
    pub(super) fn new(what: &'static str, run: impl FnOnce() -> Result<(), CommandError> + Send + 'static) -> Self {
        Self { what, run: Box::new(run) }
    }
}

/// Runs the writes in this order, and waits for them at most this long. The log says which of them
/// were not done.
///
/// # Errors
///
/// That of the first write that fails, or that the time was not enough.
pub(super) fn run_final_writes(writes: Vec<FinalWrite>, timeout: Duration) -> Result<(), CommandError> {
    let names: Vec<&'static str> = writes.iter().map(|write| write.what).collect();
    let (report, reports) = channel();
    let work = move || {
        for write in writes {
            // after the time is over, nobody receives the outcome and nothing more is written
            if report.send((write.run)()).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("tillgate-shutdown".to_owned()).spawn(work).map_err(CommandError::failed)?;
    wait_for_writes(&names, &reports, timeout)
}

fn wait_for_writes(
    names: &[&'static str],
    reports: &Receiver<Result<(), CommandError>>,
    timeout: Duration,
) -> Result<(), CommandError> {
    let until = SystemClock.monotonic().saturating_add(timeout);
    let mut outcome = Ok(());
    let mut unwritten = names.iter();
    while let Some(name) = unwritten.as_slice().first() {
        match reports.recv_timeout(until.saturating_sub(SystemClock.monotonic())) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, unwritten = name, "the process ends without one of its last writes");
                outcome = outcome.and(Err(error));
            }
            Err(error) => {
                let cause = match error {
                    RecvTimeoutError::Timeout => format!("the last writes did not finish within {timeout:?}"),
                    RecvTimeoutError::Disconnected => "the thread of the last writes panicked".to_owned(),
                };
                let unwritten = unwritten.as_slice().join("; ");
                tracing::error!(cause, unwritten, "the process ends without its last writes");
                return outcome.and(Err(CommandError::failed(cause)));
            }
        }
        unwritten.next();
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_run_in_order_and_the_first_error_is_returned() {
        let (done, order) = channel();
        let write = |name: &'static str, outcome: Result<(), &'static str>| {
            let done = done.clone();
            FinalWrite::new(name, move || {
                done.send(name).unwrap();
                outcome.map_err(CommandError::failed)
            })
        };
        let writes = vec![write("one", Ok(())), write("two", Err("is full")), write("three", Err("is away"))];
        let outcome = run_final_writes(writes, Duration::from_mins(1));
        assert_eq!(outcome.unwrap_err().to_string(), "is full");
        assert_eq!(order.try_iter().collect::<Vec<_>>(), ["one", "two", "three"]);
    }

    #[test]
    fn write_that_hangs_is_left_and_the_next_one_is_not_started() {
        let (resume, resumed) = channel::<()>();
        let (started, has_started) = channel::<()>();
        let hang = FinalWrite::new("one", move || {
            let _ = resumed.recv();
            Ok(())
        });
        let next = FinalWrite::new("two", move || {
            let _ = started.send(());
            Ok(())
        });
        let outcome = run_final_writes(vec![hang, next], Duration::from_millis(50));
        assert_eq!(outcome.unwrap_err().to_string(), "the last writes did not finish within 50ms");
        drop(resume);
        assert!(has_started.recv().is_err(), "it is dropped and has not run");
    }
}
