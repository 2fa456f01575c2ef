//! POS Kasir on both databases: a browser that has a jar of cookies and no header, a script in Python with bearer and cookies, and
//! what its admins do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tillgate_tests::{Answer, Engine, Installation, PASSWORD, Running, Till, eventually};
use ureq::http::Request;

/// A browser with the server's own front end open. It never sees a token: its jar does.
struct Browser<'s> {
    jar: Till,
    address: String,
    shop: &'s Installation,
}

impl<'s> Browser<'s> {
    fn new(shop: &'s Installation, server: &Running) -> Self {
        Self { jar: server.till(), address: server.address().to_owned(), shop }
    }

    /// The same browser, once the server was started again elsewhere.
    fn at(self, server: &Running) -> Self {
        Self { address: server.address().to_owned(), ..self }
    }

    fn from(&self, origin: &str, site: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        let uri = format!("{}/kasir/api/v1{path}", self.address);
        let mut request = Request::builder().method(method).uri(uri).header("sec-fetch-site", site);
        if method != "GET" {
            request = request.header("origin", origin);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.jar.try_send(request.body(body).unwrap()).unwrap()
    }

    fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.from(&self.address, "same-origin", method, path, body)
    }

    fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None)
    }

    fn post(&self, path: &str) -> Answer {
        self.call("POST", path, None)
    }

    /// Notes the tokens of an answer, which no log may hold.
    fn noted(&self, answer: Answer) -> Answer {
        let answer = answer.expect(200);
        for token in ["/data/Token", "/data/refresh_token"] {
            self.shop.secrets().note(&answer.text_at(token));
        }
        answer
    }

    fn login(&self, email: &str) -> Answer {
        self.noted(self.call("POST", "/auth/login", Some(json!({"email": email, "password": PASSWORD}))))
    }

    fn logged_in(self, email: &str) -> Self {
        self.login(email);
        self
    }
}

/// The refusal with this message.
#[track_caller]
fn refused(answer: &Answer, status: u16, message: &str) {
    let json = answer.json();
    assert_eq!((answer.status(), json["message"].as_str()), (status, Some(message)), "{json}");
    assert!(json["data"].is_null() && json.as_object().unwrap().len() == 3, "{json}");
}

#[test]
fn a_browser_works_by_its_cookies_alone() {
    for engine in Engine::ALL {
        println!("on {engine:?}");
        let shop = Installation::with_shop(engine);
        let mut server = shop.serve();
        let browser = Browser::new(&shop, &server);
        refused(&browser.get("/auth/me"), 401, "Authorization header required");
        refused(&browser.post("/auth/refresh"), 401, "Refresh token missing");
        let login = browser.login("cashier@example.com");
        let lines = login.header("set-cookie");
        assert!(lines.contains("HttpOnly; SameSite=Lax; Path=/") && !lines.contains("Secure"), "{lines}");
        let me = browser.get("/auth/me").expect(200).json();
        assert_eq!(me["data"], login.json()["data"]["profile"]);
        browser.get("/users").expect(200);
        refused(&browser.get("/activity-logs"), 403, "Insufficient permissions");
        let renewed = browser.noted(browser.post("/auth/refresh"));
        assert_ne!(renewed.text_at("/data/refresh_token"), login.text_at("/data/refresh_token"));
        assert_eq!(browser.get("/auth/me").expect(200).json(), me);
        assert!(server.stop().success());
        let server = shop.serve();
        let browser = browser.at(&server);
        assert_eq!(browser.get("/auth/me").expect(200).json(), me, "a restart ends nothing");
        browser.noted(browser.post("/auth/refresh"));
        let out = browser.post("/auth/logout").expect(200);
        assert_eq!(out.text(), "{\"message\":\"Successfully logged out\",\"data\":null}");
        refused(&browser.get("/auth/me"), 401, "Authorization header required");
        refused(&browser.post("/auth/refresh"), 401, "Refresh token missing");
        let mut till = server.till();
        till.access = login.text_at("/data/Token");
        refused(&till.get("/kasir/api/v1/auth/me"), 401, "Invalid or expired token");
    }
}

