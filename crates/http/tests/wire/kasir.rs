//! POS Kasir's authentication as scripts speak it: tokens in the body and in the header, each call of its page as it stands there.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};
use tillgate_http::{Kasir, Mount, Settings, Web};

use crate::mounts::native;
use crate::shop::{Answer, PASSWORD, Shop, call, post, put};

pub const LOGIN: &str = "/kasir/api/v1/auth/login";
pub const ME: &str = "/kasir/api/v1/auth/me";
pub const REFRESH: &str = "/kasir/api/v1/auth/refresh";
pub const CHANGE: &str = "/kasir/api/v1/auth/me/password";
pub const LOGOUT: &str = "/kasir/api/v1/auth/logout";

/// The answer is this refusal, byte for byte.
pub fn refused(answer: &Answer, status: u16, message: &str, what: &str) {
    let body = format!("{{\"message\":\"{message}\",\"error\":{{}},\"data\":null}}");
    assert_eq!((answer.status.as_u16(), String::from_utf8_lossy(&answer.bytes).as_ref()), (status, &*body), "{what}");
    assert!(answer.cookies().is_empty(), "{what}: a refusal touches no cookie");
}

#[actix_web::test]
async fn a_login_answers_tokens_and_the_profile_byte_for_byte() {
    let shop = Shop::open();
    let answer = shop.kasir("john@example.com").await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    let (token, refresh) = (answer.text("/data/Token"), answer.text("/data/refresh_token"));
    let id = answer.text("/data/profile/id");
    assert_eq!(
        String::from_utf8_lossy(&answer.bytes),
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
        (200, json!({ "message": "Success", "data": answer.json()["data"]["profile"] }))
    );
}

#[actix_web::test]
async fn the_role_is_the_highest_that_is_held_without_a_device() {
    let shop = Shop::open();
    for (login, role) in [
        ("admin@example.com", "admin"),
        ("manager", "manager"),
        ("CASHIER", "cashier"),
        ("John@Example.com", "cashier"),
    ] {
        assert_eq!(shop.kasir(login).await.text("/data/profile/role"), role);
    }
}

#[actix_web::test]
async fn no_account_is_told_apart_before_the_right_password() {
    for (email, password) in [
        ("john@example.com", "wrong"),
        ("john@example.com", ""),
        ("nobody@example.com", PASSWORD),
        ("nobody", "wrong"),
        ("", PASSWORD),
        ("idle", PASSWORD),
        ("idle", "wrong"),
        ("virtual", PASSWORD),
        ("far", "wrong"),
        ("clerk", "wrong"),
        ("999", "wrong"),
        ("stranger@example.com", PASSWORD),
    ] {
        let shop = Shop::open();
        let answer = shop.post(LOGIN, json!({ "email": email, "password": password })).await;
        refused(&answer, 401, "Invalid username or password", email);
        assert_eq!(answer.challenges(), ["Bearer realm=\"tillgate\""]);
    }
}

#[actix_web::test]
async fn who_holds_none_of_the_three_is_told_so_after_the_right_password() {
    let shop = Shop::open();
    for login in ["clerk", "far", "999"] {
        let answer = shop.post(LOGIN, json!({ "email": login, "password": PASSWORD })).await;
        refused(&answer, 403, "Insufficient permissions", login);
    }
    // the same people are somebody elsewhere, and no session was left behind
    let native = shop.native("clerk").await;
    let list = shop.get("/api/v1/sessions?live=true", &native.text("/access_token")).await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
}

#[actix_web::test]
async fn what_cannot_be_read_is_told_in_a_sentence() {
    let shop = Shop::open();
    let raw = |body: &'static [u8]| {
        call(Method::POST, LOGIN).insert_header(("Content-Type", "application/json")).set_payload(body)
    };
    for (body, sentence) in [
        (&b"{}"[..], "email is required; password is required"),
        (b"{\"email\":5,\"password\":\"x\"}", "email must be a string"),
        (b"[]", "the body must be an object"),
        (b"", "the body is empty"),
        (b"{\"email\":", "the body ends too early (line 1, column 9)"),
    ] {
        let answer = shop.send(raw(body)).await;
        assert_eq!(answer.status, 400);
        let said = json!({ "message": "Failed to parse request body", "error": sentence, "data": null });
        assert_eq!(answer.json(), said);
    }
}

