//! The native API's sessions.

use std::time::Duration;

use serde_json::{Value, json};

use crate::test_server::{TEST_PASSWORD, TestServer, build_request, post_request};
use actix_web::http::Method;

const RANDOM_POINTERS: &[&str] = &["/access_token", "/refresh_token", "/session/id", "/session/user/id"];

#[actix_web::test]
async fn login_on_device_returns_tokens_and_session() {
    let shop = TestServer::start();
    let response = shop
        .post(
            "/api/v1/sessions",
            json!({ "login": "cashier", "password": TEST_PASSWORD, "device": "P01", "extra": [1] }),
        )
        .await;
    assert_eq!(response.status, 201);
    assert_eq!(response.header("cache-control"), "no-store");
    assert_eq!(response.header("content-type"), "application/json");
    assert_eq!(response.header("location"), format!("/api/v1/sessions/{}", response.text_at("/session/id")));
    let device = response.text_at("/session/device/id");
    assert_eq!(
        response.json_masked(RANDOM_POINTERS),
        json!({
            "access_token": "…",
            "token_type": "Bearer",
            "expires_in": 900,
            "expires_at": "2026-11-21T12:15:00.000Z",
            "refresh_token": "…",
            "refresh_expires_at": "2026-12-21T12:00:00.000Z",
            "session": {
                "id": "…",
                "user": { "id": "…", "user_name": "cashier" },
                "device": { "id": device, "name": "P01" },
                "mount": "native",
                "created_at": "2026-11-21T12:00:00.000Z",
                "last_used_at": null,
                "expires_at": "2026-12-21T12:00:00.000Z",
                "ended_at": null,
                "ended_why": null,
            },
        })
    );
}

#[actix_web::test]
async fn login_accepts_email_tenant_or_device() {
    let shop = TestServer::start();
    let by_mail = shop.log_in_native("Admin@Example.com").await;
    assert_eq!(by_mail.text_at("/session/user/user_name"), "admin");
    assert_eq!(by_mail.json()["session"]["device"], json!(null));

    let named = shop
        .post("/api/v1/sessions", json!({ "login": "stranger", "password": TEST_PASSWORD, "tenant": "other" }))
        .await;
    assert_eq!(named.status, 201);
    let unnamed = shop.post("/api/v1/sessions", json!({ "login": "stranger", "password": TEST_PASSWORD })).await;
    assert_eq!(unnamed.status, 401);

    let device =
        shop.post("/api/v1/sessions", json!({ "device": "P01", "password": TEST_PASSWORD, "login": null })).await;
    assert_eq!(device.status, 201);
    assert_eq!(device.json()["session"]["user"], json!(null));
    let current = shop.get("/api/v1/sessions/current", &device.text_at("/access_token")).await;
    assert_eq!(current.json()["user"], json!(null));
    assert_eq!(current.json()["device"]["name"], "P01");
}

#[actix_web::test]
async fn empty_login_is_no_device_login() {
    let shop = TestServer::start();
    let response =
        shop.post("/api/v1/sessions", json!({ "login": "", "password": TEST_PASSWORD, "device": "P01" })).await;
    assert_eq!((response.status.as_u16(), response.text_at("/code").as_str()), (401, "login_mismatch"));
}

#[actix_web::test]
async fn every_refused_login_reads_as_wrong_password() {
    let wrong = |login: &str, device: Option<&str>, password: &str| json!({ "login": login, "password": password, "device": device });
    for body in [
        wrong("cashier", Some("P01"), "wrong"),
        wrong("cashier", Some("P01"), ""),
        wrong("cashier", Some("P01"), &"x".repeat(500)),
        wrong("nobody", Some("P01"), TEST_PASSWORD),
        wrong("cashier", Some("NOWHERE"), TEST_PASSWORD),
        wrong("cashier", Some("UNLISTED"), TEST_PASSWORD),
        wrong("cashier", Some("LOCKED"), TEST_PASSWORD),
        wrong("idle", Some("P01"), TEST_PASSWORD),
        wrong("virtual", Some("P01"), TEST_PASSWORD),
        wrong("far", None, TEST_PASSWORD),
    ] {
        let response = TestServer::start().post("/api/v1/sessions", body.clone()).await;
        assert_eq!(response.status, 401, "{body}");
        assert_eq!(response.header("content-type"), "application/problem+json");
        assert_eq!(response.challenges(), ["Bearer realm=\"tillgate\""]);
        assert_eq!(response.text_at("/trace_id"), response.header("x-request-id"));
        assert_eq!(
            response.json_masked(&["/trace_id"]),
            json!({
                "type": "about:blank",
                "title": "Unauthorized",
                "status": 401,
                "detail": "The name, the password or the device is wrong, or the user has no role there.",
                "instance": "/api/v1/sessions",
                "code": "login_mismatch",
                "trace_id": "…",
            }),
            "{body}"
        );
    }
}

