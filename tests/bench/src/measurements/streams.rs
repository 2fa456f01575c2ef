//! The cost of open event streams: memory, and the time that refreshes take beside them.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::benchmark_run::{BenchmarkRun, deal_evenly, log_progress};
use crate::event_streams::OpenStreams;
use crate::http_client;
use crate::load_generator::LoadClient;
use crate::measurement::{Measurement, MeasurementTarget, Round, measure_rounds};
use crate::open_loop;
use crate::store::log_in_admin;
use crate::till::{CurrentSessionClient, RefreshClient, write_authorized};

use super::memory::megabytes;

/// The number of streams, each of another clerk.
const STREAM_COUNT: usize = 200;
/// The limit of the memory that they add, in megabytes.
const MAX_ADDED_MEGABYTES: f64 = 20.0;
/// How long the server rests before its memory is read.
const REST_DURATION: Duration = Duration::from_secs(10);
const REFRESHES_PER_SECOND: u32 = 200;
/// The number of connections over which the refreshes are distributed.
const CONNECTION_COUNT: usize = 64;
/// How often a store is renamed, which every stream reports.
const RENAME_INTERVAL: Duration = Duration::from_millis(100);

pub(crate) fn measure_memory(bench: &BenchmarkRun) -> Vec<Measurement> {
    log_progress("the memory of event streams");
    let store = bench.on_sqlite();
    let sessions = &store.tokens[..STREAM_COUNT];
    let rounds = (0..bench.round_count().min(3)).map(|_| {
        let server = store.serve(&[]);
        // the sessions are cached before, so that the streams alone are added
        let mut current = CurrentSessionClient::new(sessions);
        let mut stream = http_client::connect(&server.address);
        for _ in sessions {
            let mut request = Vec::new();
            current.write_request(&mut request);
            let (status, _, body) = http_client::send_request(&mut stream, &request);
            assert!(current.read_response(status, &body), "{status}");
        }
        std::thread::sleep(REST_DURATION);
        let before = megabytes(&server, "VmRSS:");
        let streams = OpenStreams::open(&server.address, sessions);
        std::thread::sleep(REST_DURATION);
        let added = megabytes(&server, "VmRSS:") - before;
        streams.close();
        Round { value: added, reference: MAX_ADDED_MEGABYTES }
    });
    let what = format!("resident memory that {STREAM_COUNT} open event streams add");
    let line = Measurement::new("streams-memory", &what, "MB", "the limit")
        .with_rounds(rounds.collect(), MeasurementTarget::Reference);
    vec![line]
}

pub(crate) fn measure_refreshes(bench: &BenchmarkRun) -> Vec<Measurement> {
    log_progress("refreshes beside event streams");
    let store = bench.on_sqlite();
    let server = store.serve(&[]);
    let span = Duration::from_secs(if bench.quick { 4 } else { 15 });
    let (followers, others) = store.tokens.split_at(STREAM_COUNT);
    let clients: Vec<RefreshClient> =
        deal_evenly(others, CONNECTION_COUNT).into_iter().map(RefreshClient::new).collect();
    let clients = RefCell::new(clients);
    let slowest = || {
        let (measured, back) = open_loop::run_open_loop(
            &server.address,
            clients.take(),
            REFRESHES_PER_SECOND,
            span,
            open_loop::LatencyStart::Due,
        );
        clients.replace(back);
        measured.rate("refreshes at a fixed rate");
        measured.quantile(0.99)
    };
    let mut changes = 0;
    let is_over = AtomicBool::new(false);
    let rounds = std::thread::scope(|scope| {
        scope.spawn(|| rename_store(&server.address, &is_over));
        let _end = EndGuard(&is_over);
        measure_rounds(bench.round_count(), slowest, || {
            let streams = OpenStreams::open(&server.address, followers);
            let slowest = slowest();
            changes = streams.close() / STREAM_COUNT;
            slowest
        })
    });
    assert!(changes > 0, "the streams have received nothing");
    let what = format!("refreshes at 200/s beside {STREAM_COUNT} open event streams: 99 of 100 within");
    let line = Measurement::new("streams-refresh", &what, "ms", "the same without streams")
        .with_rounds(rounds, MeasurementTarget::Times(1.3))
        .with_note(format!(
            "a store is renamed ten times a second with and without streams; in the last round each stream has received \
             {changes} changes"
        ));
    vec![line]
}

/// Ends the renames, also if a measurement panics.
struct EndGuard<'a>(&'a AtomicBool);

impl Drop for EndGuard<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Renames a store at a fixed rate until this is over.
fn rename_store(address: &str, is_over: &AtomicBool) {
    let mut stream = http_client::connect(address);
    let tokens = log_in_admin(address);
    let mut send = |line: &str, headers: &str, name: &str| {
        let mut request = Vec::new();
        write_authorized(&mut request, &tokens.access, line, headers, &format!("{{\"name\":\"{name}\"}}"));
        let (status, _, body) = http_client::send_request(&mut stream, &request);
        assert!([200, 201].contains(&status), "{line}: {}", String::from_utf8_lossy(&body));
        body
    };
    let store: Value = serde_json::from_slice(&send("POST /api/v1/stores", "", "Harbor")).unwrap();
    let line = format!("PATCH /api/v1/stores/{}", store["id"].as_str().unwrap());
    let begun = Instant::now();
    for number in 1.. {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        send(&line, "if-match: *\r\n", ["Harbor", "Pier"][number as usize % 2]);
        std::thread::sleep((begun + RENAME_INTERVAL * number).saturating_duration_since(Instant::now()));
    }
}
