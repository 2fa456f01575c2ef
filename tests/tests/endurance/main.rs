//! Endurance: tills of every contract with two threads each, programs that sign, and an office that ends sessions and changes
//! everybody, through a proxy that breaks connections, while the server is killed again and again.
//!
//! An oracle knows what was answered. What was answered must stand, what was not answered may be either; no till that keeps the rules
//! of `docs/tills.md` is logged out, no token of an ended session is good, no ticket is there twice, and the audit is whole after every
//! start. That the model can see a fault is tested too: by a till that breaks the rules, and by an oracle that lies.
//!
//! `ENDURANCE_SEED` repeats what chance draws (not how threads meet), `ENDURANCE_SECONDS` sets how long the long
//! run takes on each database, of which only a thorough run of the tests is (`tests/run thorough`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod chance;
mod contract;
mod office;
mod oracle;
mod program;
mod proxy;
mod till;
mod wire;
mod world;

use std::time::Duration;

use tillgate_tests::{Engine, now};

use chance::Chance;
use contract::Contract;
use oracle::Fact;
use world::{Plan, World};

/// A number from the environment.
fn set(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a whole number"))
}

fn seed() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a seed that is new each time")]
    let drawn = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() % 1_000_000;
    let seed = set("ENDURANCE_SEED").unwrap_or_else(|| u64::try_from(drawn()).unwrap());
    println!("ENDURANCE_SEED={seed}");
    seed
}

fn endures(engine: Engine, plan: Plan) {
    let began = now();
    let mut chance = Chance::of(seed());
    let (world, server) = World::open(engine, plan, &mut chance);
    println!("ready after {:?}", began.elapsed());
    let anomalies = world.run(server, &mut chance);
    println!("took {:?}", began.elapsed());
    assert!(anomalies.is_empty(), "{} anomalies:\n{}", anomalies.len(), anomalies.join("\n"));
}

fn short() -> Plan {
    Plan::lasting(Duration::from_secs(4), Duration::from_secs(8), (700, 2500))
}

#[test]
fn a_shop_on_sqlite_endures_kills_and_broken_connections() {
    endures(Engine::Sqlite, short());
}

#[test]
fn a_shop_on_postgresql_endures_kills_and_broken_connections() {
    endures(Engine::Postgres, short());
}

/// The same for minutes, with more tills.
#[test]
fn a_shop_endures_for_long() {
    if !tillgate_testkit::thorough() {
        return;
    }
    let lasting = Duration::from_secs(set("ENDURANCE_SECONDS").unwrap_or(180));
    for engine in Engine::ALL {
        println!("on {engine:?}");
        let plan = Plan::lasting(Duration::from_secs(5), lasting, (300, 5000));
        endures(engine, Plan { tills: 4, victims: 15, ..plan });
    }
}

/// Whether exactly this was reported, once at least.
#[track_caller]
fn reported(anomalies: &[String], what: &str) {
    assert!(!anomalies.is_empty() && anomalies.iter().all(|anomaly| anomaly.contains(what)), "{what}: {anomalies:?}");
}

#[test]
fn a_till_that_uses_an_answer_and_loses_it_is_seen_to_be_logged_out() {
    let mut chance = Chance::of(1);
    let (world, _server) = World::open(Engine::Sqlite, Plan::quiet(Duration::from_secs(1)), &mut chance);
    let rotates = |contract| contract != Contract::PosStar;
    for till in world.tills.iter().filter(|till| rotates(till.contract)) {
        till.log_in(&world);
        till.break_the_rule(&world);
        let anomalies = world.journal.take();
        reported(&anomalies, "logged out");
        assert!(anomalies[0].starts_with(&till.to_string()), "{anomalies:?}");
    }
    // and one that keeps to it is not
    for till in &world.tills {
        till.log_in(&world);
        till.refresh(&world, &mut Chance::of(0));
        till.refresh(&world, &mut Chance::of(0));
    }
    world.look_at_everything();
    assert_eq!(world.journal.take(), [""; 0]);
}

#[test]
fn an_oracle_that_lies_is_contradicted() {
    let mut chance = Chance::of(2);
    let (world, _server) = World::open(Engine::Sqlite, Plan::quiet(Duration::from_secs(4)), &mut chance);
    for till in &world.tills {
        till.log_in(&world);
    }
    office::greet(&world);
    world.look_at_everything();
    assert_eq!(world.journal.take(), [""; 0], "it is right so far");
    let honest = world.oracle.lock().unwrap().clone();
    let contradicted = |lie: &dyn Fn(&mut oracle::Oracle), what: &str| {
        let mut lying = honest.clone();
        lie(&mut lying);
        *world.oracle.lock().unwrap() = lying;
        world.look_at_everything();
        reported(&world.journal.take(), what);
    };
    contradicted(&|oracle| oracle.victims[0].role = Fact::of("manager"), "cashier, and may");
    contradicted(&|oracle| oracle.victims[0].password = Fact::of("never set by anybody".to_owned()), "password");
    contradicted(&|oracle| oracle.victims[1].former.push(tillgate_tests::PASSWORD.to_owned()), "former password");
    contradicted(&|oracle| oracle.victims[1].active = Fact::of(false), "may be active");
    contradicted(&|oracle| oracle.victims[0].unlocked = Fact::of(false), "may be unlocked");
    contradicted(&|oracle| oracle.roles[0].storno = Fact::of(true), "may allow storno");
    contradicted(&|oracle| oracle.keys[0].active = Fact::of(false), "API key");
    let id = "018f3b3e-0000-7000-8000-000000000000".to_owned();
    contradicted(&|oracle| oracle.tickets.push(("never sold".to_owned(), id.clone())), "never sold");
    // last, since what the oracle takes for dead it tries to refresh
    for till in &world.tills {
        let tokens = till.read().unwrap();
        contradicted(&|oracle| oracle.dead.push((till.contract, tokens.clone())), "token of an ended session");
    }
}