#[test]
fn a_page_of_another_origin_does_nothing_with_the_cookies() {
    let front = "https://pos.example";
    for engine in Engine::ALL {
        println!("on {engine:?}");
        let shop = Installation::with_shop(engine).with_setting("KASIR__ORIGINS", front);
        let server = shop.serve();
        let browser = Browser::new(&shop, &server).logged_in("admin@example.com");
        let id = browser.get("/users?search=cashier").expect(200).text_at("/data/users/0/id");
        let user = format!("/users/{id}");
        for (method, path, body) in [
            ("POST", "/auth/refresh", None),
            ("POST", "/auth/logout", None),
            ("PUT", "/auth/me/password", Some(json!({"old_password": PASSWORD, "new_password": "another-horse"}))),
            ("DELETE", user.as_str(), None),
            ("PUT", user.as_str(), Some(json!({"role": "admin"}))),
        ] {
            for (origin, site) in [("https://evil.example", "cross-site"), ("null", "cross-site"), ("", "same-site")] {
                let answer = browser.from(origin, site, method, path, body.clone());
                refused(&answer, 403, "Origin not allowed");
            }
        }
        assert_eq!(browser.get(&user).expect(200).text_at("/data/role"), "cashier");
        let other = Browser::new(&shop, &server).logged_in("admin@example.com");
        browser.get("/auth/me").expect(200);
        // the front end that is named may
        let answer = browser.from(front, "cross-site", "POST", "/auth/refresh", None).expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), front);
        assert_eq!(answer.header("access-control-allow-credentials"), "true");
        browser.noted(answer);
        browser.from(front, "cross-site", "POST", "/auth/logout", None).expect(200);
        other.get("/auth/me").expect(200);
    }
}

#[test]
fn what_an_admin_changes_counts_at_once() {
    for engine in Engine::ALL {
        println!("on {engine:?}");
        let shop = Installation::with_shop(engine);
        let server = shop.serve();
        let admin = Browser::new(&shop, &server).logged_in("admin@example.com");
        let user = Browser::new(&shop, &server).logged_in("cashier@example.com");
        let id = user.get("/auth/me").expect(200).text_at("/data/id");
        let path = format!("/users/{id}");
        refused(&user.get(&path), 403, "Insufficient permissions");
        admin.call("PUT", &path, Some(json!({"role": "manager"}))).expect(200);
        assert_eq!(user.get(&path).expect(200).text_at("/data/role"), "manager", "the same cookie");
        refused(&user.call("PUT", &path, Some(json!({"role": "admin"}))), 403, "Insufficient permissions");
        let till = server.till().login("cashier", "P01");
        admin.post(&format!("{path}/toggle-status")).expect(200);
        refused(&user.get("/auth/me"), 401, "Invalid or expired token");
        refused(&user.post("/auth/refresh"), 401, "Invalid or expired session");
        assert_eq!(till.current().status(), 401, "on the till too");
        admin.post(&format!("{path}/toggle-status")).expect(200);
        user.login("cashier@example.com");
        let elsewhere = shop.serve();
        let user = user.at(&elsewhere);
        user.get("/auth/me").expect(200);
        admin.call("DELETE", &path, None).expect(200);
        eventually(Duration::from_secs(10), "the end in another process", || user.get("/auth/me").status() == 401);
        let gone = admin.get("/users?status=deleted").expect(200).json();
        assert_eq!(
            (&gone["data"]["users"][0]["id"], &gone["data"]["pagination"]["total_data"]),
            (&json!(id), &json!(1))
        );
        let logs = admin.get(&format!("/activity-logs?user_id={id}&limit=100")).expect(200).json();
        let told = logs["data"]["logs"].as_array().unwrap();
        let of = |kind: &str| told.iter().filter(|log| log["action_type"] == kind).count();
        assert_eq!((of("LOGIN_SUCCESS"), of("RIGHT_MISSING"), told.len()), (3, 2, 5), "{logs}");
        let done = admin.get("/activity-logs?limit=3&entity_type=USER").expect(200).json();
        let types: Vec<&str> =
            done["data"]["logs"].as_array().unwrap().iter().map(|log| log["action_type"].as_str().unwrap()).collect();
        assert_eq!(types, ["DELETE", "LOGIN_SUCCESS", "UPDATE"]);
    }
}

