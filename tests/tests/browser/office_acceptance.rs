//! What people rely on in the back office, in a real browser: a signed-out browser shows nothing,
//! acts can be undone, what a person may not do is named and refused, nothing is lost when two
//! people change one thing, and texts of others are shown as text.

use serde_json::{Value, json};
use tillgate_tests::{DatabaseEngine, OfficePage, PASSWORD, TillClient};

tillgate_tests::in_chromium_on_both_databases!(saved_access_lets_a_person_log_in_on_a_till);

tillgate_tests::in_chromium!(
    signed_out_browser_shows_no_data_in_any_tab,
    locked_till_is_named_so_and_undo_unlocks_it,
    missing_right_is_named_and_reveals_nothing,
    role_editor_gives_no_right_that_the_editor_lacks,
    two_administrators_change_one_role_and_lose_nothing,
    last_administrator_stays,
    texts_of_others_are_shown_as_text,
    ticket_panel_shows_what_was_sold_and_done,
);

fn add_user(admin: &TillClient, name: &str, roles: &[&str]) -> String {
    let body = json!({ "user_name": name, "password": PASSWORD, "roles": roles });
    admin.post("/api/v1/users", &body).expect_status(201).text_at("/id")
}

fn add_role(admin: &TillClient, name: &str, rights: &[&str]) -> String {
    let body = json!({ "name": name, "rights": rights, "environments": ["CashRegister", "BackOffice"] });
    admin.post("/api/v1/roles", &body).expect_status(201).text_at("/id")
}

fn list(client: &TillClient, path: &str) -> Vec<Value> {
    client.get(&format!("/api/v1{path}")).expect_status(200).json()["items"].as_array().unwrap().clone()
}

fn find_id(client: &TillClient, path: &str, member: &str, name: &str) -> String {
    let found = list(client, path).into_iter().find(|each| each[member] == name);
    found.unwrap_or_else(|| panic!("{name}"))["id"].as_str().unwrap().to_owned()
}

fn signed_out_browser_shows_no_data_in_any_tab(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    page.sign_in("admin");
    page.open("/people");
    page.wait_for_text("#main", "manager@example.com");
    let first = page.open_tab();
    page.open("/");
    page.browser.wait_for("#main", "P01");
    let second = page.open_tab();
    page.browser.switch_to_tab(&first);
    page.sign_out();
    page.assert_clean();
    // the other tab gets the sign-out; otherwise it would ask for the password over its page
    page.browser.switch_to_tab(&second);
    page.wait_for_path("/signed-out");
    assert!(!page.text().contains("P01"), "{}", page.text());
    // the back button
    page.browser.switch_to_tab(&first);
    page.browser.back();
    page.wait_for_path("/sign-in");
    assert!(!page.text().contains("manager@example.com"), "{}", page.text());
    // a tab that the browser restores
    page.open_tab();
    page.open("/people");
    page.wait_for_path("/sign-in");
    assert!(!page.text().contains("manager@example.com"), "{}", page.text());
    page.assert_clean();
}

fn locked_till_is_named_so_and_undo_unlocks_it(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    page.sign_in("admin");
    let lock = || {
        let open = "[...document.querySelectorAll('li.card')].find(card => card.textContent.includes('P02'))\
                    .querySelector('[aria-haspopup=menu]').click()";
        page.browser.run(open);
        page.click_text("[role=menuitem]", "Lock");
        page.wait_for_text(".toast", "Locked P02");
        page.wait_for_text("li.card.locked", "P02");
        // a word, not the color alone
        page.wait_for_text("li.card.locked .state", "Locked");
    };
    lock();
    page.click_text(".toast button", "Undo");
    page.wait_for_text("li.card.free", "P02");
    let device = find_id(&admin, "/devices", "name", "P02");
    let events = || list(&admin, &format!("/audit-events?action=device.status&subject={device}"));
    assert_eq!(events().len(), 2, "{:?}", events());
    assert!(page.server.new_till().try_login("cashier", "P02").is_some(), "the till is as before");
    lock();
    let login = json!({ "login": "cashier", "password": PASSWORD, "device": "P02" });
    page.server.new_till().post("/api/v1/sessions", &login).expect_status(401);
    page.assert_clean();
}

