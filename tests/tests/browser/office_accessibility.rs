//! The pages of the back office for people with assistive technology: axe-core finds nothing
//! serious on any of them, every control has a name, nothing is wider than the screen, and states
//! can be told without the colors of the pages.

use std::time::Duration;

use serde_json::json;
use tillgate_tests::browser::keys;
use tillgate_tests::{
    AxeRules, DatabaseEngine, OfficePage, fill_shop, find_axe_faults, find_unnamed_controls, run_on_engines, wait_until,
};

/// A desktop, and a screen as wide as a desktop's 1280 pixels at 400 %.
const SCREENS: [(u32, u32); 2] = [(1280, 800), (320, 640)];

/// What is wrong with what the browser shows on a screen, in both color schemes, and on a desktop
/// with texts of twice the size too.
fn find_faults(page: &OfficePage, (width, height): (u32, u32)) -> Vec<String> {
    let browser = &page.browser;
    browser.resize(width, height);
    let mut faults = find_unnamed_controls(browser);
    for (scheme, rules) in [("light", AxeRules::Default), ("dark", AxeRules::ColorContrast)] {
        browser.set_color_scheme(scheme);
        faults.extend(find_axe_faults(browser, rules).into_iter().map(|fault| format!("{scheme}: {fault}")));
    }
    // WCAG 2.2, 1.4.4 and 1.4.10
    let sizes: &[&str] = if width > 1000 { &["100%", "200%"] } else { &["100%"] };
    for size in sizes {
        browser.run(&format!("document.documentElement.style.fontSize = {size:?}"));
        let needed = browser.run("return document.documentElement.scrollWidth").as_u64().unwrap();
        if needed > u64::from(width) {
            faults.push(format!("{needed} pixels wide with texts of {size}"));
        }
    }
    browser.run("document.documentElement.style.fontSize = ''");
    let hidden = "const right = document.querySelector('aside.panel')?.getBoundingClientRect().right ?? 0; \
                  return right > document.documentElement.clientWidth";
    if browser.run(hidden) == json!(true) {
        faults.push("the panel is partly behind the scroll bar".to_owned());
    }
    faults.into_iter().map(|fault| format!("{width} pixels: {fault}")).collect()
}

/// Signs in to a shop in which every page shows something.
fn open_shop(engine: DatabaseEngine) -> OfficePage {
    let page = OfficePage::start(engine);
    fill_shop(&page.server, &page.log_in_natively("admin"));
    page.sign_in("admin");
    page
}

/// Collects what is wrong with the views of a test.
struct Findings<'p> {
    page: &'p OfficePage,
    faults: Vec<String>,
    views: usize,
}

impl<'p> Findings<'p> {
    fn new(page: &'p OfficePage) -> Self {
        Self { page, faults: Vec::new(), views: 0 }
    }

    /// Looks at a view on each of the screens, of which the first one is set afterwards.
    fn look(&mut self, view: &str, screens: &[(u32, u32)]) {
        self.views += 1;
        for screen in screens {
            let faults = find_faults(self.page, *screen).into_iter();
            self.faults.extend(faults.map(|fault| format!("{view}: {fault}")));
        }
        self.page.browser.resize(screens[0].0, screens[0].1);
    }

    fn assert_none(&self, least_views: usize) {
        assert!(self.faults.is_empty(), "{}", self.faults.join("\n"));
        assert!(self.views >= least_views, "only {} views", self.views);
        // a fault is found
        self.page.browser.run("document.querySelector('main').append(document.createElement('button'))");
        let found = find_axe_faults(&self.page.browser, AxeRules::Default);
        assert!(found.iter().any(|fault| fault.starts_with("button-name")), "{found:?}");
        assert_ne!(find_unnamed_controls(&self.page.browser), Vec::<String>::new());
    }
}

/// Looks at every second page, beginning with this one.
fn look_at_pages(findings: &mut Findings<'_>, first: usize) {
    let page = findings.page;
    for each in page.list_pages().iter().skip(first).step_by(2) {
        page.for_each_view_of_page(each, |view| findings.look(view, &SCREENS));
    }
}

fn check_first_half(engine: DatabaseEngine) {
    let page = open_shop(engine);
    let mut findings = Findings::new(&page);
    look_at_pages(&mut findings, 0);
    findings.assert_none(17);
}

fn check_second_half(engine: DatabaseEngine) {
    let page = open_shop(engine);
    let mut findings = Findings::new(&page);
    look_at_pages(&mut findings, 1);
    for screen in SCREENS {
        // a menu is placed when it is opened
        page.browser.resize(screen.0, screen.1);
        page.for_each_view_of_frame(|view| findings.look(view, &[screen]));
    }
    page.for_each_view_without_session(|view| findings.look(view, &SCREENS));
    findings.assert_none(15);
}

#[test]
#[ignore = "requires Chromium, axe-core, which tests/run installs, and PostgreSQL in a thorough run"]
fn first_half_of_the_pages_has_no_serious_fault() {
    run_on_engines(check_first_half);
}

#[test]
#[ignore = "requires Chromium, axe-core, which tests/run installs, and PostgreSQL in a thorough run"]
fn second_half_of_the_pages_has_no_serious_fault() {
    run_on_engines(check_second_half);
}

