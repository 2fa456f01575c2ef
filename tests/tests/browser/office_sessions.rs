//! The session of the browser over time: a page that nobody uses signs out after a warning, work in
//! one tab keeps all of them, and acts that give access require a recent proof.

use std::time::Duration;

use serde_json::{Value, json};
use tillgate_tests::browser::keys;
use tillgate_tests::{DatabaseEngine, Installation, OfficePage, PASSWORD, TestResponse, now, wait_until};
use ureq::http::Request;

/// The page looks every 15 s whether the session is about to end. As the settings shorten the
/// session, this shortens the interval.
const SHORT_INTERVAL: &str = "const start = window.setInterval; \
    window.setInterval = (run, time) => start(run, time === 15_000 ? 300 : time)";

const IDLE: Duration = Duration::from_secs(5);
const ABSOLUTE: Duration = Duration::from_secs(13);

tillgate_tests::in_chromium!(
    act_that_gives_access_requires_a_recent_proof,
    activity_in_one_tab_keeps_all_until_the_absolute_end,
    tabs_follow_the_person_who_signs_in_again,
    idle_page_is_signed_out,
);

/// Starts a server on which a session ends when nobody uses it for a short time.
fn start_with_short_idle(engine: DatabaseEngine, settings: &[(&str, Duration)]) -> OfficePage {
    let idle = [("OFFICE__IDLE", IDLE), ("OFFICE__READ_ONLY_IDLE", IDLE)];
    let installation =
        idle.iter().chain(settings).fold(Installation::with_fixture(engine), |installation, (name, time)| {
            installation.with_setting(name, &format!("{}s", time.as_secs()))
        });
    let page = OfficePage::start_on(installation);
    page.browser.run_in_new_documents(SHORT_INTERVAL);
    page
}

fn is_asked_to_sign_in(page: &OfficePage) -> bool {
    let asks =
        "return [...document.querySelectorAll('dialog')].some(each => each.textContent.includes('session has ended'))";
    page.browser.run(asks) == json!(true)
}

fn idle_page_is_signed_out(engine: DatabaseEngine) {
    let page = start_with_short_idle(engine, &[]);
    page.sign_in("admin");
    page.wait_for_text(".lamp", "Live");
    page.press_for_dialog("n");
    page.browser.type_into("dialog [name=name]", "P77");
    // the open stream and the reads that it causes are no use of the page
    page.wait_for_text("#main .notice-warn", "You will be signed out soon");
    page.server.new_till().login("cashier", "P01");
    wait_until(3 * IDLE, "the sign-out of the idle page", || is_asked_to_sign_in(&page));
    assert_eq!(page.fetch("GET", "/sessions/current", None).0, 401);
    assert_eq!(page.browser.value("dialog [name=name]"), "P77", "what was typed is kept");
    page.browser.type_into("dialog [type=password]", &format!("{PASSWORD}{}", keys::ENTER));
    wait_until(IDLE, "the dialog to be closed", || !is_asked_to_sign_in(&page));
    assert_eq!(page.browser.value("dialog [name=name]"), "P77");
    page.assert_clean();
}

fn activity_in_one_tab_keeps_all_until_the_absolute_end(engine: DatabaseEngine) {
    let page = start_with_short_idle(engine, &[("OFFICE__ABSOLUTE", ABSOLUTE)]);
    let before_sign_in = now();
    page.sign_in("admin");
    let signed_in_at = now();
    let first = page.open_tab();
    page.browser.run_in_new_documents(SHORT_INTERVAL);
    page.open("/devices");
    page.wait_until_settled();
    let second = page.open_tab();
    page.browser.switch_to_tab(&second);
    // longer than a session lasts that nobody uses
    while signed_in_at.elapsed() < IDLE + Duration::from_secs(1) {
        page.browser.press(keys::SHIFT);
        std::thread::sleep(Duration::from_millis(300));
        assert!(!is_asked_to_sign_in(&page));
    }
    page.browser.switch_to_tab(&first);
    assert!(!is_asked_to_sign_in(&page));
    assert_eq!(page.fetch("GET", "/sessions/current", None).0, 200);
    page.assert_clean();
    // the session ends at its absolute end, however much is done
    page.browser.switch_to_tab(&second);
    wait_until(2 * ABSOLUTE, "the absolute end of the session", || {
        page.browser.press(keys::SHIFT);
        is_asked_to_sign_in(&page)
    });
    // the cookie ends up to a second earlier: its lifetime has whole seconds
    assert!(before_sign_in.elapsed() + Duration::from_secs(1) > ABSOLUTE);
}

/// Ends all sessions of the administrator, and waits until both tabs ask for the password. The last
/// one is used from then on.
fn end_sessions_of_admin(page: &OfficePage, tabs: [&str; 2]) {
    let admin = page.log_in_natively("admin");
    let user = admin.get("/api/v1/users?search=admin").expect_status(200).text_at("/items/0/id");
    admin.post("/api/v1/sessions/end", &json!({ "user": user })).expect_status(204);
    for tab in tabs {
        page.browser.switch_to_tab(tab);
        wait_until(Duration::from_secs(20), "the question for the password", || is_asked_to_sign_in(page));
    }
}

