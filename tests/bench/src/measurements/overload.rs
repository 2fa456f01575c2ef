//! Three times as many requests as the server can handle, over 2,000 connections, at a share of a
//! core: served requests are served in time, and probes are answered.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::benchmark_run::{BenchmarkRun, log_progress};
use crate::cpu_share::CpuShare;
use crate::load_generator::{self, LoadClient, LoadPhases, LoadResult, quantile, to_micros};
use crate::measurement::{Measurement, MeasurementTarget, Round};
use crate::open_loop;
use crate::store::{BenchStore, CHEAP_PASSWORD_SETTINGS, Engine, log_in};
use crate::till::{CurrentSessionClient, LoginClient, RefreshClient, Tokens};
use crate::{http_client, server::BenchServer};

/// The server's share of one core.
const CPU_SHARE: f64 = 0.3;
/// The number of connections of the load.
const CONNECTION_COUNT: usize = 2_000;
/// The number of connections with which the capacity is measured.
const CLOSED_LOOP_CONNECTIONS: usize = 40;
/// The ratio of the load to the capacity.
const OVERLOAD_FACTOR: f64 = 3.0;
/// How often each listener is probed, over a new connection each time.
const PROBE_INTERVAL: Duration = Duration::from_millis(50);
/// How long the load runs before probes count. At its start 2,000 connections are opened at once,
/// which a later probe does not meet.
const WARM_UP: Duration = Duration::from_secs(5);

/// Of ten requests, seven read the current session, two refresh, and one logs in.
struct MixedClient {
    turn: usize,
    whoami: CurrentSessionClient,
    refreshes: RefreshClient,
    logins: LoginClient,
}

impl MixedClient {
    /// The client with this number: a session, and a till for its logins that no other client uses.
    fn new(number: usize, session: &Tokens) -> Self {
        Self {
            // clients log in at different times
            turn: number,
            whoami: CurrentSessionClient::new(std::slice::from_ref(session)),
            refreshes: RefreshClient::new(vec![session.clone()]),
            logins: LoginClient::new(vec![CONNECTION_COUNT + number + 1]),
        }
    }
}

impl LoadClient for MixedClient {
    fn write_request(&mut self, request: &mut Vec<u8>) {
        match self.turn % 10 {
            0 => self.logins.write_request(request),
            3 | 7 => self.refreshes.write_request(request),
            _ => self.whoami.write_request(request),
        }
    }

    fn read_response(&mut self, status: u16, body: &[u8]) -> bool {
        self.turn += 1;
        match (self.turn - 1) % 10 {
            0 => self.logins.read_response(status, body),
            3 | 7 => {
                // within the grace period, the same token is returned
                self.refreshes.read_response(status, body);
                status == 200
            }
            _ => self.whoami.read_response(status, body),
        }
    }
}

/// Probes a listener until the load is over. Returns the durations in microseconds, sorted.
fn probe_listener(address: &str, over: &AtomicBool) -> Vec<u32> {
    let mut all = Vec::new();
    std::thread::sleep(WARM_UP);
    std::thread::scope(|scope| {
        let mut probes = Vec::new();
        while !over.load(Ordering::Relaxed) {
            let sent = Instant::now();
            probes.push(scope.spawn(move || {
                assert_eq!(http_client::get(address, "/healthz").0, 200);
                to_micros(sent.elapsed())
            }));
            std::thread::sleep(PROBE_INTERVAL);
        }
        all.extend(probes.into_iter().map(|probe| probe.join().unwrap()));
    });
    all.sort_unstable();
    all
}

/// The result of the load, and the durations of the probes of both listeners.
fn run_overload(
    server: &BenchServer,
    operations: &str,
    clients: Vec<MixedClient>,
    rate: u32,
    span: Duration,
) -> (LoadResult, [Vec<u32>; 2]) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let probes =
            [server.address.as_str(), operations].map(|address| scope.spawn(|| probe_listener(address, &over)));
        let measured =
            open_loop::run_open_loop(&server.address, clients, rate, WARM_UP + span, open_loop::LatencyStart::Sent).0;
        over.store(true, Ordering::Relaxed);
        (measured, probes.map(|probe| probe.join().unwrap()))
    })
}

pub(crate) fn measure(bench: &BenchmarkRun) -> Vec<Measurement> {
    log_progress("three times the capacity at a share of a core");
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }).unwrap();
    let store = BenchStore::with_tills(Engine::Sqlite, 2 * CONNECTION_COUNT);
    let operations = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let server = store.serve(
        &[&CHEAP_PASSWORD_SETTINGS[..], &[("OPERATIONS__LISTEN", operations.as_str()), ("LIMITS__HEAD", "60s")]]
            .concat(),
    );
    // sessions with the default grace period: a refresh that was committed but answered 503 may be
    // repeated
    let tokens = log_in(&server.address, CONNECTION_COUNT);
    let span = Duration::from_secs(if bench.quick { 10 } else { 60 });
    let share = CpuShare::limit_process(server.pid(), CPU_SHARE);
    let mut others: Vec<MixedClient> =
        tokens.iter().enumerate().map(|(number, of)| MixedClient::new(number, of)).collect();
    let few = others.drain(..CLOSED_LOOP_CONNECTIONS).collect();
    let closed = LoadPhases { warm_up: Duration::from_secs(2), measured: span / 3 };
    let (capacity, few) = load_generator::run_load(&server.address, few, closed);
    let capacity = capacity.rate("the capacity");
    others.extend(few);
    let rate = (capacity * OVERLOAD_FACTOR) as u32;
    let begun = Instant::now();
    let (served, [main, operations]) = run_overload(&server, &operations, others, rate, span);
    let took = begun.elapsed().as_secs_f64();
    let means = share.mechanism();
    drop(share);
    let refused = served.wrong.get(&503).copied().unwrap_or_default();
    assert_eq!(served.wrong.values().sum::<u64>(), refused, "wrong responses by status: {:?}", served.wrong);
    let summary = format!(
        "{OVERLOAD_FACTOR} times {capacity:.0}/s at {CPU_SHARE} of a core {means}: {:.0}/s were served and {:.0}/s answered 503; at most {:.0} MB",
        served.count as f64 / took,
        refused as f64 / took,
        server.memory_kibibytes("VmHWM:") * 1024.0 / 1e6,
    );
    let line = |name, what, value, limit| {
        Measurement::new(name, what, "ms", "the limit")
            .with_rounds(vec![Round { value, reference: limit }], MeasurementTarget::Reference)
            .with_note(summary.clone())
    };
    let p99 = |sorted: &[u32]| quantile(sorted, 0.99);
    vec![
        line("overload-served", "three times the capacity: 99 of 100 served within", served.quantile(0.99), 6_000.0),
        line("overload-health", "meanwhile: 99 of 100 /healthz within, on new connections", p99(&main), 1_000.0),
        line("overload-operations", "the same on operations.listen", p99(&operations), 100.0),
    ]
}
