//! Several processes on one database: what one process ends is ended in the others within a second,
//! and after a restart.

use std::time::Duration;

use serde_json::json;
use tillgate_tests::{DatabaseEngine, Installation, RunningServer, wait_until};

const PROPAGATION_TIMEOUT: Duration = Duration::from_secs(1);

tillgate_testkit::on_both_databases!(
    another_process_sees_a_new_login_within_a_second,
    two_processes_grant_one_seat,
    command_line_acts_under_a_running_server,
    sessions_and_keys_survive_a_restart,
    keys_rotate_under_load_without_a_failed_request
);

fn another_process_sees_a_new_login_within_a_second(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let (one, other) = (installation.serve(), installation.serve());
    let first = other.new_till().login("cashier", "P01");
    first.at_server(one.address()).get_current_session().expect_status(200);
    let second = one.new_till().login("cashier", "P01");
    assert_eq!(first.at_server(one.address()).get_current_session().status(), 401, "at once where it happened");
    wait_until(PROPAGATION_TIMEOUT, "the end of the first session elsewhere", || {
        first.get_current_session().status() == 401
    });
    second.at_server(other.address()).get_current_session().expect_status(200);
}

fn two_processes_grant_one_seat(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let (one, other) = (installation.serve(), installation.serve());
    for _ in 0..5 {
        let (first, second) = std::thread::scope(|scope| {
            let first = scope.spawn(|| one.new_till().login("cashier", "P01"));
            let second = scope.spawn(|| other.new_till().login("manager", "P01"));
            (first.join().unwrap(), second.join().unwrap())
        });
        let live = || [&first, &second].map(|till| till.get_current_session().status() == 200);
        wait_until(PROPAGATION_TIMEOUT, "one of two at one till", || live().iter().filter(|live| **live).count() == 1);
    }
}

fn command_line_acts_under_a_running_server(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let till = server.new_till().login("cashier", "P01");
    installation.run_ok(&["user", "roles", "cashier", "--on", "P01=manager"], "");
    let rights = || till.get_current_session().expect_status(200).json()["rights"].clone();
    wait_until(PROPAGATION_TIMEOUT, "the new rights of a token from before", || {
        rights().as_array().unwrap().contains(&json!("storno"))
    });
    installation.run_ok(&["user", "status", "cashier", "suspended"], "");
    wait_until(PROPAGATION_TIMEOUT, "the end of a suspended user's session", || {
        till.get_current_session().status() == 401
    });
    let refused = server
        .new_till()
        .post("/api/v1/sessions", &json!({"login": "cashier", "password": tillgate_tests::PASSWORD, "device": "P01"}));
    refused.expect_status(401);
    installation.run_ok(&["user", "status", "cashier", "active"], "");
    let again = server.new_till().login("cashier", "P01");
    installation.run_ok(&["device", "status", "P01", "locked"], "");
    wait_until(PROPAGATION_TIMEOUT, "the end of the session on a locked device", || {
        again.get_current_session().status() == 401
    });
}

fn sessions_and_keys_survive_a_restart(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let mut till = server.new_till().login("cashier", "P01");
    let ended = server.new_till().login("manager", "OFFICE");
    ended.delete("/api/v1/sessions/current").expect_status(204);
    drop(server);
    let server = installation.serve();
    till = till.at_server(server.address());
    till.get_current_session().expect_status(200);
    till.refresh().expect_status(200);
    assert_eq!(ended.at_server(server.address()).get_current_session().status(), 401, "what was ended stays so");
}

#[test]
#[ignore = "requires PostgreSQL"]
fn same_master_key_serves_and_another_does_not_start() {
    let installation = Installation::with_fixture(DatabaseEngine::Postgres);
    let one = installation.serve();
    let till = one.new_till().login("cashier", "P01");
    let second = installation.clone_with_new_folder();
    let other = second.serve();
    till.at_server(other.address()).get_current_session().expect_status(200);
    drop(other);

    let key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n";
    std::fs::write(second.folder().join("master.key"), key).unwrap();
    let refused = second.run(&["serve", "--listen", "127.0.0.1:0"], "");
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("master key"), "{said}");

    std::fs::remove_file(second.folder().join("master.key")).unwrap();
    let refused = second.run(&["serve", "--listen", "127.0.0.1:0"], "");
    assert_eq!(refused.status.code(), Some(1), "a new master key is made only where there is no key");
    assert!(!second.folder().join("master.key").exists());
}

fn keys_rotate_under_load_without_a_failed_request(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let (one, other) = (installation.serve(), installation.serve());
    let devices = ["P01", "P02", "PDA1", "OFFICE"];
    std::thread::scope(|scope| {
        let tills = devices.map(|device| {
            let (one, other) = (&one, &other);
            scope.spawn(move || {
                let mut till = one.new_till().login("cashier", device);
                for round in 0..60 {
                    let server: &RunningServer = if round % 2 == 0 { other } else { one };
                    till = till.at_server(server.address());
                    till.get_current_session().expect_status(200);
                    till.refresh().expect_status(200);
                    if round % 20 == 19 {
                        till = server.new_till().login("cashier", device);
                    }
                }
            })
        });
        for _ in 0..3 {
            installation.run_ok(&["keys", "rotate", "--now"], "");
        }
        for till in tills {
            till.join().unwrap();
        }
    });
    let keys = installation.run_ok(&["keys", "list", "--json"], "");
    let keys: serde_json::Value = serde_json::from_str(&keys).unwrap();
    let current = |keys: &serde_json::Value| {
        keys.as_array().map_or(0, |keys| keys.iter().filter(|key| key["state"] == "current").count())
    };
    assert_eq!(current(&keys), 3, "one of each kind: {keys}");
}
