//! What a closed store and a deleted role had is moved first, by the question before.

use serde_json::{Value, json};
use tillgate_tests::{DatabaseEngine, OfficePage, TillClient, fill_shop};

tillgate_tests::in_chromium!(closed_store_and_deleted_role_are_replaced);

fn find(admin: &TillClient, path: &str, member: &str, name: &str) -> Value {
    let found = admin.get(&format!("/api/v1/{path}")).json()["items"].clone();
    found.as_array().unwrap().iter().find(|item| item[member] == name).cloned().unwrap_or_default()
}

/// Chooses an option of the open dialog, enters the name that it asks for, and confirms.
fn confirm(page: &OfficePage, field: &str, option: &str, name: &str) {
    page.wait_for_text("dialog form", "");
    let choose = format!(
        "const list = document.querySelector('dialog [name={field}]'); \
         list.value = [...list.options].find(each => each.textContent.trim() === {}).value; \
         list.dispatchEvent(new Event('change', {{ bubbles: true }})); document.querySelector('dialog [name=confirm]').focus()",
        json!(option)
    );
    page.browser.run(&choose);
    page.browser.press(name);
    page.browser.run("document.querySelector('dialog .dialog-foot .danger').click()");
}

fn closed_store_and_deleted_role_are_replaced(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    fill_shop(&page.server, &admin);
    let kept = find(&admin, "stores", "name", "Second Street");
    let kept = admin.get("/api/v1/stores").json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|store| **store != kept)
        .unwrap()["name"]
        .as_str()
        .unwrap()
        .to_owned();
    page.sign_in("admin");
    page.open("/stores");
    page.wait_until_settled();
    page.browser.run(
        "[...document.querySelectorAll('.rows li')].find(row => row.textContent.includes('Second Street')) \
         .querySelector('.danger-quiet').click()",
    );
    page.wait_for_text("dialog", "P03");
    confirm(&page, "store", &kept, "Second Street");
    page.wait_for_text(".toast", "Closed Second Street");
    assert_eq!(find(&admin, "devices", "name", "P03")["store"]["name"], json!(kept));

    let cashier = find(&admin, "users", "user_name", "cashier");
    let path = format!("/api/v1/users/{}", cashier["id"].as_str().unwrap());
    let access = json!({ "roles": ["night"], "devices": [{ "device": "P01", "roles": ["cashier", "night"] }] });
    admin.change("PATCH", &path, &access).expect_status(200);
    page.open("/roles");
    page.wait_until_settled();
    page.click_text("button.role-name", "Night");
    page.click_text("[role=menuitem]", "Delete");
    page.wait_for_text("dialog", "1 person");
    confirm(&page, "instead", "Cashier", "night");
    page.wait_for_text(".toast", "Deleted");
    assert_eq!(find(&admin, "roles", "name", "night"), Value::Null);
    let user = admin.get(&path).json();
    assert_eq!((&user["roles"], &user["devices"][0]["roles"]), (&json!(["cashier"]), &json!(["cashier"])), "{user}");
    page.assert_clean();
}
