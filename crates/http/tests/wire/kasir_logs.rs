//! POS Kasir's activity logs: the audit events in this contract's format.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::kasir::{LOGIN, assert_error};
use crate::kasir_users::{ADD, USERS, create_user_body};
use crate::test_server::{TEST_PASSWORD, TestServer, build_request, post_request, put_request};

const LOGS: &str = "/kasir/api/v1/activity-logs";

async fn list_logs(shop: &TestServer, token: &str, query: &str) -> Value {
    let response = shop.get(&format!("{LOGS}?{query}"), token).await;
    assert_eq!((response.status.as_u16(), response.text_at("/message").as_str()), (200, "Success"), "{query}");
    response.json()["data"].clone()
}

/// Returns the types of the logs that a query finds, newest first.
async fn list_action_types(shop: &TestServer, token: &str, query: &str) -> Vec<String> {
    let found = list_logs(shop, token, &format!("limit=100&{query}")).await;
    let types = found["logs"].as_array().unwrap().iter().map(|log| log["action_type"].as_str().unwrap().to_owned());
    let types: Vec<String> = types.collect();
    assert_eq!(found["total_items"], json!(types.len()));
    types
}

/// Performs one action of each kind, a second apart; returns the server, the admin's token and
/// john's id.
async fn server_with_history() -> (TestServer, String, String) {
    let shop = TestServer::start();
    let tick = || shop.clock.advance(Duration::from_secs(1));
    let token = shop.log_in_kasir("admin@example.com").await.text_at("/data/Token");
    let as_admin =
        |request: actix_web::test::TestRequest| request.insert_header(("Authorization", format!("Bearer {token}")));
    tick();
    assert_eq!(shop.post(LOGIN, json!({ "email": "john@example.com", "password": "wrong" })).await.status, 401);
    tick();
    let john = shop.log_in_kasir("john@example.com").await;
    let id = john.text_at("/data/profile/id");
    tick();
    let other = json!({ "old_password": TEST_PASSWORD, "new_password": "staple battery" });
    let change = put_request("/kasir/api/v1/auth/me/password", other);
    let change = change.insert_header(("Authorization", format!("Bearer {}", john.text_at("/data/Token"))));
    assert_eq!(shop.send(change).await.status, 200);
    for request in [
        post_request(ADD, create_user_body()),
        post_request(
            USERS,
            json!({ "username": "mara", "email": "mara@example.com", "password": TEST_PASSWORD, "role": "manager" }),
        ),
        put_request(&format!("{USERS}/{id}"), json!({ "role": "manager" })),
        build_request(Method::POST, &format!("{USERS}/{id}/toggle-status")),
        build_request(Method::DELETE, &format!("{USERS}/{id}")),
    ] {
        tick();
        assert!(shop.send(as_admin(request)).await.status.is_success());
    }
    (shop, token, id)
}

