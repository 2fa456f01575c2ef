//! The back office by keyboard alone: a new person is invited, gets access to a till, is suspended
//! and activated, and the focus is never lost on the way.

use serde_json::json;
use tillgate_tests::browser::keys;
use tillgate_tests::{DatabaseEngine, OfficePage, PASSWORD};

/// The most keys that lead to a control.
const MAX_KEYS: usize = 150;

/// Something has the focus: the document itself is no place to continue from.
#[track_caller]
fn assert_focus(page: &OfficePage) {
    assert_ne!(page.browser.focused_id(), "body", "the focus is lost");
}

/// Moves the focus with Tab, or backwards, to the control with this CSS selector and this name.
#[track_caller]
fn walk_to(page: &OfficePage, css: &str, name: &str, backwards: bool) {
    let is_there = format!(
        "const focused = document.activeElement; return focused.matches({css:?}) \
         && (focused.getAttribute('aria-label') ?? focused.textContent).includes({name:?})"
    );
    for _ in 0..MAX_KEYS {
        if backwards {
            page.browser.press_with_shift(keys::TAB);
        } else {
            page.browser.press(keys::TAB);
        }
        assert_focus(page);
        if page.browser.run(&is_there) == json!(true) {
            return;
        }
    }
    panic!("{MAX_KEYS} keys do not lead to {name}");
}

tillgate_tests::in_chromium!(
    person_is_managed_by_keyboard_alone,
    keys_ask_before_they_end_a_session,
    back_leaves_the_dialog_and_not_the_page
);

fn person_is_managed_by_keyboard_alone(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    page.open("/sign-in");
    page.browser.wait_until_visible("#login");
    assert_eq!(page.browser.focused_id(), "login", "the first field has the focus from the start");
    page.browser.press("admin");
    page.browser.press(keys::TAB);
    page.browser.press(&format!("{PASSWORD}{}", keys::ENTER));
    page.wait_for_path("/");
    page.browser.wait_for("#main", "P01");
    page.browser.press("gp");
    page.wait_for_text("#main", "manager@example.com");
    assert_focus(&page);
    // a new person
    page.press_for_dialog("n");
    page.browser.press("Nora Nov\u{e1}");
    page.browser.press(keys::TAB);
    page.browser.press("nora");
    walk_to(&page, "dialog [name=invite]", "", false);
    page.browser.press(keys::SPACE);
    walk_to(&page, "dialog [type=password]", "", false);
    page.browser.press(&format!("{PASSWORD}{}", keys::ENTER));
    page.wait_for_text("aside.panel h2", "Nora Nov\u{e1}");
    page.wait_until_settled();
    assert_focus(&page);
    // an invitation
    walk_to(&page, "aside.panel .tabs a", "Security", false);
    page.browser.press(keys::ENTER);
    page.wait_for_text("aside.panel .facts", "Last login");
    walk_to(&page, "aside.panel button", "Invite", false);
    page.browser.press(keys::ENTER);
    page.wait_for_text("dialog .secret", "/office/invitation#");
    page.wait_until_settled();
    let is_on_checkbox = "return document.activeElement.matches('dialog [type=checkbox]')";
    assert_eq!(page.browser.run(is_on_checkbox), json!(true), "the first field has the focus");
    page.browser.press(keys::SPACE);
    walk_to(&page, "dialog button", "Done", false);
    page.browser.press(keys::ENTER);
    page.wait_until_settled();
    assert_focus(&page);
    let user = || admin.get("/api/v1/users?search=nora").json()["items"][0].clone();
    assert!(user()["invited_until"].is_string(), "{}", user());
    walk_to(&page, "aside.panel .tabs a", "Access", true);
    page.browser.press(keys::ENTER);
    page.wait_for_text("aside.panel .matrix", "P01");
    // the role on a till
    walk_to(&page, "aside.panel [type=checkbox]", "Cashier: P01", false);
    page.browser.press(keys::SPACE);
    page.wait_for_text(".save-bar", "Gains");
    walk_to(&page, "aside.panel button", "Save", false);
    page.browser.press(keys::ENTER);
    page.wait_for_text(".toast", "Saved the access of Nora");
    page.wait_until_settled();
    assert_focus(&page);
    // the form proposes that the new person chooses another password first
    let login = json!({ "login": "nora", "password": PASSWORD, "device": "P01" });
    let response = page.server.new_till().post("/api/v1/sessions", &login).expect_status(403);
    assert_eq!(response.json()["code"], "password_change_required");
    // what follows from it
    walk_to(&page, "aside.panel button", "Rights: P01", false);
    page.browser.press(keys::ENTER);
    page.wait_for_text("aside.panel .unfolded li", "Open tickets");
    page.wait_for_text("aside.panel .unfolded li", "Cashier");
    assert_focus(&page);
    for (action, backwards, message, expected) in
        [("Suspend", true, "Suspended Nora", "suspended"), ("Activate", false, "Nora Nov\u{e1} is active", "active")]
    {
        walk_to(&page, "aside.panel button", action, backwards);
        page.browser.press(keys::SPACE);
        page.wait_for_text(".toast", message);
        page.wait_until_settled();
        assert_eq!(user()["status"], expected);
        assert_focus(&page);
    }
    // back to the row of the list
    page.browser.press(keys::ESCAPE);
    page.wait_for_path("/people");
    page.wait_until_settled();
    assert_focus(&page);
    page.assert_clean();
}

