//! The back office in Slovak and Indonesian: no page shows a text of the English catalog, plurals
//! are those of the language, and times are those of the shop.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tillgate_tests::clients::{node_script, output_folder, run_ok};
use tillgate_tests::{DatabaseEngine, OfficePage, fill_shop};

type Catalog = BTreeMap<String, String>;

fn web_crate() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("crates/web")
}

#[test]
#[ignore = "requires Node.js"]
fn plurals_and_times_are_those_of_language_and_zone() {
    // Node.js reads them as ES modules because of the file beside them
    let modules = output_folder("office-modules");
    std::fs::write(modules.join("package.json"), "{ \"type\": \"module\" }").unwrap();
    for name in ["base.js", "i18n.js", "time.js"] {
        std::fs::copy(web_crate().join("app/src").join(name), modules.join(name)).unwrap();
    }
    let mut script = node_script("languages.mjs");
    script.arg(modules).arg(web_crate().join("locales"));
    run_ok(script);
}

fn read_catalog(locale: &str) -> Catalog {
    let (mut all, mut folders) = (Catalog::new(), vec![web_crate().join("locales")]);
    while let Some(folder) = folders.pop() {
        let file = folder.join(format!("{locale}.json"));
        all.extend(serde_json::from_str::<Catalog>(&std::fs::read_to_string(file).unwrap()).unwrap());
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        folders.extend(entries.filter(|path| path.is_dir()));
    }
    all
}

/// Whether the text is this one of the catalog, whatever its placeholders are filled with.
fn is_instance(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = first;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        last = part;
    }
    rest.is_empty() || (last.is_empty() && pattern.ends_with('}'))
}

/// The English texts that the other catalog has in other words, and that are more than
/// placeholders.
fn english_only(english: &Catalog, other: &Catalog) -> Vec<String> {
    let translated: BTreeSet<&String> = other.values().collect();
    let has_words = |text: &str| {
        let words = text.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
        words.flat_map(str::chars).filter(|c| c.is_alphabetic()).count() > 2
    };
    english.values().filter(|text| !translated.contains(text) && has_words(text)).cloned().collect()
}

fn choose_language(page: &OfficePage, locale: &str) {
    let choice = json!({ "locale": locale }).to_string();
    page.browser.run(&format!("localStorage.setItem('tillgate-office', {})", json!(choice)));
}

tillgate_tests::in_chromium!(
    no_page_in_slovak_shows_english,
    no_page_in_indonesian_shows_english,
    refusal_is_explained_in_the_language_of_the_page,
    settings_of_the_shop_apply_at_once,
    times_are_those_of_the_shop,
    times_are_those_of_a_store_with_a_zone
);

fn no_page_in_slovak_shows_english(engine: DatabaseEngine) {
    assert_no_english(engine, "sk");
}

fn no_page_in_indonesian_shows_english(engine: DatabaseEngine) {
    assert_no_english(engine, "id");
}

fn assert_no_english(engine: DatabaseEngine, locale: &str) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    fill_shop(&page.server, &admin);
    // names that people chose are no texts of the catalog
    let mut names = BTreeSet::new();
    for path in ["users", "roles", "devices", "stores", "tickets", "api-keys", "tenants"] {
        let items = admin.get(&format!("/api/v1/{path}")).json()["items"].clone();
        for item in items.as_array().unwrap() {
            let members = ["display_name", "user_name", "name", "label", "description"];
            names.extend(members.iter().filter_map(|name| item[*name].as_str()).map(str::to_owned));
        }
    }
    // and so is the name of a mount in the details of an event
    names.extend(["English", "tillgate", "office"].map(str::to_owned));
    let english = read_catalog("en");
    page.sign_in("admin");
    page.wait_until_settled();
    let forbidden = english_only(&english, &read_catalog(locale));
    let is_forbidden = |text: &String| forbidden.iter().any(|pattern| is_instance(text, pattern));
    let shown = page.visible_texts();
    let found = shown.iter().filter(|text| is_forbidden(text)).count();
    assert!(found > 20, "English is recognized: {shown:?}");
    choose_language(&page, locale);
    let mut leaks = BTreeSet::new();
    page.for_each_view(|view| {
        assert_eq!(page.browser.run("return document.documentElement.lang"), Value::from(locale), "{view}");
        let leaking = page.visible_texts().into_iter().filter(|text| !names.contains(text) && is_forbidden(text));
        leaks.extend(leaking.map(|text| format!("{view}: {text}")));
    });
    assert!(leaks.is_empty(), "{locale}: {leaks:#?}");
    // the pages without a session are in the language of the browser
    let agent = page.browser.run("return navigator.userAgent");
    let language = json!({ "userAgent": agent, "acceptLanguage": locale });
    page.browser.devtools("Network.setUserAgentOverride", &language);
    page.for_each_view_without_session(|view| {
        let texts = page.visible_texts();
        assert!(texts.len() > 3, "{view}: {texts:?}");
        let leak = texts.iter().find(|text| !names.contains(*text) && is_forbidden(text));
        assert_eq!(leak, None, "{locale}: {view}");
    });
    page.assert_clean();
}

