//! Who am I, beside a handler of actix that sends the same bytes and headers and logs the same.

use crate::bench::{Bench, say};
use crate::line::{Line, Target, between};
use crate::load::{self, Client};
use crate::once;
use crate::roofs::handler;
use crate::server::Server;
use crate::till::Whoami;

const CONNECTIONS: usize = 64;

pub(crate) fn measure(bench: &Bench) -> Vec<Line> {
    say("who am I");
    let store = bench.on_sqlite();
    let server = store.serve(&[]);
    let clients = || store.tokens.iter().take(CONNECTIONS).map(|tokens| Whoami::of(std::slice::from_ref(tokens)));
    let mut request = Vec::new();
    clients().next().unwrap().ask(&mut request);
    let (status, head, body) = once::send(&mut once::connect(&server.address), &request);
    assert_eq!(status, 200, "{head}");
    let bare = Server::start(handler::command(&bench.folder, &head, &body), bench.folder.join("bare.log"));
    let (status, bare_head, bare_body) = once::send(&mut once::connect(&bare.address), &request);
    assert_eq!(
        (status, sorted(&bare_head), bare_body),
        (200, sorted(&head), body),
        "the bare handler sends something else"
    );
    let rate = |address: &str, what| load::run(address, clients().collect(), bench.span()).0.rate(what);
    let rounds =
        between(bench.rounds(), || rate(&bare.address, "the bare handler"), || rate(&server.address, "who am I"));
    let beside = "a bare actix handler, the same bytes, the access log on";
    let line = Line::new("current", "GET /api/v1/sessions/current at 64 connections", "/s", beside)
        .of(rounds, Target::Share(0.6));
    vec![line]
}

/// The lines of a head without what differs from answer to answer.
fn sorted(head: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = head
        .lines()
        .map(|line| {
            line.split_once(": ")
                .filter(|(name, _)| ["date", "x-request-id"].contains(name))
                .map_or(line, |(name, _)| name)
        })
        .collect();
    lines.sort_unstable();
    lines
}
