//! The back office in a browser: a server, a browser, and what every visit must hold.

use std::time::Duration;

use serde_json::{Value, json};
use tillgate_testkit::DatabaseEngine;

use crate::browser::keys;
use crate::{Browser, Installation, PASSWORD, RunningServer, TillClient, wait_until};

/// How long the page may take to show something.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The key under which the page stores preferences, its only one.
const PREFERENCES_KEY: &str = "tillgate-office";

/// A browser with the back office of the small demo shop.
pub struct OfficePage {
    /// The browser, which is closed before the server stops.
    pub browser: Browser,
    /// The server.
    pub server: RunningServer,
    installation: Installation,
}

impl OfficePage {
    /// Starts a server on this database engine, and a browser.
    pub fn start(engine: DatabaseEngine) -> Self {
        let installation = Installation::with_fixture(engine);
        let server = installation.serve();
        Self { browser: Browser::start(), server, installation }
    }

    /// Opens a page of the back office, such as `/people`.
    pub fn open(&self, path: &str) {
        self.browser.open(&format!("{}/office{path}", self.server.address()));
    }

    /// Waits until the address is that of this page, whatever its query is.
    #[track_caller]
    pub fn wait_for_path(&self, path: &str) {
        let address = format!("{}/office{path}", self.server.address());
        wait_until(TIMEOUT, &format!("the address {address}"), || {
            self.browser.address().split('?').next() == Some(address.as_str())
        });
    }

    /// Signs a user in on the sign-in page and waits for the board.
    #[track_caller]
    pub fn sign_in(&self, login: &str) {
        self.open("/sign-in");
        self.browser.wait_until_visible("#login");
        self.browser.type_into("#login", login);
        self.browser.type_into("#password", &format!("{PASSWORD}{}", keys::ENTER));
        self.wait_for_path("/");
        self.browser.wait_for("#main", "P01");
    }

    /// Signs out by the menu of the person.
    #[track_caller]
    pub fn sign_out(&self) {
        self.browser.click("button.person");
        self.click_text("[role=menuitem]", "Sign out");
        self.wait_for_path("/signed-out");
    }

    /// Waits until an element with this CSS selector contains the text.
    #[track_caller]
    pub fn wait_for_text(&self, css: &str, text: &str) {
        let script = format!("return {}", contains_script(css, text));
        wait_until(TIMEOUT, &format!("{text:?} in {css}"), || self.browser.run(&script) == json!(true));
    }

    /// Clicks the first element with this CSS selector that contains the text, as soon as there is
    /// one.
    #[track_caller]
    pub fn click_text(&self, css: &str, text: &str) {
        let script = format!("const found = {}; found?.click(); return Boolean(found)", find_script(css, text));
        wait_until(TIMEOUT, &format!("{text:?} in {css}"), || self.browser.run(&script) == json!(true));
    }

    /// The text that the page shows.
    pub fn text(&self) -> String {
        self.browser.run("return document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// Sends a request from a script of the page, with its cookies; returns the status and the body.
    pub fn fetch(&self, method: &str, path: &str, body: Option<&Value>) -> (u64, Value) {
        let headers = json!({ "content-type": "application/json", "if-match": "*" });
        let options = json!({ "method": method, "headers": headers, "body": body.map(Value::to_string) });
        let call = format!(
            "fetch('/office/api/v1{path}', {options}).then(async answer => ({{ status: answer.status, text: await \
             answer.text() }}))"
        )
        .replace(",\"body\":null", "")
        .replace("\"body\":null,", "");
        let answer = self.browser.run_async(&call);
        let body = serde_json::from_str(answer["text"].as_str().unwrap_or_default()).unwrap_or(Value::Null);
        (answer["status"].as_u64().unwrap_or_else(|| panic!("{method} {path}: {answer}")), body)
    }

    /// A client of the native API that is logged in as this user, without a device.
    #[track_caller]
    pub fn log_in_natively(&self, login: &str) -> TillClient {
        let mut client = self.server.new_till();
        let answer = client.post("/api/v1/sessions", &json!({ "login": login, "password": PASSWORD }));
        client.store_tokens(&answer.expect_status(201));
        client
    }

    /// Checks what every visit must hold, and the requests and messages since the last check: no
    /// script error and no violation of the policy, requests to the own server only, and nothing
    /// secret in reach of scripts.
    #[track_caller]
    pub fn assert_clean(&self) {
        let secrets = self.installation.secrets();
        let cookies = self.browser.devtools("Network.getAllCookies", &json!({}));
        for cookie in cookies["cookies"].as_array().unwrap() {
            secrets.add(cookie["value"].as_str().unwrap());
        }
        assert_eq!(self.browser.run("return document.cookie"), json!(""));
        let stored = self.browser.run("return [...Object.keys(localStorage), ...Object.keys(sessionStorage)]");
        assert!(stored.as_array().unwrap().iter().all(|key| *key == json!(PREFERENCES_KEY)), "{stored}");
        let reachable =
            "return document.documentElement.outerHTML + JSON.stringify({...localStorage, ...history.state})";
        secrets.assert_absent("the page", self.browser.run(reachable).as_str().unwrap());
        // the browser notes what the sign-out has cleared
        let errors: Vec<String> = self
            .browser
            .take_console_errors()
            .into_iter()
            .filter(|line| !line.contains("Cleared data types"))
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "script errors and violations of the policy");
        for url in self.browser.take_requests() {
            assert!(url.starts_with(&format!("{}/", self.server.address())), "{url}");
            secrets.assert_absent("an address", &url);
        }
    }
}

/// A script that finds the first element with this CSS selector that contains the text.
fn find_script(css: &str, text: &str) -> String {
    let (css, text) = (json!(css), json!(text));
    format!("[...document.querySelectorAll({css})].find(each => each.textContent.includes({text}))")
}

fn contains_script(css: &str, text: &str) -> String {
    format!("Boolean({})", find_script(css, text))
}
