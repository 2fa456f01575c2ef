//! The memory of an idle server: after its start, and after a storm of logins.

use std::time::Duration;

use crate::bench::{Bench, say};
use crate::line::{Line, Round, Target};
use crate::load;
use crate::server::Server;
use crate::till::Logins;

/// Megabytes that it may hold after its start.
const STARTED: f64 = 30.0;
/// Megabytes that it may hold after the storm.
const STORMED: f64 = 40.0;
const REST: Duration = Duration::from_secs(10);
const STORM: usize = 32;

pub(crate) fn measure(bench: &Bench) -> Vec<Line> {
    say("memory");
    let store = bench.on_sqlite();
    let server = store.serve(&[]);
    std::thread::sleep(REST);
    let started = held(&server, "VmRSS:");
    let clients = (1..=STORM).map(|till| Logins::of(vec![till])).collect();
    let logins = load::run(&server.address, clients, bench.span()).0.count;
    std::thread::sleep(REST);
    let stormed = held(&server, "VmRSS:");
    let line = |name, what, value, roof| {
        Line::new(name, what, "MB", "the limit").of(vec![Round { value, roof }], Target::Roof)
    };
    vec![
        line("memory-start", "resident memory ten seconds after the start", started, STARTED),
        line("memory-storm", "resident memory ten seconds after a storm of logins at 32 connections", stormed, STORMED)
            .note(format!("{logins} logins; at most it held {:.0} MB", held(&server, "VmHWM:"))),
    ]
}

/// Megabytes, of a million bytes.
pub(super) fn held(server: &Server, name: &str) -> f64 {
    server.memory(name) * 1024.0 / 1e6
}
