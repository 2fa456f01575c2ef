//! Checks before the database is opened: that the addresses are free and that PostgreSQL can be
//! reached.

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

/// Waits until PostgreSQL can be reached, at most `database.start_wait`: after a power failure it
/// may start later than this server. Does not wait for SQLite, which is a file.
///
/// # Errors
///
/// PostgreSQL could not be reached in time, or an error that no waiting can mend.
pub(crate) fn wait_for_database(settings: &Settings) -> Result<(), CommandError> {
    if matches!(composition::database_address(settings)?, Address::Sqlite(_)) {
        return Ok(());
    }
    let clock = SystemClock;
    let last = clock.monotonic().saturating_add(settings.database.start_wait);
    loop {
        let Err(error) = composition::has_database(settings) else { return Ok(()) };
        let left = last.saturating_sub(clock.monotonic());
        if left.is_zero() || matches!(error, CommandError::Usage(_)) {
            return Err(error);
        }
        tracing::warn!(%error, seconds_left = left.as_secs(), "the database cannot be reached yet; retrying");
        std::thread::sleep(RETRY_PAUSE.min(left));
    }
}

/// Refuses to start if another program uses one of the configured addresses, before anything is
/// created or changed.
pub(crate) fn check_addresses(settings: &Settings) -> Result<(), CommandError> {
    let operations = exposure::operations_address(settings).map(|listen| (ListenSetting::Operations, listen));
    for (setting, listen) in [(ListenSetting::Server, settings.server.listen)].into_iter().chain(operations) {
        std::net::TcpListener::bind(listen).map_err(|error| bind_error(setting, listen, &error))?;
    }
    Ok(())
}

/// A setting with an address on which the server listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListenSetting {
    /// The address of the APIs.
    Server,
    /// The address of probes and metrics.
    Operations,
}

impl ListenSetting {
    /// The key in the configuration.
    const fn key(self) -> &'static str {
        match self {
            Self::Server => "server.listen",
            Self::Operations => "operations.listen",
        }
    }
}

/// The error if an address cannot be used, with a fix.
pub(crate) fn bind_error(setting: ListenSetting, listen: SocketAddr, error: &io::Error) -> CommandError {
    let key = setting.key();
    let remedy = match (error.kind(), setting) {
        (io::ErrorKind::AddrInUse, ListenSetting::Server) => {
            let next = SocketAddr::new(listen.ip(), listen.port().wrapping_add(1));
            format!("another program uses the address; choose another one, such as --listen {next}")
        }
        (io::ErrorKind::AddrInUse, ListenSetting::Operations) => {
            format!("another program uses the address; set {key} to another one")
        }
        (io::ErrorKind::PermissionDenied, _) => {
            "ports below 1024 require a privilege (CAP_NET_BIND_SERVICE); choose another port".to_owned()
        }
        (io::ErrorKind::AddrNotAvailable, _) => {
            "this machine does not have the address; choose one of its own".to_owned()
        }
        _ => error.to_string(),
    };
    let why = format!("{key}: cannot listen on {listen}: {remedy}");
    // a server that is about to end may still use the address of the APIs, so a retry can help
    match setting {
        ListenSetting::Server => CommandError::failed(why),
        ListenSetting::Operations => CommandError::usage(why),
    }
}
