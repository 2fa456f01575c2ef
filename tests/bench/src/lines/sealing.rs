//! Logins while many lines of the audit wait for their seals, beside the same logins without any.

use crate::bench::{Bench, say};
use crate::fill;
use crate::line::{Line, Target, between, figure};
use crate::load;
use crate::store::Store;
use crate::till::Logins;

const CONNECTIONS: usize = 8;
const WAITING: &str = "SELECT count(*) FROM audit WHERE sequence IS NULL";

pub(crate) fn measure(bench: &Bench) -> Vec<Line> {
    let lines = if bench.quick { 100_000 } else { 3_000_000 };
    let (quiet, busy) = (bench.on_sqlite(), bench.on_sqlite());
    say(&format!("filling SQLite with {lines} lines without seals"));
    busy.sql(&fill::unsealed_lines(&busy.engine, lines));
    busy.sql("PRAGMA wal_checkpoint(TRUNCATE); ANALYZE;");
    say("logins beside the sealing");
    let rounds = between(bench.rounds(), || slowest(bench, &quiet), || slowest(bench, &busy));
    let left = busy.number(WAITING);
    assert!(left > 0, "the backlog is too small: it was sealed before the end of the measurement");
    let sealed = lines as f64 - left as f64;
    let line = Line::new(
        "sealing-backlog",
        &format!(
            "99 of 100 logins at {CONNECTIONS} connections within, while {lines} lines of the audit are sealed, SQLite"
        ),
        "ms",
        "without a backlog",
    )
    .of(rounds, Target::Times(1.3))
    .note(format!("{} lines were sealed meanwhile", figure(sealed)));
    vec![line]
}

/// Within how many milliseconds 99 of 100 logins were answered by a server that has just started over the store. It ends before the
/// next does, so that nothing is sealed beside the quiet one.
fn slowest(bench: &Bench, store: &Store) -> f64 {
    let server = store.serve(&[]);
    let clients = (1..=CONNECTIONS).map(|till| Logins::of(vec![till])).collect();
    let (measured, _) = load::run(&server.address, clients, bench.span());
    assert!(measured.wrong.is_empty(), "wrong answers by status: {:?}", measured.wrong);
    measured.quantile(0.99)
}
