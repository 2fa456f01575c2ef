//! The benchmarks: what each measures and what its target is.

mod current;
mod dialects;
mod event_delay;
mod growth;
mod lists;
mod logins;
mod memory;
mod office;
mod overload;
mod proofs;
mod refreshes;
mod sealing;
mod soak;
mod start;
mod storm;
mod streams;

use crate::benchmark_run::BenchmarkRun;
use crate::measurement::Measurement;

/// Measures and returns one or more results.
type MeasureFn = fn(&BenchmarkRun) -> Vec<Measurement>;

/// All benchmarks by the name that `--only` takes.
pub(crate) const ALL_MEASUREMENTS: [(&str, MeasureFn); 20] = [
    ("logins", logins::measure),
    ("refreshes-sqlite", refreshes::measure_on_sqlite),
    ("refreshes-postgres", refreshes::measure_on_postgres),
    ("current", current::measure),
    ("proofs", proofs::measure),
    ("enrollments", proofs::measure_enrollments),
    ("dialects", dialects::measure),
    ("storm", storm::measure),
    ("growth", growth::measure),
    ("lists", lists::measure),
    ("sealing", sealing::measure),
    ("start", start::measure),
    ("memory", memory::measure),
    ("office-board", office::measure_board),
    ("office-sessions", office::measure_sessions),
    ("event-delay", event_delay::measure),
    ("streams-memory", streams::measure_memory),
    ("streams-refresh", streams::measure_refreshes),
    ("overload", overload::measure),
    ("soak", soak::measure),
];
