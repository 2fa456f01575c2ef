//! Everything that the back office shows: its pages, panels and tabs, the forms, the menu, and the
//! pages without a session.

use serde_json::{Value, json};

use crate::browser::keys;
use crate::{OfficePage, PASSWORD, RunningServer, TillClient};

/// Pages whose panels have tabs. Tills show the panel of a device.
const PAGES_WITH_TABS: [&str; 2] = ["people", "devices"];

/// Pages on which the key `n` opens a form.
const PAGES_WITH_FORM: [&str; 5] = ["people", "roles", "devices", "api-keys", "stores"];

/// Pages that are shown without a session, and the page of an unknown address.
const PAGES_WITHOUT_SESSION: [&str; 4] = ["sign-in", "signed-out", "invitation", "no-such-page"];

/// Adds to the small demo shop what makes every page show something: stores, people, keys, tickets,
/// and tills in every state.
pub fn fill_shop(server: &RunningServer, admin: &TillClient) {
    let post = |path: &str, body: Value| admin.post(&format!("/api/v1{path}"), &body).expect_status(201).json();
    let store = post("/stores", json!({ "name": "Second Street" }));
    for (name, status) in [("P03", "active"), ("P04", "pending"), ("P05", "active")] {
        let body = json!({ "name": name, "environment": "CashRegister", "status": status, "store": store["id"] });
        let device = post("/devices", body);
        if name == "P05" {
            let path = format!("/api/v1/devices/{}", device["id"].as_str().unwrap());
            admin.change("PATCH", &path, &json!({ "status": "locked" })).expect_status(200);
        }
    }
    let night = json!({ "name": "night", "label": "Night", "rights": ["ticketCreate"], "environments": ["PDA"] });
    post("/roles", night);
    let user = post("/users", json!({ "user_name": "retired", "password": PASSWORD }));
    let path = format!("/api/v1/users/{}", user["id"].as_str().unwrap());
    admin.change("PATCH", &path, &json!({ "status": "suspended" })).expect_status(200);
    let key = json!({ "name": "Warehouse", "user": "manager", "device": "OFFICE", "permissions": ["ticketCreate"] });
    post("/api-keys", key);
    let till = server.new_till().login("manager", "P01");
    let item =
        json!({ "article": { "name": "Espresso", "vat_rate": "19" }, "unit_price": "1.512605", "quantity": "2" });
    for is_closed in [true, false] {
        let ticket = json!({ "currency": "EUR", "name": "Table 4", "items": [item] });
        let ticket = till.post("/api/v1/tickets", &ticket).expect_status(201).json();
        let path = format!("/api/v1/tickets/{}/close", ticket["id"].as_str().unwrap());
        let payments = json!({ "payments": [{ "means": "cash", "amount": ticket["payable"] }] });
        if is_closed {
            till.change("POST", &path, &payments).expect_status(200);
        }
    }
    let gone = server.new_till().login("cashier", "P02");
    gone.delete("/api/v1/sessions/current").expect_status(204);
    server.new_till().login("cashier", "P02");
    let wrong = json!({ "login": "cashier", "password": "wrong-horse-till", "device": "P02" });
    server.new_till().post("/api/v1/sessions", &wrong).expect_status(401);
}

impl OfficePage {
    /// The pages that the person who is signed in can open, such as `people`.
    pub fn list_pages(&self) -> Vec<String> {
        let links = "return [...document.querySelectorAll('.rail li a')].map(link => link.pathname.split('/').at(-1))";
        let mut pages: Vec<String> = serde_json::from_value(self.browser.run(links)).unwrap();
        assert!(pages.len() > 3, "{pages:?}");
        pages.push("profile".to_owned());
        pages
    }

    /// Opens one after the other everything that the person who is signed in can see, and calls
    /// `look` with the name of each when it is complete.
    pub fn for_each_view(&self, mut look: impl FnMut(&str)) {
        self.open("/");
        self.wait_until_settled();
        for page in self.list_pages() {
            self.for_each_view_of_page(&page, &mut look);
        }
        self.for_each_view_of_frame(&mut look);
    }

    /// Opens a page, from another one, and one after the other its form, its panel, and the tabs of
    /// that.
    pub fn for_each_view_of_page(&self, page: &str, mut look: impl FnMut(&str)) {
        if page == "profile" {
            self.open("/profile");
        } else {
            self.follow_link_to(page);
        }
        self.wait_until_settled();
        look(page);
        if PAGES_WITH_FORM.contains(&page) {
            self.press_for_dialog("n");
            look(&format!("{page}: new"));
            self.close_dialog();
        }
        self.look_at_panels(page, &mut look);
    }

    /// Opens one after the other what belongs to every page: the list of keys, the search and the
    /// menu of the person.
    pub fn for_each_view_of_frame(&self, mut look: impl FnMut(&str)) {
        self.open("/");
        self.wait_until_settled();
        self.press_for_dialog("?");
        look("keys");
        self.close_dialog();
        self.press_for_dialog("/");
        look("search");
        self.close_dialog();
        self.browser.click("button.person");
        self.wait_for_text("[role=menu]", "");
        look("menu");
    }

    /// Opens one after the other the pages that are shown without a session.
    pub fn for_each_view_without_session(&self, mut look: impl FnMut(&str)) {
        for page in PAGES_WITHOUT_SESSION {
            self.open(&format!("/{page}"));
            self.browser.wait_until_visible("main");
            look(page);
        }
    }

    /// Opens the panel of the first row of a list, and its tabs.
    fn look_at_panels(&self, page: &str, look: &mut impl FnMut(&str)) {
        let open_first = "const link = document.querySelector('[data-row] a'); link?.click(); return Boolean(link)";
        if self.browser.run(open_first) != json!(true) {
            return;
        }
        self.wait_for_text("aside.panel", "");
        self.wait_until_settled();
        look(&format!("{page}: panel"));
        let count = self.browser.run("return document.querySelectorAll('aside.panel .tabs a').length");
        if !PAGES_WITH_TABS.contains(&page) {
            return;
        }
        for tab in 1..count.as_u64().unwrap() {
            self.browser.run(&format!("document.querySelectorAll('aside.panel .tabs a')[{tab}].click()"));
            self.wait_until_settled();
            look(&format!("{page}: tab {tab}"));
        }
    }

    /// Presses a key that opens a dialog.
    #[track_caller]
    pub fn press_for_dialog(&self, key: &str) {
        self.browser.press(key);
        self.wait_for_text("dialog[open]", "");
        self.wait_until_settled();
    }

    /// Closes the open dialog.
    #[track_caller]
    pub fn close_dialog(&self) {
        self.browser.press(keys::ESCAPE);
        let is_closed = || self.browser.run("return document.querySelector('dialog') === null") == json!(true);
        crate::wait_until(std::time::Duration::from_secs(20), "the dialog to be closed", is_closed);
    }
}
