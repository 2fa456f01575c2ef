//! The back office in a browser: a server, a browser, and what every visit must hold.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};
use tillgate_testkit::DatabaseEngine;

use crate::browser::keys;
use crate::openapi_document::is_documented;
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
    /// The installation of the server.
    pub installation: Installation,
    /// Where the browser reaches the server: its own address, or that of a proxy.
    address: String,
    /// The OpenAPI document of the server.
    document: OnceLock<Value>,
}

/// Counts the calls of a document whose responses its scripts have not read yet.
const COUNT_OPEN_CALLS: &str = "{ window.openCalls = 0; const send = window.fetch; \
    window.fetch = async (...request) => { openCalls += 1; const end = () => { openCalls -= 1; }; \
    try { const response = await send(...request); response.clone().arrayBuffer().then(end, end); return response; } \
    catch (error) { end(); throw error; } } }";

/// Returns the texts of the page, except code, and the names and hints of its elements.
const VISIBLE_TEXTS: &str = "const texts = new Set(); \
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); \
    while (walker.nextNode()) if (!walker.currentNode.parentElement.closest('noscript, script, code, pre')) \
    texts.add(walker.currentNode.data.trim()); \
    for (const each of document.querySelectorAll('[title], [aria-label], [placeholder]')) \
    for (const name of ['title', 'aria-label', 'placeholder']) texts.add(each.getAttribute(name)?.trim() ?? ''); \
    texts.add(document.title.split(' \u{b7} ')[0]); return [...texts]";

/// Whether the page shows all that it has to show, two frames from now: neither it nor its panel is
/// still being read, and what was read last is rendered.
const SETTLED: &str = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => { \
    const resources = performance.getEntriesByType('resource'); \
    const quiet = performance.now() - Math.max(0, ...resources.map(each => each.responseEnd)); \
    done(document.readyState === 'complete' && window.openCalls === 0 && quiet > 50 \
    && !document.querySelector('.boot, .skeleton, [aria-busy=true]') \
    && document.querySelector('aside.panel h2')?.textContent !== '…' \
    && Boolean(document.querySelector('#main, main')?.childElementCount)) })))";

impl OfficePage {
    /// Starts a server on this database engine, and a browser.
    pub fn start(engine: DatabaseEngine) -> Self {
        Self::start_on(Installation::with_fixture(engine))
    }

    /// Starts a server on this installation, and a browser.
    pub fn start_on(installation: Installation) -> Self {
        let server = installation.serve();
        let address = server.address().to_owned();
        Self::start_at(installation, server, address)
    }

    /// Starts a browser that reaches a running server at this address.
    pub fn start_at(installation: Installation, server: RunningServer, address: String) -> Self {
        let browser = Browser::start();
        browser.run_in_new_documents(COUNT_OPEN_CALLS);
        Self { browser, server, installation, address, document: OnceLock::new() }
    }

    /// Opens another tab and uses it from now on. Returns the tab before it.
    pub fn open_tab(&self) -> String {
        let before = self.browser.open_tab();
        self.browser.run_in_new_documents(COUNT_OPEN_CALLS);
        before
    }

    /// The address of a page of the back office, such as `/people`.
    pub fn address_of(&self, path: &str) -> String {
        format!("{}/office{path}", self.address)
    }

    /// Opens a page of the back office, such as `/people`.
    pub fn open(&self, path: &str) {
        self.browser.open(&self.address_of(path));
    }

    /// Goes to a page by its link beside every page, without loading the app again.
    #[track_caller]
    pub fn follow_link_to(&self, page: &str) {
        let address = json!(format!("/office/{page}"));
        let follow = format!(
            "const link = [...document.querySelectorAll('.rail li a')].find(link => link.pathname === {address}); \
             const is_open = link?.getAttribute('aria-current') === 'page' && location.pathname === {address}; \
             if (!is_open) {{ document.title = ''; link?.click() }} return Boolean(link)"
        );
        assert_eq!(self.browser.run(&follow), json!(true), "there is no link to {page}");
        // the page sets its title when its module is loaded, and shows it in the next frame
        let opened = "const title = document.title.split(' \u{b7} ')[0]; \
                      return title !== '' && document.querySelector('h1')?.textContent === title";
        wait_until(TIMEOUT, &format!("the title of {page}"), || self.browser.run(opened) == json!(true));
    }

