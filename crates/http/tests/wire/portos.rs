//! PORTOS' authentication: every operation of the published documentation.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::json;

use crate::mounts::{mounts, native, portos};
use crate::test_server::{TEST_PASSWORD, TestServer, build_request, post_request};
use tillgate_domain::Slug;
use tillgate_http::HttpSettings;

const USER: &str = r#"{"isVirtual":false,"name":"Majiteľ","userName":"999","featureName":null,"rights":["admin"],
 "device":{"name":"P01","envName":"CashRegister","description":"P01","preferences":{},
  "settings":{"MaxQuantity":"200","OpenedPrices":"false","NoticeOnNegativeSale":"false","VisibleQuantities":"false",
   "DefaultFiscalName":"eKasa","DefaultOrderEndpointName":"","DefaultStockName":"S01"}}}"#;

#[actix_web::test]
async fn login_returns_the_published_user() {
    let shop = TestServer::start();
    for (path, body) in [
        ("/portos/api/auth", json!({ "UserName": "999", "Password": TEST_PASSWORD, "DeviceName": "P01" })),
        ("/portos/api/v1/auth", json!({ "userName": "999", "password": TEST_PASSWORD, "deviceName": "P01" })),
        (
            "/portos/api/auth",
            json!({ "USERNAME": "999", "password": TEST_PASSWORD, "Devicename": "p01", "Unknown": 1 }),
        ),
    ] {
        let response = shop.post(path, body).await;
        assert_eq!((response.status.as_u16(), response.header("content-type")), (200, "application/json"));
        let mut json = response.json();
        assert_eq!(json.as_object().unwrap().keys().collect::<Vec<_>>(), ["refreshToken", "tokenId", "user"]);
        let id = json["user"].as_object_mut().unwrap().remove("id").unwrap();
        assert!(id.as_str().is_some_and(|id| !id.is_empty()));
        assert_eq!(json["user"], serde_json::from_str::<serde_json::Value>(USER).unwrap());
        // an access token of three parts, a refresh token in base64 with padding
        assert_eq!(response.text_at("/tokenId").split('.').count(), 3);
        let refresh = response.text_at("/refreshToken");
        assert!(refresh.len() % 4 == 0 && !refresh.contains(['-', '_']), "{refresh}");
        let who = shop.get(path, &response.text_at("/tokenId")).await;
        assert_eq!(who.status, 200);
        assert_eq!(who.json(), response.json()["user"]);
    }
}

#[actix_web::test]
async fn refused_login_is_the_published_problem() {
    for (user, device, password) in [
        ("999", "P01", "wrong"),
        ("nobody", "P01", TEST_PASSWORD),
        ("999", "NOWHERE", TEST_PASSWORD),
        ("999", "PDA1", TEST_PASSWORD),
        ("cashier", "LOCKED", TEST_PASSWORD),
        ("idle", "P01", TEST_PASSWORD),
        ("virtual", "P01", TEST_PASSWORD),
        ("stranger@example.com", "P01", TEST_PASSWORD),
    ] {
        let shop = TestServer::start();
        let body = json!({ "UserName": user, "Password": password, "DeviceName": device });
        let response = shop.post("/portos/api/auth?trace=1", body.clone()).await;
        assert_eq!(response.status, 401, "{body}");
        assert_eq!(response.header("content-type"), "application/problem+json");
        assert_eq!(
            response.challenges(),
            ["Bearer realm=\"tillgate\"", "NWS4-HMAC-SHA256 realm=\"tillgate\", charset=\"UTF-8\""]
        );
        assert_eq!(
            response.json_masked(&["/traceId"]),
            json!({ "title": "Nesprávne meno alebo heslo.", "status": 401, "instance": "/api/auth",
                    "errorCode": "Unauthorized", "traceId": "…" }),
            "{body}"
        );
        assert_eq!(response.text_at("/traceId"), response.header("x-request-id"));
    }
}

