//! The open pages of the back office follow the event stream: they show changes without a reload,
//! and all tabs of a browser share one stream. What is ended on a page ends on the till at once.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use serde_json::json;
use tillgate_tests::{Browser, DatabaseEngine, Installation, OfficePage, PASSWORD, TillClient, wait_until};

tillgate_tests::in_chromium_on_both_databases!(
    login_and_logout_elsewhere_show_on_the_open_board,
    session_ended_on_the_board_is_over_on_its_till,
);

tillgate_tests::in_chromium!(tabs_of_a_browser_share_one_stream);

/// The number of tills on which somebody is logged in.
const LOGGED_IN: &str = ".tile.logged_in strong";

/// The most memory of scripts that a page may use.
const MAX_PAGE_BYTES: f64 = 150_000_000.0;

fn login_and_logout_elsewhere_show_on_the_open_board(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    page.sign_in("admin");
    // with a stream, the page reads nothing by itself
    page.wait_for_text(".lamp", "Live");
    page.wait_for_text(LOGGED_IN, "0");
    page.browser.run("window.openedOnce = true");
    page.press_for_dialog("n");
    page.browser.type_into("dialog [name=name]", "P77");
    let login = json!({ "UserName": "cashier", "Password": PASSWORD, "DeviceName": "P01" });
    let response = page.server.new_till().post("/portos/api/v1/auth", &login).expect_status(200);
    let token = response.text_at("/tokenId");
    page.installation.secrets().add(&token);
    page.wait_for_text(LOGGED_IN, "1");
    page.wait_for_text("li.card.used", "P01");
    page.wait_for_text("li.card.used", "Cashier");
    page.server.new_till().login("manager", "P02");
    page.wait_for_text(LOGGED_IN, "2");
    TillClient::with_token(&page.server, &token).delete("/portos/api/auth").expect_status(200);
    page.wait_for_text(LOGGED_IN, "1");
    assert_eq!(page.browser.run("return window.openedOnce"), json!(true), "it is still the same document");
    assert_eq!(page.browser.value("dialog [name=name]"), "P77", "what was typed is kept");
    page.assert_clean();
}

fn session_ended_on_the_board_is_over_on_its_till(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    let till = page.server.new_till().login("cashier", "P01");
    page.sign_in("admin");
    page.wait_for_text("li.card.used", "P01");
    page.browser.run("document.querySelector('li.card.used [aria-haspopup=menu]').click()");
    page.click_text("[role=menuitem]", "End session");
    page.wait_for_text(".toast", "Ended the session of Cashier on P01");
    till.get("/api/v1/sessions/current").expect_status(401);
    page.wait_for_text("li.card.free", "P01");
    let events = admin.get("/api/v1/audit-events?action=session.end").expect_status(200).json();
    assert_eq!(events["items"].as_array().unwrap().len(), 1, "{events}");
    assert_eq!(events["items"][0]["user"]["user_name"], "admin", "{events}");
    page.assert_clean();
}

fn tabs_of_a_browser_share_one_stream(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    page.sign_in("admin");
    page.wait_for_text(".lamp", "Live");
    let [first, ..] = ["/people", "/devices", "/"].map(|path| {
        let before = page.open_tab();
        page.open(path);
        page.wait_for_text(".lamp", "Live");
        before
    });
    let count_streams = || {
        let metrics = page.server.read_metrics();
        let streams = metrics.text().lines().find_map(|line| line.strip_prefix("tillgate_event_streams "));
        streams.unwrap().to_owned()
    };
    assert_eq!(count_streams(), "1");
    // a change reaches a tab that does not read the stream itself
    page.wait_for_text(LOGGED_IN, "0");
    page.server.new_till().login("cashier", "P02");
    page.wait_for_text(LOGGED_IN, "1");
    page.assert_clean();
    // another tab takes the stream over, and no change is lost
    let board = page.open_tab();
    page.browser.switch_to_tab(&first);
    page.browser.close_tab(&board);
    page.server.new_till().login("manager", "P01");
    page.wait_for_text(LOGGED_IN, "2");
    page.wait_for_text(".lamp", "Live");
    assert_eq!(count_streams(), "1");
    page.assert_clean();
}

/// Copies every session on a device as often as this.
fn copy_sessions(installation: &Installation, copies: u32) {
    let columns = "tenant_id, kind, user_id, device_id, parent_id, dialect, terms, generation, key_id, \
                   previous_key_id, used, user_epoch, device_epoch, tenant_epoch, methods, proved_at, address, \
                   rotated_from, thumbprint, created_at, rotated_at, last_used_at, expires_at, expires_day, ended_at, \
                   ended_why";
    // an id begins with a time, and has its version 7 behind it
    let id = "unhex(substr(hex(id), 1, 12) || '7' || substr(hex(randomblob(10)), 1, 19))";
    let path = installation.folder().join("tillgate.db");
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let insert = format!(
        "PRAGMA busy_timeout = 5000; WITH RECURSIVE series(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM series LIMIT \
         {copies}) INSERT INTO sessions (id, {columns}) SELECT {id}, {columns} FROM series, sessions WHERE device_id \
         IS NOT NULL"
    );
    connection.batch_execute(&insert).unwrap();
}

