//! What the lines share: how long is measured, and the stores that several of them start from, made once.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use tillgate_testkit::postgres::Server;

use crate::load_generator::LoadPhases;
use crate::store::{BenchStore, Engine, create_folder};
use crate::till::Tokens;

/// The frame of a run.
pub(crate) struct BenchmarkRun {
    pub(crate) quick: bool,
    /// For programs and scripts that are made for the run.
    pub(crate) folder: PathBuf,
    sqlite: OnceCell<BenchStore>,
    postgres: OnceCell<(Rc<Server>, BenchStore)>,
}

impl BenchmarkRun {
    pub(crate) fn new(quick: bool) -> Self {
        Self { quick, folder: create_folder(), sqlite: OnceCell::new(), postgres: OnceCell::new() }
    }

    /// How often each line is measured; its figure is the median.
    pub(crate) fn round_count(&self) -> usize {
        if self.quick { 1 } else { 5 }
    }

    /// How long each measurement takes.
    pub(crate) fn counted_duration(&self) -> Duration {
        Duration::from_secs(if self.quick { 2 } else { 6 })
    }

    pub(crate) fn load_phases(&self) -> LoadPhases {
        LoadPhases { warm_up: Duration::from_secs(1), measured: self.counted_duration() }
    }

    /// How many tills the shop has.
    pub(crate) fn till_count(&self) -> usize {
        if self.quick { 1024 } else { 4096 }
    }

    /// How many cores there are: the public implementations of Argon2id get as many threads.
    pub(crate) fn core_count() -> usize {
        std::thread::available_parallelism().unwrap().get()
    }

    /// A store of one's own on SQLite, with the shop.
    pub(crate) fn on_sqlite(&self) -> BenchStore {
        self.sqlite.get_or_init(|| BenchStore::with_tills(Engine::Sqlite, self.till_count())).copy()
    }

    /// A store of one's own on PostgreSQL, with the shop.
    pub(crate) fn on_postgres(&self) -> BenchStore {
        let (_, store) = self.postgres.get_or_init(|| {
            let server = Rc::new(Server::start(&[]).unwrap());
            let address = server.create_database();
            let name = address.rsplit('/').next().unwrap().to_owned();
            let store = BenchStore::with_tills(Engine::Postgres(Rc::clone(&server), name), self.till_count());
            (server, store)
        });
        store.copy()
    }
}

impl Drop for BenchmarkRun {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Deals sessions out to as many connections.
pub(crate) fn deal_evenly(tokens: &[Tokens], connections: usize) -> Vec<Vec<Tokens>> {
    (0..connections).map(|number| tokens.iter().skip(number).step_by(connections).cloned().collect()).collect()
}

/// Says on standard error what is being done.
pub(crate) fn log_progress(what: &str) {
    eprintln!("… {what}");
}
