//! krmpesan's page and the requests of its script: who can generate tokens, and what the page may
//! do in a browser.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};

use tillgate_http::HttpSettings;

use crate::mounts::krmpesan;
use crate::test_server::{StoreState, TEST_PASSWORD, TestResponse, TestServer, build_request, post_request};

fn assert_error(response: &TestResponse, status: u16, message: &str) {
    assert_eq!((response.status.as_u16(), response.header("content-type")), (status, "application/json"));
    let expected = format!(r#"{{"code":{status},"message":"{message}","data":null}}"#);
    assert_eq!(String::from_utf8_lossy(&response.bytes), expected);
}

async fn generate(shop: &TestServer, token: &str, device: &str, password: &str) -> TestResponse {
    let request = post_request("/krmpesan/app/generate", json!({ "device": device, "password": password }));
    shop.send(request.insert_header(("Authorization", format!("Bearer {token}")))).await
}

async fn names(shop: &TestServer, token: &str) -> Vec<String> {
    let response = shop.get("/krmpesan/app/devices", token).await;
    assert_eq!(response.status, 200, "{}", response.json());
    let name = |device: &Value| device["name"].as_str().unwrap().to_owned();
    response.json()["data"].as_array().unwrap().iter().map(name).collect()
}

#[actix_web::test]
async fn page_policy_allows_only_what_it_needs() {
    let shop = TestServer::start();
    let page = shop.send(build_request(Method::GET, "/krmpesan/app")).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert_eq!(
        page.header("content-security-policy"),
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    );
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        assert_eq!(page.header(name), value);
    }
    let text = String::from_utf8(page.bytes).unwrap();
    for (path, kind) in [("app/page.css", "text/css; charset=utf-8"), ("app/page.js", "text/javascript; charset=utf-8")]
    {
        assert!(text.contains(&format!("\"{path}\"")), "{path}");
        let file = shop.send(build_request(Method::GET, &format!("/krmpesan/{path}"))).await;
        assert_eq!((file.status.as_u16(), file.header("content-type")), (200, kind));
        let file = String::from_utf8(file.bytes).unwrap();
        assert!(!file.contains("http"), "{path} reaches elsewhere");
        for way in ["innerHTML", "localStorage", "sessionStorage", "document.cookie", "eval("] {
            assert!(!file.contains(way), "{path} uses {way}");
        }
    }
    assert!(
        !text.contains("http") && !text.contains("style=") && !text.contains("onclick"),
        "inline or from elsewhere"
    );
    assert_eq!(shop.send(build_request(Method::HEAD, "/krmpesan/app")).await.status, 200);
    assert_error(&shop.send(build_request(Method::POST, "/krmpesan/app")).await, 405, "Method Not Allowed");
}

#[actix_web::test]
async fn page_is_in_the_language_of_the_browser() {
    let shop = TestServer::start();
    for (accepted, tag, title) in [
        ("", "en", "<h1 id=\"login-title\" tabindex=\"-1\">Log in</h1>"),
        ("de, sk-SK;q=0.8, en;q=0.5", "sk", ">Prihlásenie</h1>"),
        ("id", "id", ">Masuk</h1>"),
        ("fr", "en", ">Log in</h1>"),
    ] {
        let request = build_request(Method::GET, "/krmpesan/app").insert_header(("Accept-Language", accepted));
        let page = shop.send(request).await;
        assert_eq!((page.header("content-language"), page.header("vary")), (tag, "Accept-Language"), "{accepted}");
        let text = String::from_utf8(page.bytes).unwrap();
        assert!(text.contains(&format!("<html lang=\"{tag}\">")) && text.contains(title), "{accepted}: {text}");
    }
}

