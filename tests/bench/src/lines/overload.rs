//! Three times as many requests as the server can do, over 2,000 connections, at a share of a core: what is served is served in time,
//! and probes are answered.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::bench::{Bench, say};
use crate::line::{Line, Round, Target};
use crate::load::{self, Client, Measured, Span, micros, quantile};
use crate::open;
use crate::share::Share;
use crate::store::{CHEAP, Engine, Store, log_in};
use crate::till::{Logins, Refreshes, Tokens, Whoami};
use crate::{once, server::Server};

/// Of one core, what the server gets.
const SHARE: f64 = 0.3;
/// Over how many connections requests come.
const CONNECTIONS: usize = 2_000;
/// Over how many connections the capacity is measured.
const CLOSED: usize = 40;
/// How many times the capacity comes.
const TIMES: f64 = 3.0;
/// How often each listener is probed, over a connection of its own each time.
const PROBE: Duration = Duration::from_millis(50);
/// How long the load runs before probes count. At its start 2,000 connections are new at once, which is not what a probe meets
/// later.
const WARM_UP: Duration = Duration::from_secs(5);

/// Of ten requests seven ask who it is, two refresh, and one logs in.
struct Mixed {
    turn: usize,
    whoami: Whoami,
    refreshes: Refreshes,
    logins: Logins,
}

impl Mixed {
    /// The client of this number: a session, and a till to log in on that nobody else uses.
    fn of(number: usize, session: &Tokens) -> Self {
        Self {
            // not all log in at the same time
            turn: number,
            whoami: Whoami::of(std::slice::from_ref(session)),
            refreshes: Refreshes::of(vec![session.clone()]),
            logins: Logins::of(vec![CONNECTIONS + number + 1]),
        }
    }
}

impl Client for Mixed {
    fn ask(&mut self, request: &mut Vec<u8>) {
        match self.turn % 10 {
            0 => self.logins.ask(request),
            3 | 7 => self.refreshes.ask(request),
            _ => self.whoami.ask(request),
        }
    }

    fn hear(&mut self, status: u16, body: &[u8]) -> bool {
        self.turn += 1;
        match (self.turn - 1) % 10 {
            0 => self.logins.hear(status, body),
            3 | 7 => {
                // within the overlap the same token comes again
                self.refreshes.hear(status, body);
                status == 200
            }
            _ => self.whoami.hear(status, body),
        }
    }
}

/// Probes a listener until it is over; microseconds of each, sorted.
fn probe(address: &str, over: &AtomicBool) -> Vec<u32> {
    let mut all = Vec::new();
    std::thread::sleep(WARM_UP);
    std::thread::scope(|scope| {
        let mut probes = Vec::new();
        while !over.load(Ordering::Relaxed) {
            let asked = Instant::now();
            probes.push(scope.spawn(move || {
                assert_eq!(once::get(address, "/healthz").0, 200);
                micros(asked.elapsed())
            }));
            std::thread::sleep(PROBE);
        }
        all.extend(probes.into_iter().map(|probe| probe.join().unwrap()));
    });
    all.sort_unstable();
    all
}

/// What was served, and what the two listeners took for a probe.
fn overload(
    server: &Server,
    operations: &str,
    clients: Vec<Mixed>,
    rate: u32,
    span: Duration,
) -> (Measured, [Vec<u32>; 2]) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let probes = [server.address.as_str(), operations].map(|address| scope.spawn(|| probe(address, &over)));
        let measured = open::run(&server.address, clients, rate, WARM_UP + span, open::From::Sent).0;
        over.store(true, Ordering::Relaxed);
        (measured, probes.map(|probe| probe.join().unwrap()))
    })
}

pub(crate) fn measure(bench: &Bench) -> Vec<Line> {
    say("three times the capacity at a share of a core");
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }).unwrap();
    let store = Store::with_tills(Engine::Sqlite, 2 * CONNECTIONS);
    let operations = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let server =
        store.serve(&[&CHEAP[..], &[("OPERATIONS__LISTEN", operations.as_str()), ("LIMITS__HEAD", "60s")]].concat());
    // sessions with the overlap of the defaults: a refresh that was done and answered 503 may be asked again
    let tokens = log_in(&server.address, CONNECTIONS);
    let span = Duration::from_secs(if bench.quick { 10 } else { 60 });
    let share = Share::of_a_core(server.pid(), SHARE);
    let mut others: Vec<Mixed> = tokens.iter().enumerate().map(|(number, of)| Mixed::of(number, of)).collect();
    let few = others.drain(..CLOSED).collect();
    let closed = Span { warm: Duration::from_secs(2), counted: span / 3 };
    let (capacity, few) = load::run(&server.address, few, closed);
    let capacity = capacity.rate("the capacity");
    others.extend(few);
    let rate = (capacity * TIMES) as u32;
    let begun = Instant::now();
    let (served, [main, operations]) = overload(&server, &operations, others, rate, span);
    let took = begun.elapsed().as_secs_f64();
    let means = share.means();
    drop(share);
    let refused = served.wrong.get(&503).copied().unwrap_or_default();
    assert_eq!(served.wrong.values().sum::<u64>(), refused, "wrong answers by status: {:?}", served.wrong);
    let told = format!(
        "{TIMES} times {capacity:.0}/s at {SHARE} of a core {means}: {:.0}/s were served and {:.0}/s answered 503; at most {:.0} MB",
        served.count as f64 / took,
        refused as f64 / took,
        server.memory("VmHWM:") * 1024.0 / 1e6,
    );
    let line = |name, what, value, limit| {
        Line::new(name, what, "ms", "the limit").of(vec![Round { value, roof: limit }], Target::Roof).note(told.clone())
    };
    let p99 = |sorted: &[u32]| quantile(sorted, 0.99);
    vec![
        line("overload-served", "three times the capacity: 99 of 100 served within", served.quantile(0.99), 6_000.0),
        line("overload-health", "meanwhile: 99 of 100 /healthz within, on new connections", p99(&main), 1_000.0),
        line("overload-operations", "the same on operations.listen", p99(&operations), 100.0),
    ]
}
