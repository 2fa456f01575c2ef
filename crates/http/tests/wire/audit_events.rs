//! Audit events in the native API: list, filter and read; and events of denials in every contract.

use actix_web::http::Method;
use serde_json::{Value, json};
use tillgate_domain::{Action, EventOutcome, Subject};

use crate::office::{OfficeClient, expected_pointers, violations};
use crate::test_server::{StoreState, TEST_PASSWORD, TestServer, build_request, post_request};

#[actix_web::test]
async fn audit_events_are_listed_filtered_and_read() {
    let desk = OfficeClient::open().await;
    let added = desk.post("/users", json!({ "user_name": "nina", "password": "staple battery" })).await;
    let nina = added.text_at("/id");
    let all = desk.collect_pages("/audit-events", "/id").await;
    assert!(all.len() > 1 && all.windows(2).all(|pair| pair[0] > pair[1]), "the newest first: {all:?}");
    let actions = |items: &Value| -> Vec<String> {
        let items = items["items"].as_array().unwrap();
        items.iter().map(|item| item["action"].as_str().unwrap().to_owned()).collect()
    };
    let of = |query: String| {
        let desk = &desk;
        async move { actions(&desk.get(&format!("/audit-events?{query}")).await.json()) }
    };
    assert_eq!(of(format!("subject={nina}")).await, ["user.add"]);
    assert_eq!(of("action=user.add&outcome=done".to_owned()).await[0], "user.add");
    assert!(of("action=user.add&outcome=refused".to_owned()).await.is_empty());
    assert!(of("subject_kind=device".to_owned()).await.iter().all(|action| action.starts_with("device")));
    assert!(of("until=2020-01-01T00:00:00Z".to_owned()).await.is_empty());
    assert_eq!(of("from=2020-01-01T00:00:00%2B01:00&limit=200".to_owned()).await.len(), all.len());
    assert_eq!(of("search=NINA".to_owned()).await, ["user.add"]);

    let shown = desk
        .get(&format!("/audit-events/{}", desk.collect_pages(&format!("/audit-events?subject={nina}"), "/id").await[0]))
        .await;
    let line = shown.json();
    assert_eq!((line["action"].as_str(), line["outcome"].as_str()), (Some("user.add"), Some("done")));
    assert_eq!(line["subject"], json!({ "kind": "user", "id": nina }));
    assert_eq!(line["user"]["user_name"], "admin");
    assert!(line["session"].is_string() && line["at"] == "2026-11-21T12:00:00.000Z", "{line}");
    let session = line["session"].as_str().unwrap();
    assert!(of(format!("session={session}")).await.contains(&"user.add".to_owned()));
    let by = line["user"]["id"].as_str().unwrap();
    assert!(of(format!("user={by}")).await.contains(&"user.add".to_owned()));
}

#[actix_web::test]
async fn all_query_violations_are_reported_without_other_tenants_data() {
    let desk = OfficeClient::open().await;
    let sent = "user=x&session=1&action=fly&outcome=maybe&subject_kind=moon&from=today&until=2026-13-01&limit=0";
    let refused = desk.get(&format!("/audit-events?{sent}")).await;
    let reported = refused.json().to_string();
    assert!(reported.contains("must be done or refused"), "{reported}");
    let (status, code, mut reported) = violations(&refused);
    reported.sort();
    let expected = expected_pointers(&[
        ("action", "format"),
        ("from", "type"),
        ("limit", "range"),
        ("outcome", "format"),
        ("session", "type"),
        ("subject_kind", "format"),
        ("until", "type"),
        ("user", "type"),
    ]);
    assert_eq!((status, code.as_str(), reported), (422, "fields_invalid", expected));
    let lines = desk.shop.store.inner.audit_events();
    let own = lines.iter().find(|line| line.action == Action::Login).unwrap().tenant;
    for foreign in lines.iter().filter(|line| line.tenant != own) {
        assert_eq!(desk.get(&format!("/audit-events/{}", foreign.id)).await.status, 404, "{foreign:?}");
    }
    assert!(lines.iter().any(|line| line.tenant != own));
    for path in ["/audit-events/garbage", "/audit-events/00000000-0000-7000-8000-000000000000"] {
        assert_eq!(violations(&desk.get(path).await), (404, "not_found".to_owned(), vec![]));
    }
}

#[actix_web::test]
async fn denial_records_who_where_what_and_missing_right() {
    let desk = OfficeClient::log_in_as("cashier").await;
    let witness = desk.shop.log_in_native("witness").await.text_at("/session/user/id");
    let refused = desk.send(Method::DELETE, &format!("/users/{witness}?x=secret"), Some("*"), None).await;
    assert_eq!((refused.status.as_u16(), refused.text_at("/right").as_str()), (403, "userDelete"));
    let [line] = &desk.shop.recorded_denials()[..] else { panic!("{:?}", desk.shop.recorded_denials()) };
    assert_eq!(line.outcome, EventOutcome::Refused);
    assert_eq!(line.subject, Subject::User(witness.parse().unwrap()));
    assert!(line.actor.user.is_some() && line.actor.session.is_some());
    assert_eq!(
        serde_json::to_value(&line.details).unwrap(),
        json!({ "right": "userDelete", "call": format!("DELETE /api/v1/users/{witness}"), "dialect": "native" })
    );
}