fn tabs_follow_the_person_who_signs_in_again(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    page.sign_in("admin");
    page.wait_until_settled();
    let first = page.open_tab();
    page.open("/devices");
    page.wait_until_settled();
    let second = page.open_tab();
    // the same person: the other tab goes on too
    end_sessions_of_admin(&page, [&first, &second]);
    page.browser.type_into("dialog [type=password]", &format!("{PASSWORD}{}", keys::ENTER));
    for tab in [&second, &first] {
        page.browser.switch_to_tab(tab);
        wait_until(Duration::from_secs(20), "the page without the question", || !is_asked_to_sign_in(&page));
        assert_eq!(page.browser.text(".person-name"), "Admin");
    }
    // another person: no tab shows what the first one saw
    end_sessions_of_admin(&page, [&first, &second]);
    page.browser.run("document.querySelector('dialog [name=login]').value = ''");
    page.browser.type_into("dialog [name=login]", "manager");
    page.browser.type_into("dialog [type=password]", &format!("{PASSWORD}{}", keys::ENTER));
    for tab in [&second, &first] {
        page.browser.switch_to_tab(tab);
        page.wait_for_text(".person-name", "Manager");
        page.wait_until_settled();
        assert!(!is_asked_to_sign_in(&page), "{}", page.text());
        let links = page.browser.text(".rail");
        assert!(!links.contains("API keys"), "{links}");
    }
    page.assert_clean();
}

/// Creates an API key as a program would that has the cookies of the browser.
fn create_key_with_cookies(page: &OfficePage, body: &Value) -> TestResponse {
    let cookies = page.browser.devtools("Network.getAllCookies", &json!({}));
    let pair = |cookie: &Value| format!("{}={}", cookie["name"].as_str().unwrap(), cookie["value"].as_str().unwrap());
    let jar: Vec<String> = cookies["cookies"].as_array().unwrap().iter().map(pair).collect();
    let request = Request::builder()
        .method("POST")
        .uri(page.address_of("/api/v1/api-keys"))
        .header("cookie", jar.join("; "))
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/json");
    page.server.new_till().send(&request.body(body.to_string()).unwrap())
}

fn act_that_gives_access_requires_a_recent_proof(engine: DatabaseEngine) {
    let max_age = Duration::from_secs(6);
    let installation =
        Installation::with_fixture(engine).with_setting("OFFICE__MAX_PROOF_AGE", &format!("{}s", max_age.as_secs()));
    let page = OfficePage::start_on(installation);
    page.sign_in("admin");
    let signed_in_at = now();
    page.open("/api-keys");
    page.wait_until_settled();
    page.press_for_dialog("n");
    page.browser.type_into("dialog [name=name]", "Warehouse");
    for (name, value) in [("user", "manager"), ("device", "OFFICE")] {
        let choose = "const list = document.querySelector('dialog [name=NAME]'); list.value = 'VALUE'; \
                      list.dispatchEvent(new Event('change', { bubbles: true }))";
        // the devices are those of the person
        page.wait_for_text(&format!("dialog [name={name}] option[value={value}]"), "");
        page.browser.run(&choose.replace("NAME", name).replace("VALUE", value));
    }
    page.browser.click("dialog [name=all]");
    std::thread::sleep((max_age + Duration::from_secs(1)).saturating_sub(signed_in_at.elapsed()));
    let body = json!({ "name": "Other", "user": "manager", "device": "OFFICE", "permissions": ["ticketCreate"] });
    let denied = create_key_with_cookies(&page, &body).expect_status(403).json();
    assert_eq!((&denied["code"], &denied["max_age"]), (&json!("proof_too_old"), &json!(max_age.as_secs())), "{denied}");
    page.click_text("dialog .dialog-foot button", "Create");
    page.wait_for_text("dialog", "Confirm that it is you");
    page.browser.type_into("dialog [type=password]", &format!("wrong-horse-till{}", keys::ENTER));
    page.wait_for_text("dialog [role=alert]", "wrong");
    let before = page.browser.run("return document.querySelectorAll('dialog').length");
    page.browser.type_into("dialog [type=password]", &format!("{PASSWORD}{}", keys::ENTER));
    // the call goes on by itself
    page.wait_for_text("dialog .secret", "TILLGATE_CLIENT_SECRET=");
    assert_eq!(before, json!(2), "the question was over the form");
    // within the time nobody is asked again
    let created = create_key_with_cookies(&page, &body).expect_status(201).json();
    page.installation.secrets().add(created["client_secret"].as_str().unwrap());
    page.browser.click("dialog [type=checkbox]");
    page.click_text("dialog button", "Done");
    page.wait_for_text("aside.panel", "Warehouse");
    page.assert_clean();
}
