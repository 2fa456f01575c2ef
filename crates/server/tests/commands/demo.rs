//! The command `demo`: the shop is created once, and its passwords never protect a public server.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tillgate_testkit::DatabaseEngine;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::program::{PASSWORD, RunningServer, TestInstallation, file_mode};

fn read_passwords(home: &TestInstallation) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(home.data().join("demo-passwords.txt")).unwrap();
    text.lines()
        .map(|line| line.split_once(": ").map(|(name, password)| (name.to_owned(), password.to_owned())).unwrap())
        .collect()
}

fn stop_server(mut server: RunningServer) {
    server.send_signal("TERM");
    assert_eq!(server.wait_until_ended(), Some(0));
}

#[test]
fn demo_shop_is_created_behind_the_server_and_every_account_logs_in() {
    let home = TestInstallation::new();
    let server = home.start(&["demo"]);
    assert_eq!(server.request("GET", "/healthz", None).0, 200);
    server.wait_until_ready();
    let file = home.data().join("demo-passwords.txt");
    assert!(server.announcement.trim_end().ends_with(&format!("the password of admin in {}", file.display())));
    assert_eq!(file_mode(&file), 0o600);
    let passwords = read_passwords(&home);
    for user in ["admin", "manager", "cashier"] {
        let password = &passwords[user];
        assert_eq!(server.login(&json!({ "login": user, "password": password })), 201, "{user} without a device");
        assert_eq!(
            server.login(&json!({ "login": format!("{user}@example.com"), "password": password })),
            201,
            "{user} by mail"
        );
        for device in ["P01", "P02", "PDA1", "OFFICE"] {
            assert_eq!(
                server.login(&json!({ "login": user, "device": device, "password": password })),
                201,
                "{user} {device}"
            );
        }
    }
    for device in ["P01", "P02", "PDA1", "OFFICE"] {
        assert_eq!(
            server.login(&json!({ "device": device, "password": passwords[device] })),
            201,
            "{device} as itself"
        );
        assert_eq!(server.login(&json!({ "device": device, "password": passwords["admin"] })), 401);
    }
    assert_eq!(passwords.len(), 4 + 15);
    let users = home.run_ok(&["user", "list", "--json"]).json();
    for user in users.as_array().unwrap() {
        let name = user["user_name"].as_str().unwrap();
        let login = json!({ "login": name, "device": user["devices"][0]["device"], "password": passwords[name] });
        let expected = match name {
            "tomas.balaz" => 401,
            "rina.kusumawati" => 429,
            _ => 201,
        };
        assert_eq!(server.login(&login), expected, "{login}");
    }
    let devices = home.run_ok(&["device", "list", "--json"]).json();
    let devices = devices.as_array().unwrap().clone();
    let kind = |name: &str| devices.iter().find(|device| device["name"] == name).unwrap()["environment"].clone();
    assert_eq!(
        ["P01", "P02", "PDA1", "OFFICE"].map(kind),
        ["CashRegister", "CashRegister", "PDA", "BackOffice"].map(|kind| json!(kind))
    );
    stop_server(server);
}

