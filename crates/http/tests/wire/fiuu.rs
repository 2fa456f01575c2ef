//! Fiuu: registers log in as themselves, by JSON or form; every operation and error of the
//! published documentation.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::{Value, json};
use tillgate_domain::office::DeviceChange;
use tillgate_domain::{DeviceStatus, Slug, Zone};
use tillgate_http::{Fiuu, HttpSettings, Mount};

use crate::mounts::{fiuu, mounts, native};
use crate::test_server::{StoreState, TEST_PASSWORD, TestResponse, TestServer, build_request, post_request};

const LOGIN: &str = "/fiuu/auth/login";
const REFRESH: &str = "/fiuu/auth/refresh";
const LOGOUT: &str = "/fiuu/auth/logout";
pub const TERMINALS: &str = "/fiuu/api/terminals";

pub fn server_in_zone(zone: &str) -> TestServer {
    TestServer::in_time_zone(Zone::parse(zone).unwrap(), HttpSettings::default(), mounts())
}

fn form_request(body: &str) -> TestRequest {
    let kind = ("Content-Type", "application/x-www-form-urlencoded");
    build_request(Method::POST, LOGIN).insert_header(kind).set_payload(body.to_owned())
}

pub fn login_request(name: &str, password: &str) -> TestRequest {
    post_request(LOGIN, json!({ "posId": name, "password": password }))
}

pub async fn refresh(shop: &TestServer, token: &str) -> TestResponse {
    shop.with_token(Method::POST, REFRESH, token).await
}

/// Asserts that the response contains tokens byte for byte as published, with these timestamps, and
/// returns them.
pub fn assert_tokens(response: &TestResponse, access_until: &str, refresh_until: &str) -> (String, String) {
    let text = String::from_utf8_lossy(&response.bytes);
    assert_eq!((response.status.as_u16(), response.header("content-type")), (200, "application/json"), "{text}");
    assert_eq!(response.header("cache-control"), "no-store");
    let (access, refresh) = (response.text_at("/access/token"), response.text_at("/refresh/token"));
    let expected = format!(
        r#"{{"access":{{"token":"{access}","expiresAt":"{access_until}"}},"refresh":{{"token":"{refresh}","expiresAt":"{refresh_until}"}}}}"#
    );
    assert_eq!(text, expected);
    (access, refresh)
}