#[actix_web::test]
async fn missing_password_is_a_wrong_one() {
    let response =
        TestServer::start().post("/portos/api/auth", json!({ "UserName": "999", "DeviceName": "P01" })).await;
    assert_eq!((response.status.as_u16(), response.text_at("/errorCode").as_str()), (401, "Unauthorized"));
}

#[actix_web::test]
async fn missing_members_are_all_named_in_pascal_case() {
    let shop = TestServer::start();
    let response = shop.post("/portos/api/v1/auth", json!({ "username": " ", "Password": 5 })).await;
    assert_eq!(response.status, 400);
    assert_eq!(
        response.json_masked(&["/traceId"]),
        json!({ "title": "Bad Request", "status": 400, "instance": "/api/v1/auth", "errorCode": "ValidationFailed", "traceId": "…",
            "errors": [
                { "memberName": "DeviceName", "message": "Pole je povinné.", "code": 1 },
                { "memberName": "Password", "message": "Neplatná hodnota." },
                { "memberName": "UserName", "message": "Pole je povinné.", "code": 1 },
            ] })
    );
    let pair = shop.post("/portos/api/auth/refresh", json!({})).await;
    let named: Vec<_> =
        pair.json()["errors"].as_array().unwrap().iter().map(|each| each["memberName"].clone()).collect();
    assert_eq!(named, ["RefreshToken", "TokenId"]);
}

#[actix_web::test]
async fn preferred_language_is_answered() {
    let shop = TestServer::start();
    for (accepted, title) in [
        ("", "Nie ste prihlásený."),
        ("sk-SK", "Nie ste prihlásený."),
        ("de, fr;q=0.5", "Nie ste prihlásený."),
        ("eng", "Nie ste prihlásený."),
        ("en", "You are not signed in."),
        ("sk-SK, en-US;q=0.1", "Nie ste prihlásený."),
        ("sk-SK,sk;q=0.9,en-US;q=0.8,en;q=0.7", "Nie ste prihlásený."),
        ("en-US;q=0.8, sk;q=0.7", "You are not signed in."),
        ("EN-gb", "You are not signed in."),
        ("de,en;q=0.5", "You are not signed in."),
    ] {
        let response = shop
            .send(build_request(Method::GET, "/portos/api/auth").insert_header(("Accept-Language", accepted)))
            .await;
        assert_eq!(response.status, 401);
        assert_eq!(
            (response.text_at("/title").as_str(), response.text_at("/errorCode").as_str()),
            (title, "Unauthenticated"),
            "{accepted}"
        );
        assert_eq!(response.challenges().len(), 2);
    }
}

