//! A headless browser: Debian's Chromium, driven over `WebDriver` (W3C) by its chromedriver. Keys
//! are sent as a person types them; console messages and requests are read from the browser itself.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};

use crate::chromium::{Chromium, ChromiumPool};
use crate::wait_until;

/// How long a page may take to show something.
const PAGE_TIMEOUT: Duration = Duration::from_secs(20);

/// The name of an element's reference (`WebDriver`, 12.1).
const ELEMENT_KEY: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys without a printable character (`WebDriver`, 17.4.2).
pub mod keys {
    /// The Tab key.
    pub const TAB: &str = "\u{E004}";
    /// The Enter key.
    pub const ENTER: &str = "\u{E007}";
    /// The space bar.
    pub const SPACE: &str = "\u{E00D}";
    /// The Backspace key.
    pub const BACKSPACE: &str = "\u{E003}";
    /// The Escape key.
    pub const ESCAPE: &str = "\u{E00C}";
    /// The arrow down.
    pub const DOWN: &str = "\u{E015}";
    /// The Shift key.
    pub const SHIFT: &str = "\u{E008}";
}

/// A running browser with one page.
pub struct Browser {
    /// Is always there until this is dropped.
    chromium: Option<Chromium>,
    pool: Arc<ChromiumPool>,
}

impl Browser {
    /// Starts a browser, or uses that of an earlier test, of which nothing is left.
    pub fn start() -> Self {
        let pool = ChromiumPool::current();
        Self { chromium: Some(pool.take_chromium()), pool }
    }

