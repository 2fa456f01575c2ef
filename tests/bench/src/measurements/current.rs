//! Reads of the current session, compared with an actix handler that sends the same bytes and
//! headers and writes the same log line.

use crate::benchmark_run::{BenchmarkRun, log_progress};
use crate::http_client;
use crate::load_generator::{self, LoadClient};
use crate::measurement::{Measurement, MeasurementTarget, measure_rounds};
use crate::references::handler;
use crate::server::BenchServer;
use crate::till::CurrentSessionClient;

const CONNECTION_COUNT: usize = 64;

pub(crate) fn measure(bench: &BenchmarkRun) -> Vec<Measurement> {
    log_progress("who am I");
    let store = bench.on_sqlite();
    let server = store.serve(&[]);
    let clients = || {
        store.tokens.iter().take(CONNECTION_COUNT).map(|tokens| CurrentSessionClient::new(std::slice::from_ref(tokens)))
    };
    let mut request = Vec::new();
    clients().next().unwrap().write_request(&mut request);
    let (status, head, body) = http_client::send_request(&mut http_client::connect(&server.address), &request);
    assert_eq!(status, 200, "{head}");
    let bare = BenchServer::start(handler::handler_command(&bench.folder, &head, &body), bench.folder.join("bare.log"));
    let (status, bare_head, bare_body) = http_client::send_request(&mut http_client::connect(&bare.address), &request);
    assert_eq!(
        (status, sort_headers(&bare_head), bare_body),
        (200, sort_headers(&head), body),
        "the bare handler sends something else"
    );
    let rate =
        |address: &str, what| load_generator::run_load(address, clients().collect(), bench.load_phases()).0.rate(what);
    let rounds = measure_rounds(
        bench.round_count(),
        || rate(&bare.address, "the bare handler"),
        || rate(&server.address, "who am I"),
    );
    let beside = "a bare actix handler, the same bytes, the access log on";
    let line = Measurement::new("current", "GET /api/v1/sessions/current at 64 connections", "/s", beside)
        .with_rounds(rounds, MeasurementTarget::Share(0.6));
    vec![line]
}

/// The header lines of a response without those that differ between responses.
fn sort_headers(head: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = head
        .lines()
        .map(|line| {
            line.split_once(": ")
                .filter(|(name, _)| ["date", "x-request-id"].contains(name))
                .map_or(line, |(name, _)| name)
        })
        .collect();
    lines.sort_unstable();
    lines
}
