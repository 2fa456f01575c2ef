//! Random histories of one session.
//!
//! A till with one or two threads is killed, loses messages and retries, and reads its file for
//! each attempt or once for all; a thief copies its token; clocks step, also by days and while no
//! process runs; processes have different clocks and restart; outages last longer than the grace
//! period; another database server takes over; the store is rolled back. The properties that must
//! hold:
//!
//! 1. Nothing outlives its terms, and nothing that has ended is granted again.
//! 2. A client that stores a response before it uses it, and keeps the newer of two, is never
//!    denied.
//! 3. Presenting the predecessor of a token that was in use for a grace period or more, to a
//!    process that can vouch for that time, ends the session, and so does presenting an older one.
//!    A thief who uses the copied token is therefore detected when either presents a token whose
//!    successor has been used, a grace period or more after the rotation, but not a thief who
//!    refreshes within the grace period, or always just before the till.
//!
//! `HISTORIES` sets the number of histories of each test. `HISTORIES_SEED` repeats the one that a
//! failure names, and prints it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unchecked_time_subtraction,
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    clippy::cast_possible_truncation,
    reason = "a failed expectation fails the test"
)]

#[path = "histories/engine.rs"]
mod engine;
#[path = "histories/exceptions.rs"]
mod exceptions;
#[path = "histories/exhaustive.rs"]
mod exhaustive;
#[path = "histories/history.rs"]
mod history;
#[path = "histories/kind.rs"]
mod kind;
#[path = "histories/model.rs"]
mod model;
#[path = "histories/mutants.rs"]
mod mutants;
#[path = "histories/server.rs"]
mod server;
#[path = "histories/till.rs"]
mod till;

use std::time::Duration;

use tillgate_testkit::{Random, costly_histories, histories};

use engine::Engines;
use history::History;
use kind::{HistoryCounts, Kind, PropertyViolation};
use model::Model;
use server::{Machines, Terms};

/// The seeds of a test with this number of histories, or the single seed in `HISTORIES_SEED`, to
/// repeat one of them.
fn seeds(histories: u32) -> std::ops::RangeInclusive<u64> {
    match std::env::var("HISTORIES_SEED") {
        Ok(seed) => {
            let seed = seed.parse().unwrap();
            seed..=seed
        }
        Err(_) => 1..=u64::from(histories),
    }
}

/// Runs one history on the model with this judge.
fn on_model(kind: Kind, seed: u64, judge: model::Judge) -> Result<HistoryCounts, PropertyViolation> {
    let (kind, mut random) = (kind.of(seed), Random::from_seed(seed));
    let terms = Terms::draw(&mut random);
    let machines = Machines::draw(kind, &mut random);
    History::new(kind, random, Model::new(judge, terms, &machines)).run()
}

/// Runs histories of a kind on the model, and fails with the seed of the first one that violates a
/// property.
fn all_hold(kind: Kind) {
    let mut counted = HistoryCounts::default();
    for seed in seeds(histories()) {
        match on_model(kind, seed, tillgate_auth_core::judge::judge) {
            Ok(more) => counted.add(&more),
            Err(broken) => panic!("HISTORIES_SEED={seed}: {broken}"),
        }
    }
    println!("{kind:?}: {counted:?}");
    if std::env::var_os("HISTORIES_SEED").is_none() {
        counted.assert_lively(kind);
    }
}

#[test]
fn single_thread_is_never_logged_out() {
    all_hold(Kind { threads: 1, ..Kind::WILD });
}

#[test]
fn two_threads_are_never_logged_out() {
    all_hold(Kind { threads: 2, ..Kind::WILD });
}

/// The threads keep the token that they have read until a response comes, for three eighths of the
/// grace period of service.
#[test]
fn two_threads_that_read_their_file_once_are_never_logged_out_by_an_outage() {
    all_hold(Kind { threads: 2, reads_once: true, ..Kind::WILD });
}

#[test]
fn thief_is_caught() {
    all_hold(Kind { threads: 1, thief: true, ..Kind::WILD });
}

#[test]
fn thief_among_two_threads_is_caught() {
    all_hold(Kind { threads: 2, thief: true, ..Kind::WILD });
}

#[test]
fn client_that_uses_before_storing_is_counted() {
    let kind = Kind { threads: 1, careless: true, ..Kind::WILD };
    let mut counted = HistoryCounts::default();
    for seed in seeds(histories()) {
        match on_model(kind, seed, tillgate_auth_core::judge::judge) {
            Ok(more) => counted.add(&more),
            Err(broken) => panic!("HISTORIES_SEED={seed}: {broken}"),
        }
    }
    println!("{} careless clients of {} were logged out", counted.logged_out, counted.histories);
    assert!(counted.logged_out > 0, "the promise would need no condition");
}

#[test]
fn engine_matches_model() {
    for seed in seeds(costly_histories()) {
        for kind in [
            Kind { threads: 1, ..Kind::WILD },
            Kind { threads: 2, ..Kind::WILD },
            Kind { threads: 2, reads_once: true, ..Kind::WILD },
            Kind { threads: 2, thief: true, ..Kind::WILD },
        ] {
            let (kind, mut random) = (kind.of(seed), Random::from_seed(seed));
            let terms = Terms::draw(&mut random);
            let machines = Machines::draw(kind, &mut random);
            let history = History::new(kind, random, Engines::new(terms, &machines));
            if let Err(broken) = history.run() {
                panic!("HISTORIES_SEED={seed}, {kind:?}, on the engine: {broken}");
            }
        }
    }
}

/// Both refresh at least a grace period apart and use the response immediately: the second one ends
/// the session.
#[test]
fn thief_is_detected_at_next_refresh() {
    for seed in seeds(histories()) {
        let mut random = Random::from_seed(seed);
        let mut model = Model::new(tillgate_auth_core::judge::judge, Terms::draw(&mut random), &Machines::one());
        exceptions::greedy(&mut model, &mut random).unwrap_or_else(|why| panic!("HISTORIES_SEED={seed}: {why}"));
    }
}

const OVERLAP: Duration = Duration::from_mins(2);
