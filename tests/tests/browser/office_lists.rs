//! The lists of the back office as files, and the search over all of them.

use std::time::Duration;

use serde_json::json;
use tillgate_tests::browser::keys;
use tillgate_tests::{DatabaseEngine, OfficePage, fill_shop, wait_until};

tillgate_tests::in_chromium!(
    tickets_and_people_are_exported_as_files,
    everything_is_found_by_the_keyboard_alone,
    lists_show_the_store_that_is_chosen,
);

const TIMEOUT: Duration = Duration::from_secs(20);

/// What the page saves is what the API exports with the same filter.
fn tickets_and_people_are_exported_as_files(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    fill_shop(&page.server, &admin);
    let folder = page.installation.folder().join("downloads");
    std::fs::create_dir(&folder).unwrap();
    page.browser.devtools("Browser.setDownloadBehavior", &json!({ "behavior": "allow", "downloadPath": folder }));
    page.sign_in("admin");
    for (address, list, query) in [
        ("/tickets?state=closed", "tickets", "state=closed&sort=-opened_at"),
        ("/people?search=cash", "users", "search=cash&sort=user_name"),
    ] {
        page.open(address);
        page.wait_until_settled();
        page.click_text(".filters > button", "Export");
        page.click_text("[role=menuitem]", "CSV");
        page.wait_for_text(".toasts", &format!("Saved {list}-"));
        let saved = || {
            let mut files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
            files.find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&format!("{list}-")))
        };
        wait_until(TIMEOUT, list, || saved().is_some_and(|path| path.extension().is_some_and(|end| end == "csv")));
        let exported = std::fs::read_to_string(saved().unwrap()).unwrap();
        let expected = admin.get(&format!("/api/v1/{list}/export?format=csv&{query}")).expect_status(200);
        assert_eq!(exported, expected.text(), "{list}");
        assert_eq!(exported.lines().count(), 2, "{exported}");
    }
    page.assert_clean();
}

fn everything_is_found_by_the_keyboard_alone(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    fill_shop(&page.server, &admin);
    let number = admin.get("/api/v1/tickets?state=closed").json()["items"][0]["closed"]["number"].to_string();
    page.sign_in("admin");
    let search = |text: &str, found: &str| {
        page.browser.press("/");
        page.wait_for_text("dialog[open]", "Search everything");
        page.browser.press(text);
        page.wait_for_text("[role=option]", found);
    };
    for (text, found, path) in [
        ("Night", "Night", "/roles"),
        ("p03", "P03", "/devices"),
        (&*number, "Receipt", "/tickets"),
        ("cash", "Cashier", "/people"),
    ] {
        page.open("/settings");
        page.wait_until_settled();
        search(text, found);
        // the first hit is chosen already, the others by the arrow keys
        let chosen = format!(
            "return document.querySelector('[role=option][aria-selected=true]').textContent.includes({})",
            json!(found)
        );
        for _ in 0..9 {
            if page.browser.run(&chosen) == json!(true) {
                break;
            }
            page.browser.press(keys::DOWN);
            page.browser.run_async("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
        }
        page.browser.press(keys::ENTER);
        wait_until(TIMEOUT, path, || page.browser.address().contains(&format!("/office{path}/")));
        page.wait_until_settled();
    }
    page.open("/settings");
    page.wait_until_settled();
    page.browser.press("/");
    page.wait_for_text("dialog[open]", "Search everything");
    page.browser.press("nobody of this name");
    page.wait_for_text("dialog[open]", "Nothing was found.");
    page.browser.press(keys::ESCAPE);
    wait_until(TIMEOUT, "the dialog to be closed", || {
        page.browser.run("return document.querySelector('dialog') === null") == json!(true)
    });
    assert_eq!(page.browser.address(), page.address_of("/settings"));
    page.assert_clean();
}

/// A list shows what the API lists for the store that is chosen above it.
fn lists_show_the_store_that_is_chosen(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    fill_shop(&page.server, &admin);
    let find = |list: &str, name: &str| {
        let all = admin.get(&format!("/api/v1/{list}")).expect_status(200).json();
        let items = all["items"].as_array().unwrap();
        items.iter().find(|each| each["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
    };
    admin.post("/api/v1/stores", &json!({ "name": "Main Street" })).expect_status(201);
    let stores = ["Main Street", "Second Street"].map(|name| find("stores", name));
    let till = format!("/api/v1/devices/{}", find("devices", "P01"));
    admin.change("PATCH", &till, &json!({ "store": stores[0] })).expect_status(200);
    page.sign_in("admin");
    for (address, list) in [("/tickets", "tickets"), ("/audit", "audit-events"), ("/people", "users")] {
        page.open(address);
        page.wait_until_settled();
        let mut counts = Vec::new();
        for store in &stores {
            page.browser.run(&format!(
                "const list = document.querySelector('.store-picker select'); list.value = {}; \
                 list.dispatchEvent(new Event('change', {{ bubbles: true }}))",
                json!(store)
            ));
            wait_until(TIMEOUT, address, || page.browser.address().contains(store.as_str()));
            page.wait_until_settled();
            let shown = page.browser.run("return document.querySelectorAll('[data-row]').length").as_u64().unwrap();
            let listed = admin.get(&format!("/api/v1/{list}?limit=200&store={store}")).expect_status(200).json();
            assert_eq!(shown, listed["items"].as_array().unwrap().len() as u64, "{list}");
            counts.push(shown);
        }
        assert!(counts[0] > 0, "{list}");
        assert_ne!(counts[0], counts[1], "{list}");
    }
    page.assert_clean();
}