    fn send_command(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        self.chromium.as_ref().unwrap().send_command(method, path, body)
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        self.send_command("POST", path, Some(body)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    #[track_caller]
    fn get(&self, path: &str) -> Value {
        self.send_command("GET", path, None).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Opens an address.
    pub fn open(&self, address: &str) {
        self.post("/url", &json!({ "url": address }));
    }

    /// Goes back in the history.
    pub fn back(&self) {
        self.post("/back", &json!({}));
    }

    /// The address of the current page.
    pub fn address(&self) -> String {
        self.get("/url").as_str().unwrap().to_owned()
    }

    /// The title of the current page.
    pub fn title(&self) -> String {
        self.get("/title").as_str().unwrap().to_owned()
    }

    /// Runs a script on the page and returns the value of its `return`.
    #[track_caller]
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Runs an expression on the page and returns the value of its promise.
    #[track_caller]
    pub fn run_async(&self, expression: &str) -> Value {
        self.devtools("Runtime.evaluate", &evaluation(expression))["result"]["value"].clone()
    }

    /// As [`run_async`](Self::run_async), but returns `None` if the page is left meanwhile.
    pub fn try_run_async(&self, expression: &str) -> Option<Value> {
        let command = json!({ "cmd": "Runtime.evaluate", "params": evaluation(expression) });
        let response = self.send_command("POST", "/goog/cdp/execute", Some(&command)).ok()?;
        Some(response["result"]["value"].clone())
    }

    /// Opens another tab and uses it from now on. Returns the tab before it.
    pub fn open_tab(&self) -> String {
        let before = self.get("/window").as_str().unwrap().to_owned();
        let opened = self.post("/window/new", &json!({ "type": "tab" }))["handle"].as_str().unwrap().to_owned();
        self.switch_to_tab(&opened);
        before
    }

    /// Uses this tab from now on.
    pub fn switch_to_tab(&self, tab: &str) {
        self.post("/window", &json!({ "handle": tab }));
    }

    /// Closes the tab that is used, and uses this one from now on.
    #[track_caller]
    pub fn close_tab(&self, next: &str) {
        self.send_command("DELETE", "/window", None).unwrap();
        self.switch_to_tab(next);
    }

    /// Runs a command of the Chrome `DevTools` Protocol.
    #[track_caller]
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// Sets the size of the page in CSS pixels.
    pub fn resize(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Sets the color scheme that the person prefers, `light` or `dark`, without animations.
    pub fn set_color_scheme(&self, scheme: &str) {
        self.set_media_features(scheme, "none");
    }

    /// Replaces the colors of pages by those of a high-contrast theme, `light` or `dark`, until the
    /// next [`Browser::set_color_scheme`].
    pub fn force_colors(&self, scheme: &str) {
        self.set_media_features(scheme, "active");
        assert_eq!(self.run("return matchMedia('(forced-colors: active)').matches"), json!(true));
    }

    fn set_media_features(&self, scheme: &str, forced_colors: &str) {
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
            { "name": "forced-colors", "value": forced_colors },
        ]);
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": features }));
        // Chromium keeps inherited colors of `light-dark()` until the elements are rendered again
        self.run(
            "const root = document.documentElement; root.style.display = 'none'; root.offsetHeight; \
             root.style.display = ''; root.offsetHeight",
        );
    }

    /// Runs a script in every document that this tab opens from now on, before its own scripts.
    pub fn run_in_new_documents(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": script }));
    }

    /// A picture of the visible part of the page, as PNG.
    pub fn take_screenshot(&self) -> Vec<u8> {
        let encoded = self.get("/screenshot");
        base64::engine::general_purpose::STANDARD.decode(encoded.as_str().unwrap()).unwrap()
    }

    /// The reference of the first element with this CSS selector, as soon as there is one.
    #[track_caller]
    fn find_element(&self, css: &str) -> String {
        let found = self.post("/element", &json!({ "using": "css selector", "value": css }));
        found[ELEMENT_KEY].as_str().unwrap().to_owned()
    }

    /// Types into the field with this CSS selector.
    #[track_caller]
    pub fn type_into(&self, css: &str, text: &str) {
        let element = self.find_element(css);
        self.post(&format!("/element/{element}/value"), &json!({ "text": text }));
    }

    /// Presses keys one after the other, wherever the focus is.
    #[track_caller]
    pub fn press(&self, keys: &str) {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() })))
            .collect();
        self.post("/actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] }));
    }

    /// Presses a key while Shift is held, wherever the focus is.
    #[track_caller]
    pub fn press_with_shift(&self, key: &str) {
        let stroke = |kind: &str, value: &str| json!({ "type": kind, "value": value });
        let strokes = [
            stroke("keyDown", keys::SHIFT),
            stroke("keyDown", key),
            stroke("keyUp", key),
            stroke("keyUp", keys::SHIFT),
        ];
        self.post("/actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] }));
    }

    /// Clicks the element with this CSS selector.
    #[track_caller]
    pub fn click(&self, css: &str) {
        let element = self.find_element(css);
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    /// The role and the accessible name of an element, as the browser computes them for assistive
    /// technology.
    #[track_caller]
    pub fn accessible_name(&self, css: &str) -> (String, String) {
        let element = self.find_element(css);
        let part = |part: &str| self.get(&format!("/element/{element}/{part}")).as_str().unwrap_or_default().to_owned();
        (part("computedrole"), part("computedlabel"))
    }

    /// The visible text of the element with this CSS selector.
    #[track_caller]
    pub fn text(&self, css: &str) -> String {
        let element = self.find_element(css);
        self.get(&format!("/element/{element}/text")).as_str().unwrap_or_default().to_owned()
    }

    /// The value of a field.
    #[track_caller]
    pub fn value(&self, css: &str) -> String {
        let element = self.find_element(css);
        self.get(&format!("/element/{element}/property/value")).as_str().unwrap_or_default().to_owned()
    }

    /// Whether the element is visible.
    #[track_caller]
    pub fn is_visible(&self, css: &str) -> bool {
        let element = self.find_element(css);
        self.get(&format!("/element/{element}/displayed")).as_bool().unwrap()
    }

    /// The id of the element with the focus, otherwise its tag name.
    pub fn focused_id(&self) -> String {
        let script = "return document.activeElement.id || document.activeElement.localName";
        self.run(script).as_str().unwrap().to_owned()
    }

    /// Waits until the element with this CSS selector contains the text.
    #[track_caller]
    pub fn wait_for(&self, css: &str, text: &str) {
        let script = format!("return document.querySelector({css:?})?.textContent ?? ''");
        let mut last = String::new();
        let deadline = crate::now() + PAGE_TIMEOUT;
        while !last.contains(text) {
            assert!(crate::now() < deadline, "{css} says {last:?}, not {text:?}");
            std::thread::sleep(Duration::from_millis(20));
            self.run(&script).as_str().unwrap_or_default().clone_into(&mut last);
        }
    }

    /// Waits until the element exists and is visible. The page may be replaced meanwhile.
    #[track_caller]
    pub fn wait_until_visible(&self, css: &str) {
        let is_visible = || {
            let found = self.send_command("POST", "/element", Some(&json!({ "using": "css selector", "value": css })));
            let element = found.ok()?[ELEMENT_KEY].as_str()?.to_owned();
            self.send_command("GET", &format!("/element/{element}/displayed"), None).ok()?.as_bool()
        };
        wait_until(PAGE_TIMEOUT, &format!("{css} to be seen"), || is_visible() == Some(true));
    }

    /// The console messages since the last call: script errors, and violations of the page's
    /// policy. A request that was answered with an error does not count, nor does an error in the
    /// browser's own first tab, which fails if scripts are switched off while it loads.
    pub fn take_console_errors(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({ "type": "browser" }));
        log.as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["source"] != "network")
            .filter_map(|entry| entry["message"].as_str())
            .filter(|message| !message.starts_with("chrome://"))
            .map(str::to_owned)
            .collect()
    }

    /// The address of every network request since the last call.
    pub fn take_requests(&self) -> Vec<String> {
        self.take_requests_with_method().into_iter().map(|(_, url)| url).collect()
    }

    /// The method and the address of every network request since the last call.
    pub fn take_requests_with_method(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let log = self.post("/se/log", &json!({ "type": "performance" }));
        log.as_array()
            .unwrap()
            .iter()
            .filter_map(|entry| serde_json::from_str::<Value>(entry["message"].as_str()?).ok())
            .filter(|entry| entry["message"]["method"] == "Network.requestWillBeSent")
            .map(|entry| entry["message"]["params"]["request"].clone())
            .map(|request| (text(&request["method"]), text(&request["url"])))
            // the browser's own pages and embedded data are excluded
            .filter(|(_, url)| url.starts_with("http") || url.starts_with("ws"))
            .collect()
    }
}

/// The parameters to evaluate an expression and to wait for its promise.
fn evaluation(expression: &str) -> Value {
    json!({ "expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true })
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(chromium) = self.chromium.take() {
            self.pool.give_back(chromium);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[ignore = "requires Chromium"]
    fn commands_wait_for_an_element_that_is_drawn_later() {
        let browser = Browser::start();
        let draw = "setTimeout(() => { document.body.innerHTML = '<input id=late>'; }, 500)";
        browser.open(&format!("data:text/html,<body><script>{draw}</script>"));
        browser.type_into("#late", "typed");
        assert_eq!(browser.value("#late"), "typed");
    }
}
