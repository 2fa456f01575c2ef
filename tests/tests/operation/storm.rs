//! Power cuts during many refreshes: answered refreshes persist, and ended sessions stay ended.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tillgate_testkit::postgres::Server;
use tillgate_tests::{DatabaseEngine, Installation, RunningServer, TillClient};

const TILL_COUNT: usize = 12;
const STORM_DURATION: Duration = Duration::from_millis(1500);
const LONGEST_STORM: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(10);

/// Runs tills that refresh as fast as they are answered until there is no response, and one that
/// logs in and out. The cut comes when the storm has lasted and one logout was answered, which
/// takes longer on a slow machine. Returns the tills with their stored tokens, and the sessions
/// whose logout was answered.
fn run_storm(server: &RunningServer, cut: impl FnOnce()) -> (Vec<TillClient>, Vec<TillClient>) {
    let over = AtomicBool::new(false);
    let logouts = AtomicUsize::new(0);
    let start = |_| server.new_till().login("cashier", "OFFICE");
    let mut tills: Vec<TillClient> = (0..TILL_COUNT).map(start).collect();
    let ended = std::thread::scope(|scope| {
        for till in &mut tills {
            let over = &over;
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let Ok(response) = till.try_refresh() else { break };
                    assert!([200, 503].contains(&response.status()), "{}", response.text());
                    if let Ok(current) = till.try_get("/api/v1/sessions/current") {
                        assert!([200, 503].contains(&current.status()), "{}", current.text());
                    }
                }
            });
        }
        let leaving = scope.spawn(|| {
            let mut ended = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let Some(till) = server.new_till().try_login("manager", "OFFICE") else { continue };
                if till
                    .try_call("DELETE", "/api/v1/sessions/current", None)
                    .is_ok_and(|response| response.status() == 204)
                {
                    ended.push(till);
                    logouts.fetch_add(1, Ordering::Relaxed);
                }
            }
            ended
        });
        std::thread::sleep(STORM_DURATION);
        // not wait_until: the other threads would outlive its panic
        let mut waited = STORM_DURATION;
        while logouts.load(Ordering::Relaxed) == 0 && !leaving.is_finished() && waited < LONGEST_STORM {
            std::thread::sleep(PAUSE);
            waited += PAUSE;
        }
        cut();
        over.store(true, Ordering::Relaxed);
        leaving.join().unwrap()
    });
    assert!(!ended.is_empty(), "nobody left before the cut");
    (tills, ended)
}

fn check_tills(server: &RunningServer, tills: Vec<TillClient>, ended: Vec<TillClient>) {
    for mut till in tills.into_iter().map(|till| till.at_server(server.address())) {
        till.refresh().expect_status(200);
        till.get_current_session().expect_status(200);
    }
    for mut till in ended.into_iter().map(|till| till.at_server(server.address())) {
        till.get_current_session().expect_status(401);
        till.refresh().expect_status(401);
    }
}

tillgate_testkit::on_both_databases!(
    killed_server_keeps_acknowledged_writes,
    sixteen_threads_with_one_refresh_token_get_one_successor,
    older_refresh_token_ends_the_session_after_the_overlap
);

fn killed_server_keeps_acknowledged_writes(engine: DatabaseEngine) {
    let installation = Installation::new(engine).with_setting("SESSIONS__OVERLAP", "0s");
    installation.create_demo_shop();
    let server = installation.serve();
    let (tills, ended) = run_storm(&server, || server.send_signal(rustix::process::Signal::KILL));
    server.kill();
    check_tills(&installation.serve(), tills, ended);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn crashed_postgresql_keeps_acknowledged_writes() {
    let database = Server::start(&[]).unwrap();
    let installation = Installation::with_database(DatabaseEngine::Postgres, database.create_database())
        .with_setting("SESSIONS__OVERLAP", "0s");
    installation.create_demo_shop();
    let server = installation.serve();
    let (tills, ended) = run_storm(&server, || {
        database.crash().unwrap();
        database.resume().unwrap();
    });
    server.wait_until_ready();
    check_tills(&server, tills, ended);
}

fn sixteen_threads_with_one_refresh_token_get_one_successor(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let till = server.new_till().login("cashier", "P01");
    let responses: Vec<String> = std::thread::scope(|scope| {
        let refresh = || {
            let mut mine = till.clone();
            mine.refresh().expect_status(200);
            mine.get_current_session().expect_status(200);
            mine.refresh
        };
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(refresh)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(responses.iter().all(|response| *response == responses[0] && *response != till.refresh), "{responses:?}");
}

fn older_refresh_token_ends_the_session_after_the_overlap(engine: DatabaseEngine) {
    let installation = Installation::new(engine).with_setting("SESSIONS__OVERLAP", "1s");
    installation.create_demo_shop();
    let server = installation.serve();
    let thief = server.new_till().login("cashier", "P01");
    let mut till = thief.clone();
    till.refresh().expect_status(200);
    till.get_current_session().expect_status(200);
    std::thread::sleep(Duration::from_millis(1200));
    let mut late = thief.clone();
    assert_eq!(late.refresh().expect_status(401).json()["code"], "token_replayed");
    assert_eq!(till.get_current_session().expect_status(401).json()["code"], "session_over");
    till.refresh().expect_status(401);
}
