//! The native API's lists of sessions.

use std::time::Duration;

use serde_json::json;

use crate::test_server::{TEST_PASSWORD, TestServer};

#[actix_web::test]
async fn sessions_are_listed_in_pages_newest_first() {
    let shop = TestServer::start();
    let mut made = Vec::new();
    for _ in 0..5 {
        shop.clock.advance(Duration::from_secs(1));
        made.push(shop.log_in_native("cashier").await.text_at("/session/id"));
    }
    shop.log_in_native("witness").await;
    shop.clock.advance(Duration::from_secs(1));
    let admin = shop.log_in_native("admin").await;
    let (token, user) =
        (admin.text_at("/access_token"), shop.log_in_native("cashier").await.text_at("/session/user/id"));
    shop.clock.advance(Duration::from_secs(1));
    let mut seen = Vec::new();
    let mut next = String::new();
    for size in [2, 2, 2] {
        let page = shop.get(&format!("/api/v1/sessions?user={user}&limit=2{next}"), &token).await;
        assert_eq!(page.status, 200);
        let json = page.json();
        assert_eq!(json["items"].as_array().unwrap().len(), size, "{json}");
        seen.extend(json["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        next = json["next"].as_str().map(|next| format!("&after={next}")).unwrap_or_default();
    }
    assert!(next.is_empty(), "six sessions are three pages of two: {next}");
    made.reverse();
    assert_eq!(seen[1..], made);

    let first = &made[0];
    assert_eq!(shop.delete(&format!("/api/v1/sessions/{first}"), &token).await.status, 204);
    let live = shop.get(&format!("/api/v1/sessions?user={user}&live=true"), &token).await;
    assert_eq!(live.json()["items"].as_array().unwrap().len(), 5);
    let over = shop.get("/api/v1/sessions?live=false", &token).await;
    assert_eq!(over.json()["items"][0]["id"], json!(first));
    let one = shop.get(&format!("/api/v1/sessions/{first}"), &token).await;
    assert_eq!((one.text_at("/ended_why"), one.text_at("/user/user_name")), ("admin".into(), "cashier".into()));
    assert_eq!(one.text_at("/ended_at"), "2026-11-21T12:00:07.000Z");
}

#[actix_web::test]
async fn sessions_are_found_and_sorted() {
    let shop = TestServer::start();
    let login = json!({ "login": "cashier", "password": TEST_PASSWORD, "device": "P01" });
    let on_till = shop.post("/api/v1/sessions", login).await;
    shop.clock.advance(Duration::from_secs(1));
    let office = shop.log_in_native("cashier").await;
    shop.clock.advance(Duration::from_secs(1));
    shop.log_in_portos("manager", "OFFICE").await;
    shop.clock.advance(Duration::from_secs(1));
    let admin = shop.log_in_native("admin").await.text_at("/access_token");
    let found = async |query: &str, token: &str| {
        let page = shop.get(&format!("/api/v1/sessions?{query}"), token).await;
        assert_eq!(page.status, 200, "{query}");
        let json = page.json();
        let items = json["items"].as_array().unwrap();
        items.iter().map(|item| item["user"]["user_name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("search=CASH", &admin).await, ["cashier", "cashier"]);
    assert_eq!(found("search=p01", &admin).await, ["cashier"]);
    assert_eq!(found("search=example.com", &admin).await, [""; 0], "not by the e-mail address");
    assert_eq!(found("search=a%00b", &admin).await, [""; 0]);
    assert_eq!(found("mount=portos", &admin).await, ["manager"]);
    assert_eq!(found("kind=device", &admin).await, [""; 0]);
    assert_eq!(found("sort=created_at&kind=person", &admin).await, ["cashier", "cashier", "manager", "admin"]);
    let unknown = "00000000-0000-7000-8000-000000000000";
    assert_eq!(found(&format!("store={unknown}"), &admin).await, [""; 0]);
    // in pages
    let first = shop.get("/api/v1/sessions?sort=-last_used_at&limit=3", &admin).await.json();
    let next = first["next"].as_str().unwrap();
    assert_eq!(found(&format!("sort=-last_used_at&after={next}"), &admin).await.len(), 1);
    let other = shop.get(&format!("/api/v1/sessions?sort=created_at&after={next}"), &admin).await;
    assert_eq!(other.text_at("/errors/0/code"), "other_list");

    let path = format!("/api/v1/sessions/{}", on_till.text_at("/session/id"));
    let shown = shop.get(&path, &admin).await.json();
    assert_eq!(shown["user"]["display_name"], "Cora Cashier");
    assert_eq!((&shown["kind"], &shown["methods"]), (&json!("person"), &json!(["pwd"])));
    assert_eq!((&shown["proved_at"], &shown["created_at"]), (&shown["created_at"], &shown["proved_at"]));
    assert!(shown.as_object().unwrap().contains_key("address"), "{shown}");
    let own = shop.get(&path, &office.text_at("/access_token")).await.json();
    assert!(!own.as_object().unwrap().contains_key("address"), "requires the right sessionDelete: {own}");
    assert_eq!(own["kind"], "person");
}

#[actix_web::test]
async fn largest_page_reports_the_next_one() {
    let shop = TestServer::start();
    for _ in 0..201 {
        shop.log_in_native("cashier").await;
    }
    let token = shop.log_in_native("admin").await.text_at("/access_token");
    let page = shop.get("/api/v1/sessions?limit=200", &token).await.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 200);
    let rest =
        shop.get(&format!("/api/v1/sessions?limit=200&after={}", page["next"].as_str().unwrap()), &token).await.json();
    assert_eq!((rest["items"].as_array().unwrap().len(), rest["next"].clone()), (2, json!(null)));
}

#[actix_web::test]
async fn all_query_violations_are_reported_at_once() {
    let shop = TestServer::start();
    let token = shop.log_in_native("cashier").await.text_at("/access_token");
    let response = shop.get("/api/v1/sessions?limit=201&user=anna&live=maybe&after=x&sort=up", &token).await;
    assert_eq!(response.status, 422);
    let named: Vec<_> = response.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| each["parameter"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(named, ["user", "live", "sort", "after", "limit"]);
    assert_eq!(shop.get("/api/v1/sessions?sort=up&limit=1", &token).await.status, 422);
    assert_eq!(shop.get("/api/v1/sessions?limit=1", &token).await.status, 200);
    assert_eq!(shop.get("/api/v1/sessions?limit=0", &token).await.status, 422);
}

#[actix_web::test]
async fn expired_session_is_listed_as_expired() {
    let shop = TestServer::start();
    let id = shop.log_in_native("cashier").await.text_at("/session/id");
    shop.clock.advance(Duration::from_hours(30 * 24));
    let token = shop.log_in_native("cashier").await.text_at("/access_token");
    let one = shop.get(&format!("/api/v1/sessions/{id}"), &token).await;
    assert_eq!(
        (one.text_at("/ended_why"), one.text_at("/ended_at")),
        ("expired".into(), "2026-12-21T12:00:00.000Z".into())
    );
}
