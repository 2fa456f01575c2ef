//! Refreshes that rotate and are on the disk before they are answered: on SQLite beside a bare loop, on PostgreSQL beside pgbench.

use std::time::Duration;

use crate::bench::{Bench, dealt, say};
use crate::line::{Line, Round, Target, between, figure};
use crate::load;
use crate::roofs::{pgbench::Pgbench, sqlite};
use crate::server::Server;
use crate::store::{Engine, Store};
use crate::till::Refreshes;

const CONNECTIONS: usize = 64;

pub(crate) fn on_sqlite(bench: &Bench) -> Vec<Line> {
    say("refreshes on SQLite");
    let (store, bare) = (bench.on_sqlite(), bench.on_sqlite());
    let server = store.serve(&[]);
    let mut load = Load::over(&store, &server);
    let rounds = between(bench.rounds(), || sqlite::rate(&bare.file(), bench.counted()), || load.rate(bench));
    let beside = format!("a bare loop of the same statements, {} in a commit", sqlite::GROUP);
    let line = Line::new("refreshes-sqlite", "durable refreshes at 64 connections, SQLite", "/s", &beside)
        .of(rounds, Target::Share(0.5));
    vec![line.note(load.said)]
}

pub(crate) fn on_postgres(bench: &Bench) -> Vec<Line> {
    say("refreshes on PostgreSQL");
    let (store, bare) = (bench.on_postgres(), bench.on_postgres());
    let Engine::Postgres(postgres, name) = &bare.engine else { unreachable!() };
    let pgbench = Pgbench::new(postgres, name, bench.tills(), &bench.folder);
    // the count of clients that is best for pgbench
    let short = Duration::from_secs(if bench.quick { 1 } else { 4 });
    let tried: Vec<(usize, f64)> = [8, 16, 32, 64].map(|clients| (clients, pgbench.rate(clients, short))).to_vec();
    let best = tried.iter().max_by(|one, other| one.1.total_cmp(&other.1)).map_or(64, |(clients, _)| *clients);
    let server = store.serve(&[]);
    let mut load = Load::over(&store, &server);
    let rounds: Vec<Round> = between(bench.rounds(), || pgbench.rate(best, bench.counted()), || load.rate(bench));
    let beside = format!("pgbench, the same statements, prepared, {best} clients");
    let tried: Vec<String> =
        tried.iter().map(|(clients, rate)| format!("{} at {clients} clients", figure(*rate))).collect();
    let line = Line::new("refreshes-postgres", "durable refreshes at 64 connections, PostgreSQL", "/s", &beside)
        .of(rounds, Target::Share(0.4))
        .note(load.said)
        .note(format!("pgbench tried once, transactions a second: {}", tried.join(", ")));
    vec![line]
}

struct Load<'a> {
    server: &'a Server,
    clients: Vec<Refreshes>,
    /// What else there is to say of the last round.
    said: String,
}

impl<'a> Load<'a> {
    fn over(store: &Store, server: &'a Server) -> Self {
        let clients = dealt(&store.tokens, CONNECTIONS).into_iter().map(Refreshes::of).collect();
        Self { server, clients, said: String::new() }
    }

    fn rate(&mut self, bench: &Bench) -> f64 {
        let (measured, clients) = load::run(&self.server.address, std::mem::take(&mut self.clients), bench.span());
        self.clients = clients;
        let (half, most) = (measured.quantile(0.5), measured.quantile(0.99));
        self.said = format!("in the last round half of them took up to {half:.1} ms, 99 of 100 up to {most:.1} ms");
        measured.rate("refreshes")
    }
}
