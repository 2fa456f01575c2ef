//! Violations that only the store reveals are reported with all others: unknown names, impossible
//! status transitions, passwords made of names of the tenant.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::office::{OfficeClient, expected_pointers, violations};
use crate::test_server::{TestResponse, TestServer, build_request, with_bearer};
use crate::tickets::log_in_at;

/// Asserts that the response reports exactly these members.
#[track_caller]
fn assert_named(answer: &TestResponse, expected: &[(&str, &str)]) {
    assert_eq!(
        violations(answer),
        (422, "fields_invalid".to_owned(), expected_pointers(expected)),
        "{}",
        answer.json()
    );
}

#[actix_web::test]
async fn user_body_names_unknown_roles_and_context_words_with_other_faults() {
    let desk = OfficeClient::open().await;
    let devices = json!([{ "device": "P99", "roles": ["chief"] }, { "device": "P01", "roles": ["cashier", "cook"] }]);
    let unknown = [("/devices", "unknown"), ("/roles", "unknown")];
    let sent = json!({ "user_name": "nina", "password": "P01P01P01", "roles": ["chief", "admin", "boss"],
        "devices": devices, "status": "deleted", "email": "none" });
    let answer = desk.post("/users", sent).await;
    let expected = [
        ("/devices", "unknown"),
        ("/email", "format"),
        ("/password", "weak"),
        ("/roles", "unknown"),
        ("/roles", "unknown"),
        ("/roles", "unknown"),
        ("/status", "format"),
    ];
    assert_named(&answer, &expected);
    assert_eq!(answer.text_at("/errors/3/detail"), "\"boss\" does not exist");

    // only the store reveals all of these
    let sent = json!({ "user_name": "nina", "password": "P01P01P01", "roles": ["chief"], "devices": [{ "device": "P99", "roles": [] }] });
    assert_named(&desk.post("/users", sent).await, &[unknown[0], ("/password", "weak"), unknown[1]]);
    let sent = json!({ "user_name": "nina", "roles": ["chief"], "devices": [{ "device": "P99", "roles": [] }] });
    assert_named(&desk.post("/users", sent).await, &unknown);
    assert_eq!(desk.get("/users?search=nina").await.json()["items"], json!([]), "nobody was added");
}

#[actix_web::test]
async fn user_patch_names_unknown_roles_and_impossible_status_with_other_faults() {
    let desk = OfficeClient::open().await;
    let path = format!("/users/{}", desk.shop.log_in_native("cashier").await.text_at("/session/user/id"));
    let patch = json!({ "status": "pending", "roles": ["chief"], "display_name": 7 });
    let named = [("/display_name", "type"), ("/roles", "unknown"), ("/status", "transition")];
    assert_named(&desk.patch(&path, "*", patch).await, &named);
    let patch = json!({ "status": "pending", "roles": ["chief"], "display_name": " " });
    let named = [("/display_name", "required"), ("/roles", "unknown"), ("/status", "transition")];
    assert_named(&desk.patch(&path, "*", patch).await, &named);
    let alone = desk.patch(&path, "*", json!({ "status": "pending" })).await;
    assert_eq!(violations(&alone), (409, "status_impossible".to_owned(), expected_pointers(&[])));
    // a caller without the right learns nothing about existing roles
    let token = desk.shop.log_in_native("cashier").await.text_at("/access_token");
    let patch = json!({ "status": "pending", "roles": ["chief"], "display_name": 7 });
    let request =
        build_request(Method::PATCH, &format!("/api/v1{path}")).insert_header(("If-Match", "*")).set_json(patch);
    assert_eq!(desk.shop.send(with_bearer(request, &token)).await.status, 403);
}

#[actix_web::test]
async fn device_body_names_unknown_roles_and_context_words_with_other_faults() {
    let desk = OfficeClient::open().await;
    let sent =
        json!({ "name": "K7", "environment": "Till", "password": "P01P01P01", "roles": ["chief"], "status": "locked" });
    let named = [("/environment", "format"), ("/password", "weak"), ("/roles", "unknown"), ("/status", "format")];
    assert_named(&desk.post("/devices", sent).await, &named);
    let made = desk.post("/devices", json!({ "name": "K7", "environment": "PDA" })).await;
    let path = format!("/devices/{}", made.text_at("/id"));
    assert_eq!(desk.patch(&path, "*", json!({ "status": "retired" })).await.status, 200);
    let patch = json!({ "status": "active", "roles": ["chief"], "description": 7 });
    let named = [("/description", "type"), ("/roles", "unknown"), ("/status", "transition")];
    assert_named(&desk.patch(&path, "*", patch).await, &named);
}

#[actix_web::test]
async fn password_body_names_context_words_with_other_faults() {
    let desk = OfficeClient::open().await;
    let cashier = desk.shop.log_in_native("cashier").await.text_at("/session/user/id");
    let path = format!("/users/{cashier}/password");
    let send = async |body: Value| desk.send(Method::PUT, &path, None, Some(body)).await;
    let named = [("/keys", "type"), ("/password", "weak")];
    assert_named(&send(json!({ "password": "P01P01P01", "keys": 1 })).await, &named);
    assert_named(&send(json!({ "password": "cashier1", "keys": 1 })).await, &named);
    assert_named(&send(json!({ "password": "staple battery", "keys": 1 })).await, &named[..1]);
}

#[actix_web::test]
async fn api_key_body_names_unknown_user_and_device_with_other_faults() {
    let desk = OfficeClient::open().await;
    let unknown = [("/device", "unknown"), ("/user", "unknown")];
    let sent = json!({ "name": 7, "user": "nobody", "device": "P99" });
    assert_named(&desk.post("/api-keys", sent).await, &[unknown[0], ("/name", "type"), unknown[1]]);
    let sent = json!({ "name": "a", "user": "nobody", "device": "P99" });
    assert_named(&desk.post("/api-keys", sent).await, &unknown);
    let sent = json!({ "name": "a", "user": "nobody", "device": "P01" });
    assert_named(&desk.post("/api-keys", sent).await, &unknown[1..]);
    let made = desk.post("/api-keys", json!({ "name": "a", "user": "cashier", "device": "P01" })).await;
    let path = format!("/api-keys/{}", made.text_at("/id"));
    let patch = json!({ "device": "P99", "status": 7 });
    assert_named(&desk.patch(&path, "*", patch).await, &[unknown[0], ("/status", "type")]);
}

#[actix_web::test]
async fn ticket_body_names_unknown_owner_with_other_faults() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let send = async |method: Method, path: &str, body: Value| {
        let request = build_request(method, &format!("/api/v1{path}")).insert_header(("If-Match", "*")).set_json(body);
        shop.send(with_bearer(request, &token)).await
    };
    let sent = json!({ "currency": "EURO", "owner": "nobody" });
    assert_named(&send(Method::POST, "/tickets", sent).await, &[("/currency", "format"), ("/owner", "unknown")]);
    let sent = json!({ "currency": "EUR", "owner": "nobody", "rounding": "7.00" });
    assert_named(&send(Method::POST, "/tickets", sent).await, &[("/owner", "unknown"), ("/rounding", "range")]);
    let made = send(Method::POST, "/tickets", json!({ "currency": "EUR" })).await;
    let path = format!("/tickets/{}", made.text_at("/id"));
    let patch = json!({ "owner": "nobody", "name": 7 });
    assert_named(&send(Method::PATCH, &path, patch).await, &[("/name", "type"), ("/owner", "unknown")]);
}
