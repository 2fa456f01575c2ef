//! Who may do what where, in a real browser: access is given and taken on the page of a device,
//! copied to other devices, and changed for several devices or people at once. Lists do not move
//! under the hand of the person who uses them.

use std::time::Duration;

use serde_json::{Value, json};
use tillgate_tests::browser::keys;
use tillgate_tests::{DatabaseEngine, OfficePage, PASSWORD, TillClient, fill_shop, wait_until};

tillgate_tests::in_chromium!(
    access_is_given_changed_and_taken_on_the_page_of_a_device,
    access_is_copied_to_the_devices_of_the_same_kind_and_store,
    unsaved_access_is_kept_while_another_person_is_open,
    form_of_an_api_key_says_what_its_person_cannot_do,
    search_without_a_hit_offers_to_clear_the_filter,
    several_devices_are_locked_and_sessions_of_several_people_ended,
    question_before_ending_sessions_names_the_consequence,
    effect_of_a_role_is_what_the_server_then_allows,
    rows_stay_while_the_table_is_in_use,
);

fn find<'v>(items: &'v Value, member: &str, name: &str) -> &'v Value {
    let items = items["items"].as_array().unwrap();
    items.iter().find(|each| each[member] == name).unwrap_or_else(|| panic!("{name}: {items:?}"))
}

fn find_id(admin: &TillClient, path: &str, member: &str, name: &str) -> String {
    let all = admin.get(&format!("/api/v1/{path}")).expect_status(200).json();
    find(&all, member, name)["id"].as_str().unwrap().to_owned()
}

fn read_devices_of(admin: &TillClient, user: &str) -> Value {
    let all = admin.get("/api/v1/users").expect_status(200).json();
    find(&all, "user_name", user)["devices"].clone()
}

fn add_user(admin: &TillClient, name: &str, devices: &Value) {
    let body = json!({ "user_name": name, "password": PASSWORD, "devices": devices });
    admin.post("/api/v1/users", &body).expect_status(201);
}

fn access_is_given_changed_and_taken_on_the_page_of_a_device(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    add_user(&admin, "nora", &json!([]));
    let device = find_id(&admin, "devices", "name", "P01");
    page.sign_in("admin");
    page.open(&format!("/devices/{device}?tab=people"));
    page.click_text("aside.panel button", "Give access");
    page.wait_for_text("dialog", "Give access to P01");
    let choose = "const list = document.querySelector('dialog [name=user]'); \
                  list.value = [...list.options].find(each => each.textContent.trim() === 'nora').value; \
                  list.dispatchEvent(new Event('change', { bubbles: true }))";
    page.browser.run(choose);
    page.browser.click("dialog input[value=cashier]");
    page.click_text("dialog button", "Save");
    page.wait_for_text(".toast", "Saved the access of nora to P01");
    page.wait_for_text("aside.panel .rows li", "nora");
    assert_eq!(read_devices_of(&admin, "nora"), json!([{ "device": "P01", "roles": ["cashier"] }]));
    page.server.new_till().login("nora", "P01");
    // other roles
    page.browser.run("document.querySelector('[aria-label=\"Change the roles of nora\"]').click()");
    page.wait_for_text("dialog", "Change the roles of nora");
    page.browser.click("dialog input[value=manager]");
    page.click_text("dialog button", "Save");
    wait_until(Duration::from_secs(20), "the other roles", || {
        read_devices_of(&admin, "nora")[0]["roles"] == json!(["cashier", "manager"])
    });
    // no access, and back
    page.wait_until_settled();
    page.browser.run("document.querySelector('[aria-label=\"Take the access from nora\"]').click()");
    page.wait_for_text(".toast", "nora can no longer log in on P01");
    assert_eq!(read_devices_of(&admin, "nora"), json!([]));
    assert!(page.server.new_till().try_login("nora", "P01").is_none());
    page.click_text(".toast button", "Undo");
    wait_until(Duration::from_secs(20), "the access", || read_devices_of(&admin, "nora") != json!([]));
    assert_eq!(read_devices_of(&admin, "nora")[0]["roles"], json!(["cashier", "manager"]));
    page.assert_clean();
}