#[actix_web::test]
async fn denial_about_a_store_names_the_store() {
    let desk = OfficeClient::log_in_as("cashier").await;
    let store = "01890a5d-ac96-774b-bcce-b302099a8057";
    let refused = desk.send(Method::DELETE, &format!("/stores/{store}"), Some("*"), None).await;
    assert_eq!(refused.status, 403);
    let [line] = &desk.shop.recorded_denials()[..] else { panic!("{:?}", desk.shop.recorded_denials()) };
    assert_eq!(line.subject, Subject::Store(store.parse().unwrap()));
}

#[actix_web::test]
async fn denial_for_device_kind_is_recorded() {
    let desk = OfficeClient::open().await;
    assert_eq!(desk.post("/tickets", json!({ "currency": "EUR" })).await.text_at("/code"), "sale_device_needed");
    let [line] = &desk.shop.recorded_denials()[..] else { panic!("{:?}", desk.shop.recorded_denials()) };
    assert_eq!(
        serde_json::to_value(&line.details).unwrap(),
        json!({ "environments": ["CashRegister", "PDA"], "call": "POST /api/v1/tickets", "dialect": "native" })
    );
    assert!(line.actor.user.is_some() && line.actor.device.is_none(), "{line:?}");
    desk.shop.set_device_role("P01", "cashier");
    let login = json!({ "device": "P01", "password": TEST_PASSWORD });
    let token = desk.shop.post("/api/v1/sessions", login).await.text_at("/access_token");
    let sold = post_request("/api/v1/tickets", json!({ "currency": "EUR" }));
    let refused = desk.shop.send(sold.insert_header(("Authorization", format!("Bearer {token}")))).await;
    assert_eq!(refused.text_at("/code"), "person_needed");
    let [_, line] = &desk.shop.recorded_denials()[..] else { panic!("{:?}", desk.shop.recorded_denials()) };
    assert_eq!(line.details["kind"], "person");
    assert!(line.actor.user.is_none() && line.actor.device.is_some(), "{line:?}");
}

#[actix_web::test]
async fn denial_at_gateway_is_recorded_for_the_caller() {
    let shop = crate::access::start_server();
    let token = shop.log_in_kasir("cashier").await.text_at("/data/Token");
    let asked = build_request(Method::GET, "/api/v1/access")
        .insert_header(("Authorization", format!("Bearer {token}")))
        .insert_header(("X-Original-Method", "DELETE"))
        .insert_header(("X-Original-URI", "/api/v1/products/7?price=1"));
    assert_eq!(shop.send(asked).await.status, 403);
    let [line] = &shop.recorded_denials()[..] else { panic!("{:?}", shop.recorded_denials()) };
    assert_eq!(line.details["call"], "DELETE /api/v1/products/7");
    assert_eq!(line.details["role"], "admin");
}

#[actix_web::test]
async fn repeated_denials_are_limited_and_counted() {
    let desk = OfficeClient::log_in_as("cashier").await;
    for _ in 0..50 {
        assert_eq!(desk.get("/users").await.status, 403);
    }
    assert_eq!(desk.shop.recorded_denials().len(), 10);
    // the count is written at the latest when the server stops
    desk.shop.auth.leave().unwrap();
    let lines = desk.shop.recorded_denials();
    assert_eq!((lines.len(), &lines[10].details["times"]), (11, &json!(40)));
}

#[actix_web::test]
async fn other_errors_are_not_recorded_as_denials() {
    let shop = TestServer::start();
    let login = json!({ "login": "cashier", "password": "wrong" });
    assert_eq!(shop.post("/api/v1/sessions", login).await.status, 401);
    let desk = OfficeClient::open().await;
    assert_eq!(desk.get("/users/00000000-0000-7000-8000-000000000000").await.status, 404);
    assert_eq!(desk.post("/users", json!({ "user_name": "cashier" })).await.status, 409);
    assert_eq!((shop.recorded_denials().len(), desk.shop.recorded_denials().len()), (0, 0));
}

#[actix_web::test]
async fn denial_is_returned_if_audit_write_fails() {
    let desk = OfficeClient::log_in_as("cashier").await;
    // the caller's rights are cached from here on
    assert_eq!(desk.get("/sessions").await.status, 200);
    for mood in [StoreState::Unavailable, StoreState::Broken, StoreState::Panicking] {
        desk.shop.store.set_state(mood);
        assert_eq!(desk.get("/users").await.status, 403);
        desk.shop.store.set_state(StoreState::Healthy);
    }
    assert_eq!(desk.shop.recorded_denials().len(), 0);
    let login = post_request("/api/v1/sessions", json!({ "login": "cashier", "password": TEST_PASSWORD }));
    assert_eq!(desk.shop.send(login).await.status, 201);
}
