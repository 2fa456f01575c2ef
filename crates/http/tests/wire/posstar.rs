//! PosStar: registration of vendors, and the single token that is exchanged; every operation and
//! error of the published documentation.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};
use tillgate_domain::{BranchId, TenantId, UserId};
use tillgate_http::{HttpSettings, Mount, PosStar};

use crate::test_server::{NOON, StoreState, TEST_PASSWORD, TestResponse, TestServer, build_request, post_request};

const REGISTER: &str = "/posstar/api/v1/auth/register";
const LOGIN: &str = "/posstar/api/v1/auth/login";
pub const ME: &str = "/posstar/api/v1/auth/me";
const LOGOUT: &str = "/posstar/api/v1/auth/logout";
pub const REFRESH: &str = "/posstar/api/v1/auth/refresh";

/// A valid registration.
pub fn registration(email: &str) -> Value {
    json!({
        "name": "Rita Retail", "email": email, "password": "a song in the rain",
        "business_name": "Corner Shop", "industry": "grocery",
    })
}

pub async fn register(shop: &TestServer, email: &str) -> TestResponse {
    let response = shop.post(REGISTER, registration(email)).await;
    assert_eq!(response.status, 201, "{}", response.json());
    response
}

pub async fn login(shop: &TestServer, email: &str, password: &str) -> TestResponse {
    shop.post(LOGIN, json!({ "email": email, "password": password })).await
}