/// What the server refuses is explained by the catalog of the page, not by the server's English.
fn refusal_is_explained_in_the_language_of_the_page(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    page.sign_in("admin");
    for (locale, contrast) in [("sk", "1,1"), ("id", "1,1"), ("en", "1.1")] {
        choose_language(&page, locale);
        page.open("/settings");
        page.wait_until_settled();
        let catalog = read_catalog(locale);
        let errors = [
            ("accent_color", "#ffdd00", catalog["field_error.contrast"].replace("{contrast}", contrast)),
            ("accent_color", "yellow", catalog["field_error.color"].clone()),
            ("name", "a\u{202e}b", catalog["field_error.disallowed_character"].clone()),
        ];
        for (field, value, expected) in errors {
            page.browser.run("document.querySelector('.setting button').click()");
            page.wait_for_text("dialog form", "");
            page.browser.run(&format!("document.querySelector('dialog [name={field}]').select()"));
            page.browser.press(value);
            page.browser.run("document.querySelector('dialog .dialog-foot .primary').click()");
            page.wait_for_text("dialog .field-error", &expected);
            page.browser.run("document.querySelector('dialog .dialog-foot .button:not(.primary, .start)').click()");
            wait_for_no_dialog(&page);
        }
        let days = catalog.get("count.days.one").unwrap_or(&catalog["count.days.other"]).replace("{count}", "1");
        // the bounds are named for every number, also for those that no call can name
        for minutes in ["999999999", "-5"] {
            page.browser.run("document.querySelectorAll('.setting button')[1].click()");
            page.wait_for_text("dialog form", "");
            page.browser.run("document.querySelector('dialog [name=access]').select()");
            page.browser.press(minutes);
            page.browser.run("document.querySelector('dialog .dialog-foot .primary').click()");
            page.wait_for_text("dialog .field-error", &days);
            page.browser.run("document.querySelector('dialog .dialog-foot .button:not(.primary, .start)').click()");
            wait_for_no_dialog(&page);
        }
    }
    page.assert_clean();
}

/// The language of a shop is one of those that the pages have, and its time zone applies at once.
fn settings_of_the_shop_apply_at_once(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    page.sign_in("admin");
    page.open("/settings");
    page.wait_until_settled();
    let choose = |name: &str, value: &str| {
        let list = format!("const list = document.querySelector('dialog [name={name}]'); list.value = '{value}'");
        page.browser.run(&format!("{list}; list.dispatchEvent(new Event('change', {{ bubbles: true }}))"));
    };
    page.browser.run("document.querySelector('.setting button').click()");
    page.wait_for_text("dialog form", "");
    choose("zone", "Asia/Jakarta");
    choose("locale", "sk");
    page.browser.run("document.querySelector('dialog .dialog-foot .primary').click()");
    wait_for_no_dialog(&page);
    page.wait_for_text(".facts dd", "Sloven\u{10d}ina");
    let zone = "return [...document.querySelectorAll('.facts dd')].find(each => each.textContent.startsWith('Asia/Jakarta'))\
                ?.querySelector('.num').textContent.includes('GMT+7')";
    tillgate_tests::wait_until(std::time::Duration::from_secs(20), "the time in the new zone", || {
        page.browser.run(zone) == json!(true)
    });
    page.assert_clean();
}

