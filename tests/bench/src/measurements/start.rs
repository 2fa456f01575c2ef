//! The time from the start of the process to the first response.

use std::process::Command;
use std::time::Instant;

use crate::benchmark_run::{BenchmarkRun, log_progress};
use crate::http_client;
use crate::measurement::{Measurement, MeasurementTarget, Round};
use crate::server::BenchServer;
use crate::store::{BenchStore, Engine, create_folder};
use crate::till::login_body;

const MAX_START_MILLIS: f64 = 100.0;

pub(crate) fn measure(bench: &BenchmarkRun) -> Vec<Measurement> {
    log_progress("the start");
    let times = if bench.quick { 5 } else { 15 };
    let ready = (0..times).map(|_| {
        let store = BenchStore::empty(Engine::Sqlite);
        let made = store.command(&["init"], &[]).stdout(std::process::Stdio::null()).status();
        assert!(made.is_ok_and(|made| made.success()), "the database could not be made");
        first_response_millis(store.command(&["serve"], &[]), |address| http_client::get(address, "/readyz").0 == 200)
    });
    let ready = Measurement::new(
        "start-ready",
        "from the start on a new database to the first 200 of /readyz",
        "ms",
        "the limit",
    )
    .with_rounds(
        ready.map(|value| Round { value, reference: MAX_START_MILLIS }).collect(),
        MeasurementTarget::Reference,
    );
    let store = bench.on_sqlite();
    let login = (0..times).map(|_| {
        first_response_millis(store.command(&["serve"], &[]), |address| {
            let body = login_body(1);
            let length = body.len();
            let request = format!(
                "POST /api/v1/sessions HTTP/1.1\r\nhost: till.example\r\ncontent-type: application/json\r\n\
                 content-length: {length}\r\n\r\n{body}"
            );
            http_client::send_request(&mut http_client::connect(address), request.as_bytes()).0 == 201
        })
    });
    let login =
        Measurement::new("start-login", "from the start on a shop's database to the first login", "ms", "the limit")
            .with_rounds(
                login.map(|value| Round { value, reference: MAX_START_MILLIS }).collect(),
                MeasurementTarget::Reference,
            );
    [ready, login].map(worst_round).to_vec()
}

fn worst_round(line: Measurement) -> Measurement {
    let worst = line.rounds.iter().map(|round| round.value).fold(0.0, f64::max);
    let times = line.rounds.len();
    line.with_note(format!("the longest of {times} starts took {worst:.0} ms"))
}

/// Milliseconds until the server gives this response, requested as soon as it reports its address.
fn first_response_millis(command: Command, answered: impl Fn(&str) -> bool) -> f64 {
    let folder = create_folder();
    let begun = Instant::now();
    let server = BenchServer::start(command, folder.join("log"));
    while !answered(&server.address) {}
    let took = begun.elapsed().as_secs_f64() * 1000.0;
    drop(server);
    let _ = std::fs::remove_dir_all(folder);
    took
}
