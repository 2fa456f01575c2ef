//! The open pages of the back office follow the event stream: they show changes without a reload,
//! and all tabs of a browser share one stream.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::json;
use tillgate_tests::{DatabaseEngine, OfficePage};

/// The number of tills on which somebody is logged in.
const LOGGED_IN: &str = ".tile.logged_in strong";

#[test]
#[ignore = "requires Chromium"]
fn login_and_logout_elsewhere_show_on_the_open_board() {
    let page = OfficePage::start(DatabaseEngine::Sqlite);
    page.sign_in("admin");
    // with a stream, the page reads nothing by itself
    page.wait_for_text(".lamp", "Live");
    page.wait_for_text(LOGGED_IN, "0");
    page.browser.run("window.openedOnce = true");
    let till = page.server.new_till().login("cashier", "P01");
    page.wait_for_text(LOGGED_IN, "1");
    page.server.new_till().login("manager", "P02");
    page.wait_for_text(LOGGED_IN, "2");
    till.delete("/api/v1/sessions/current").expect_status(204);
    page.wait_for_text(LOGGED_IN, "1");
    assert_eq!(page.browser.run("return window.openedOnce"), json!(true), "it is still the same document");
    page.assert_clean();
}

#[test]
#[ignore = "requires Chromium"]
fn tabs_of_a_browser_share_one_stream() {
    let page = OfficePage::start(DatabaseEngine::Sqlite);
    page.sign_in("admin");
    page.wait_for_text(".lamp", "Live");
    for path in ["/people", "/devices", "/"] {
        page.browser.open_tab();
        page.open(path);
        page.wait_for_text(".lamp", "Live");
    }
    let metrics = page.server.read_metrics();
    let streams = metrics.text().lines().find_map(|line| line.strip_prefix("tillgate_event_streams "));
    assert_eq!(streams, Some("1"));
    // a change reaches a tab that does not read the stream itself
    page.wait_for_text(LOGGED_IN, "0");
    page.server.new_till().login("cashier", "P02");
    page.wait_for_text(LOGGED_IN, "1");
    page.assert_clean();
}
