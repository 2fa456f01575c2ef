//! API keys in the native API: create (with the secret in that response only), list, update,
//! delete, and authenticate.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::oauth::{INTROSPECT, token_request};
use crate::office::{OfficeClient, expected_pointers, violations};
use crate::portos_client::{PortosKey, UnsignedRequest};
use crate::portos_signed;
use crate::test_server::TestResponse;

fn create_api_key_body() -> Value {
    json!({ "name": "Warehouse", "user": "Admin", "device": "office", "permissions": ["tokenIntrospect"] })
}

/// What a program stores of a new key.
fn created_key_id(made: &TestResponse) -> PortosKey {
    PortosKey { client: made.text_at("/client_id"), secret: made.text_at("/client_secret") }
}

#[actix_web::test]
async fn api_key_is_created_read_updated_and_deleted() {
    let desk = OfficeClient::open().await;
    let made = desk.post("/api-keys", create_api_key_body()).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let (id, key) = (made.text_at("/id"), created_key_id(&made));
    let shown = json!({
        "id": id, "client_id": key.client, "name": "Warehouse", "description": "", "status": "active", "user": "admin",
        "device": "OFFICE", "permissions": ["tokenIntrospect"], "created_at": "2026-11-21T12:00:00.000Z",
        "expires_at": null, "last_used_at": null, "previous_secret_until": null,
    });
    let mut with_secret = shown.clone();
    with_secret["client_secret"] = json!(key.secret);
    assert_eq!(made.json(), with_secret);
    assert_eq!(
        (made.header("etag"), made.header("location"), made.header("cache-control")),
        ("\"1\"", &*format!("/api/v1/api-keys/{id}"), "no-store")
    );
    let path = format!("/api-keys/{id}");
    let read = desk.get(&path).await;
    assert_eq!((read.header("etag"), read.json()), ("\"1\"", shown.clone()), "without the secret");
    assert_eq!(desk.get("/api-keys").await.json(), json!({ "items": [shown], "next": null }));
    assert_eq!(desk.shop.send(token_request(INTROSPECT, &key, "x")).await.status, 200);

    let patch = json!({ "status": "revoked", "description": "at night" });
    let changed = desk.patch(&path, "\"1\"", patch).await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""), "{}", changed.json());
    assert_eq!((changed.text_at("/status"), changed.text_at("/description")), ("revoked".into(), "at night".into()));
    assert_eq!(desk.shop.send(token_request(INTROSPECT, &key, "x")).await.status, 401, "invalid at once");
    let old = desk.patch(&path, "\"1\"", json!({ "name": "Late" })).await;
    assert_eq!(
        (violations(&old), old.json()["version"].as_i64()),
        ((412, "version_moved".to_owned(), vec![]), Some(2))
    );
    let back = desk.patch(&path, "*", json!({ "status": "active", "description": null, "permissions": null })).await;
    assert_eq!((back.text_at("/description"), back.json()["permissions"].clone()), (String::new(), json!([])));
    assert_eq!(desk.shop.send(token_request(INTROSPECT, &key, "x")).await.status, 200);

    for (tag, status) in [(None, 428), (Some("\"1\""), 412), (Some("\"3\""), 204), (Some("*"), 404)] {
        assert_eq!(desk.send(Method::DELETE, &path, tag, None).await.status, status, "{tag:?}");
    }
    assert_eq!(desk.shop.send(token_request(INTROSPECT, &key, "x")).await.status, 401);
}

#[actix_web::test]
async fn all_body_violations_are_reported_at_once() {
    let desk = OfficeClient::open().await;
    let sent = json!({ "status": "gone", "description": 7, "device": "", "permissions": ["storno", "No Right", 1] });
    let expected = expected_pointers(&[
        ("/description", "type"),
        ("/device", "required"),
        ("/name", "required"),
        ("/permissions/1", "format"),
        ("/permissions/2", "type"),
        ("/status", "format"),
        ("/user", "required"),
    ]);
    assert_eq!(violations(&desk.post("/api-keys", sent).await), (422, "fields_invalid".to_owned(), expected));
    let texts = json!({ "name": "a\u{200b}b", "description": "x".repeat(2_001), "user": "" });
    let expected = expected_pointers(&[
        ("/description", "length"),
        ("/device", "required"),
        ("/name", "format"),
        ("/user", "required"),
    ]);
    assert_eq!(violations(&desk.post("/api-keys", texts).await), (422, "fields_invalid".to_owned(), expected));
    for (member, value, place, code) in [
        ("user", json!("nobody"), "/user", "unknown"),
        ("device", json!("UNLISTED"), "/device", "unknown"),
        ("name", json!("x".repeat(201)), "/name", "length"),
        ("description", json!("\u{7}"), "/description", "format"),
    ] {
        let mut body = create_api_key_body();
        body[member] = value;
        let response = desk.post("/api-keys", body).await;
        assert_eq!(
            violations(&response),
            (422, "fields_invalid".into(), vec![(place.into(), code.into())]),
            "{member}"
        );
    }
    let query = desk.get("/api-keys?status=gone&user=x&device=y&after=z&limit=201").await;
    let mut places: Vec<String> = violations(&query).2.into_iter().map(|(place, _)| place).collect();
    places.sort();
    assert_eq!(places, ["after", "device", "limit", "status", "user"]);
}

