//! PORTOS' authentication, each call of its page as it stands there.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::json;

use crate::mounts::{mounts, native, portos};
use crate::shop::{PASSWORD, Shop, call, post};
use tillgate_domain::Slug;
use tillgate_http::Settings;

const USER: &str = r#"{"isVirtual":false,"name":"Majiteľ","userName":"999","featureName":null,"rights":["admin"],
 "device":{"name":"P01","envName":"CashRegister","description":"P01","preferences":{},
  "settings":{"MaxQuantity":"200","OpenedPrices":"false","NoticeOnNegativeSale":"false","VisibleQuantities":"false",
   "DefaultFiscalName":"eKasa","DefaultOrderEndpointName":"","DefaultStockName":"S01"}}}"#;

#[actix_web::test]
async fn a_login_answers_the_published_user() {
    let shop = Shop::open();
    for (path, body) in [
        ("/portos/api/auth", json!({ "UserName": "999", "Password": PASSWORD, "DeviceName": "P01" })),
        ("/portos/api/v1/auth", json!({ "userName": "999", "password": PASSWORD, "deviceName": "P01" })),
        ("/portos/api/auth", json!({ "USERNAME": "999", "password": PASSWORD, "Devicename": "p01", "Unknown": 1 })),
    ] {
        let answer = shop.post(path, body).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
        let mut json = answer.json();
        assert_eq!(json.as_object().unwrap().keys().collect::<Vec<_>>(), ["refreshToken", "tokenId", "user"]);
        let id = json["user"].as_object_mut().unwrap().remove("id").unwrap();
        assert!(id.as_str().is_some_and(|id| !id.is_empty()));
        assert_eq!(json["user"], serde_json::from_str::<serde_json::Value>(USER).unwrap());
        // an access token of three parts, a refresh token in base64 with padding
        assert_eq!(answer.text("/tokenId").split('.').count(), 3);
        let refresh = answer.text("/refreshToken");
        assert!(refresh.len() % 4 == 0 && !refresh.contains(['-', '_']), "{refresh}");
        let who = shop.get(path, &answer.text("/tokenId")).await;
        assert_eq!(who.status, 200);
        assert_eq!(who.json(), answer.json()["user"]);
    }
}

#[actix_web::test]
async fn a_refused_login_is_the_published_problem() {
    for (user, device, password) in [
        ("999", "P01", "wrong"),
        ("nobody", "P01", PASSWORD),
        ("999", "NOWHERE", PASSWORD),
        ("999", "PDA1", PASSWORD),
        ("cashier", "LOCKED", PASSWORD),
        ("idle", "P01", PASSWORD),
        ("virtual", "P01", PASSWORD),
        ("stranger@example.com", "P01", PASSWORD),
    ] {
        let shop = Shop::open();
        let body = json!({ "UserName": user, "Password": password, "DeviceName": device });
        let answer = shop.post("/portos/api/auth?trace=1", body.clone()).await;
        assert_eq!(answer.status, 401, "{body}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(
            answer.challenges(),
            ["Bearer realm=\"tillgate\"", "NWS4-HMAC-SHA256 realm=\"tillgate\", charset=\"UTF-8\""]
        );
        assert_eq!(
            answer.masked(&["/traceId"]),
            json!({ "title": "Nesprávne meno alebo heslo.", "status": 401, "instance": "/api/auth",
                    "errorCode": "Unauthorized", "traceId": "…" }),
            "{body}"
        );
        assert_eq!(answer.text("/traceId"), answer.header("x-request-id"));
    }
}

#[actix_web::test]
async fn a_missing_password_is_a_wrong_one() {
    let answer = Shop::open().post("/portos/api/auth", json!({ "UserName": "999", "DeviceName": "P01" })).await;
    assert_eq!((answer.status.as_u16(), answer.text("/errorCode").as_str()), (401, "Unauthorized"));
}

#[actix_web::test]
async fn missing_members_are_named_in_pascal_case_all_at_once() {
    let shop = Shop::open();
    let answer = shop.post("/portos/api/v1/auth", json!({ "username": " ", "Password": 5 })).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.masked(&["/traceId"]),
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
async fn the_language_that_is_wanted_most_is_answered() {
    let shop = Shop::open();
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
        let answer =
            shop.send(call(Method::GET, "/portos/api/auth").insert_header(("Accept-Language", accepted))).await;
        assert_eq!(answer.status, 401);
        assert_eq!(
            (answer.text("/title").as_str(), answer.text("/errorCode").as_str()),
            (title, "Unauthenticated"),
            "{accepted}"
        );
        assert_eq!(answer.challenges().len(), 2);
    }
}

