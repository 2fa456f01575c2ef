//! Cursors of the native API's lists: a page continues after the previous one, whatever has changed
//! since, and a cursor is valid for its own list and order only.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::office::{OfficeClient, expected_pointers, violations};
use crate::requests::LISTS;
use crate::test_server::{TestResponse, TestServer};
use crate::tickets::{log_in_at, open_ticket, plain_item, send};

const TICKETS: &str = "/api/v1/tickets";

fn names(page: &Value, of: &str) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item[of].as_str().unwrap().to_owned()).collect()
}

/// Reads all pages from this cursor on, and returns their items and their number.
async fn collect_rest(
    get: impl AsyncFn(&str) -> TestResponse,
    query: &str,
    of: &str,
    mut after: Option<String>,
) -> Vec<String> {
    let mut seen = Vec::new();
    while let Some(cursor) = after {
        let page = get(&format!("{query}&after={cursor}")).await;
        assert_eq!(page.status, 200, "{query}: {}", page.json());
        seen.extend(names(&page.json(), of));
        after = page.json()["next"].as_str().map(str::to_owned);
    }
    seen
}

#[actix_web::test]
async fn ticket_changed_between_pages_is_not_lost() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let wanted: BTreeSet<String> = (0..6).map(|number| format!("T{number}")).collect();
    for (sort, price) in [("updated_at", "1"), ("payable", "99"), ("-payable", "-1"), ("-updated_at", "1")] {
        for number in 0..6 {
            let body = json!({ "currency": "EUR", "name": format!("T{number}"), "location": { "zone": sort },
                "items": [plain_item(&(10 + number).to_string(), "1")] });
            open_ticket(&shop, &token, body).await;
            shop.clock.advance(std::time::Duration::from_secs(1));
        }
        let from =
            shop.get(&format!("{TICKETS}?sort=-opened_at&limit=6"), &token).await.json()["items"][5]["opened_at"]
                .as_str()
                .unwrap()
                .to_owned();
        let query = format!("{TICKETS}?from={from}&sort={sort}&limit=2");
        let first = shop.get(&query, &token).await.json();
        let last = first["items"][1]["id"].as_str().unwrap();
        let body = json!({ "items": [plain_item(price, "1")] });
        let changed = send(&shop, &token, "PATCH", &format!("{TICKETS}/{last}"), Some("*"), Some(body)).await;
        assert_eq!(changed.status, 200, "{}", changed.json());
        let mut seen: BTreeSet<String> = names(&first, "name").into_iter().collect();
        let next = first["next"].as_str().map(str::to_owned);
        seen.extend(collect_rest(async |path| shop.get(path, &token).await, &query, "name", next).await);
        assert_eq!(seen, wanted, "{sort}");
    }
}

#[actix_web::test]
async fn user_renamed_between_pages_is_not_lost() {
    let desk = OfficeClient::open().await;
    for number in 0..6 {
        let name = format!("page-{number}");
        assert_eq!(desk.post("/users", json!({ "user_name": name, "display_name": "of pages" })).await.status, 201);
    }
    for (sort, name) in [("user_name", "zz"), ("-user_name", "aa"), ("created_at", "mm"), ("-created_at", "nn")] {
        let query = format!("/users?search=of%20pages&sort={sort}&limit=2");
        let all: BTreeSet<String> =
            desk.collect_pages(&format!("/users?search=of%20pages&sort={sort}"), "/id").await.into_iter().collect();
        let first = desk.get(&query).await.json();
        let last = first["items"][1]["id"].as_str().unwrap();
        assert_eq!(desk.patch(&format!("/users/{last}"), "*", json!({ "user_name": name })).await.status, 200);
        let mut seen: BTreeSet<String> = names(&first, "id").into_iter().collect();
        let next = first["next"].as_str().map(str::to_owned);
        seen.extend(collect_rest(async |path| desk.get(path).await, &query, "id", next).await);
        assert_eq!(seen, all, "{sort}");
    }
}