/// Asserts that the response is this error, byte for byte.
pub fn assert_error(response: &TestResponse, status: u16, message: &str, error: &str) {
    let text = String::from_utf8_lossy(&response.bytes);
    let expected = format!(r#"{{"statusCode":{status},"message":"{message}","error":"{error}"}}"#);
    assert_eq!((response.status.as_u16(), text.as_ref()), (status, expected.as_str()));
    assert_eq!(response.header("content-type"), "application/json");
    assert_eq!(response.challenges().len(), usize::from(status == 401));
    assert_eq!(response.header("retry-after").is_empty(), ![429, 503].contains(&status));
}

pub fn assert_unauthorized(response: &TestResponse) {
    assert_error(response, 401, "Unauthorized", "Unauthorized");
}

#[actix_web::test]
async fn registration_creates_vendor_store_and_admin() {
    let shop = TestServer::start();
    let response = register(&shop, " Rita@Example.com ").await;
    assert_eq!((response.header("content-type"), response.header("cache-control")), ("application/json", "no-store"));
    let (token, id, vendor) =
        (response.text_at("/access_token"), response.text_at("/user/id"), response.text_at("/user/vendor_id"));
    let person =
        format!(r#""id":"{id}","email":"Rita@Example.com","name":"Rita Retail","role":"admin","vendor_id":"{vendor}""#);
    let expected = format!(r#"{{"access_token":"{token}","user":{{{person}}}}}"#);
    assert_eq!(String::from_utf8_lossy(&response.bytes), expected);
    assert!(id.parse::<UserId>().is_ok() && vendor.parse::<TenantId>().is_ok());

    let me = shop.get(ME, &token).await;
    let store = me.text_at("/store_id");
    assert!(store.parse::<BranchId>().is_ok());
    let expected =
        format!(r#"{{{person},"store_id":"{store}","avatar":null,"created_at":"2026-11-21T12:00:00.000Z"}}"#);
    assert_eq!((me.status.as_u16(), String::from_utf8_lossy(&me.bytes).as_ref()), (200, expected.as_str()));

    let again = login(&shop, "RITA@example.com", "a song in the rain").await;
    let expected = format!(r#"{{"access_token":"{}","user":{{{person}}}}}"#, again.text_at("/access_token"));
    assert_eq!((again.status.as_u16(), String::from_utf8_lossy(&again.bytes).as_ref()), (200, expected.as_str()));
}

#[actix_web::test]
async fn address_is_registered_once_across_vendors() {
    let shop = TestServer::start();
    register(&shop, "rita@example.com").await;
    for taken in
        ["rita@example.com", "RITA@EXAMPLE.COM", " rita@example.com", "admin@example.com", "stranger@example.com"]
    {
        let response = shop.post(REGISTER, registration(taken)).await;
        assert_error(&response, 409, "Email already registered", "Conflict");
    }
    let (one, two) = (register(&shop, "one@example.com").await, register(&shop, "two@example.com").await);
    assert_ne!(
        one.text_at("/user/vendor_id"),
        two.text_at("/user/vendor_id"),
        "the same business twice is two vendors"
    );
    let mut named = registration("default@example.com");
    named["business_name"] = json!("Default");
    let named = shop.post(REGISTER, named).await;
    assert_eq!(named.status, 201, "a business may be called as another is: {}", named.json());
    assert_ne!(
        named.text_at("/user/vendor_id"),
        login(&shop, "admin@example.com", TEST_PASSWORD).await.text_at("/user/vendor_id")
    );
}

#[actix_web::test]
async fn incomplete_registration_is_400() {
    let shop = TestServer::start();
    for (field, value, message) in [
        ("name", Value::Null, "name is required"),
        ("name", json!("  "), "name must not be empty"),
        ("name", json!("a\u{7}"), "name must not contain control characters"),
        ("name", json!("x".repeat(201)), "name must have at most 200 characters"),
        ("name", json!(7), "name must be a string"),
        ("email", Value::Null, "email is required"),
        ("email", json!("rita"), "email must be an e-mail address"),
        ("email", json!(""), "email must be an e-mail address"),
        ("password", Value::Null, "password is required"),
        ("password", json!("1234567"), "password must have at least 8 characters"),
        ("password", json!("password"), "password must not be one of the commonest passwords"),
        ("business_name", Value::Null, "business_name is required"),
        ("industry", Value::Null, "industry is required"),
        (
            "industry",
            json!("mining"),
            "industry must be one of retail, restaurant, distribution, salon, pharmacy, grocery",
        ),
        ("industry", json!(["retail"]), "industry must be a string"),
    ] {
        let mut body = registration("rita@example.com");
        body[field] = value;
        assert_error(&shop.post(REGISTER, body).await, 400, message, "Bad Request");
    }
    let none = shop.post(REGISTER, json!({})).await;
    let all =
        "business_name is required; email is required; industry is required; name is required; password is required";
    assert_error(&none, 400, all, "Bad Request");
    let every = json!({ "name": "", "email": "x", "password": "1", "business_name": " ", "industry": "zoo" });
    let every = shop.post(REGISTER, every).await.text_at("/message");
    let named = every.split("; ").map(|fault| fault.split(' ').next().unwrap()).collect::<Vec<_>>();
    assert_eq!(named, ["business_name", "email", "industry", "name", "password"], "{every}");
    let mut invisible = registration("a\u{3164}b@example.com");
    invisible["password"] = json!("1");
    let invisible = shop.post(REGISTER, invisible).await.text_at("/message");
    let named = invisible.split("; ").map(|fault| fault.split(' ').next().unwrap()).collect::<Vec<_>>();
    assert_eq!(named, ["email", "password"], "{invisible}");
    for industry in ["retail", "restaurant", "distribution", "salon", "pharmacy", "grocery"] {
        let mut body = registration(&format!("{industry}@example.com"));
        body["industry"] = json!(industry);
        assert_eq!(shop.send_from("192.0.2.8", post_request(REGISTER, body)).await.status, 201, "{industry}");
    }
}

#[actix_web::test]
async fn login_requires_address_and_password_of_an_active_user() {
    let shop = TestServer::start();
    assert_eq!(login(&shop, "admin@example.com", TEST_PASSWORD).await.text_at("/user/role"), "admin");
    assert_eq!(login(&shop, "john@example.com", TEST_PASSWORD).await.text_at("/user/role"), "cashier");
    let other = login(&shop, "stranger@example.com", TEST_PASSWORD).await;
    assert_eq!(other.text_at("/user/role"), "admin", "an address finds its vendor");
    for (email, password) in [
        ("nobody@example.com", TEST_PASSWORD),
        ("admin@example.com", "wrong"),
        ("admin@example.com", ""),
        ("idle@example.com", TEST_PASSWORD),
    ] {
        assert_unauthorized(&login(&shop, email, password).await);
    }
    for body in [json!({}), json!({ "email": "admin@example.com" }), json!({ "password": TEST_PASSWORD })] {
        assert_eq!(shop.post(LOGIN, body).await.status, 400);
    }
    let name = login(&shop, "admin", TEST_PASSWORD).await;
    assert_error(&name, 400, "email must be an e-mail address", "Bad Request");
}

#[actix_web::test]
async fn live_token_is_exchanged_repeatedly() {
    let shop = TestServer::start();
    let first = register(&shop, "rita@example.com").await.text_at("/access_token");
    let exchange = |token: &str| shop.send(post_request(REFRESH, json!({ "token": token })));
    let response = exchange(&first).await;
    let second = response.text_at("/access_token");
    assert_eq!(String::from_utf8_lossy(&response.bytes), format!(r#"{{"access_token":"{second}"}}"#));
    assert_eq!((response.status.as_u16(), response.header("cache-control")), (200, "no-store"));
    assert_ne!(first, second);
    assert_eq!(exchange(&first).await.status, 200, "once more");
    assert_eq!(shop.get(ME, &first).await.status, 200, "the exchanged one stays good");

    let mut token = second;
    for day in 0..10 {
        shop.clock.advance(Duration::from_hours(24).saturating_sub(Duration::from_secs(1)));
        assert_eq!(shop.get(ME, &token).await.status, 200, "{day}");
        let stray = post_request(REFRESH, json!({ "token": token })).insert_header(("Authorization", "Bearer garbage"));
        token = shop.send(stray).await.text_at("/access_token");
    }
    assert_unauthorized(&shop.get(ME, &first).await);
    assert_unauthorized(&exchange(&first).await);
    shop.clock.advance(Duration::from_hours(24));
    assert_unauthorized(&exchange(&token).await);
    assert_unauthorized(&shop.get(ME, &token).await);
}

/// An exchanged token stays valid for five minutes after the first use of its successor, whatever
/// its age.
#[actix_web::test]
async fn exchanged_token_ends_after_its_successor_is_used() {
    let shop = TestServer::start();
    let first = register(&shop, "rita@example.com").await.text_at("/access_token");
    let exchange = |token: &str| shop.send(post_request(REFRESH, json!({ "token": token })));
    let second = exchange(&first).await.text_at("/access_token");
    shop.clock.advance(Duration::from_hours(1));
    assert_eq!(shop.get(ME, &first).await.status, 200, "its successor was not used: the response may have been lost");
    let found = exchange(&first).await.text_at("/access_token");
    assert_eq!(shop.get(ME, &found).await.status, 200);
    shop.clock.advance(Duration::from_secs(299));
    for token in [&first, &second, &found] {
        assert_eq!(shop.get(ME, token).await.status, 200, "within the overlap");
    }
    shop.clock.advance(Duration::from_secs(1));
    assert_unauthorized(&shop.get(ME, &first).await);
    assert_unauthorized(&exchange(&first).await);
    for token in [&second, &found] {
        assert_eq!(shop.get(ME, token).await.status, 200, "neither has a successor");
    }
    // a chain: each token ends by the first use of any later one
    let third = exchange(&second).await.text_at("/access_token");
    let fourth = exchange(&third).await.text_at("/access_token");
    shop.clock.advance(Duration::from_mins(5));
    assert_unauthorized(&shop.get(ME, &second).await);
    assert_eq!(shop.get(ME, &third).await.status, 200);
    assert_eq!(shop.get(ME, &fourth).await.status, 200);
    shop.clock.advance(Duration::from_mins(5));
    assert_unauthorized(&shop.get(ME, &third).await);
    assert_eq!(shop.get(ME, &fourth).await.status, 200, "the session lives");
}

#[actix_web::test]
async fn exchanges_in_a_loop_are_429() {
    let shop = TestServer::start();
    let mut token = register(&shop, "rita@example.com").await.text_at("/access_token");
    let exchange = |token: &str| shop.send(post_request(REFRESH, json!({ "token": token })));
    let mut response = exchange(&token).await;
    while response.status == 200 {
        token = response.text_at("/access_token");
        response = exchange(&token).await;
    }
    assert_error(&response, 429, "Too Many Requests", "Too Many Requests");
    assert_eq!(response.header("retry-after"), "300");
    shop.clock.advance(Duration::from_secs(299));
    assert_eq!(shop.get(ME, &token).await.status, 200, "it is as valid as before");
    assert_eq!(exchange(&token).await.header("retry-after"), "1");
    shop.clock.advance(Duration::from_secs(1));
    assert_eq!(exchange(&token).await.status, 200);
}

#[actix_web::test]
async fn session_lives_ninety_days_after_login() {
    let shop = TestServer::start();
    let mut token = register(&shop, "rita@example.com").await.text_at("/access_token");
    // a token is valid for 24 hours
    let step = Duration::from_hours(23);
    let mut left = 90 * Duration::from_hours(24);
    while left > step {
        assert_eq!(shop.get(ME, &token).await.status, 200, "{left:?} before its end");
        shop.clock.advance(step);
        token = shop.post(REFRESH, json!({ "token": token })).await.text_at("/access_token");
        left -= step;
    }
    shop.clock.advance(left.saturating_sub(Duration::from_secs(1)));
    assert_eq!(shop.get(ME, &token).await.status, 200, "its last second");
    shop.clock.advance(Duration::from_secs(1));
    assert_unauthorized(&shop.get(ME, &token).await);
}

#[actix_web::test]
async fn earlier_session_keeps_its_terms() {
    let terms = tillgate_auth_core::Terms { absolute: None, exchange_overlap: None, ..PosStar::default_terms() };
    let mount = Mount::at_prefix("/posstar", std::sync::Arc::new(PosStar::new(terms, 20))).unwrap();
    let shop = TestServer::with_mounts(HttpSettings::default(), vec![mount]);
    let first = register(&shop, "rita@example.com").await.text_at("/access_token");
    let second = shop.post(REFRESH, json!({ "token": first })).await.text_at("/access_token");
    assert_eq!(shop.get(ME, &second).await.status, 200);
    shop.clock.advance(Duration::from_hours(23));
    assert_eq!(shop.get(ME, &first).await.status, 200);
}

#[actix_web::test]
async fn logout_ends_session_with_all_its_tokens() {
    let shop = TestServer::start();
    let first = register(&shop, "rita@example.com").await.text_at("/access_token");
    let other = login(&shop, "rita@example.com", "a song in the rain").await.text_at("/access_token");
    let second = shop.post(REFRESH, json!({ "token": first })).await.text_at("/access_token");
    assert_unauthorized(&shop.send(build_request(Method::POST, LOGOUT)).await);
    let out = shop.with_token(Method::POST, LOGOUT, &second).await;
    assert_eq!(
        (out.status.as_u16(), String::from_utf8_lossy(&out.bytes).as_ref()),
        (200, r#"{"message":"Logged out."}"#)
    );
    for token in [&first, &second] {
        assert_unauthorized(&shop.get(ME, token).await);
        assert_unauthorized(&shop.post(REFRESH, json!({ "token": token })).await);
        assert_unauthorized(&shop.with_token(Method::POST, LOGOUT, token).await);
    }
    assert_eq!(shop.get(ME, &other).await.status, 200, "another session");
}

#[actix_web::test]
async fn session_cap_holds_across_exchanges() {
    let terms = tillgate_auth_core::Terms { absolute: Some(Duration::from_hours(30)), ..PosStar::default_terms() };
    let mount = Mount::at_prefix("/posstar", std::sync::Arc::new(PosStar::new(terms, 20))).unwrap();
    let shop = TestServer::with_mounts(HttpSettings::default(), vec![mount]);
    let token = register(&shop, "rita@example.com").await.text_at("/access_token");
    shop.clock.advance(Duration::from_hours(20));
    let token = shop.post(REFRESH, json!({ "token": token })).await.text_at("/access_token");
    shop.clock.advance(Duration::from_hours(10).saturating_sub(Duration::from_secs(1)));
    assert_eq!(shop.get(ME, &token).await.status, 200);
    let token = shop.post(REFRESH, json!({ "token": token })).await.text_at("/access_token");
    shop.clock.advance(Duration::from_secs(1));
    assert_unauthorized(&shop.get(ME, &token).await);
}

#[actix_web::test]
async fn invalid_token_is_401() {
    let shop = TestServer::start();
    let own = register(&shop, "rita@example.com").await.text_at("/access_token");
    let native = shop.log_in_native("admin").await;
    let kasir = shop.log_in_kasir("john@example.com").await;
    for token in [
        "",
        "garbage",
        &own[..own.len() - 2],
        &native.text_at("/access_token"),
        &native.text_at("/refresh_token"),
        &kasir.text_at("/data/Token"),
    ] {
        assert_unauthorized(&shop.get(ME, token).await);
        assert_unauthorized(&shop.post(REFRESH, json!({ "token": token })).await);
    }
    assert_unauthorized(&shop.send(build_request(Method::GET, ME)).await);
    assert_error(&shop.post(REFRESH, json!({})).await, 400, "token is required", "Bad Request");
    for path in ["/api/v1/sessions/current", "/kasir/api/v1/auth/me", "/portos/api/auth", "/fiuu/api/terminals"] {
        assert_eq!(shop.get(path, &own).await.status, 401, "{path}");
    }
    assert_eq!(shop.get(ME, &own).await.status, 200);
}

#[actix_web::test]
async fn ended_session_is_not_exchanged() {
    let shop = TestServer::start();
    let response = register(&shop, "rita@example.com").await;
    let (token, user) = (response.text_at("/access_token"), response.text_at("/user/id").parse().unwrap());
    tillgate_domain::StoreExt::<tillgate_auth_core::AuthPorts>::write(&*shop.store, "test", |tx| {
        tx.revocations().bump_epoch(tillgate_domain::Scope::User(user), tillgate_domain::EndReason::Admin, NOON)
    })
    .unwrap();
    assert_unauthorized(&shop.post(REFRESH, json!({ "token": token })).await);
    assert_unauthorized(&shop.get(ME, &token).await);
    assert_eq!(login(&shop, "rita@example.com", "a song in the rain").await.status, 200);
}

#[actix_web::test]
async fn other_errors_keep_the_shape() {
    let shop = TestServer::start();
    let raw = |kind: &'static str| build_request(Method::POST, LOGIN).insert_header(("Content-Type", kind));
    let list = shop.send(raw("application/json").set_payload("[]")).await;
    assert_error(&list, 400, "the body must be an object", "Bad Request");
    let cut = shop.send(raw("application/json").set_payload("{")).await;
    assert_error(&cut, 400, "the body ends too early (line 1, column 1)", "Bad Request");
    let unsupported = "Unsupported Media Type";
    assert_error(&shop.send(raw("text/plain").set_payload("{}")).await, 415, unsupported, unsupported);
    let form = raw("application/x-www-form-urlencoded").set_payload("a=b");
    assert_error(&shop.send(form).await, 415, unsupported, unsupported);
    let large = raw("application/json").set_payload(vec![b' '; 64 * 1024 + 1]);
    assert_error(&shop.send(large).await, 413, "Payload Too Large", "Payload Too Large");
    assert_error(&shop.get("/posstar/api/v1/nothing", "garbage").await, 404, "Not Found", "Not Found");
    let wrong = shop.send(build_request(Method::GET, LOGIN)).await;
    assert_error(&wrong, 405, "Method Not Allowed", "Method Not Allowed");
    assert_eq!(wrong.header("allow"), "POST");
    for (mood, status, phrase) in [
        (StoreState::Unavailable, 503, "Service Unavailable"),
        (StoreState::Broken, 500, "Internal Server Error"),
        (StoreState::Panicking, 500, "Internal Server Error"),
    ] {
        shop.store.set_state(mood);
        assert_error(&login(&shop, "admin@example.com", TEST_PASSWORD).await, status, phrase, phrase);
        assert_error(&shop.post(REGISTER, registration("rita@example.com")).await, status, phrase, phrase);
        shop.store.set_state(StoreState::Healthy);
    }
    for number in 0..10 {
        assert_unauthorized(&login(&shop, "admin@example.com", &format!("wrong {number}")).await);
    }
    let held = login(&shop, "admin@example.com", TEST_PASSWORD).await;
    assert_error(&held, 429, "Too Many Requests", "Too Many Requests");
}

#[actix_web::test]
async fn registrations_per_minute_are_limited_by_address() {
    let shop = TestServer::start();
    for number in 0..PosStar::DEFAULT_REQUESTS_PER_MINUTE {
        register(&shop, &format!("rita{number}@example.com")).await;
    }
    let next = shop.post(REGISTER, registration("next@example.com")).await;
    assert_error(&next, 429, "Too Many Requests", "Too Many Requests");
    assert_eq!(login(&shop, "rita0@example.com", "a song in the rain").await.status, 200, "a login is not counted");
    let elsewhere = post_request(REGISTER, registration("next@example.com"));
    assert_eq!(shop.send_from("192.0.2.8", elsewhere).await.status, 201);
}
