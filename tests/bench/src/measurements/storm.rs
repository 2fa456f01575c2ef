//! Refreshes at a fixed rate while a storm of logins uses all cores, compared with the same without
//! the storm.

use std::time::Duration;

use crate::benchmark_run::{BenchmarkRun, deal_evenly, log_progress};
use crate::load_generator::{self, LoadPhases};
use crate::measurement::{Measurement, MeasurementTarget, measure_rounds};
use crate::open_loop;
use crate::till::{LoginClient, RefreshClient};

const REQUESTS_PER_SECOND: u32 = 200;
/// The number of connections over which they are distributed.
const CONNECTION_COUNT: usize = 64;
/// How many connections log in at the same time, each on its own till.
const STORM_CONNECTIONS: usize = 32;

pub(crate) fn measure(bench: &BenchmarkRun) -> Vec<Measurement> {
    log_progress("refreshes in a storm of logins");
    let store = bench.on_sqlite();
    let server = store.serve(&[]);
    let span = Duration::from_secs(if bench.quick { 4 } else { 15 });
    // the logins of the storm end the sessions that were on their tills
    let mut clients: Vec<RefreshClient> =
        deal_evenly(&store.tokens[STORM_CONNECTIONS..], CONNECTION_COUNT).into_iter().map(RefreshClient::new).collect();
    let cell = std::cell::RefCell::new(&mut clients);
    let most = || {
        let clients = std::mem::take(&mut **cell.borrow_mut());
        let (measured, back) =
            open_loop::run_open_loop(&server.address, clients, REQUESTS_PER_SECOND, span, open_loop::LatencyStart::Due);
        **cell.borrow_mut() = back;
        measured.rate("refreshes at a fixed rate");
        measured.quantile(0.99)
    };
    let mut logins = 0.0;
    let rounds = measure_rounds(bench.round_count().min(3), most, || {
        let address = server.address.clone();
        let storm = std::thread::spawn(move || {
            let clients = (1..=STORM_CONNECTIONS).map(|till| LoginClient::new(vec![till])).collect();
            let warm = Duration::from_millis(500);
            load_generator::run_load(
                &address,
                clients,
                LoadPhases { warm_up: warm, measured: span + Duration::from_secs(1) },
            )
            .0
            .rate("the storm")
        });
        std::thread::sleep(Duration::from_secs(1));
        let most = most();
        logins = storm.join().unwrap();
        most
    });
    let line = Measurement::new(
        "storm",
        "refreshes at 200/s in a storm of logins at 32 connections: 99 of 100 within",
        "ms",
        "the same without the storm",
    )
    .with_rounds(rounds, MeasurementTarget::TimesOr(3.0, 20.0))
    .with_note(format!(
        "counted from the moment at which each was to be sent; the storm came to {logins:.0} logins a second"
    ));
    vec![line]
}