#[test]
fn full_demo_has_a_day_of_work() {
    let home = TestInstallation::new().with_full_demo();
    let server = home.start(&["demo", "--password", PASSWORD]);
    server.wait_until_ready();
    let (status, session) =
        server.request("POST", "/api/v1/sessions", Some(&json!({ "login": "admin", "password": PASSWORD })));
    assert_eq!(status, 201, "{session}");
    let session: Value = serde_json::from_str(&session).unwrap();
    let token = session["access_token"].as_str().unwrap().to_owned();
    let get = |path: &str| -> Value {
        let (status, body) = server.request_as(&token, "GET", &format!("/api/v1{path}"), None);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    };
    let items = |path: &str| get(path)["items"].as_array().unwrap().clone();
    let devices = items("/devices?with=seat&limit=200");
    let seated: Vec<&str> = devices
        .iter()
        .filter(|device| !device["seat"].is_null())
        .map(|device| device["name"].as_str().unwrap())
        .collect();
    assert_eq!(seated, ["P03", "P04", "P05", "P07", "P08", "P10", "P12"]);
    let stores: BTreeSet<&str> = devices.iter().map(|device| device["store"]["name"].as_str().unwrap()).collect();
    assert_eq!(stores.into_iter().collect::<Vec<_>>(), ["Bratislava", "Jakarta"]);
    let summary = get("/summary");
    assert_eq!(
        ["logged_in", "locked", "login_throttled"].map(|member| summary[member].as_u64()),
        [Some(7), Some(1), Some(1)],
        "{summary}"
    );
    assert_eq!(summary["idle"], 2, "{summary}");
    assert!(summary["denied_24h"].as_u64() >= Some(8), "{summary}");
    // the sales of a day: of both stores, with discounts, cancellations and refunds
    let tickets = items("/tickets?limit=200");
    let has = |what: &str, is: &dyn Fn(&Value) -> bool| assert!(tickets.iter().any(is), "no ticket {what}");
    has("in EUR", &|ticket| ticket["currency"] == "EUR");
    has("in IDR", &|ticket| ticket["currency"] == "IDR");
    has("open", &|ticket| ticket["state"] == "open");
    has("void", &|ticket| ticket["state"] == "void");
    has("refunded", &|ticket| !ticket["refund_of"].is_null() && ticket["state"] == "closed");
    has("with a discount", &|ticket| ticket["discount_rate"] != "0.000000" && ticket["state"] == "closed");
    let opened: Vec<&str> = tickets.iter().map(|ticket| ticket["opened_at"].as_str().unwrap()).collect();
    let session_start = session["session"]["created_at"].as_str().unwrap();
    let instant = |text: &str| OffsetDateTime::parse(text, &Rfc3339).unwrap();
    let day = instant(session_start) - instant(opened[0]);
    assert!(day > time::Duration::hours(20), "the sales of a whole day: {opened:?} {session_start}");
    assert!(opened.iter().all(|at| *at < session_start));
    for action in ["user.status", "device.status", "session.end", "right.missing", "ticket.refund", "ticket.void"] {
        assert!(!items(&format!("/audit-events?action={action}")).is_empty(), "{action}");
    }
    stop_server(server);
    home.run_ok(&["audit", "verify"]);
    home.run_ok(&["doctor"]);
}

