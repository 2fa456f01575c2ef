//! The command `api-key`.

use serde_json::json;
use tillgate_testkit::DatabaseEngine;

use crate::program::{PASSWORD, TestInstallation};

tillgate_testkit::on_both_databases!(api_key_is_created_listed_and_revoked, api_key_expires_and_is_rotated);

fn api_key_is_created_listed_and_revoked(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    home.run_ok(&["device", "add", "P01", "--env", "CashRegister"]);
    home.run_ok(&["device", "add", "P02", "--env", "CashRegister"]);
    home.run_ok_with(&["user", "add", "anna", "--on", "P01=cashier"], PASSWORD);
    let unassigned = ["api-key", "add", "Till sync", "--user", "anna", "--device", "P02"];
    assert!(home.run_refused(&unassigned, 1).contains("the user \"anna\" is not assigned to \"P02\""));
    let add = ["api-key", "add", "Till sync", "--user", "anna", "--device", "p01"];
    home.start(&["serve"]).wait_until_ready();

    let narrow = ["--right", "ticketClose", "--description", "at night", "--json"];
    let made = home.run_ok(&[&add[..], &narrow].concat()).json();
    let secret = made["client_secret"].as_str().unwrap().to_owned();
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase());
    assert!(secret.len() == 64 && hex(&secret), "{made}");
    assert!(made["client_id"].as_str().is_some_and(|client| client.len() == 32 && hex(client)));
    assert_eq!((&made["user"], &made["device"]), (&json!("anna"), &json!("P01")));
    assert_eq!((&made["permissions"], &made["status"]), (&json!(["ticketClose"]), &json!("active")));

    let shown = home.run_ok(&add);
    let names: Vec<&str> = shown.out.lines().filter_map(|line| Some(line.split_once(": ")?.0)).collect();
    assert_eq!(names, ["id", "clientId", "clientSecret"]);
    assert!(shown.err.contains("not shown again"));

    let listed = home.run_ok(&["api-key", "list", "--json"]);
    assert!(!listed.out.contains(&secret) && !listed.out.contains("client_secret"));
    let mut known = made.clone();
    known.as_object_mut().unwrap().remove("client_secret");
    assert_eq!((listed.json().as_array().unwrap().len(), &listed.json()[0]), (2, &known));
    let id = made["id"].as_str().unwrap();
    assert_eq!(home.run_ok(&["api-key", "status", id, "revoked", "--json"]).json()["status"], "revoked");
    assert!(home.run_ok(&["api-key", "list"]).out.lines().any(|line| line.contains(id) && line.contains("revoked")));
    assert_eq!(home.run_ok(&["api-key", "status", id, "active"]).out, "Till sync: active\n");
}

fn api_key_expires_and_is_rotated(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    home.run_ok(&["device", "add", "P01", "--env", "CashRegister"]);
    home.run_ok_with(&["user", "add", "anna", "--on", "P01=cashier"], PASSWORD);
    home.start(&["serve"]).wait_until_ready();
    let add = ["api-key", "add", "Till sync", "--user", "anna", "--device", "P01", "--json"];
    let expiry = ["--expires-at", "2199-12-31T08:00:00Z"];
    let made = home.run_ok(&[&add[..], &expiry].concat()).json();
    assert_eq!(made["expires_at"], "2199-12-31T08:00:00.000Z");
    let id = made["id"].as_str().unwrap();
    assert_eq!(home.run_ok(&["api-key", "expire", id, "never"]).out, "Till sync: expires never\n");
    let day = home.run_ok(&["api-key", "expire", id, "2199-12-30", "--json"]).json();
    assert!(day["expires_at"].as_str().unwrap().starts_with("2199-12-3"), "{day}");
    assert!(home.run_refused(&["api-key", "expire", id, "2020-01-01"], 1).contains("expires_at must be in the future"));
    assert!(home.run_refused(&["api-key", "expire", id, "soon"], 2).contains("is not a time"));

    let rotated = home.run_ok(&["api-key", "rotate", id, "--json"]).json();
    assert_eq!(rotated["client_id"], made["client_id"]);
    assert_ne!(rotated["client_secret"], made["client_secret"]);
    assert!(rotated["previous_secret_until"].is_string(), "the default is an overlap: {rotated}");
    let refused = home.run_refused(&["api-key", "rotate", id, "--overlap-hours", "2"], 1);
    assert!(refused.contains("the previous secret of the API key is still accepted"), "{refused}");
    let none = home.run_ok(&["api-key", "rotate", id, "--overlap-hours", "0", "--json"]).json();
    assert!(none["previous_secret_until"].is_null(), "{none}");
    let shown = home.run_ok(&["api-key", "rotate", id, "--overlap-hours", "2"]);
    assert!(
        shown.out.contains("clientSecret: ") && shown.err.contains("is valid until "),
        "{} {}",
        shown.out,
        shown.err
    );
    home.run_ok(&["api-key", "status", id, "revoked"]);
    let refused = home.run_refused(&["api-key", "rotate", id, "--overlap-hours", "0"], 1);
    assert!(refused.contains("the API key is revoked or has expired"), "{refused}");
    home.run_refused(&["api-key", "rotate", id, "--overlap-hours", "25"], 2);
    let unknown = ["api-key", "rotate", "018f3b3e-0000-7000-8000-000000000000"];
    assert!(home.run_refused(&unknown, 1).contains("there is no API key"));
    let listed = home.run_ok(&["api-key", "list"]).out;
    assert!(listed.contains("EXPIRES") && listed.contains("LAST USED") && listed.contains("2199-12-3"), "{listed}");
    let events = home.run_ok(&["audit", "list", "--action", "api_key.rotate", "--json"]).json();
    assert_eq!(events.as_array().unwrap().len(), 3);
}

#[test]
fn invalid_api_key_is_refused_with_the_reason() {
    let home = TestInstallation::new().with_admin();
    home.run_ok(&["device", "add", "P01", "--env", "CashRegister"]);
    home.start(&["serve"]).wait_until_ready();
    let refused =
        |user: &str, name: &str| home.run_refused(&["api-key", "add", name, "--user", user, "--device", "P01"], 1);
    assert!(refused("nobody", "x").contains("there is no user \"nobody\""));
    assert!(
        refused("admin", "x").contains("device: the user \"admin\" is not assigned to \"P01\"; assign the device"),
        "a device on which the user cannot log in"
    );
    home.run_ok(&["user", "roles", "admin", "--on", "P01=admin"]);
    assert!(refused("admin", " ").contains("name must not be empty"));
    let unknown = ["api-key", "status", "018f3b3e-0000-7000-8000-000000000000", "revoked"];
    assert!(home.run_refused(&unknown, 1).contains("api_key"));
    assert_eq!(home.run_ok(&["api-key", "list", "--json"]).json(), json!([]));
}
