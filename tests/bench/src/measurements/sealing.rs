//! Logins while many audit events wait to be sealed, compared with the same logins without a
//! backlog.

use crate::benchmark_run::{BenchmarkRun, log_progress};
use crate::fill;
use crate::load_generator;
use crate::measurement::{Measurement, MeasurementTarget, format_figure, measure_rounds};
use crate::store::BenchStore;
use crate::till::LoginClient;

const CONNECTIONS: usize = 8;
const WAITING: &str = "SELECT count(*) FROM audit WHERE sequence IS NULL";

pub(crate) fn measure(bench: &BenchmarkRun) -> Vec<Measurement> {
    let lines = if bench.quick { 100_000 } else { 3_000_000 };
    let (quiet, busy) = (bench.on_sqlite(), bench.on_sqlite());
    log_progress(&format!("filling SQLite with {lines} lines without seals"));
    busy.execute_sql(&fill::unsealed_lines(&busy.engine, lines));
    busy.execute_sql("PRAGMA wal_checkpoint(TRUNCATE); ANALYZE;");
    log_progress("logins beside the sealing");
    let rounds = measure_rounds(bench.round_count(), || slowest(bench, &quiet), || slowest(bench, &busy));
    let left = busy.query_number(WAITING);
    assert!(left > 0, "the backlog is too small: it was sealed before the end of the measurement");
    let sealed = lines as f64 - left as f64;
    let line = Measurement::new(
        "sealing-backlog",
        &format!(
            "99 of 100 logins at {CONNECTIONS} connections within, while {lines} lines of the audit are sealed, SQLite"
        ),
        "ms",
        "without a backlog",
    )
    .with_rounds(rounds, MeasurementTarget::Times(1.3))
    .with_note(format!("{} lines were sealed meanwhile", format_figure(sealed)));
    vec![line]
}

/// The time in milliseconds within which 99 of 100 logins were answered by a server that has just
/// started. The server stops before the next one starts, so that nothing is sealed during the
/// reference.
fn slowest(bench: &BenchmarkRun, store: &BenchStore) -> f64 {
    let server = store.serve(&[]);
    let clients = (1..=CONNECTIONS).map(|till| LoginClient::new(vec![till])).collect();
    let (measured, _) = load_generator::run_load(&server.address, clients, bench.load_phases());
    assert!(measured.wrong.is_empty(), "wrong responses by status: {:?}", measured.wrong);
    measured.quantile(0.99)
}