#[actix_web::test]
async fn all_body_violations_are_reported_at_once() {
    let shop = TestServer::start();
    let response = shop.post("/api/v1/sessions", json!({ "login": 5, "device": "x".repeat(101), "tenant": [] })).await;
    assert_eq!(response.status, 422);
    assert_eq!(
        response.json()["errors"],
        json!([
            { "pointer": "/device", "code": "length", "detail": "must have at most 100 characters",
              "rule": "max_characters", "max": 100 },
            { "pointer": "/login", "code": "type", "detail": "must be a string" },
            { "pointer": "/password", "code": "required", "detail": "is required" },
            { "pointer": "/tenant", "code": "type", "detail": "must be a string" },
        ])
    );
    let nobody = shop.post("/api/v1/sessions", json!({ "password": TEST_PASSWORD })).await;
    assert_eq!(nobody.json()["errors"][0]["pointer"], "/login");
    let list = shop.post("/api/v1/sessions", json!(["cashier", TEST_PASSWORD, "P01"])).await;
    assert_eq!((list.status.as_u16(), list.json()["errors"][0]["pointer"].clone()), (422, json!("")));
}

#[actix_web::test]
async fn current_session_returns_identity_and_rights() {
    let shop = TestServer::start();
    let login =
        shop.post("/api/v1/sessions", json!({ "login": "admin", "password": TEST_PASSWORD, "device": "P01" })).await;
    let response = shop.get("/api/v1/sessions/current", &login.text_at("/access_token")).await;
    assert_eq!(response.status, 200);
    let session = login.json()["session"].clone();
    assert_eq!(
        response.json(),
        json!({
            "session": {
                "id": session["id"],
                "user": { "id": session["user"]["id"] },
                "device": { "id": session["device"]["id"] },
                "mount": "native",
                "created_at": "2026-11-21T12:00:00.000Z",
                "last_used_at": "2026-11-21T12:00:00.000Z",
                "expires_at": "2026-12-21T12:00:00.000Z",
                "ended_at": null,
                "ended_why": null,
            },
            "user": { "id": session["user"]["id"], "user_name": "admin", "display_name": "Ada Admin", "email": "admin@example.com" },
            "device": {
                "id": session["device"]["id"],
                "name": "P01",
                "environment": "CashRegister",
                "settings": {
                    "DefaultFiscalName": "eKasa", "DefaultOrderEndpointName": "", "DefaultStockName": "S01", "MaxQuantity": "200",
                    "NoticeOnNegativeSale": "false", "OpenedPrices": "false", "VisibleQuantities": "false",
                },
            },
            "rights": ["admin"],
        })
    );
}

#[actix_web::test]
async fn refresh_rotates_once_per_overlap_and_replay_ends_session() {
    let shop = TestServer::start();
    let login = shop.log_in_native("cashier").await;
    let refresh = async |token: &str| shop.post("/api/v1/sessions/refresh", json!({ "refresh_token": token })).await;
    let first = login.text_at("/refresh_token");
    let second = refresh(&first).await;
    assert_eq!(second.status, 200);
    assert_eq!(second.text_at("/session/id"), login.text_at("/session/id"));
    assert_ne!(second.text_at("/refresh_token"), first);
    assert_eq!(second.header("cache-control"), "no-store");
    let repeat = refresh(&first).await;
    assert_eq!(repeat.text_at("/refresh_token"), second.text_at("/refresh_token"));
    // the successor is in use and the grace period passes, so the first token is a replay now
    assert_eq!(shop.get("/api/v1/sessions/current", &second.text_at("/access_token")).await.status, 200);
    shop.clock.advance(Duration::from_secs(121));
    let replay = refresh(&first).await;
    assert_eq!((replay.status.as_u16(), replay.text_at("/code").as_str()), (401, "token_replayed"));
    assert!(replay.challenges()[0].contains("error=\"invalid_token\""), "{:?}", replay.challenges());
    let over = shop.get("/api/v1/sessions/current", &second.text_at("/access_token")).await;
    assert_eq!((over.status.as_u16(), over.text_at("/code").as_str()), (401, "session_over"));
}

#[actix_web::test]
async fn logout_ends_session_at_once() {
    let shop = TestServer::start();
    let login = shop.log_in_native("cashier").await;
    let token = login.text_at("/access_token");
    let out = shop.delete("/api/v1/sessions/current", &token).await;
    assert_eq!((out.status.as_u16(), out.bytes.len()), (204, 0));
    assert_eq!(shop.get("/api/v1/sessions/current", &token).await.status, 401);
    let refresh =
        shop.post("/api/v1/sessions/refresh", json!({ "refresh_token": login.text_at("/refresh_token") })).await;
    assert_eq!(refresh.status, 401);
}

