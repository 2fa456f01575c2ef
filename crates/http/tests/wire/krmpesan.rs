//! krmpesan: a permanent token in the query, regardless of everything else in the request.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use tillgate_auth_core::IssuedTokens;
use tillgate_http::HttpSettings;

use crate::mounts::krmpesan;
use crate::test_server::{StoreState, TestResponse, TestServer, build_request};

fn refresh_token(granted: &IssuedTokens) -> &str {
    granted.refresh_token.as_ref().unwrap().expose()
}

/// The target of a refresh in the form that clients send, without percent-encoding.
fn target(granted: &IssuedTokens) -> String {
    format!("/krmpesan/token?refresh_token={}&device_id={}", refresh_token(granted), granted.session.id)
}

async fn refresh(shop: &TestServer, granted: &IssuedTokens) -> TestResponse {
    shop.send(build_request(Method::POST, &target(granted))).await
}

fn assert_error(response: &TestResponse, status: u16, message: &str) {
    assert_eq!((response.status.as_u16(), response.header("content-type")), (status, "application/json"));
    let expected = format!(r#"{{"code":{status},"message":"{message}","data":null}}"#);
    assert_eq!(String::from_utf8_lossy(&response.bytes), expected);
    assert_eq!(response.challenges().len(), usize::from(status == 401), "{message}");
}

#[actix_web::test]
async fn refresh_returns_the_four_published_members_on_every_path() {
    let shop = TestServer::start();
    let granted = shop.generate_krmpesan_tokens("cashier", "P01");
    let (token, id) = (refresh_token(&granted), granted.session.id);
    for path in ["/krmpesan/token", "/krmpesan/tokens"] {
        for method in [Method::GET, Method::POST] {
            for name in ["device_id", "device_key"] {
                let target = format!("{path}?refresh_token={token}&{name}={id}");
                let response = shop.send(build_request(method.clone(), &target)).await;
                assert_eq!((response.status.as_u16(), response.header("content-type")), (200, "application/json"));
                assert_eq!(response.header("cache-control"), "no-store");
                let text = String::from_utf8(response.bytes.clone()).unwrap();
                let (access, identity) = (response.text_at("/AccessToken"), response.text_at("/IdToken"));
                let expected = format!(
                    r#"{{"AccessToken":"{access}","ExpiresIn":86400,"TokenType":"Bearer","IdToken":"{identity}"}}"#
                );
                assert_eq!(text, expected, "{method} {target}");
                assert_ne!(access, identity);
            }
        }
    }
}

#[actix_web::test]
async fn body_content_type_and_stale_bearer_are_ignored() {
    let shop = TestServer::start();
    let granted = shop.generate_krmpesan_tokens("cashier", "P01");
    let till = shop.log_in_portos("cashier", "OFFICE").await.text_at("/tokenId");
    let sent = || build_request(Method::POST, &target(&granted));
    let bearer = |value: &str| sent().insert_header(("Authorization", value.to_owned()));
    let twice = bearer("Bearer one").append_header(("Authorization", "Bearer two"));
    let requests: Vec<(&str, TestRequest)> = vec![
        ("empty JSON", sent().insert_header(("Content-Type", "application/json"))),
        ("no JSON", sent().insert_header(("Content-Type", "application/json")).set_payload("{{{")),
        ("another token in a form", sent().set_form([("refresh_token", "x"), ("device_id", "y")])),
        ("packed", sent().insert_header(("Content-Encoding", "gzip")).set_payload("x")),
        ("no bearer", bearer("")),
        ("an empty bearer", bearer("Bearer ")),
        ("a stale bearer", bearer("Bearer eyJhbGciOiJFZERTQSJ9.e30.x")),
        ("another contract's bearer", bearer(&format!("Bearer {till}"))),
        ("two", twice),
    ];
    for (what, request) in requests {
        assert_eq!(shop.send(request).await.status, 200, "{what}");
    }
}

#[actix_web::test]
async fn refresh_token_and_earlier_access_tokens_stay_valid() {
    let shop = TestServer::start();
    let granted = shop.generate_krmpesan_tokens("cashier", "P01");
    let first = refresh(&shop, &granted).await;
    shop.clock.advance(Duration::from_hours(23));
    for _ in 0..5 {
        assert_eq!(refresh(&shop, &granted).await.status, 200);
    }
    for bearer in ["/AccessToken", "/IdToken"] {
        assert_eq!(shop.get("/krmpesan/devices", &first.text_at(bearer)).await.status, 200, "{bearer}");
    }
    shop.clock.advance(Duration::from_hours(2));
    assert_error(&shop.get("/krmpesan/devices", &first.text_at("/IdToken")).await, 401, "Unauthorized");
    shop.clock.advance(Duration::from_hours(24 * 365 * 10));
    assert_eq!(refresh(&shop, &granted).await.status, 200, "ten years later");
}

#[actix_web::test]
async fn missing_parameters_are_400_and_wrong_ones_401() {
    let shop = TestServer::start();
    let (granted, other) =
        (shop.generate_krmpesan_tokens("cashier", "P01"), shop.generate_krmpesan_tokens("cashier", "OFFICE"));
    let (token, id, foreign) = (refresh_token(&granted), granted.session.id, other.session.id);
    let native = shop.log_in_native("cashier").await;
    for query in [
        String::new(),
        format!("?refresh_token={token}"),
        format!("?refresh_token={token}&device_id="),
        format!("?device_id={id}"),
        format!("?refresh_token=&device_key={id}"),
        format!("?Refresh_Token={token}&device_id={id}"),
    ] {
        for method in [Method::GET, Method::POST] {
            assert_error(
                &shop.send(build_request(method, &format!("/krmpesan/tokens{query}"))).await,
                400,
                "Bad Request",
            );
        }
    }
    for (token, id) in [
        (token, foreign.to_string()),
        (token, "P01".to_owned()),
        (token, granted.session.device.unwrap().to_string()),
        (token, id.to_string().to_uppercase()),
        ("x", id.to_string()),
        (&*format!("{token}x"), id.to_string()),
        (&*native.text_at("/refresh_token"), id.to_string()),
        (granted.access_token.expose(), id.to_string()),
    ] {
        let response =
            shop.send(build_request(Method::GET, &format!("/krmpesan/token?refresh_token={token}&device_id={id}")));
        assert_error(&response.await, 401, "Unauthorized");
    }
    assert_eq!(refresh(&shop, &granted).await.status, 200, "nothing of this ended it");
}

#[actix_web::test]
async fn wrong_tokens_are_rate_limited_and_valid_ones_never() {
    let shop = TestServer::start();
    let (first, other) =
        (shop.generate_krmpesan_tokens("cashier", "P01"), shop.generate_krmpesan_tokens("manager", "OFFICE"));
    let granted = shop.generate_krmpesan_tokens("cashier", "P01");
    let wrong = || build_request(Method::GET, &target(&granted).replace(&granted.session.id.to_string(), "P01"));
    let mut taken = 0;
    let held = loop {
        let response = shop.send(wrong()).await;
        if response.status != 401 {
            break response;
        }
        taken += 1;
        assert!(taken < 1000, "not limited");
    };
    assert_error(&held, 429, "Too Many Requests");
    assert!(taken >= 60, "{taken}: the minute passes during the test, so more may be accepted, but not fewer");
    assert!(held.header("retry-after").parse::<u64>().is_ok_and(|seconds| (1..=60).contains(&seconds)));
    assert_eq!(refresh(&shop, &granted).await.status, 200, "a good one");
    assert_eq!(refresh(&shop, &other).await.status, 200, "another good one");
    assert_eq!(refresh(&shop, &first).await.status, 401, "an ended session has its own error");
    assert_eq!(shop.send_from("192.0.2.8", wrong()).await.status, 401, "from elsewhere");
}

#[actix_web::test]
async fn generating_again_ends_earlier_tokens() {
    let shop = TestServer::start();
    let first = shop.generate_krmpesan_tokens("cashier", "P01");
    let access = refresh(&shop, &first).await.text_at("/AccessToken");
    let second = shop.generate_krmpesan_tokens("manager", "P01");
    assert_error(&refresh(&shop, &first).await, 401, "Unauthorized");
    assert_error(&shop.get("/krmpesan/devices", &access).await, 401, "Unauthorized");
    assert_eq!(refresh(&shop, &second).await.status, 200);
}

#[actix_web::test]
async fn device_of_a_token_is_listed() {
    let shop = TestServer::start();
    let granted = shop.generate_krmpesan_tokens("cashier", "P01");
    let response = shop.get("/krmpesan/devices", granted.id_token.as_ref().unwrap().expose()).await;
    let expected =
        format!(r#"{{"code":200,"message":"success","data":[{{"id":"{}","name":"P01"}}]}}"#, granted.session.id);
    assert_eq!(String::from_utf8_lossy(&response.bytes), expected);
    let native = shop.log_in_native("cashier").await.text_at("/access_token");
    assert_error(&shop.get("/krmpesan/devices", &native).await, 401, "Unauthorized");
    assert_error(&shop.send(build_request(Method::GET, "/krmpesan/devices")).await, 401, "Unauthorized");
    let elsewhere = shop.get("/api/v1/sessions/current", granted.access_token.expose()).await;
    assert_eq!(elsewhere.status, 401, "a krmpesan token is none of the native API");
}

#[actix_web::test]
async fn other_errors_keep_the_shape() {
    let shop = TestServer::start();
    let granted = shop.generate_krmpesan_tokens("cashier", "P01");
    assert_error(&shop.send(build_request(Method::GET, "/krmpesan/nothing")).await, 404, "Not Found");
    assert_error(&shop.send(build_request(Method::GET, "/krmpesan")).await, 404, "Not Found");
    let wrong = shop.send(build_request(Method::DELETE, &target(&granted))).await;
    assert_error(&wrong, 405, "Method Not Allowed");
    assert_eq!(wrong.header("allow"), "GET, HEAD, POST");
    for (mood, status, message) in
        [(StoreState::Unavailable, 503, "Service Unavailable"), (StoreState::Broken, 500, "Internal Server Error")]
    {
        shop.store.set_state(mood);
        let response = refresh(&shop, &granted).await;
        assert_error(&response, status, message);
        assert_eq!(response.header("retry-after").is_empty(), status != 503);
        shop.store.set_state(StoreState::Healthy);
    }
}

#[actix_web::test]
async fn tenant_mount_rejects_tokens_of_other_tenants() {
    let shop = TestServer::with_mounts(
        HttpSettings::default(),
        vec![krmpesan("/krmpesan").with_tenant(tillgate_domain::Slug::parse("other").unwrap()), krmpesan("/any")],
    );
    let granted = shop.generate_krmpesan_tokens("cashier", "P01");
    assert_ne!(refresh(&shop, &granted).await.status, 200);
    let target = target(&granted).replace("/krmpesan", "/any");
    assert_eq!(shop.send(build_request(Method::GET, &target)).await.status, 200);
}

#[actix_web::test]
async fn query_appears_in_neither_log_nor_metrics() {
    let shop = TestServer::start();
    let granted = shop.generate_krmpesan_tokens("cashier", "P01");
    let token = refresh_token(&granted).to_owned();
    assert_eq!(refresh(&shop, &granted).await.status, 200);
    let foreign = "a-device-that-is-not-its-own";
    for path in ["/krmpesan/token", "/krmpesan/tokens/", "/krmpesan/tokenz", "/krmpesan/devices"] {
        for method in [Method::GET, Method::POST, Method::PUT] {
            let target = format!("{path}?refresh_token={token}&device_id={foreign}");
            assert_ne!(shop.send(build_request(method, &target)).await.status, 200);
        }
    }
    for mood in [StoreState::Unavailable, StoreState::Broken, StoreState::Panicking] {
        shop.store.set_state(mood);
        assert!(refresh(&shop, &granted).await.status.is_server_error());
    }
    shop.store.set_state(StoreState::Healthy);
    let metrics = shop.send(build_request(Method::GET, "/metrics")).await;
    let metrics = String::from_utf8(metrics.bytes).unwrap();
    let log = crate::captured_log::captured_log();
    assert!(log.contains("/krmpesan/token") && metrics.contains("/krmpesan/token"), "the calls are there");
    for secret in [token.as_str(), foreign] {
        assert!(!log.contains(secret), "in the log");
        assert!(!metrics.contains(secret), "in the metrics");
    }
    assert!(!log.contains("refresh_token="), "no query at all");
}