fn missing_right_is_named_and_reveals_nothing(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    // the rights of a cashier, and one that opens the back office
    add_role(&admin, "watcher", &["ticketCreate", "ticketClose", "sessionRead"]);
    let watcher = add_user(&admin, "watcher", &["watcher"]);
    page.sign_in("watcher");
    assert!(!page.browser.run("return Boolean(document.querySelector('nav a[href$=\"/audit\"]'))").as_bool().unwrap());
    page.open("/audit");
    page.wait_for_text("#main", "Read the audit log");
    let text = page.text();
    assert!(!text.contains("logged in") && !text.contains("127.0.0.1"), "{text}");
    // a script of the page is refused as well, and that is recorded
    let (status, body) = page.fetch("GET", "/audit-events", None);
    assert_eq!((status, &body["code"], &body["right"]), (403, &json!("right_missing"), &json!("auditRead")), "{body}");
    let events = list(&admin, &format!("/audit-events?action=right.missing&user={watcher}"));
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["details"]["right"], "auditRead", "{events:?}");
    page.assert_clean();
}

fn role_editor_gives_no_right_that_the_editor_lacks(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    let held = ["roleUpdate", "roleCreate", "userRead", "ticketCreate", "ticketClose"];
    add_role(&admin, "editor", &held);
    let night = add_role(&admin, "night", &["ticketCreate"]);
    add_user(&admin, "editor", &["editor"]);
    page.sign_in("editor");
    page.open("/roles");
    page.wait_for_text("#main", "night");
    let checkbox = |right: &str| {
        let find = "[...document.querySelectorAll('tr')].find(row => row.querySelector('th code')?.textContent === RIGHT)\
                    ?.querySelector('input[aria-label$=\": night\"]')";
        find.replace("RIGHT", &json!(right).to_string())
    };
    let disabled = |right: &str| page.browser.run(&format!("return {}?.disabled", checkbox(right)));
    assert_eq!(disabled("ticketClose"), json!(false));
    for right in ["userDelete", "ticketDelete", "sessionDelete"] {
        assert_eq!(disabled(right), json!(true), "{right}");
    }
    for rights in [json!(["ticketCreate", "userDelete"]), json!(["admin"])] {
        let (status, body) = page.fetch("PATCH", &format!("/roles/{night}"), Some(&json!({ "rights": rights })));
        assert_eq!((status, &body["code"]), (403, &json!("right_missing")), "{body}");
    }
    let body = json!({ "name": "thief", "rights": ["admin"], "environments": ["PDA"] });
    assert_eq!(page.fetch("POST", "/roles", Some(&body)).0, 403);
    // what the editor holds is given by the page
    page.browser.run(&format!("{}.click()", checkbox("ticketClose")));
    page.click_text(".save-bar button", "Save");
    page.wait_for_text(".toast", "Saved night");
    let rights = admin.get(&format!("/api/v1/roles/{night}")).json()["rights"].clone();
    assert_eq!(rights, json!(["ticketClose", "ticketCreate"]));
    page.assert_clean();
}

