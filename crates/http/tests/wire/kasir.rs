//! POS Kasir's authentication for scripts, with tokens in the body and the header: every operation
//! of the published documentation.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};
use tillgate_http::{BrowserSettings, HttpSettings, Kasir, Mount};

use crate::mounts::native;
use crate::test_server::{TEST_PASSWORD, TestResponse, TestServer, build_request, post_request, put_request};

pub const LOGIN: &str = "/kasir/api/v1/auth/login";
pub const ME: &str = "/kasir/api/v1/auth/me";
pub const REFRESH: &str = "/kasir/api/v1/auth/refresh";
pub const CHANGE_PASSWORD: &str = "/kasir/api/v1/auth/me/password";
pub const LOGOUT: &str = "/kasir/api/v1/auth/logout";

/// Asserts that the response is this error, byte for byte.
pub fn assert_error(response: &TestResponse, status: u16, message: &str, what: &str) {
    let body = format!("{{\"message\":\"{message}\",\"error\":{{}},\"data\":null}}");
    assert_eq!(
        (response.status.as_u16(), String::from_utf8_lossy(&response.bytes).as_ref()),
        (status, &*body),
        "{what}"
    );
    assert!(response.cookies().is_empty(), "{what}: a refusal touches no cookie");
}

#[actix_web::test]
async fn login_returns_tokens_and_profile_byte_for_byte() {
    let shop = TestServer::start();
    let response = shop.log_in_kasir("john@example.com").await;
    assert_eq!(response.header("content-type"), "application/json");
    assert_eq!(response.header("cache-control"), "no-store");
    let (token, refresh) = (response.text_at("/data/Token"), response.text_at("/data/refresh_token"));
    let id = response.text_at("/data/profile/id");
    assert_eq!(
        String::from_utf8_lossy(&response.bytes),
        format!(
            "{{\"message\":\"Login successful\",\"data\":{{\"Token\":\"{token}\",\"refresh_token\":\"{refresh}\",\
             \"expired_at\":\"2026-11-21T13:00:00Z\",\"profile\":{{\"id\":\"{id}\",\"username\":\"john_doe\",\
             \"email\":\"john@example.com\",\"role\":\"cashier\",\"avatar\":null,\"is_active\":true,\
             \"created_at\":\"2026-11-21T12:00:00Z\",\"updated_at\":\"2026-11-21T12:00:00Z\"}}}}}}"
        )
    );
    assert_eq!(token.split('.').count(), 3);
    assert_eq!(id.parse::<tillgate_domain::UserId>().unwrap().to_string(), id, "a UUID");
    let me = shop.get(ME, &token).await;
    assert_eq!(
        (me.status.as_u16(), me.json()),
        (200, json!({ "message": "Success", "data": response.json()["data"]["profile"] }))
    );
}

#[actix_web::test]
async fn role_is_the_highest_held_without_a_device() {
    let shop = TestServer::start();
    for (login, role) in [
        ("admin@example.com", "admin"),
        ("manager", "manager"),
        ("CASHIER", "cashier"),
        ("John@Example.com", "cashier"),
    ] {
        assert_eq!(shop.log_in_kasir(login).await.text_at("/data/profile/role"), role);
    }
}

#[actix_web::test]
async fn accounts_are_indistinguishable_before_right_password() {
    for (email, password) in [
        ("john@example.com", "wrong"),
        ("john@example.com", ""),
        ("nobody@example.com", TEST_PASSWORD),
        ("nobody", "wrong"),
        ("", TEST_PASSWORD),
        ("idle", TEST_PASSWORD),
        ("idle", "wrong"),
        ("virtual", TEST_PASSWORD),
        ("far", "wrong"),
        ("clerk", "wrong"),
        ("999", "wrong"),
        ("stranger@example.com", TEST_PASSWORD),
    ] {
        let shop = TestServer::start();
        let response = shop.post(LOGIN, json!({ "email": email, "password": password })).await;
        assert_error(&response, 401, "Invalid username or password", email);
        assert_eq!(response.challenges(), ["Bearer realm=\"tillgate\""]);
    }
}

#[actix_web::test]
async fn missing_rank_is_reported_after_right_password() {
    let shop = TestServer::start();
    for login in ["clerk", "far", "999"] {
        let response = shop.post(LOGIN, json!({ "email": login, "password": TEST_PASSWORD })).await;
        assert_error(&response, 403, "Insufficient permissions", login);
    }
    // these users can log in through other contracts, and no session was created
    let native = shop.log_in_native("clerk").await;
    let list = shop.get("/api/v1/sessions?live=true", &native.text_at("/access_token")).await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
}

