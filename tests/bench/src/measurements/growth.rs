//! The cost of a refresh and of an authenticated request with a million sessions in the store,
//! compared with ten thousand.

use crate::benchmark_run::{BenchmarkRun, deal_evenly, log_progress};
use crate::load_generator;
use crate::measurement::{Measurement, MeasurementTarget, format_figure, measure_rounds};
use crate::server::BenchServer;
use crate::store::BenchStore;
use crate::till::{CurrentSessionClient, RefreshClient};

const FEW_SESSIONS: usize = 10_000;
const CONNECTION_COUNT: usize = 64;

pub(crate) fn measure(bench: &BenchmarkRun) -> Vec<Measurement> {
    let names = ["growth-refresh-sqlite", "growth-authenticate-sqlite"];
    let mut lines = measure_growth(bench, names, "SQLite", &[bench.on_sqlite(), bench.on_sqlite()]);
    let names = ["growth-refresh-postgres", "growth-authenticate-postgres"];
    lines.extend(measure_growth(bench, names, "PostgreSQL", &[bench.on_postgres(), bench.on_postgres()]));
    lines
}

fn measure_growth(
    bench: &BenchmarkRun,
    [refresh, authenticate]: [&'static str; 2],
    on: &str,
    [few, many]: &[BenchStore; 2],
) -> Vec<Measurement> {
    let crowd = if bench.quick { 100_000 } else { 1_000_000 };
    log_progress(&format!("filling {on} with {crowd} sessions"));
    few.insert_sessions(FEW_SESSIONS);
    many.insert_sessions(crowd);
    log_progress(&format!("the cost with {crowd} sessions, {on}"));
    let (mut few, mut many) = (GrowthLoad::new(few), GrowthLoad::new(many));
    let beside = format!("with {}", format_figure(FEW_SESSIONS as f64));
    let crowd = format_figure(crowd as f64);
    let rounds = measure_rounds(bench.round_count(), || few.refresh_rate(bench), || many.refresh_rate(bench));
    let processor = many.processor / few.processor;
    let refreshes = Measurement::new(refresh, &format!("a refresh with {crowd} sessions, {on}"), "µs", &beside)
        .with_rounds(rounds, MeasurementTarget::Times(1.3))
        .with_note(format!(
            "seconds by responses at 64 connections, with {} of the sessions in turn",
            bench.till_count()
        ))
        .with_note(format!("of the server's processor time a refresh takes {processor:.2} times as much"));
    let rounds = measure_rounds(bench.round_count(), || few.authenticate_rate(bench), || many.authenticate_rate(bench));
    let authenticates =
        Measurement::new(authenticate, &format!("an authenticated request with {crowd} sessions, {on}"), "µs", &beside)
            .with_rounds(rounds, MeasurementTarget::Times(1.3));
    vec![refreshes, authenticates]
}

struct GrowthLoad<'a> {
    server: BenchServer,
    _store: &'a BenchStore,
    sessions: Vec<RefreshClient>,
    /// The server's processor time per refresh in the last round, in seconds.
    processor: f64,
}

impl<'a> GrowthLoad<'a> {
    fn new(store: &'a BenchStore) -> Self {
        let sessions = deal_evenly(&store.tokens, CONNECTION_COUNT).into_iter().map(RefreshClient::new).collect();
        Self { server: store.serve(&[]), _store: store, sessions, processor: f64::NAN }
    }

    fn refresh_rate(&mut self, bench: &BenchmarkRun) -> f64 {
        let before = self.server.cpu_seconds();
        let (measured, sessions) =
            load_generator::run_load(&self.server.address, std::mem::take(&mut self.sessions), bench.load_phases());
        self.sessions = sessions;
        let span = bench.load_phases();
        // the warm-up takes its share of the time
        let share = measured.seconds / (span.warm_up + span.measured).as_secs_f64();
        self.processor = (self.server.cpu_seconds() - before) * share / measured.count as f64;
        1e6 / measured.rate("refreshes")
    }

    fn authenticate_rate(&mut self, bench: &BenchmarkRun) -> f64 {
        let clients = self.sessions.iter().map(|refreshes| CurrentSessionClient::new(&refreshes.sessions)).collect();
        1e6 / load_generator::run_load(&self.server.address, clients, bench.load_phases()).0.rate("who am I")
    }
}
