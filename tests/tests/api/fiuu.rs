//! A register that logs in as itself, on both databases: it sends forms, and continues with an
//! access token issued before its refresh.

use std::time::Duration;

use serde_json::json;
use tillgate_tests::{DatabaseEngine, Installation, PASSWORD, RunningServer, TestResponse, TillClient, wait_until};
use ureq::http::Request;

/// A register with its tokens.
struct RegisterClient<'s> {
    till: TillClient,
    address: String,
    installation: &'s Installation,
    access: String,
    refresh: String,
}

impl<'s> RegisterClient<'s> {
    fn new(installation: &'s Installation, server: &RunningServer) -> Self {
        let (till, address) = (server.new_till(), server.address().to_owned());
        Self { till, address, installation, access: String::new(), refresh: String::new() }
    }

    /// The same session on a server that was restarted.
    fn at_server(self, server: &RunningServer) -> Self {
        Self { till: server.new_till(), address: server.address().to_owned(), ..self }
    }

    fn send(&self, method: &str, path: &str, bearer: &str, form: &str) -> TestResponse {
        let request = Request::builder().method(method).uri(format!("{}/fiuu{path}", self.address));
        let request =
            if bearer.is_empty() { request } else { request.header("authorization", format!("Bearer {bearer}")) };
        let request =
            if form.is_empty() { request } else { request.header("content-type", "application/x-www-form-urlencoded") };
        self.till.send(&request.body(form.to_owned()).unwrap())
    }

    fn store_tokens(&mut self, response: &TestResponse) {
        (self.access, self.refresh) = (response.text_at("/access/token"), response.text_at("/refresh/token"));
        self.installation.secrets().add(&self.access);
        self.installation.secrets().add(&self.refresh);
        for until in ["/access/expiresAt", "/refresh/expiresAt"] {
            let until = response.text_at(until);
            assert!(until.len() == 29 && until.ends_with("+00:00"), "{until}");
        }
    }

    fn login(&mut self, name: &str, password: &str) -> TestResponse {
        self.send("POST", "/auth/login", "", &format!("posId={name}&password={password}"))
    }

    fn log_in_ok(mut self, name: &str) -> Self {
        let response = self.login(name, PASSWORD).expect_status(200);
        self.store_tokens(&response);
        self
    }

    fn refresh(&self, token: &str) -> TestResponse {
        self.send("POST", "/auth/refresh", token, "")
    }

    fn terminals(&self, token: &str) -> TestResponse {
        self.send("GET", "/api/terminals", token, "")
    }

    /// Whether a device is listed as connected.
    fn is_connected(&self, name: &str) -> Option<bool> {
        let list = self.terminals(&self.access).expect_status(200).json();
        let named = list["data"].as_array().unwrap().iter().find(|terminal| terminal["terminalId"] == name)?;
        assert_eq!(named["isVT"], 0);
        named["connected"].as_bool()
    }
}

#[track_caller]
fn assert_refused(response: &TestResponse, status: u16, code: u32) {
    let json = response.json();
    assert_eq!((response.status(), json["code"].as_u64()), (status, Some(code.into())), "{json}");
    assert!(json["error"].is_string() && json["message"].is_string() && json.as_object().unwrap().len() == 3, "{json}");
}

tillgate_testkit::on_both_databases!(
    register_works_through_its_day,
    register_without_rotation_keeps_its_refresh_token,
    register_receives_the_reason_of_a_refusal
);