/// A single key ends nothing: it is easily pressed by mistake, and an ended session stays ended.
fn keys_ask_before_they_end_a_session(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let till = page.server.new_till().login("cashier", "P01");
    let press_on_till = |key: &str| {
        let focus =
            "[...document.querySelectorAll('li.card a')].find(link => link.textContent.includes('P01')).focus()";
        page.browser.run(focus);
        page.press_for_dialog(key);
        page.wait_for_text("dialog", "End the session of Cashier?");
    };
    page.sign_in("admin");
    page.wait_for_text("li.card.used", "P01");
    for key in ["e", "l"] {
        press_on_till(key);
        page.close_dialog();
        till.get("/api/v1/sessions/current").expect_status(200);
    }
    press_on_till("l");
    page.click_text("dialog button", "End session and lock");
    page.wait_for_text("li.card.locked", "P01");
    till.get("/api/v1/sessions/current").expect_status(401);
    // the own session is marked, and ends by signing out
    page.open("/sessions");
    page.wait_for_text("tr[data-row] .chip", "You, here");
    page.wait_until_settled();
    page.browser.run("document.querySelector('tr[data-row]:has(.chip) a').focus()");
    page.press_for_dialog("e");
    page.wait_for_text("dialog", "This is your own session");
    page.click_text("dialog button", "Sign out");
    page.wait_for_path("/signed-out");
    page.assert_clean();
}

fn back_leaves_the_dialog_and_not_the_page(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    page.sign_in("admin");
    page.wait_until_settled();
    page.follow_link_to("people");
    page.wait_until_settled();
    let wait_for_no_dialog = || {
        let is_closed = || page.browser.run("return document.querySelector('dialog') === null") == json!(true);
        tillgate_tests::wait_until(std::time::Duration::from_secs(20), "the dialog to be closed", is_closed);
    };
    page.press_for_dialog("n");
    page.browser.back();
    wait_for_no_dialog();
    page.wait_for_path("/people");
    // what was typed is not lost without a question
    page.press_for_dialog("n");
    page.browser.press("Nora");
    page.browser.back();
    page.wait_for_text("dialog [role=alert]", "Your changes are not saved.");
    page.wait_for_path("/people");
    page.click_text("dialog [role=alert] button", "Discard");
    wait_for_no_dialog();
    page.browser.back();
    page.wait_for_path("/");
    page.wait_for_text("h1", "Tills");
    page.assert_clean();
}
