//! POS Kasir on both databases: a browser with cookies and no header, a Python script with a bearer
//! token and cookies, and the admins' calls.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tillgate_tests::{DatabaseEngine, Installation, PASSWORD, RunningServer, TestResponse, TillClient, wait_until};
use ureq::http::Request;

/// A browser with the server's own front end open. It never sees a token, only its cookie jar does.
struct BrowserClient<'s> {
    jar: TillClient,
    address: String,
    installation: &'s Installation,
}

impl<'s> BrowserClient<'s> {
    fn new(installation: &'s Installation, server: &RunningServer) -> Self {
        Self { jar: server.new_till(), address: server.address().to_owned(), installation }
    }

    /// The same browser, after the server was restarted on another port.
    fn at_server(self, server: &RunningServer) -> Self {
        Self { address: server.address().to_owned(), ..self }
    }

    fn send_from(&self, origin: &str, site: &str, method: &str, path: &str, body: Option<Value>) -> TestResponse {
        let uri = format!("{}/kasir/api/v1{path}", self.address);
        let mut request = Request::builder().method(method).uri(uri).header("sec-fetch-site", site);
        if method != "GET" {
            request = request.header("origin", origin);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.jar.send(&request.body(body).unwrap())
    }

    fn call(&self, method: &str, path: &str, body: Option<Value>) -> TestResponse {
        self.send_from(&self.address, "same-origin", method, path, body)
    }

    fn get(&self, path: &str) -> TestResponse {
        self.call("GET", path, None)
    }

    fn post(&self, path: &str) -> TestResponse {
        self.call("POST", path, None)
    }

    /// Records the tokens of a response as secrets that no log may contain.
    fn note_secrets(&self, response: TestResponse) -> TestResponse {
        let response = response.expect_status(200);
        for token in ["/data/Token", "/data/refresh_token"] {
            self.installation.secrets().add(&response.text_at(token));
        }
        response
    }

    fn login(&self, email: &str) -> TestResponse {
        self.note_secrets(self.call("POST", "/auth/login", Some(json!({"email": email, "password": PASSWORD}))))
    }

    fn log_in_ok(self, email: &str) -> Self {
        self.login(email);
        self
    }
}

/// Checks for an error with this message.
#[track_caller]
fn assert_refused(response: &TestResponse, status: u16, message: &str) {
    let json = response.json();
    assert_eq!((response.status(), json["message"].as_str()), (status, Some(message)), "{json}");
    assert!(json["data"].is_null() && json.as_object().unwrap().len() == 3, "{json}");
}

tillgate_testkit::on_both_databases!(
    browser_works_with_cookies_alone,
    cross_origin_page_cannot_use_the_cookies,
    admin_changes_take_effect_at_once,
    password_change_ends_the_other_sessions,
    token_of_one_mount_is_refused_at_another
);

fn browser_works_with_cookies_alone(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let mut server = installation.serve();
    let browser = BrowserClient::new(&installation, &server);
    assert_refused(&browser.get("/auth/me"), 401, "Authorization header required");
    assert_refused(&browser.post("/auth/refresh"), 401, "Refresh token missing");
    let login = browser.login("cashier@example.com");
    let lines = login.header("set-cookie");
    assert!(lines.contains("HttpOnly; SameSite=Lax; Path=/") && !lines.contains("Secure"), "{lines}");
    let me = browser.get("/auth/me").expect_status(200).json();
    assert_eq!(me["data"], login.json()["data"]["profile"]);
    browser.get("/users").expect_status(200);
    assert_refused(&browser.get("/activity-logs"), 403, "Insufficient permissions");
    let renewed = browser.note_secrets(browser.post("/auth/refresh"));
    assert_ne!(renewed.text_at("/data/refresh_token"), login.text_at("/data/refresh_token"));
    assert_eq!(browser.get("/auth/me").expect_status(200).json(), me);
    assert!(server.stop().success());
    let server = installation.serve();
    let browser = browser.at_server(&server);
    assert_eq!(browser.get("/auth/me").expect_status(200).json(), me, "a restart ends nothing");
    browser.note_secrets(browser.post("/auth/refresh"));
    let out = browser.post("/auth/logout").expect_status(200);
    assert_eq!(out.text(), "{\"message\":\"Successfully logged out\",\"data\":null}");
    assert_refused(&browser.get("/auth/me"), 401, "Authorization header required");
    assert_refused(&browser.post("/auth/refresh"), 401, "Refresh token missing");
    let mut till = server.new_till();
    till.access = login.text_at("/data/Token");
    assert_refused(&till.get("/kasir/api/v1/auth/me"), 401, "Invalid or expired token");
}

fn cross_origin_page_cannot_use_the_cookies(engine: DatabaseEngine) {
    let front = "https://pos.example";
    let installation = Installation::with_fixture(engine).with_setting("KASIR__ORIGINS", front);
    let server = installation.serve();
    let browser = BrowserClient::new(&installation, &server).log_in_ok("admin@example.com");
    let id = browser.get("/users?search=cashier").expect_status(200).text_at("/data/users/0/id");
    let user = format!("/users/{id}");
    for (method, path, body) in [
        ("POST", "/auth/refresh", None),
        ("POST", "/auth/logout", None),
        ("PUT", "/auth/me/password", Some(json!({"old_password": PASSWORD, "new_password": "another-horse"}))),
        ("DELETE", user.as_str(), None),
        ("PUT", user.as_str(), Some(json!({"role": "admin"}))),
    ] {
        for (origin, site) in [("https://evil.example", "cross-site"), ("null", "cross-site"), ("", "same-site")] {
            let response = browser.send_from(origin, site, method, path, body.clone());
            assert_refused(&response, 403, "Origin not allowed");
        }
    }
    assert_eq!(browser.get(&user).expect_status(200).text_at("/data/role"), "cashier");
    let other = BrowserClient::new(&installation, &server).log_in_ok("admin@example.com");
    browser.get("/auth/me").expect_status(200);
    // the configured front end is allowed
    let response = browser.send_from(front, "cross-site", "POST", "/auth/refresh", None).expect_status(200);
    assert_eq!(response.header("access-control-allow-origin"), front);
    assert_eq!(response.header("access-control-allow-credentials"), "true");
    browser.note_secrets(response);
    browser.send_from(front, "cross-site", "POST", "/auth/logout", None).expect_status(200);
    other.get("/auth/me").expect_status(200);
}

fn admin_changes_take_effect_at_once(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let admin = BrowserClient::new(&installation, &server).log_in_ok("admin@example.com");
    let user = BrowserClient::new(&installation, &server).log_in_ok("cashier@example.com");
    let id = user.get("/auth/me").expect_status(200).text_at("/data/id");
    let path = format!("/users/{id}");
    assert_refused(&user.get(&path), 403, "Insufficient permissions");
    admin.call("PUT", &path, Some(json!({"role": "manager"}))).expect_status(200);
    assert_eq!(user.get(&path).expect_status(200).text_at("/data/role"), "manager", "the same cookie");
    assert_refused(&user.call("PUT", &path, Some(json!({"role": "admin"}))), 403, "Insufficient permissions");
    let till = server.new_till().login("cashier", "P01");
    admin.post(&format!("{path}/toggle-status")).expect_status(200);
    assert_refused(&user.get("/auth/me"), 401, "Invalid or expired token");
    assert_refused(&user.post("/auth/refresh"), 401, "Invalid or expired session");
    assert_eq!(till.get_current_session().status(), 401, "on the till too");
    admin.post(&format!("{path}/toggle-status")).expect_status(200);
    user.login("cashier@example.com");
    let elsewhere = installation.serve();
    let user = user.at_server(&elsewhere);
    user.get("/auth/me").expect_status(200);
    admin.call("DELETE", &path, None).expect_status(200);
    wait_until(Duration::from_secs(10), "the end in another process", || user.get("/auth/me").status() == 401);
    let deleted = admin.get("/users?status=deleted").expect_status(200).json();
    assert_eq!(
        (&deleted["data"]["users"][0]["id"], &deleted["data"]["pagination"]["total_data"]),
        (&json!(id), &json!(1))
    );
    let logs = admin.get(&format!("/activity-logs?user_id={id}&limit=100")).expect_status(200).json();
    let listed = logs["data"]["logs"].as_array().unwrap();
    let of = |kind: &str| listed.iter().filter(|log| log["action_type"] == kind).count();
    assert_eq!((of("LOGIN_SUCCESS"), of("RIGHT_MISSING"), listed.len()), (3, 2, 5), "{logs}");
    let done = admin.get("/activity-logs?limit=3&entity_type=USER").expect_status(200).json();
    let types: Vec<&str> =
        done["data"]["logs"].as_array().unwrap().iter().map(|log| log["action_type"].as_str().unwrap()).collect();
    assert_eq!(types, ["DELETE", "LOGIN_SUCCESS", "UPDATE"]);
}

fn password_change_ends_the_other_sessions(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let browser = BrowserClient::new(&installation, &server).log_in_ok("manager@example.com");
    let other = BrowserClient::new(&installation, &server).log_in_ok("manager@example.com");
    let till = server.new_till().login("manager", "P01");
    let change = |old: &str, new: &str| {
        installation.secrets().add(new);
        browser.call("PUT", "/auth/me/password", Some(json!({"old_password": old, "new_password": new})))
    };
    assert_refused(&change("wrong-horse-till", "another-horse-till"), 401, "Invalid current password");
    assert_refused(&change(PASSWORD, "short"), 400, "Failed to parse request body");
    other.get("/auth/me").expect_status(200);
    let done = change(PASSWORD, "another-horse-till").expect_status(200);
    assert_eq!(done.text(), "{\"message\":\"Password updated successfully\"}");
    browser.get("/auth/me").expect_status(200);
    browser.note_secrets(browser.post("/auth/refresh"));
    assert_refused(&other.get("/auth/me"), 401, "Invalid or expired token");
    assert_eq!(till.get_current_session().status(), 401);
    let old = json!({"email": "manager@example.com", "password": PASSWORD});
    assert_refused(&browser.call("POST", "/auth/login", Some(old)), 401, "Invalid username or password");
}

fn token_of_one_mount_is_refused_at_another(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let kasir = BrowserClient::new(&installation, &server).login("admin@example.com");
    let native = server.new_till().login("admin", "OFFICE");
    let mut foreign = server.new_till();
    foreign.access = kasir.text_at("/data/Token");
    assert_eq!(foreign.get_current_session().status(), 401);
    foreign.get("/kasir/api/v1/users").expect_status(200);
    let refresh = json!({"refresh_token": kasir.text_at("/data/refresh_token")});
    assert_eq!(server.new_till().post("/api/v1/sessions/refresh", &refresh).status(), 401);
    assert_refused(&native.get("/kasir/api/v1/users"), 401, "Invalid or expired token");
    let refresh = json!({"refresh_token": native.refresh});
    let crossed = server.new_till().post("/kasir/api/v1/auth/refresh", &refresh);
    assert_refused(&crossed, 401, "Invalid or expired session");
    native.get_current_session().expect_status(200);
}

#[test]
fn address_is_rate_limited_as_configured() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite).with_setting("KASIR__PER_MINUTE", "5");
    let server = installation.serve();
    let browser = BrowserClient::new(&installation, &server).log_in_ok("cashier@example.com");
    for _ in 0..4 {
        browser.get("/auth/me").expect_status(200);
    }
    let throttled = browser.get("/auth/me");
    assert_refused(&throttled, 429, "Too many requests");
    assert!(
        (1..=60).contains(&throttled.header("retry-after").parse::<u64>().unwrap()),
        "{}",
        throttled.header("retry-after")
    );
    server.new_till().login("cashier", "P01");
    drop(server);
    let installation = installation.with_setting("KASIR__PER_MINUTE", "1000");
    let server = installation.serve();
    let browser = BrowserClient::new(&installation, &server).log_in_ok("cashier@example.com");
    for _ in 0..150 {
        browser.get("/auth/me").expect_status(200);
    }
}

#[test]
#[ignore = "requires Python"]
fn python_script_works_with_bearer_and_cookies_on_sqlite() {
    check_python_script(DatabaseEngine::Sqlite);
}

#[test]
#[ignore = "requires Python and PostgreSQL"]
fn python_script_works_with_bearer_and_cookies_on_postgres() {
    check_python_script(DatabaseEngine::Postgres);
}

fn check_python_script(engine: DatabaseEngine) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/kasir.py");
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let output = Command::new("/usr/bin/python3")
        .arg(&script)
        .args([server.address(), PASSWORD])
        .output()
        .expect("python3 runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "/usr/bin/python3 with requests (tests/run installs it): {said}");
    let tokens = String::from_utf8(output.stdout).unwrap();
    assert_eq!(tokens.lines().count(), 8, "four grants of two tokens");
    tokens.lines().for_each(|token| installation.secrets().add(token));
}
