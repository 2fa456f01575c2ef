//! The command `keys recreate`, after the master key was lost.

use std::path::PathBuf;

use serde_json::{Value, json};
use tillgate_testkit::DatabaseEngine;

use crate::program::{PASSWORD, RunningServer, TestInstallation, file_mode};

tillgate_testkit::on_both_databases!(
    lost_master_key_is_replaced,
    keys_are_not_replaced_while_a_server_runs,
    keys_are_not_replaced_while_the_master_key_opens_them
);

const RECREATE: [&str; 3] = ["keys", "recreate", "--yes"];

fn stop(mut server: RunningServer) {
    server.wait_until_ready();
    server.send_signal("TERM");
    assert_eq!(server.wait_until_ended(), Some(0));
}

/// Takes the master key away, and returns where it is kept.
fn lose_master_key(home: &TestInstallation) -> PathBuf {
    let copy = home.path("copy.key");
    std::fs::rename(home.data().join("master.key"), &copy).unwrap();
    copy
}

/// Logs the administrator in, and returns the tokens.
fn log_in(server: &RunningServer) -> Value {
    let (status, body) =
        server.request("POST", "/api/v1/sessions", Some(&json!({ "login": "admin", "password": PASSWORD })));
    assert_eq!(status, 201, "{body}");
    serde_json::from_str(&body).unwrap()
}

fn list_keys(home: &TestInstallation) -> Vec<Value> {
    home.run_ok(&["keys", "list", "--json"]).json().as_array().unwrap().clone()
}

fn lost_master_key_is_replaced(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    home.run_ok(&["device", "add", "P01", "--env", "CashRegister"]);
    home.run_ok_with(&["user", "add", "anna", "--on", "P01=cashier"], PASSWORD);
    let server = home.start(&["serve"]);
    server.wait_until_ready();
    let tokens = log_in(&server);
    let key = home.run_ok(&["api-key", "add", "Till sync", "--user", "anna", "--device", "P01", "--json"]).json();
    stop(server);
    let lost: Vec<Value> = list_keys(&home).iter().map(|key| key["id"].clone()).collect();
    let copy = lose_master_key(&home);
    assert!(home.run_refused(&["serve", "--listen", "127.0.0.1:0"], 1).contains("master.key is missing"));

    let question = home.run_refused(&["keys", "recreate"], 2);
    for loss in ["ends 1 session in", "the secrets of 1 API key stop", "Nothing was done", "--yes"] {
        assert!(question.contains(loss), "{loss}: {question}");
    }
    let master = home.data().join("master.key");
    assert!(!master.exists());
    let recreated = home.run_ok(&[&RECREATE[..], &["--json"]].concat()).json();
    assert_eq!((&recreated["ended"], &recreated["api_keys"]), (&json!(1), &json!(1)));
    assert_eq!((&recreated["master_key"], &recreated["previous_file"]), (&json!(master), &Value::Null));
    assert_eq!(file_mode(&master), 0o600);
    let keys = list_keys(&home);
    assert!(keys.len() == 3 && keys.iter().all(|key| key["state"] == "current" && !lost.contains(&key["id"])));
    assert_eq!(recreated["made"], keys.iter().map(|key| key["id"].clone()).collect::<Value>());

    let server = home.start(&["serve"]);
    server.wait_until_ready();
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    assert_eq!(server.request("POST", "/api/v1/sessions/refresh", Some(&refresh)).0, 401);
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(server.request_as(access, "GET", "/api/v1/users", None).0, 401);
    let access = log_in(&server)["access_token"].as_str().unwrap().to_owned();
    assert_eq!(server.request_as(&access, "GET", "/api/v1/users", None).0, 200);
    home.run_ok(&["api-key", "rotate", key["id"].as_str().unwrap(), "--overlap-hours", "0"]);
    let events = home.run_ok(&["audit", "export", "--all-tenants"]).out;
    let removed = events.lines().filter(|line| line.contains("key.revoke") && line.contains("master_key_lost"));
    assert_eq!(removed.count(), lost.len(), "{events}");
    stop(server);

    // the copy is found too late
    let new_key = std::fs::read(&master).unwrap();
    std::fs::copy(&copy, &master).unwrap();
    assert!(home.run_refused(&["keys", "list"], 1).contains("do not belong together"));
    std::fs::write(&master, new_key).unwrap();
    stop(home.start(&["serve"]));
}

fn keys_are_not_replaced_while_a_server_runs(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    let server = home.start(&["serve"]);
    server.wait_until_ready();
    let is_seen = || home.find_check(&[], "processes")["found"] != "no server is running";
    assert!((0..100).any(|_| is_seen()), "the server records no heartbeat");
    let copy = lose_master_key(&home);
    let error = home.run_refused(&RECREATE, 1);
    assert!(error.contains("stop every server"), "{error}");
    stop(server);
    std::fs::rename(&copy, home.data().join("master.key")).unwrap();
    assert_eq!(list_keys(&home).len(), 3);
    stop(home.start(&["serve"]));
}

fn keys_are_not_replaced_while_the_master_key_opens_them(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    let before = list_keys(&home);
    let error = home.run_refused(&RECREATE, 1);
    assert!(error.contains("so it is not lost") && error.contains("tillgate keys rotate"), "{error}");
    assert_eq!(list_keys(&home), before);
}

#[test]
fn key_file_that_does_not_open_the_database_is_kept() {
    let home = TestInstallation::new().with_admin();
    let master = home.data().join("master.key");
    for wrong in ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "half a key"] {
        std::fs::write(&master, wrong).unwrap();
        let recreated = home.run_ok(&RECREATE);
        let kept = recreated.err.split_once("is kept in ").and_then(|(_, rest)| rest.lines().next()).unwrap();
        assert_eq!(std::fs::read_to_string(kept.trim_end_matches('.')).unwrap(), wrong);
        assert!(recreated.out.starts_with("3 new keys created, encrypted by "), "{}", recreated.out);
        assert_eq!(list_keys(&home).len(), 3);
    }
    // a key that cannot be read is not lost
    std::fs::remove_file(&master).unwrap();
    std::fs::create_dir(&master).unwrap();
    assert!(home.run_refused(&RECREATE, 1).contains("master.key: "));
}

/// A key from the configuration is used, and no file is created.
#[test]
fn configured_master_key_encrypts_the_new_keys() {
    let home = TestInstallation::new().with_admin();
    let master = home.data().join("master.key");
    std::fs::remove_file(&master).unwrap();
    let settings = "[keys]\nmaster = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"\n";
    std::fs::write(home.data().join("tillgate.toml"), settings).unwrap();
    let recreated = home.run_ok(&[&RECREATE[..], &["--json"]].concat()).json();
    assert_eq!(recreated["master_key"], "keys.master");
    assert!(!master.exists());
    stop(home.start(&["serve"]));
}
