//! A headless Chromium, driven over `WebDriver` (W3C) by its chromedriver.

use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tillgate_testkit::chromium::{build_capabilities, start_driver};

use crate::http_client;
use crate::store::create_folder;

/// How long a page may take until a script returns something.
const PAGE_TIMEOUT: Duration = Duration::from_mins(1);

/// How often the page is asked. Each time takes a little of the page's own thread.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A running browser with one page.
pub(crate) struct Browser {
    driver: Child,
    /// The address and port of chromedriver.
    address: String,
    /// The path of the browser at chromedriver.
    session: String,
    profile: PathBuf,
}

impl Browser {
    /// Starts a browser with its own profile; `None` if chromedriver or Chromium is missing.
    pub(crate) fn start() -> Option<Self> {
        let (driver, port) = start_driver()?;
        let address = format!("127.0.0.1:{port}");
        let mut browser = Self { driver, address, session: String::new(), profile: create_folder() };
        let created = browser.command("POST", "/session", &build_capabilities(&browser.profile, &[])).ok()?;
        browser.session = format!("/session/{}", created["sessionId"].as_str()?);
        Some(browser)
    }

    fn command(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let mut stream = http_client::connect(&self.address);
        let (_, _, response) = http_client::send_request(&mut stream, request.as_bytes());
        let response: Value = serde_json::from_slice(&response).map_err(|error| error.to_string())?;
        match response["value"]["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", response["value"]["message"])),
            None => Ok(response["value"].clone()),
        }
    }

    fn command_of_session(&self, path: &str, body: &Value) -> Value {
        self.command("POST", &format!("{}{path}", self.session), body).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Opens an address and waits until the page and its resources are loaded.
    pub(crate) fn open(&self, address: &str) {
        self.command_of_session("/url", &json!({ "url": address }));
    }

    /// Runs a command of the Chrome `DevTools` Protocol.
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) {
        self.command_of_session("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }));
    }

    /// Runs a script on the page until it returns a value that is not null, and returns that.
    pub(crate) fn wait_for(&self, what: &str, script: &str) -> Value {
        let deadline = Instant::now() + PAGE_TIMEOUT;
        loop {
            // while the page changes, the script may fail
            let path = format!("{}/execute/sync", self.session);
            match self.command("POST", &path, &json!({ "script": script, "args": [] })) {
                Ok(value) if !value.is_null() => return value,
                response => assert!(Instant::now() < deadline, "{what}: {response:?}"),
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            let _ = self.command("DELETE", &self.session, &Value::Null);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}