/// Asserts that the response is this error, byte for byte.
fn assert_error(response: &TestResponse, status: u16, code: u32, slug: &str, message: &str) {
    let text = String::from_utf8_lossy(&response.bytes);
    let expected = format!(r#"{{"code":{code},"error":"{slug}","message":"{message}"}}"#);
    assert_eq!((response.status.as_u16(), text.as_ref()), (status, expected.as_str()));
    assert_eq!(response.header("content-type"), "application/json");
    assert_eq!(response.challenges().len(), usize::from(status == 401), "{message}");
    assert_eq!(response.header("retry-after").is_empty(), ![429, 503].contains(&status), "{message}");
}

pub fn assert_unauthorized(response: &TestResponse, code: u32, message: &str) {
    assert_error(response, 401, code, "unauthorized", message);
}

fn assert_invalid(response: &TestResponse, code: u32, message: &str) {
    assert_error(response, 400, code, "invalid_request", message);
}

const INVALID_ACCESS_TOKEN: (u32, &str) = (40_120, "Invalid or missing access token.");
const INVALID_REFRESH_TOKEN: (u32, &str) = (40_121, "Invalid or missing refresh token.");
pub const SESSION_EXPIRED: (u32, &str) = (40_122, "Session expired.");
pub const TOKEN_EXPIRED: (u32, &str) = (40_123, "Token expired.");
const AUTHENTICATION_FAILED: (u32, &str) = (40_125, "Authentication failed.");

#[actix_web::test]
async fn login_returns_both_tokens_for_json_and_form() {
    let shop = server_in_zone("Asia/Kuala_Lumpur");
    let json = shop.send(login_request("P01", TEST_PASSWORD)).await;
    let by_form = shop.send(form_request("posId=P01&password=correct+horse")).await;
    let encoded = shop.send(form_request("password=%63orrect%20horse&posId=%20p01&more=x")).await;
    for response in [json, by_form, encoded] {
        let (until, midnight) = ("2026-11-21T20:15:00.000+08:00", "2026-11-22T00:00:00.000+08:00");
        let (access, token) = assert_tokens(&response, until, midnight);
        assert_eq!(shop.get(TERMINALS, &access).await.status, 200);
        assert_tokens(&refresh(&shop, &token).await, until, midnight);
    }
}

#[actix_web::test]
async fn earlier_access_token_stays_valid_after_refresh() {
    let shop = server_in_zone("Asia/Kuala_Lumpur");
    let first = shop.log_in_fiuu().await;
    shop.clock.advance(Duration::from_mins(10));
    let second = refresh(&shop, &first.text_at("/refresh/token")).await;
    let (access, token) = assert_tokens(&second, "2026-11-21T20:25:00.000+08:00", "2026-11-22T00:00:00.000+08:00");
    assert_ne!(access, first.text_at("/access/token"));
    assert_ne!(token, first.text_at("/refresh/token"));
    for token in [&first.text_at("/access/token"), &access] {
        assert_eq!(shop.get(TERMINALS, token).await.status, 200);
    }
    let again = refresh(&shop, &first.text_at("/refresh/token")).await;
    assert_eq!(again.text_at("/refresh/token"), token, "a response that was lost is given again");
    shop.clock.advance(Duration::from_mins(5));
    let (code, message) = TOKEN_EXPIRED;
    assert_unauthorized(&shop.get(TERMINALS, &first.text_at("/access/token")).await, code, message);
    assert_unauthorized(&shop.with_token(Method::POST, LOGOUT, &first.text_at("/access/token")).await, code, message);
    assert_eq!(shop.get(TERMINALS, &access).await.status, 200);
    let (code, message) = SESSION_EXPIRED;
    assert_unauthorized(&refresh(&shop, &first.text_at("/refresh/token")).await, code, message);
    assert_unauthorized(&refresh(&shop, &token).await, code, message);
    assert_unauthorized(&shop.get(TERMINALS, &access).await, code, message);
}

#[actix_web::test]
async fn logout_takes_effect_at_once() {
    let shop = TestServer::start();
    let (one, other) = (shop.log_in_fiuu().await, shop.log_in_fiuu().await);
    let response = shop.with_token(Method::POST, LOGOUT, &one.text_at("/access/token")).await;
    assert_eq!(
        (response.status.as_u16(), String::from_utf8_lossy(&response.bytes).as_ref()),
        (200, r#"{"code":20000,"message":"Operation completed successfully."}"#)
    );
    for response in [
        shop.get(TERMINALS, &one.text_at("/access/token")).await,
        shop.with_token(Method::POST, LOGOUT, &one.text_at("/access/token")).await,
        refresh(&shop, &one.text_at("/refresh/token")).await,
    ] {
        assert_unauthorized(&response, SESSION_EXPIRED.0, SESSION_EXPIRED.1);
    }
    assert_eq!(shop.get(TERMINALS, &other.text_at("/access/token")).await.status, 200, "a second login is allowed");
}

#[actix_web::test]
async fn invalid_token_is_reported_by_its_place() {
    let shop = TestServer::start();
    let own = shop.log_in_fiuu().await;
    let (access, token) = (own.text_at("/access/token"), own.text_at("/refresh/token"));
    let native = shop.log_in_native("cashier").await;
    let kasir = shop.log_in_kasir("cashier").await;
    let calls = [
        (Method::GET, TERMINALS, INVALID_ACCESS_TOKEN),
        (Method::POST, LOGOUT, INVALID_ACCESS_TOKEN),
        (Method::POST, REFRESH, INVALID_REFRESH_TOKEN),
    ];
    for (method, path, (code, message)) in calls {
        let wrong = if path == REFRESH { &access } else { &token };
        let foreign =
            [native.text_at("/access_token"), native.text_at("/refresh_token"), kasir.text_at("/data/refresh_token")];
        for sent in [wrong.as_str(), "", "garbage", &foreign[0], &foreign[1], &foreign[2], &"x".repeat(20_000)] {
            assert_unauthorized(&shop.with_token(method.clone(), path, sent).await, code, message);
        }
        let bare = || build_request(method.clone(), path);
        let twice = bare()
            .append_header(("Authorization", format!("Bearer {access}")))
            .append_header(("Authorization", format!("Bearer {token}")));
        let basic = bare().insert_header(("Authorization", "Basic UDAxOng="));
        let bytes = bare().insert_header(("Authorization", &b"Bearer \xff"[..]));
        for request in [bare(), twice, basic, bytes] {
            assert_unauthorized(&shop.send(request).await, code, message);
        }
    }
    for path in ["/api/v1/sessions/current", "/kasir/api/v1/auth/me", "/portos/api/auth", "/krmpesan/devices"] {
        assert_eq!(shop.get(path, &access).await.status, 401, "{path}");
    }
    let elsewhere = json!({ "refresh_token": token });
    assert_eq!(shop.post("/api/v1/sessions/refresh", elsewhere.clone()).await.status, 401);
    assert_eq!(shop.post("/kasir/api/v1/auth/refresh", elsewhere).await.status, 401);
    assert_eq!(shop.get(TERMINALS, &access).await.status, 200, "none of it ended the session");
    let stray = login_request("P01", TEST_PASSWORD).insert_header(("Authorization", "Bearer garbage"));
    assert_eq!(shop.send(stray).await.status, 200, "a login looks at no header");
    let laden = build_request(Method::POST, REFRESH)
        .insert_header(("Authorization", format!("bearer {token}")))
        .insert_header(("Content-Type", "text/plain"))
        .set_payload("{{{");
    assert_eq!(shop.send(laden).await.status, 200, "a refresh looks at no body");
}

#[actix_web::test]
async fn account_status_is_reported_after_right_password_only() {
    for (status, code, message) in [
        (DeviceStatus::Pending, 40_311, "Login failed, this account is pending activation."),
        (DeviceStatus::Locked, 40_312, "Login failed, this account is currently suspended."),
        (DeviceStatus::Retired, 40_313, "Login failed, this account is permanently deleted."),
    ] {
        let shop = TestServer::start();
        let before = shop.log_in_fiuu().await;
        shop.change_device("P01", &DeviceChange { status: Some(status), ..DeviceChange::default() });
        assert_unauthorized(
            &shop.send(login_request("P01", "wrong")).await,
            AUTHENTICATION_FAILED.0,
            AUTHENTICATION_FAILED.1,
        );
        assert_error(&shop.send(login_request("P01", TEST_PASSWORD)).await, 403, code, "forbidden", message);
        assert_unauthorized(
            &refresh(&shop, &before.text_at("/refresh/token")).await,
            SESSION_EXPIRED.0,
            SESSION_EXPIRED.1,
        );
        assert_unauthorized(
            &shop.get(TERMINALS, &before.text_at("/access/token")).await,
            SESSION_EXPIRED.0,
            SESSION_EXPIRED.1,
        );
        for _ in 0..20 {
            let again = shop.send(login_request("P01", TEST_PASSWORD)).await;
            assert_error(&again, 403, code, "forbidden", message);
        }
    }
}

#[actix_web::test]
async fn other_principals_cannot_log_in() {
    let shop = TestServer::start();
    for (name, password) in [
        ("P02", TEST_PASSWORD),
        ("P01", "wrong"),
        ("P01", ""),
        ("OFFICE", TEST_PASSWORD),
        ("OFFICE", ""),
        ("cashier", TEST_PASSWORD),
        ("admin@example.com", TEST_PASSWORD),
        ("$plain$", "correct horse battery"),
    ] {
        assert_unauthorized(
            &shop.send(login_request(name, password)).await,
            AUTHENTICATION_FAILED.0,
            AUTHENTICATION_FAILED.1,
        );
    }
}

#[actix_web::test]
async fn incomplete_login_has_its_error_number() {
    let shop = TestServer::start();
    let raw = |kind: &'static str, body: &'static [u8]| {
        build_request(Method::POST, LOGIN).insert_header(("Content-Type", kind)).set_payload(body)
    };
    let (json, form_type) = ("application/json", "application/x-www-form-urlencoded");
    let long = "x".repeat(101);
    for body in [
        json!({ "posId": "", "password": "x" }),
        json!({ "posId": "  ", "password": "x" }),
        json!({ "posId": long, "password": "x" }),
        json!({ "posId": "a\u{0}b", "password": "x" }),
        json!({ "posId": 12, "password": "x" }),
        json!({ "posId": ["P01"], "password": "x" }),
        json!({ "posId": "" }),
    ] {
        assert_invalid(&shop.post(LOGIN, body).await, 40_021, "Invalid POS ID.");
    }
    for body in ["posId=&password=x", "posId&password=x", &format!("posId={long}&password=x")] {
        assert_invalid(&shop.send(form_request(body)).await, 40_021, "Invalid POS ID.");
    }
    let unreadable = (40_031, "Invalid or missing parameters.");
    for body in [
        json!({}),
        json!([]),
        json!({ "posId": "P01" }),
        json!({ "password": TEST_PASSWORD }),
        json!({ "posId": "P01", "password": null }),
        json!({ "posId": "P01", "password": 12 }),
        json!({ "posid": "P01", "password": TEST_PASSWORD }),
    ] {
        assert_invalid(&shop.post(LOGIN, body).await, unreadable.0, unreadable.1);
    }
    for (kind, body) in [
        (json, &b""[..]),
        (json, b"{"),
        (json, b"posId=P01&password=x"),
        (json, b"{\"posId\":\"\xff\",\"password\":\"x\"}"),
        (form_type, b""),
        (form_type, b"posId=P01"),
        (form_type, b"posId=P01&password=%ff"),
        (form_type, b"{\"posId\":\"P01\",\"password\":\"x\"}"),
    ] {
        assert_invalid(&shop.send(raw(kind, body)).await, unreadable.0, unreadable.1);
    }
    let twice = shop.send(form_request("posId=P01&posId=P01&password=correct%20horse")).await;
    assert_invalid(&twice, unreadable.0, unreadable.1);
}

#[actix_web::test]
async fn other_errors_keep_the_shape() {
    let shop = TestServer::start();
    let raw = |kind: &'static str| build_request(Method::POST, LOGIN).insert_header(("Content-Type", kind));
    let unsupported = |response: &TestResponse| {
        assert_error(response, 415, 41_500, "unsupported_media_type", "Unsupported Media Type");
    };
    unsupported(&shop.send(raw("text/plain").set_payload("{}")).await);
    unsupported(&shop.send(build_request(Method::POST, LOGIN).set_payload("{}")).await);
    unsupported(&shop.send(raw("multipart/form-data; boundary=x").set_payload("--x--")).await);
    unsupported(&shop.send(login_request("P01", TEST_PASSWORD).insert_header(("Content-Encoding", "gzip"))).await);
    let large = shop.send(raw("application/json").set_payload(vec![b' '; 64 * 1024 + 1])).await;
    assert_error(&large, 413, 41_300, "payload_too_large", "Payload Too Large");
    for path in ["/fiuu", "/fiuu/auth", "/fiuu/nothing", "/fiuu/auth/login/"] {
        assert_error(&shop.get(path, "garbage").await, 404, 40_400, "not_found", "Not Found");
    }
    let wrong = shop.send(build_request(Method::GET, LOGIN)).await;
    assert_error(&wrong, 405, 40_500, "method_not_allowed", "Method Not Allowed");
    assert_eq!(wrong.header("allow"), "POST");
    for (mood, status, code, slug, message) in [
        (StoreState::Unavailable, 503, 50_300, "service_unavailable", "Service Unavailable"),
        (StoreState::Broken, 500, 500, "internal_server_error", "Internal server error."),
        (StoreState::Panicking, 500, 500, "internal_server_error", "Internal server error."),
    ] {
        shop.store.set_state(mood);
        assert_error(&shop.send(login_request("P01", TEST_PASSWORD)).await, status, code, slug, message);
        shop.store.set_state(StoreState::Healthy);
    }
}

#[actix_web::test]
async fn guesses_and_floods_are_limited_with_their_own_errors() {
    let shop = TestServer::start();
    let mut response = shop.send(login_request("P01", "wrong")).await;
    for number in 0..10 {
        assert_unauthorized(&response, AUTHENTICATION_FAILED.0, AUTHENTICATION_FAILED.1);
        response = shop.send(login_request("P01", &format!("wrong {number}"))).await;
    }
    let locked = "Login failed, this account is temporarily locked due to multiple failed login attempts.";
    assert_error(&response, 429, 42_930, "rate_limit_exceeded", locked);
    assert_error(&shop.send(login_request("P01", TEST_PASSWORD)).await, 429, 42_930, "rate_limit_exceeded", locked);

    let three = Mount::at_prefix("/fiuu", std::sync::Arc::new(Fiuu::new(Fiuu::default_terms(), 3))).unwrap();
    let shop =
        TestServer::with_mounts(HttpSettings::default(), vec![three.with_tenant(Slug::parse("default").unwrap())]);
    let (access, token) = (shop.log_in_fiuu().await.text_at("/access/token"), "garbage");
    assert_eq!(refresh(&shop, token).await.status, 401);
    assert_eq!(shop.get(TERMINALS, &access).await.status, 200);
    for response in [
        shop.get(TERMINALS, &access).await,
        shop.send(login_request("P01", TEST_PASSWORD)).await,
        refresh(&shop, token).await,
    ] {
        assert_error(&response, 429, 42_900, "rate_limit_exceeded", "Too many requests.");
    }
    assert_eq!(shop.send_from("192.0.2.8", login_request("P01", TEST_PASSWORD)).await.status, 200, "from elsewhere");
}

#[actix_web::test]
async fn terminals_list_devices_and_recent_connections() {
    let shop = TestServer::start();
    let access = shop.log_in_fiuu().await.text_at("/access/token");
    let terminal = |name: &str, connected: bool| json!({ "terminalId": name, "connected": connected, "isVT": 0 });
    let names = ["LOCKED", "OFFICE", "P01", "PDA1", "UNLISTED"];
    let expected = |connected: &[&str]| json!({ "data": names.map(|name| terminal(name, connected.contains(&name))) });
    let response = shop.get(TERMINALS, &access).await;
    let text = String::from_utf8_lossy(&response.bytes).into_owned();
    assert!(text.starts_with(r#"{"data":[{"terminalId":"LOCKED","connected":false,"isVT":0},"#), "{text}");
    assert_eq!(response.json(), expected(&["P01"]), "the caller is connected");

    let office = shop.log_in_portos("cashier", "OFFICE").await.text_at("/tokenId");
    assert_eq!(shop.get("/portos/api/auth", &office).await.status, 200);
    shop.auth.write_activity().unwrap();
    assert_eq!(shop.get(TERMINALS, &access).await.json(), expected(&["P01"]), "read within this second");
    shop.clock.advance(Duration::from_secs(1));
    assert_eq!(shop.get(TERMINALS, &access).await.json(), expected(&["P01", "OFFICE"]));
    shop.clock.advance(Duration::from_mins(5) - Duration::from_secs(1));
    assert_eq!(shop.get(TERMINALS, &access).await.json(), expected(&["P01", "OFFICE"]), "five minutes ago");
    shop.clock.advance(Duration::from_millis(1));
    assert_eq!(shop.get(TERMINALS, &access).await.json(), expected(&["P01"]), "longer ago");
    shop.change_device("PDA1", &DeviceChange { status: Some(DeviceStatus::Retired), ..DeviceChange::default() });
    shop.clock.advance(Duration::from_secs(1));
    let left: Vec<Value> =
        names.into_iter().filter(|name| *name != "PDA1").map(|name| terminal(name, name == "P01")).collect();
    assert_eq!(shop.get(TERMINALS, &access).await.json()["data"], json!(left));
}

#[actix_web::test]
async fn tenant_mount_rejects_registers_of_other_tenants() {
    let slug = |slug: &str| Slug::parse(slug).unwrap();
    let shop = TestServer::with_mounts(
        HttpSettings::default(),
        vec![fiuu("/fiuu").with_tenant(slug("default")), fiuu("/other").with_tenant(slug("other")), native("/api/v1")],
    );
    let own = shop.log_in_fiuu().await;
    let login = json!({ "posId": "P01", "password": TEST_PASSWORD });
    assert_unauthorized(&shop.post("/other/auth/login", login).await, AUTHENTICATION_FAILED.0, AUTHENTICATION_FAILED.1);
    let foreign = shop.get("/other/api/terminals", &own.text_at("/access/token")).await;
    assert_unauthorized(&foreign, INVALID_ACCESS_TOKEN.0, INVALID_ACCESS_TOKEN.1);
    let foreign = shop.with_token(Method::POST, "/other/auth/refresh", &own.text_at("/refresh/token")).await;
    assert_unauthorized(&foreign, INVALID_REFRESH_TOKEN.0, INVALID_REFRESH_TOKEN.1);
    assert_eq!(refresh(&shop, &own.text_at("/refresh/token")).await.status, 200);
}
