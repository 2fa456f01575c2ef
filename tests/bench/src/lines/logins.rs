//! Logins, beside what the fastest Argon2id does bare with as many threads as there are cores.

use std::time::Duration;

use crate::bench::{Bench, say};
use crate::line::{Line, Round, Target, between, figure};
use crate::load;
use crate::roofs::argon2id::{Implementation, public};
use crate::till::Logins;

const CONNECTIONS: usize = 32;

pub(crate) fn measure(bench: &Bench) -> Vec<Line> {
    let (implementations, missing) = public(&bench.folder);
    let short = Duration::from_secs(2);
    // in turns, and the best of each, so that what else is at work does not choose
    let turns: Vec<Vec<f64>> =
        (0..3).map(|_| implementations.iter().map(|each| each.rate(Bench::cores(), short)).collect()).collect();
    let best = |number: usize| turns.iter().map(|turn| turn[number]).fold(0.0, f64::max);
    let mut tried: Vec<(f64, Implementation)> =
        implementations.into_iter().enumerate().map(|(number, each)| (best(number), each)).collect();
    tried.sort_by(|one, other| other.0.total_cmp(&one.0));
    let others: Vec<String> = tried.iter().map(|(rate, each)| format!("{} {}/s", each.name(), figure(*rate))).collect();
    let fastest = tried[0].1.clone();
    let beside = format!("{}, bare, {} threads", fastest.name(), Bench::cores());
    let roof = || fastest.rate(Bench::cores(), bench.counted());

    let in_c = tried.iter().map(|(_, each)| each).find(|each| matches!(each, Implementation::Library(..)));
    let bare = in_c.map(|in_c| {
        let beside = format!("{}, bare, {} threads", in_c.name(), Bench::cores());
        let rate = |each: &Implementation| each.rate(Bench::cores(), bench.counted());
        let rounds = between(bench.rounds().min(3), || rate(in_c), || rate(&Implementation::Crate));
        Line::new("argon2id", "the argon2 crate, bare, as many threads as cores", "/s", &beside)
            .of(rounds, Target::None)
            .note(format!("the best of three turns of two seconds: {}", others.join(", ")))
    });

    say("logins at 32 connections");
    let store = bench.on_sqlite();
    let server = store.serve(&[]);
    let mut clients: Vec<Logins> = (1..=CONNECTIONS).map(|till| Logins::of(vec![till])).collect();
    // each logs in once, so that its password is hashed at today's cost
    let (_, back) = load::run(
        &server.address,
        std::mem::take(&mut clients),
        load::Span { warm: Duration::ZERO, counted: Duration::from_secs(2) },
    );
    clients = back;
    let costs = "SELECT count(*) FROM credentials WHERE verifier LIKE 'opaque:$argon2id$v=19$m=19456,t=2,p=1$%'";
    assert!(store.number(costs) >= CONNECTIONS as i64, "the verifiers are not of the default cost");
    let mut waits = (0.0, 0.0);
    let rounds: Vec<Round> = between(bench.rounds(), roof, || {
        let (measured, back) = load::run(&server.address, std::mem::take(&mut clients), bench.span());
        clients = back;
        waits = (measured.quantile(0.5), measured.quantile(0.99));
        measured.rate("logins")
    });
    let mut logins =
        Line::new("logins", "logins at 32 connections, SQLite", "/s", &beside).of(rounds, Target::Share(0.85)).note(
            format!("in the last round half of them took up to {:.0} ms, 99 of 100 up to {:.0} ms", waits.0, waits.1),
        );
    logins.notes.extend(missing);
    bare.into_iter().chain([logins]).collect()
}
