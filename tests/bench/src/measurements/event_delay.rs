//! The time from the response of a login in one process to its event at a stream of another
//! process.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::benchmark_run::{BenchmarkRun, log_progress};
use crate::event_streams::SessionWatch;
use crate::http_client;
use crate::load_generator::{quantile, to_micros};
use crate::measurement::{Measurement, MeasurementTarget, Round, median};
use crate::store::{CHEAP_PASSWORD_SETTINGS, log_in_admin};
use crate::till::{login_body, write_post};

/// The limit in milliseconds.
const MAX_DELAY_MILLIS: f64 = 1_000.0;
/// How long an event may take.
const EVENT_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) fn measure(bench: &BenchmarkRun) -> Vec<Measurement> {
    log_progress("events of logins in another process");
    let store = bench.on_postgres();
    let (one, other) = (store.serve(&CHEAP_PASSWORD_SETTINGS), store.serve(&CHEAP_PASSWORD_SETTINGS));
    let watch = SessionWatch::open(&other.address, &log_in_admin(&one.address));
    let logins = if bench.quick { 100 } else { 200 };
    let mut medians = Vec::new();
    let rounds = (0..bench.round_count()).map(|_| {
        let delays = measure_delays(&one.address, &watch, logins);
        medians.push(quantile(&delays, 0.5));
        Round { value: quantile(&delays, 0.99), reference: MAX_DELAY_MILLIS }
    });
    let rounds = rounds.collect();
    let line = Measurement::new(
        "event-delay",
        "from a login's response to its event in another process, PostgreSQL: 99 of 100 within",
        "ms",
        "the limit",
    )
    .with_rounds(rounds, MeasurementTarget::Reference)
    .with_note(format!(
        "{logins} logins a round, one after the other; the median is {:.0} ms",
        median(medians.into_iter())
    ));
    vec![line]
}

/// The delays of the events of as many logins in microseconds, sorted.
fn measure_delays(address: &str, watch: &SessionWatch, logins: usize) -> Vec<u32> {
    let mut stream = http_client::connect(address);
    let answered: Vec<(String, Instant)> = (0..logins)
        .map(|number| {
            // the other process polls periodically, and logins come at any time in between
            std::thread::sleep(Duration::from_millis(number as u64 * 37 % 250));
            let mut request = Vec::new();
            write_post(&mut request, "/api/v1/sessions", &login_body(number + 1));
            let (status, _, body) = http_client::send_request(&mut stream, &request);
            let at = Instant::now();
            assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
            let response: Value = serde_json::from_slice(&body).unwrap();
            (response["session"]["id"].as_str().unwrap().to_owned(), at)
        })
        .collect();
    let until = Instant::now() + EVENT_TIMEOUT;
    let mut delays: Vec<u32> = answered
        .iter()
        // zero if the event is there before the response
        .map(|(session, at)| to_micros(watch.wait_for(session, until).saturating_duration_since(*at)))
        .collect();
    delays.sort_unstable();
    delays
}
