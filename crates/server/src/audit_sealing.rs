//! The sealer: chains the lines of the audit within a second after they were committed, and keeps the newest seal in a file outside
//! the database.
//!
//! It works on a thread of its own beside the requests, a small batch at a time with a pause after it while more lines wait, so that
//! a backlog delays neither a request nor the end of the process; of several processes over one database each does the same, and the database
//! lets one of them seal at a time. The file is written anew only where the chain still has the seal that stands in it: what cut the
//! chain off or wrote it anew is told instead, and the file stays as the proof. How to seal and to verify stands in `domain`.

mod seal_file;

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tillgate_auth_core::Auth;
use tillgate_domain::audit::seal::Seal;
use tillgate_domain::office::{self, SealResult};
use tillgate_persistence::Database;

pub(crate) use seal_file::{SealFile, StoredSeal, encode_hex, read_instance_id};

use crate::command::CommandError;
use crate::configuration::Settings;

/// How often it looks for lines without a seal.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The pause between two batches while more lines wait: requests get their turn at the database.
const BATCH_PAUSE: Duration = Duration::from_millis(10);

/// After how many batches of a backlog the newest seal is kept outside.
const SEAL_FILE_INTERVAL_BATCHES: u32 = 64;

/// How many batches are sealed at the end of the process at most: what is left waits for the next start.
const MAX_FINAL_BATCHES: u32 = 8;

/// The thread that seals. When this goes it seals what is left, up to a bound, and ends.
pub(crate) struct SealingThread {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl SealingThread {
    /// Starts to seal.
    pub(crate) fn start(settings: &Settings, database: &Arc<Database>, auth: &Arc<Auth>) -> Result<Self, CommandError> {
        let (stop, stopped) = channel::<()>();
        let mut sealer = Sealer {
            seal_file: SealFile::from_settings(settings),
            database: Arc::clone(database),
            auth: Arc::clone(auth),
            checked_seal_file: false,
            batches_since_write: 0,
            written_seal: None,
            last_error: None,
        };
        let work = move || {
            let mut pause = POLL_INTERVAL;
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(pause) {
                pause = if sealer.seal_batches(SEAL_FILE_INTERVAL_BATCHES) { BATCH_PAUSE } else { POLL_INTERVAL };
            }
            for batch in 1..=MAX_FINAL_BATCHES {
                if !sealer.seal_batches(MAX_FINAL_BATCHES - batch) {
                    break;
                }
            }
        };
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

struct Sealer {
    seal_file: SealFile,
    database: Arc<Database>,
    auth: Arc<Auth>,
    /// Whether the file outside was looked at before the first line was sealed.
    checked_seal_file: bool,
    /// How many batches were sealed since the newest seal was kept outside.
    batches_since_write: u32,
    /// The seal that stands in the file, as far as this process knows.
    written_seal: Option<Seal>,
    /// What went wrong at the last look: it is logged once.
    last_error: Option<String>,
}

impl Sealer {
    /// Seals a batch, and returns whether more lines wait. The newest seal is kept outside where none does, or where more than
    /// `batches` were sealed since it was.
    fn seal_batches(&mut self, batches: u32) -> bool {
        let sealed = self.seal_batch();
        let more = sealed.as_ref().is_ok_and(|sealed| sealed.has_more);
        self.batches_since_write = self.batches_since_write.saturating_add(1);
        if more && self.batches_since_write <= batches {
            return true;
        }
        self.batches_since_write = 0;
        let trouble = sealed.and_then(|sealed| self.write_seal_file(&sealed.newest)).err();
        if trouble != self.last_error {
            if let Some(why) = &trouble {
                tracing::error!(why, "the audit is not sealed as it should be");
            } else {
                tracing::info!("the audit is sealed as it should be again");
            }
            self.last_error = trouble;
        }
        more
    }

    fn seal_batch(&mut self) -> Result<SealResult, String> {
        if !self.checked_seal_file {
            self.seal_file.create_if_missing(&self.database, self.auth.time().at)?;
            self.checked_seal_file = true;
        }
        office::seal_audit(&*self.database, self.auth.audit_seal_key()).map_err(|error| error.to_string())
    }

    /// Keeps the newest seal outside, where the chain has the one that is kept there.
    fn write_seal_file(&mut self, newest: &Seal) -> Result<(), String> {
        if self.written_seal.as_ref() == Some(newest) {
            return Ok(());
        }
        let instance = read_instance_id(&self.database)?;
        let Some(noted) = self.seal_file.read()? else { return Err(self.seal_file.missing_text()) };
        if noted.instance != instance {
            return Err(self.seal_file.foreign_text());
        }
        if !office::has_seal(&*self.database, &noted.seal).map_err(|error| error.to_string())? {
            return Err(self.seal_file.broken_text(&noted));
        }
        self.seal_file.write(&StoredSeal { instance, seal: newest.clone(), at: self.auth.time().at })?;
        self.written_seal = Some(newest.clone());
        Ok(())
    }
}