#[actix_web::test]
async fn api_key_list_is_paged_and_filtered() {
    let desk = OfficeClient::open().await;
    for (name, user) in [("a", "admin"), ("b", "cashier"), ("c", "admin"), ("d", "manager"), ("e", "admin")] {
        let made = desk.post("/api-keys", json!({ "name": name, "user": user, "device": "P01" })).await;
        assert_eq!(made.status, 201, "{}", made.json());
        desk.shop.clock.advance(Duration::from_millis(1));
    }
    assert_eq!(desk.collect_pages("/api-keys", "/name").await, ["a", "b", "c", "d", "e"]);
    let admin = desk.shop.log_in_native("admin").await.text_at("/session/user/id");
    assert_eq!(desk.collect_pages(&format!("/api-keys?user={admin}"), "/name").await, ["a", "c", "e"]);
    let first = desk.get("/api-keys?limit=1").await.text_at("/items/0/id");
    desk.patch(&format!("/api-keys/{first}"), "*", json!({ "status": "revoked" })).await;
    assert_eq!(desk.collect_pages("/api-keys?status=revoked", "/name").await, ["a"]);
    assert_eq!(desk.collect_pages(&format!("/api-keys?status=active&user={admin}"), "/name").await, ["c", "e"]);
    assert_eq!(desk.collect_pages("/api-keys?device=00000000-0000-7000-8000-000000000000", "/name").await, [""; 0]);
}

#[actix_web::test]
async fn api_key_of_another_tenant_is_not_found() {
    let desk = OfficeClient::open().await;
    let (theirs, key) =
        crate::portos_signed::create_key_in(&desk.shop, "other", "stranger", "THEIRS", &["tokenIntrospect"]);
    for id in [theirs.id.to_string().as_str(), "00000000-0000-7000-8000-000000000000", "garbage"] {
        let path = format!("/api-keys/{id}");
        for (method, body) in
            [(Method::GET, None), (Method::PATCH, Some(json!({ "name": "x" }))), (Method::DELETE, None)]
        {
            let response = desk.send(method.clone(), &path, Some("*"), body).await;
            assert_eq!(violations(&response), (404, "not_found".to_owned(), vec![]), "{method} {path}");
        }
    }
    assert_eq!(desk.collect_pages("/api-keys", "/id").await, [""; 0]);
    assert_eq!(desk.shop.send(token_request(INTROSPECT, &key, "x")).await.status, 200, "the key still exists");
}

#[actix_web::test]
async fn rotated_key_has_two_secrets_until_the_overlap_ends() {
    let desk = OfficeClient::open().await;
    let made = desk.post("/api-keys", create_api_key_body()).await;
    let (path, first) = (format!("/api-keys/{}", made.text_at("/id")), created_key_id(&made));
    let rotated = rotate(&desk, &path, "\"1\"", Some(json!({ "overlap_hours": 2 }))).await;
    assert_eq!((rotated.status.as_u16(), rotated.header("etag")), (200, "\"2\""), "{}", rotated.json());
    let second = created_key_id(&rotated);
    assert_eq!((second.client == first.client, second.secret == first.secret), (true, false));
    assert_eq!(rotated.text_at("/previous_secret_until"), "2026-11-21T14:00:00.000Z");
    let shown = desk.get(&path).await.json();
    assert!(!shown.to_string().contains(&second.secret), "{shown}");
    let statuses = async || {
        let mut found = Vec::new();
        for (key, number) in [(&first, 0), (&second, 1)] {
            let by_secret = desk.shop.send(token_request(INTROSPECT, key, "x")).await.status.as_u16();
            // PORTOS: a signature, with either secret
            let sent_at = desk.shop.auth.time().at.millis() + number;
            let signed = UnsignedRequest { sent_at, ..portos_signed::get("/portos/api/auth") };
            let by_signature = desk.shop.send(portos_signed::sign_request(key, &signed)).await.status.as_u16();
            found.push((by_secret, by_signature));
        }
        found
    };
    assert_eq!(statuses().await, [(200, 200), (200, 200)]);
    desk.shop.clock.advance(Duration::from_hours(2));
    assert_eq!(statuses().await, [(401, 401), (200, 200)]);
    // without a body, the overlap is a day
    let whole = OfficeClient::open().await;
    let made = whole.post("/api-keys", create_api_key_body()).await;
    let path = format!("/api-keys/{}", made.text_at("/id"));
    let rotated = rotate(&whole, &path, "*", None).await;
    assert_eq!(rotated.text_at("/previous_secret_until"), "2026-11-22T12:00:00.000Z");
    let none = rotate(&whole, &path, "*", Some(json!({ "overlap_hours": 0 }))).await;
    assert_eq!(none.json()["previous_secret_until"], Value::Null);
    for wrong in [json!(25), json!(-1), json!("1"), json!(1.5)] {
        let refused = violations(&rotate(&whole, &path, "*", Some(json!({ "overlap_hours": wrong }))).await);
        assert_eq!((refused.0, refused.1.as_str(), refused.2.len()), (422, "fields_invalid", 1), "{wrong}");
    }
    let unknown = "/api-keys/00000000-0000-7000-8000-000000000000";
    assert_eq!(rotate(&whole, unknown, "*", Some(json!({}))).await.status, 404);
}

