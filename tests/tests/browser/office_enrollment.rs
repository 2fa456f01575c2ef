//! The key of a device in a real browser: a code is shown until the device uses it, and the key is
//! replaced and revoked.

use serde_json::{Value, json};
use tillgate_testkit::ProofSigner;
use tillgate_tests::{DatabaseEngine, OfficePage, assert_accessible, enroll_device, run_on_engines};

#[test]
#[ignore = "requires Chromium, axe-core, which tests/run installs, and PostgreSQL in a thorough run"]
fn code_is_shown_until_the_device_uses_it_and_its_key_is_revoked() {
    run_on_engines(check_enrollment);
}

#[test]
#[ignore = "requires Chromium, and PostgreSQL in a thorough run"]
fn code_that_was_started_elsewhere_is_canceled() {
    run_on_engines(check_cancellation);
}

/// Signs in, and opens the page of the key of P01. Returns the id of the device.
fn open_key(page: &OfficePage) -> String {
    let admin = page.log_in_natively("admin");
    let devices = admin.get("/api/v1/devices").expect_status(200).json();
    let till = devices["items"].as_array().unwrap().iter().find(|device| device["name"] == "P01").unwrap();
    let id = till["id"].as_str().unwrap().to_owned();
    page.sign_in("admin");
    page.open(&format!("/devices/{id}?tab=key"));
    page.wait_for_text("aside.panel [role=status]", "Not enrolled");
    id
}

/// Starts an enrollment by this button, and returns the code that the page shows.
fn start(page: &OfficePage, button: &str) -> String {
    page.click_text("aside.panel button", button);
    page.wait_for_text("dialog", "The code is valid for");
    page.click_text("dialog button", "Show code");
    page.wait_for_text("aside.panel .one-time-code", "-");
    page.wait_for_text("aside.panel [role=status]", "Waiting for the device");
    page.browser.run("return document.querySelector('.one-time-code').textContent").as_str().unwrap().to_owned()
}

fn check_enrollment(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let device = open_key(&page);
    let code = start(&page, "Enroll device");
    assert_eq!(code.len(), 9, "{code}");
    page.wait_for_text("aside.panel [role=timer]", "Valid for 9:");
    // modules of 21 by 21, with a quiet zone of 4 on each side
    let share = "const code = document.querySelector('svg.qr'); const drawn = code.querySelector('path').getBBox(); \
                 return [drawn.width, drawn.height].map(side => Math.round(side * 29 / code.viewBox.baseVal.width))";
    assert_eq!(page.browser.run(share), json!([21, 21]));
    assert_accessible(&page);

    enroll_device(&page.server, &ProofSigner::p256(), &code).expect_status(201);
    page.wait_for_text("aside.panel [role=status]", "Enrolled");
    for text in ["Box", "Kasa 5.1", "In hardware, as the device says"] {
        page.wait_for_text("aside.panel .facts", text);
    }
    assert_eq!(page.browser.run("return document.querySelector('.one-time-code')"), Value::Null);
    assert_accessible(&page);

    page.click_text("aside.panel button", "Replace key");
    page.wait_for_text("dialog .points", "Permanent tokens stay valid");
    page.click_text("dialog button", "Show code");
    page.wait_for_text("aside.panel", "It replaces the current key.");
    let second = page.browser.run("return document.querySelector('.one-time-code').textContent");
    enroll_device(&page.server, &ProofSigner::ed25519(1), second.as_str().unwrap()).expect_status(201);
    page.wait_for_text("aside.panel .rows", "Replaced");

    page.click_text("aside.panel button", "Revoke key");
    page.wait_for_text("dialog .points", "can never be enrolled again");
    page.click_text("dialog button", "Revoke key");
    page.wait_for_text(".toasts", "Revoked the key of P01");
    page.wait_for_text("aside.panel [role=status]", "Not enrolled");
    let admin = page.log_in_natively("admin");
    let keys = admin.get(&format!("/api/v1/devices/{device}/keys")).expect_status(200).json();
    let states: Vec<&Value> = keys["items"].as_array().unwrap().iter().map(|key| &key["state"]).collect();
    assert_eq!(states, ["revoked", "retired"]);
    for code in [&code, second.as_str().unwrap()] {
        page.installation.secrets().add(code);
    }
    page.assert_clean();
}

/// The page says that there is a code, but not which, and cancels it.
fn check_cancellation(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let device = open_key(&page);
    start(&page, "Enroll device");
    page.open(&format!("/devices/{device}?tab=key"));
    page.wait_for_text("aside.panel", "It was shown only once.");
    assert_eq!(page.browser.run("return document.querySelector('.one-time-code')"), Value::Null);
    page.click_text("aside.panel button", "Cancel enrollment");
    page.wait_for_text(".toasts", "Canceled the enrollment of P01");
    page.wait_for_text("aside.panel [role=status]", "Not enrolled");
    let admin = page.log_in_natively("admin");
    admin.get(&format!("/api/v1/devices/{device}/enrollment")).expect_status(404);
    page.assert_clean();
}