#[actix_web::test]
async fn unreadable_body_is_reported_in_a_sentence() {
    let shop = TestServer::start();
    let raw = |body: &'static [u8]| {
        build_request(Method::POST, LOGIN).insert_header(("Content-Type", "application/json")).set_payload(body)
    };
    for (body, sentence) in [
        (&b"{}"[..], "email is required; password is required"),
        (b"{\"email\":5,\"password\":\"x\"}", "email must be a string"),
        (b"[]", "the body must be an object"),
        (b"", "the body is empty"),
        (b"{\"email\":", "the body ends too early (line 1, column 9)"),
    ] {
        let response = shop.send(raw(body)).await;
        assert_eq!(response.status, 400);
        let said = json!({ "message": "Failed to parse request body", "error": sentence, "data": null });
        assert_eq!(response.json(), said);
    }
}

#[actix_web::test]
async fn invalid_access_token_is_reported() {
    let shop = TestServer::start();
    let login = shop.log_in_kasir("john@example.com").await;
    for (method, path) in [(Method::GET, ME), (Method::POST, LOGOUT)] {
        let none = shop.send(build_request(method.clone(), path)).await;
        assert_error(&none, 401, "Authorization header required", path);
        let refresh = login.text_at("/data/refresh_token");
        for token in ["", "garbage", &refresh] {
            let response = shop.with_token(method.clone(), path, token).await;
            assert_error(&response, 401, "Invalid or expired token", "a refresh token is no access token");
        }
    }
    shop.clock.advance(Duration::from_hours(1));
    assert_error(&shop.get(ME, &login.text_at("/data/Token")).await, 401, "Invalid or expired token", "after an hour");
}

#[actix_web::test]
async fn refresh_reads_token_from_body_or_header() {
    let shop = TestServer::start();
    let login = shop.log_in_kasir("john@example.com").await;
    let (token, refresh) = (login.text_at("/data/Token"), login.text_at("/data/refresh_token"));
    let by_body = shop.post(REFRESH, json!({ "refresh_token": refresh })).await;
    assert_eq!(
        by_body.json_masked(&["/data/Token", "/data/refresh_token"]),
        json!({ "message": "Token refreshed successfully",
                "data": { "Token": "…", "refresh_token": "…", "expired_at": "2026-11-21T13:00:00Z" } })
    );
    assert_eq!(by_body.cookies().len(), 2);
    assert_eq!(shop.get(ME, &by_body.text_at("/data/Token")).await.status, 200);
    let next = by_body.text_at("/data/refresh_token");
    assert_eq!(next, refresh, "the published response names no other, so clients keep the login's");
    // no body and no content type
    let by_header = shop.with_token(Method::POST, REFRESH, &next).await;
    assert_eq!(by_header.text_at("/data/refresh_token"), next);
    for body in ["", "null", "\"\"", " null\r\n"] {
        for kind in [Some("application/json"), Some("text/plain"), None] {
            let nothing = build_request(Method::POST, REFRESH).set_payload(body.to_owned());
            let nothing = nothing.insert_header(("Authorization", format!("Bearer {next}")));
            let nothing = kind.into_iter().fold(nothing, |request, kind| request.insert_header(("Content-Type", kind)));
            assert_eq!(shop.send(nothing).await.status, 200, "{body:?} {kind:?}");
        }
    }
    // the body has precedence, and the header is ignored then
    for header in [token.as_str(), "garbage", "x.y.z"] {
        let request = post_request(REFRESH, json!({ "refresh_token": next }));
        let response = shop.send(request.insert_header(("Authorization", format!("Bearer {header}")))).await;
        assert_eq!(response.status, 200, "{header}");
    }
    let bad = post_request(REFRESH, json!({ "refresh_token": "garbage" }));
    let bad = shop.send(bad.insert_header(("Authorization", format!("Bearer {next}")))).await;
    assert_error(&bad, 401, "Invalid or expired session", "the body decides");
}

#[actix_web::test]
async fn access_token_does_not_refresh() {
    let shop = TestServer::start();
    let login = shop.log_in_kasir("john@example.com").await;
    let token = login.text_at("/data/Token");
    assert_error(
        &shop.send(build_request(Method::POST, REFRESH)).await,
        401,
        "Refresh token missing",
        "nothing at all",
    );
    assert_error(&shop.with_token(Method::POST, REFRESH, &token).await, 401, "Refresh token missing", "in the header");
    assert_error(&shop.post(REFRESH, json!({})).await, 401, "Refresh token missing", "an empty body");
    assert_error(&shop.post(REFRESH, json!({ "refresh_token": null })).await, 401, "Refresh token missing", "null");
    let body = shop.post(REFRESH, json!({ "refresh_token": token })).await;
    assert_error(&body, 401, "Invalid or expired session", "in the body");
    let number = shop.post(REFRESH, json!({ "refresh_token": 5 })).await;
    assert_eq!((number.status.as_u16(), number.text_at("/error").as_str()), (400, "refresh_token must be a string"));
}