fn access_is_copied_to_the_devices_of_the_same_kind_and_store(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    // P03, P04 and P05 are in another store
    fill_shop(&page.server, &admin);
    add_user(&admin, "nora", &json!([{ "device": "P03", "roles": ["cashier"] }]));
    let user = find_id(&admin, "users", "user_name", "nora");
    page.sign_in("admin");
    page.open(&format!("/people/{user}"));
    page.wait_for_text("aside.panel h2", "nora");
    page.wait_until_settled();
    page.browser.run("document.querySelector('aside.panel [aria-label=\"Rights: P03\"]').click()");
    page.click_text("aside.panel .unfolded button", "Same access on 2 other devices");
    page.wait_for_text(".save-bar", "in 2 rows");
    page.click_text(".save-bar button", "Save");
    page.wait_for_text(".toast", "Saved the access of nora");
    let devices = read_devices_of(&admin, "nora");
    let mut names: Vec<&str> =
        devices.as_array().unwrap().iter().map(|each| each["device"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["P03", "P04", "P05"], "{devices}");
    assert!(devices.as_array().unwrap().iter().all(|each| each["roles"] == json!(["cashier"])), "{devices}");
    page.assert_clean();
}

fn unsaved_access_is_kept_while_another_person_is_open(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    let body = json!({ "name": "night", "label": "Night", "rights": ["ticketCreate"], "environments": ["PDA"] });
    admin.post("/api/v1/roles", &body).expect_status(201);
    add_user(&admin, "nora", &json!([]));
    add_user(&admin, "otto", &json!([]));
    let open = |name: &str| {
        page.click_text("[data-row] a", name);
        page.wait_for_text("aside.panel h2", name);
        page.wait_until_settled();
    };
    let is_ticked = "return document.querySelector('aside.panel [aria-label=\"Cashier: P01\"]').checked";
    page.sign_in("admin");
    page.open("/people");
    page.wait_until_settled();
    open("nora");
    // a role for handhelds cannot be given on a till
    let boxes = "return document.querySelectorAll('aside.panel [aria-label=\"Night: P01\"]').length";
    assert_eq!(page.browser.run(boxes), json!(0));
    page.wait_for_text("aside.panel .void", "does not apply");
    page.browser.click("aside.panel [aria-label=\"Cashier: P01\"]");
    page.wait_for_text(".save-bar", "Gains");
    assert_eq!(page.browser.run("return document.querySelectorAll('aside.panel td.changed').length"), json!(2));
    open("otto");
    assert_eq!(page.browser.run(is_ticked), json!(false));
    page.click_text("aside.panel .notice a", "The changes of nora are not saved");
    page.wait_for_text("aside.panel h2", "nora");
    page.wait_until_settled();
    assert_eq!(page.browser.run(is_ticked), json!(true));
    page.click_text(".save-bar button", "Save");
    page.wait_for_text(".toast", "Saved the access of nora");
    assert_eq!(read_devices_of(&admin, "nora"), json!([{ "device": "P01", "roles": ["cashier"] }]));
    assert_eq!(read_devices_of(&admin, "otto"), json!([]));
    page.assert_clean();
}

fn form_of_an_api_key_says_what_its_person_cannot_do(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    add_user(&admin, "nora", &json!([{ "device": "P01", "roles": ["cashier"] }]));
    page.sign_in("admin");
    page.open("/api-keys");
    page.wait_until_settled();
    page.press_for_dialog("n");
    let devices = || {
        let values = "return [...document.querySelectorAll('dialog [name=device] option')].map(each => each.value)";
        page.browser.run(values)
    };
    let choose = |name: &str, value: &str| {
        let list = format!("const list = document.querySelector('dialog [name={name}]'); list.value = '{value}'");
        page.browser.run(&format!("{list}; list.dispatchEvent(new Event('change', {{ bubbles: true }}))"));
    };
    page.browser.type_into("dialog [name=name]", "Warehouse");
    assert_eq!(devices(), json!([""]), "no device before the person is chosen");
    choose("user", "nora");
    let timeout = Duration::from_secs(20);
    wait_until(timeout, "the devices of the person", || devices() == json!(["", "P01"]));
    choose("device", "P01");
    // the first fault is below the visible part
    page.click_text("dialog .dialog-foot button", "Create key");
    page.wait_for_text("dialog fieldset .field-error", "Is required.");
    let is_shown = "const [error, body] = ['.field-error', '.dialog-body'].map(each => \
                    document.querySelector(`dialog ${each}`).getBoundingClientRect()); \
                    return error.top >= body.top && error.bottom <= body.bottom \
                    && document.activeElement.closest('fieldset') !== null";
    wait_until(timeout, "the first fault with the focus", || page.browser.run(is_shown) == json!(true));
    // a cashier reads no reports
    page.click_text("dialog fieldset button", "Read only");
    page.wait_for_text("dialog fieldset .field-warning", "nora does not have these rights on P01");
    page.wait_for_text("dialog fieldset .check", "Overview of sales (not held)");
    page.wait_for_text("dialog fieldset .check", "Open tickets");
    let void = "return [...document.querySelectorAll('dialog fieldset .check')].some(each => \
                each.textContent.includes('Open tickets') && each.textContent.includes('(not held)'))";
    assert_eq!(page.browser.run(void), json!(false));
    page.click_text("dialog .dialog-foot button", "Create key");
    page.wait_for_text("dialog .secret", "TILLGATE_CLIENT_SECRET=");
    // what is missing is said by the page, not by the browser
    page.click_text("dialog button", "Done");
    page.wait_for_text("dialog .field-error", "Is required.");
    page.browser.click("dialog [type=checkbox]");
    page.click_text("dialog button", "Done");
    page.wait_for_text("aside.panel .facts a", "nora");
    let created = admin.get("/api/v1/api-keys").expect_status(200).json();
    let rights = created["items"][0]["permissions"].as_array().unwrap();
    assert!(rights.contains(&json!("auditRead")) && rights.len() < 10, "{created}");
    page.assert_clean();
}

fn search_without_a_hit_offers_to_clear_the_filter(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    page.sign_in("admin");
    for list in ["people?search=zzz", "devices?search=zzz", "tickets?state=void"] {
        page.open(&format!("/{list}"));
        page.wait_for_text(".empty", "Nothing fits this search or filter.");
        page.wait_until_settled();
        assert_eq!(page.browser.run("return document.querySelectorAll('.empty button').length"), json!(0), "{list}");
        page.browser.click(".empty a");
        page.wait_for_path(&format!("/{}", list.split('?').next().unwrap()));
        page.wait_until_settled();
        assert!(!page.text().contains("Nothing fits"), "{list}");
    }
    page.assert_clean();
}

/// Selects the rows of a list that contain one of the texts.
fn select_rows(page: &OfficePage, texts: &[&str]) {
    for text in texts {
        let row =
            format!("[...document.querySelectorAll('tr[data-row]')].find(row => row.textContent.includes({text:?}))");
        page.browser.run(&format!("{row}.querySelector('[data-select]').click()"));
    }
}

fn several_devices_are_locked_and_sessions_of_several_people_ended(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    let till = page.server.new_till().login("cashier", "P01");
    page.sign_in("admin");
    page.open("/people");
    page.wait_until_settled();
    select_rows(&page, &["manager@example.com", "Cashier"]);
    page.click_text(".bulk button", "End all sessions");
    page.wait_for_text("dialog", "End all sessions of 2 people");
    page.click_text("dialog button", "End sessions");
    page.wait_for_text(".toast", "2 done");
    till.get("/api/v1/sessions/current").expect_status(401);
    page.open("/devices");
    page.wait_until_settled();
    select_rows(&page, &["P01", "P02"]);
    page.click_text(".bulk button", "Lock");
    page.wait_for_text(".toast", "2 done");
    let all = admin.get("/api/v1/devices").expect_status(200).json();
    for name in ["P01", "P02"] {
        assert_eq!(find(&all, "name", name)["status"], "locked");
    }
    page.assert_clean();
}

fn question_before_ending_sessions_names_the_consequence(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    add_user(
        &admin,
        "nora",
        &json!([{ "device": "P01", "roles": ["manager"] }, { "device": "P02", "roles": ["manager"] }]),
    );
    let till = page.server.new_till().login("nora", "P01");
    page.server.new_till().login("nora", "P02");
    let ticket = json!({ "currency": "EUR", "items": [{ "unit_price": "1", "quantity": "1" }] });
    till.post("/api/v1/tickets", &ticket).expect_status(201);
    let user = find_id(&admin, "users", "user_name", "nora");
    page.sign_in("admin");
    page.open(&format!("/sessions?user={user}"));
    page.click_text(".filters button", "End all sessions of nora");
    for consequence in ["2 live sessions end at once", "2 devices", "1 open ticket stays open"] {
        page.wait_for_text("dialog", consequence);
    }
    page.click_text("dialog button", "End sessions");
    page.wait_for_text(".toast", "Ended the sessions of nora");
    till.get("/api/v1/sessions/current").expect_status(401);
    page.assert_clean();
}

/// How many of these people have a right on a device, as the server tells them.
fn count_holders(page: &OfficePage, people: &[&str], device: &str, right: &str) -> usize {
    let holds = |name: &&&str| {
        let till = page.server.new_till().login(name, device);
        let current = till.get("/api/v1/sessions/current").expect_status(200).json();
        current["rights"].as_array().unwrap().contains(&json!(right))
    };
    people.iter().filter(holds).count()
}

fn effect_of_a_role_is_what_the_server_then_allows(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    let body = json!({ "name": "night", "rights": ["ticketCreate"], "environments": ["CashRegister"] });
    admin.post("/api/v1/roles", &body).expect_status(201);
    let body = json!({ "name": "day", "rights": ["deviceUpdate"], "environments": ["CashRegister"] });
    admin.post("/api/v1/roles", &body).expect_status(201);
    // one gains the right, one has it already, one is on another till, and one is without the role
    for (name, device, roles) in [
        ("anna", "P01", json!(["night"])),
        ("boris", "P01", json!(["night", "day"])),
        ("cyril", "P02", json!(["night"])),
        ("dora", "P01", json!(["cashier"])),
    ] {
        add_user(&admin, name, &json!([{ "device": device, "roles": roles }]));
    }
    let on_first = ["anna", "boris", "dora"];
    assert_eq!(count_holders(&page, &on_first, "P01", "deviceUpdate"), 1);
    page.sign_in("admin");
    page.open("/roles");
    page.wait_for_text("#main", "night");
    let toggle = "[...document.querySelectorAll('tr')].find(row => row.querySelector('th code')?.textContent === \
                  'deviceUpdate').querySelector('input[aria-label$=\": night\"]').click()";
    page.browser.run(toggle);
    page.wait_for_text(".save-bar", "+1 \u{2212}0 rights for 2 people on 2 devices");
    page.click_text(".save-bar button", "Save");
    page.wait_for_text(".toast", "Saved night");
    assert_eq!(count_holders(&page, &on_first, "P01", "deviceUpdate"), 2);
    assert_eq!(count_holders(&page, &["cyril"], "P02", "deviceUpdate"), 1);
    // the right that only this role gives is lost by both, and by nobody else
    page.open("/roles");
    page.wait_for_text("#main", "night");
    page.browser.run(toggle);
    page.wait_for_text(".save-bar", "anna loses");
    page.wait_for_text(".save-bar", "cyril loses");
    assert!(!page.browser.text(".save-bar").contains("boris"), "{}", page.browser.text(".save-bar"));
    page.click_text(".save-bar button", "Save");
    page.wait_for_text(".toast", "Saved night");
    assert_eq!(count_holders(&page, &on_first, "P01", "deviceUpdate"), 1);
    assert_eq!(count_holders(&page, &["cyril"], "P02", "deviceUpdate"), 0);
    // the audit log shows the right that was taken in words, not all rights
    page.open("/audit?action=role.update");
    page.wait_until_settled();
    page.browser.run("document.querySelector('[data-row] a').click()");
    page.wait_for_text("aside.panel del", "Change, lock and unlock devices");
    let changes = page.browser.run("return document.querySelectorAll('aside.panel dd :is(del, ins)').length");
    assert_eq!(changes, json!(1));
    page.assert_clean();
}

fn rows_stay_while_the_table_is_in_use(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    page.server.new_till().login("cashier", "P01");
    page.sign_in("admin");
    page.open("/sessions");
    page.wait_for_text(".lamp", "Live");
    page.wait_for_text("#main .table", "Cashier");
    page.wait_until_settled();
    let rows = || page.browser.run("return [...document.querySelectorAll('[data-row]')].map(row => row.dataset.row)");
    let before = rows();
    page.browser.run("document.querySelector('[data-row] a').focus()");
    page.browser.press(keys::SHIFT);
    page.server.new_till().login("manager", "P02");
    page.wait_for_text(".changes", "1 change");
    assert_eq!(rows(), before, "nothing moves under the focus");
    page.click_text(".changes button", "1 change");
    page.wait_for_text("#main .table", "Manager");
    assert_eq!(rows().as_array().unwrap().len(), before.as_array().unwrap().len() + 1);
    // without the focus and the pointer, a change shows at once
    page.browser.run("document.activeElement.blur()");
    page.server.new_till().login("manager", "P01");
    page.wait_for_text("#main .table", "P01");
    wait_until(Duration::from_secs(20), "the other session", || {
        page.browser.run("return document.querySelector('.changes') === null") == json!(true)
            && page.text().matches("Manager").count() >= 2
    });
    page.assert_clean();
}