#[actix_web::test]
async fn expired_token_is_401() {
    let shop = TestServer::start();
    let login = shop.log_in_native("cashier").await;
    shop.clock.advance(Duration::from_secs(901));
    let response = shop.get("/api/v1/sessions/current", &login.text_at("/access_token")).await;
    assert_eq!((response.status.as_u16(), response.text_at("/code").as_str()), (401, "token_expired"));
    assert_eq!(
        response.challenges(),
        ["Bearer realm=\"tillgate\", error=\"invalid_token\", error_description=\"the token has expired\""]
    );
    let refresh =
        shop.post("/api/v1/sessions/refresh", json!({ "refresh_token": login.text_at("/refresh_token") })).await;
    assert_eq!(refresh.status, 200);
}

#[actix_web::test]
async fn keys_health_and_readiness_are_public() {
    let shop = TestServer::start();
    let keys = shop.send(build_request(Method::GET, "/.well-known/jwks.json")).await;
    assert_eq!((keys.status.as_u16(), keys.header("content-type")), (200, "application/jwk-set+json"));
    assert_eq!(keys.header("cache-control"), "public, max-age=300");
    let key = &keys.json()["keys"][0];
    assert_eq!((key["kty"].as_str(), key["d"].as_str()), (Some("OKP"), None));
    assert_eq!(shop.send(build_request(Method::GET, "/healthz")).await.status, 200);
    let ready = shop.send(build_request(Method::GET, "/readyz")).await;
    assert_eq!(ready.status, 200);
    assert_eq!(
        ready.json(),
        json!({
            "status": "ready",
            "parts": { "store": true, "writes": true, "keys": true, "changes": true, "complete": true, "clock_in_doubt": false },
        })
    );
    assert_eq!(shop.send(build_request(Method::HEAD, "/healthz")).await.status, 200);
}

#[actix_web::test]
async fn truncated_utf8_and_deep_nesting_are_rejected() {
    let half = build_request(Method::POST, "/api/v1/sessions")
        .insert_header(("Content-Type", "application/json"))
        .set_payload(r#"{"login":"cashier","password":"\ud800"}"#);
    assert_eq!(TestServer::start().send(half).await.status, 400);
    let deep = build_request(Method::POST, "/api/v1/sessions")
        .insert_header(("Content-Type", "application/json"))
        .set_payload(format!("{{\"login\":{}{}}}", "[".repeat(9000), "]".repeat(9000)));
    assert_eq!(TestServer::start().send(deep).await.status, 400);
}

#[actix_web::test]
async fn duplicate_password_member_is_rejected() {
    let shop = TestServer::start();
    let twice = build_request(Method::POST, "/api/v1/sessions")
        .insert_header(("Content-Type", "application/json"))
        .set_payload(format!("{{\"login\":\"cashier\",\"password\":\"x\",\"password\":\"{TEST_PASSWORD}\"}}"));
    let response = shop.send(twice).await;
    assert_eq!(response.status, 422, "{}", response.json());
    assert!(!String::from_utf8_lossy(&response.bytes).contains(TEST_PASSWORD));
    let ok =
        shop.send(post_request("/api/v1/sessions", json!({ "login": "cashier", "password": TEST_PASSWORD }))).await;
    assert_eq!(ok.status, 201);
}

/// Guesses of others do not lock out a till with an earlier refresh token.
#[actix_web::test]
async fn login_with_previous_refresh_token_is_not_limited_by_others_guesses() {
    let shop = TestServer::start();
    let body = |password: &str| json!({ "login": "cashier", "password": password, "device": "P01" });
    let first = shop.send_from("192.0.2.1", post_request("/api/v1/sessions", body(TEST_PASSWORD))).await;
    assert_eq!(first.status, 201, "{}", first.json());
    for number in 0..12 {
        shop.send_from(
            &format!("198.51.{number}.1"),
            post_request("/api/v1/sessions", body(&format!("wrong {number}"))),
        )
        .await;
    }
    let with = |previous: Value| {
        let mut body = body(TEST_PASSWORD);
        body["previous_refresh_token"] = previous;
        shop.send_from("203.0.113.1", post_request("/api/v1/sessions", body))
    };
    let held = with(json!("garbage")).await;
    assert_eq!((held.status.as_u16(), held.header("retry-after")), (429, "960"));
    assert_eq!(with(Value::Null).await.status, 429, "as if there were none");
    assert_eq!(with(json!(7)).await.status, 422, "which it cannot be");
    assert_eq!(with(json!(first.text_at("/refresh_token"))).await.status, 201);
    let known = shop.send_from("192.0.2.200", post_request("/api/v1/sessions", body(TEST_PASSWORD))).await;
    assert_eq!(known.status, 201, "its network is known");
}
