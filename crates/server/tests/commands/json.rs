//! What commands print with `--json`, compared with the bodies of the native API.

use serde_json::{Value, json};
use tillgate_testkit::DatabaseEngine;

use crate::program::{PASSWORD, RunningServer, TestInstallation};

tillgate_testkit::on_both_databases!(commands_print_the_bodies_of_the_native_api);

/// Calls the native API and returns the body of a successful response.
fn call(server: &RunningServer, token: &str, method: &str, path: &str, body: Option<&Value>) -> Value {
    let (status, text) = server.request_as(token, method, &format!("/api/v1{path}"), body);
    assert!((200..300).contains(&status), "{method} {path}: {status} {text}");
    serde_json::from_str(&text).unwrap()
}

fn log_in(server: &RunningServer, body: &Value) -> String {
    let (status, text) = server.request("POST", "/api/v1/sessions", Some(body));
    assert_eq!(status, 201, "{text}");
    serde_json::from_str::<Value>(&text).unwrap()["access_token"].as_str().unwrap().to_owned()
}

/// Replaces times that the running server writes again and again by whether they are present.
fn without_activity(mut document: Value) -> Value {
    for name in ["last_used_at", "last_seen_at"] {
        if let Some(time) = document.get_mut(name) {
            *time = json!(time.is_null() || time.is_string());
        }
    }
    document
}

/// The documents of a list by id. `member` is the member that only commands print.
fn by_id(list: &Value, member: &str) -> Vec<Value> {
    let mut items: Vec<Value> = list.as_array().unwrap().iter().cloned().map(without_activity).collect();
    for item in &mut items {
        item.as_object_mut().unwrap().remove(member);
    }
    items.sort_by_key(|item| item["id"].to_string());
    items
}

#[test]
fn every_error_is_json_with_a_code() {
    let home = TestInstallation::new().with_database();
    for (line, exit_code, code) in [
        (&["user", "lst"][..], 2, "usage"),
        (&["user", "add"], 2, "usage"),
        (&["session", "end", "abc"], 2, "usage"),
        (&["role", "add", "night", "--right", "ticketClos", "--env", "PDA"], 2, "usage"),
        (&["user", "show", "nobody"], 1, "failed"),
        (&["user", "list", "--config", "missing.toml"], 2, "usage"),
    ] {
        let error = home.run_refused(&[line, &["--json"]].concat(), exit_code);
        let document: Value = serde_json::from_str(&error).unwrap_or_else(|_| panic!("{line:?}: {error}"));
        assert_eq!(document["code"], code, "{error}");
        assert!(document["error"].as_str().is_some_and(|text| !text.is_empty() && !text.contains('\n')), "{error}");
    }
    let version = home.run_ok(&["version"]).out;
    assert_eq!(version, home.run_ok(&["--version"]).out);
    assert_eq!(
        home.run_ok(&["version", "--json"]).json()["version"],
        version.trim_start_matches("tillgate ").trim_end()
    );
    let help = home.run_ok(&["user", "--json", "--help"]).out;
    assert!(help.contains("Global options:"), "{help}");
}

fn commands_print_the_bodies_of_the_native_api(engine: DatabaseEngine) {
    let home = TestInstallation::on(engine).with_admin();
    home.run_ok(&["device", "add", "P01", "--env", "CashRegister", "--role", "cashier", "--setting", "stock=S01"]);
    home.run_ok_with(
        &["user", "add", "anna", "--email", "anna@example.com", "--on", "P01=manager", "--role", "cashier"],
        PASSWORD,
    );
    home.run_ok(&["role", "add", "night", "--right", "storno", "--env", "PDA", "--description", "after eight"]);
    let server = home.start(&["serve"]);
    server.wait_until_ready();
    home.run_ok(&["api-key", "add", "Till sync", "--user", "anna", "--device", "P01", "--right", "ticketClose"]);
    let admin = log_in(&server, &json!({ "login": "admin", "password": PASSWORD }));
    let till = log_in(&server, &json!({ "login": "anna", "device": "P01", "password": PASSWORD }));
    let item = json!({ "article": { "name": "Tea" }, "unit_price": "2.50", "quantity": "2" });
    let customer = json!({ "full_name": "Jana", "meta": { "points": 1.50 } });
    let sheet = json!({ "currency": "EUR", "items": [item], "customer": customer, "location": { "table": "5" } });
    let ticket = call(&server, &till, "POST", "/tickets", Some(&sheet))["id"].as_str().unwrap().to_owned();
    let id_of = |list: &str, name: &str, value: &str| {
        let listed = call(&server, &admin, "GET", list, None);
        let found = listed["items"].as_array().unwrap().iter().find(|item| item[name] == value).unwrap().clone();
        found["id"].as_str().unwrap().to_owned()
    };

    for (command, list, member) in [
        (&["user", "list"][..], "/users", ""),
        (&["device", "list"], "/devices", ""),
        (&["role", "list"], "/roles", ""),
        (&["store", "list"], "/stores", ""),
        (&["session", "list"], "/sessions?live=true", ""),
        (&["ticket", "list"], "/tickets", ""),
        (&["api-key", "list"], "/api-keys", ""),
        (&["audit", "list", "--limit", "200"], "/audit-events?limit=200", "tenant"),
    ] {
        let native = call(&server, &admin, "GET", list, None);
        let printed = home.run_ok(&[command, &["--json"]].concat()).json();
        assert!(!printed.as_array().unwrap().is_empty(), "{command:?}");
        assert_eq!(by_id(&printed, member), by_id(&native["items"], ""), "{command:?}");
    }
    // the members that only commands print
    let of_device = json!({ "users": ["anna"], "key": null, "enrollment": null, "sessions": 1 });
    for (command, path, extra) in [
        (
            ["user", "show", "anna"],
            format!("/users/{}", id_of("/users", "user_name", "anna")),
            json!({ "sessions": 1 }),
        ),
        (["device", "show", "P01"], format!("/devices/{}", id_of("/devices", "name", "P01")), of_device),
        (["ticket", "show", &ticket], format!("/tickets/{ticket}"), json!({})),
    ] {
        let mut printed = home.run_ok(&[&command[..], &["--json"]].concat()).json();
        for (name, value) in extra.as_object().unwrap() {
            assert_eq!(printed.as_object_mut().unwrap().remove(name).as_ref(), Some(value), "{command:?} {name}");
        }
        let native = call(&server, &admin, "GET", &path, None);
        assert_eq!(without_activity(printed), without_activity(native), "{command:?}");
    }
    let mut tenant = home.run_ok(&["tenant", "show", "--json"]).json();
    assert_eq!(tenant.as_object_mut().unwrap().remove("stores"), Some(json!(["Main store"])));
    let path = format!("/tenants/{}", tenant["id"].as_str().unwrap());
    assert_eq!(tenant, call(&server, &admin, "GET", &path, None));
}
