//! Machines that show a code, in a real browser: a person types the code, sees the machine, and
//! accepts or denies it.

use serde_json::{Value, json};
use tillgate_testkit::ProofSigner;
use tillgate_tests::browser::keys;
use tillgate_tests::{
    DatabaseEngine, OfficePage, PASSWORD, TestResponse, assert_accessible, post_with_proof, run_on_engines,
};

#[test]
#[ignore = "requires Chromium, axe-core, which tests/run installs, and PostgreSQL in a thorough run"]
fn machine_that_shows_a_code_is_accepted_by_its_digits() {
    run_on_engines(check_acceptance);
}

#[test]
#[ignore = "requires Chromium, and PostgreSQL in a thorough run"]
fn machine_is_denied_by_a_person_or_after_five_wrong_digits() {
    run_on_engines(check_denials);
}

#[test]
#[ignore = "requires Chromium, and PostgreSQL in a thorough run"]
fn machine_becomes_a_device_that_is_added_for_it() {
    run_on_engines(check_new_device);
}

/// Lets the key of a machine wait.
fn start(page: &OfficePage, signer: &ProofSigner) -> TestResponse {
    let body = json!({ "storage": "hardware", "label": "Box", "app": "Kasa 5.1" });
    post_with_proof(&page.server, signer, "/api/v1/enrollments/start", &body)
}

fn poll(page: &OfficePage, signer: &ProofSigner, started: &TestResponse) -> TestResponse {
    let body = json!({ "device_code": started.text_at("/device_code") });
    post_with_proof(&page.server, signer, "/api/v1/enrollments/poll", &body)
}

fn accept_machine_codes(page: &OfficePage) {
    let admin = page.log_in_natively("admin");
    let tenants = admin.get("/api/v1/tenants").expect_status(200).json();
    let path = format!("/api/v1/tenants/{}", tenants["items"][0]["id"].as_str().unwrap());
    admin.change("PATCH", &path, &json!({ "machine_codes": true })).expect_status(200);
}

fn wrong_digits(started: &TestResponse) -> &'static str {
    if started.text_at("/fingerprint") == "0000" { "0001" } else { "0000" }
}

/// Types a code on the page, and looks for its machine.
fn find(page: &OfficePage, code: &str) {
    page.browser.wait_until_visible("input[name=code]");
    // the page hears of it, as if a person did it: otherwise it would show the old code again
    let clear = "const input = document.querySelector('input[name=code]'); \
                 input.value = ''; input.dispatchEvent(new Event('input')); input.focus()";
    page.browser.run(clear);
    page.browser.type_into("input[name=code]", code);
    page.click_text("#main button", "Find machine");
    page.wait_until_settled();
}

/// Chooses an option of a selection in the dialog.
fn choose(page: &OfficePage, name: &str, label: &str) {
    page.wait_for_text("dialog option", label);
    let script = format!(
        "const select = document.querySelector('dialog select[name={name}]'); \
         select.value = [...select.options].find(option => option.text === {}).value; \
         select.dispatchEvent(new Event('change'))",
        json!(label)
    );
    page.browser.run(&script);
}

fn type_digits(page: &OfficePage, digits: &str) {
    page.browser.run("document.querySelector('dialog input[name=fingerprint]').value = ''");
    page.browser.type_into("dialog input[name=fingerprint]", digits);
    page.click_text("dialog button.primary", "Accept");
    page.wait_until_settled();
}

