//! What happens at a start before the database is opened: on PostgreSQL, waiting until it can be reached.

use std::time::Duration;

use tillgate_auth_core::{Clock, SystemClock};
use tillgate_persistence::Address;

use crate::command::Stop;
use crate::compose;
use crate::configuration::Settings;

/// The pause between two attempts to reach the database.
const PAUSE: Duration = Duration::from_secs(1);

/// Whether a start goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// The database can be reached.
    GoesOn,
    /// A signal stopped the wait.
    Stopped,
}

/// Waits until PostgreSQL can be reached, `database.start_wait` at most: after a power cut it may come up later than this server. SQLite
/// is a file and is not waited for.
///
/// # Errors
/// It could not be reached in that time.
pub(crate) fn wait_for_database(settings: &Settings) -> Result<Start, Stop> {
    if matches!(compose::address(settings)?, Address::Sqlite(_)) {
        return Ok(Start::GoesOn);
    }
    let clock = SystemClock;
    let last = clock.monotonic().saturating_add(settings.database.start_wait);
    actix_web::rt::System::new().block_on(async {
        let mut signals = Signals::listen()?;
        loop {
            let Err(error) = compose::has_database(settings) else { return Ok(Start::GoesOn) };
            let left = last.saturating_sub(clock.monotonic());
            if left.is_zero() {
                return Err(error);
            }
            tracing::warn!(%error, seconds_left = left.as_secs(), "the database cannot be reached yet: trying again");
            tokio::select! {
                () = actix_web::rt::time::sleep(PAUSE.min(left)) => (),
                () = signals.arrive() => {
                    tracing::info!("stopped while waiting for the database");
                    return Ok(Start::Stopped);
                }
            }
        }
    })
}

#[cfg(unix)]
struct Signals {
    term: tokio::signal::unix::Signal,
    int: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> Result<Self, Stop> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).map_err(Stop::failed);
        Ok(Self { term: listen(SignalKind::terminate())?, int: listen(SignalKind::interrupt())? })
    }

    async fn arrive(&mut self) {
        tokio::select! { _ = self.term.recv() => (), _ = self.int.recv() => () }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Result<Self, Stop> {
        Ok(Self)
    }

    async fn arrive(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
