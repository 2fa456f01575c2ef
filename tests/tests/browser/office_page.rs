//! The back office in a real browser against the real server: a person signs in, sees the board and
//! signs out. Nothing secret stays in the browser, and a page of another origin can neither frame
//! nor reach it, nor change anything.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use serde_json::json;
use tillgate_tests::browser::keys;
use tillgate_tests::{Browser, DatabaseEngine, Installation, OfficePage, PASSWORD, RunningServer, wait_until};

const TIMEOUT: Duration = Duration::from_secs(20);

tillgate_tests::in_chromium!(
    person_signs_in_sees_the_board_and_signs_out,
    person_without_scripts_signs_in_and_out,
    new_person_is_invited_and_chooses_a_password,
    server_without_a_public_address_says_that_it_cannot_mail_a_link,
    person_is_mailed_a_link_to_verify_their_address_and_an_invitation,
    link_of_the_server_sets_up_the_first_administrator,
    page_of_another_origin_can_neither_frame_nor_reach_nor_change_anything,
    audit_log_is_verified_and_exported_on_its_page,
);

fn start(engine: DatabaseEngine) -> (Installation, RunningServer, Browser) {
    let installation = Installation::with_fixture(engine).with_setting("LOG__LEVEL", "trace");
    let server = installation.serve();
    (installation, server, Browser::start())
}

fn wait_for_address(browser: &Browser, address: &str) {
    wait_until(TIMEOUT, &format!("the address {address}"), || browser.address().split('?').next() == Some(address));
}

fn sign_in(browser: &Browser, login: &str) {
    browser.wait_until_visible("#login");
    browser.type_into("#login", login);
    browser.type_into("#password", &format!("{PASSWORD}{}", keys::ENTER));
}

fn person_signs_in_sees_the_board_and_signs_out(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    // the root leads to the app, which has no session yet and leads to the form
    page.browser.open(page.server.address());
    page.wait_for_path("/sign-in");
    page.sign_in("admin");
    assert_eq!(page.fetch("GET", "/sessions/current", None).0, 200);
    let cookies = page.browser.devtools("Network.getAllCookies", &json!({}));
    assert_eq!(cookies["cookies"].as_array().unwrap().len(), 2, "{cookies}");
    page.assert_clean();
    page.sign_out();
    page.browser.wait_for("h1", "Signed out");
    assert_eq!(page.browser.devtools("Network.getAllCookies", &json!({}))["cookies"], json!([]));
    page.assert_clean();
}

fn person_without_scripts_signs_in_and_out(engine: DatabaseEngine) {
    let (_installation, server, browser) = start(engine);
    let address = |path: &str| format!("{}/office{path}", server.address());
    let cookies = || browser.devtools("Network.getAllCookies", &json!({}))["cookies"].as_array().unwrap().len();
    browser.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    browser.open(&address("/sign-in?next=/office/people"));
    browser.type_into("#login", "admin");
    browser.type_into("#password", &format!("wrong-horse-till{}", keys::ENTER));
    browser.wait_until_visible("[role=alert]");
    assert_eq!(browser.text("[role=alert]"), "User name or password is wrong.");
    assert_eq!((browser.value("#login"), browser.value("#password")), ("admin".to_owned(), String::new()));
    browser.type_into("#password", &format!("{PASSWORD}{}", keys::ENTER));
    wait_for_address(&browser, &address("/people"));
    assert!(browser.text("noscript").contains("requires JavaScript"), "{}", browser.text("body"));
    assert_eq!(cookies(), 2);
    browser.click("noscript button");
    wait_for_address(&browser, &address("/signed-out"));
    assert_eq!((browser.text("h1"), cookies()), ("Signed out".to_owned(), 0));
    browser.click("a.button");
    wait_for_address(&browser, &address("/sign-in"));
    // the browser notes what the sign-out has cleared
    let errors: Vec<String> = browser.take_console_errors();
    assert!(errors.iter().all(|line| line.contains("Cleared data types")), "{errors:?}");
}

