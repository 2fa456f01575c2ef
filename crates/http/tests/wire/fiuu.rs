//! Fiuu: a register logs in as itself, by JSON or by form; each call and each refusal of its page as it stands there.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::{Value, json};
use tillgate_domain::office::DeviceChange;
use tillgate_domain::{DeviceStatus, Slug, Zone};
use tillgate_http::{Fiuu, Mount, Settings};

use crate::mounts::{fiuu, mounts, native};
use crate::shop::{Answer, Mood, PASSWORD, Shop, call, post};

const LOGIN: &str = "/fiuu/auth/login";
const REFRESH: &str = "/fiuu/auth/refresh";
const LOGOUT: &str = "/fiuu/auth/logout";
pub const TERMINALS: &str = "/fiuu/api/terminals";

pub fn lying_in(zone: &str) -> Shop {
    Shop::lying_in(Zone::parse(zone).unwrap(), Settings::default(), mounts())
}

fn form(body: &str) -> TestRequest {
    let kind = ("Content-Type", "application/x-www-form-urlencoded");
    call(Method::POST, LOGIN).insert_header(kind).set_payload(body.to_owned())
}

pub fn login(name: &str, password: &str) -> TestRequest {
    post(LOGIN, json!({ "posId": name, "password": password }))
}

pub async fn refresh(shop: &Shop, token: &str) -> Answer {
    shop.with_token(Method::POST, REFRESH, token).await
}

/// The tokens of an answer, which is the published one byte for byte, with these instants.
pub fn tokens(answer: &Answer, access_until: &str, refresh_until: &str) -> (String, String) {
    let text = String::from_utf8_lossy(&answer.bytes);
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"), "{text}");
    assert_eq!(answer.header("cache-control"), "no-store");
    let (access, refresh) = (answer.text("/access/token"), answer.text("/refresh/token"));
    let expected = format!(
        r#"{{"access":{{"token":"{access}","expiresAt":"{access_until}"}},"refresh":{{"token":"{refresh}","expiresAt":"{refresh_until}"}}}}"#
    );
    assert_eq!(text, expected);
    (access, refresh)
}

/// The answer is this refusal, byte for byte.
fn refused(answer: &Answer, status: u16, code: u32, slug: &str, message: &str) {
    let text = String::from_utf8_lossy(&answer.bytes);
    let expected = format!(r#"{{"code":{code},"error":"{slug}","message":"{message}"}}"#);
    assert_eq!((answer.status.as_u16(), text.as_ref()), (status, expected.as_str()));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.challenges().len(), usize::from(status == 401), "{message}");
    assert_eq!(answer.header("retry-after").is_empty(), ![429, 503].contains(&status), "{message}");
}

pub fn unauthorized(answer: &Answer, code: u32, message: &str) {
    refused(answer, 401, code, "unauthorized", message);
}

fn invalid(answer: &Answer, code: u32, message: &str) {
    refused(answer, 400, code, "invalid_request", message);
}

const NO_ACCESS: (u32, &str) = (40_120, "Invalid or missing access token.");
const NO_REFRESH: (u32, &str) = (40_121, "Invalid or missing refresh token.");
pub const OVER: (u32, &str) = (40_122, "Session expired.");
pub const EXPIRED: (u32, &str) = (40_123, "Token expired.");
const FAILED: (u32, &str) = (40_125, "Authentication failed.");

#[actix_web::test]
async fn a_login_answers_both_tokens_by_json_and_by_form() {
    let shop = lying_in("Asia/Kuala_Lumpur");
    let json = shop.send(login("P01", PASSWORD)).await;
    let by_form = shop.send(form("posId=P01&password=correct+horse")).await;
    let encoded = shop.send(form("password=%63orrect%20horse&posId=%20p01&more=x")).await;
    for answer in [json, by_form, encoded] {
        let (until, midnight) = ("2026-11-21T20:15:00.000+08:00", "2026-11-22T00:00:00.000+08:00");
        let (access, token) = tokens(&answer, until, midnight);
        assert_eq!(shop.get(TERMINALS, &access).await.status, 200);
        tokens(&refresh(&shop, &token).await, until, midnight);
    }
}

