//! The open page while its server or its database is away, and after its server was updated: nobody
//! is signed out, what was typed is kept, and the page says what it shows.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Signal;
use serde_json::json;
use tillgate_testkit::postgres::Server;
use tillgate_tests::{DatabaseEngine, Installation, OfficePage, RunningServer};

/// Opens the form for a new device and types a name.
fn type_new_device(page: &OfficePage, name: &str) {
    page.press_for_dialog("n");
    page.browser.type_into("dialog [name=name]", name);
}

/// The person was not asked to sign in, and the form is as it was.
#[track_caller]
fn assert_form_is_kept(page: &OfficePage, name: &str) {
    assert_eq!(page.browser.run("return document.querySelectorAll('dialog').length"), json!(1));
    assert_eq!(page.browser.value("dialog [name=name]"), name);
}

tillgate_tests::in_chromium!(
    page_continues_when_its_server_was_killed_and_started_again,
    page_older_than_its_server_offers_to_reload_and_keeps_what_was_typed,
);

fn page_continues_when_its_server_was_killed_and_started_again(engine: DatabaseEngine) {
    let mut page = OfficePage::start(engine);
    page.sign_in("admin");
    page.wait_for_text(".lamp", "Live");
    type_new_device(&page, "P77");
    page.assert_clean();
    let address = page.server.address().trim_start_matches("http://").to_owned();
    page.server.send_signal(Signal::KILL);
    page.server.wait_until_ended();
    page.wait_for_text(".lamp.offline", "No connection, as of");
    page.wait_for_text("[role=alert]", "The server does not answer");
    page.wait_for_text(".board.stale", "P01");
    page.wait_for_text(".stale-note", ":");
    assert_form_is_kept(&page, "P77");
    // a change that the page cannot see
    page.installation.run_ok(&["device", "status", "P02", "locked"], "");
    let mut command = page.installation.tillgate_command(&["serve"]);
    command.args(["--listen", &address]);
    page.server = RunningServer::spawn(&page.installation, command);
    page.wait_for_text(".lamp", "Live");
    page.wait_for_text("li.card.locked", "P02");
    assert_form_is_kept(&page, "P77");
    page.click_text("dialog .dialog-foot button", "Register");
    page.wait_for_text("#main", "P77");
    page.assert_clean();
}

#[test]
#[ignore = "requires Chromium and PostgreSQL"]
fn page_continues_when_its_database_was_stopped_and_started_again() {
    let database = Server::start(&[]).unwrap();
    let installation = Installation::with_database(DatabaseEngine::Postgres, database.create_database());
    installation.create_demo_shop();
    let page = OfficePage::start_on(installation);
    page.sign_in("admin");
    page.wait_for_text(".lamp", "Live");
    type_new_device(&page, "P77");
    database.crash().unwrap();
    page.click_text("dialog .dialog-foot button", "Register");
    page.wait_for_text("dialog [role=alert]", "Temporarily unavailable; nothing was lost. Try again in a moment.");
    assert_form_is_kept(&page, "P77");
    let login = page.server.new_till().get("/office/sign-in").expect_status(200);
    assert!(login.text().contains("Sign in"), "{}", login.text());
    database.resume().unwrap();
    page.server.wait_until_ready();
    page.click_text("dialog .dialog-foot button", "Register");
    page.wait_for_text("#main", "P77");
    assert_eq!(page.fetch("GET", "/sessions/current", None).0, 200, "nobody was signed out");
    // a page that could not be read is read again by itself
    database.crash().unwrap();
    page.follow_link_to("people");
    page.wait_for_text("#main .problem", "Temporarily unavailable; nothing was lost.");
    database.resume().unwrap();
    page.wait_for_text("#main .table", "manager@example.com");
    page.assert_clean();
}

/// A proxy that can present the server as a newer version: another version in
/// the header, and no files of the earlier one.
fn start_updating_proxy(server: &RunningServer) -> (String, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let is_newer = Arc::new(AtomicBool::new(false));
    let (newer, target) = (Arc::clone(&is_newer), server.address().trim_start_matches("http://").to_owned());
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(client), Ok(upstream)) = (client, TcpStream::connect(&target)) else { return };
            let (from_client, to_upstream) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
            let (of_requests, of_responses) = (Arc::clone(&newer), Arc::clone(&newer));
            let files = ["GET /office/a/", "GET /office/b/"];
            std::thread::spawn(move || copy(from_client, to_upstream, &of_requests, files));
            std::thread::spawn(move || copy(upstream, client, &of_responses, ["-version: 0.", "-version: 9."]));
        }
    });
    (address, is_newer)
}

/// Copies a stream. While `replaces`, the first text is replaced by the second one, which is as
/// long.
fn copy(mut from: TcpStream, mut to: TcpStream, replaces: &AtomicBool, [text, other]: [&str; 2]) {
    let mut buffer = vec![0; 65_536];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let part = &mut buffer[..read];
        if replaces.load(Ordering::Relaxed)
            && let Some(at) = part.windows(text.len()).position(|bytes| bytes == text.as_bytes())
        {
            part[at..at + text.len()].copy_from_slice(other.as_bytes());
        }
        if to.write_all(part).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

fn page_older_than_its_server_offers_to_reload_and_keeps_what_was_typed(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let (address, is_newer) = start_updating_proxy(&server);
    let page = OfficePage::start_at(installation, server, address);
    page.sign_in("admin");
    page.wait_for_text(".lamp", "Live");
    page.browser.run("window.openedOnce = true");
    type_new_device(&page, "P77");
    page.assert_clean();
    is_newer.store(true, Ordering::Relaxed);
    // a change elsewhere makes the page call
    page.server.new_till().login("cashier", "P01");
    page.wait_for_text("#main .notice", "The server has been updated.");
    assert_form_is_kept(&page, "P77");
    page.click_text("dialog .dialog-foot button", "Register");
    page.wait_for_text(".toast", "Registered P77");
    // the page of the device is not loaded yet, and its earlier version is not there any more
    page.wait_for_text("#main .problem", "The server has been updated. Reload the page.");
    assert_eq!(page.browser.run("return window.openedOnce"), json!(true), "it did not reload by itself");
    page.browser.take_console_errors();
    is_newer.store(false, Ordering::Relaxed);
    page.click_text("#main .notice button", "Reload");
    page.wait_for_text("aside.panel", "P77");
    assert_eq!(page.browser.run("return window.openedOnce ?? null"), json!(null));
    assert!(!page.text().contains("The server has been updated"));
    page.assert_clean();
}