/// The lines of an element that remain when colors are forced.
const LINES: &str = "const linesOf = element => { const style = getComputedStyle(element); \
    const parts = ['outlineStyle', 'outlineWidth', 'outlineColor', 'borderBottomWidth', 'borderBottomColor', \
    'borderInlineStartWidth', 'borderInlineStartColor'].map(name => style[name]); \
    return (style.outlineStyle === 'none' ? parts.slice(3) : parts).join(' ') };";

/// Whether the lines of the element with this state differ from those of one without it.
#[track_caller]
fn assert_told_apart(page: &OfficePage, with_state: &str, without: &str) {
    page.wait_for_text(with_state, "");
    let lines = |css: &str| {
        let found = page.browser.run(&format!("{LINES} return linesOf(document.querySelector({}))", json!(css)));
        found.as_str().unwrap_or_else(|| panic!("{css} is missing")).to_owned()
    };
    assert_ne!(lines(with_state), lines(without), "{with_state} looks as {without} does");
}

#[test]
#[ignore = "requires Chromium, axe-core, which tests/run installs, and PostgreSQL in a thorough run"]
fn states_are_visible_when_the_browser_replaces_the_colors() {
    run_on_engines(check_forced_colors);
}

fn check_forced_colors(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    fill_shop(&page.server, &admin);
    page.browser.resize(1280, 800);
    page.sign_in("admin");
    let mut faults = Vec::new();
    let mut look = |path: &str| {
        page.open(path);
        page.browser.force_colors("dark");
        page.wait_until_settled();
        faults.extend(
            find_axe_faults(&page.browser, AxeRules::ColorContrast).into_iter().map(|f| format!("{path}: {f}")),
        );
    };
    look("/?state=free");
    assert_told_apart(&page, ".tile[aria-current]", ".tile:not([aria-current])");
    assert_told_apart(&page, ".rail a[aria-current]", ".rail li a:not([aria-current])");
    assert_told_apart(&page, ".segments [aria-pressed=true]", ".segments [aria-pressed=false]");
    look("/people");
    page.browser.run("document.querySelector('[data-row] a').click()");
    page.wait_for_text("aside.panel .tabs", "Security");
    page.wait_until_settled();
    page.browser.run("document.querySelector('aside.panel [data-close]').focus()");
    assert_told_apart(&page, ".tabs a[aria-current]", ".tabs a:not([aria-current])");
    assert_told_apart(&page, ".table [aria-selected=true]", ".table [aria-selected=false]");
    look("/roles");
    page.browser.run("document.querySelector('tbody tr:not(.group) input:enabled').click()");
    assert_told_apart(&page, ".rights-matrix td.changed", ".rights-matrix td.mark-col:not(.changed)");
    look("/audit?outcome=refused");
    assert_told_apart(&page, ".filters select.active", ".filters select:not(.active)");
    assert_told_apart(&page, ".table .refused td:first-child", ".table .refused td:nth-child(2)");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
#[ignore = "requires Chromium, axe-core, which tests/run installs, and PostgreSQL in a thorough run"]
fn accent_color_of_the_tenant_is_readable_everywhere() {
    run_on_engines(check_accent_color);
}

fn check_accent_color(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    page.browser.resize(1280, 800);
    page.sign_in("admin");
    let accent = || page.browser.run("return getComputedStyle(document.querySelector('.brand .icon')).color");
    let default = accent();
    let tenant = admin.get("/api/v1/tenants").expect_status(200).text_at("/items/0/id");
    // a gray and a pink that are barely dark enough
    for color in ["#6a6a6a", "#d10068"] {
        let change = json!({ "accent_color": color });
        admin.change("PATCH", &format!("/api/v1/tenants/{tenant}"), &change).expect_status(200);
        let mut faults = Vec::new();
        for path in ["/", "/people", "/settings"] {
            page.open(path);
            page.wait_until_settled();
            if path == "/people" {
                page.browser.run("document.querySelector('[data-row] a').click()");
                page.wait_for_text("aside.panel .tabs", "Security");
                page.wait_until_settled();
            }
            for scheme in ["light", "dark"] {
                page.browser.set_color_scheme(scheme);
                assert_ne!(accent(), default, "{color}: {scheme}");
                let found = find_axe_faults(&page.browser, AxeRules::ColorContrast);
                faults.extend(found.into_iter().map(|fault| format!("{color}: {path}: {scheme}: {fault}")));
            }
        }
        page.wait_for_text(".facts", color);
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
    // the form says what is wrong with a lighter color, and takes the default
    for (text, outcome) in [("#ffdd00", ".field-error"), ("", ".facts")] {
        page.open("/settings");
        page.wait_until_settled();
        page.click_text(".setting button", "Edit");
        page.wait_for_text("dialog", "Accent color");
        page.browser.run("document.querySelector('dialog [name=accent_color]').select()");
        page.browser.press(&format!("{}{text}", keys::BACKSPACE));
        page.click_text("dialog button", "Save");
        page.wait_for_text(outcome, if text.is_empty() { "Default" } else { "Must be darker" });
    }
    page.browser.set_color_scheme("light");
    wait_until(Duration::from_secs(20), "the default color", || accent() == default);
}
