//! krmpesan's page in a real browser against the real server: a person logs in, sees the devices,
//! generates a token and copies it once, by keyboard alone and on small screens too. Errors are
//! shown.

use serde_json::{Value, json};
use tillgate_tests::browser::keys;
use tillgate_tests::{Browser, DatabaseEngine, Installation, PASSWORD, RunningServer};

const VALUE_SELECTORS: [&str; 3] = ["#IdToken", "#RefreshToken", "#DeviceId"];

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
    browser.wait_for("#status", "4 devices.");
}

/// The selector of the password field beside the device with this name.
fn password_field(browser: &Browser, device: &str) -> String {
    let script = format!(
        "return [...document.querySelectorAll('#rows tr')].find(row => row.cells[0].textContent === {device:?})\
         .querySelector('input[type=password]').id"
    );
    format!("#{}", browser.run(&script).as_str().unwrap())
}

fn generate(browser: &Browser, device: &str) -> [String; 3] {
    browser.type_into(&password_field(browser, device), &format!("{PASSWORD}{}", keys::ENTER));
    browser.wait_for("#status", &format!("The token of {device} was generated."));
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
    assert_eq!(names, json!(["OFFICE", "P01", "P02", "PDA1"]));

    let notes =
        || browser.run("return [...document.querySelectorAll('.note')].filter(note => note.checkVisibility()).length");
    assert_eq!(notes(), json!(0), "no device has a token");
    let first = generate(&browser, "P01");
    assert_eq!((browser.title().as_str(), browser.focused_id().as_str()), ("Token – krmpesan tokens", "token-title"));
    assert_eq!(browser.text("#token-title"), "Token of P01");
    assert!(are_good_tokens(&server, &installation, &first));
    for (name, value) in ["IdToken", "RefreshToken", "DeviceId"].into_iter().zip(&first) {
        browser.click(&format!("[data-copies={name}]"));
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
    assert_eq!(VALUE_SELECTORS.map(|value| browser.value(value)), ["", "", ""]);
    assert_no_other_requests(&browser, &server, &installation);
    assert!(are_good_tokens(&server, &installation, &second), "logging out ends the visit, not the token");
}

#[test]
#[ignore = "requires Chromium"]
fn errors_are_shown_beside_their_field() {
    let installation = create_installation();
    let (server, browser) = open_page(&installation);
    let complains = |text: &str, focus: &str| {
        browser.wait_for("#alert", text);
        assert_eq!(browser.focused_id(), focus, "{text}");
        if focus.starts_with("password") || focus == "user" {
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

    let p01 = password_field(&browser, "P01");
    let field = p01.trim_start_matches('#').to_owned();
    browser.type_into(&p01, keys::ENTER);
    complains("Enter your password for P01.", &field);
    browser.type_into(&p01, &format!("wrong-horse-till{}", keys::ENTER));
    complains("The password is wrong", &field);
    assert!(browser.is_visible("#devices"), "a wrong password is no end of the visit");

    // the device is locked while the list is open
    installation.run_ok(&["device", "status", "P02", "locked"], "");
    browser.type_into(&password_field(&browser, "P02"), &format!("{PASSWORD}{}", keys::ENTER));
    browser.wait_for("#alert", "or you may no longer log in on P02.");

    // the session of the page is ended from elsewhere
    installation.run_ok(&["session", "end", "--user", "cashier"], "");
    tillgate_tests::wait_until(std::time::Duration::from_secs(10), "the end of the visit", || {
        browser.type_into(&p01, &format!("wrong-horse-till{}", keys::ENTER));
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
    let p01 = password_field(&browser, "P01");
    browser.type_into(&p01, &format!("{PASSWORD}{}", keys::ENTER));
    browser.wait_for("#alert", "The server did not answer.");
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

#[test]
#[ignore = "requires Chromium"]
fn page_works_by_keyboard_alone() {
    let installation = create_installation();
    let (server, browser) = open_page(&installation);
    let walks = |steps: &[&str]| {
        for step in steps {
            browser.press(keys::TAB);
            assert_eq!(browser.focused_id(), *step);
            let outline = browser.run("const style = getComputedStyle(document.activeElement); return [style.outlineStyle, parseFloat(style.outlineWidth)]");
            assert_eq!(outline, json!(["solid", 3]), "{step} shows that it has the focus");
        }
    };
    assert_eq!(browser.focused_id(), "user", "the first field has the focus from the start");
    browser.press("cashier");
    walks(&["password"]);
    browser.press(PASSWORD);
    walks(&["enter"]);
    browser.press(keys::SPACE);
    browser.wait_for("#status", "4 devices.");
    // starting at the heading: the field and the button of each device
    walks(&["password-0", "button", "password-1", "button", "password-2"]);
    browser.press(PASSWORD);
    walks(&["button"]);
    browser.press(keys::ENTER);
    browser.wait_for("#status", "The token of P02 was generated.");
    assert!(are_good_tokens(&server, &installation, &VALUE_SELECTORS.map(|value| browser.value(value))));
    walks(&["IdToken", "button", "RefreshToken", "button", "DeviceId", "button", "done"]);
    browser.press(keys::ENTER);
    assert_eq!(browser.focused_id(), "password-2", "back to where it began");
}

/// The roles and accessible names of everything that can be operated.
fn accessible_names(browser: &Browser, css: &[&str]) -> Vec<(String, String)> {
    css.iter().map(|css| browser.accessible_name(css)).collect()
}

fn to_owned_pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(role, name)| ((*role).to_owned(), (*name).to_owned())).collect()
}

#[test]
#[ignore = "requires Chromium"]
fn page_has_accessible_names() {
    let installation = create_installation();
    let (server, browser) = open_page(&installation);
    assert_eq!(browser.run("return document.documentElement.lang"), json!("en"));
    assert_eq!(
        accessible_names(&browser, &["#user", "#password", "#enter", "#login h1"]),
        to_owned_pairs(&[
            ("textbox", "User name or e-mail"),
            ("textbox", "Password"),
            ("button", "Log in"),
            ("heading", "Log in"),
        ])
    );
    assert_eq!(
        (browser.accessible_name("#alert").0, browser.accessible_name("#status").0),
        ("alert".to_owned(), "status".to_owned())
    );
    log_in(&browser);
    let at = password_field(&browser, "P01");
    let wide = |browser: &Browser| {
        assert_eq!(
            accessible_names(
                browser,
                &["#list", "#rows tr", "#rows th", "#rows td", &at, &format!("tr:has({at}) button")]
            )
            .into_iter()
            .map(|(role, name)| (role, name.split(' ').take(5).collect::<Vec<_>>().join(" ")))
            .filter(|(role, _)| role != "cell" && role != "row" && role != "gridcell")
            .collect::<Vec<_>>(),
            to_owned_pairs(&[
                ("table", "Devices"),
                ("rowheader", "OFFICE"),
                ("textbox", "Password for P01"),
                ("button", "Generate a token for P01"),
            ])
        );
    };
    wide(&browser);
    browser.resize(320, 640);
    wide(&browser);
    browser.resize(1280, 1024);
    assert!(are_good_tokens(&server, &installation, &generate(&browser, "P01")));
    assert_eq!(
        accessible_names(&browser, &["#IdToken", "[data-copies=IdToken]", "[data-copies=DeviceId]", "#done", "#leave"]),
        to_owned_pairs(&[
            ("textbox", "IdToken"),
            ("button", "Copy IdToken"),
            ("button", "Copy DeviceId"),
            ("button", "Done"),
            ("button", "Log out"),
        ])
    );
}

/// The visible elements that are wider than the page.
const TOO_WIDE_SCRIPT: &str = "const width = document.documentElement.clientWidth; \
    const wide = [...document.querySelectorAll('body *')].filter(each => each.checkVisibility() && !each.closest('.unseen, thead') \
    && (each.getBoundingClientRect().right > width + 0.5 || (each.localName !== 'textarea' && each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 0))); \
    return [document.documentElement.scrollWidth > width, wide.map(each => each.outerHTML.slice(0, 80))]";

/// The visible texts and field borders whose contrast with their background is too low (WCAG 2.2,
/// 1.4.3 and 1.4.11).
const TOO_FAINT_SCRIPT: &str = "
    const parse = text => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => { const part = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
      return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b); };
    const ratio = (one, other) => { const [low, high] = [light(one), light(other)].sort((a, b) => a - b); return (high + 0.05) / (low + 0.05); };
    const behind = each => { for (; each; each = each.parentElement) { const ground = parse(getComputedStyle(each).backgroundColor);
      if (ground.length === 3 || ground[3] === 1) return ground; } throw new Error('no ground'); };
    const faint = [];
    for (const each of document.querySelectorAll('body *')) {
      if (!each.checkVisibility() || each.closest('.unseen')) continue;
      const style = getComputedStyle(each);
      const hasText = [...each.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()) || each.matches('input, textarea');
      if (hasText && ratio(parse(style.color), behind(each)) < 4.5) faint.push(each.outerHTML.slice(0, 80));
      if (each.matches('input, textarea') && ratio(parse(style.borderTopColor), behind(each.parentElement)) < 3) faint.push('border ' + each.id);
    }
    return faint";

#[test]
#[ignore = "requires Chromium"]
fn page_is_readable_on_small_screens_and_in_dark_mode() {
    let installation = create_installation();
    let (server, browser) = open_page(&installation);
    // 1280 by 1024 at 400 % (WCAG 2.2, 1.4.10), a handheld, and a desktop
    let looks = |what: &str| {
        for scheme in ["light", "dark"] {
            let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
            browser.devtools("Emulation.setEmulatedMedia", &feature);
            for (width, height) in [(320, 256), (412, 800), (1280, 1024)] {
                browser.resize(width, height);
                assert_eq!(browser.run(TOO_WIDE_SCRIPT), json!([false, []]), "{what} at {width}");
                assert_eq!(browser.run(TOO_FAINT_SCRIPT), json!([]), "{what} in the {scheme}");
            }
        }
    };
    looks("the login");
    browser.click("#enter");
    browser.wait_for("#alert", "Enter your user name");
    looks("a complaint");
    log_in(&browser);
    looks("the devices");
    assert!(are_good_tokens(&server, &installation, &generate(&browser, "P01")));
    looks("the token");
    let small: Value = browser.run(
        "return [...document.querySelectorAll('button, input, textarea')].filter(each => each.checkVisibility() \
         && Math.min(each.getBoundingClientRect().width, each.getBoundingClientRect().height) < 24).map(each => each.id)",
    );
    assert_eq!(small, json!([]), "large enough to hit (WCAG 2.2, 2.5.8)");
}