#[actix_web::test]
async fn logged_in_user_lists_devices_and_generates_one_token() {
    let shop = TestServer::start();
    let visit = shop.log_in_krmpesan_page("cashier").await;
    assert_eq!(
        visit.json_masked(&["/data/token"]),
        json!({ "code": 200, "message": "success", "data": { "token": "…", "expires_in": 900, "name": "Cora Cashier" } })
    );
    let token = visit.text_at("/data/token");
    let devices = shop.get("/krmpesan/app/devices", &token).await;
    assert_eq!(
        devices.json_masked(&["/data/0/id", "/data/1/id"])["data"],
        json!([
            { "id": "…", "name": "P01", "environment": "CashRegister", "description": "P01", "has_token": false },
            { "id": "…", "name": "PDA1", "environment": "PDA", "description": "PDA1", "has_token": false },
        ]),
        "sorted by name, without locked devices, devices that are not the user's, and the program of the office"
    );
    let earlier = shop.generate_krmpesan_tokens("manager", "P01");
    let generated = generate(&shop, &token, "P01", TEST_PASSWORD).await;
    assert_eq!(
        generated.json_masked(&["/data/IdToken", "/data/RefreshToken", "/data/DeviceId"]),
        json!({ "code": 200, "message": "success", "data": { "IdToken": "…", "RefreshToken": "…", "DeviceId": "…" } })
    );
    assert_eq!(generated.header("cache-control"), "no-store");
    let refresh = format!(
        "/krmpesan/token?refresh_token={}&device_id={}",
        generated.text_at("/data/RefreshToken"),
        generated.text_at("/data/DeviceId")
    );
    assert_eq!(shop.send(build_request(Method::GET, &refresh)).await.status, 200);
    let listed = shop.get("/krmpesan/devices", &generated.text_at("/data/IdToken")).await;
    assert_eq!(listed.text_at("/data/0/id"), generated.text_at("/data/DeviceId"));
    assert_eq!(shop.get("/krmpesan/devices", earlier.access_token.expose()).await.status, 401, "the earlier one");
}