#[actix_web::test]
async fn a_refresh_takes_the_pair_of_one_session_the_access_token_expired_or_not() {
    let shop = Shop::open();
    let (one, other) = (shop.portos("cashier", "OFFICE").await, shop.portos("manager", "OFFICE").await);
    let refresh = async |token: String, refresh: String| {
        shop.post("/portos/api/auth/refresh", json!({ "tokenId": token, "refreshToken": refresh })).await
    };
    let mixed = refresh(one.text("/tokenId"), other.text("/refreshToken")).await;
    assert_eq!((mixed.status.as_u16(), mixed.text("/errorCode").as_str()), (401, "Unauthenticated"));
    assert_eq!(mixed.text("/instance"), "/api/auth/refresh");
    for login in [&one, &other] {
        assert_eq!(
            shop.get("/portos/api/auth", &login.text("/tokenId")).await.status,
            200,
            "a mixed pair ends neither"
        );
    }
    shop.clock.pass(Duration::from_mins(20));
    assert_eq!(shop.get("/portos/api/auth", &one.text("/tokenId")).await.status, 401);
    let renewed = refresh(one.text("/tokenId"), one.text("/refreshToken")).await;
    assert_eq!(renewed.status, 200);
    assert_eq!(renewed.json().as_object().unwrap().keys().collect::<Vec<_>>(), ["refreshToken", "tokenId"]);
    assert_ne!(renewed.text("/refreshToken"), one.text("/refreshToken"));
    assert_eq!(shop.get("/portos/api/v1/auth", &renewed.text("/tokenId")).await.status, 200);
    // the answer was lost: the same pair again gives the same successor
    let again = refresh(one.text("/tokenId"), one.text("/refreshToken")).await;
    assert_eq!(again.text("/refreshToken"), renewed.text("/refreshToken"));
    for (bad, status) in [("", 400), ("*", 401), ("AAAA", 401), ("AAA", 401), ("-_8=", 401)] {
        assert_eq!(refresh(renewed.text("/tokenId"), bad.to_owned()).await.status, status, "{bad}");
    }
    // the engine's own writing of the same token is none of PORTOS'
    let own = renewed.text("/refreshToken").trim_end_matches('=').replace('+', "-").replace('/', "_");
    if own != renewed.text("/refreshToken") {
        assert_eq!(refresh(renewed.text("/tokenId"), own).await.status, 401);
    }
    // twelve hours after the last refresh it is over
    shop.clock.pass(Duration::from_hours(12));
    assert_eq!(refresh(renewed.text("/tokenId"), renewed.text("/refreshToken")).await.status, 401);
}

#[actix_web::test]
async fn a_logout_answers_an_empty_object_and_ends_the_session_at_once() {
    let shop = Shop::open();
    let login = shop.portos("999", "P01").await;
    let out = shop.delete("/portos/api/auth", &login.text("/tokenId")).await;
    assert_eq!((out.status.as_u16(), out.json()), (200, json!({})));
    assert_eq!(shop.get("/portos/api/auth", &login.text("/tokenId")).await.status, 401);
    let body = json!({ "tokenId": login.text("/tokenId"), "refreshToken": login.text("/refreshToken") });
    assert_eq!(shop.post("/portos/api/auth/refresh", body).await.status, 401);
}

#[actix_web::test]
async fn a_sale_device_holds_one_session_whichever_contract_it_came_through() {
    let shop = Shop::open();
    let first = shop.portos("cashier", "P01").await;
    let native =
        shop.post("/api/v1/sessions", json!({ "login": "manager", "password": PASSWORD, "device": "P01" })).await;
    assert_eq!(shop.get("/portos/api/auth", &first.text("/tokenId")).await.status, 401);
    shop.portos("cashier", "P01").await;
    assert_eq!(shop.get("/api/v1/sessions/current", &native.text("/access_token")).await.status, 401);
    let (one, other) = (shop.portos("cashier", "OFFICE").await, shop.portos("manager", "OFFICE").await);
    for login in [one, other] {
        assert_eq!(
            shop.get("/portos/api/auth", &login.text("/tokenId")).await.status,
            200,
            "the office is no sale device"
        );
    }
}

