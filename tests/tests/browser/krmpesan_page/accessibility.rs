//! krmpesan's page by keyboard alone, for screen readers, and on small screens.

use serde_json::{Value, json};
use tillgate_tests::browser::keys;
use tillgate_tests::{Browser, PASSWORD};

use super::{VALUE_SELECTORS, are_good_tokens, confirm, create_installation, generate, log_in, open_page, select};

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
    browser.wait_for("#status", "Devices: 3.");
    // starting at the heading
    walks(&["all", "device-0", "device-1"]);
    browser.press(keys::SPACE);
    walks(&["device-2", "confirmation"]);
    browser.press(PASSWORD);
    walks(&["generate"]);
    browser.press(keys::ENTER);
    browser.wait_for("#status", "Tokens were generated for: P02.");
    assert!(are_good_tokens(&server, &installation, &VALUE_SELECTORS.map(|value| browser.value(value))));
    walks(&["IdToken-0", "button", "RefreshToken-0", "button", "DeviceId-0", "button", "done"]);
    browser.press(keys::ENTER);
    assert_eq!(browser.focused_id(), "devices-title");
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
    let wide = |browser: &Browser| {
        assert_eq!(
            accessible_names(
                browser,
                &["#list", "#rows tr", "#rows th", "#rows td", "#all", "#device-0", "#confirmation", "#generate"]
            )
            .into_iter()
            .filter(|(role, _)| role != "cell" && role != "row" && role != "gridcell")
            .collect::<Vec<_>>(),
            to_owned_pairs(&[
                ("table", "Devices"),
                ("rowheader", "P01"),
                ("checkbox", "All devices"),
                ("checkbox", "P01"),
                ("textbox", "Password"),
                ("button", "Generate"),
            ])
        );
    };
    wide(&browser);
    browser.resize(320, 640);
    wide(&browser);
    browser.resize(1280, 1024);
    assert!(are_good_tokens(&server, &installation, &generate(&browser, "P01")));
    assert_eq!(
        accessible_names(
            &browser,
            &["#IdToken-0", "#IdToken-0 + button", "#DeviceId-0 + button", "#results section", "#done", "#leave"]
        ),
        to_owned_pairs(&[
            ("textbox", "IdToken"),
            ("button", "Copy IdToken, P01"),
            ("button", "Copy DeviceId, P01"),
            ("region", "Token of P01"),
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
    select(&browser, &["P01", "PDA1"]);
    confirm(&browser, PASSWORD);
    browser.wait_for("#status", "Tokens were generated for: P01, PDA1.");
    assert!(are_good_tokens(&server, &installation, &VALUE_SELECTORS.map(|value| browser.value(value))));
    looks("the tokens");
    browser.resize(390, 800);
    let hidden = "const field = document.getElementById('DeviceId-0'); return field.scrollHeight - field.clientHeight";
    assert_eq!(browser.run(hidden), json!(0), "all lines of a DeviceId are visible");
    let small: Value = browser.run(
        "return [...document.querySelectorAll('button, input, textarea')].filter(each => each.checkVisibility() \
         && Math.min(each.getBoundingClientRect().width, each.getBoundingClientRect().height) < 24).map(each => each.id)",
    );
    assert_eq!(small, json!([]), "large enough to hit (WCAG 2.2, 2.5.8)");
}
