//! Several processes over one database: what one ends is over in the others within a second, and after a restart.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use serde_json::json;
use tillgate_tests::{Engine, Installation, Running, eventually, on_both};

const SOON: Duration = Duration::from_secs(1);

#[test]
fn another_process_hears_of_a_new_login_within_a_second() {
    on_both(|shop| {
        let (one, other) = (shop.serve(), shop.serve());
        let first = other.till().login("cashier", "P01");
        first.at(one.address()).current().expect(200);
        let second = one.till().login("cashier", "P01");
        assert_eq!(first.at(one.address()).current().status(), 401, "at once where it happened");
        eventually(SOON, "the end of the first session elsewhere", || first.current().status() == 401);
        second.at(other.address()).current().expect(200);
    });
}

#[test]
fn two_processes_seat_one_of_two_logins_at_once() {
    on_both(|shop| {
        let (one, other) = (shop.serve(), shop.serve());
        for _ in 0..5 {
            let (first, second) = std::thread::scope(|scope| {
                let first = scope.spawn(|| one.till().login("cashier", "P01"));
                let second = scope.spawn(|| other.till().login("manager", "P01"));
                (first.join().unwrap(), second.join().unwrap())
            });
            let live = || [&first, &second].map(|till| till.current().status() == 200);
            eventually(SOON, "one of two at one till", || live().iter().filter(|live| **live).count() == 1);
        }
    });
}

#[test]
fn the_command_line_acts_under_a_running_server() {
    on_both(|shop| {
        let server = shop.serve();
        let till = server.till().login("cashier", "P01");
        shop.succeed(&["user", "roles", "cashier", "--on", "P01=manager"], "");
        let rights = || till.current().expect(200).json()["rights"].clone();
        eventually(SOON, "the new rights of a token from before", || {
            rights().as_array().unwrap().contains(&json!("storno"))
        });
        shop.succeed(&["user", "status", "cashier", "suspended"], "");
        eventually(SOON, "the end of a suspended user's session", || till.current().status() == 401);
        let refused = server.till().post(
            "/api/v1/sessions",
            &json!({"login": "cashier", "password": tillgate_tests::PASSWORD, "device": "P01"}),
        );
        refused.expect(401);
        shop.succeed(&["user", "status", "cashier", "active"], "");
        let again = server.till().login("cashier", "P01");
        shop.succeed(&["device", "status", "P01", "locked"], "");
        eventually(SOON, "the end of the session on a locked device", || again.current().status() == 401);
    });
}

#[test]
fn sessions_and_keys_outlive_a_restart() {
    on_both(|shop| {
        let server = shop.serve();
        let mut till = server.till().login("cashier", "P01");
        let ended = server.till().login("manager", "OFFICE");
        ended.delete("/api/v1/sessions/current").expect(204);
        drop(server);
        let server = shop.serve();
        till = till.at(server.address());
        till.current().expect(200);
        till.refresh().expect(200);
        assert_eq!(ended.at(server.address()).current().status(), 401, "what was ended stays so");
    });
}

#[test]
fn the_same_master_key_serves_the_same_tokens_and_another_does_not_start() {
    let shop = Installation::with_shop(Engine::Postgres);
    let one = shop.serve();
    let till = one.till().login("cashier", "P01");
    let second = shop.second_folder();
    let other = second.serve();
    till.at(other.address()).current().expect(200);
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

#[test]
fn keys_rotate_under_load_without_a_failed_request() {
    on_both(|shop| {
        let (one, other) = (shop.serve(), shop.serve());
        let devices = ["P01", "P02", "PDA1", "OFFICE"];
        std::thread::scope(|scope| {
            let tills = devices.map(|device| {
                let (one, other) = (&one, &other);
                scope.spawn(move || {
                    let mut till = one.till().login("cashier", device);
                    for round in 0..60 {
                        let server: &Running = if round % 2 == 0 { other } else { one };
                        till = till.at(server.address());
                        till.current().expect(200);
                        till.refresh().expect(200);
                        if round % 20 == 19 {
                            till = server.till().login("cashier", device);
                        }
                    }
                })
            });
            for _ in 0..3 {
                shop.succeed(&["keys", "rotate", "--now"], "");
            }
            for till in tills {
                till.join().unwrap();
            }
        });
        let keys = shop.succeed(&["keys", "list", "--json"], "");
        let keys: serde_json::Value = serde_json::from_str(&keys).unwrap();
        let current = |keys: &serde_json::Value| {
            keys.as_array().map_or(0, |keys| keys.iter().filter(|key| key["state"] == "current").count())
        };
        assert_eq!(current(&keys), 2, "{keys}");
    });
}
