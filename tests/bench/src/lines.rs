//! The lines of the results, each with what it measures and what it promises.

mod current;
mod dialects;
mod growth;
mod lists;
mod logins;
mod memory;
mod overload;
mod refreshes;
mod sealing;
mod soak;
mod start;
mod storm;

use crate::bench::Bench;
use crate::line::Line;

/// Measures, and says what it found in one line or more.
type Measure = fn(&Bench) -> Vec<Line>;

/// Everything that is measured, by the name that `--only` takes.
pub(crate) const ALL: [(&str, Measure); 13] = [
    ("logins", logins::measure),
    ("refreshes-sqlite", refreshes::on_sqlite),
    ("refreshes-postgres", refreshes::on_postgres),
    ("current", current::measure),
    ("dialects", dialects::measure),
    ("storm", storm::measure),
    ("growth", growth::measure),
    ("lists", lists::measure),
    ("sealing", sealing::measure),
    ("start", start::measure),
    ("memory", memory::measure),
    ("overload", overload::measure),
    ("soak", soak::measure),
];
