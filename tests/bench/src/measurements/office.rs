//! The back office of a shop with many live sessions: the board in a browser, and the list of
//! sessions.

use std::rc::Rc;
use std::time::Instant;

use serde_json::{Value, json};
use tillgate_testkit::postgres::Server;

use crate::benchmark_run::{BenchmarkRun, log_progress};
use crate::http_client;
use crate::load_generator::{quantile, to_micros};
use crate::measurement::{Measurement, MeasurementTarget, Round, format_figure, median};
use crate::store::{BenchStore, Engine, log_in_admin};
use crate::till::{PASSWORD, write_authorized};
use crate::webdriver::Browser;

/// The number of live sessions.
const SESSION_COUNT: usize = 30_000;
/// The number of tills on the board, each with somebody logged in. The page reads them in pages of
/// 200.
const TILL_COUNT: usize = 1_000;
/// The limit for the board, in milliseconds.
const MAX_BOARD_MILLIS: f64 = 1_000.0;
/// The first page of the page "Sessions", as it requests it.
const FIRST_PAGE: &str = "GET /api/v1/sessions?sort=-created_at&live=true&limit=50";
/// The limit for it, in milliseconds.
const MAX_PAGE_MILLIS: f64 = 300.0;
/// How often a round requests it.
const PAGES_PER_ROUND: usize = 200;

pub(crate) fn measure_board(bench: &BenchmarkRun) -> Vec<Measurement> {
    let Some(browser) = Browser::start() else {
        log_progress("office-board is skipped: it requires Chromium and chromedriver");
        return Vec::new();
    };
    let server = Rc::new(Server::start(&[]).unwrap());
    let address = server.create_database();
    let postgres = Engine::Postgres(server, address.rsplit('/').next().unwrap().to_owned());
    [("office-board-sqlite", "SQLite", Engine::Sqlite), ("office-board-postgres", "PostgreSQL", postgres)]
        .map(|(name, on, engine)| measure_board_on(bench, &browser, name, on, engine))
        .to_vec()
}

fn measure_board_on(
    bench: &BenchmarkRun,
    browser: &Browser,
    name: &'static str,
    on: &str,
    engine: Engine,
) -> Measurement {
    let sessions = format_figure(SESSION_COUNT as f64);
    log_progress(&format!("the board with {sessions} live sessions, {on}"));
    let store = BenchStore::with_tills(engine, TILL_COUNT);
    store.insert_sessions(SESSION_COUNT);
    let server = store.serve(&[]);
    let office = format!("http://{}/office", server.address);
    sign_in(browser, &office);
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": WATCH_BOARD }));
    let mut rows = 0;
    let rounds = (0..bench.round_count()).map(|_| {
        browser.devtools("Network.clearBrowserCache", &json!({}));
        browser.open(&office);
        let board = browser.wait_for("the board", "return window.boardWatch ?? null");
        rows = board["rows"].as_u64().unwrap();
        Round { value: board["at"].as_f64().unwrap(), reference: MAX_BOARD_MILLIS }
    });
    let rounds = rounds.collect();
    assert!(rows >= TILL_COUNT as u64, "the board shows {rows} devices");
    let what = format!("from opening /office to the board with {sessions} live sessions, {on}");
    Measurement::new(name, &what, "ms", "the limit").with_rounds(rounds, MeasurementTarget::Reference).with_note(
        format!("headless Chromium on the same cores, its cache empty; the board shows {rows} tills, {TILL_COUNT} of them in use"),
    )
}

/// Notes when the board is shown and the page accepts input again, and the number of its devices.
const WATCH_BOARD: &str = "
    const look = () => {
      const rows = document.querySelectorAll('.board [data-row]').length;
      if (!rows) return requestAnimationFrame(look);
      requestAnimationFrame(() => setTimeout(() => { window.boardWatch = { at: performance.now(), rows }; }));
    };
    requestAnimationFrame(look);";

fn sign_in(browser: &Browser, office: &str) {
    browser.open(&format!("{office}/sign-in"));
    let submit = format!(
        "document.querySelector('#login').value = 'admin'; document.querySelector('#password').value = '{PASSWORD}'; \
         document.querySelector('form').submit(); return true"
    );
    browser.wait_for("the sign-in page", &submit);
    let is_signed_in =
        "return location.pathname.endsWith('sign-in') || document.readyState !== 'complete' ? null : true";
    browser.wait_for("the end of the sign-in", is_signed_in);
}

pub(crate) fn measure_sessions(bench: &BenchmarkRun) -> Vec<Measurement> {
    vec![
        measure_sessions_on(bench, "office-sessions-sqlite", "SQLite", &bench.on_sqlite()),
        measure_sessions_on(bench, "office-sessions-postgres", "PostgreSQL", &bench.on_postgres()),
    ]
}

fn measure_sessions_on(bench: &BenchmarkRun, name: &'static str, on: &str, store: &BenchStore) -> Measurement {
    let sessions = format_figure(SESSION_COUNT as f64);
    log_progress(&format!("the list of {sessions} live sessions, {on}"));
    store.insert_sessions(SESSION_COUNT);
    let server = store.serve(&[]);
    let access = log_in_admin(&server.address).access;
    let mut medians = Vec::new();
    let rounds = (0..bench.round_count()).map(|_| {
        let micros = measure_pages(&server.address, &access);
        medians.push(quantile(&micros, 0.5));
        Round { value: quantile(&micros, 0.99), reference: MAX_PAGE_MILLIS }
    });
    let rounds = rounds.collect();
    let what = format!("the first page of {sessions} live sessions over HTTP, {on}: 99 of 100 within");
    Measurement::new(name, &what, "ms", "the limit").with_rounds(rounds, MeasurementTarget::Reference).with_note(
        format!(
            "50 sessions, newest first, {PAGES_PER_ROUND} requests one after the other; the median is {:.1} ms",
            median(medians.into_iter())
        ),
    )
}

/// The durations of the first page in microseconds, sorted.
fn measure_pages(address: &str, access: &str) -> Vec<u32> {
    let mut stream = http_client::connect(address);
    let mut request = Vec::new();
    write_authorized(&mut request, access, FIRST_PAGE, "", "");
    let mut micros: Vec<u32> = (0..PAGES_PER_ROUND)
        .map(|_| {
            let sent = Instant::now();
            let (status, _, body) = http_client::send_request(&mut stream, &request);
            let took = to_micros(sent.elapsed());
            let page: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!((status, page["items"].as_array().map(Vec::len)), (200, Some(50)), "{page}");
            took
        })
        .collect();
    micros.sort_unstable();
    micros
}
