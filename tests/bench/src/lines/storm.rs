//! Refreshes at a fixed rate while a storm of logins takes all the cores, beside the same without the storm.

use std::time::Duration;

use crate::bench::{Bench, dealt, say};
use crate::line::{Line, Target, between};
use crate::load::{self, Span};
use crate::open;
use crate::till::{Logins, Refreshes};

/// Refreshes a second.
const RATE: u32 = 200;
/// Over how many connections they are spread.
const CONNECTIONS: usize = 64;
/// How many log in at once, each on a till of its own.
const STORM: usize = 32;

pub(crate) fn measure(bench: &Bench) -> Vec<Line> {
    say("refreshes in a storm of logins");
    let store = bench.on_sqlite();
    let server = store.serve(&[]);
    let span = Duration::from_secs(if bench.quick { 4 } else { 15 });
    // those who storm end the sessions that stood on their tills
    let mut clients: Vec<Refreshes> =
        dealt(&store.tokens[STORM..], CONNECTIONS).into_iter().map(Refreshes::of).collect();
    let cell = std::cell::RefCell::new(&mut clients);
    let most = || {
        let clients = std::mem::take(&mut **cell.borrow_mut());
        let (measured, back) = open::run(&server.address, clients, RATE, span, open::From::Due);
        **cell.borrow_mut() = back;
        measured.rate("refreshes at a fixed rate");
        measured.quantile(0.99)
    };
    let mut logins = 0.0;
    let rounds = between(bench.rounds().min(3), most, || {
        let address = server.address.clone();
        let storm = std::thread::spawn(move || {
            let clients = (1..=STORM).map(|till| Logins::of(vec![till])).collect();
            let warm = Duration::from_millis(500);
            load::run(&address, clients, Span { warm, counted: span + Duration::from_secs(1) }).0.rate("the storm")
        });
        std::thread::sleep(Duration::from_secs(1));
        let most = most();
        logins = storm.join().unwrap();
        most
    });
    let line = Line::new(
        "storm",
        "refreshes at 200/s in a storm of logins at 32 connections: 99 of 100 within",
        "ms",
        "the same without the storm",
    )
    .of(rounds, Target::TimesOr(3.0, 20.0))
    .note(format!(
        "counted from the moment at which each was to be sent; the storm came to {logins:.0} logins a second"
    ));
    vec![line]
}
