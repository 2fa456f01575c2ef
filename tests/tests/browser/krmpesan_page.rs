//! krmpesan's page in a real browser against the real server: a person logs in, sees the devices,
//! generates tokens of one or more with one password and copies them once, in every language, by
//! keyboard alone and on small screens too. Errors are shown.

mod accessibility;

use serde_json::json;
use tillgate_tests::browser::keys;
use tillgate_tests::{Browser, DatabaseEngine, Installation, PASSWORD, RunningServer};

const VALUE_SELECTORS: [&str; 3] = ["#IdToken-0", "#RefreshToken-0", "#DeviceId-0"];

/// Starts a server with the most detailed log, and opens the page in a browser.
fn open_page(installation: &Installation) -> (RunningServer, Browser) {
    let server = installation.serve();
    let browser = Browser::start();
    browser.open(&format!("{}/krmpesan/app", server.address()));
    (server, browser)
}

fn create_installation() -> Installation {
    Installation::with_fixture(DatabaseEngine::Sqlite).with_setting("LOG__LEVEL", "trace")
}

fn log_in(browser: &Browser) {
    browser.run("document.getElementById('login-form').reset()");
    browser.type_into("#user", "cashier");
    browser.type_into("#password", PASSWORD);
    browser.click("#enter");
    browser.wait_for("#status", "Devices: 3.");
}

/// Selects these devices and no others.
fn select(browser: &Browser, devices: &[&str]) {
    let script = format!(
        "for (const box of document.querySelectorAll('#rows input')) \
         if (box.checked !== {}.includes(box.value)) box.click()",
        json!(devices)
    );
    browser.run(&script);
}

/// Enters a password for the selected devices.
fn confirm(browser: &Browser, password: &str) {
    browser.type_into("#confirmation", &format!("{password}{}", keys::ENTER));
}

fn generate(browser: &Browser, device: &str) -> [String; 3] {
    select(browser, &[device]);
    confirm(browser, PASSWORD);
    browser.wait_for("#status", &format!("Tokens were generated for: {device}."));
    VALUE_SELECTORS.map(|value| browser.value(value))
}

/// Whether the three values work, as in a program that has received them.
fn are_good_tokens(server: &RunningServer, installation: &Installation, [id, refresh, device]: &[String; 3]) -> bool {
    for secret in [id, refresh] {
        assert!(secret.len() > 20, "no token");
        installation.secrets().add(secret);
    }
    let response = server.new_till().get(&format!("/krmpesan/token?refresh_token={refresh}&device_id={device}"));
    let mut till = server.new_till();
    till.access.clone_from(id);
    let devices = till.get("/krmpesan/devices");
    assert_eq!(response.status(), devices.status());
    response.status() == 200 && devices.text_at("/data/0/id") == *device
}