#[actix_web::test]
async fn a_login_that_the_throttle_holds_back_is_locked_with_a_time() {
    let shop = Shop::open();
    for number in 0..10 {
        let wrong = json!({ "UserName": "cashier", "Password": format!("wrong {number}"), "DeviceName": "P01" });
        assert_eq!(shop.post("/portos/api/auth", wrong).await.status, 401);
    }
    let held = shop
        .post("/portos/api/auth", json!({ "UserName": "cashier", "Password": PASSWORD, "DeviceName": "P01" }))
        .await;
    assert_eq!((held.status.as_u16(), held.text("/errorCode").as_str()), (423, "ResourceLocked"));
    assert_eq!(held.header("retry-after").parse::<u64>().unwrap(), 16 * 60);
}

#[actix_web::test]
async fn a_signed_call_is_told_which_challenges_there_are() {
    let shop = Shop::open();
    let signed =
        call(Method::GET, "/portos/api/auth").insert_header(("Authorization", "NWS4-HMAC-SHA256 Credential%3Dx"));
    let answer = shop.send(signed).await;
    assert_eq!((answer.status.as_u16(), answer.text("/errorCode").as_str()), (401, "Unauthenticated"));
    assert_eq!(answer.challenges().len(), 2);
}

#[actix_web::test]
async fn a_refresh_needs_no_authorization_and_minds_no_stale_one() {
    let shop = Shop::open();
    let login = shop.portos("cashier", "OFFICE").await;
    let body = json!({ "tokenId": login.text("/tokenId"), "refreshToken": login.text("/refreshToken") });
    let answer =
        shop.send(post("/portos/api/auth/refresh", body).insert_header(("Authorization", "Bearer stale"))).await;
    assert_eq!(answer.status, 200);
}

#[actix_web::test]
async fn portos_stands_at_the_root_or_under_a_host_of_its_own() {
    let default = || Slug::parse("default").unwrap();
    let root = Shop::mounted(Settings::default(), vec![native("/native/v1"), portos("/").tenant(default())]);
    let body = json!({ "UserName": "999", "Password": PASSWORD, "DeviceName": "P01" });
    assert_eq!(root.post("/api/auth", body.clone()).await.status, 200);
    let unknown = root.post("/api/nothing", json!({})).await;
    assert_eq!((unknown.status.as_u16(), unknown.text("/instance").as_str()), (404, "/api/nothing"));
    assert!(unknown.json().get("traceId").is_some(), "the root's words are PORTOS'");
    assert_eq!(root.post("/native/v1/sessions", json!({ "login": "admin", "password": PASSWORD })).await.status, 201);
    assert_eq!(root.send(call(Method::GET, "/healthz")).await.status, 200);

    let mut with_host = mounts();
    with_host.push(portos("/").host("till.example").tenant(default()));
    let hosted = Shop::mounted(Settings::default(), with_host);
    for (host, path, status) in [
        ("till.example", "/api/auth", 200),
        ("TILL.example:8080", "/api/auth", 200),
        ("other.example", "/api/auth", 404),
        ("till.example", "/portos/api/auth", 404),
        ("other.example", "/portos/api/auth", 200),
    ] {
        let answer = hosted.send(post(path, body.clone()).insert_header(("Host", host))).await;
        assert_eq!(answer.status, status, "{host} {path}");
    }
}

#[actix_web::test]
async fn a_signature_that_no_key_made_is_401_and_the_chunked_form_400() {
    let shop = Shop::open();
    let parts = "Credential%3Dnobody%2CSignedHeaders%3Dhost%253Bx-nd-content-sha256%253Bx-nd-date%2C\
        Timestamp%3D2026-11-21T12%253A00%253A00.000Z%2CSignature%3D\
        87c7a2057285f0db8dc3b7c95c15fe5476f5ab44b73b3e15990d8b1a837d4ddb";
    let signed = |digest: &str| {
        call(Method::GET, "/portos/api/auth")
            .insert_header(("Authorization", format!("NWS4-HMAC-SHA256 {parts}")))
            .insert_header(("Host", "till.example.com"))
            .insert_header(("x-nd-date", "2026-11-21T12:00:00.000Z"))
            .insert_header(("x-nd-content-sha256", digest))
    };
    let whole = signed("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    let answer = shop.send(whole).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json()["errorCode"], "Unauthenticated");
    assert_eq!(answer.challenges().len(), 2);
    let answer = shop.send(signed("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text("/detail").contains("nws-chunked"), "{}", answer.json());
}
