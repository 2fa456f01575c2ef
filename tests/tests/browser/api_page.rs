//! The page with the native API's documentation, in a real browser: it shows every call of the
//! document, loads nothing from elsewhere, violates none of its own policies, and can execute a
//! call.

use tillgate_tests::{Browser, DatabaseEngine, Installation};

#[test]
#[ignore = "requires Chromium"]
fn api_page_renders_every_operation_and_calls_one() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let server = installation.serve();
    let browser = Browser::start();
    browser.open(&format!("{}/docs", server.address()));
    assert!(browser.address().ends_with("/docs/index.html"), "{}", browser.address());
    browser.wait_for(".info .title", "tillgate");
    let document = server.new_till().get("/openapi.json").expect_status(200).json();
    let call_count: usize =
        document["paths"].as_object().unwrap().values().map(|item| item.as_object().unwrap().len()).sum();
    let drawn = browser.run("return document.querySelectorAll('.opblock').length");
    assert_eq!(drawn.as_u64(), Some(call_count as u64));
    // opens the liveness call, as a person would, and executes it
    browser.run(
        "const call = [...document.querySelectorAll('.opblock')].find(each => each.textContent.includes('/healthz'));
         call.id = 'tried'; call.querySelector('.opblock-summary-control').click()",
    );
    browser.wait_for("#tried .try-out__btn", "Try it out");
    browser.run("document.querySelector('#tried .try-out__btn').click()");
    browser.wait_for("#tried .execute", "Execute");
    browser.run("document.querySelector('#tried .execute').click()");
    browser.wait_for("#tried .live-responses-table tbody .response-col_status", "200");
    let elsewhere: Vec<String> =
        browser.take_requests().into_iter().filter(|address| !address.starts_with(server.address())).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    let complaints = browser.take_console_errors();
    assert!(complaints.is_empty(), "{complaints:?}");
}
