//! `demo`: a shop to try, made once.

use std::collections::BTreeMap;

use serde_json::json;

use crate::tillgate::{Home, PASSWORD, Running, mode};

fn passwords(home: &Home) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(home.data().join("demo-passwords.txt")).unwrap();
    text.lines()
        .map(|line| line.split_once(": ").map(|(name, word)| (name.to_owned(), word.to_owned())).unwrap())
        .collect()
}

fn stop(mut server: Running) {
    server.signal("TERM");
    assert_eq!(server.ended(), Some(0));
}

#[test]
fn the_shop_is_made_behind_the_server_and_everybody_gets_in() {
    let home = Home::new();
    let server = home.start(&["demo"]);
    assert_eq!(server.request("GET", "/healthz", None).0, 200);
    server.ready();
    assert_eq!(mode(&home.data().join("demo-passwords.txt")), 0o600);
    let words = passwords(&home);
    for user in ["admin", "manager", "cashier"] {
        let word = &words[user];
        assert_eq!(server.login(&json!({ "login": user, "password": word })), 201, "{user} without a device");
        assert_eq!(
            server.login(&json!({ "login": format!("{user}@example.com"), "password": word })),
            201,
            "{user} by mail"
        );
        for device in ["P01", "P02", "PDA1", "OFFICE"] {
            assert_eq!(
                server.login(&json!({ "login": user, "device": device, "password": word })),
                201,
                "{user} {device}"
            );
        }
    }
    for device in ["P01", "P02", "PDA1", "OFFICE"] {
        assert_eq!(server.login(&json!({ "device": device, "password": words[device] })), 201, "{device} as itself");
        assert_eq!(server.login(&json!({ "device": device, "password": words["admin"] })), 401);
    }
    let devices = home.done(&["device", "list", "--json"]).json();
    let kinds: Vec<_> =
        devices.as_array().unwrap().iter().map(|device| device["environment"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["CashRegister", "CashRegister", "PDA", "BackOffice"]);
    stop(server);
}

#[test]
fn run_again_it_adds_nothing_and_brings_nobody_back() {
    let home = Home::new();
    let server = home.start(&["demo", "--password", PASSWORD]);
    server.ready();
    assert_eq!(server.login(&json!({ "login": "cashier", "device": "P01", "password": PASSWORD })), 201);
    stop(server);
    assert!(!home.data().join("demo-passwords.txt").exists(), "whoever gave the password knows it");
    let said = home.refused(&["demo", "--password", "another horse battery", "--listen", "127.0.0.1:0"], 2);
    assert!(said.contains("has other passwords"), "{said}");
    stop(home.start(&["demo", "--password", PASSWORD]));
    home.done(&["user", "status", "cashier", "deleted", "--yes"]);
    let mut server = home.start(&["demo"]);
    server.ready();
    assert!(server.line().contains("as it was"));
    assert!((0..20).any(|_| server.line() == format!("Look at it: http://{}/docs", server.address)));
    assert_eq!(server.login(&json!({ "login": "cashier", "device": "P01", "password": PASSWORD })), 401);
    assert_eq!(server.login(&json!({ "login": "manager", "password": PASSWORD })), 201);
    assert!(!home.data().join("demo-passwords.txt").exists());
    stop(server);
}

#[test]
fn an_unfinished_demo_is_finished() {
    let home = Home::new();
    let server = home.start(&["demo"]);
    // gone before the shop is whole, most likely
    drop(server);
    let server = home.start(&["demo"]);
    server.ready();
    let words = passwords(&home);
    assert_eq!(words.len(), 7);
    for user in ["admin", "manager", "cashier"] {
        assert_eq!(server.login(&json!({ "login": user, "device": "P01", "password": words[user] })), 201, "{user}");
    }
    stop(server);
}

#[test]
fn a_database_with_people_of_its_own_is_left_alone() {
    let home = Home::new().with_admin();
    assert!(home.refused(&["demo", "--listen", "127.0.0.1:0"], 1).contains("no demo was made in it"));
    assert_eq!(home.done(&["device", "list", "--json"]).json(), json!([]));
}

#[test]
fn a_shop_that_cannot_be_made_stops_the_server() {
    let home = Home::new().with_database();
    home.done(&["device", "add", "P01", "--env", "Tool"]);
    let mut server = home.start(&["demo"]);
    assert_eq!(server.ended(), Some(1));
}

#[test]
fn postgres_is_asked_for_twice() {
    let home = Home::on_postgres();
    assert!(home.refused(&["demo", "--listen", "127.0.0.1:0"], 2).contains("--yes"));
    let server = home.start(&["demo", "--yes", "--password", PASSWORD]);
    server.ready();
    assert_eq!(server.login(&json!({ "login": "cashier", "device": "P01", "password": PASSWORD })), 201);
    stop(server);
}

#[test]
fn demo_passwords_do_not_leave_this_machine() {
    let home = Home::new();
    let beyond = ["--listen", "0.0.0.0:0", "--behind-proxy", "10.0.0.0/8"];
    let refused = |command: &str, code: i32| home.refused(&[&[command][..], &beyond[..]].concat(), code);
    assert!(refused("demo", 2).contains("this machine only"));
    let server = home.start(&["demo", "--password", PASSWORD]);
    server.ready();
    stop(server);
    let said = refused("serve", 1);
    for name in ["admin", "manager", "cashier", "P01", "P02", "PDA1", "OFFICE"] {
        assert!(said.contains(name), "{name}: {said}");
    }
    for user in ["admin", "manager"] {
        home.done_with(&["user", "password", user], "another fine password");
    }
    home.done(&["user", "status", "cashier", "suspended"]);
    for device in ["P01", "P02", "PDA1"] {
        home.done(&["device", "status", device, "locked"]);
    }
    let said = refused("serve", 1);
    assert!(said.contains("OFFICE") && !said.contains("admin,") && !said.contains("P01,"), "{said}");
    home.done_with(&["device", "password", "OFFICE"], "another fine password");
    let config = home.path("c.toml");
    std::fs::write(&config, "[server]\nproxies = [\"10.0.0.0/8\"]\n").unwrap();
    assert!(
        home.refused(&["serve", "--listen", "203.0.113.1:1", "--config", config.to_str().unwrap()], 1)
            .contains("cannot listen")
    );
    // held back is not forgotten: the door opens no sooner than somebody is let in again
    home.done(&["device", "status", "P01", "active"]);
    assert!(refused("serve", 1).contains("P01"));
}