/// Waits until no dialog is open.
#[track_caller]
fn wait_for_no_dialog(page: &OfficePage) {
    tillgate_tests::wait_until(std::time::Duration::from_secs(20), "the dialog to be closed", || {
        page.browser.run("return document.querySelector('dialog') === null") == json!(true)
    });
}

/// Times in the page are those of the shop, not those of the browser.
fn times_are_those_of_the_shop(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    let tenant = admin.get("/api/v1/tenants").json()["items"][0]["id"].as_str().unwrap().to_owned();
    let zone = json!({ "zone": "Asia/Jakarta" });
    admin.change("PATCH", &format!("/api/v1/tenants/{tenant}"), &zone).expect_status(200);
    page.server.new_till().login("cashier", "P01");
    page.browser.devtools("Emulation.setTimezoneOverride", &json!({ "timezoneId": "America/New_York" }));
    page.sign_in("admin");
    page.open("/sessions");
    page.wait_until_settled();
    let times = "return [...document.querySelectorAll('td time')].map(each => [each.title, \
                 new Intl.DateTimeFormat('en', { timeZone: 'Asia/Jakarta', hourCycle: 'h23', dateStyle: 'medium', \
                 timeStyle: 'long' }).format(new Date(each.dateTime))])";
    let times: Vec<[String; 2]> = serde_json::from_value(page.browser.run(times)).unwrap();
    assert!(times.len() > 2 && times.iter().all(|[shown, expected]| shown == expected), "{times:?}");
    page.assert_clean();
}

/// What happened on a device of a store in another zone is shown at the time there, with the name
/// of the zone unless the page shows that store alone.
fn times_are_those_of_a_store_with_a_zone(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    let abroad = json!({ "name": "Jakarta", "zone": "Asia/Jakarta" });
    let store = admin.post("/api/v1/stores", &abroad).expect_status(201).text_at("/id");
    let devices = admin.get("/api/v1/devices?search=P01").json();
    let path = format!("/api/v1/devices/{}", devices["items"][0]["id"].as_str().unwrap());
    admin.change("PATCH", &path, &json!({ "store": store })).expect_status(200);
    page.server.new_till().login("cashier", "P01");
    page.server.new_till().login("cashier", "P02");
    page.sign_in("admin");
    let times = |address: &str| -> Vec<[String; 2]> {
        page.open(address);
        page.wait_until_settled();
        let read = "return [...document.querySelectorAll('[data-row]')].map(row => \
                    [row.textContent.includes('P01') ? 'P01' : 'other', row.querySelector('td time')?.textContent ?? ''])";
        serde_json::from_value(page.browser.run(read)).unwrap()
    };
    let all = times("/sessions");
    for [place, time] in &all {
        assert_eq!(time.ends_with("GMT+7"), place == "P01", "{all:?}");
    }
    assert!(all.iter().any(|[place, _]| place == "P01") && all.iter().any(|[place, _]| place == "other"), "{all:?}");
    let there = times(&format!("/sessions?store={store}"));
    assert_eq!(there.len(), 1, "{there:?}");
    let now = "new Intl.DateTimeFormat('en', { timeZone: 'Asia/Jakarta', hour: '2-digit', hourCycle: 'h23' }).format()";
    let hour = page.browser.run(&format!("return {now}")).as_str().unwrap().to_owned();
    let before = page.browser.run("return document.querySelector('td time').textContent").as_str().unwrap().to_owned();
    assert!(there[0][1] == before && !before.contains("GMT"), "{before}");
    assert!(before.starts_with(&hour) || before.contains(":59"), "{before} at {hour}");
    page.open("/stores");
    page.wait_for_text("#main", "Asia/Jakarta");
    page.assert_clean();
}