fn check_acceptance(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let signer = ProofSigner::p256();
    assert_eq!(start(&page, &signer).text_at("/code"), "access_denied", "until the tenant chooses otherwise");
    accept_machine_codes(&page);
    let started = start(&page, &signer).expect_status(200);
    let code = started.text_at("/user_code");

    // the address of the QR code, without a session: the code is kept during the sign-in
    let address = started.text_at("/verification_uri_complete");
    assert_eq!(address, format!("{}#{}", page.address_of("/enroll"), code.replace('-', "")));
    page.browser.open(&address);
    page.browser.wait_until_visible("#login");
    assert!(!page.browser.address().contains(&code.replace('-', "")), "no server logs it");
    page.browser.type_into("#login", "admin");
    page.browser.type_into("#password", &format!("{PASSWORD}{}", keys::ENTER));
    page.wait_for_path("/enroll");
    page.wait_for_text("#main [role=status]", "Waiting for your decision");
    assert_eq!(page.browser.title().split(" · ").next(), Some("Accept a machine"));
    assert_eq!(page.browser.value("input[name=code]"), code.replace('-', ""));
    for text in ["Box", "Kasa 5.1", "In hardware, as the device says", "The same as yours"] {
        page.wait_for_text("#main .facts", text);
    }
    assert_accessible(&page);

    page.click_text("#main button", "Accept");
    choose(&page, "device", "P01");
    type_digits(&page, wrong_digits(&started));
    page.wait_for_text("dialog [role=alert]", "These are not the digits that the machine shows.");
    assert_accessible(&page);
    type_digits(&page, &started.text_at("/fingerprint"));
    page.wait_for_text(".toasts", "Accepted the machine");
    page.wait_for_text("#main [role=status]", "Accepted");
    let enrolled = poll(&page, &signer, &started).expect_status(200);
    assert_eq!(enrolled.text_at("/session/device/name"), "P01");
    assert_accessible(&page);
    find(&page, "BCDF-GHJK");
    page.wait_for_text("#main .problem", "This code is wrong, used or expired.");
    page.installation.secrets().add(&started.text_at("/device_code"));
    page.assert_clean();
}

fn check_denials(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    accept_machine_codes(&page);
    let signer = ProofSigner::ed25519(1);
    let [first, second] = [start(&page, &signer), start(&page, &signer)].map(|each| each.expect_status(200));
    page.sign_in("admin");
    page.open(&format!("/enroll?user_code={}", first.text_at("/user_code")));
    page.wait_for_text("#main [role=status]", "Waiting for your decision");
    page.click_text("#main button", "Deny");
    page.click_text("dialog button.danger", "Deny");
    page.wait_for_text(".toasts", "Denied the machine");
    page.wait_for_text("#main [role=status]", "Denied");
    assert_eq!(poll(&page, &signer, &first).text_at("/code"), "access_denied");

    find(&page, &second.text_at("/user_code").to_lowercase());
    page.wait_for_text("#main [role=status]", "Waiting for your decision");
    page.click_text("#main button", "Accept");
    choose(&page, "device", "P01");
    for _ in 0..4 {
        type_digits(&page, wrong_digits(&second));
        page.wait_for_text("dialog [role=alert]", "These are not the digits that the machine shows.");
    }
    type_digits(&page, wrong_digits(&second));
    page.wait_for_text("dialog [role=alert]", "The digits were wrong too often: the machine was denied.");
    page.click_text("dialog button", "Cancel");
    page.wait_for_text("#main [role=status]", "Denied");

    // ten wrong codes, and one more for each minute that they take
    let mut wrong_codes = 0;
    while !page.text().contains("Too many failed attempts.") {
        assert!(wrong_codes < 30, "{}", page.text());
        find(&page, &format!("BCDF-GH{wrong_codes:02}"));
        page.wait_for_text("#main .problem", "");
        wrong_codes += 1;
    }
    assert!(wrong_codes > 10, "limited after {wrong_codes} wrong codes");
    find(&page, &first.text_at("/user_code"));
    page.wait_for_text("#main .problem", "Too many failed attempts.");
    page.assert_clean();
}

fn check_new_device(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    page.sign_in("admin");
    page.open("/settings");
    page.wait_for_text("#main .facts", "Are not accepted");
    page.open("/enroll");
    find(&page, "BCDF-GHJK");
    page.wait_for_text("#main .problem", "Machines that show a code are not accepted here.");
    accept_machine_codes(&page);
    let signer = ProofSigner::ed25519(1);
    let started = start(&page, &signer).expect_status(200);
    find(&page, &started.text_at("/user_code"));
    page.wait_for_text("#main [role=status]", "Waiting for your decision");
    page.click_text("#main button", "Accept");
    choose(&page, "device", "New device");
    page.browser.type_into("dialog input[name=name]", "BOX7");
    type_digits(&page, wrong_digits(&started));
    page.wait_for_text("dialog [role=alert]", "These are not the digits that the machine shows.");
    type_digits(&page, &started.text_at("/fingerprint"));
    page.wait_for_text("#main [role=status]", "Accepted");
    let enrolled = poll(&page, &signer, &started).expect_status(200);
    assert_eq!(enrolled.text_at("/session/device/name"), "BOX7");
    let keys: Value = page.fetch("GET", "/devices", None).1;
    let names = keys["items"].as_array().unwrap().iter().filter(|device| device["name"] == "BOX7");
    assert_eq!(names.count(), 1);
    page.assert_clean();
}
