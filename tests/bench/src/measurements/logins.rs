//! Logins, compared with the fastest implementation of Argon2id alone, with as many threads as
//! there are cores.

use std::time::Duration;

use crate::benchmark_run::{BenchmarkRun, log_progress};
use crate::load_generator;
use crate::measurement::{Measurement, MeasurementTarget, Round, format_figure, measure_rounds};
use crate::references::argon2id::{Implementation, find_public};
use crate::till::LoginClient;

const CONNECTION_COUNT: usize = 32;

pub(crate) fn measure(bench: &BenchmarkRun) -> Vec<Measurement> {
    let (implementations, missing) = find_public(&bench.folder);
    let short = Duration::from_secs(2);
    // in turn, and the best of each, so that other load on the machine does not decide
    let turns: Vec<Vec<f64>> = (0..3)
        .map(|_| implementations.iter().map(|each| each.rate(BenchmarkRun::core_count(), short)).collect())
        .collect();
    let best = |number: usize| turns.iter().map(|turn| turn[number]).fold(0.0, f64::max);
    let mut tried: Vec<(f64, Implementation)> =
        implementations.into_iter().enumerate().map(|(number, each)| (best(number), each)).collect();
    tried.sort_by(|one, other| other.0.total_cmp(&one.0));
    let others: Vec<String> =
        tried.iter().map(|(rate, each)| format!("{} {}/s", each.name(), format_figure(*rate))).collect();
    let fastest = tried[0].1.clone();
    let beside = format!("{}, bare, {} threads", fastest.name(), BenchmarkRun::core_count());
    let roof = || fastest.rate(BenchmarkRun::core_count(), bench.counted_duration());

    let in_c = tried.iter().map(|(_, each)| each).find(|each| matches!(each, Implementation::Library(..)));
    let bare = in_c.map(|in_c| {
        let beside = format!("{}, bare, {} threads", in_c.name(), BenchmarkRun::core_count());
        let rate = |each: &Implementation| each.rate(BenchmarkRun::core_count(), bench.counted_duration());
        let rounds = measure_rounds(bench.round_count().min(3), || rate(in_c), || rate(&Implementation::Crate));
        Measurement::new("argon2id", "the argon2 crate, bare, as many threads as cores", "/s", &beside)
            .with_rounds(rounds, MeasurementTarget::None)
            .with_note(format!("the best of three turns of two seconds: {}", others.join(", ")))
    });

    log_progress("logins at 32 connections");
    let store = bench.on_sqlite();
    let server = store.serve(&[]);
    let mut clients: Vec<LoginClient> = (1..=CONNECTION_COUNT).map(|till| LoginClient::new(vec![till])).collect();
    // each till logs in once, so that its password is hashed at the current cost
    let (_, back) = load_generator::run_load(
        &server.address,
        std::mem::take(&mut clients),
        load_generator::LoadPhases { warm_up: Duration::ZERO, measured: Duration::from_secs(2) },
    );
    clients = back;
    let costs = "SELECT count(*) FROM credentials WHERE verifier LIKE 'opaque:$argon2id$v=19$m=19456,t=2,p=1$%'";
    assert!(store.query_number(costs) >= CONNECTION_COUNT as i64, "the verifiers are not of the default cost");
    let mut waits = (0.0, 0.0);
    let rounds: Vec<Round> = measure_rounds(bench.round_count(), roof, || {
        let (measured, back) =
            load_generator::run_load(&server.address, std::mem::take(&mut clients), bench.load_phases());
        clients = back;
        waits = (measured.quantile(0.5), measured.quantile(0.99));
        measured.rate("logins")
    });
    let mut logins = Measurement::new("logins", "logins at 32 connections, SQLite", "/s", &beside)
        .with_rounds(rounds, MeasurementTarget::Share(0.85))
        .with_note(format!(
            "in the last round half of them took up to {:.0} ms, 99 of 100 up to {:.0} ms",
            waits.0, waits.1
        ));
    logins.notes.extend(missing);
    bare.into_iter().chain([logins]).collect()
}