#[actix_web::test]
async fn session_lives_seven_days_after_last_refresh() {
    let shop = TestServer::start();
    let mut refresh = shop.log_in_kasir("john@example.com").await.text_at("/data/refresh_token");
    for _ in 0..3 {
        shop.clock.advance(Duration::from_hours(7 * 24 - 1));
        let response = shop.post(REFRESH, json!({ "refresh_token": refresh })).await;
        assert_eq!(response.status, 200);
        refresh = response.text_at("/data/refresh_token");
    }
    shop.clock.advance(Duration::from_hours(7 * 24));
    let late = shop.post(REFRESH, json!({ "refresh_token": refresh })).await;
    assert_error(&late, 401, "Invalid or expired session", "a week later");
}

/// A client without cookies keeps the refresh token of its login; one with cookies gets a new one,
/// whichever it sends.
#[actix_web::test]
async fn login_refresh_token_is_reusable_until_a_cookie_rotates_it() {
    let shop = TestServer::start();
    let login = shop.log_in_kasir("john@example.com").await;
    let kept = login.text_at("/data/refresh_token");
    let body = |token: &str| post_request(REFRESH, json!({ "refresh_token": token }));
    let header =
        |token: &str| build_request(Method::POST, REFRESH).insert_header(("Authorization", format!("Bearer {token}")));
    for _ in 0..5 {
        shop.clock.advance(Duration::from_mins(50));
        for request in [body(&kept), header(&kept)] {
            let response = shop.send(request).await;
            assert_eq!((response.status.as_u16(), response.text_at("/data/refresh_token")), (200, kept.clone()));
            assert_eq!(shop.get(ME, &response.text_at("/data/Token")).await.status, 200);
        }
    }
    let cookie = build_request(Method::POST, REFRESH).insert_header(("Cookie", format!("refresh_token={kept}")));
    let second = shop.send(cookie).await.text_at("/data/refresh_token");
    assert_ne!(second, kept);
    shop.clock.advance(Duration::from_mins(3));
    let third = shop.send(body(&second)).await;
    assert_ne!(third.text_at("/data/refresh_token"), second, "a later one rotates by the body too");
    assert_eq!(shop.get(ME, &third.text_at("/data/Token")).await.status, 200);
    assert_error(&shop.send(header(&kept)).await, 401, "Invalid or expired session", "two behind");
    assert_error(&shop.get(ME, &third.text_at("/data/Token")).await, 401, "Invalid or expired token", "ended by that");
}

#[actix_web::test]
async fn logout_ends_session_at_once() {
    let shop = TestServer::start();
    let login = shop.log_in_kasir("john@example.com").await;
    let (token, refresh) = (login.text_at("/data/Token"), login.text_at("/data/refresh_token"));
    let out = shop.with_token(Method::POST, LOGOUT, &token).await;
    assert_eq!(out.status, 200);
    assert_eq!(String::from_utf8_lossy(&out.bytes), "{\"message\":\"Successfully logged out\",\"data\":null}");
    assert_error(&shop.get(ME, &token).await, 401, "Invalid or expired token", "after logout");
    let refresh = shop.post(REFRESH, json!({ "refresh_token": refresh })).await;
    assert_error(&refresh, 401, "Invalid or expired session", "after logout");
}

#[actix_web::test]
async fn replayed_refresh_token_ends_session() {
    let shop = TestServer::start();
    let login = shop.log_in_kasir("john@example.com").await;
    let first = json!({ "refresh_token": login.text_at("/data/refresh_token") });
    let cookie = format!("refresh_token={}", login.text_at("/data/refresh_token"));
    let second = shop.send(build_request(Method::POST, REFRESH).insert_header(("Cookie", cookie))).await;
    assert_ne!(second.text_at("/data/refresh_token"), login.text_at("/data/refresh_token"));
    assert_eq!(shop.get(ME, &second.text_at("/data/Token")).await.status, 200);
    shop.clock.advance(Duration::from_mins(3));
    assert_error(&shop.post(REFRESH, first).await, 401, "Invalid or expired session", "used since");
    assert_error(&shop.get(ME, &second.text_at("/data/Token")).await, 401, "Invalid or expired token", "ended with it");
}

