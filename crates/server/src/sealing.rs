//! The sealer: chains the lines of the audit within a second after they were committed, and keeps the newest seal in a file outside
//! the database.
//!
//! It works on a thread of its own beside the requests; of several processes over one database each does the same, and the database
//! lets one of them seal at a time. The file is written anew only where the chain still has the seal that stands in it: what cut the
//! chain off or wrote it anew is told instead, and the file stays as the proof. How to seal and to verify stands in `domain`.

mod outside;

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tillgate_auth_core::Auth;
use tillgate_auth_core::ports::AuthView;
use tillgate_domain::audit::seal::Seal;
use tillgate_domain::{Store, StoreExt, office};
use tillgate_persistence::Database;

pub(crate) use outside::{Noted, Outside, hex};

use crate::command::Stop;
use crate::configuration::Settings;

/// How often it looks for lines without a seal.
const LOOK: Duration = Duration::from_millis(500);

/// The thread that seals. When this goes it seals what is left, and ends.
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
            noted: None,
            trouble: None,
        };
        let work = move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(LOOK) {
                sealer.look();
            }
            sealer.look();
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
    /// The seal that stands in the file, as far as this process knows.
    noted: Option<Seal>,
    /// What went wrong at the last look: it is logged once.
    trouble: Option<String>,
}

impl Sealer {
    fn look(&mut self) {
        let trouble = self.seal().and_then(|newest| self.note(&newest)).err();
        if trouble != self.trouble {
            if let Some(why) = &trouble {
                tracing::error!(why, "the audit is not sealed as it should be");
            } else {
                tracing::info!("the audit is sealed as it should be again");
            }
            self.trouble = trouble;
        }
    }

    /// Seals until no line waits.
    fn seal(&self) -> Result<Seal, String> {
        loop {
            let sealed = office::seal_audit(&*self.database, self.auth.signet()).map_err(|error| error.to_string())?;
            if !sealed.more {
                return Ok(sealed.newest);
            }
        }
    }

    /// Keeps the newest seal outside, where the chain has the one that stands there.
    fn note(&mut self, newest: &Seal) -> Result<(), String> {
        if self.noted.as_ref() == Some(newest) {
            return Ok(());
        }
        let store: &dyn Store<AuthView> = &*self.database;
        let instance = store.read(|tx| tx.instances().find()).map_err(|error| error.to_string())?.id;
        if let Some(noted) = self.outside.read()? {
            if noted.instance != instance {
                return Err(self.outside.foreign());
            }
            if !office::has_seal(&*self.database, &noted.seal).map_err(|error| error.to_string())? {
                return Err(self.outside.broken(&noted));
            }
        }
        self.outside.write(&Noted { instance, seal: newest.clone(), at: self.auth.time().at })?;
        self.noted = Some(newest.clone());
        Ok(())
    }
}