#[actix_web::test]
async fn repeated_rotation_does_not_end_the_secret_in_use() {
    let desk = OfficeClient::open().await;
    let made = desk.post("/api-keys", create_api_key_body()).await;
    let (path, first) = (format!("/api-keys/{}", made.text_at("/id")), created_key_id(&made));
    let code = |response: &TestResponse| (response.status.as_u16(), response.text_at("/code"));
    let refused = |status: u16, code: &str| (status, code.to_owned());
    let unconditional = desk.send(Method::POST, &format!("{path}/rotate"), None, None).await;
    assert_eq!(unconditional.status, 428);
    let second = created_key_id(&rotate(&desk, &path, "\"1\"", None).await);
    let repeated = rotate(&desk, &path, "\"1\"", None).await;
    assert_eq!(code(&repeated), refused(412, "version_moved"));
    let again = rotate(&desk, &path, "*", Some(json!({ "overlap_hours": 1 }))).await;
    assert_eq!(code(&again), refused(409, "secret_overlap"));
    let status = async |key: &PortosKey| desk.shop.send(token_request(INTROSPECT, key, "x")).await.status.as_u16();
    assert_eq!((status(&first).await, status(&second).await), (200, 200));
    let third = created_key_id(&rotate(&desk, &path, "*", Some(json!({ "overlap_hours": 0 }))).await);
    assert_eq!((status(&first).await, status(&second).await, status(&third).await), (401, 401, 200));
    desk.patch(&path, "*", json!({ "status": "revoked" })).await;
    assert_eq!(code(&rotate(&desk, &path, "*", None).await), refused(409, "api_key_ended"));
}

async fn rotate(desk: &OfficeClient, key: &str, if_match: &str, body: Option<Value>) -> TestResponse {
    desk.send(Method::POST, &format!("{key}/rotate"), Some(if_match), body).await
}

#[actix_web::test]
async fn key_expires_and_shows_its_last_use() {
    let desk = OfficeClient::open().await;
    let mut body = create_api_key_body();
    body["expires_at"] = json!("2026-11-21T13:10:00+01:00");
    let made = desk.post("/api-keys", body.clone()).await;
    let (path, key) = (format!("/api-keys/{}", made.text_at("/id")), created_key_id(&made));
    assert_eq!(made.text_at("/expires_at"), "2026-11-21T12:10:00.000Z");
    desk.shop.clock.advance(Duration::from_secs(61));
    assert_eq!(desk.shop.send(token_request(INTROSPECT, &key, "x")).await.status, 200);
    desk.shop.auth.write_activity().unwrap();
    assert_eq!(desk.get(&path).await.text_at("/last_used_at"), "2026-11-21T12:01:00.000Z");
    desk.shop.clock.advance(Duration::from_mins(9));
    let expired = desk.shop.send(token_request(INTROSPECT, &key, "x")).await;
    let nobody = PortosKey { client: "nobody".to_owned(), ..key.clone() };
    let unknown = desk.shop.send(token_request(INTROSPECT, &nobody, "x")).await;
    assert_eq!((expired.status, expired.json()), (unknown.status, unknown.json()));
    assert_eq!(expired.status, 401);
    let again = desk.patch(&path, "*", json!({ "expires_at": null })).await;
    assert_eq!((again.status.as_u16(), &again.json()["expires_at"]), (200, &Value::Null));
    assert_eq!(desk.shop.send(token_request(INTROSPECT, &key, "x")).await.status, 200);
    for (wrong, code) in [
        (json!("2026-11-21T12:00:00Z"), "range"),
        (json!("tomorrow"), "type"),
        (json!(1), "type"),
        (json!("9999-12-31T23:59:59-23:59"), "type"),
    ] {
        body["expires_at"] = wrong.clone();
        let expected = (422, "fields_invalid".to_owned(), expected_pointers(&[("/expires_at", code)]));
        assert_eq!(violations(&desk.post("/api-keys", body.clone()).await), expected, "{wrong}");
        assert_eq!(violations(&desk.patch(&path, "*", json!({ "expires_at": wrong })).await), expected);
    }
}
