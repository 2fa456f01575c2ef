//! What happens at a start before the database is opened: are the addresses free, and on PostgreSQL, can it be reached?

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tillgate_auth_core::{Clock, SystemClock};
use tillgate_persistence::Address;

use crate::command::CommandError;
use crate::configuration::Settings;
use crate::{composition, exposure};

/// The pause between two attempts to reach the database.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Whether a start goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitOutcome {
    /// The database can be reached.
    Connected,
    /// A signal stopped the wait.
    Stopped,
}

/// Waits until PostgreSQL can be reached, `database.start_wait` at most: after a power cut it may come up later than this server. SQLite
/// is a file and is not waited for.
///
/// # Errors
/// It could not be reached in that time.
pub(crate) fn wait_for_database(settings: &Settings) -> Result<WaitOutcome, CommandError> {
    if matches!(composition::database_address(settings)?, Address::Sqlite(_)) {
        return Ok(WaitOutcome::Connected);
    }
    let clock = SystemClock;
    let last = clock.monotonic().saturating_add(settings.database.start_wait);
    actix_web::rt::System::new().block_on(async {
        let mut signals = StopSignals::listen()?;
        loop {
            let Err(error) = composition::has_database(settings) else { return Ok(WaitOutcome::Connected) };
            let left = last.saturating_sub(clock.monotonic());
            if left.is_zero() {
                return Err(error);
            }
            tracing::warn!(%error, seconds_left = left.as_secs(), "the database cannot be reached yet: trying again");
            tokio::select! {
                () = actix_web::rt::time::sleep(RETRY_PAUSE.min(left)) => (),
                () = signals.wait() => {
                    tracing::info!("stopped while waiting for the database");
                    return Ok(WaitOutcome::Stopped);
                }
            }
        }
    })
}

/// Refuses to start where another program listens on an address of the settings, before anything is made or changed.
pub(crate) fn check_addresses(settings: &Settings) -> Result<(), CommandError> {
    let operations = exposure::operations_address(settings).map(|listen| ("operations.listen", listen));
    for (key, listen) in [("server.listen", settings.server.listen)].into_iter().chain(operations) {
        std::net::TcpListener::bind(listen).map_err(|error| bind_error(key, listen, &error))?;
    }
    Ok(())
}

/// Why an address cannot be listened on, and what to do.
pub(crate) fn bind_error(key: &str, listen: SocketAddr, error: &io::Error) -> CommandError {
    let mend = match error.kind() {
        io::ErrorKind::AddrInUse if key == "server.listen" => {
            let next = SocketAddr::new(listen.ip(), listen.port().wrapping_add(1));
            format!("another program listens there; choose with --listen {next}")
        }
        io::ErrorKind::AddrInUse => format!("another program listens there; set {key} to another"),
        io::ErrorKind::PermissionDenied => "ports below 1024 need a right: choose another".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        _ => error.to_string(),
    };
    let why = format!("{key}: cannot listen on {listen}: {mend}");
    // the address of the APIs may be held by a server that is about to end: worth another try
    if key == "server.listen" { CommandError::failed(why) } else { CommandError::usage(why) }
}

#[cfg(unix)]
struct StopSignals {
    term: tokio::signal::unix::Signal,
    int: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl StopSignals {
    fn listen() -> Result<Self, CommandError> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).map_err(CommandError::failed);
        Ok(Self { term: listen(SignalKind::terminate())?, int: listen(SignalKind::interrupt())? })
    }

    async fn wait(&mut self) {
        tokio::select! { _ = self.term.recv() => (), _ = self.int.recv() => () }
    }
}

#[cfg(not(unix))]
struct StopSignals;

#[cfg(not(unix))]
impl StopSignals {
    fn listen() -> Result<Self, CommandError> {
        Ok(Self)
    }

    async fn wait(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