#[actix_web::test]
async fn the_earlier_access_token_stays_good_after_a_refresh() {
    let shop = lying_in("Asia/Kuala_Lumpur");
    let first = shop.fiuu().await;
    shop.clock.pass(Duration::from_mins(10));
    let second = refresh(&shop, &first.text("/refresh/token")).await;
    let (access, token) = tokens(&second, "2026-11-21T20:25:00.000+08:00", "2026-11-22T00:00:00.000+08:00");
    assert_ne!(access, first.text("/access/token"));
    assert_ne!(token, first.text("/refresh/token"));
    for token in [&first.text("/access/token"), &access] {
        assert_eq!(shop.get(TERMINALS, token).await.status, 200);
    }
    let again = refresh(&shop, &first.text("/refresh/token")).await;
    assert_eq!(again.text("/refresh/token"), token, "an answer that was lost is given again");
    shop.clock.pass(Duration::from_mins(5));
    let (code, message) = EXPIRED;
    unauthorized(&shop.get(TERMINALS, &first.text("/access/token")).await, code, message);
    unauthorized(&shop.with_token(Method::POST, LOGOUT, &first.text("/access/token")).await, code, message);
    assert_eq!(shop.get(TERMINALS, &access).await.status, 200);
    let (code, message) = OVER;
    unauthorized(&refresh(&shop, &first.text("/refresh/token")).await, code, message);
    unauthorized(&refresh(&shop, &token).await, code, message);
    unauthorized(&shop.get(TERMINALS, &access).await, code, message);
}

