//! Removes obsolete data of the back office on a thread of its own: idempotency keys two days after
//! their use, one-time tokens that have expired, enrollments of devices a day after, keys of
//! machines that wait five minutes after, and mails whose token has expired before they could be
//! sent. The engine's maintenance sweeps only what
//! belongs to authentication.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use tillgate_auth_core::Auth;
use tillgate_domain::{StoreError, StoreResult, office};
use tillgate_persistence::Database;

use crate::command::CommandError;

/// The interval between two sweeps.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// How long an idempotency key is kept. Clients may rely on one day; the second day covers a clock
/// that is up to a day ahead.
const KEY_RETENTION: Duration = Duration::from_hours(48);

/// How long the enrollment of a device is kept after its code has expired: a repeated use of the
/// code is recognized, and the back office sees what became of it.
const ENROLLMENT_RETENTION: Duration = Duration::from_hours(24);

/// How long the key of a machine is kept after it has expired. Until then, its code is answered as
/// expired and not as unknown. A machine that was enrolled can poll again before it expires.
const PENDING_KEY_RETENTION: Duration = Duration::from_mins(5);

/// The maximum number of rows that one unit of work removes.
const MAX_ROWS_PER_UNIT: u32 = 500;

/// The numbers of rows that a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OfficeSweepCounts {
    /// Idempotency keys that are too old to be sent again.
    pub(crate) idempotency_keys: u32,
    /// Password resets whose token has expired.
    pub(crate) resets: u32,
    /// Invitations that have expired.
    pub(crate) invitations: u32,
    /// Enrollments of devices whose codes expired more than a day ago.
    pub(crate) enrollments: u32,
    /// Keys of machines that waited, and have expired.
    pub(crate) pending_keys: u32,
    /// Verifications of e-mail addresses that have expired.
    pub(crate) email_verifications: u32,
    /// Mails that were not sent before their token expired.
    pub(crate) queued_mails: u32,
}

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
                if auth.may_sweep() {
                    sweep_and_log(&database, &auth);
                }
                let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(SWEEP_INTERVAL) else { return };
            }
        };
        thread::Builder::new().name("tillgate-sweeper".to_owned()).spawn(work).map_err(CommandError::failed)?;
        Ok(Self { _stop: stop })
    }
}

fn sweep_and_log(database: &Database, auth: &Auth) {
    match sweep_office(database, auth) {
        Ok(removed) => {
            if removed != OfficeSweepCounts::default() {
                tracing::debug!(?removed, "obsolete data of the back office was removed");
            }
            if removed.queued_mails > 0 {
                let mails = removed.queued_mails;
                tracing::warn!(mails, "mails with links were not sent before the links expired; see tillgate doctor");
            }
        }
        Err(error) => tracing::warn!(%error, "obsolete data of the back office cannot be removed; retrying later"),
    }
}

/// Removes obsolete data and returns the numbers of rows. The time is the engine's sweep cutoff;
/// nothing is removed while the clock is in doubt.
pub(crate) fn sweep_office(database: &Database, auth: &Auth) -> Result<OfficeSweepCounts, StoreError> {
    let Ok(now) = auth.sweep_cutoff() else { return Ok(OfficeSweepCounts::default()) };
    let key_cutoff = now.saturating_sub(KEY_RETENTION);
    let enrollment_cutoff = now.saturating_sub(ENROLLMENT_RETENTION);
    let pending_cutoff = now.saturating_sub(PENDING_KEY_RETENTION);
    Ok(OfficeSweepCounts {
        idempotency_keys: sweep_all(|limit| office::unguarded::sweep_idempotency_keys(database, key_cutoff, limit))?,
        resets: sweep_all(|limit| office::unguarded::sweep_resets(database, now, limit))?,
        invitations: sweep_all(|limit| office::unguarded::sweep_invitations(database, now, limit))?,
        enrollments: sweep_all(|limit| office::unguarded::sweep_enrollments(database, enrollment_cutoff, limit))?,
        pending_keys: sweep_all(|limit| office::unguarded::sweep_pending_keys(database, pending_cutoff, limit))?,
        email_verifications: sweep_all(|limit| office::unguarded::sweep_email_verifications(database, now, limit))?,
        queued_mails: sweep_all(|limit| office::unguarded::sweep_mails(database, now, limit))?,
    })
}

/// Removes rows in small units of work until none are left, and returns their number.
fn sweep_all(mut sweep: impl FnMut(u32) -> StoreResult<u32>) -> StoreResult<u32> {
    let mut removed = 0;
    loop {
        let batch = sweep(MAX_ROWS_PER_UNIT)?;
        removed += batch;
        if batch < MAX_ROWS_PER_UNIT {
            return Ok(removed);
        }
    }
}
