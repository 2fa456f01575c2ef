//! The pages of the back office for people with assistive technology: axe-core finds nothing
//! serious on any of them, every control has a name, and nothing is wider than the screen.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use tillgate_tests::{AxeRules, DatabaseEngine, OfficePage, fill_shop, find_axe_faults, find_unnamed_controls};

/// What is wrong with what the browser shows, in both color schemes, and with texts of twice the
/// size.
fn find_faults(page: &OfficePage, width: u32) -> Vec<String> {
    let browser = &page.browser;
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
    faults
}

/// Looks at everything on a screen of this size.
fn assert_no_faults(width: u32, height: u32) {
    let page = OfficePage::start(DatabaseEngine::Sqlite);
    let admin = page.log_in_natively("admin");
    fill_shop(&page.server, &admin);
    page.browser.resize(width, height);
    page.sign_in("admin");
    let (mut faults, mut views) = (Vec::new(), 0);
    let mut look = |view: &str| {
        views += 1;
        faults.extend(find_faults(&page, width).into_iter().map(|fault| format!("{view}: {fault}")));
    };
    page.for_each_view(&mut look);
    page.for_each_view_without_session(&mut look);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(views > 30, "only {views} views");
    // a fault is found
    page.browser.run("document.querySelector('main').append(document.createElement('button'))");
    assert!(find_axe_faults(&page.browser, AxeRules::Default).iter().any(|fault| fault.starts_with("button-name")));
    assert_ne!(find_unnamed_controls(&page.browser), Vec::<String>::new());
}

#[test]
#[ignore = "requires Chromium and axe-core, which tests/run installs"]
fn no_page_has_a_serious_fault_on_a_desktop() {
    assert_no_faults(1280, 800);
}

/// As wide as a desktop's 1280 pixels at 400 %.
#[test]
#[ignore = "requires Chromium and axe-core, which tests/run installs"]
fn no_page_has_a_serious_fault_on_a_small_screen() {
    assert_no_faults(320, 640);
}