#[actix_web::test]
async fn a_call_without_a_token_that_holds_is_told_which() {
    let shop = Shop::open();
    let login = shop.kasir("john@example.com").await;
    for (method, path) in [(Method::GET, ME), (Method::POST, LOGOUT)] {
        let none = shop.send(call(method.clone(), path)).await;
        refused(&none, 401, "Authorization header required", path);
        let refresh = login.text("/data/refresh_token");
        for token in ["", "garbage", &refresh] {
            let answer = shop.with_token(method.clone(), path, token).await;
            refused(&answer, 401, "Invalid or expired token", "a refresh token is no access token");
        }
    }
    shop.clock.pass(Duration::from_hours(1));
    refused(&shop.get(ME, &login.text("/data/Token")).await, 401, "Invalid or expired token", "after an hour");
}

#[actix_web::test]
async fn a_refresh_takes_its_token_from_the_body_or_the_header() {
    let shop = Shop::open();
    let login = shop.kasir("john@example.com").await;
    let (token, refresh) = (login.text("/data/Token"), login.text("/data/refresh_token"));
    let by_body = shop.post(REFRESH, json!({ "refresh_token": refresh })).await;
    assert_eq!(
        by_body.masked(&["/data/Token", "/data/refresh_token"]),
        json!({ "message": "Token refreshed successfully",
                "data": { "Token": "…", "refresh_token": "…", "expired_at": "2026-11-21T13:00:00Z" } })
    );
    assert_eq!(by_body.cookies().len(), 2);
    assert_eq!(shop.get(ME, &by_body.text("/data/Token")).await.status, 200);
    let next = by_body.text("/data/refresh_token");
    assert_eq!(next, refresh, "the published answer names no other, so clients keep the login's");
    // no body and no content type
    let by_header = shop.with_token(Method::POST, REFRESH, &next).await;
    assert_eq!(by_header.text("/data/refresh_token"), next);
    for body in ["", "null", "\"\"", " null\r\n"] {
        for kind in [Some("application/json"), Some("text/plain"), None] {
            let nothing = call(Method::POST, REFRESH).set_payload(body.to_owned());
            let nothing = nothing.insert_header(("Authorization", format!("Bearer {next}")));
            let nothing = kind.into_iter().fold(nothing, |request, kind| request.insert_header(("Content-Type", kind)));
            assert_eq!(shop.send(nothing).await.status, 200, "{body:?} {kind:?}");
        }
    }
    // the body decides, and what the header holds then is not looked at
    for header in [token.as_str(), "garbage", "x.y.z"] {
        let request = post(REFRESH, json!({ "refresh_token": next }));
        let answer = shop.send(request.insert_header(("Authorization", format!("Bearer {header}")))).await;
        assert_eq!(answer.status, 200, "{header}");
    }
    let bad = post(REFRESH, json!({ "refresh_token": "garbage" }));
    let bad = shop.send(bad.insert_header(("Authorization", format!("Bearer {next}")))).await;
    refused(&bad, 401, "Invalid or expired session", "the body decides");
}

#[actix_web::test]
async fn an_access_token_is_no_refresh_credential() {
    let shop = Shop::open();
    let login = shop.kasir("john@example.com").await;
    let token = login.text("/data/Token");
    refused(&shop.send(call(Method::POST, REFRESH)).await, 401, "Refresh token missing", "nothing at all");
    refused(&shop.with_token(Method::POST, REFRESH, &token).await, 401, "Refresh token missing", "in the header");
    refused(&shop.post(REFRESH, json!({})).await, 401, "Refresh token missing", "an empty body");
    refused(&shop.post(REFRESH, json!({ "refresh_token": null })).await, 401, "Refresh token missing", "null");
    let body = shop.post(REFRESH, json!({ "refresh_token": token })).await;
    refused(&body, 401, "Invalid or expired session", "in the body");
    let number = shop.post(REFRESH, json!({ "refresh_token": 5 })).await;
    assert_eq!((number.status.as_u16(), number.text("/error").as_str()), (400, "refresh_token must be a string"));
}

