//! Refreshes with a rotation that is on disk before the response: on SQLite compared with a bare
//! loop, on PostgreSQL with pgbench.

use std::time::Duration;

use crate::benchmark_run::{BenchmarkRun, deal_evenly, log_progress};
use crate::load_generator;
use crate::measurement::{Measurement, MeasurementTarget, Round, format_figure, measure_rounds};
use crate::references::{pgbench::Pgbench, sqlite};
use crate::server::BenchServer;
use crate::store::{BenchStore, Engine};
use crate::till::RefreshClient;

const CONNECTION_COUNT: usize = 64;

pub(crate) fn measure_on_sqlite(bench: &BenchmarkRun) -> Vec<Measurement> {
    log_progress("refreshes on SQLite");
    let (store, bare) = (bench.on_sqlite(), bench.on_sqlite());
    let server = store.serve(&[]);
    let mut load = RefreshLoad::new(&store, &server);
    let rounds = measure_rounds(
        bench.round_count(),
        || sqlite::rate(&bare.database_file(), bench.counted_duration()),
        || load.rate(bench),
    );
    let beside = format!("a bare loop of the same statements, {} in a commit", sqlite::GROUP_SIZE);
    let line = Measurement::new("refreshes-sqlite", "durable refreshes at 64 connections, SQLite", "/s", &beside)
        .with_rounds(rounds, MeasurementTarget::Share(0.5));
    vec![line.with_note(load.note)]
}

pub(crate) fn measure_on_postgres(bench: &BenchmarkRun) -> Vec<Measurement> {
    log_progress("refreshes on PostgreSQL");
    let (store, bare) = (bench.on_postgres(), bench.on_postgres());
    let Engine::Postgres(postgres, name) = &bare.engine else { unreachable!() };
    let pgbench = Pgbench::new(postgres, name, bench.till_count(), &bench.folder);
    // finds the best number of clients for pgbench
    let short = Duration::from_secs(if bench.quick { 1 } else { 4 });
    let tried: Vec<(usize, f64)> = [8, 16, 32, 64].map(|clients| (clients, pgbench.rate(clients, short))).to_vec();
    let best = tried.iter().max_by(|one, other| one.1.total_cmp(&other.1)).map_or(64, |(clients, _)| *clients);
    let server = store.serve(&[]);
    let mut load = RefreshLoad::new(&store, &server);
    let rounds: Vec<Round> =
        measure_rounds(bench.round_count(), || pgbench.rate(best, bench.counted_duration()), || load.rate(bench));
    let beside = format!("pgbench, the same statements, prepared, {best} clients");
    let tried: Vec<String> =
        tried.iter().map(|(clients, rate)| format!("{} at {clients} clients", format_figure(*rate))).collect();
    let line = Measurement::new("refreshes-postgres", "durable refreshes at 64 connections, PostgreSQL", "/s", &beside)
        .with_rounds(rounds, MeasurementTarget::Share(0.4))
        .with_note(load.note)
        .with_note(format!("pgbench tried once, transactions a second: {}", tried.join(", ")));
    vec![line]
}

struct RefreshLoad<'a> {
    server: &'a BenchServer,
    clients: Vec<RefreshClient>,
    /// A note on the last round.
    note: String,
}

impl<'a> RefreshLoad<'a> {
    fn new(store: &BenchStore, server: &'a BenchServer) -> Self {
        let clients = deal_evenly(&store.tokens, CONNECTION_COUNT).into_iter().map(RefreshClient::new).collect();
        Self { server, clients, note: String::new() }
    }

    fn rate(&mut self, bench: &BenchmarkRun) -> f64 {
        let (measured, clients) =
            load_generator::run_load(&self.server.address, std::mem::take(&mut self.clients), bench.load_phases());
        self.clients = clients;
        let (half, most) = (measured.quantile(0.5), measured.quantile(0.99));
        self.note = format!("in the last round half of them took up to {half:.1} ms, 99 of 100 up to {most:.1} ms");
        measured.rate("refreshes")
    }
}