#[actix_web::test]
async fn unpublished_routes_are_not_found() {
    let shop = TestServer::start();
    let token = shop.log_in_kasir("admin@example.com").await.text_at("/data/Token");
    for (method, path) in [
        (Method::PUT, "/kasir/api/v1/auth/me/avatar"),
        (Method::GET, "/kasir/api/v1/ws"),
        (Method::GET, "/kasir/api/v1/nothing"),
        (Method::GET, "/kasir"),
    ] {
        assert_error(&shop.with_token(method.clone(), path, &token).await, 404, "Not Found", path);
        assert_error(&shop.send(build_request(method, path)).await, 404, "Not Found", path);
    }
}

#[actix_web::test]
async fn guesses_are_rate_limited() {
    let shop = TestServer::start();
    let wrong = |number: u8| json!({ "email": "john@example.com", "password": format!("wrong {number}") });
    for number in 0..10 {
        assert_eq!(shop.post(LOGIN, wrong(number)).await.status, 401);
    }
    let last = shop.post(LOGIN, wrong(10)).await;
    assert_error(&last, 429, "Too many requests", "held back");
    assert!(last.header("retry-after").parse::<u64>().unwrap() >= 1);
}

#[actix_web::test]
async fn password_change_ends_other_sessions_only() {
    let shop = TestServer::start();
    let (own, other) = (shop.log_in_kasir("john@example.com").await, shop.log_in_kasir("john@example.com").await);
    let elsewhere = shop.log_in_native("john_doe").await;
    let token = own.text_at("/data/Token");
    let change = async |body: Value| {
        shop.send(put_request(CHANGE_PASSWORD, body).insert_header(("Authorization", format!("Bearer {token}")))).await
    };
    for (body, status, said) in [
        (json!({ "old_password": "wrong", "new_password": "staple battery" }), 401, "the current password is wrong"),
        (
            json!({ "old_password": TEST_PASSWORD, "new_password": "short" }),
            400,
            "new_password must have at least 8 characters",
        ),
        (json!({ "old_password": TEST_PASSWORD }), 400, "new_password is required"),
        (json!({}), 400, "new_password is required; old_password is required"),
    ] {
        let response = change(body).await;
        let message = if status == 401 { "Invalid current password" } else { "Failed to parse request body" };
        assert_eq!(
            (response.status.as_u16(), response.json()),
            (status, json!({ "message": message, "error": said, "data": null }))
        );
    }
    for session in [&own, &other] {
        assert_eq!(shop.get(ME, &session.text_at("/data/Token")).await.status, 200, "nothing has ended yet");
    }
    let done = change(json!({ "old_password": TEST_PASSWORD, "new_password": "staple battery" })).await;
    assert_eq!(
        (done.status.as_u16(), String::from_utf8_lossy(&done.bytes).as_ref()),
        (200, "{\"message\":\"Password updated successfully\"}")
    );
    assert_eq!(shop.get(ME, &token).await.status, 200);
    assert_error(
        &shop.get(ME, &other.text_at("/data/Token")).await,
        401,
        "Invalid or expired token",
        "another session",
    );
    let current = shop.get("/api/v1/sessions/current", &elsewhere.text_at("/access_token")).await;
    assert_eq!(current.status, 401, "through whichever contract");
    let old = shop.post(LOGIN, json!({ "email": "john@example.com", "password": TEST_PASSWORD })).await;
    assert_error(&old, 401, "Invalid username or password", "the old password");
    let new = shop.post(LOGIN, json!({ "email": "john@example.com", "password": "staple battery" })).await;
    assert_eq!(new.status, 200);
}

#[actix_web::test]
async fn requests_per_minute_are_limited_by_address() {
    let few = Kasir::new(Kasir::default_terms(), BrowserSettings::default(), 3);
    let mounts = vec![native("/api/v1"), Mount::at_prefix("/kasir", Arc::new(few)).unwrap()];
    let shop = TestServer::with_mounts(HttpSettings::default(), mounts);
    let token = shop.log_in_kasir("john@example.com").await.text_at("/data/Token");
    for _ in 0..2 {
        assert_eq!(shop.get(ME, &token).await.status, 200);
    }
    let last = shop.get(ME, &token).await;
    assert_error(&last, 429, "Too many requests", "the next");
    assert!((1..=20).contains(&last.header("retry-after").parse::<u64>().unwrap()), "{}", last.header("retry-after"));
    let login = shop.post(LOGIN, json!({ "email": "john@example.com", "password": TEST_PASSWORD })).await;
    assert_error(&login, 429, "Too many requests", "of whatever kind");
    let elsewhere = build_request(Method::GET, ME).insert_header(("Authorization", format!("Bearer {token}")));
    assert_eq!(shop.send_from("192.0.2.8", elsewhere).await.status, 200, "another address");
    assert_eq!(shop.log_in_native("john_doe").await.status, 201, "another contract counts nothing");
}