#[actix_web::test]
async fn a_session_lives_seven_days_from_its_last_refresh() {
    let shop = Shop::open();
    let mut refresh = shop.kasir("john@example.com").await.text("/data/refresh_token");
    for _ in 0..3 {
        shop.clock.pass(Duration::from_hours(7 * 24 - 1));
        let answer = shop.post(REFRESH, json!({ "refresh_token": refresh })).await;
        assert_eq!(answer.status, 200);
        refresh = answer.text("/data/refresh_token");
    }
    shop.clock.pass(Duration::from_hours(7 * 24));
    let late = shop.post(REFRESH, json!({ "refresh_token": refresh })).await;
    refused(&late, 401, "Invalid or expired session", "a week later");
}

/// A client without cookies keeps the refresh token of its login; one with cookies gets another, by whichever way it comes then.
#[actix_web::test]
async fn a_login_s_refresh_token_is_good_again_and_again_until_a_cookie_has_rotated_it() {
    let shop = Shop::open();
    let login = shop.kasir("john@example.com").await;
    let kept = login.text("/data/refresh_token");
    let body = |token: &str| post(REFRESH, json!({ "refresh_token": token }));
    let header = |token: &str| call(Method::POST, REFRESH).insert_header(("Authorization", format!("Bearer {token}")));
    for _ in 0..5 {
        shop.clock.pass(Duration::from_mins(50));
        for request in [body(&kept), header(&kept)] {
            let answer = shop.send(request).await;
            assert_eq!((answer.status.as_u16(), answer.text("/data/refresh_token")), (200, kept.clone()));
            assert_eq!(shop.get(ME, &answer.text("/data/Token")).await.status, 200);
        }
    }
    let cookie = call(Method::POST, REFRESH).insert_header(("Cookie", format!("refresh_token={kept}")));
    let second = shop.send(cookie).await.text("/data/refresh_token");
    assert_ne!(second, kept);
    shop.clock.pass(Duration::from_mins(3));
    let third = shop.send(body(&second)).await;
    assert_ne!(third.text("/data/refresh_token"), second, "a later one rotates by the body too");
    assert_eq!(shop.get(ME, &third.text("/data/Token")).await.status, 200);
    refused(&shop.send(header(&kept)).await, 401, "Invalid or expired session", "two behind");
    refused(&shop.get(ME, &third.text("/data/Token")).await, 401, "Invalid or expired token", "ended by that");
}

#[actix_web::test]
async fn a_logout_ends_the_session_at_once() {
    let shop = Shop::open();
    let login = shop.kasir("john@example.com").await;
    let (token, refresh) = (login.text("/data/Token"), login.text("/data/refresh_token"));
    let out = shop.with_token(Method::POST, LOGOUT, &token).await;
    assert_eq!(out.status, 200);
    assert_eq!(String::from_utf8_lossy(&out.bytes), "{\"message\":\"Successfully logged out\",\"data\":null}");
    refused(&shop.get(ME, &token).await, 401, "Invalid or expired token", "after logout");
    let refresh = shop.post(REFRESH, json!({ "refresh_token": refresh })).await;
    refused(&refresh, 401, "Invalid or expired session", "after logout");
}

#[actix_web::test]
async fn a_replayed_refresh_token_ends_the_session() {
    let shop = Shop::open();
    let login = shop.kasir("john@example.com").await;
    let first = json!({ "refresh_token": login.text("/data/refresh_token") });
    let cookie = format!("refresh_token={}", login.text("/data/refresh_token"));
    let second = shop.send(call(Method::POST, REFRESH).insert_header(("Cookie", cookie))).await;
    assert_ne!(second.text("/data/refresh_token"), login.text("/data/refresh_token"));
    assert_eq!(shop.get(ME, &second.text("/data/Token")).await.status, 200);
    shop.clock.pass(Duration::from_mins(3));
    refused(&shop.post(REFRESH, first).await, 401, "Invalid or expired session", "used since");
    refused(&shop.get(ME, &second.text("/data/Token")).await, 401, "Invalid or expired token", "ended with it");
}

#[actix_web::test]
async fn what_the_page_does_not_serve_is_not_there() {
    let shop = Shop::open();
    let token = shop.kasir("admin@example.com").await.text("/data/Token");
    for (method, path) in [
        (Method::PUT, "/kasir/api/v1/auth/me/avatar"),
        (Method::GET, "/kasir/api/v1/ws"),
        (Method::GET, "/kasir/api/v1/nothing"),
        (Method::GET, "/kasir"),
    ] {
        refused(&shop.with_token(method.clone(), path, &token).await, 404, "Not Found", path);
        refused(&shop.send(call(method, path)).await, 404, "Not Found", path);
    }
}

