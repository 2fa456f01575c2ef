//! The memory of a server that has worked for a while at a fixed rate, and once it has rested.

use std::time::Duration;

use crate::bench::{Bench, dealt, say};
use crate::line::{Line, Round, Target, figure};
use crate::open;
use crate::till::Shift;

use super::memory::held;

/// Requests a second.
const RATE: u32 = 500;
/// Over how many connections they are spread.
const CONNECTIONS: usize = 64;
/// Megabytes that it may hold at the end.
const WORKED: f64 = 80.0;
/// Megabytes that it may hold once it has rested.
const RESTED: f64 = 50.0;

pub(crate) fn measure(bench: &Bench) -> Vec<Line> {
    let (span, rest) = if bench.quick { (30, 90) } else { (20 * 60, 120) };
    let (span, rest) = (Duration::from_secs(span), Duration::from_secs(rest));
    say(&format!("a mix of requests at {RATE}/s for {} s", span.as_secs()));
    let store = bench.on_sqlite();
    let server = store.serve(&[]);
    let shifts = dealt(&store.tokens, CONNECTIONS).into_iter().enumerate();
    // a till's number is one more than its place among the tokens
    let shifts = shifts.map(|(number, tokens)| Shift::of(number + 1, CONNECTIONS, tokens)).collect();
    let (measured, _) = open::run(&server.address, shifts, RATE, span, open::From::Due);
    let worked = held(&server, "VmRSS:");
    measured.rate("the mix");
    let late = measured.quantile(0.99);
    std::thread::sleep(rest);
    let rested = held(&server, "VmRSS:");
    let line = |name, what: String, value, roof| {
        Line::new(name, &what, "MB", "the limit").of(vec![Round { value, roof }], Target::Roof)
    };
    let minutes = figure(span.as_secs_f64() / 60.0);
    vec![
        line(
            "soak-end",
            format!("resident memory after {minutes} minutes of mixed requests at {RATE}/s"),
            worked,
            WORKED,
        )
        .note(format!(
            "{} tills; 99 of 100 requests within {late:.0} ms; at most it held {:.0} MB",
            store.tokens.len(),
            held(&server, "VmHWM:")
        )),
        line("soak-rest", format!("resident memory {} s after that", rest.as_secs()), rested, RESTED),
    ]
}
