//! The memory of an idle server: after its start, and after a storm of logins.

use std::time::Duration;

use crate::benchmark_run::{BenchmarkRun, log_progress};
use crate::load_generator;
use crate::measurement::{Measurement, MeasurementTarget, Round};
use crate::server::BenchServer;
use crate::till::LoginClient;

/// The limit after the start, in megabytes.
const MAX_MEGABYTES_AT_START: f64 = 30.0;
/// The limit after the storm, in megabytes.
const MAX_MEGABYTES_AFTER_STORM: f64 = 40.0;
const REST_DURATION: Duration = Duration::from_secs(10);
const STORM_CONNECTIONS: usize = 32;

pub(crate) fn measure(bench: &BenchmarkRun) -> Vec<Measurement> {
    log_progress("memory");
    let store = bench.on_sqlite();
    let server = store.serve(&[]);
    std::thread::sleep(REST_DURATION);
    let started = megabytes(&server, "VmRSS:");
    let clients = (1..=STORM_CONNECTIONS).map(|till| LoginClient::new(vec![till])).collect();
    let logins = load_generator::run_load(&server.address, clients, bench.load_phases()).0.count;
    std::thread::sleep(REST_DURATION);
    let stormed = megabytes(&server, "VmRSS:");
    let line = |name, what, value, reference| {
        Measurement::new(name, what, "MB", "the limit")
            .with_rounds(vec![Round { value, reference }], MeasurementTarget::Reference)
    };
    vec![
        line("memory-start", "resident memory ten seconds after the start", started, MAX_MEGABYTES_AT_START),
        line(
            "memory-storm",
            "resident memory ten seconds after a storm of logins at 32 connections",
            stormed,
            MAX_MEGABYTES_AFTER_STORM,
        )
        .with_note(format!("{logins} logins; at most it held {:.0} MB", megabytes(&server, "VmHWM:"))),
    ]
}

/// A value from `/proc/PID/status` in megabytes (millions of bytes).
pub(super) fn megabytes(server: &BenchServer, name: &str) -> f64 {
    server.memory_kibibytes(name) * 1024.0 / 1e6
}
