//! Seals audit events within a second after their commit, and keeps the newest seal in a file
//! outside the database. How events are sealed and verified is in `domain`.
//!
//! Events are sealed after the commit, in the order in which they are found. An event without a
//! seal is in a partial index until it has one, so a late commit is never skipped, and a stuck
//! transaction does not block the chain, as it would if the chain followed transaction numbers. The
//! seal covers the bytes of the columns, read as bytes, so that an event that is no longer valid
//! text can still be identified.
//!
//! The sealer runs on a thread of its own, in small batches with a pause between them, so that a
//! backlog delays neither requests nor the shutdown. Several processes over one database do the
//! same; the database lets one of them seal at a time. The seal file is replaced only if the chain
//! still contains the seal in it. Otherwise the chain was cut or rewritten: an error is logged and
//! the file stays as evidence. A missing file is reported and never created here: an attacker who
//! removes it may also have cut the chain, or removed all seals from the database.

mod failure;
mod seal_file;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tillgate_auth_core::Auth;
use tillgate_domain::audit::seal::Seal;
use tillgate_domain::office;
use tillgate_persistence::Database;

use failure::SealingFailure;
pub(crate) use seal_file::{SealFile, StoredSeal, read_instance_id};

use crate::command::CommandError;
use crate::configuration::Settings;

/// The interval between two searches for events without a seal.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The pause between two batches of a backlog, during which requests can use the database.
const BATCH_PAUSE: Duration = Duration::from_millis(10);

/// The number of batches of a backlog after which the seal file is updated.
const SEAL_FILE_INTERVAL_BATCHES: u32 = 64;

/// The maximum number of batches sealed at shutdown; the rest waits for the next start.
const MAX_FINAL_BATCHES: u32 = 8;

/// The thread that seals events. Dropping it seals what is left, up to `MAX_FINAL_BATCHES`, and
/// ends the thread.
pub(crate) struct SealingThread {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl SealingThread {
    /// Starts the thread.
    pub(crate) fn start(settings: &Settings, database: &Arc<Database>, auth: &Arc<Auth>) -> Result<Self, CommandError> {
        let (stop, stopped) = channel::<()>();
        let mut sealer = Sealer {
            seal_file: SealFile::from_settings(settings),
            database: Arc::clone(database),
            auth: Arc::clone(auth),
            batches_since_write: 0,
            written_seal: None,
            last_failure: None,
        };
        let work = move || seal_until_stopped(&stopped, |batches| sealer.seal_batches(batches));
        let thread =
            thread::Builder::new().name("tillgate-sealer".to_owned()).spawn(work).map_err(CommandError::failed)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for SealingThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Seals batch after batch until the other end of the channel is dropped, then at most
/// `MAX_FINAL_BATCHES` more. `seal_batch` seals one and returns whether more events wait; its
/// argument is the number of batches after which it updates the seal file.
fn seal_until_stopped(stopped: &Receiver<()>, mut seal_batch: impl FnMut(u32) -> bool) {
    let mut pause = POLL_INTERVAL;
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(pause) {
        pause = if seal_batch(SEAL_FILE_INTERVAL_BATCHES) { BATCH_PAUSE } else { POLL_INTERVAL };
    }
    for batch in 1..=MAX_FINAL_BATCHES {
        if !seal_batch(MAX_FINAL_BATCHES - batch) {
            break;
        }
    }
}

struct Sealer {
    seal_file: SealFile,
    database: Arc<Database>,
    auth: Arc<Auth>,
    /// The number of batches sealed since the seal file was updated.
    batches_since_write: u32,
    /// The seal in the file, as far as this process knows.
    written_seal: Option<Seal>,
    /// The failure of the last round; a failure is logged once.
    last_failure: Option<SealingFailure>,
}

impl Sealer {
    /// Seals a batch and returns whether more events wait. Updates the seal file if none wait, or
    /// if more than `batches` were sealed since the last update.
    fn seal_batches(&mut self, batches: u32) -> bool {
        let sealed = office::unguarded::seal_audit(&*self.database, self.auth.audit_seal_key());
        let has_more = sealed.as_ref().is_ok_and(|sealed| sealed.has_more);
        self.batches_since_write = self.batches_since_write.saturating_add(1);
        if has_more && self.batches_since_write <= batches {
            return true;
        }
        self.batches_since_write = 0;
        let failure =
            sealed.map_err(SealingFailure::from).and_then(|sealed| self.write_seal_file(&sealed.newest)).err();
        match (&failure, &self.last_failure) {
            (None, None) => {}
            (None, Some(_)) => tracing::info!("the audit log is sealed correctly again"),
            (Some(new), Some(last)) if new.is_same_as(last) => {}
            (Some(new), _) => new.log(),
        }
        self.last_failure = failure;
        has_more
    }

    /// Writes the newest seal to the seal file if the chain contains the seal in the file.
    fn write_seal_file(&mut self, newest: &Seal) -> Result<(), SealingFailure> {
        if self.written_seal.as_ref() == Some(newest) {
            return Ok(());
        }
        let instance = read_instance_id(&self.database)?;
        let Some(stored) = self.seal_file.read()? else { return Err(self.seal_file.missing_text().into()) };
        if stored.instance != instance {
            return Err(self.seal_file.foreign_text().into());
        }
        if !office::unguarded::has_seal(&*self.database, &stored.seal)? {
            return Err(self.seal_file.broken_text(&stored).into());
        }
        self.seal_file.write(&StoredSeal { instance, seal: newest.clone(), at: self.auth.time().at })?;
        self.written_seal = Some(newest.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seals a backlog of this many batches, is stopped during the third, and returns the number of
    /// batches that were sealed.
    fn stop_during_third_batch(backlog: u32) -> u32 {
        let (stop, stopped) = channel::<()>();
        let (mut stop, mut sealed) = (Some(stop), 0);
        seal_until_stopped(&stopped, |_| {
            sealed += 1;
            if sealed == 3 {
                drop(stop.take());
            }
            sealed < backlog
        });
        sealed
    }

    #[test]
    fn stop_is_noticed_between_two_batches_of_a_backlog() {
        assert_eq!(stop_during_third_batch(50_000), 3 + MAX_FINAL_BATCHES);
        assert_eq!(stop_during_third_batch(3 + MAX_FINAL_BATCHES / 2), 3 + MAX_FINAL_BATCHES / 2);
    }

    #[test]
    fn last_batch_updates_the_seal_file() {
        let (stop, stopped) = channel::<()>();
        drop(stop);
        let mut intervals = Vec::new();
        seal_until_stopped(&stopped, |batches| {
            intervals.push(batches);
            true
        });
        assert_eq!(intervals.last(), Some(&0));
        assert_eq!(u32::try_from(intervals.len()), Ok(MAX_FINAL_BATCHES));
    }
}