#[actix_web::test]
async fn guesses_are_held_back() {
    let shop = Shop::open();
    let wrong = |number: u8| json!({ "email": "john@example.com", "password": format!("wrong {number}") });
    for number in 0..10 {
        assert_eq!(shop.post(LOGIN, wrong(number)).await.status, 401);
    }
    let last = shop.post(LOGIN, wrong(10)).await;
    refused(&last, 429, "Too many requests", "held back");
    assert!(last.header("retry-after").parse::<u64>().unwrap() >= 1);
}

#[actix_web::test]
async fn another_password_ends_the_other_sessions_and_not_ones_own() {
    let shop = Shop::open();
    let (own, other) = (shop.kasir("john@example.com").await, shop.kasir("john@example.com").await);
    let elsewhere = shop.native("john_doe").await;
    let token = own.text("/data/Token");
    let change = async |body: Value| {
        shop.send(put(CHANGE, body).insert_header(("Authorization", format!("Bearer {token}")))).await
    };
    for (body, status, said) in [
        (json!({ "old_password": "wrong", "new_password": "staple battery" }), 401, "the current password is wrong"),
        (
            json!({ "old_password": PASSWORD, "new_password": "short" }),
            400,
            "new_password must have at least 8 characters",
        ),
        (json!({ "old_password": PASSWORD }), 400, "new_password is required"),
        (json!({}), 400, "new_password is required; old_password is required"),
    ] {
        let answer = change(body).await;
        let message = if status == 401 { "Invalid current password" } else { "Failed to parse request body" };
        assert_eq!(
            (answer.status.as_u16(), answer.json()),
            (status, json!({ "message": message, "error": said, "data": null }))
        );
    }
    for session in [&own, &other] {
        assert_eq!(shop.get(ME, &session.text("/data/Token")).await.status, 200, "nothing has ended yet");
    }
    let done = change(json!({ "old_password": PASSWORD, "new_password": "staple battery" })).await;
    assert_eq!(
        (done.status.as_u16(), String::from_utf8_lossy(&done.bytes).as_ref()),
        (200, "{\"message\":\"Password updated successfully\"}")
    );
    assert_eq!(shop.get(ME, &token).await.status, 200);
    refused(&shop.get(ME, &other.text("/data/Token")).await, 401, "Invalid or expired token", "another session");
    let current = shop.get("/api/v1/sessions/current", &elsewhere.text("/access_token")).await;
    assert_eq!(current.status, 401, "through whichever contract");
    let old = shop.post(LOGIN, json!({ "email": "john@example.com", "password": PASSWORD })).await;
    refused(&old, 401, "Invalid username or password", "the old password");
    let new = shop.post(LOGIN, json!({ "email": "john@example.com", "password": "staple battery" })).await;
    assert_eq!(new.status, 200);
}

#[actix_web::test]
async fn an_address_has_so_many_requests_a_minute() {
    let few = Kasir::new(Kasir::terms(), Web::default(), 3);
    let mounts = vec![native("/api/v1"), Mount::at("/kasir", Arc::new(few)).unwrap()];
    let shop = Shop::mounted(Settings::default(), mounts);
    let token = shop.kasir("john@example.com").await.text("/data/Token");
    for _ in 0..2 {
        assert_eq!(shop.get(ME, &token).await.status, 200);
    }
    let last = shop.get(ME, &token).await;
    refused(&last, 429, "Too many requests", "the next");
    assert!((1..=20).contains(&last.header("retry-after").parse::<u64>().unwrap()), "{}", last.header("retry-after"));
    let login = shop.post(LOGIN, json!({ "email": "john@example.com", "password": PASSWORD })).await;
    refused(&login, 429, "Too many requests", "of whatever kind");
    let elsewhere = call(Method::GET, ME).insert_header(("Authorization", format!("Bearer {token}")));
    assert_eq!(shop.send_from("192.0.2.8", elsewhere).await.status, 200, "another address");
    assert_eq!(shop.native("john_doe").await.status, 201, "another contract counts nothing");
}