#[actix_web::test]
async fn page_shows_which_devices_have_a_token() {
    let shop = TestServer::start();
    let visit = shop.log_in_krmpesan_page("cashier").await.text_at("/data/token");
    let with_token = async || {
        let devices = shop.get("/krmpesan/app/devices", &visit).await.json();
        let devices = devices["data"].as_array().unwrap().clone();
        let names = devices.iter().filter(|device| device["has_token"] == true);
        names.map(|device| device["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(with_token().await, [""; 0]);
    let paired = shop.generate_krmpesan_tokens("manager", "P01");
    assert_eq!(with_token().await, ["P01"], "a token that another user generated counts");
    shop.auth.end_session(paired.session.id).unwrap();
    assert_eq!(with_token().await, [""; 0], "an ended token");
}

#[actix_web::test]
async fn wrong_password_generates_nothing_and_is_rate_limited() {
    let shop = TestServer::start();
    let wrong = post_request("/krmpesan/app/login", json!({ "login": "cashier", "password": "wrong" }));
    assert_error(&shop.send(wrong).await, 401, "Unauthorized");
    let nobody = post_request("/krmpesan/app/login", json!({ "login": "nobody", "password": TEST_PASSWORD }));
    assert_error(&shop.send(nobody).await, 401, "Unauthorized");
    let token = shop.log_in_krmpesan_page("cashier").await.text_at("/data/token");
    let held = shop.generate_krmpesan_tokens("cashier", "P01");
    for device in ["P01", "LOCKED", "UNLISTED", "NOWHERE"] {
        let password = if device == "P01" { "wrong" } else { TEST_PASSWORD };
        assert_error(&generate(&shop, &token, device, password).await, 401, "Unauthorized");
    }
    assert_eq!(shop.get("/krmpesan/devices", held.access_token.expose()).await.status, 200, "nothing has ended it");
    // a login from there makes the network known
    let mut last = generate(&shop, &token, "P01", "wrong").await;
    for number in 0..50 {
        last = generate(&shop, &token, "P01", &format!("wrong {number}")).await;
    }
    assert_error(&last, 429, "Too Many Requests");
    assert!(!last.header("retry-after").is_empty());
    for body in [json!({}), json!({ "device": "P01" }), json!({ "device": 1, "password": TEST_PASSWORD }), json!([])] {
        let request = post_request("/krmpesan/app/generate", body);
        let response = shop.send(request.insert_header(("Authorization", format!("Bearer {token}")))).await;
        assert_error(&response, 400, "Bad Request");
    }
}

/// Tokens of the page and of programs are not interchangeable.
#[actix_web::test]
async fn program_token_and_page_token_are_not_interchangeable() {
    let shop = TestServer::start();
    let program = shop.generate_krmpesan_tokens("cashier", "P01");
    for bearer in [program.access_token.expose(), program.id_token.as_ref().unwrap().expose()] {
        assert_error(&shop.get("/krmpesan/app/devices", bearer).await, 401, "Unauthorized");
        assert_error(&generate(&shop, bearer, "P01", TEST_PASSWORD).await, 401, "Unauthorized");
        assert_error(&shop.with_token(Method::POST, "/krmpesan/app/logout", bearer).await, 401, "Unauthorized");
        assert_eq!(shop.get("/krmpesan/devices", bearer).await.status, 200, "it is not over");
    }
    let visit = shop.log_in_krmpesan_page("cashier").await.text_at("/data/token");
    assert_error(&shop.get("/krmpesan/devices", &visit).await, 401, "Unauthorized");
    let native = shop.log_in_native("cashier").await.text_at("/access_token");
    assert_error(&shop.get("/krmpesan/app/devices", &native).await, 401, "Unauthorized");
}

#[actix_web::test]
async fn page_session_ends_by_logout_and_by_expiry() {
    let shop = TestServer::start();
    let token = shop.log_in_krmpesan_page("cashier").await.text_at("/data/token");
    let gone = shop.with_token(Method::POST, "/krmpesan/app/logout", &token).await;
    assert_eq!(String::from_utf8_lossy(&gone.bytes), r#"{"code":200,"message":"success","data":null}"#);
    assert_error(&shop.get("/krmpesan/app/devices", &token).await, 401, "Unauthorized");
    let token = shop.log_in_krmpesan_page("cashier").await.text_at("/data/token");
    shop.clock.advance(Duration::from_mins(14));
    assert_eq!(names(&shop, &token).await, ["P01", "PDA1"]);
    shop.clock.advance(Duration::from_mins(2));
    assert_error(&shop.get("/krmpesan/app/devices", &token).await, 401, "Unauthorized");
    assert_error(&generate(&shop, &token, "P01", TEST_PASSWORD).await, 401, "Unauthorized");
}

#[actix_web::test]
async fn page_of_a_tenant_mount_serves_that_tenant() {
    let other = || tillgate_domain::Slug::parse("other").unwrap();
    let shop = TestServer::with_mounts(
        HttpSettings::default(),
        vec![krmpesan("/krmpesan").with_tenant(other()), krmpesan("/any")],
    );
    let mine = post_request("/krmpesan/app/login", json!({ "login": "cashier", "password": TEST_PASSWORD }));
    assert_error(&shop.send(mine).await, 401, "Unauthorized");
    // an e-mail address finds its tenant if the mount serves all, and generated tokens belong to
    // that tenant
    let stranger =
        post_request("/any/app/login", json!({ "login": "stranger@example.com", "password": TEST_PASSWORD }));
    let token = shop.send(stranger).await.text_at("/data/token");
    let request = post_request("/any/app/generate", json!({ "device": "P01", "password": TEST_PASSWORD }));
    let response = shop.send(request.insert_header(("Authorization", format!("Bearer {token}")))).await;
    assert_error(&response, 401, "Unauthorized");
}

#[actix_web::test]
async fn store_outage_rejects_nobody() {
    let shop = TestServer::start();
    let token = shop.log_in_krmpesan_page("cashier").await.text_at("/data/token");
    shop.store.set_state(StoreState::Unavailable);
    assert_error(&shop.get("/krmpesan/app/devices", &token).await, 503, "Service Unavailable");
    assert_error(&generate(&shop, &token, "P01", TEST_PASSWORD).await, 503, "Service Unavailable");
    shop.store.set_state(StoreState::Healthy);
    assert_eq!(names(&shop, &token).await, ["P01", "PDA1"]);
}