#[actix_web::test]
async fn published_action_types_are_returned() {
    let (shop, token, id) = server_with_history().await;
    assert_eq!(
        list_action_types(&shop, &token, "").await,
        [
            "DELETE",
            "UPDATE",
            "UPDATE",
            "CREATE",
            "REGISTER",
            "UPDATE_PASSWORD",
            "LOGIN_SUCCESS",
            "LOGIN_FAILED",
            "LOGIN_SUCCESS"
        ]
    );
    let newest = list_logs(&shop, &token, "limit=1").await["logs"][0].clone();
    let admin = shop.get("/kasir/api/v1/auth/me", &token).await.text_at("/data/id");
    assert_eq!(
        newest,
        json!({ "id": newest["id"], "user_id": admin, "user_name": "admin", "action_type": "DELETE", "entity_type": "USER",
            "entity_id": id, "details": { "status": { "from": "suspended", "to": "deleted" } },
            "created_at": "2026-11-21T12:00:08Z" })
    );
    let failed = list_logs(&shop, &token, "action_type=LOGIN_FAILED").await["logs"][0].clone();
    assert_eq!((&failed["entity_type"], &failed["entity_id"]), (&json!("USER"), &json!(id)));
    assert_eq!(failed["user_name"], json!("john_doe"), "a deleted user has a name");
    let text = list_logs(&shop, &token, "limit=100").await.to_string();
    for secret in [TEST_PASSWORD, "staple battery", token.as_str()] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[actix_web::test]
async fn logs_are_paged() {
    let (shop, token, _) = server_with_history().await;
    let page = list_logs(&shop, &token, "page=2&limit=4").await;
    let shape = json!([page["total_items"], page["total_pages"], page["page"], page["limit"]]);
    assert_eq!((shape, page["logs"].as_array().unwrap().len()), (json!([9, 3, 2, 4]), 4));
    let mut seen = Vec::new();
    for number in 1..=4 {
        let page = list_logs(&shop, &token, &format!("page={number}&limit=4")).await;
        seen.extend(page["logs"].as_array().unwrap().clone());
    }
    assert_eq!(json!(seen), list_logs(&shop, &token, "limit=100").await["logs"]);
    assert_eq!(list_logs(&shop, &token, "").await["limit"], json!(10));
    assert_eq!(
        list_logs(&shop, &token, "search=nothing+like+it").await,
        json!({ "logs": [], "total_items": 0, "total_pages": 0, "page": 1, "limit": 10 })
    );
}

#[actix_web::test]
async fn logs_are_filtered() {
    let (shop, token, id) = server_with_history().await;
    let types = async |query: &str| list_action_types(&shop, &token, query).await;
    assert_eq!(types("action_type=UPDATE").await, ["UPDATE", "UPDATE"]);
    assert_eq!(types("action_type=REGISTER").await, ["REGISTER"]);
    assert_eq!(types("action_type=LOGIN_SUCCESS").await, ["LOGIN_SUCCESS", "LOGIN_SUCCESS"]);
    assert_eq!(types("action_type=APPLY_PROMOTION").await, [""; 0]);
    assert_eq!(types("entity_type=USER").await.len(), 9);
    assert_eq!(types("entity_type=SESSION").await, [""; 0]);
    assert_eq!(types("entity_type=PRODUCT").await, [""; 0]);
    assert_eq!(types(&format!("user_id={id}")).await, ["UPDATE_PASSWORD", "LOGIN_SUCCESS", "LOGIN_FAILED"]);
    assert_eq!(types(&format!("user_id={id}&action_type=LOGIN_FAILED")).await, ["LOGIN_FAILED"]);
    assert_eq!(types("search=NINA").await, ["REGISTER"]);
    // as they are shown, and by tillgate's own names
    assert_eq!(types("search=CREATE").await, ["CREATE"]);
    assert_eq!(types("search=login_success").await, ["LOGIN_SUCCESS", "LOGIN_SUCCESS"]);
    assert_eq!(types("search=LOGIN_FAILED").await, ["LOGIN_FAILED"]);
    assert_eq!(types("search=UPDATE_").await, ["UPDATE_PASSWORD"]);
    assert_eq!(types("search=user.add").await, ["CREATE"]);
    assert_eq!(types("search=CREATE&entity_type=ROLE").await, [""; 0]);
    assert_eq!(types("start_date=2026-11-21&end_date=2026-11-21").await.len(), 9);
    assert_eq!(types("start_date=2026-11-22").await, [""; 0]);
    assert_eq!(types("end_date=2026-11-20").await, [""; 0]);
    assert_eq!(types("start_date=&end_date=&user_id=&action_type=&entity_type=&search=").await.len(), 9);
    for (query, sentence) in [
        ("start_date=yesterday", "start_date must be a date such as 2026-11-21"),
        ("end_date=2026-02-30", "end_date must be a date such as 2026-11-21"),
        ("user_id=john", "user_id must be a UUID"),
        ("limit=101", "limit must be a number from 1 to 100"),
        ("page=0", "page must be a number from 1"),
    ] {
        let response = shop.get(&format!("{LOGS}?{query}"), &token).await;
        let said = json!({ "message": "Failed to parse request body", "error": sentence, "data": null });
        assert_eq!((response.status.as_u16(), response.json()), (400, said), "{query}");
    }
}

#[actix_web::test]
async fn logs_require_admin_of_the_tenant() {
    let (shop, token, _) = server_with_history().await;
    for role in ["cashier", "manager"] {
        let response = shop.get(LOGS, &shop.log_in_kasir(role).await.text_at("/data/Token")).await;
        assert_error(&response, 403, "Insufficient permissions", role);
    }
    shop.log_in_native("stranger@example.com").await;
    let found = list_logs(&shop, &token, "limit=100").await;
    assert!(found["logs"].as_array().unwrap().iter().all(|log| log["user_name"] != json!("stranger")));
    assert_eq!(found["total_items"], json!(13), "and the two logins of before, and that both were refused");
}