#[actix_web::test]
async fn refresh_requires_token_pair_of_one_session() {
    let shop = TestServer::start();
    let (one, other) = (shop.log_in_portos("cashier", "OFFICE").await, shop.log_in_portos("manager", "OFFICE").await);
    let refresh = async |token: String, refresh: String| {
        shop.post("/portos/api/auth/refresh", json!({ "tokenId": token, "refreshToken": refresh })).await
    };
    let mixed = refresh(one.text_at("/tokenId"), other.text_at("/refreshToken")).await;
    assert_eq!((mixed.status.as_u16(), mixed.text_at("/errorCode").as_str()), (401, "Unauthenticated"));
    assert_eq!(mixed.text_at("/instance"), "/api/auth/refresh");
    for login in [&one, &other] {
        assert_eq!(
            shop.get("/portos/api/auth", &login.text_at("/tokenId")).await.status,
            200,
            "a mixed pair ends neither session"
        );
    }
    shop.clock.advance(Duration::from_mins(20));
    assert_eq!(shop.get("/portos/api/auth", &one.text_at("/tokenId")).await.status, 401);
    let renewed = refresh(one.text_at("/tokenId"), one.text_at("/refreshToken")).await;
    assert_eq!(renewed.status, 200);
    assert_eq!(renewed.json().as_object().unwrap().keys().collect::<Vec<_>>(), ["refreshToken", "tokenId"]);
    assert_ne!(renewed.text_at("/refreshToken"), one.text_at("/refreshToken"));
    assert_eq!(shop.get("/portos/api/v1/auth", &renewed.text_at("/tokenId")).await.status, 200);
    // if the response is lost, the same pair returns the same successor
    let again = refresh(one.text_at("/tokenId"), one.text_at("/refreshToken")).await;
    assert_eq!(again.text_at("/refreshToken"), renewed.text_at("/refreshToken"));
    for (bad, status) in [("", 400), ("*", 401), ("AAAA", 401), ("AAA", 401), ("-_8=", 401)] {
        assert_eq!(refresh(renewed.text_at("/tokenId"), bad.to_owned()).await.status, status, "{bad}");
    }
    // PORTOS does not accept the engine's own encoding of the token
    let own = renewed.text_at("/refreshToken").trim_end_matches('=').replace('+', "-").replace('/', "_");
    if own != renewed.text_at("/refreshToken") {
        assert_eq!(refresh(renewed.text_at("/tokenId"), own).await.status, 401);
    }
    // the session ends twelve hours after the last refresh
    shop.clock.advance(Duration::from_hours(12));
    assert_eq!(refresh(renewed.text_at("/tokenId"), renewed.text_at("/refreshToken")).await.status, 401);
}

#[actix_web::test]
async fn logout_returns_empty_object_and_ends_session_at_once() {
    let shop = TestServer::start();
    let login = shop.log_in_portos("999", "P01").await;
    let out = shop.delete("/portos/api/auth", &login.text_at("/tokenId")).await;
    assert_eq!((out.status.as_u16(), out.json()), (200, json!({})));
    assert_eq!(shop.get("/portos/api/auth", &login.text_at("/tokenId")).await.status, 401);
    let body = json!({ "tokenId": login.text_at("/tokenId"), "refreshToken": login.text_at("/refreshToken") });
    assert_eq!(shop.post("/portos/api/auth/refresh", body).await.status, 401);
}

#[actix_web::test]
async fn sale_device_holds_one_session_across_contracts() {
    let shop = TestServer::start();
    let first = shop.log_in_portos("cashier", "P01").await;
    let native =
        shop.post("/api/v1/sessions", json!({ "login": "manager", "password": TEST_PASSWORD, "device": "P01" })).await;
    assert_eq!(shop.get("/portos/api/auth", &first.text_at("/tokenId")).await.status, 401);
    shop.log_in_portos("cashier", "P01").await;
    assert_eq!(shop.get("/api/v1/sessions/current", &native.text_at("/access_token")).await.status, 401);
    let (one, other) = (shop.log_in_portos("cashier", "OFFICE").await, shop.log_in_portos("manager", "OFFICE").await);
    for login in [one, other] {
        assert_eq!(
            shop.get("/portos/api/auth", &login.text_at("/tokenId")).await.status,
            200,
            "the office is no sale device"
        );
    }
}

#[actix_web::test]
async fn rate_limited_login_is_locked_with_retry_after() {
    let shop = TestServer::start();
    for number in 0..10 {
        let wrong = json!({ "UserName": "cashier", "Password": format!("wrong {number}"), "DeviceName": "P01" });
        assert_eq!(shop.post("/portos/api/auth", wrong).await.status, 401);
    }
    let held = shop
        .post("/portos/api/auth", json!({ "UserName": "cashier", "Password": TEST_PASSWORD, "DeviceName": "P01" }))
        .await;
    assert_eq!((held.status.as_u16(), held.text_at("/errorCode").as_str()), (423, "ResourceLocked"));
    assert_eq!(held.header("retry-after").parse::<u64>().unwrap(), 16 * 60);
}

