//! Power cuts in a storm of refreshes: what was answered stands, what was ended stays ended.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tillgate_testkit::postgres::Server;
use tillgate_tests::{Engine, Installation, Running, Till, eventually, on_both};

const TILLS: usize = 12;
const STORM: Duration = Duration::from_millis(1500);

/// Tills that refresh as fast as they are answered until there is no answer, and one that logs in and out. Returns the tills with
/// what they had stored, and sessions whose logout was answered.
fn storm(server: &Running, cut: impl FnOnce()) -> (Vec<Till>, Vec<Till>) {
    let over = AtomicBool::new(false);
    let start = |_| server.till().login("cashier", "OFFICE");
    let mut tills: Vec<Till> = (0..TILLS).map(start).collect();
    let ended = std::thread::scope(|scope| {
        for till in &mut tills {
            let over = &over;
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let Ok(answer) = till.try_refresh() else { break };
                    assert!([200, 503].contains(&answer.status()), "{}", answer.text());
                    if let Ok(current) = till.try_get("/api/v1/sessions/current") {
                        assert!([200, 503].contains(&current.status()), "{}", current.text());
                    }
                }
            });
        }
        let leaving = scope.spawn(|| {
            let mut ended = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let Some(till) = server.till().try_login("manager", "OFFICE") else { continue };
                if till.try_call("DELETE", "/api/v1/sessions/current", None).is_ok_and(|answer| answer.status() == 204)
                {
                    ended.push(till);
                }
            }
            ended
        });
        std::thread::sleep(STORM);
        cut();
        over.store(true, Ordering::Relaxed);
        leaving.join().unwrap()
    });
    assert!(!ended.is_empty(), "nobody left before the cut");
    (tills, ended)
}

fn check(server: &Running, tills: Vec<Till>, ended: Vec<Till>) {
    for mut till in tills.into_iter().map(|till| till.at(server.address())) {
        till.refresh().expect(200);
        till.current().expect(200);
    }
    for mut till in ended.into_iter().map(|till| till.at(server.address())) {
        till.current().expect(401);
        till.refresh().expect(401);
    }
}

#[test]
fn a_killed_server_keeps_what_it_answered() {
    for engine in Engine::ALL {
        let shop = Installation::new(engine).with_setting("SESSIONS__OVERLAP", "0s");
        shop.make_shop();
        let server = shop.serve();
        let (tills, ended) = storm(&server, || server.signal(rustix::process::Signal::KILL));
        server.kill();
        check(&shop.serve(), tills, ended);
    }
}

#[test]
fn a_crashed_postgresql_keeps_what_was_answered() {
    let database = Server::start(&[]).unwrap();
    let shop = Installation::over(Engine::Postgres, database.create_database()).with_setting("SESSIONS__OVERLAP", "0s");
    shop.make_shop();
    let server = shop.serve();
    let (tills, ended) = storm(&server, || {
        database.crash().unwrap();
        database.resume().unwrap();
    });
    let ready = || server.till().get("/readyz").status() == 200;
    eventually(Duration::from_secs(20), "readiness after the database came back", ready);
    check(&server, tills, ended);
}

#[test]
fn sixteen_threads_with_one_refresh_token_get_one_successor() {
    on_both(|shop| {
        let server = shop.serve();
        let till = server.till().login("cashier", "P01");
        let answers: Vec<String> = std::thread::scope(|scope| {
            let refresh = || {
                let mut mine = till.clone();
                mine.refresh().expect(200);
                mine.current().expect(200);
                mine.refresh
            };
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(refresh)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(answers.iter().all(|answer| *answer == answers[0] && *answer != till.refresh), "{answers:?}");
    });
}

#[test]
fn an_older_copy_ends_the_session_once_the_overlap_has_passed() {
    for engine in Engine::ALL {
        let shop = Installation::new(engine).with_setting("SESSIONS__OVERLAP", "1s");
        shop.make_shop();
        let server = shop.serve();
        let thief = server.till().login("cashier", "P01");
        let mut till = thief.clone();
        till.refresh().expect(200);
        till.current().expect(200);
        std::thread::sleep(Duration::from_millis(1200));
        let mut late = thief.clone();
        assert_eq!(late.refresh().expect(401).json()["code"], "token_replayed");
        assert_eq!(till.current().expect(401).json()["code"], "session_over");
        till.refresh().expect(401);
    }
}
