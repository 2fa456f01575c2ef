//! The largest tickets: they can be sent back as received, pages with them end early, and none can
//! grow further.

use serde_json::{Value, json};
use tillgate_http::HttpSettings;

use crate::portos_tickets as portos;
use crate::test_server::{TestResponse, TestServer, post_request, put_request, with_bearer};
use crate::tickets::{TICKETS_PATH, log_in_at, open_ticket, path_of, plain_item, problem_code, send};

/// The maximum number of plain items of a ticket.
const MANY_ITEMS: usize = 640;

/// A ticket with the maximum number of items.
async fn open_large_ticket(shop: &TestServer, token: &str) -> TestResponse {
    let body = json!({ "currency": "EUR", "items": vec![plain_item("1", "1"); MANY_ITEMS] });
    open_ticket(shop, token, body).await
}

#[actix_web::test]
async fn listed_ticket_can_be_sent_back() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let ticket = open_large_ticket(&shop, &token).await;
    assert!(ticket.bytes.len() > 300_000, "{} bytes", ticket.bytes.len());
    let members = ["items", "payments", "name", "location", "discount_rate", "rounding", "external_id"];
    let shown = ticket.json();
    let body: Value = members.iter().map(|name| ((*name).to_owned(), shown[name].clone())).collect();
    let back = send(&shop, &token, "PATCH", &path_of(&ticket), Some("*"), Some(body)).await;
    assert_eq!((back.status.as_u16(), back.json()["version"].clone()), (200, json!(1)), "nothing differs");

    let till = portos::log_in_at(&shop, "manager", "PDA1").await;
    let path = format!("/portos/api/tickets/{}", ticket.text_at("/id"));
    let shown = shop.get(&path, &till).await;
    assert!(shown.bytes.len() > 200_000, "{} bytes", shown.bytes.len());
    let back = shop.send(with_bearer(put_request(&path, shown.json()), &till)).await;
    assert_eq!((back.status.as_u16(), back.json()["_v"].clone()), (200, json!(1)), "nothing differs");

    // other bodies have the usual limit
    let body = json!({ "login": "x".repeat(100_000), "password": "x" });
    assert_eq!(shop.post("/api/v1/sessions", body).await.status, 413);
    let body = json!({ "currency": "EUR", "name": "x".repeat(2 * 1024 * 1024) });
    assert_eq!(send(&shop, &token, "POST", TICKETS_PATH, None, Some(body)).await.status, 413);
}

/// Each operation with a ticket or its items accepts it, whatever the limit of other bodies.
#[actix_web::test]
async fn low_body_limit_does_not_block_tickets() {
    let settings = HttpSettings { body_limit: 1_024, ..HttpSettings::default() };
    let shop = TestServer::with_settings(settings);
    let token = log_in_at(&shop, "manager", "P01").await;
    let ticket = open_large_ticket(&shop, &token).await;
    let path = path_of(&ticket);
    let note = "x".repeat(180);
    let payments: Vec<Value> =
        (0..10).map(|_| json!({ "means": "cash", "name": note, "amount": (MANY_ITEMS / 10).to_string() })).collect();
    let close = json!({ "payments": payments });
    assert!(close.to_string().len() > 1_024);
    let closed = send(&shop, &token, "POST", &format!("{path}/close"), Some("*"), Some(close)).await;
    assert_eq!(closed.status, 200);
    let items: Vec<Value> = (1..=MANY_ITEMS).map(|id| json!({ "id": id, "quantity": "1" })).collect();
    let body = json!({ "items": items });
    assert!(body.to_string().len() > 1_024);
    let refund = send(&shop, &token, "POST", &format!("{path}/refund"), None, Some(body)).await;
    assert_eq!(refund.status, 201, "{}", String::from_utf8_lossy(&refund.bytes));

    let till = portos::log_in_at(&shop, "manager", "PDA1").await;
    let ticket = portos::open_ticket(&shop, &till, json!({ "items": vec![portos::item(); 20] })).await;
    let due = ticket.json()["payable"].as_f64().unwrap();
    let payments: Vec<Value> = (0..10).map(|_| json!({ "type": "Cash", "name": note, "amount": due })).collect();
    let close =
        post_request(&format!("/portos/api/tickets/{}/close", ticket.text_at("/id")), json!({ "payments": payments }));
    assert_ne!(shop.send(with_bearer(close, &till)).await.status, 413);
}

#[actix_web::test]
async fn ticket_grows_up_to_its_limit() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let long = |count: usize| {
        let item = json!({ "unit_price": "1", "quantity": "1", "comment": "x".repeat(2_000) });
        vec![item; count]
    };
    let refused =
        send(&shop, &token, "POST", TICKETS_PATH, None, Some(json!({ "currency": "EUR", "items": long(40) }))).await;
    assert_eq!(
        (problem_code(&refused), refused.text_at("/errors/0/pointer").as_str()),
        ((422, "ticket_too_long".into()), "/items")
    );
    let ticket = open_ticket(&shop, &token, json!({ "currency": "EUR", "items": long(30) })).await;
    let more = json!({ "items": long(40) });
    let refused = send(&shop, &token, "PATCH", &path_of(&ticket), Some("*"), Some(more)).await;
    assert_eq!(problem_code(&refused), (422, "ticket_too_long".into()));
    let close = json!({ "payments": [{ "means": "cash", "amount": "30" }] });
    let closed = send(&shop, &token, "POST", &format!("{}/close", path_of(&ticket)), Some("*"), Some(close)).await;
    assert_eq!(closed.status, 200);
}

#[actix_web::test]
async fn page_of_large_tickets_ends_early_and_continues() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(open_large_ticket(&shop, &token).await.text_at("/id"));
    }
    for sort in ["opened_at", "-payable"] {
        let (mut found, mut after, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = shop.get(&format!("{TICKETS_PATH}?limit=200&sort={sort}{after}"), &token).await;
            assert_eq!(page.status, 200);
            assert!(page.bytes.len() <= 4 * 1024 * 1024, "{} bytes", page.bytes.len());
            found.extend(portos::ids(&page));
            pages += 1;
            match page.json()["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert!(pages > 1, "{pages}");
        found.sort();
        let mut expected = made.clone();
        expected.sort();
        assert_eq!(found, expected, "{sort}: each once");
    }
}
