//! From the start of the process to the first answer.

use std::process::Command;
use std::time::Instant;

use crate::bench::{Bench, say};
use crate::line::{Line, Round, Target};
use crate::once;
use crate::server::Server;
use crate::store::{Engine, Store, fresh_folder};
use crate::till::login_body;

const LIMIT: f64 = 100.0;

pub(crate) fn measure(bench: &Bench) -> Vec<Line> {
    say("the start");
    let times = if bench.quick { 5 } else { 15 };
    let ready = (0..times).map(|_| {
        let store = Store::empty(Engine::Sqlite);
        let made = store.command(&["init"], &[]).stdout(std::process::Stdio::null()).status();
        assert!(made.is_ok_and(|made| made.success()), "the database could not be made");
        first(store.command(&["serve"], &[]), |address| once::get(address, "/readyz").0 == 200)
    });
    let ready =
        Line::new("start-ready", "from the start on a new database to the first 200 of /readyz", "ms", "the limit")
            .of(ready.map(|value| Round { value, roof: LIMIT }).collect(), Target::Roof);
    let store = bench.on_sqlite();
    let login = (0..times).map(|_| {
        first(store.command(&["serve"], &[]), |address| {
            let body = login_body(1);
            let length = body.len();
            let request = format!(
                "POST /api/v1/sessions HTTP/1.1\r\nhost: till.example\r\ncontent-type: application/json\r\n\
                 content-length: {length}\r\n\r\n{body}"
            );
            once::send(&mut once::connect(address), request.as_bytes()).0 == 201
        })
    });
    let login = Line::new("start-login", "from the start on a shop's database to the first login", "ms", "the limit")
        .of(login.map(|value| Round { value, roof: LIMIT }).collect(), Target::Roof);
    [ready, login].map(worst).to_vec()
}

fn worst(line: Line) -> Line {
    let worst = line.rounds.iter().map(|round| round.value).fold(0.0, f64::max);
    let times = line.rounds.len();
    line.note(format!("the longest of {times} starts took {worst:.0} ms"))
}

/// Milliseconds until the server has given this answer, asked for as soon as it says where it listens.
fn first(command: Command, answered: impl Fn(&str) -> bool) -> f64 {
    let folder = fresh_folder();
    let begun = Instant::now();
    let server = Server::start(command, folder.join("log"));
    while !answered(&server.address) {}
    let took = begun.elapsed().as_secs_f64() * 1000.0;
    drop(server);
    let _ = std::fs::remove_dir_all(folder);
    took
}
