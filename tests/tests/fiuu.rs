//! A register that logs in as itself, on both databases: it sends forms, and goes on with an access token from before its refresh.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use serde_json::json;
use tillgate_tests::{Answer, Engine, Installation, PASSWORD, Running, Till, eventually};
use ureq::http::Request;

/// A register with the tokens that it holds.
struct Register<'s> {
    till: Till,
    address: String,
    shop: &'s Installation,
    access: String,
    refresh: String,
}

impl<'s> Register<'s> {
    fn new(shop: &'s Installation, server: &Running) -> Self {
        let (till, address) = (server.till(), server.address().to_owned());
        Self { till, address, shop, access: String::new(), refresh: String::new() }
    }

    /// The same session at a server that was started again.
    fn at(self, server: &Running) -> Self {
        Self { till: server.till(), address: server.address().to_owned(), ..self }
    }

    fn send(&self, method: &str, path: &str, bearer: &str, form: &str) -> Answer {
        let request = Request::builder().method(method).uri(format!("{}/fiuu{path}", self.address));
        let request =
            if bearer.is_empty() { request } else { request.header("authorization", format!("Bearer {bearer}")) };
        let request =
            if form.is_empty() { request } else { request.header("content-type", "application/x-www-form-urlencoded") };
        self.till.try_send(request.body(form.to_owned()).unwrap()).unwrap()
    }

    fn keep(&mut self, answer: &Answer) {
        (self.access, self.refresh) = (answer.text_at("/access/token"), answer.text_at("/refresh/token"));
        self.shop.secrets().note(&self.access);
        self.shop.secrets().note(&self.refresh);
        for until in ["/access/expiresAt", "/refresh/expiresAt"] {
            let until = answer.text_at(until);
            assert!(until.len() == 29 && until.ends_with("+00:00"), "{until}");
        }
    }

    fn login(&mut self, name: &str, password: &str) -> Answer {
        self.send("POST", "/auth/login", "", &format!("posId={name}&password={password}"))
    }

    fn logged_in(mut self, name: &str) -> Self {
        let answer = self.login(name, PASSWORD).expect(200);
        self.keep(&answer);
        self
    }

    fn renew(&self, token: &str) -> Answer {
        self.send("POST", "/auth/refresh", token, "")
    }

    fn terminals(&self, token: &str) -> Answer {
        self.send("GET", "/api/terminals", token, "")
    }

    /// Whether a device is said to be connected.
    fn connected(&self, name: &str) -> Option<bool> {
        let list = self.terminals(&self.access).expect(200).json();
        let named = list["data"].as_array().unwrap().iter().find(|terminal| terminal["terminalId"] == name)?;
        assert_eq!(named["isVT"], 0);
        named["connected"].as_bool()
    }
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: u32) {
    let json = answer.json();
    assert_eq!((answer.status(), json["code"].as_u64()), (status, Some(code.into())), "{json}");
    assert!(json["error"].is_string() && json["message"].is_string() && json.as_object().unwrap().len() == 3, "{json}");
}

#[test]
fn a_register_works_through_its_day() {
    for engine in Engine::ALL {
        println!("on {engine:?}");
        let shop = Installation::with_shop(engine).with_setting("LOG__LEVEL", "trace");
        let server = shop.serve();
        let mut register = Register::new(&shop, &server).logged_in("P01");
        let first = register.access.clone();
        let (asked, answer) = (register.refresh.clone(), register.renew(&register.refresh).expect(200));
        register.keep(&answer);
        assert_eq!(register.renew(&asked).expect(200).text_at("/refresh/token"), register.refresh, "a lost answer");
        for token in [&first, &register.access] {
            register.terminals(token).expect(200);
        }
        assert_eq!((register.connected("P01"), register.connected("P02")), (Some(true), Some(false)));
        let other = Register::new(&shop, &server).logged_in("P02");
        other.terminals(&other.access).expect(200);
        eventually(Duration::from_secs(20), "the other register to be seen", || {
            register.connected("P02") == Some(true)
        });
        drop(server);

        let server = shop.serve();
        let (mut register, other) = (register.at(&server), other.at(&server));
        register.terminals(&first).expect(200);
        let answer = register.renew(&register.refresh).expect(200);
        register.keep(&answer);
        register.send("POST", "/auth/logout", &first, "").expect(200);
        for token in [&first, &register.access] {
            refused(&register.terminals(token), 401, 40_122);
        }
        refused(&register.renew(&register.refresh), 401, 40_122);
        other.terminals(&other.access).expect(200);
    }
}

#[test]
fn a_register_hears_what_stands_against_it() {
    for engine in Engine::ALL {
        println!("on {engine:?}");
        let shop = Installation::with_shop(engine);
        let server = shop.serve();
        let mut register = Register::new(&shop, &server).logged_in("P01");
        shop.secrets().note("wrong-horse-till");
        refused(&register.login("P01", "wrong-horse-till"), 401, 40_125);
        refused(&register.login("P99", PASSWORD), 401, 40_125);
        refused(&register.login("", PASSWORD), 400, 40_021);
        refused(&register.send("POST", "/auth/login", "", "posId=P01"), 400, 40_031);
        refused(&register.renew(&register.access), 401, 40_121);
        refused(&register.terminals(&register.refresh), 401, 40_120);
        let native = server.till().login("cashier", "P01");
        refused(&register.terminals(&native.access), 401, 40_120);
        assert_eq!(
            server.till().post("/api/v1/sessions/refresh", &json!({"refresh_token": register.refresh})).status(),
            401
        );
        assert_eq!(native.current().status(), 200, "the register's own session leaves the cashier's alone");
        for (status, code) in [("locked", 40_312), ("retired", 40_313)] {
            shop.succeed(&["device", "status", "P01", status, "--yes"], "");
            refused(&register.login("P01", PASSWORD), 403, code);
            refused(&register.login("P01", "wrong-horse-till"), 401, 40_125);
            eventually(Duration::from_secs(10), "the end of the session", || {
                register.terminals(&register.access).status() == 401
            });
            refused(&register.terminals(&register.access), 401, 40_122);
            refused(&register.renew(&register.refresh), 401, 40_122);
        }
        let add = ["device", "add", "P03", "--env", "CashRegister", "--password"];
        shop.succeed(&add, &format!("{PASSWORD}\n"));
        shop.succeed(&["device", "status", "P03", "locked"], "");
        refused(&register.login("P03", PASSWORD), 403, 40_312);
        shop.succeed(&["device", "status", "P03", "active"], "");
        let back = Register::new(&shop, &server).logged_in("P03");
        assert_eq!((back.connected("P01"), back.connected("P03")), (None, Some(true)), "retired, and itself");
        for number in 0..10 {
            refused(&register.login("P02", &format!("wrong-horse-till{number}")), 401, 40_125);
        }
        let held = register.login("P02", "wrong-horse-till");
        refused(&held, 429, 42_930);
        assert!(!held.header("retry-after").is_empty());
    }
}