#[test]
fn another_password_ends_the_other_sessions() {
    for engine in Engine::ALL {
        println!("on {engine:?}");
        let shop = Installation::with_shop(engine);
        let server = shop.serve();
        let browser = Browser::new(&shop, &server).logged_in("manager@example.com");
        let other = Browser::new(&shop, &server).logged_in("manager@example.com");
        let till = server.till().login("manager", "P01");
        let change = |old: &str, new: &str| {
            shop.secrets().note(new);
            browser.call("PUT", "/auth/me/password", Some(json!({"old_password": old, "new_password": new})))
        };
        refused(&change("wrong-horse-till", "another-horse-till"), 401, "Invalid current password");
        refused(&change(PASSWORD, "short"), 400, "Failed to parse request body");
        other.get("/auth/me").expect(200);
        let done = change(PASSWORD, "another-horse-till").expect(200);
        assert_eq!(done.text(), "{\"message\":\"Password updated successfully\"}");
        browser.get("/auth/me").expect(200);
        browser.noted(browser.post("/auth/refresh"));
        refused(&other.get("/auth/me"), 401, "Invalid or expired token");
        assert_eq!(till.current().status(), 401);
        let old = json!({"email": "manager@example.com", "password": PASSWORD});
        refused(&browser.call("POST", "/auth/login", Some(old)), 401, "Invalid username or password");
    }
}

#[test]
fn a_token_of_one_mount_is_none_of_another() {
    for engine in Engine::ALL {
        println!("on {engine:?}");
        let shop = Installation::with_shop(engine);
        let server = shop.serve();
        let kasir = Browser::new(&shop, &server).login("admin@example.com");
        let native = server.till().login("admin", "OFFICE");
        let mut foreign = server.till();
        foreign.access = kasir.text_at("/data/Token");
        assert_eq!(foreign.current().status(), 401);
        foreign.get("/kasir/api/v1/users").expect(200);
        let refresh = json!({"refresh_token": kasir.text_at("/data/refresh_token")});
        assert_eq!(server.till().post("/api/v1/sessions/refresh", &refresh).status(), 401);
        refused(&native.get("/kasir/api/v1/users"), 401, "Invalid or expired token");
        let refresh = json!({"refresh_token": native.refresh});
        let crossed = server.till().post("/kasir/api/v1/auth/refresh", &refresh);
        refused(&crossed, 401, "Invalid or expired session");
        native.current().expect(200);
    }
}

#[test]
fn an_address_has_so_many_requests_a_minute_as_the_setting_says() {
    let shop = Installation::with_shop(Engine::Sqlite).with_setting("KASIR__PER_MINUTE", "5");
    let server = shop.serve();
    let browser = Browser::new(&shop, &server).logged_in("cashier@example.com");
    for _ in 0..4 {
        browser.get("/auth/me").expect(200);
    }
    let held = browser.get("/auth/me");
    refused(&held, 429, "Too many requests");
    assert!((1..=60).contains(&held.header("retry-after").parse::<u64>().unwrap()), "{}", held.header("retry-after"));
    server.till().login("cashier", "P01");
    drop(server);
    let shop = shop.with_setting("KASIR__PER_MINUTE", "1000");
    let server = shop.serve();
    let browser = Browser::new(&shop, &server).logged_in("cashier@example.com");
    for _ in 0..150 {
        browser.get("/auth/me").expect(200);
    }
}

#[test]
fn a_script_in_python_works_by_bearer_and_cookies() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/kasir.py");
    for engine in Engine::ALL {
        println!("on {engine:?}");
        let shop = Installation::with_shop(engine);
        let server = shop.serve();
        let output = Command::new("/usr/bin/python3")
            .arg(&script)
            .args([server.address(), PASSWORD])
            .output()
            .expect("python3 runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "/usr/bin/python3 with requests (tests/run installs it): {said}");
        let tokens = String::from_utf8(output.stdout).unwrap();
        assert_eq!(tokens.lines().count(), 8, "four grants of two tokens");
        tokens.lines().for_each(|token| shop.secrets().note(token));
    }
}