/// Checks that no secret is in an address, and that every request went to the server.
fn assert_no_other_requests(browser: &Browser, server: &RunningServer, installation: &Installation) {
    assert_eq!(browser.address(), format!("{}/krmpesan/app", server.address()));
    let requests = browser.take_requests();
    assert!(requests.len() >= 3, "the page, its script and its style: {}", requests.len());
    for url in &requests {
        installation.secrets().assert_absent("an address", url);
        assert!(url.starts_with(server.address()) && !url.contains('?'), "{url}");
    }
    let kept = "return JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}, history.state])";
    assert_eq!(browser.run(kept), json!(r#"["",{},{},null]"#), "nothing is kept in the browser");
    assert_eq!(browser.take_console_errors(), Vec::<String>::new(), "the console");
}

#[test]
#[ignore = "requires Chromium"]
fn user_logs_in_generates_and_copies_once() {
    let installation = create_installation();
    let (server, browser) = open_page(&installation);
    let grant = json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": server.address() });
    browser.devtools("Browser.grantPermissions", &grant);
    assert_eq!(browser.title(), "Log in – krmpesan tokens");
    log_in(&browser);
    assert_eq!(
        (browser.title().as_str(), browser.focused_id().as_str()),
        ("Devices – krmpesan tokens", "devices-title")
    );
    assert_eq!(browser.text("#person"), "Cashier");
    let names = browser.run("return [...document.querySelectorAll('#rows th')].map(cell => cell.textContent)");
    assert_eq!(names, json!(["P01", "P02", "PDA1"]), "without the program of the office");
    let ring = "return getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(browser.run(ring), json!("none"), "a heading is not interactive");

    let notes =
        || browser.run("return [...document.querySelectorAll('.note')].filter(note => note.checkVisibility()).length");
    assert_eq!(notes(), json!(0), "no device has a token");
    let first = generate(&browser, "P01");
    assert_eq!((browser.title().as_str(), browser.focused_id().as_str()), ("Tokens – krmpesan tokens", "token-title"));
    assert_eq!(browser.text("#results h2"), "Token of P01");
    assert_eq!(browser.run(ring), json!("none"));
    assert!(!browser.is_visible("#missing") && !browser.is_visible("#table-of-all"));
    assert!(are_good_tokens(&server, &installation, &first));
    for (name, value) in ["IdToken", "RefreshToken", "DeviceId"].into_iter().zip(&first) {
        browser.click(&format!("#{name}-0 + button"));
        browser.wait_for("#status", &format!("{name} was copied."));
        let copied = browser.run("return navigator.clipboard.readText()");
        assert_eq!(copied, json!(value), "{name}");
    }
    browser.click("#done");
    assert!(browser.is_visible("#devices") && !browser.is_visible("#token"));
    assert_eq!(notes(), json!(1), "P01 has a token now");
    let left = browser.run("return document.documentElement.outerHTML + [...document.querySelectorAll('input, textarea')].map(field => field.value)");
    installation.secrets().assert_absent("the page after it", left.as_str().unwrap());

    let second = generate(&browser, "P01");
    assert_ne!(first, second);
    assert!(
        are_good_tokens(&server, &installation, &second) && !are_good_tokens(&server, &installation, &first),
        "the earlier one is over"
    );

    browser.click("#leave");
    browser.wait_for("#status", "You are logged out.");
    assert!(browser.is_visible("#login") && !browser.is_visible("#token"));
    assert_eq!(browser.run("return document.querySelectorAll('#results *').length"), json!(0));
    assert_no_other_requests(&browser, &server, &installation);
    assert!(are_good_tokens(&server, &installation, &second), "logging out ends the visit, not the token");
}

#[test]
#[ignore = "requires Chromium"]
fn one_password_generates_tokens_of_several_devices() {
    let installation = create_installation();
    let (server, browser) = open_page(&installation);
    log_in(&browser);
    browser.click("#all");
    assert_eq!(browser.run("return document.querySelectorAll('#rows input:checked').length"), json!(3));
    // P02 is locked while the list is open: the others get their tokens
    installation.run_ok(&["device", "status", "P02", "locked"], "");
    confirm(&browser, PASSWORD);
    browser.wait_for("#status", "Tokens were generated for: P01, PDA1.");
    assert_eq!(browser.value("#confirmation"), "");
    let missing = browser.text("#missing");
    assert_eq!(missing, "No token for: P02 – The password is wrong, or you may no longer log in on P02.");
    let value = |name: &str, number: usize| browser.value(&format!("#{name}-{number}"));
    let values = |number| ["IdToken", "RefreshToken", "DeviceId"].map(|name| value(name, number));
    let tokens = [values(0), values(1)];
    assert!(tokens.iter().all(|values| are_good_tokens(&server, &installation, values)));
    let lines: Vec<String> = ["P01", "PDA1"]
        .iter()
        .zip(&tokens)
        .map(|(device, values)| format!("{device}\t{}", values.join("\t")))
        .collect();
    assert_eq!(browser.value("#everything"), format!("\tIdToken\tRefreshToken\tDeviceId\n{}", lines.join("\n")));
    browser.click("#done");
    let left = browser.run("return document.documentElement.outerHTML + [...document.querySelectorAll('input, textarea')].map(field => field.value)");
    installation.secrets().assert_absent("the page after it", left.as_str().unwrap());
    let selected = browser.run("return [...document.querySelectorAll('#rows input:checked')].map(box => box.value)");
    assert_eq!(selected, json!(["P02"]), "what has no token can be tried again");

    // a wrong password is tried once, not for each device
    installation.run_ok(&["device", "status", "P02", "active"], "");
    browser.click("#all");
    browser.take_requests();
    confirm(&browser, "wrong-horse-till");
    browser.wait_for("#alert", "The password is wrong, or you may no longer log in on P01.");
    let tried = browser.take_requests().iter().filter(|url| url.ends_with("/app/generate")).count();
    assert_eq!(tried, 1);
    assert!(tokens.iter().all(|values| are_good_tokens(&server, &installation, values)), "nothing was replaced");
}

#[test]
#[ignore = "requires Chromium"]
fn page_is_in_the_language_of_the_browser() {
    let installation = create_installation();
    let (server, browser) = open_page(&installation);
    browser.devtools("Network.enable", &json!({}));
    for (language, title, devices, made) in [
        ("sk", "Prihlásenie – Tokeny krmpesan", "Počet zariadení: 3.", "Vytvorené tokeny: P01."),
        ("id", "Masuk – Token krmpesan", "Jumlah perangkat: 3.", "Token dibuat untuk: P01."),
    ] {
        browser.devtools("Network.setExtraHTTPHeaders", &json!({ "headers": { "Accept-Language": language } }));
        browser.open(&format!("{}/krmpesan/app", server.address()));
        assert_eq!(browser.title(), title);
        assert_eq!(browser.run("return document.documentElement.lang"), json!(language));
        browser.type_into("#user", "cashier");
        browser.type_into("#password", &format!("{PASSWORD}{}", keys::ENTER));
        browser.wait_for("#status", devices);
        let kind = browser.text("#rows td");
        select(&browser, &["P01"]);
        confirm(&browser, PASSWORD);
        browser.wait_for("#status", made);
        assert!(kind != "Till" && kind != "CashRegister", "{kind}");
        assert!(are_good_tokens(&server, &installation, &VALUE_SELECTORS.map(|value| browser.value(value))));
    }
    assert_eq!(browser.take_console_errors(), Vec::<String>::new(), "the console");
}

/// A response within the 30 ms before an announcement replaces the announcement that waits.
#[test]
#[ignore = "requires Chromium"]
fn fast_response_leaves_no_earlier_announcement() {
    let installation = create_installation();
    let (_server, browser) = open_page(&installation);
    browser.run("window.fetch = async () => new Response('{}', { status: 401 })");
    browser.type_into("#user", "cashier");
    browser.type_into("#password", &format!("wrong-horse-till{}", keys::ENTER));
    browser.wait_for("#alert", "The user name or the password is wrong");
    assert_eq!(browser.text("#status"), "", "\"Logging in …\" was to be announced before the error");
}

#[test]
#[ignore = "requires Chromium"]
fn errors_are_shown_beside_their_field() {
    let installation = create_installation();
    let (server, browser) = open_page(&installation);
    let complains = |text: &str, focus: &str| {
        browser.wait_for("#alert", text);
        assert_eq!(browser.focused_id(), focus, "{text}");
        assert_eq!(browser.text("#status"), "", "{text}");
        if ["password", "user", "confirmation"].contains(&focus) {
            let field = format!("const field = document.getElementById({focus:?});");
            let marks =
                browser.run(&format!("{field} return [field.ariaInvalid, field.getAttribute('aria-describedby')]"));
            assert_eq!(marks, json!(["true", "alert"]), "{text}");
        }
    };
    browser.click("#enter");
    complains("Enter your user name", "user");
    browser.type_into("#user", "cashier");
    browser.click("#enter");
    complains("Enter your password.", "password");
    browser.type_into("#password", &format!("wrong-horse-till{}", keys::ENTER));
    complains("The user name or the password is wrong, or the password must be changed first.", "password");
    assert_eq!(browser.value("#password"), "", "a wrong password does not stay");
    assert!(browser.is_visible("#login"));
    log_in(&browser);

    confirm(&browser, PASSWORD);
    complains("Select at least one device.", "device-0");
    select(&browser, &["P01"]);
    browser.run("document.getElementById('confirmation').value = ''");
    confirm(&browser, "");
    complains("Enter your password.", "confirmation");
    confirm(&browser, "wrong-horse-till");
    complains("The password is wrong", "confirmation");
    assert!(browser.is_visible("#devices"), "a wrong password is no end of the visit");

    // the device is locked while the list is open
    installation.run_ok(&["device", "status", "P02", "locked"], "");
    select(&browser, &["P02"]);
    confirm(&browser, PASSWORD);
    browser.wait_for("#alert", "or you may no longer log in on P02.");

    // the session of the page is ended from elsewhere
    installation.run_ok(&["session", "end", "--user", "cashier"], "");
    tillgate_tests::wait_until(std::time::Duration::from_secs(10), "the end of the visit", || {
        confirm(&browser, "wrong-horse-till");
        browser.wait_for("#alert", ".");
        browser.is_visible("#login")
    });
    complains("Your session has ended. Log in again.", "login-title");

    // repeated wrong passwords are throttled, and the page says for how long
    let mut said = String::new();
    for number in 0..12 {
        browser.run("document.getElementById('user').value = 'manager'");
        browser.type_into("#password", &format!("wrong-horse-{number}{}", keys::ENTER));
        browser.wait_for("#alert", ".");
        said = browser.text("#alert");
        if said.starts_with("Too many attempts") {
            break;
        }
    }
    assert!(said.starts_with("Too many attempts. Try again in ") && said.ends_with(" seconds."), "{said}");
    assert_no_other_requests(&browser, &server, &installation);
}

#[test]
#[ignore = "requires Chromium"]
fn unreachable_server_is_reported_and_input_kept() {
    let installation = create_installation();
    let (mut server, browser) = open_page(&installation);
    log_in(&browser);
    let address = server.address().trim_start_matches("http://").to_owned();
    server.stop();
    select(&browser, &["P01"]);
    confirm(&browser, PASSWORD);
    browser.wait_for("#alert", "The server did not answer. If it generated a token for P01,");
    assert!(browser.is_visible("#devices"));
    drop(server);

    let server = RunningServer::spawn(&installation, {
        let mut command = installation.tillgate_command(&["serve"]);
        command.args(["--listen", &address]);
        command
    });
    tillgate_tests::wait_until(std::time::Duration::from_secs(30), "readiness", || {
        server.new_till().try_get("/readyz").is_ok_and(|response| response.status() == 200)
    });
    assert!(are_good_tokens(&server, &installation, &generate(&browser, "P01")), "the visit goes on");
    drop(server);
    browser.click("#leave");
    browser.wait_for("#alert", "The server could not be reached; your session there ends within 15 minutes.");
    assert!(browser.is_visible("#login"));
    browser.type_into("#user", "cashier");
    browser.type_into("#password", &format!("{PASSWORD}{}", keys::ENTER));
    browser.wait_for("#alert", "The server cannot be reached.");
}

#[test]
#[ignore = "requires Chromium"]
fn history_navigation_shows_no_token() {
    let installation = create_installation();
    let (server, browser) = open_page(&installation);
    log_in(&browser);
    let values = generate(&browser, "P01");
    assert!(are_good_tokens(&server, &installation, &values));
    browser.open(&format!("{}/healthz", server.address()));
    browser.back();
    browser.wait_until_visible("#login");
    let left = browser.run("return document.documentElement.outerHTML + [...document.querySelectorAll('input, textarea')].map(field => field.value)");
    installation.secrets().assert_absent("the page that was left", left.as_str().unwrap());
}