/// The DOM nodes and the bytes of scripts that a page keeps.
fn measure_memory(browser: &Browser) -> (u64, f64) {
    browser.devtools("HeapProfiler.collectGarbage", &json!({}));
    let nodes = browser.devtools("Memory.getDOMCounters", &json!({}))["nodes"].as_u64().unwrap();
    (nodes, browser.devtools("Runtime.getHeapUsage", &json!({}))["usedSize"].as_f64().unwrap())
}

#[test]
#[ignore = "requires Chromium"]
fn next_page_comes_although_the_list_is_refreshed_meanwhile() {
    let page = OfficePage::start(DatabaseEngine::Sqlite);
    page.server.new_till().login("cashier", "P01");
    copy_sessions(&page.installation, 300);
    let slow_lists = "const send = window.fetch; window.fetch = async (...request) => { const response = await \
                      send(...request); if (String(request[0]).includes('/api/v1/sessions?')) await new Promise(go => \
                      setTimeout(go, 1500)); return response }";
    page.browser.run_in_new_documents(slow_lists);
    page.sign_in("admin");
    page.open("/sessions?live=true");
    let rows = || page.browser.run("return document.querySelectorAll('[data-row]').length").as_u64().unwrap();
    let wait_for_rows = |least: u64| {
        wait_until(Duration::from_secs(20), &format!("{least} rows"), || rows() >= least);
    };
    wait_for_rows(50);
    page.wait_until_settled();
    // the list changes while the next page is read
    page.click_text("button", "Load more");
    page.server.new_till().login("manager", "P02");
    wait_for_rows(100);
    page.wait_until_settled();
    // the next page is asked for while the list is read again
    page.server.new_till().login("manager", "OFFICE");
    page.browser.wait_until_visible("[aria-busy=true]");
    page.click_text("button", "Load more");
    wait_for_rows(150);
    page.assert_clean();
}

#[test]
#[ignore = "requires Chromium"]
fn many_sessions_and_changes_do_not_fill_the_page() {
    let page = OfficePage::start(DatabaseEngine::Sqlite);
    let admin = page.log_in_natively("admin");
    let cashier = page.server.new_till().login("cashier", "P01");
    let user = cashier.get("/api/v1/sessions/current").expect_status(200).text_at("/user/id");
    page.server.new_till().login("manager", "P02");
    copy_sessions(&page.installation, 15_000);
    let count_rows = || page.browser.run("return document.querySelectorAll('[data-row]').length").as_u64().unwrap();
    let wait_for_rows = |rows: u64| {
        wait_until(Duration::from_secs(20), &format!("{rows} rows"), || count_rows() == rows);
    };
    page.sign_in("admin");
    page.open("/sessions?live=true");
    wait_for_rows(50);
    page.click_text("button", "Load more");
    wait_for_rows(100);
    page.wait_until_settled();
    let (nodes, _) = measure_memory(&page.browser);
    let sessions = admin.get("/api/v1/sessions?live=true&sort=-created_at&limit=200").expect_status(200).json();
    let on_devices = sessions["items"].as_array().unwrap().iter().filter(|each| !each["device"].is_null());
    let ended: Vec<&str> = on_devices.map(|each| each["id"].as_str().unwrap()).collect();
    assert!(ended.len() > 150, "only {} sessions to end", ended.len());
    for id in &ended {
        admin.delete(&format!("/api/v1/sessions/{id}")).expect_status(204);
    }
    // every row that was shown has made way for another one
    let last = json!(format!("[data-row='{}']", ended.last().unwrap()));
    let first = json!(format!("[data-row='{}']", ended[0]));
    wait_until(Duration::from_secs(20), "the sessions that have not ended", || {
        let are_gone = format!("return !document.querySelector({first}) && !document.querySelector({last})");
        page.browser.run(&are_gone) == json!(true)
    });
    page.wait_until_settled();
    wait_for_rows(100);
    let (nodes_after, bytes) = measure_memory(&page.browser);
    assert!(nodes_after < nodes + nodes / 2, "{nodes} DOM nodes became {nodes_after}");
    assert!(bytes < MAX_PAGE_BYTES, "{bytes} bytes");
    // of one person
    page.open(&format!("/sessions?user={user}"));
    wait_for_rows(50);
    let others = "return [...document.querySelectorAll('[data-row]')].filter(row => !row.textContent.includes('Cashier')).length";
    assert_eq!(page.browser.run(others), json!(0));
    // a pointer that scrolls to the end reads on
    page.browser.run("document.querySelector('[data-more]').scrollIntoView(); dispatchEvent(new WheelEvent('wheel'))");
    wait_for_rows(100);
    page.assert_clean();
}