#[test]
fn demo_simulation_runs_until_the_server_stops() {
    let home = TestInstallation::new().with_full_demo();
    let server = home.start(&["demo", "--password", PASSWORD, "--alive=50"]);
    server.wait_until_ready();
    let (_, session) =
        server.request("POST", "/api/v1/sessions", Some(&json!({ "login": "admin", "password": PASSWORD })));
    let session: Value = serde_json::from_str(&session).unwrap();
    let token = session["access_token"].as_str().unwrap();
    let start = session["session"]["created_at"].as_str().unwrap();
    let count = |path: &str| {
        let (status, body) = server.request_as(token, "GET", &format!("/api/v1{path}"), None);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str::<Value>(&body).unwrap()["items"].as_array().unwrap().len()
    };
    let waits = [
        format!("/tickets?state=closed&from={start}"),
        format!("/audit-events?action=logout&from={start}"),
        format!("/audit-events?action=ticket.update&from={start}"),
        format!("/audit-events?action=right.missing&from={start}"),
    ];
    for path in waits {
        let mut tries = 0;
        while count(&path) == 0 {
            tries += 1;
            assert!(tries < 600, "{path}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
    // the tills of the examples stay free
    let (_, devices) = server.request_as(token, "GET", "/api/v1/devices?with=seat&limit=200", None);
    let devices: Value = serde_json::from_str(&devices).unwrap();
    for device in devices["items"].as_array().unwrap().iter().filter(|device| device["name"] == "P01") {
        assert!(device["seat"].is_null(), "{device}");
    }
    stop_server(server);
    home.run_ok(&["audit", "verify"]);
    // the passwords of a demo that exists are in the file, or given again
    let server = home.start(&["demo", "--password", PASSWORD, "--alive"]);
    server.wait_until_ready();
    stop_server(server);
    let mut unknown = home.start(&["demo", "--alive"]);
    assert_eq!(unknown.wait_until_ended(), Some(2));
    home.run_refused(&["demo", "--small", "--alive"], 2);
}

#[test]
fn small_demo_has_the_accounts_of_the_examples_only() {
    let home = TestInstallation::new();
    let mut server = home.start(&["demo", "--small", "--password", PASSWORD]);
    server.wait_until_ready();
    let expected =
        format!("Open http://{}/office and sign in as admin with the password {}\n", server.address, PASSWORD);
    assert_eq!(server.announcement, expected);
    assert_eq!(server.read_line(), "Created 3 users and 4 devices, all with the password that you chose.");
    let devices = home.run_ok(&["device", "list", "--json"]).json();
    assert_eq!(devices.as_array().unwrap().len(), 4);
    assert_eq!(home.run_ok(&["ticket", "list", "--json"]).json(), json!([]));
    stop_server(server);
    // the full shop follows without a past
    let server = home.start(&["demo", "--password", PASSWORD]);
    server.wait_until_ready();
    assert_eq!(server.login(&json!({ "login": "budi.santoso", "device": "P08", "password": PASSWORD })), 201);
    assert_eq!(home.run_ok(&["ticket", "list", "--json"]).json(), json!([]));
    stop_server(server);
}

#[test]
fn first_demo_logs_the_creation_of_its_database_in_one_line() {
    let home = TestInstallation::new();
    let lines = |text: &str| {
        let log = std::fs::read_to_string(home.path("server.log")).unwrap();
        log.lines().filter(|line| line.contains(text)).count()
    };
    for _ in 0..2 {
        let server = home.start(&["demo", "--small", "--password", PASSWORD]);
        server.wait_until_ready();
        stop_server(server);
        assert_eq!((lines("created the database"), lines("updating the database")), (1, 0));
    }
}

#[test]
fn shell_line_of_the_demo_has_its_password() {
    let password = "it's raining horses";
    for delivery in [&["--password", password][..], &[]] {
        let home = TestInstallation::new();
        let mut server = home.start(&[&["demo", "--small"][..], delivery].concat());
        server.wait_until_ready();
        let line = loop {
            let line = server.read_line();
            if line.trim_start().starts_with("PASSWORD=") {
                break line;
            }
        };
        let script = format!("{line}\nprintf %s \"$PASSWORD\"");
        let shell = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        let printed = String::from_utf8(shell.stdout).unwrap();
        assert_eq!(server.login(&json!({ "login": "cashier", "device": "P01", "password": printed })), 201, "{line}");
        assert_eq!(line.contains("raining"), !delivery.is_empty(), "a generated one is not in the output: {line}");
        stop_server(server);
    }
}

#[test]
fn second_demo_adds_and_restores_nothing() {
    let home = TestInstallation::new().with_full_demo();
    let server = home.start(&["demo", "--password", PASSWORD]);
    server.wait_until_ready();
    assert_eq!(server.login(&json!({ "login": "cashier", "device": "P01", "password": PASSWORD })), 201);
    stop_server(server);
    assert!(!home.data().join("demo-passwords.txt").exists(), "no file for a chosen password");
    let error = home.run_refused(&["demo", "--password", "another horse battery", "--listen", "127.0.0.1:0"], 2);
    assert!(error.contains("has other passwords: the one given at its first start. Omit"), "{error}");
    stop_server(home.start(&["demo", "--password", PASSWORD]));
    home.run_ok(&["user", "status", "cashier", "deleted", "--yes"]);
    let mut server = home.start(&["demo"]);
    server.wait_until_ready();
    assert!(
        server
            .announcement
            .ends_with("as admin with the password that was shown or chosen when the demo was created\n")
    );
    assert!(server.read_line().contains("already exists"));
    assert_eq!(server.read_line(), "Try:");
    let placeholder = "  PASSWORD='the password that was shown or chosen when the demo was created'";
    assert_eq!(server.read_line(), placeholder, "no command that reads a file without it");
    assert!((0..20).any(|_| server.read_line() == format!("API documentation: http://{}/docs", server.address)));
    assert_eq!(server.login(&json!({ "login": "cashier", "device": "P01", "password": PASSWORD })), 401);
    assert_eq!(server.login(&json!({ "login": "manager", "password": PASSWORD })), 201);
    assert!(!home.data().join("demo-passwords.txt").exists());
    stop_server(server);
}

#[test]
fn unfinished_demo_is_completed() {
    let home = TestInstallation::new();
    let server = home.start(&["demo"]);
    // most likely killed before the shop is complete
    drop(server);
    let server = home.start(&["demo"]);
    server.wait_until_ready();
    let passwords = read_passwords(&home);
    assert_eq!(passwords.len(), 4 + 15);
    for user in ["admin", "manager", "cashier"] {
        assert_eq!(
            server.login(&json!({ "login": user, "device": "P01", "password": passwords[user] })),
            201,
            "{user}"
        );
    }
    stop_server(server);
}

#[test]
fn database_with_other_users_is_left_unchanged() {
    let home = TestInstallation::new().with_admin();
    assert!(home.run_refused(&["demo", "--listen", "127.0.0.1:0"], 1).contains("not from a demo"));
    assert_eq!(home.run_ok(&["device", "list", "--json"]).json(), json!([]));
}

#[test]
fn failed_demo_stops_the_server() {
    let home = TestInstallation::new().with_database();
    home.run_ok(&["device", "add", "P01", "--env", "Tool"]);
    let mut server = home.start(&["demo"]);
    assert_eq!(server.wait_until_ended(), Some(1));
}

#[test]
#[ignore = "requires PostgreSQL"]
fn demo_on_postgres_requires_confirmation() {
    let home = TestInstallation::on(DatabaseEngine::Postgres);
    assert!(home.run_refused(&["demo", "--listen", "127.0.0.1:0"], 2).contains("--yes"));
    let server = home.start(&["demo", "--yes", "--password", PASSWORD]);
    server.wait_until_ready();
    assert_eq!(server.login(&json!({ "login": "cashier", "device": "P01", "password": PASSWORD })), 201);
    stop_server(server);
}

#[test]
fn demo_passwords_are_refused_beyond_this_machine() {
    let home = TestInstallation::new();
    // another program may listen on the default port of operations
    let config = home.path("operations.toml");
    std::fs::write(&config, "[operations]\nlisten = \"127.0.0.1:0\"\n").unwrap();
    let config = config.to_str().unwrap();
    let beyond = ["--config", config, "--listen", "0.0.0.0:0", "--behind-proxy", "10.0.0.0/8"];
    let refused = |command: &str, code: i32| home.run_refused(&[&[command][..], &beyond[..]].concat(), code);
    assert!(refused("demo", 2).contains("this machine only"));
    let full = TestInstallation::new().with_full_demo();
    let error = full.run_refused(&[&["serve"][..], &beyond[..]].concat(), 1);
    assert!(error.contains("siti.rahmawati") && !error.contains("tomas.balaz") && !error.contains("P07"), "{error}");
    let server = home.start(&["demo", "--small", "--password", PASSWORD]);
    server.wait_until_ready();
    stop_server(server);
    let error = refused("serve", 1);
    for name in ["admin", "manager", "cashier", "P01", "P02", "PDA1", "OFFICE"] {
        assert!(error.contains(name), "{name}: {error}");
    }
    for user in ["admin", "manager"] {
        home.run_ok_with(&["user", "password", user], "another fine password");
    }
    home.run_ok(&["user", "status", "cashier", "suspended"]);
    for device in ["P01", "P02", "PDA1"] {
        home.run_ok(&["device", "status", device, "locked"]);
    }
    let error = refused("serve", 1);
    assert!(error.contains("OFFICE") && !error.contains("admin,") && !error.contains("P01,"), "{error}");
    home.run_ok_with(&["device", "password", "OFFICE"], "another fine password");
    let config = home.path("c.toml");
    std::fs::write(&config, "[server]\nproxies = [\"10.0.0.0/8\"]\n").unwrap();
    assert!(
        home.run_refused(&["serve", "--listen", "203.0.113.1:1", "--config", config.to_str().unwrap()], 1)
            .contains("cannot listen")
    );
    // a locked account that becomes active again still has its demo password
    home.run_ok(&["device", "status", "P01", "active"]);
    assert!(refused("serve", 1).contains("P01"));
}