fn new_person_is_invited_and_chooses_a_password(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    page.sign_in("admin");
    page.open("/people");
    page.click_text("button", "New person");
    page.wait_for_text("dialog", "User name");
    page.browser.type_into("dialog [name=user_name]", "nora");
    page.browser.click("dialog input[value=manager]");
    // a password can be shown while it is typed
    page.browser.click("dialog [name=invite]");
    page.click_text("dialog .reveal button", "Show");
    assert_eq!(page.browser.run("return document.querySelector('dialog [name=password]').type"), json!("text"));
    page.browser.click("dialog [name=invite]");
    page.click_text("dialog button", "Add person");
    page.wait_for_text("dialog .secret", "/office/invitation#");
    page.browser.wait_until_visible("dialog .secret");
    let link = page.browser.text("dialog .secret").trim().to_owned();
    page.browser.click("dialog input[type=checkbox]");
    page.click_text("dialog button", "Done");
    page.wait_for_text(".panel .state", "Invited until ");
    page.sign_out();
    page.browser.open(&link);
    page.browser.wait_until_visible("#new_password");
    // the token is in the form, and no longer in the address
    wait_until(TIMEOUT, "the token in the form", || {
        page.browser.run("return document.getElementById('token').value") == json!(link.split('#').nth(1).unwrap())
    });
    assert_eq!(Some(page.browser.address().as_str()), link.split('#').next());
    page.click_text("a", "Slovenčina");
    page.wait_for_text("h1", "Zvoľte si heslo");
    wait_until(TIMEOUT, "the token in the form", || {
        page.browser.run("return document.getElementById('token').value") == json!(link.split('#').nth(1).unwrap())
    });
    page.browser.click("[data-reveals]");
    assert_eq!(page.browser.run("return document.getElementById('new_password').type"), json!("text"));
    page.browser.type_into("#new_password", &format!("a staple of batteries{}", keys::ENTER));
    page.wait_for_path("/sign-in");
    page.browser.type_into("#password", &format!("a staple of batteries{}", keys::ENTER));
    page.wait_for_path("/");
    // the app follows the language that was chosen
    page.wait_for_text("h1", "Pokladnice");
}

/// The id of the user with this name.
fn find_user(page: &OfficePage, name: &str) -> String {
    let users = page.log_in_natively("admin").get(&format!("/api/v1/users?search={name}"));
    users.expect_status(200).text_at("/items/0/id")
}

/// Waits for the mail in the spool folder with a link to this page of the back office, and returns
/// the path of the link below the back office, with the token.
fn wait_for_mailed_path(installation: &Installation, page: &str) -> String {
    let read = || {
        let files = std::fs::read_dir(installation.folder().join("spool")).into_iter().flatten();
        let paths = files.map(|file| file.unwrap().path());
        let mails = paths.filter(|path| path.extension().is_some_and(|extension| extension == "eml"));
        let texts: Vec<String> = mails.map(|path| std::fs::read_to_string(path).unwrap()).collect();
        let links = texts.iter().flat_map(|text| text.split_whitespace());
        let mut paths = links.filter_map(|word| word.split_once("/office")).map(|(_, path)| path.to_owned());
        paths.find(|path| path.starts_with(page))
    };
    let mut found = None;
    wait_until(Duration::from_mins(1), &format!("a mail with a link to {page}"), || {
        found = read();
        found.is_some()
    });
    found.unwrap()
}

fn person_is_mailed_a_link_to_verify_their_address_and_an_invitation(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let page = OfficePage::start_on(installation.with_setting("SERVER__PUBLIC_URL", "http://localhost:8080"));
    let user = find_user(&page, "manager");
    page.sign_in("admin");
    let person = format!("/people/{user}?tab=security");
    page.open(&person);
    page.wait_for_text("aside.panel .facts", "Not verified");
    page.click_text("aside.panel button", "Verify e-mail");
    page.wait_for_text(".toast", "Mailed a link to manager@example.com");
    // a second mail at once is refused in words
    page.click_text("aside.panel button", "Verify e-mail");
    page.wait_for_text(".toast.bad", "They were mailed a moment ago");
    page.open(&wait_for_mailed_path(&page.installation, "/verify-email"));
    page.browser.click("form button");
    page.browser.wait_until_visible("[role=status]");
    page.open(&person);
    page.wait_for_text("aside.panel .facts", "Verified on ");
    page.wait_until_settled();
    assert!(!page.text().contains("Verify e-mail"), "{}", page.text());
    page.click_text("aside.panel button", "Send invitation by mail");
    page.wait_for_text(".toast", "Mailed an invitation to manager@example.com");
    let link = wait_for_mailed_path(&page.installation, "/invitation");
    assert!(link.len() > 30, "{link}");
    page.assert_clean();
}

