//! Lists with large items: pages of the native API end early, lists of other contracts are
//! complete, and a principal has only two lists in progress.

use std::rc::Rc;

use actix_web::http::Method;
use actix_web::test;
use serde_json::{Value, json};

use crate::office::OfficeClient;
use crate::test_server::{TestServer, build_request, with_bearer};

/// The maximum size of the items of a page.
const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Number of devices with large preferences, which are more than a page.
const DEVICES: usize = 140;

/// Number of changes of large preferences, whose audit events are more than a page.
const CHANGES: usize = 140;

fn large_preferences(fill: &str) -> Value {
    json!({ "a": fill.repeat(32_000) })
}

/// The values at this pointer on all pages of 200 items, and the number of pages.
async fn read_large_pages(desk: &OfficeClient, path: &str, pointer: &str) -> (Vec<String>, usize) {
    let (mut found, mut after, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = desk.get(&format!("{path}?limit=200{after}")).await;
        assert_eq!(page.status, 200);
        assert!(page.bytes.len() <= MAX_PAGE_BYTES + 1_024, "{path}: {} bytes", page.bytes.len());
        let json = page.json();
        let text = |item: &Value| item.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        found.extend(json["items"].as_array().unwrap().iter().map(text));
        pages += 1;
        match json["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return (found, pages),
        }
    }
}

#[actix_web::test]
async fn pages_of_large_devices_and_events_end_early_and_continue() {
    let desk = OfficeClient::open().await;
    for number in 0..DEVICES {
        let body =
            json!({ "name": format!("L{number:03}"), "environment": "Tool", "preferences": large_preferences("x") });
        assert_eq!(desk.post("/devices", body).await.status, 201);
    }
    let (names, pages) = read_large_pages(&desk, "/devices", "/name").await;
    assert!(pages > 1, "{pages}");
    assert_eq!(names, desk.collect_pages("/devices", "/name").await, "each once");
    assert!(names.len() > DEVICES);

    let portos = desk.shop.log_in_portos("manager", "P01").await.text_at("/tokenId");
    let rows = desk.shop.get("/portos/api/devices", &portos).await.json();
    let mut shown: Vec<String> =
        rows["items"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect();
    let mut expected = names;
    shown.sort();
    expected.sort();
    assert_eq!(shown, expected, "PORTOS' list is complete");

    let made = desk.post("/devices", json!({ "name": "changed", "environment": "Tool" })).await;
    let path = format!("/devices/{}", made.text_at("/id"));
    for number in 0..CHANGES {
        let body = json!({ "preferences": large_preferences(if number % 2 == 0 { "y" } else { "z" }) });
        assert_eq!(desk.patch(&path, "*", body).await.status, 200);
    }
    let (ids, pages) = read_large_pages(&desk, "/audit-events", "/id").await;
    assert!(pages > 2, "{pages}");
    assert_eq!(ids, desk.collect_pages("/audit-events", "/id").await, "each once");
    assert!(ids.len() > DEVICES + CHANGES);
}

#[actix_web::test]
async fn list_with_large_items_waits_for_those_in_progress() {
    let shop = TestServer::start();
    let native = shop.log_in_native("admin").await.text_at("/access_token");
    let kasir = shop.log_in_kasir("admin@example.com").await.text_at("/data/Token");
    let portos = shop.log_in_portos("admin", "OFFICE").await.text_at("/tokenId");
    let app = Rc::new(test::init_service(shop.http.app()).await);
    let ask = |path: &'static str, token: &str| {
        let request = with_bearer(build_request(Method::GET, path), token).peer_addr("192.0.2.7:4711".parse().unwrap());
        let app = Rc::clone(&app);
        async move { test::call_service(&*app, request.to_request()).await }
    };
    for (path, token) in [
        ("/api/v1/tickets", &native),
        ("/api/v1/devices", &native),
        ("/api/v1/users", &native),
        ("/api/v1/roles", &native),
        ("/api/v1/api-keys", &native),
        ("/api/v1/audit-events", &native),
        ("/kasir/api/v1/activity-logs", &kasir),
        ("/portos/api/tickets", &portos),
        ("/portos/api/devices", &portos),
        ("/portos/api/users", &portos),
        ("/portos/api/roles", &portos),
        ("/portos/api/apikeys", &portos),
    ] {
        let unread = [ask(path, token).await, ask(path, token).await];
        assert!(unread.iter().all(|response| response.status() == 200), "{path}");
        let third = actix_web::rt::spawn(ask(path, token));
        for _ in 0..20 {
            assert_eq!(ask("/api/v1/stores", &native).await.status(), 200, "a list of small items does not wait");
        }
        assert!(!third.is_finished(), "{path}");
        drop(unread);
        assert_eq!(third.await.unwrap().status(), 200, "{path}");
    }
}