#[actix_web::test]
async fn a_logout_is_over_at_once() {
    let shop = Shop::open();
    let (one, other) = (shop.fiuu().await, shop.fiuu().await);
    let answer = shop.with_token(Method::POST, LOGOUT, &one.text("/access/token")).await;
    assert_eq!(
        (answer.status.as_u16(), String::from_utf8_lossy(&answer.bytes).as_ref()),
        (200, r#"{"code":20000,"message":"Operation completed successfully."}"#)
    );
    for answer in [
        shop.get(TERMINALS, &one.text("/access/token")).await,
        shop.with_token(Method::POST, LOGOUT, &one.text("/access/token")).await,
        refresh(&shop, &one.text("/refresh/token")).await,
    ] {
        unauthorized(&answer, OVER.0, OVER.1);
    }
    assert_eq!(shop.get(TERMINALS, &other.text("/access/token")).await.status, 200, "a second login is allowed");
}

#[actix_web::test]
async fn what_is_no_token_is_told_apart_by_where_it_stands() {
    let shop = Shop::open();
    let own = shop.fiuu().await;
    let (access, token) = (own.text("/access/token"), own.text("/refresh/token"));
    let native = shop.native("cashier").await;
    let kasir = shop.kasir("cashier").await;
    let calls =
        [(Method::GET, TERMINALS, NO_ACCESS), (Method::POST, LOGOUT, NO_ACCESS), (Method::POST, REFRESH, NO_REFRESH)];
    for (method, path, (code, message)) in calls {
        let wrong = if path == REFRESH { &access } else { &token };
        let foreign = [native.text("/access_token"), native.text("/refresh_token"), kasir.text("/data/refresh_token")];
        for sent in [wrong.as_str(), "", "garbage", &foreign[0], &foreign[1], &foreign[2], &"x".repeat(20_000)] {
            unauthorized(&shop.with_token(method.clone(), path, sent).await, code, message);
        }
        let bare = || call(method.clone(), path);
        let twice = bare()
            .append_header(("Authorization", format!("Bearer {access}")))
            .append_header(("Authorization", format!("Bearer {token}")));
        let basic = bare().insert_header(("Authorization", "Basic UDAxOng="));
        let bytes = bare().insert_header(("Authorization", &b"Bearer \xff"[..]));
        for request in [bare(), twice, basic, bytes] {
            unauthorized(&shop.send(request).await, code, message);
        }
    }
    for path in ["/api/v1/sessions/current", "/kasir/api/v1/auth/me", "/portos/api/auth", "/krmpesan/devices"] {
        assert_eq!(shop.get(path, &access).await.status, 401, "{path}");
    }
    let elsewhere = json!({ "refresh_token": token });
    assert_eq!(shop.post("/api/v1/sessions/refresh", elsewhere.clone()).await.status, 401);
    assert_eq!(shop.post("/kasir/api/v1/auth/refresh", elsewhere).await.status, 401);
    assert_eq!(shop.get(TERMINALS, &access).await.status, 200, "none of it ended the session");
    let stray = login("P01", PASSWORD).insert_header(("Authorization", "Bearer garbage"));
    assert_eq!(shop.send(stray).await.status, 200, "a login looks at no header");
    let laden = call(Method::POST, REFRESH)
        .insert_header(("Authorization", format!("bearer {token}")))
        .insert_header(("Content-Type", "text/plain"))
        .set_payload("{{{");
    assert_eq!(shop.send(laden).await.status, 200, "a refresh looks at no body");
}

#[actix_web::test]
async fn what_stands_against_a_register_is_said_after_the_right_password_only() {
    for (status, code, message) in [
        (DeviceStatus::Pending, 40_311, "Login failed, this account is pending activation."),
        (DeviceStatus::Locked, 40_312, "Login failed, this account is currently suspended."),
        (DeviceStatus::Retired, 40_313, "Login failed, this account is permanently deleted."),
    ] {
        let shop = Shop::open();
        let before = shop.fiuu().await;
        shop.change_device("P01", &DeviceChange { status: Some(status), ..DeviceChange::default() });
        unauthorized(&shop.send(login("P01", "wrong")).await, FAILED.0, FAILED.1);
        refused(&shop.send(login("P01", PASSWORD)).await, 403, code, "forbidden", message);
        unauthorized(&refresh(&shop, &before.text("/refresh/token")).await, OVER.0, OVER.1);
        unauthorized(&shop.get(TERMINALS, &before.text("/access/token")).await, OVER.0, OVER.1);
        for _ in 0..20 {
            let again = shop.send(login("P01", PASSWORD)).await;
            refused(&again, 403, code, "forbidden", message);
        }
    }
}

#[actix_web::test]
async fn nobody_else_logs_in_here() {
    let shop = Shop::open();
    for (name, password) in [
        ("P02", PASSWORD),
        ("P01", "wrong"),
        ("P01", ""),
        ("OFFICE", PASSWORD),
        ("OFFICE", ""),
        ("cashier", PASSWORD),
        ("admin@example.com", PASSWORD),
        ("$plain$", "correct horse battery"),
    ] {
        unauthorized(&shop.send(login(name, password)).await, FAILED.0, FAILED.1);
    }
}

#[actix_web::test]
async fn what_a_login_lacks_has_its_number() {
    let shop = Shop::open();
    let raw = |kind: &'static str, body: &'static [u8]| {
        call(Method::POST, LOGIN).insert_header(("Content-Type", kind)).set_payload(body)
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
        invalid(&shop.post(LOGIN, body).await, 40_021, "Invalid POS ID.");
    }
    for body in ["posId=&password=x", "posId&password=x", &format!("posId={long}&password=x")] {
        invalid(&shop.send(form(body)).await, 40_021, "Invalid POS ID.");
    }
    let unreadable = (40_031, "Invalid or missing parameters.");
    for body in [
        json!({}),
        json!([]),
        json!({ "posId": "P01" }),
        json!({ "password": PASSWORD }),
        json!({ "posId": "P01", "password": null }),
        json!({ "posId": "P01", "password": 12 }),
        json!({ "posid": "P01", "password": PASSWORD }),
    ] {
        invalid(&shop.post(LOGIN, body).await, unreadable.0, unreadable.1);
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
        invalid(&shop.send(raw(kind, body)).await, unreadable.0, unreadable.1);
    }
    let twice = shop.send(form("posId=P01&posId=P01&password=correct%20horse")).await;
    invalid(&twice, unreadable.0, unreadable.1);
}

#[actix_web::test]
async fn other_refusals_keep_the_shape() {
    let shop = Shop::open();
    let raw = |kind: &'static str| call(Method::POST, LOGIN).insert_header(("Content-Type", kind));
    let unsupported =
        |answer: &Answer| refused(answer, 415, 41_500, "unsupported_media_type", "Unsupported Media Type");
    unsupported(&shop.send(raw("text/plain").set_payload("{}")).await);
    unsupported(&shop.send(call(Method::POST, LOGIN).set_payload("{}")).await);
    unsupported(&shop.send(raw("multipart/form-data; boundary=x").set_payload("--x--")).await);
    unsupported(&shop.send(login("P01", PASSWORD).insert_header(("Content-Encoding", "gzip"))).await);
    let large = shop.send(raw("application/json").set_payload(vec![b' '; 64 * 1024 + 1])).await;
    refused(&large, 413, 41_300, "payload_too_large", "Payload Too Large");
    for path in ["/fiuu", "/fiuu/auth", "/fiuu/nothing", "/fiuu/auth/login/"] {
        refused(&shop.get(path, "garbage").await, 404, 40_400, "not_found", "Not Found");
    }
    let wrong = shop.send(call(Method::GET, LOGIN)).await;
    refused(&wrong, 405, 40_500, "method_not_allowed", "Method Not Allowed");
    assert_eq!(wrong.header("allow"), "POST");
    for (mood, status, code, slug, message) in [
        (Mood::Unavailable, 503, 50_300, "service_unavailable", "Service Unavailable"),
        (Mood::Broken, 500, 500, "internal_server_error", "Internal server error."),
        (Mood::Panics, 500, 500, "internal_server_error", "Internal server error."),
    ] {
        shop.store.set(mood);
        refused(&shop.send(login("P01", PASSWORD)).await, status, code, slug, message);
        shop.store.set(Mood::Well);
    }
}

#[actix_web::test]
async fn guesses_and_floods_are_held_up_each_in_its_own_words() {
    let shop = Shop::open();
    let mut answer = shop.send(login("P01", "wrong")).await;
    for number in 0..10 {
        unauthorized(&answer, FAILED.0, FAILED.1);
        answer = shop.send(login("P01", &format!("wrong {number}"))).await;
    }
    let locked = "Login failed, this account is temporarily locked due to multiple failed login attempts.";
    refused(&answer, 429, 42_930, "rate_limit_exceeded", locked);
    refused(&shop.send(login("P01", PASSWORD)).await, 429, 42_930, "rate_limit_exceeded", locked);

    let three = Mount::at("/fiuu", std::sync::Arc::new(Fiuu::new(Fiuu::terms(), 3))).unwrap();
    let shop = Shop::mounted(Settings::default(), vec![three.tenant(Slug::parse("default").unwrap())]);
    let (access, token) = (shop.fiuu().await.text("/access/token"), "garbage");
    assert_eq!(refresh(&shop, token).await.status, 401);
    assert_eq!(shop.get(TERMINALS, &access).await.status, 200);
    for answer in
        [shop.get(TERMINALS, &access).await, shop.send(login("P01", PASSWORD)).await, refresh(&shop, token).await]
    {
        refused(&answer, 429, 42_900, "rate_limit_exceeded", "Too many requests.");
    }
    assert_eq!(shop.send_from("192.0.2.8", login("P01", PASSWORD)).await.status, 200, "from elsewhere");
}

#[actix_web::test]
async fn terminals_are_the_tenants_devices_and_who_was_there_lately() {
    let shop = Shop::open();
    let access = shop.fiuu().await.text("/access/token");
    let terminal = |name: &str, connected: bool| json!({ "terminalId": name, "connected": connected, "isVT": 0 });
    let names = ["LOCKED", "OFFICE", "P01", "PDA1", "UNLISTED"];
    let expected = |connected: &[&str]| json!({ "data": names.map(|name| terminal(name, connected.contains(&name))) });
    let answer = shop.get(TERMINALS, &access).await;
    let text = String::from_utf8_lossy(&answer.bytes).into_owned();
    assert!(text.starts_with(r#"{"data":[{"terminalId":"LOCKED","connected":false,"isVT":0},"#), "{text}");
    assert_eq!(answer.json(), expected(&["P01"]), "whoever asks is there");

    let office = shop.portos("cashier", "OFFICE").await.text("/tokenId");
    assert_eq!(shop.get("/portos/api/auth", &office).await.status, 200);
    shop.auth.write_uses().unwrap();
    assert_eq!(shop.get(TERMINALS, &access).await.json(), expected(&["P01"]), "read within this second");
    shop.clock.pass(Duration::from_secs(1));
    assert_eq!(shop.get(TERMINALS, &access).await.json(), expected(&["P01", "OFFICE"]));
    shop.clock.pass(Duration::from_mins(5) - Duration::from_secs(1));
    assert_eq!(shop.get(TERMINALS, &access).await.json(), expected(&["P01", "OFFICE"]), "five minutes ago");
    shop.clock.pass(Duration::from_millis(1));
    assert_eq!(shop.get(TERMINALS, &access).await.json(), expected(&["P01"]), "longer ago");
    shop.change_device("PDA1", &DeviceChange { status: Some(DeviceStatus::Retired), ..DeviceChange::default() });
    shop.clock.pass(Duration::from_secs(1));
    let left: Vec<Value> =
        names.into_iter().filter(|name| *name != "PDA1").map(|name| terminal(name, name == "P01")).collect();
    assert_eq!(shop.get(TERMINALS, &access).await.json()["data"], json!(left));
}

#[actix_web::test]
async fn another_tenants_mount_knows_no_register_of_this_one() {
    let slug = |slug: &str| Slug::parse(slug).unwrap();
    let shop = Shop::mounted(
        Settings::default(),
        vec![fiuu("/fiuu").tenant(slug("default")), fiuu("/other").tenant(slug("other")), native("/api/v1")],
    );
    let own = shop.fiuu().await;
    let login = json!({ "posId": "P01", "password": PASSWORD });
    unauthorized(&shop.post("/other/auth/login", login).await, FAILED.0, FAILED.1);
    let foreign = shop.get("/other/api/terminals", &own.text("/access/token")).await;
    unauthorized(&foreign, NO_ACCESS.0, NO_ACCESS.1);
    let foreign = shop.with_token(Method::POST, "/other/auth/refresh", &own.text("/refresh/token")).await;
    unauthorized(&foreign, NO_REFRESH.0, NO_REFRESH.1);
    assert_eq!(refresh(&shop, &own.text("/refresh/token")).await.status, 200);
}
