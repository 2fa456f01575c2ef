//! The back office speaks in words: outside code, no page shows a name of the API such as
//! `user_name` or `ticketCreate`.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tillgate_tests::{DatabaseEngine, OfficePage, TillClient, fill_shop};

tillgate_tests::in_chromium!(no_page_shows_a_code_name);

/// Whether a word is one of several in `snake_case` or `camelCase`.
fn is_code_name(word: &str) -> bool {
    let starts_small = word.starts_with(|first: char| first.is_ascii_lowercase());
    let has_hump = word.as_bytes().windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    let has_bar = word.trim_matches('_').contains('_') && !word.contains(|c: char| c.is_ascii_uppercase());
    starts_small && (has_hump || has_bar)
}

fn code_names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| is_code_name(word))
}

#[test]
fn code_names_are_recognized() {
    let text = "Missing: ticketCreate, user_name (login_mismatch) for Anna on P01, eight_of, e-mail, OS_x";
    assert_eq!(code_names(text).collect::<Vec<_>>(), ["ticketCreate", "user_name", "login_mismatch", "eight_of"]);
}

fn id_of(admin: &TillClient, path: &str, member: &str, name: &str) -> String {
    let found = admin.get(&format!("/api/v1{path}")).json()["items"].clone();
    let item = found.as_array().unwrap().iter().find(|item| item[member] == name).expect("it exists");
    item["id"].as_str().unwrap().to_owned()
}

/// Changes something of each kind, so that the audit log has the events of that.
fn change_everything(page: &OfficePage, admin: &TillClient) {
    let change = |path: String, body: Value| drop(admin.change("PATCH", &path, &body).expect_status(200));
    let role = id_of(admin, "/roles", "name", "night");
    let rights = json!({ "rights": ["ticketClose", "ticketCreate"], "environments": ["PDA", "CashRegister"] });
    change(format!("/api/v1/roles/{role}"), rights);
    let user = id_of(admin, "/users", "user_name", "cashier");
    let access = json!([{ "device": "P01", "roles": ["cashier", "night"] }]);
    change(format!("/api/v1/users/{user}"), json!({ "display_name": "Eva", "locale": "sk", "devices": access }));
    admin.change("POST", &format!("/api/v1/users/{user}/pin"), &json!({})).expect_status(201);
    let device = id_of(admin, "/devices", "name", "P03");
    let enrollment = format!("/api/v1/devices/{device}/enrollment");
    admin.change("POST", &enrollment, &json!({ "confirm": true })).expect_status(201);
    let settings = json!({ "settings": { "printer": "lpt1" }, "store": null, "roles": ["night"] });
    change(format!("/api/v1/devices/{device}"), settings);
    let store = id_of(admin, "/stores", "name", "Second Street");
    change(format!("/api/v1/stores/{store}"), json!({ "zone": "Asia/Jakarta" }));
    let key = id_of(admin, "/api-keys", "name", "Warehouse");
    let narrowed = json!({ "permissions": ["ticketCreate", "ticketClose"], "expires_at": "2100-01-01T00:00:00Z" });
    change(format!("/api/v1/api-keys/{key}"), narrowed);
    let tenant = id_of(admin, "/tenants", "slug", "default");
    change(format!("/api/v1/tenants/{tenant}"), json!({ "limits": { "access": 300 }, "accent_color": "#0b6b5e" }));
    let till = page.server.new_till().login("cashier", "P01");
    till.get("/api/v1/audit-events").expect_status(403);
}

/// Opens the conflict dialog of a person whom somebody else changed meanwhile.
fn open_conflict(page: &OfficePage, admin: &TillClient) {
    let user = id_of(admin, "/users", "user_name", "cashier");
    page.open(&format!("/people/{user}"));
    page.click_text("aside.panel button", "Edit");
    page.wait_for_text("dialog form", "");
    page.browser.run("document.querySelector('dialog [name=display_name]').select()");
    page.browser.press("Eva Mala");
    let other = json!({ "display_name": "Eva Novak", "locale": "id" });
    admin.change("PATCH", &format!("/api/v1/users/{user}"), &other).expect_status(200);
    page.browser.run("document.querySelector('dialog .dialog-foot .primary').click()");
    page.wait_for_text("dialog", "Somebody else changed this meanwhile");
}

fn no_page_shows_a_code_name(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    fill_shop(&page.server, &admin);
    change_everything(&page, &admin);
    page.sign_in("admin");
    page.wait_until_settled();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut look = |view: &str| {
        for text in page.visible_texts() {
            for name in code_names(&text) {
                found.entry(name.to_owned()).or_default().push(format!("{view}: {text}"));
            }
        }
    };
    page.for_each_view(&mut look);
    let events = admin.get("/api/v1/audit-events?limit=200").json()["items"].clone();
    let mut kinds: BTreeMap<String, String> = BTreeMap::new();
    for event in events.as_array().unwrap() {
        let kind = format!("{} {}", event["action"], event["outcome"]);
        kinds.entry(kind).or_insert_with(|| event["id"].as_str().unwrap().to_owned());
    }
    assert!(kinds.len() > 15, "{kinds:?}");
    for (kind, id) in &kinds {
        page.open(&format!("/audit/{id}"));
        page.wait_until_settled();
        look(kind);
    }
    open_conflict(&page, &admin);
    look("conflict");
    assert!(found.is_empty(), "{found:#?}");
    page.assert_clean();
}
