//! What a refresh and an authenticated request cost with a million sessions in the store, beside ten thousand.

use crate::bench::{Bench, dealt, say};
use crate::line::{Line, Target, between, figure};
use crate::load;
use crate::server::Server;
use crate::store::Store;
use crate::till::{Refreshes, Whoami};

const FEW: usize = 10_000;
const CONNECTIONS: usize = 64;

pub(crate) fn measure(bench: &Bench) -> Vec<Line> {
    let names = ["growth-refresh-sqlite", "growth-authenticate-sqlite"];
    let mut lines = of(bench, names, "SQLite", &[bench.on_sqlite(), bench.on_sqlite()]);
    let names = ["growth-refresh-postgres", "growth-authenticate-postgres"];
    lines.extend(of(bench, names, "PostgreSQL", &[bench.on_postgres(), bench.on_postgres()]));
    lines
}

fn of(bench: &Bench, [refresh, authenticate]: [&'static str; 2], on: &str, [few, many]: &[Store; 2]) -> Vec<Line> {
    let crowd = if bench.quick { 100_000 } else { 1_000_000 };
    say(&format!("filling {on} with {crowd} sessions"));
    few.fill(FEW);
    many.fill(crowd);
    say(&format!("the cost with {crowd} sessions, {on}"));
    let (mut few, mut many) = (Load::over(few), Load::over(many));
    let beside = format!("with {}", figure(FEW as f64));
    let crowd = figure(crowd as f64);
    let rounds = between(bench.rounds(), || few.refreshes(bench), || many.refreshes(bench));
    let processor = many.processor / few.processor;
    let refreshes = Line::new(refresh, &format!("a refresh with {crowd} sessions, {on}"), "µs", &beside)
        .of(rounds, Target::Times(1.3))
        .note(format!("seconds by answers at 64 connections, with {} of the sessions in turn", bench.tills()))
        .note(format!("of the server's processor time a refresh takes {processor:.2} times as much"));
    let rounds = between(bench.rounds(), || few.authenticates(bench), || many.authenticates(bench));
    let authenticates =
        Line::new(authenticate, &format!("an authenticated request with {crowd} sessions, {on}"), "µs", &beside)
            .of(rounds, Target::Times(1.3));
    vec![refreshes, authenticates]
}

struct Load<'a> {
    server: Server,
    _store: &'a Store,
    sessions: Vec<Refreshes>,
    /// Seconds of the server's processor time for each refresh of the last round.
    processor: f64,
}

impl<'a> Load<'a> {
    fn over(store: &'a Store) -> Self {
        let sessions = dealt(&store.tokens, CONNECTIONS).into_iter().map(Refreshes::of).collect();
        Self { server: store.serve(&[]), _store: store, sessions, processor: f64::NAN }
    }

    fn refreshes(&mut self, bench: &Bench) -> f64 {
        let before = self.server.processor();
        let (measured, sessions) = load::run(&self.server.address, std::mem::take(&mut self.sessions), bench.span());
        self.sessions = sessions;
        let span = bench.span();
        // the warming up takes its share of the time
        let share = measured.seconds / (span.warm + span.counted).as_secs_f64();
        self.processor = (self.server.processor() - before) * share / measured.count as f64;
        1e6 / measured.rate("refreshes")
    }

    fn authenticates(&mut self, bench: &Bench) -> f64 {
        let clients = self.sessions.iter().map(|refreshes| Whoami::of(&refreshes.sessions)).collect();
        1e6 / load::run(&self.server.address, clients, bench.span()).0.rate("who am I")
    }
}
