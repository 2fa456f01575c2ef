//! Removes idempotency keys two days after their use, on a thread of its own. The engine's
//! maintenance sweeps only what belongs to authentication.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use tillgate_auth_core::Auth;
use tillgate_domain::{StoreError, office};
use tillgate_persistence::Database;

use crate::command::CommandError;

/// The interval between two sweeps.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// How long a key is kept. Clients may rely on one day; the second day covers a clock that is up to
/// a day ahead.
const KEY_RETENTION: Duration = Duration::from_hours(48);

/// The maximum number of keys that one unit of work removes.
const MAX_ROWS_PER_UNIT: u32 = 500;

/// The thread that sweeps. Dropping it ends the thread.
pub(crate) struct SweepingThread {
    _stop: Sender<()>,
}

impl SweepingThread {
    /// Starts the thread. It sweeps every minute, as soon as the engine allows sweeping.
    pub(crate) fn start(database: &Arc<Database>, auth: &Arc<Auth>) -> Result<Self, CommandError> {
        let (stop, stopped) = channel::<()>();
        let (database, auth) = (Arc::clone(database), Arc::clone(auth));
        let work = move || {
            loop {
                if auth.may_sweep()
                    && let Err(error) = sweep_keys(&database, &auth)
                {
                    tracing::warn!(%error, "idempotency keys cannot be removed; retrying later");
                }
                let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(SWEEP_INTERVAL) else { return };
            }
        };
        thread::Builder::new().name("tillgate-sweeper".to_owned()).spawn(work).map_err(CommandError::failed)?;
        Ok(Self { _stop: stop })
    }
}

/// Removes old keys and returns their number. The time is the engine's sweep cutoff; nothing is
/// removed while the clock is in doubt.
pub(crate) fn sweep_keys(database: &Database, auth: &Auth) -> Result<u32, StoreError> {
    let Ok(now) = auth.sweep_cutoff() else { return Ok(0) };
    let mut removed = 0;
    loop {
        let batch =
            office::unguarded::sweep_idempotency_keys(database, now.saturating_sub(KEY_RETENTION), MAX_ROWS_PER_UNIT)?;
        removed += batch;
        if batch < MAX_ROWS_PER_UNIT {
            return Ok(removed);
        }
    }
}
