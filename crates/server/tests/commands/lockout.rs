//! What `user show` and `device show` say of somebody who cannot log in, and of the last use.

use serde_json::{Value, json};

use crate::program::{PASSWORD, TestInstallation};

#[test]
fn locked_out_user_and_device_are_shown() {
    let home = TestInstallation::new().with_admin();
    home.run_ok_with(&["device", "add", "P01", "--env", "CashRegister", "--password"], PASSWORD);
    home.run_ok_with(&["user", "add", "anna", "--on", "P01=cashier"], PASSWORD);
    let shown = |kind: &'static str, name: &'static str| {
        let (text, body) =
            (home.run_ok(&[kind, "show", name]).out, home.run_ok(&[kind, "show", name, "--json"]).json());
        (text, body["login_throttle"].clone())
    };
    for (kind, name) in [("user", "anna"), ("device", "P01")] {
        let (text, throttle) = shown(kind, name);
        assert!(text.lines().any(|line| line.starts_with("lockout:") && line.ends_with(" none")), "{text}");
        assert_eq!(throttle, Value::Null);
    }
    let server = home.start(&["serve"]);
    for account in [json!({ "login": "anna" }), json!({ "device": "P01" })] {
        // the same wrong password counts once
        let guess = |number: i32| {
            let mut body = account.clone();
            body["password"] = json!(format!("wrong {number}"));
            server.login(&body)
        };
        assert!((0..30).any(|number| guess(number) == 429), "{account}");
    }
    for (kind, name) in [("user", "anna"), ("device", "P01")] {
        let (text, throttle) = shown(kind, name);
        let line = text.lines().find(|line| line.starts_with("lockout:")).unwrap();
        assert!(line.contains(" until 20") && line.contains(" failed logins"), "{line}");
        assert!(throttle["until"].is_string() && throttle["failures"].as_u64() > Some(1), "{throttle}");
        home.run_ok(&[kind, "unlock", name]);
        assert!(shown(kind, name).0.lines().any(|line| line.starts_with("lockout:") && line.ends_with(" none")));
    }
}

#[test]
fn user_without_a_password_is_shown_with_the_invitation() {
    let home = TestInstallation::new().with_admin();
    let server = home.start(&["serve"]);
    let (_, login) =
        server.request("POST", "/api/v1/sessions", Some(&json!({ "login": "admin", "password": PASSWORD.trim() })));
    let login: Value = serde_json::from_str(&login).unwrap();
    let token = login["access_token"].as_str().unwrap();
    let new = json!({ "user_name": "anna", "display_name": "Anna" });
    let (status, response) = server.request_as(token, "POST", "/api/v1/users", Some(&new));
    assert_eq!(status, 201, "{response}");
    let password = || {
        let shown = home.run_ok(&["user", "show", "anna"]).out;
        shown.lines().find_map(|line| line.strip_prefix("password:")).unwrap().trim().to_owned()
    };
    assert_eq!(password(), "none");
    assert!(home.run_ok(&["user", "list", "--search", "anna"]).out.contains("none"));
    home.run_ok(&["user", "invite", "anna"]);
    assert!(password().starts_with("none; invited until 20"), "{}", password());
}

#[test]
fn device_was_last_seen_at_its_newest_login_or_request() {
    let home = TestInstallation::new().with_admin();
    home.run_ok(&["device", "add", "P01", "--env", "CashRegister"]);
    home.run_ok(&["user", "roles", "admin", "--on", "P01=cashier"]);
    let seen = || {
        let shown = home.run_ok(&["device", "show", "P01"]).out;
        let seen = shown.lines().find_map(|line| line.strip_prefix("last seen:")).unwrap().trim().to_owned();
        let document = home.run_ok(&["device", "show", "P01", "--json"]).json()["last_seen_at"].clone();
        assert_eq!(document, if seen == "never" { Value::Null } else { json!(seen) }, "the same with --json");
        seen
    };
    assert_eq!(seen(), "never");
    let server = home.start(&["serve"]);
    let login = json!({ "login": "admin", "password": PASSWORD.trim(), "device": "P01" });
    let (status, response) = server.request("POST", "/api/v1/sessions", Some(&login));
    assert_eq!(status, 201, "{response}");
    let response: Value = serde_json::from_str(&response).unwrap();
    assert_eq!(seen(), response["session"]["created_at"].as_str().unwrap(), "nothing but a login");
    let refresh = json!({ "refresh_token": response["refresh_token"] });
    let (status, _) = server.request("POST", "/api/v1/sessions/refresh", Some(&refresh));
    assert_eq!(status, 200);
    assert!(seen().as_str() > response["session"]["created_at"].as_str().unwrap(), "a refresh");
    let before = seen();
    home.run_ok(&["session", "end", "--device", "P01"]);
    assert_eq!(seen(), before, "also if the session has ended");
}
