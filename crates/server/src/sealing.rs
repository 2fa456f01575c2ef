//! The sealer: chains the lines of the audit within a second after they were committed, and keeps the newest seal in a file outside
//! the database.
//!
//! It works on a thread of its own beside the requests, a small batch at a time with a pause after it while more lines wait, so that
//! a backlog delays neither a request nor the end of the process; of several processes over one database each does the same, and the database
//! lets one of them seal at a time. The file is written anew only where the chain still has the seal that stands in it: what cut the
//! chain off or wrote it anew is told instead, and the file stays as the proof. How to seal and to verify stands in `domain`.

mod outside;

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tillgate_auth_core::Auth;
use tillgate_domain::audit::seal::Seal;
use tillgate_domain::office::{self, SealedUp};
use tillgate_persistence::Database;

pub(crate) use outside::{Noted, Outside, hex, instance};

use crate::command::Stop;
use crate::configuration::Settings;

/// How often it looks for lines without a seal.
const LOOK: Duration = Duration::from_millis(500);

/// The pause between two batches while more lines wait: requests get their turn at the database.
const PAUSE: Duration = Duration::from_millis(10);

/// After how many batches of a backlog the newest seal is kept outside.
const KEEP_EVERY: u32 = 64;

/// How many batches are sealed at the end of the process at most: what is left waits for the next start.
const LAST_BATCHES: u32 = 8;

/// The thread that seals. When this goes it seals what is left, up to a bound, and ends.
pub(crate) struct Sealing {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sealing {
    /// Starts to seal.
    pub(crate) fn start(settings: &Settings, database: &Arc<Database>, auth: &Arc<Auth>) -> Result<Self, Stop> {
        let (stop, stopped) = channel::<()>();
        let mut sealer = Sealer {
            outside: Outside::of(settings),
            database: Arc::clone(database),
            auth: Arc::clone(auth),
            begun: false,
            unkept: 0,
            noted: None,
            trouble: None,
        };
        let work = move || {
            let mut pause = LOOK;
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(pause) {
                pause = if sealer.look(KEEP_EVERY) { PAUSE } else { LOOK };
            }
            for batch in 1..=LAST_BATCHES {
                if !sealer.look(LAST_BATCHES - batch) {
                    break;
                }
            }
        };
        let thread = thread::Builder::new().name("tillgate-sealer".to_owned()).spawn(work).map_err(Stop::failed)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Sealing {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

struct Sealer {
    outside: Outside,
    database: Arc<Database>,
    auth: Arc<Auth>,
    /// Whether the file outside was looked at before the first line was sealed.
    begun: bool,
    /// How many batches were sealed since the newest seal was kept outside.
    unkept: u32,
    /// The seal that stands in the file, as far as this process knows.
    noted: Option<Seal>,
    /// What went wrong at the last look: it is logged once.
    trouble: Option<String>,
}

impl Sealer {
    /// Seals a batch, and returns whether more lines wait. The newest seal is kept outside where none does, or where more than
    /// `batches` were sealed since it was.
    fn look(&mut self, batches: u32) -> bool {
        let sealed = self.seal();
        let more = sealed.as_ref().is_ok_and(|sealed| sealed.more);
        self.unkept = self.unkept.saturating_add(1);
        if more && self.unkept <= batches {
            return true;
        }
        self.unkept = 0;
        let trouble = sealed.and_then(|sealed| self.note(&sealed.newest)).err();
        if trouble != self.trouble {
            if let Some(why) = &trouble {
                tracing::error!(why, "the audit is not sealed as it should be");
            } else {
                tracing::info!("the audit is sealed as it should be again");
            }
            self.trouble = trouble;
        }
        more
    }

    fn seal(&mut self) -> Result<SealedUp, String> {
        if !self.begun {
            self.outside.begin(&self.database, self.auth.time().at)?;
            self.begun = true;
        }
        office::seal_audit(&*self.database, self.auth.signet()).map_err(|error| error.to_string())
    }

    /// Keeps the newest seal outside, where the chain has the one that is kept there.
    fn note(&mut self, newest: &Seal) -> Result<(), String> {
        if self.noted.as_ref() == Some(newest) {
            return Ok(());
        }
        let instance = instance(&self.database)?;
        let Some(noted) = self.outside.read()? else { return Err(self.outside.missing()) };
        if noted.instance != instance {
            return Err(self.outside.foreign());
        }
        if !office::has_seal(&*self.database, &noted.seal).map_err(|error| error.to_string())? {
            return Err(self.outside.broken(&noted));
        }
        self.outside.write(&Noted { instance, seal: newest.clone(), at: self.auth.time().at })?;
        self.noted = Some(newest.clone());
        Ok(())
    }
}
