//! What every request of the native API promises, over real sockets on both databases: pages of
//! every list, all faults of a body at once, duplicate members, byte order marks, conditional
//! changes, idempotency keys, and CSV files.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tillgate_tests::{DatabaseEngine, Installation, RunningServer, TestResponse, TillClient};
use ureq::http::Request;

const USERS_PATH: &str = "/api/v1/users";
const TICKETS_PATH: &str = "/api/v1/tickets";

/// Every list with its orders; the first one is the default.
const LISTS: [(&str, &[&str]); 9] = [
    ("users", &["created_at", "-created_at", "user_name", "-user_name"]),
    ("devices", &[""]),
    ("roles", &[""]),
    ("stores", &[""]),
    ("tenants", &[""]),
    ("tickets", &["-opened_at", "opened_at", "-updated_at", "updated_at", "payable", "-payable"]),
    ("api-keys", &[""]),
    ("audit-events", &[""]),
    ("sessions", &["-created_at", "created_at", "-last_used_at"]),
];

tillgate_testkit::on_both_databases!(
    pages_contain_every_item_of_every_list_once,
    items_that_move_between_pages_are_not_lost,
    large_pages_lose_no_item,
    body_is_checked_completely_before_anything_is_written,
    change_requires_a_matching_tag,
    idempotency_key_has_one_form_and_one_body,
    csv_export_contains_no_formula,
);

fn office(server: &RunningServer) -> TillClient {
    server.new_till().login("admin", "OFFICE")
}

/// Sends exactly this body with additional headers.
fn send_text(till: &TillClient, call: (&str, &str), headers: &[(&str, &str)], body: &str) -> TestResponse {
    let mut request = Request::builder()
        .method(call.0)
        .uri(till.url(call.1))
        .header("authorization", format!("Bearer {}", till.access))
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    till.send(&request.body(body.to_owned()).unwrap())
}

/// The ids of the items of a response.
fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// The ids on all pages of a list from this one on; `between` is called after each page.
fn read_pages(till: &TillClient, query: &str, mut between: impl FnMut(&Value)) -> Vec<String> {
    let mut found = Vec::new();
    let mut page = till.get(query).expect_status(200).json();
    loop {
        found.extend(ids(&page));
        between(&page);
        let Some(next) = page["next"].as_str() else { return found };
        page = till.get(&format!("{query}&after={next}")).expect_status(200).json();
    }
}

/// The status of a response, and the places and codes of its violations.
fn violations(response: &TestResponse) -> (u16, Vec<(String, String)>) {
    let errors = response.json()["errors"].as_array().cloned().unwrap_or_default();
    let text = |error: &Value, name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (response.status(), errors.iter().map(|error| (text(error, "pointer"), text(error, "code"))).collect())
}

fn expected(status: u16, all: &[(&str, &str)]) -> (u16, Vec<(String, String)>) {
    (status, all.iter().map(|(place, code)| ((*place).to_owned(), (*code).to_owned())).collect())
}

fn open_ticket(till: &TillClient, name: &str, price: &str) -> TestResponse {
    let body = json!({ "currency": "EUR", "name": name, "items": [{ "unit_price": price, "quantity": "1" }] });
    till.post(TICKETS_PATH, &body).expect_status(201)
}

/// A shop with at least four items in each list.
fn fill_lists(office: &TillClient, till: &TillClient) {
    for number in 0..4 {
        office.post("/api/v1/stores", &json!({ "name": format!("Store {number}") })).expect_status(201);
        let role = json!({ "name": format!("role {number}"), "rights": ["storno"], "environments": ["PDA"] });
        office.post("/api/v1/roles", &role).expect_status(201);
        open_ticket(till, &format!("Table {number}"), &(9 - number).to_string());
    }
}

fn pages_contain_every_item_of_every_list_once(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let (office, till) = (office(&server), server.new_till().login("manager", "P01"));
    fill_lists(&office, &till);
    for (list, orders) in LISTS {
        for order in orders {
            let sort = if order.is_empty() { String::new() } else { format!("&sort={order}") };
            let all = ids(&office.get(&format!("/api/v1/{list}?limit=200{sort}")).expect_status(200).json());
            let paged = read_pages(&office, &format!("/api/v1/{list}?limit=2{sort}"), |_| ());
            let unique: BTreeSet<&String> = paged.iter().collect();
            assert!(all.iter().all(|id| unique.contains(id)), "{list} {order}: {paged:?} instead of {all:?}");
            if !order.contains("last_used") {
                assert_eq!(paged[..all.len()], all, "{list} {order}");
            }
        }
    }
}

