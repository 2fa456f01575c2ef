//! Chromium with its chromedriver. Starting one takes longer than many tests, so that tests of this
//! process use the same one after the other.

use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde_json::{Value, json};
use tillgate_testkit::TestFolder;
use tillgate_testkit::chromium::{build_capabilities, start_driver};
use ureq::Agent;
use ureq::http::Request;

/// How long the browser may take for one command.
const COMMAND_TIMEOUT: Duration = Duration::from_mins(1);

/// How long a command waits for the element that it names, and until it can be used: a page draws
/// what it shows a moment after the input that causes it.
const ELEMENT_TIMEOUT: Duration = Duration::from_secs(20);

/// The logs that the browser keeps: messages of the console, and events of the network.
const LOGS: [&str; 2] = ["browser", "performance"];

/// A running Chromium, driven over `WebDriver` (W3C) by its chromedriver.
pub(crate) struct Chromium {
    driver: Child,
    agent: Agent,
    session: String,
    profile: TestFolder,
}

impl Chromium {
    /// Starts a Chromium with its own profile.
    fn start() -> Self {
        let profile = TestFolder::new();
        let (driver, port) = start_driver().expect("chromedriver is missing: tests/run install");
        let agent: Agent =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(COMMAND_TIMEOUT)).build().into();
        let mut chromium = Self { driver, agent, session: format!("http://127.0.0.1:{port}/session"), profile };
        let created = chromium.send_command("POST", "", Some(&build_capabilities(&chromium.profile, &LOGS)));
        let created = created.unwrap_or_else(|error| panic!("Chromium did not start: {error}"));
        chromium.session = format!("{}/{}", chromium.session, created["sessionId"].as_str().unwrap());
        let timeouts = json!({ "implicit": ELEMENT_TIMEOUT.as_secs() * 1000 });
        chromium.send_command("POST", "/timeouts", Some(&timeouts)).unwrap();
        chromium
    }

    /// Sends a command and returns its value. An error is the description of the driver.
    pub(crate) fn send_command(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.session));
        let request = request.header("content-type", "application/json");
        let request = request.body(body.map(Value::to_string).unwrap_or_default()).unwrap();
        let mut response = self.agent.run(request).map_err(|error| error.to_string())?;
        let response = response.body_mut().read_to_string().map_err(|error| error.to_string())?;
        let response: Value = serde_json::from_str(&response).map_err(|error| error.to_string())?;
        match response["value"]["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", response["value"]["message"])),
            None => Ok(response["value"].clone()),
        }
    }

    /// Leaves nothing of what a test has opened, set or stored: closes its tabs, with which their
    /// history, emulation and scripts go, and removes the storage of their origins, all cookies,
    /// the cache, permissions, and unread messages.
    fn forget_everything(&self) -> Result<(), String> {
        let post = |path: &str, body: &Value| self.send_command("POST", path, Some(body));
        let devtools = |command: &str, parameters: &Value| {
            post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
        };
        let tabs = self.send_command("GET", "/window/handles", None)?;
        let opened = post("/window/new", &json!({ "type": "tab" }))?["handle"].clone();
        for tab in tabs.as_array().into_iter().flatten() {
            post("/window", &json!({ "handle": tab }))?;
            let origin = post("/execute/sync", &json!({ "script": "return location.origin", "args": [] }))?;
            if origin.as_str().is_some_and(|origin| origin.starts_with("http")) {
                let parameters = json!({ "origin": origin, "storageTypes": "all" });
                devtools("Storage.clearDataForOrigin", &parameters)?;
            }
            self.send_command("DELETE", "/window", None)?;
        }
        post("/window", &json!({ "handle": opened }))?;
        for command in ["Network.clearBrowserCookies", "Network.clearBrowserCache", "Browser.resetPermissions"] {
            devtools(command, &json!({}))?;
        }
        devtools("Browser.setDownloadBehavior", &json!({ "behavior": "default" }))?;
        for log in LOGS {
            post("/se/log", &json!({ "type": log }))?;
        }
        Ok(())
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.send_command("DELETE", "", None);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The Chromiums that no test uses now. Each browser of a test holds the pool: it ends with the
/// last of them, because nothing static is dropped at the end of a process.
#[derive(Default)]
pub(crate) struct ChromiumPool(Mutex<Vec<Chromium>>);

impl ChromiumPool {
    /// The pool of the tests that run now.
    pub(crate) fn current() -> Arc<Self> {
        static CURRENT: Mutex<Weak<ChromiumPool>> = Mutex::new(Weak::new());
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        current.upgrade().unwrap_or_else(|| {
            let pool = Arc::default();
            *current = Arc::downgrade(&pool);
            pool
        })
    }

    /// A Chromium that no other test uses: one of an earlier test, or a new one.
    pub(crate) fn take_chromium(&self) -> Chromium {
        let earlier = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(earlier) = earlier {
            return earlier;
        }
        Chromium::start()
    }

    /// Keeps a Chromium for later tests, if there may be any: not if its test has failed, nor if no
    /// other test uses the pool.
    pub(crate) fn give_back(self: &Arc<Self>, chromium: Chromium) {
        let is_shared = Arc::strong_count(self) > 1;
        if is_shared && !std::thread::panicking() && chromium.forget_everything().is_ok() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(chromium);
        }
    }
}
