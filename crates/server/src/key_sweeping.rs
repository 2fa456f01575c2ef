//! Forgets idempotency keys two days after they were used, on a thread of its own. What authentication needs no more is swept by the
//! engine's own chores, which know nothing of the back office.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use tillgate_auth_core::Auth;
use tillgate_domain::{StoreError, office};
use tillgate_persistence::Database;

use crate::command::CommandError;

/// How often it looks.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// How long a key is kept: a client that asks again a day later is still known. It is a day more than is promised, since what is
/// removed may be judged by a clock that is up to a day ahead.
const KEY_RETENTION: Duration = Duration::from_hours(48);

/// How many one unit of work removes.
const MAX_ROWS_PER_UNIT: u32 = 500;

/// The thread that sweeps; it ends with this.
pub(crate) struct SweepingThread {
    _stop: Sender<()>,
}

impl SweepingThread {
    /// Starts to sweep every minute, as soon as the engine does.
    pub(crate) fn start(database: &Arc<Database>, auth: &Arc<Auth>) -> Result<Self, CommandError> {
        let (stop, stopped) = channel::<()>();
        let (database, auth) = (Arc::clone(database), Arc::clone(auth));
        let work = move || {
            loop {
                if auth.may_sweep()
                    && let Err(error) = sweep_keys(&database, &auth)
                {
                    tracing::warn!(%error, "idempotency keys cannot be removed; it is tried again");
                }
                let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(SWEEP_INTERVAL) else { return };
            }
        };
        thread::Builder::new().name("tillgate-sweeper".to_owned()).spawn(work).map_err(CommandError::failed)?;
        Ok(Self { _stop: stop })
    }
}

/// Removes what is old by the instant that the engine sweeps by, and says how much; nothing while nobody knows the time.
pub(crate) fn sweep_keys(database: &Database, auth: &Auth) -> Result<u32, StoreError> {
    let Ok(now) = auth.sweep_cutoff() else { return Ok(0) };
    let mut removed = 0;
    loop {
        let part = office::sweep_idempotency_keys(database, now.saturating_sub(KEY_RETENTION), MAX_ROWS_PER_UNIT)?;
        removed += part;
        if part < MAX_ROWS_PER_UNIT {
            return Ok(removed);
        }
    }
}