fn two_administrators_change_one_role_and_lose_nothing(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    let night = add_role(&admin, "night", &["ticketCreate"]);
    page.sign_in("admin");
    page.open("/roles");
    page.wait_for_text("#main", "night");
    let toggle = "[...document.querySelectorAll('tr')].find(row => row.querySelector('th code')?.textContent === \
                  'ticketClose').querySelector('input[aria-label$=\": night\"]').click()";
    page.browser.run(toggle);
    page.wait_for_text(".save-bar", "Save");
    // the version that the page read is there before the other administrator saves
    let path = format!("/api/v1/roles/{night}");
    let other = json!({ "description": "From ten to six", "rights": ["ticketCreate", "ticketRename"] });
    let read = format!("performance.getEntriesByType('resource').some(each => each.name.endsWith('/roles/{night}'))");
    tillgate_tests::wait_until(std::time::Duration::from_secs(20), "the version of the role", || {
        page.browser.run(&format!("return {read}")) == json!(true)
    });
    page.browser.run_async("new Promise(done => setTimeout(done, 200))");
    admin.change("PATCH", &path, &other).expect_status(200);
    page.click_text(".save-bar button", "Save");
    page.wait_for_text("dialog", "Somebody else changed this meanwhile");
    page.wait_for_text("dialog", "Admin changed it");
    // only what differs is shown, in words
    page.wait_for_text("dialog", "Rename tickets");
    page.wait_for_text("dialog", "Close tickets");
    let dialog = page.browser.text("dialog");
    assert!(!dialog.contains("Open tickets") && !dialog.contains("ticketC"), "{dialog}");
    // left open, the change stays, and can be saved as soon as the page is read again
    page.browser.click("dialog .icon-button");
    page.click_text(".save-bar button:enabled", "Save");
    page.click_text("dialog button", "Apply");
    page.wait_for_text(".toast", "Saved night");
    let role = admin.get(&path).json();
    assert_eq!(role["rights"], json!(["ticketClose", "ticketCreate", "ticketRename"]), "both changes: {role}");
    assert_eq!(role["description"], "From ten to six", "{role}");
    page.assert_clean();
}

