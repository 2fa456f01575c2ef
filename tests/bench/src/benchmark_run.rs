//! What the benchmarks share: durations, counts, and the stores that several of them start from,
//! each created once.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use tillgate_testkit::postgres::Server;

use crate::load_generator::LoadPhases;
use crate::store::{BenchStore, Engine, create_folder};
use crate::till::Tokens;

/// One run of the benchmarks.
pub(crate) struct BenchmarkRun {
    pub(crate) quick: bool,
    /// A temporary folder for programs and scripts.
    pub(crate) folder: PathBuf,
    sqlite: OnceCell<BenchStore>,
    postgres: OnceCell<(Rc<Server>, BenchStore)>,
}

impl BenchmarkRun {
    pub(crate) fn new(quick: bool) -> Self {
        Self { quick, folder: create_folder(), sqlite: OnceCell::new(), postgres: OnceCell::new() }
    }

    /// The number of rounds of each benchmark; its result is their median.
    pub(crate) fn round_count(&self) -> usize {
        if self.quick { 1 } else { 5 }
    }

    /// How long each measurement takes after the warm-up.
    pub(crate) fn counted_duration(&self) -> Duration {
        Duration::from_secs(if self.quick { 2 } else { 6 })
    }

    pub(crate) fn load_phases(&self) -> LoadPhases {
        LoadPhases { warm_up: Duration::from_secs(1), measured: self.counted_duration() }
    }

    /// The number of tills in the shop.
    pub(crate) fn till_count(&self) -> usize {
        if self.quick { 1024 } else { 4096 }
    }

    /// The number of cores, which is also the number of threads for the C implementations of
    /// Argon2id.
    pub(crate) fn core_count() -> usize {
        std::thread::available_parallelism().unwrap().get()
    }

    /// A copy of the shop's store on SQLite.
    pub(crate) fn on_sqlite(&self) -> BenchStore {
        self.sqlite.get_or_init(|| BenchStore::with_tills(Engine::Sqlite, self.till_count())).copy()
    }

    /// A copy of the shop's store on PostgreSQL.
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

/// Distributes the sessions evenly over the connections.
pub(crate) fn deal_evenly(tokens: &[Tokens], connections: usize) -> Vec<Vec<Tokens>> {
    (0..connections).map(|number| tokens.iter().skip(number).step_by(connections).cloned().collect()).collect()
}

/// Reports progress on standard error.
pub(crate) fn log_progress(what: &str) {
    eprintln!("… {what}");
}