fn items_that_move_between_pages_are_not_lost(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let (office, till) = (office(&server), server.new_till().login("manager", "P01"));
    let tickets: Vec<String> =
        (0..6).map(|number| open_ticket(&till, "moving", &(10 + number).to_string()).text_at("/id")).collect();
    let users: Vec<String> = (0..6)
        .map(|number| {
            let body = json!({ "user_name": format!("page-{number}"), "display_name": "of pages" });
            office.post(USERS_PATH, &body).expect_status(201).text_at("/id")
        })
        .collect();
    // the last item of each order moves to its start
    for (sort, price) in [("-updated_at", "5"), ("payable", "1"), ("-payable", "99")] {
        let query = format!("{TICKETS_PATH}?search=moving&sort={sort}&limit=2");
        let last = ids(&till.get(&format!("{TICKETS_PATH}?search=moving&sort={sort}")).json())[5].clone();
        let mut first = true;
        let found = read_pages(&till, &query, |_| {
            if std::mem::take(&mut first) {
                let body = json!({ "items": [{ "unit_price": price, "quantity": "1" }] });
                till.change("PATCH", &format!("{TICKETS_PATH}/{last}"), &body).expect_status(200);
            }
        });
        assert_eq!(found.iter().collect::<BTreeSet<_>>(), tickets.iter().collect(), "{sort}");
    }
    for (sort, name) in [("user_name", "aa"), ("-user_name", "zz")] {
        let query = format!("{USERS_PATH}?search=of%20pages&sort={sort}&limit=2");
        let last = ids(&office.get(&format!("{USERS_PATH}?search=of%20pages&sort={sort}")).json())[5].clone();
        let mut first = true;
        let found = read_pages(&office, &query, |_| {
            if std::mem::take(&mut first) {
                office
                    .change("PATCH", &format!("{USERS_PATH}/{last}"), &json!({ "user_name": name }))
                    .expect_status(200);
            }
        });
        assert_eq!(found.iter().collect::<BTreeSet<_>>(), users.iter().collect(), "{sort}");
    }
}

fn large_pages_lose_no_item(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let office = office(&server);
    for number in 0..140 {
        let preferences = |letter: &str| json!({ "a": letter.repeat(32_000) });
        let device = json!({ "name": format!("L{number}"), "environment": "Tool", "preferences": preferences("x") });
        let id = office.post("/api/v1/devices", &device).expect_status(201).text_at("/id");
        // the event of a change has the preferences
        let change = json!({ "preferences": preferences("y") });
        office.change("PATCH", &format!("/api/v1/devices/{id}"), &change).expect_status(200);
    }
    for list in ["devices", "audit-events"] {
        let mut pages = 0;
        let found = read_pages(&office, &format!("/api/v1/{list}?limit=200"), |page| {
            assert!(page.to_string().len() <= 4 * 1024 * 1024 + 1_024, "{list}");
            pages += 1;
        });
        assert!(pages > 1, "{list}");
        assert_eq!(found, read_pages(&office, &format!("/api/v1/{list}?limit=50"), |_| ()), "{list}");
        assert!(found.len() > 140, "{list}");
    }
}