/// A user, a ticket and a session that were not read yet and move before the cursor.
#[actix_web::test]
async fn unread_item_that_moves_before_the_cursor_is_not_lost() {
    let desk = OfficeClient::open().await;
    for number in 0..6 {
        let name = format!("page-{number}");
        assert_eq!(desk.post("/users", json!({ "user_name": name, "display_name": "of pages" })).await.status, 201);
    }
    for (sort, name) in [("user_name", "aa"), ("-user_name", "zz")] {
        let query = format!("/users?search=of%20pages&sort={sort}&limit=2");
        let all = desk.collect_pages(&format!("/users?search=of%20pages&sort={sort}"), "/id").await;
        let first = desk.get(&query).await.json();
        let unread = all.last().unwrap();
        assert_eq!(desk.patch(&format!("/users/{unread}"), "*", json!({ "user_name": name })).await.status, 200);
        let mut seen = names(&first, "id");
        let next = first["next"].as_str().map(str::to_owned);
        seen.extend(collect_rest(async |path| desk.get(path).await, &query, "id", next).await);
        assert_eq!(seen, all, "{sort}: it is the last one, as before");
    }
    // one that was read already appears again
    let query = "/users?search=of%20pages&sort=user_name&limit=4";
    let first = desk.get(query).await.json();
    let read = first["items"][0]["id"].as_str().unwrap();
    assert_eq!(
        desk.patch(&format!("/users/{read}"), "*", json!({ "display_name": "of pages, too" })).await.status,
        200
    );
    let next = first["next"].as_str().map(str::to_owned);
    let rest = collect_rest(async |path| desk.get(path).await, query, "id", next).await;
    assert_eq!((rest.len(), rest.last().map(String::as_str)), (3, Some(read)));

    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    for number in 0..6 {
        let body = json!({ "currency": "EUR", "name": format!("T{number}"), "items": [plain_item(&(10 + number).to_string(), "1")] });
        open_ticket(&shop, &token, body).await;
        shop.clock.advance(std::time::Duration::from_secs(1));
    }
    for (sort, price) in [("-updated_at", "5"), ("payable", "1"), ("-payable", "99")] {
        let all = shop.get(&format!("{TICKETS}?sort={sort}"), &token).await.json();
        let query = format!("{TICKETS}?sort={sort}&limit=2");
        let first = shop.get(&query, &token).await.json();
        let unread = all["items"][5]["id"].as_str().unwrap();
        let body = json!({ "items": [plain_item(price, "1")] });
        let changed = send(&shop, &token, "PATCH", &format!("{TICKETS}/{unread}"), Some("*"), Some(body)).await;
        assert_eq!(changed.status, 200, "{}", changed.json());
        let mut seen = names(&first, "id");
        let next = first["next"].as_str().map(str::to_owned);
        seen.extend(collect_rest(async |path| shop.get(path, &token).await, &query, "id", next).await);
        assert_eq!(seen, names(&all, "id"), "{sort}");
        shop.clock.advance(std::time::Duration::from_secs(1));
    }
}

#[actix_web::test]
async fn unread_session_that_is_used_is_not_lost() {
    let shop = TestServer::start();
    let use_session = async |token: &str| {
        assert_eq!(shop.get("/api/v1/sessions/current", token).await.status, 200);
        shop.auth.write_activity().unwrap();
        shop.clock.advance(std::time::Duration::from_mins(2));
    };
    let mut tokens = std::collections::BTreeMap::new();
    for _ in 0..6 {
        let session = shop.log_in_native("cashier").await;
        let token = session.text_at("/access_token");
        use_session(&token).await;
        tokens.insert(session.text_at("/session/id"), token);
    }
    let (_, reader) = tokens.last_key_value().unwrap();
    let get = async |path: &str| shop.get(path, reader).await;
    let query = "/api/v1/sessions?sort=-last_used_at&limit=2";
    let all = names(&get("/api/v1/sessions?sort=-last_used_at").await.json(), "id");
    let first = get(query).await.json();
    let unread = all.last().unwrap();
    use_session(&tokens[unread]).await;
    let rest = collect_rest(get, query, "id", first["next"].as_str().map(str::to_owned)).await;
    assert!(rest.contains(unread), "{rest:?}");
    let seen: BTreeSet<String> = names(&first, "id").into_iter().chain(rest).collect();
    assert_eq!(seen, tokens.keys().cloned().collect());
}

#[actix_web::test]
async fn cursor_is_valid_for_its_list_and_order_only() {
    let desk = OfficeClient::open().await;
    for name in ["adam", "Zora"] {
        assert_eq!(desk.post("/users", json!({ "user_name": name })).await.status, 201);
    }
    let next = |page: &TestResponse| page.json()["next"].as_str().unwrap().to_owned();
    let by_name = next(&desk.get("/users?sort=user_name&limit=1").await);
    let oldest = next(&desk.get("/users?limit=1").await);
    assert!(by_name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{by_name}");
    assert_eq!(desk.get(&format!("/users?sort=user_name&after={by_name}")).await.status, 200);
    assert_eq!(
        desk.get(&format!("/users?sort=created_at&after={oldest}")).await.status,
        200,
        "as where nothing is said"
    );
    let other = (422, "fields_invalid".to_owned(), expected_pointers(&[("after", "other_list")]));
    for path in [
        format!("/users?after={by_name}"),
        format!("/users?sort=-user_name&after={by_name}"),
        format!("/users?sort=user_name&after={oldest}"),
        format!("/devices?after={oldest}"),
        format!("/tickets?after={by_name}"),
    ] {
        assert_eq!(violations(&desk.get(&path).await), other, "{path}");
    }
    // the users of another tenant are another list
    let stranger = desk.shop.log_in_native("stranger@example.com").await.text_at("/access_token");
    let response = desk.shop.get(&format!("/api/v1/users?after={oldest}"), &stranger).await;
    assert!([403, 422].contains(&response.status.as_u16()), "{}", response.json());
    for list in LISTS {
        let id = "0192f0c1-0000-7000-8000-000000000000";
        for cursor in ["", "x", id, "%00", "' OR 1=1", "AAAA", &format!("{oldest}="), &oldest[1..], &oldest[..20]] {
            let response = desk.get(&format!("{list}?after={}", cursor.replace(' ', "%20"))).await;
            assert_eq!(violations(&response).2, expected_pointers(&[("after", "type")]), "{list} {cursor}");
        }
    }
    // a cursor is not an id
    for path in [format!("/users/{oldest}"), format!("/tickets/{by_name}")] {
        assert_eq!(desk.get(&path).await.status, 404, "{path}");
        assert_eq!(desk.patch(&path, "*", json!({ "name": "x" })).await.status, 404, "{path}");
    }
}
