//! Endurance: tills of every contract with two threads each, programs that sign requests, and an
//! office that ends sessions and changes users, through a proxy that breaks connections, while the
//! server is killed repeatedly.
//!
//! An oracle knows what was answered. What was answered must persist; what was not answered may
//! have happened or not. No till that follows the rules of `docs/tills.md` is logged out, no token
//! of an ended session is accepted, no ticket exists twice, and the audit log is complete after
//! every start. The model's ability to detect errors is tested too: by a till that breaks the
//! rules, and by an oracle with wrong expectations.
//!
//! `ENDURANCE_SEED` repeats the random choices (not the interleaving of threads).
//! `ENDURANCE_SECONDS` sets the duration of the long run on each database, which is part of a
//! thorough test run only (`tests/run thorough`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod api_client;
mod dialect;
mod http;
mod office;
mod oracle;
mod proxy;
mod simulation;
mod till;

use std::time::Duration;

use tillgate_testkit::Random;
use tillgate_tests::{DatabaseEngine, now};

use dialect::TestDialect;
use oracle::PossibleValues;
use simulation::{Simulation, SimulationPlan};

/// A number from an environment variable.
fn read_variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a whole number"))
}

fn read_seed() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a seed that is new each time")]
    let drawn = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() % 1_000_000;
    let seed = read_variable("ENDURANCE_SEED").unwrap_or_else(|| u64::try_from(drawn()).unwrap());
    println!("ENDURANCE_SEED={seed}");
    seed
}

fn run_simulation(engine: DatabaseEngine, plan: SimulationPlan) {
    let began = now();
    let mut random = Random::from_seed(read_seed());
    let (world, server) = Simulation::open(engine, plan, &mut random);
    println!("ready after {:?}", began.elapsed());
    let anomalies = world.run(server, &mut random);
    println!("took {:?}", began.elapsed());
    assert!(anomalies.is_empty(), "{} anomalies:\n{}", anomalies.len(), anomalies.join("\n"));
}

fn short_plan() -> SimulationPlan {
    SimulationPlan::with_faults(Duration::from_secs(4), Duration::from_secs(8), (700, 2500))
}

tillgate_testkit::on_both_databases!(
    simulation_survives_kills_and_broken_connections,
    long_simulation_survives_in_a_thorough_run
);

fn simulation_survives_kills_and_broken_connections(engine: DatabaseEngine) {
    run_simulation(engine, short_plan());
}

/// The same for minutes, with more tills.
fn long_simulation_survives_in_a_thorough_run(engine: DatabaseEngine) {
    if !tillgate_testkit::is_thorough() {
        return;
    }
    let lasting = Duration::from_secs(read_variable("ENDURANCE_SECONDS").unwrap_or(180));
    let plan = SimulationPlan::with_faults(Duration::from_secs(5), lasting, (300, 5000));
    run_simulation(engine, SimulationPlan { tills: 4, users: 15, ..plan });
}

/// Whether exactly this was reported, at least once.
#[track_caller]
fn is_reported(anomalies: &[String], what: &str) {
    assert!(!anomalies.is_empty() && anomalies.iter().all(|anomaly| anomaly.contains(what)), "{what}: {anomalies:?}");
}

#[test]
fn till_that_loses_a_used_response_is_logged_out() {
    let mut random = Random::from_seed(1);
    let (world, _server) =
        Simulation::open(DatabaseEngine::Sqlite, SimulationPlan::without_faults(Duration::from_secs(1)), &mut random);
    let rotates = |contract| contract != TestDialect::PosStar;
    for till in world.tills.iter().filter(|till| rotates(till.dialect)) {
        till.log_in(&world);
        till.reuse_lost_tokens(&world);
        let anomalies = world.anomalies.take();
        is_reported(&anomalies, "logged out");
        assert!(anomalies[0].starts_with(&till.to_string()), "{anomalies:?}");
    }
    // tills that follow the rules are not reported
    for till in &world.tills {
        till.log_in(&world);
        till.refresh(&world, &mut Random::from_seed(0));
        till.refresh(&world, &mut Random::from_seed(0));
    }
    world.check_everything();
    assert_eq!(world.anomalies.take(), [""; 0]);
}

#[test]
fn wrong_oracle_is_contradicted() {
    let mut random = Random::from_seed(2);
    let (world, _server) =
        Simulation::open(DatabaseEngine::Sqlite, SimulationPlan::without_faults(Duration::from_secs(4)), &mut random);
    for till in &world.tills {
        till.log_in(&world);
    }
    office::log_everybody_in(&world);
    world.check_everything();
    assert_eq!(world.anomalies.take(), [""; 0], "it is right so far");
    let honest = world.oracle.lock().unwrap().clone();
    let contradicted = |lie: &dyn Fn(&mut oracle::Oracle), what: &str| {
        let mut lying = honest.clone();
        lie(&mut lying);
        *world.oracle.lock().unwrap() = lying;
        world.check_everything();
        is_reported(&world.anomalies.take(), what);
    };
    contradicted(&|oracle| oracle.users[0].role = PossibleValues::certainly("manager"), "cashier, and may");
    contradicted(
        &|oracle| oracle.users[0].password = PossibleValues::certainly("never set by anybody".to_owned()),
        "password",
    );
    contradicted(
        &|oracle| oracle.users[1].former_passwords.push(tillgate_tests::PASSWORD.to_owned()),
        "former password",
    );
    contradicted(&|oracle| oracle.users[1].active = PossibleValues::certainly(false), "may be active");
    contradicted(&|oracle| oracle.users[0].device_unlocked = PossibleValues::certainly(false), "may be unlocked");
    contradicted(&|oracle| oracle.roles[0].storno = PossibleValues::certainly(true), "may allow storno");
    contradicted(&|oracle| oracle.keys[0].active = PossibleValues::certainly(false), "API key");
    let id = "018f3b3e-0000-7000-8000-000000000000".to_owned();
    contradicted(&|oracle| oracle.tickets.push(("never sold".to_owned(), id.clone())), "never sold");
    // last, since the check tries to refresh sessions that the oracle considers ended
    for till in &world.tills {
        let tokens = till.read_tokens().unwrap();
        contradicted(&|oracle| oracle.ended_tokens.push((till.dialect, tokens.clone())), "token of an ended session");
    }
}
