//! Takes a picture of everything that the back office shows: on a desktop and on a phone, in the
//! light and in the dark color scheme, of a shop with 40 tills and of one without any. The pictures
//! are in `target/screenshots`.
//!
//! ```sh
//! cargo run --locked -p tillgate-tests --example screenshots
//! ```
//!
//! With a language, such as `-- sk`, the pages are in that.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;

use serde_json::json;
use tillgate_testkit::ProofSigner;
use tillgate_tests::clients::output_folder;
use tillgate_tests::{DatabaseEngine, Installation, OfficePage, PASSWORD, TillClient, enroll_device, post_with_proof};

/// The sizes of a desktop and of a phone, in CSS pixels.
const SIZES: [(&str, u32, u32); 2] = [("desktop", 1280, 800), ("phone", 390, 844)];

/// The number of tills in the shop. The demo has 12.
const TILL_COUNT: usize = 40;

const NAMES: [&str; 7] = ["Jana", "Peter", "Zuzana", "Budi", "Dewi", "Anna", "Marek"];
const SURNAMES: [&str; 4] = ["Nov\u{e1}", "Hor\u{e1}k", "Santoso", "Wijaya"];

/// Takes the pictures of what the page shows.
fn take_pictures(page: &OfficePage, folder: &Path, view: &str) {
    let name = view.replace(": ", "-").replace(' ', "-");
    for (device, width, height) in SIZES {
        page.browser.resize(width, height);
        for scheme in ["light", "dark"] {
            page.browser.set_color_scheme(scheme);
            let file = folder.join(format!("{name}-{device}-{scheme}.png"));
            std::fs::write(file, page.browser.take_screenshot()).unwrap();
        }
    }
    let (_, width, height) = SIZES[0];
    page.browser.resize(width, height);
}

/// Adds tills to the full demo shop, and people who are logged in on every second of them.
fn add_tills(page: &OfficePage, admin: &TillClient) {
    let stores = admin.get("/api/v1/stores").expect_status(200).json();
    for number in 13..=TILL_COUNT {
        let till = format!("P{number:02}");
        let store = &stores["items"][number % 2]["id"];
        let body = json!({ "name": till, "environment": "CashRegister", "store": store });
        admin.post("/api/v1/devices", &body).expect_status(201);
        if number % 2 == 0 {
            let user = format!("person{number}");
            let name = format!("{} {}", NAMES[number % NAMES.len()], SURNAMES[number % SURNAMES.len()]);
            let devices = json!([{ "device": till, "roles": ["cashier"] }]);
            let body = json!({ "user_name": user, "display_name": name, "password": PASSWORD, "devices": devices });
            admin.post("/api/v1/users", &body).expect_status(201);
            page.server.new_till().login(&user, &till);
        }
    }
}

/// Takes the pictures of a till that waits to be enrolled, and of one that is.
fn take_enrollment_pictures(page: &OfficePage, admin: &TillClient, folder: &Path) {
    let devices = admin.get("/api/v1/devices").expect_status(200).json();
    let till = devices["items"].as_array().unwrap().iter().find(|device| device["name"] == "P02").unwrap();
    page.open(&format!("/devices/{}?tab=key", till["id"].as_str().unwrap()));
    page.click_text("aside.panel .panel-body button.primary", "");
    page.wait_for_text("dialog[open]", "");
    page.wait_until_settled();
    take_pictures(page, folder, "devices: enroll");
    page.click_text("dialog button.primary", "");
    page.wait_for_text(".one-time-code", "-");
    page.wait_until_settled();
    take_pictures(page, folder, "devices: code");
    let code = page.browser.run("return document.querySelector('.one-time-code').textContent");
    enroll_device(&page.server, &ProofSigner::p256(), code.as_str().unwrap()).expect_status(201);
    page.wait_for_text("aside.panel .facts", "Kasa 5.1");
    page.wait_until_settled();
    take_pictures(page, folder, "devices: key");
}

/// Takes the pictures of a machine that shows a code, and of its acceptance.
fn take_machine_pictures(page: &OfficePage, admin: &TillClient, folder: &Path) {
    let tenants = admin.get("/api/v1/tenants").expect_status(200).json();
    let path = format!("/api/v1/tenants/{}", tenants["items"][0]["id"].as_str().unwrap());
    admin.change("PATCH", &path, &json!({ "machine_codes": true })).expect_status(200);
    let body = json!({ "storage": "hardware", "label": "Box", "app": "Kasa 5.1" });
    let started = post_with_proof(&page.server, &ProofSigner::p256(), "/api/v1/enrollments/start", &body);
    page.open(&format!("/enroll?user_code={}", started.expect_status(200).text_at("/user_code")));
    page.wait_for_text("#main .facts", "Kasa 5.1");
    page.wait_until_settled();
    take_pictures(page, folder, "enroll");
    page.click_text("#main button.primary", "");
    page.wait_for_text("dialog[open]", "");
    page.wait_until_settled();
    take_pictures(page, folder, "enroll: accept");
}

/// Shows the pages in the language that the command names.
fn choose_language(page: &OfficePage) {
    if let Some(locale) = std::env::args().nth(1) {
        let choice = json!(json!({ "locale": locale }).to_string());
        page.browser.run(&format!("localStorage.setItem('tillgate-office', {choice})"));
    }
}

fn main() {
    let language = std::env::args().nth(1).map(|locale| format!("-{locale}")).unwrap_or_default();
    let folder = output_folder(&format!("screenshots/shop{language}"));
    let installation = Installation::new(DatabaseEngine::Sqlite);
    installation.create_full_demo_shop();
    let page = OfficePage::start_on(installation);
    let admin = page.log_in_natively("admin");
    add_tills(&page, &admin);
    page.for_each_view_without_session(|view| take_pictures(&page, &folder, view));
    page.sign_in("admin");
    choose_language(&page);
    page.for_each_view(|view| take_pictures(&page, &folder, view));
    take_enrollment_pictures(&page, &admin, &folder);
    take_machine_pictures(&page, &admin, &folder);
    println!("{}", folder.display());

    let folder = output_folder(&format!("screenshots/empty{language}"));
    let installation = Installation::new(DatabaseEngine::Sqlite);
    installation.secrets().add(PASSWORD);
    installation.run_ok(&["init"], "");
    installation.run_ok(&["user", "add", "admin", "--role", "admin"], &format!("{PASSWORD}\n"));
    let page = OfficePage::start_on(installation);
    page.sign_in_and_wait_for("admin", "No till yet");
    choose_language(&page);
    page.for_each_view(|view| take_pictures(&page, &folder, view));
    println!("{}", folder.display());
}