fn body_is_checked_completely_before_anything_is_written(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let office = office(&server);
    let before = ids(&office.get(&format!("{USERS_PATH}?limit=200")).json());
    let faulty = r#"{"user_name":"","email":"a..b@example.com","password":"short","display_name":7}"#;
    let response = send_text(&office, ("POST", USERS_PATH), &[], faulty);
    let (status, faults) = violations(&response);
    let places: BTreeSet<&str> = faults.iter().map(|(place, _)| place.as_str()).collect();
    let wanted = BTreeSet::from(["/user_name", "/email", "/password", "/display_name"]);
    assert_eq!((status, places), (422, wanted), "{}", response.text());
    let twice =
        r#"{"user_name":"twice","devices":[{"device":"P01","roles":["cashier"],"roles":["manager"]}],"user_name":"x"}"#;
    let response = send_text(&office, ("POST", USERS_PATH), &[], twice);
    let (status, mut faults) = violations(&response);
    faults.sort();
    let wanted = expected(422, &[("/devices/0/roles", "duplicate"), ("/user_name", "duplicate")]);
    assert_eq!((status, faults), wanted, "{}", response.text());
    assert_eq!(ids(&office.get(&format!("{USERS_PATH}?limit=200")).json()), before, "nothing was written");
    let marked = send_text(&office, ("POST", USERS_PATH), &[], "\u{feff}{\"user_name\":\"marked\"}");
    assert_eq!(marked.expect_status(201).text_at("/user_name"), "marked");
}

fn change_requires_a_matching_tag(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let office = office(&server);
    let made = office.post(USERS_PATH, &json!({ "user_name": "nora" })).expect_status(201);
    let path = format!("{USERS_PATH}/{}", made.text_at("/id"));
    let change = |tags: &[(&str, &str)], name: &str| {
        send_text(&office, ("PATCH", &path), tags, &json!({ "display_name": name }).to_string())
    };
    let tag = |response: &TestResponse| response.header("etag").to_owned();
    assert_eq!(change(&[], "A").status(), 428);
    let mut current = tag(&made);
    for (number, form) in ["TAG", "W/TAG", "\"other\", TAG", "\"other\", W/TAG, \"more\"", "*"].iter().enumerate() {
        let sent = form.replace("TAG", &current);
        let response = change(&[("if-match", &sent)], &format!("{number}")).expect_status(200);
        assert_ne!(tag(&response), current, "{form}");
        let lost = change(&[("if-match", &current)], "lost");
        assert_eq!(lost.status(), 412, "{form}");
        current = tag(&response);
    }
    let response = office.get(&path);
    assert_eq!((tag(&response), response.text_at("/display_name")), (current, "4".to_owned()));
}

fn idempotency_key_has_one_form_and_one_body(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let till = server.new_till().login("manager", "P01");
    let post = |key: &str, body: &str| send_text(&till, ("POST", TICKETS_PATH), &[("idempotency-key", key)], body);
    let first = post("one", r#"{"currency":"EUR","name":"Table 1"}"#).expect_status(201);
    for (key, body) in [
        ("\"one\"", r#"{"currency":"EUR","name":"Table 1"}"#),
        ("one", "{ \"name\": \"Table 1\",\r\n \"currency\": \"EUR\" }"),
        ("\"one\"", "\u{feff}{\"name\":\"Table\\u00201\",\"currency\":\"EUR\"}"),
    ] {
        assert_eq!(post(key, body).expect_status(201).text_at("/id"), first.text_at("/id"), "{key} {body}");
    }
    let other = post("\"one\"", r#"{"currency":"EUR","name":"Table 2"}"#);
    assert_eq!((other.status(), other.text_at("/code").as_str()), (422, "idempotency_key_reused"));
    assert_eq!(ids(&till.get(TICKETS_PATH).json()).len(), 1);
}

fn csv_export_contains_no_formula(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let server = installation.serve();
    let (office, till) = (office(&server), server.new_till().login("manager", "P01"));
    open_ticket(&till, "=1+1", "4.30");
    office.post(USERS_PATH, &json!({ "user_name": "=cmd()", "display_name": "+1;=2" })).expect_status(201);
    let users = office.get(&format!("{USERS_PATH}/export?format=csv&search=cmd")).expect_status(200);
    assert!(users.text().starts_with("\u{feff}id,user_name,display_name,"), "{}", users.text());
    assert!(users.text().contains(",'=cmd(),\"'+1;'=2\","), "{}", users.text());
    let tickets = office.get(&format!("{TICKETS_PATH}/export?format=csv&bom=false")).expect_status(200);
    assert!(tickets.text().starts_with("id,") && tickets.text().contains(",'=1+1,"), "{}", tickets.text());
    let events = office.get("/api/v1/audit-events/export?format=csv").expect_status(200);
    let rows = events.text().lines().count();
    assert!(rows > 4, "{}", events.text());
}