fn server_without_a_public_address_says_that_it_cannot_mail_a_link(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let user = find_user(&page, "manager");
    page.sign_in("admin");
    page.open(&format!("/people/{user}?tab=security"));
    for button in ["Verify e-mail", "Send invitation by mail"] {
        page.click_text("aside.panel button", button);
        page.wait_for_text(".toast.bad", "requires the setting server.public_url");
        page.browser.click(".toast.bad button");
        let is_gone = || page.browser.run("return document.querySelector('.toast.bad') === null") == json!(true);
        wait_until(TIMEOUT, "the message to be closed", is_gone);
    }
    page.assert_clean();
}

fn link_of_the_server_sets_up_the_first_administrator(engine: DatabaseEngine) {
    let installation = Installation::new(engine);
    installation.run_ok(&["init"], "");
    let server = installation.serve();
    let browser = Browser::start();
    let token = std::fs::read_to_string(installation.folder().join("setup-token")).unwrap();
    let address = format!("{}/office/set-up", server.address());
    browser.open(&format!("{address}#{}", token.trim()));
    let field = |name: &str| browser.run(&format!("return document.getElementById('{name}').value"));
    wait_until(TIMEOUT, "the token in the form", || field("token") == json!(token.trim()));
    assert_eq!(browser.address(), address, "the token is no longer in the address");
    assert_eq!(field("zone"), browser.run("return Intl.DateTimeFormat().resolvedOptions().timeZone"));
    browser.type_into("#shop", "Corner & Co");
    browser.type_into("#password", &format!("{PASSWORD}{}", keys::ENTER));
    wait_for_address(&browser, &format!("{}/office/sign-in", server.address()));
    sign_in(&browser, "admin");
    wait_for_address(&browser, &format!("{}/office/", server.address()));
    assert_eq!(browser.take_console_errors(), Vec::<String>::new());
}

/// Serves one page for every request, on another port: another origin of the same site, so that the
/// browser sends the cookies of the back office with its requests.
fn serve_foreign_page(html: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { return };
            let _ = connection.read(&mut [0; 4096]);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n", html.len());
            let _ = connection.write_all(format!("{head}Connection: close\r\n\r\n{html}").as_bytes());
        }
    });
    address
}

fn page_of_another_origin_can_neither_frame_nor_reach_nor_change_anything(engine: DatabaseEngine) {
    let (_installation, server, browser) = start(engine);
    let office = format!("{}/office", server.address());
    browser.open(&format!("{office}/sign-in"));
    sign_in(&browser, "admin");
    wait_for_address(&browser, &format!("{office}/"));
    browser.wait_for("#main", "P01");
    let roles = || {
        let login = json!({ "login": "admin", "password": PASSWORD });
        let till = server.new_till();
        let token = till.post("/api/v1/sessions", &login).expect_status(201).text_at("/access_token");
        let mut admin = server.new_till();
        admin.access = token;
        admin.get("/api/v1/roles").json()["items"].as_array().unwrap().len()
    };
    let before = roles();
    let form = |path: &str, target: &str| {
        format!(
            "<form id={target} method=post action={office}{path} target={target}><input name=login value=admin>\
             <input name=password value=\"{PASSWORD}\"></form><iframe name={target}></iframe>"
        )
    };
    let html = format!(
        "<!doctype html><iframe id=framed src={office}/sign-in></iframe>{}{}",
        form("/sign-in", "in"),
        form("/sign-out", "out")
    );
    browser.open(&serve_foreign_page(html));
    // framed: the browser shows its own error page instead, which has another origin than the
    // office
    let refused = |console: &[String]| console.iter().any(|line| line.contains("frame"));
    let mut console = Vec::new();
    wait_until(TIMEOUT, "the frame to be refused", || {
        console.extend(browser.take_console_errors());
        refused(&console)
    });
    // reached: the opened window is in a browsing context group of its own
    let closed = "new Promise(done => { const opened = open('OFFICE/sign-in'); if (!opened) done('blocked'); \
                  const look = () => opened.closed ? done('severed') : setTimeout(look, 50); look(); })";
    assert_eq!(browser.run_async(&closed.replace("OFFICE", &office)), json!("severed"));
    // changed: calls with the cookies, as a form, as text and with a preflight
    let role = r#"{"name":"thief","rights":["admin"],"environments":["PDA"]}"#;
    for (path, method, kind) in [
        ("/api/v1/roles", "POST", "text/plain"),
        ("/api/v1/roles", "POST", "application/x-www-form-urlencoded"),
        ("/api/v1/roles", "POST", "application/json"),
        ("/api/v1/sessions/current", "DELETE", "text/plain"),
        ("/session", "DELETE", "text/plain"),
    ] {
        let mode = if method == "POST" && kind != "application/json" { "no-cors" } else { "cors" };
        let call = format!(
            "fetch('{office}{path}', {{ method: '{method}', mode: '{mode}', credentials: 'include', \
             headers: {{ 'content-type': '{kind}' }}, body: {} }}).then(a => a.type, () => 'refused')",
            if method == "POST" { format!("'{role}'") } else { "undefined".to_owned() }
        );
        let seen = browser.run_async(&call);
        assert!(seen == json!("opaque") || seen == json!("refused"), "{method} {path} {kind}: {seen}");
    }
    // read: a response has no permission for another origin
    let read =
        format!("fetch('{office}/api/v1/users', {{ credentials: 'include' }}).then(() => 'read', () => 'refused')");
    assert_eq!(browser.run_async(&read), json!("refused"));
    browser.run("document.getElementById('in').submit(); document.getElementById('out').submit()");
    assert_eq!(roles(), before, "nothing was added");
    browser.open(&format!("{office}/"));
    browser.wait_for("#main", "P01");
}