fn last_administrator_stays(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    let id = find_id(&admin, "/users", "user_name", "admin");
    page.sign_in("admin");
    page.open(&format!("/people/{id}"));
    page.wait_for_text("aside.panel", "you cannot suspend yourself");
    let buttons =
        page.browser.run("return [...document.querySelectorAll('aside.panel button')].map(b => b.textContent).join()");
    assert!(!buttons.as_str().unwrap().contains("Suspend"), "{buttons}");
    let path = format!("/users/{id}");
    // the role on a device makes an administrator as well
    for body in [
        json!({ "status": "suspended" }),
        json!({ "roles": [], "devices": [] }),
        json!({ "roles": ["manager"], "devices": [{ "device": "P01", "roles": ["cashier"] }] }),
    ] {
        let (status, response) = page.fetch("PATCH", &path, Some(&body));
        assert_eq!((status, &response["code"]), (409, &json!("last_admin")), "{body}: {response}");
    }
    assert_eq!(page.fetch("DELETE", &path, None).0, 409);
    // two administrators, each of whom suspends the other at the same time
    let second_id = add_user(&admin, "second", &["admin"]);
    let second = page.log_in_natively("second");
    let suspended = json!({ "status": "suspended" });
    let statuses = std::thread::scope(|scope| {
        let one = scope.spawn(|| admin.change("PATCH", &format!("/api/v1/users/{second_id}"), &suspended).status());
        let other = scope.spawn(|| second.change("PATCH", &format!("/api/v1/users/{id}"), &suspended).status());
        [one.join().unwrap(), other.join().unwrap()]
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    let left = if statuses[0] == 200 { "admin" } else { "second" };
    let users = list(&page.log_in_natively(left), "/users?status=active");
    assert!(users.iter().any(|user| user["user_name"] == left && user["roles"] == json!(["admin"])), "{users:?}");
    page.assert_clean();
}

fn saved_access_lets_a_person_log_in_on_a_till(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    let id = add_user(&admin, "nora", &[]);
    assert!(page.server.new_till().try_login("nora", "P01").is_none(), "nobody gave her access yet");
    page.sign_in("admin");
    page.open(&format!("/people/{id}"));
    page.wait_for_text("aside.panel h2", "nora");
    page.wait_until_settled();
    page.browser.run("document.querySelector('aside.panel input[aria-label=\"Cashier: P01\"]').click()");
    page.wait_for_text(".save-bar", "Gains");
    page.click_text(".save-bar button", "Save");
    page.wait_for_text(".toast", "Saved the access of nora");
    let user = admin.get(&format!("/api/v1/users/{id}")).json();
    assert_eq!(user["devices"], json!([{ "device": "P01", "roles": ["cashier"] }]), "{user}");
    let till = page.server.new_till().login("nora", "P01");
    let ticket = json!({ "currency": "EUR", "items": [{ "unit_price": "1", "quantity": "1" }] });
    till.post("/api/v1/tickets", &ticket).expect_status(201);
    page.assert_clean();
}

fn texts_of_others_are_shown_as_text(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let admin = page.log_in_natively("admin");
    let image = "<img src=x onerror=window.hacked=1>";
    let script = "</script><script>window.hacked=1</script>";
    let marks = "שלום \u{5D0}<b>\u{5D1}</b>";
    let body = json!({ "user_name": "mallory", "password": PASSWORD, "display_name": image, "roles": ["manager"],
                       "devices": [{ "device": "P01", "roles": ["manager"] }] });
    let user = admin.post("/api/v1/users", &body).expect_status(201).text_at("/id");
    let body = json!({ "name": "P09", "environment": "CashRegister", "description": script });
    let device = admin.post("/api/v1/devices", &body).expect_status(201).text_at("/id");
    let body = json!({ "name": "odd", "label": marks, "description": image, "rights": ["ticketCreate"],
                       "environments": ["PDA"] });
    admin.post("/api/v1/roles", &body).expect_status(201);
    let till = page.server.new_till().login("mallory", "P01");
    let item = json!({ "article": { "name": image }, "comment": script, "unit_price": "1", "quantity": "1" });
    let body =
        json!({ "currency": "EUR", "name": marks, "location": { "zone": image, "table": script }, "items": [item] });
    let ticket = till.post("/api/v1/tickets", &body).expect_status(201).text_at("/id");
    page.sign_in("admin");
    let pages = [
        ("/".to_owned(), image),
        ("/sessions".to_owned(), image),
        ("/people".to_owned(), image),
        (format!("/people/{user}"), image),
        ("/roles".to_owned(), marks),
        ("/devices".to_owned(), script),
        (format!("/devices/{device}"), script),
        ("/tickets".to_owned(), marks),
        (format!("/tickets/{ticket}"), script),
        ("/audit".to_owned(), image),
    ];
    for (path, text) in pages {
        page.open(&path);
        page.wait_for_text("#main", text);
    }
    // a message about the person
    page.open(&format!("/people/{user}"));
    page.click_text("aside.panel button", "Suspend");
    page.wait_for_text(".toast", image);
    assert_eq!(page.browser.run("return window.hacked ?? null"), Value::Null);
    assert_eq!(page.browser.run("return document.querySelectorAll('img, #main b').length"), json!(0));
    page.assert_clean();
}

fn ticket_panel_shows_what_was_sold_and_done(engine: DatabaseEngine) {
    let page = OfficePage::start(engine);
    let till = page.server.new_till().login("manager", "P01");
    let item = |name: &str, price: &str| json!({ "article": { "name": name, "vat_rate": "19" }, "unit_price": price, "quantity": "2" });
    let body = json!({ "currency": "EUR", "items": [item("Espresso", "1.512605"), item("Garlic soup", "3.613445")] });
    let opened = till.post("/api/v1/tickets", &body).expect_status(201).json();
    let path = format!("/api/v1/tickets/{}", opened["id"].as_str().unwrap());
    let kept = json!({ "items": [opened["items"][0]], "discount_rate": "10" });
    let changed = till.change("PATCH", &path, &kept).expect_status(200).json();
    let payable = changed["payable"].as_str().unwrap();
    let payments = json!({ "payments": [{ "means": "cash", "amount": payable }] });
    let closed = till.change("POST", &format!("{path}/close"), &payments).expect_status(200).json();
    page.sign_in("admin");
    page.open(&format!("/tickets/{}", opened["id"].as_str().unwrap()));
    page.wait_for_text(".paper .total", &format!("€{payable}"));
    page.wait_for_text(".paper", "Espresso");
    page.wait_for_text(".paper", "−10 %");
    page.wait_for_text(".paper", closed["totals"]["after_discount"].as_str().unwrap());
    assert!(!page.browser.text(".paper").contains("Garlic soup"), "the canceled item");
    for what in ["opened", "changed", "closed"] {
        page.wait_for_text("aside.panel", what);
    }
    page.wait_for_text("aside.panel", "Manager");
    page.assert_clean();
}