fn register_works_through_its_day(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine).with_setting("LOG__LEVEL", "trace");
    let server = installation.serve();
    let mut register = RegisterClient::new(&installation, &server).log_in_ok("P01");
    let first = register.access.clone();
    let (used_token, response) = (register.refresh.clone(), register.refresh(&register.refresh).expect_status(200));
    register.store_tokens(&response);
    assert_eq!(
        register.refresh(&used_token).expect_status(200).text_at("/refresh/token"),
        register.refresh,
        "a lost response"
    );
    for token in [&first, &register.access] {
        register.terminals(token).expect_status(200);
    }
    assert_eq!((register.is_connected("P01"), register.is_connected("P02")), (Some(true), Some(false)));
    let other = RegisterClient::new(&installation, &server).log_in_ok("P02");
    other.terminals(&other.access).expect_status(200);
    wait_until(Duration::from_secs(20), "the other register to be seen", || register.is_connected("P02") == Some(true));
    drop(server);

    let server = installation.serve();
    let (mut register, other) = (register.at_server(&server), other.at_server(&server));
    register.terminals(&first).expect_status(200);
    let response = register.refresh(&register.refresh).expect_status(200);
    register.store_tokens(&response);
    register.send("POST", "/auth/logout", &first, "").expect_status(200);
    for token in [&first, &register.access] {
        assert_refused(&register.terminals(token), 401, 40_122);
    }
    assert_refused(&register.refresh(&register.refresh), 401, 40_122);
    other.terminals(&other.access).expect_status(200);
}

fn register_without_rotation_keeps_its_refresh_token(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine).with_setting("FIUU__ROTATION", "false");
    let server = installation.serve();
    let mut register = RegisterClient::new(&installation, &server).log_in_ok("P01");
    let first = register.refresh.clone();
    for _ in 0..3 {
        let response = register.refresh(&first).expect_status(200);
        register.store_tokens(&response);
        assert_eq!(register.refresh, first);
        register.terminals(&register.access).expect_status(200);
    }
}

fn register_receives_the_reason_of_a_refusal(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let mut register = RegisterClient::new(&installation, &server).log_in_ok("P01");
    installation.secrets().add("wrong-horse-till");
    assert_refused(&register.login("P01", "wrong-horse-till"), 401, 40_125);
    assert_refused(&register.login("P99", PASSWORD), 401, 40_125);
    assert_refused(&register.login("", PASSWORD), 400, 40_021);
    assert_refused(&register.send("POST", "/auth/login", "", "posId=P01"), 400, 40_031);
    assert_refused(&register.refresh(&register.access), 401, 40_121);
    assert_refused(&register.terminals(&register.refresh), 401, 40_120);
    let native = server.new_till().login("cashier", "P01");
    assert_refused(&register.terminals(&native.access), 401, 40_120);
    assert_eq!(
        server.new_till().post("/api/v1/sessions/refresh", &json!({"refresh_token": register.refresh})).status(),
        401
    );
    assert_eq!(native.get_current_session().status(), 200, "the register's own session leaves the cashier's alone");
    for (status, code) in [("locked", 40_312), ("retired", 40_313)] {
        installation.run_ok(&["device", "status", "P01", status, "--yes"], "");
        assert_refused(&register.login("P01", PASSWORD), 403, code);
        assert_refused(&register.login("P01", "wrong-horse-till"), 401, 40_125);
        wait_until(Duration::from_secs(10), "the end of the session", || {
            register.terminals(&register.access).status() == 401
        });
        assert_refused(&register.terminals(&register.access), 401, 40_122);
        assert_refused(&register.refresh(&register.refresh), 401, 40_122);
    }
    let add = ["device", "add", "P03", "--env", "CashRegister", "--password"];
    installation.run_ok(&add, &format!("{PASSWORD}\n"));
    installation.run_ok(&["device", "status", "P03", "locked"], "");
    assert_refused(&register.login("P03", PASSWORD), 403, 40_312);
    installation.run_ok(&["device", "status", "P03", "active"], "");
    let back = RegisterClient::new(&installation, &server).log_in_ok("P03");
    assert_eq!((back.is_connected("P01"), back.is_connected("P03")), (None, Some(true)), "retired, and itself");
    for number in 0..10 {
        assert_refused(&register.login("P02", &format!("wrong-horse-till{number}")), 401, 40_125);
    }
    let throttled = register.login("P02", "wrong-horse-till");
    assert_refused(&throttled, 429, 42_930);
    assert!(!throttled.header("retry-after").is_empty());
}