    /// Waits until the page shows all that it has to show.
    #[track_caller]
    pub fn wait_until_settled(&self) {
        let what = format!("{} to be complete", self.browser.address());
        wait_until(TIMEOUT, &what, || self.browser.try_run_async(SETTLED) == Some(json!(true)));
    }

    /// Waits until the address is that of this page, whatever its query is.
    #[track_caller]
    pub fn wait_for_path(&self, path: &str) {
        let address = self.address_of(path);
        wait_until(TIMEOUT, &format!("the address {address}"), || {
            self.browser.address().split('?').next() == Some(address.as_str())
        });
    }

    /// Signs a user in on the sign-in page and waits for the board.
    #[track_caller]
    pub fn sign_in(&self, login: &str) {
        self.sign_in_and_wait_for(login, "P01");
    }

    /// Signs a user in on the sign-in page and waits until the board contains the text.
    #[track_caller]
    pub fn sign_in_and_wait_for(&self, login: &str, text: &str) {
        self.open("/sign-in");
        self.browser.wait_until_visible("#login");
        self.browser.type_into("#login", login);
        self.browser.type_into("#password", &format!("{PASSWORD}{}", keys::ENTER));
        self.wait_for_path("/");
        self.browser.wait_for("#main", text);
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

    /// The texts of the page, except code, and the names and hints of its elements.
    pub fn visible_texts(&self) -> BTreeSet<String> {
        serde_json::from_value(self.browser.run(VISIBLE_TEXTS)).unwrap()
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

    /// Sends a request from a script of the page, with its cookies; returns the status and the
    /// body.
    pub fn fetch(&self, method: &str, path: &str, body: Option<&Value>) -> (u64, Value) {
        let headers = json!({ "content-type": "application/json", "if-match": "*" });
        let options = json!({ "method": method, "headers": headers, "body": body.map(Value::to_string) });
        let call = format!(
            "fetch('/office/api/v1{path}', {options}).then(async response => ({{ status: response.status, text: await \
             response.text() }}))"
        )
        .replace(",\"body\":null", "")
        .replace("\"body\":null,", "");
        let response = self.browser.run_async(&call);
        let body = serde_json::from_str(response["text"].as_str().unwrap_or_default()).unwrap_or(Value::Null);
        (response["status"].as_u64().unwrap_or_else(|| panic!("{method} {path}: {response}")), body)
    }

    /// A client of the native API that is logged in as this user, without a device.
    #[track_caller]
    pub fn log_in_natively(&self, login: &str) -> TillClient {
        let mut client = self.server.new_till();
        let response = client.post("/api/v1/sessions", &json!({ "login": login, "password": PASSWORD }));
        client.store_tokens(&response.expect_status(201));
        client
    }

    /// Checks what every visit must hold, and the requests and messages since the last check: no
    /// script error and no violation of the policy, requests to its server only, calls of the
    /// OpenAPI document only, and nothing secret in reach of scripts or in the history.
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
        let history = self.browser.devtools("Page.getNavigationHistory", &json!({}));
        secrets.assert_absent("the history", &history["entries"].to_string());
        let document =
            self.document.get_or_init(|| self.server.new_till().get("/openapi.json").expect_status(200).json());
        for (method, url) in self.browser.take_requests_with_method() {
            assert!(url.starts_with(&format!("{}/", self.address)), "{url}");
            secrets.assert_absent("an address", &url);
            if let Some(path) = url.strip_prefix(&self.address_of("/api/v1/")) {
                assert!(is_documented(document, &method, path), "{method} {url} is no documented call");
            }
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