#[actix_web::test]
async fn signed_call_lists_the_challenges() {
    let shop = TestServer::start();
    let signed = build_request(Method::GET, "/portos/api/auth")
        .insert_header(("Authorization", "NWS4-HMAC-SHA256 Credential%3Dx"));
    let response = shop.send(signed).await;
    assert_eq!((response.status.as_u16(), response.text_at("/errorCode").as_str()), (401, "Unauthenticated"));
    assert_eq!(response.challenges().len(), 2);
}

#[actix_web::test]
async fn refresh_ignores_authorization() {
    let shop = TestServer::start();
    let login = shop.log_in_portos("cashier", "OFFICE").await;
    let body = json!({ "tokenId": login.text_at("/tokenId"), "refreshToken": login.text_at("/refreshToken") });
    let response = shop
        .send(post_request("/portos/api/auth/refresh", body).insert_header(("Authorization", "Bearer stale")))
        .await;
    assert_eq!(response.status, 200);
}

#[actix_web::test]
async fn portos_is_served_at_root_or_under_its_own_host() {
    let default = || Slug::parse("default").unwrap();
    let root = TestServer::with_mounts(
        HttpSettings::default(),
        vec![native("/native/v1"), portos("/").with_tenant(default())],
    );
    let body = json!({ "UserName": "999", "Password": TEST_PASSWORD, "DeviceName": "P01" });
    assert_eq!(root.post("/api/auth", body.clone()).await.status, 200);
    let unknown = root.post("/api/nothing", json!({})).await;
    assert_eq!((unknown.status.as_u16(), unknown.text_at("/instance").as_str()), (404, "/api/nothing"));
    assert!(unknown.json().get("traceId").is_some(), "errors at the root are PORTOS' format");
    assert_eq!(
        root.post("/native/v1/sessions", json!({ "login": "admin", "password": TEST_PASSWORD })).await.status,
        201
    );
    assert_eq!(root.send(build_request(Method::GET, "/healthz")).await.status, 200);

    let mut with_host = mounts();
    with_host.push(portos("/").with_host("till.example").with_tenant(default()));
    let hosted = TestServer::with_mounts(HttpSettings::default(), with_host);
    for (host, path, status) in [
        ("till.example", "/api/auth", 200),
        ("TILL.example:8080", "/api/auth", 200),
        ("other.example", "/api/auth", 404),
        ("till.example", "/portos/api/auth", 404),
        ("other.example", "/portos/api/auth", 200),
    ] {
        let response = hosted.send(post_request(path, body.clone()).insert_header(("Host", host))).await;
        assert_eq!(response.status, status, "{host} {path}");
    }
}

#[actix_web::test]
async fn invalid_signature_is_401_and_chunked_form_400() {
    let shop = TestServer::start();
    let parts = "Credential%3Dnobody%2CSignedHeaders%3Dhost%253Bx-nd-content-sha256%253Bx-nd-date%2C\
        Timestamp%3D2026-11-21T12%253A00%253A00.000Z%2CSignature%3D\
        87c7a2057285f0db8dc3b7c95c15fe5476f5ab44b73b3e15990d8b1a837d4ddb";
    let signed = |digest: &str| {
        build_request(Method::GET, "/portos/api/auth")
            .insert_header(("Authorization", format!("NWS4-HMAC-SHA256 {parts}")))
            .insert_header(("Host", "till.example.com"))
            .insert_header(("x-nd-date", "2026-11-21T12:00:00.000Z"))
            .insert_header(("x-nd-content-sha256", digest))
    };
    let whole = signed("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    let response = shop.send(whole).await;
    assert_eq!(response.status, 401);
    assert_eq!(response.json()["errorCode"], "Unauthenticated");
    assert_eq!(response.challenges().len(), 2);
    let response = shop.send(signed("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")).await;
    assert_eq!(response.status, 400);
    assert!(response.text_at("/detail").contains("nws-chunked"), "{}", response.json());
}