fn audit_log_is_verified_and_exported_on_its_page(engine: DatabaseEngine) {
    let (installation, server, browser) = start(engine);
    let folder = installation.folder().join("downloads");
    std::fs::create_dir(&folder).unwrap();
    browser.devtools("Browser.setDownloadBehavior", &json!({ "behavior": "allow", "downloadPath": folder }));
    browser.open(&format!("{}/office/audit?action=login", server.address()));
    wait_for_address(&browser, &format!("{}/office/sign-in", server.address()));
    sign_in(&browser, "admin");
    browser.wait_for(".seal", "Sealed up to event");
    browser.wait_for(".seal", "Not verified yet");
    browser.click(".seal .button");
    browser.wait_for(".seal", "events, intact");
    browser.click(".filters > button[aria-haspopup=menu]");
    browser.wait_until_visible("[role=menuitem]");
    browser.run(
        "[...document.querySelectorAll('[role=menuitem]')].find(item => item.textContent.includes('CSV')).click()",
    );
    browser.wait_for(".toasts", "Saved audit-2");
    let mut saved = None;
    wait_until(TIMEOUT, "the file", || {
        let mut files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
        saved = files.find(|path| path.extension().is_some_and(|extension| extension == "csv"));
        saved.is_some()
    });
    let exported = std::fs::read(saved.unwrap()).unwrap();
    let command = folder.join("command.csv");
    let arguments = ["audit", "export", "--format", "csv", "--action", "login", "--output", command.to_str().unwrap()];
    installation.run_ok(&arguments, "");
    assert_eq!(String::from_utf8(exported).unwrap(), std::fs::read_to_string(command).unwrap());
    assert_eq!(browser.take_console_errors(), Vec::<String>::new());
}

#[test]
#[ignore = "requires Chromium"]
fn changed_audit_event_is_named_on_the_page_as_by_the_command() {
    let (installation, server, browser) = start(DatabaseEngine::Sqlite);
    browser.open(&format!("{}/office/audit", server.address()));
    wait_for_address(&browser, &format!("{}/office/sign-in", server.address()));
    sign_in(&browser, "admin");
    browser.wait_for(".seal", "Not verified yet");
    // one byte behind the server's back
    let path = installation.folder().join("tillgate.db");
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let own = "(SELECT MIN(sequence) FROM audit WHERE tenant_id IS NOT NULL)";
    let change = format!("DROP TRIGGER audit_unchanged; UPDATE audit SET at = at + 1 WHERE sequence = {own}");
    connection.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
    connection.batch_execute(&change).unwrap();
    browser.click(".seal .button");
    browser.wait_for(".seal.broken", "it was changed after it was sealed. The ");
    let shown = browser.text(".seal.broken");
    let said = String::from_utf8(installation.run(&["audit", "verify"], "").stderr).unwrap();
    let line = said.trim().trim_start_matches("tillgate: ");
    assert!(shown.contains(line), "{shown}: {said}");
    assert_eq!(browser.take_console_errors(), Vec::<String>::new());
}
