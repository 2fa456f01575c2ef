//! The memory of a server after it has worked for a while at a fixed rate, and after a rest.

use std::time::Duration;

use crate::benchmark_run::{BenchmarkRun, deal_evenly, log_progress};
use crate::measurement::{Measurement, MeasurementTarget, Round, format_figure};
use crate::open_loop;
use crate::till::ShiftClient;

use super::memory::megabytes;

const REQUESTS_PER_SECOND: u32 = 500;
/// The number of connections over which they are distributed.
const CONNECTION_COUNT: usize = 64;
/// The limit at the end of the load, in megabytes.
const MAX_MEGABYTES_UNDER_LOAD: f64 = 80.0;
/// The limit after the rest, in megabytes.
const MAX_MEGABYTES_AT_REST: f64 = 50.0;

pub(crate) fn measure(bench: &BenchmarkRun) -> Vec<Measurement> {
    let (span, rest) = if bench.quick { (30, 90) } else { (20 * 60, 120) };
    let (span, rest) = (Duration::from_secs(span), Duration::from_secs(rest));
    log_progress(&format!("a mix of requests at {REQUESTS_PER_SECOND}/s for {} s", span.as_secs()));
    let store = bench.on_sqlite();
    let server = store.serve(&[]);
    let shifts = deal_evenly(&store.tokens, CONNECTION_COUNT).into_iter().enumerate();
    // the number of a till is one more than the index of its tokens
    let shifts = shifts.map(|(number, tokens)| ShiftClient::new(number + 1, CONNECTION_COUNT, tokens)).collect();
    let (measured, _) =
        open_loop::run_open_loop(&server.address, shifts, REQUESTS_PER_SECOND, span, open_loop::LatencyStart::Due);
    let worked = megabytes(&server, "VmRSS:");
    measured.rate("the mix");
    let late = measured.quantile(0.99);
    std::thread::sleep(rest);
    let rested = megabytes(&server, "VmRSS:");
    let line = |name, what: String, value, reference| {
        Measurement::new(name, &what, "MB", "the limit")
            .with_rounds(vec![Round { value, reference }], MeasurementTarget::Reference)
    };
    let minutes = format_figure(span.as_secs_f64() / 60.0);
    vec![
        line(
            "soak-end",
            format!("resident memory after {minutes} minutes of mixed requests at {REQUESTS_PER_SECOND}/s"),
            worked,
            MAX_MEGABYTES_UNDER_LOAD,
        )
        .with_note(format!(
            "{} tills; 99 of 100 requests within {late:.0} ms; at most it held {:.0} MB",
            store.tokens.len(),
            megabytes(&server, "VmHWM:")
        )),
        line("soak-rest", format!("resident memory {} s after that", rest.as_secs()), rested, MAX_MEGABYTES_AT_REST),
    ]
}
