//! krmpesan: a permanent token in the query, whatever else the client sends.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use tillgate_auth_core::Granted;
use tillgate_http::Settings;

use crate::mounts::krmpesan;
use crate::shop::{Answer, Mood, Shop, call};

fn refresh_token(granted: &Granted) -> &str {
    granted.refresh_token.as_ref().unwrap().expose()
}

/// The target of a refresh, as clients write it: nothing is encoded.
fn target(granted: &Granted) -> String {
    format!("/krmpesan/token?refresh_token={}&device_id={}", refresh_token(granted), granted.session.id)
}

async fn refresh(shop: &Shop, granted: &Granted) -> Answer {
    shop.send(call(Method::POST, &target(granted))).await
}

fn is_error(answer: &Answer, status: u16, message: &str) {
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (status, "application/json"));
    let expected = format!(r#"{{"code":{status},"message":"{message}","data":null}}"#);
    assert_eq!(String::from_utf8_lossy(&answer.bytes), expected);
    assert_eq!(answer.challenges().len(), usize::from(status == 401), "{message}");
}

#[actix_web::test]
async fn a_refresh_answers_the_published_four_members_on_every_path() {
    let shop = Shop::open();
    let granted = shop.krmpesan("cashier", "P01");
    let (token, id) = (refresh_token(&granted), granted.session.id);
    for path in ["/krmpesan/token", "/krmpesan/tokens"] {
        for method in [Method::GET, Method::POST] {
            for name in ["device_id", "device_key"] {
                let target = format!("{path}?refresh_token={token}&{name}={id}");
                let answer = shop.send(call(method.clone(), &target)).await;
                assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
                assert_eq!(answer.header("cache-control"), "no-store");
                let text = String::from_utf8(answer.bytes.clone()).unwrap();
                let (access, identity) = (answer.text("/AccessToken"), answer.text("/IdToken"));
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
async fn neither_body_nor_type_nor_a_stale_bearer_is_looked_at() {
    let shop = Shop::open();
    let granted = shop.krmpesan("cashier", "P01");
    let till = shop.portos("cashier", "OFFICE").await.text("/tokenId");
    let sent = || call(Method::POST, &target(&granted));
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
async fn the_refresh_token_lasts_and_earlier_tokens_stay_good() {
    let shop = Shop::open();
    let granted = shop.krmpesan("cashier", "P01");
    let first = refresh(&shop, &granted).await;
    shop.clock.pass(Duration::from_hours(23));
    for _ in 0..5 {
        assert_eq!(refresh(&shop, &granted).await.status, 200);
    }
    for bearer in ["/AccessToken", "/IdToken"] {
        assert_eq!(shop.get("/krmpesan/devices", &first.text(bearer)).await.status, 200, "{bearer}");
    }
    shop.clock.pass(Duration::from_hours(2));
    is_error(&shop.get("/krmpesan/devices", &first.text("/IdToken")).await, 401, "Unauthorized");
    shop.clock.pass(Duration::from_hours(24 * 365 * 10));
    assert_eq!(refresh(&shop, &granted).await.status, 200, "ten years later");
}

#[actix_web::test]
async fn what_a_query_lacks_is_400_and_what_is_wrong_in_it_401() {
    let shop = Shop::open();
    let (granted, other) = (shop.krmpesan("cashier", "P01"), shop.krmpesan("cashier", "OFFICE"));
    let (token, id, foreign) = (refresh_token(&granted), granted.session.id, other.session.id);
    let native = shop.native("cashier").await;
    for query in [
        String::new(),
        format!("?refresh_token={token}"),
        format!("?refresh_token={token}&device_id="),
        format!("?device_id={id}"),
        format!("?refresh_token=&device_key={id}"),
        format!("?Refresh_Token={token}&device_id={id}"),
    ] {
        for method in [Method::GET, Method::POST] {
            is_error(&shop.send(call(method, &format!("/krmpesan/tokens{query}"))).await, 400, "Bad Request");
        }
    }
    for (token, id) in [
        (token, foreign.to_string()),
        (token, "P01".to_owned()),
        (token, granted.session.device.unwrap().to_string()),
        (token, id.to_string().to_uppercase()),
        ("x", id.to_string()),
        (&*format!("{token}x"), id.to_string()),
        (&*native.text("/refresh_token"), id.to_string()),
        (granted.access_token.expose(), id.to_string()),
    ] {
        let answer = shop.send(call(Method::GET, &format!("/krmpesan/token?refresh_token={token}&device_id={id}")));
        is_error(&answer.await, 401, "Unauthorized");
    }
    assert_eq!(refresh(&shop, &granted).await.status, 200, "nothing of this ended it");
}

#[actix_web::test]
async fn wrong_tokens_again_and_again_are_held_up_and_good_ones_never() {
    let shop = Shop::open();
    let (first, other) = (shop.krmpesan("cashier", "P01"), shop.krmpesan("manager", "OFFICE"));
    let granted = shop.krmpesan("cashier", "P01");
    let wrong = || call(Method::GET, &target(&granted).replace(&granted.session.id.to_string(), "P01"));
    let mut taken = 0;
    let held = loop {
        let answer = shop.send(wrong()).await;
        if answer.status != 401 {
            break answer;
        }
        taken += 1;
        assert!(taken < 1000, "nobody is held up");
    };
    is_error(&held, 429, "Too Many Requests");
    assert!(taken >= 60, "{taken}: the minute goes on while they are counted, and no fewer are taken");
    assert!(held.header("retry-after").parse::<u64>().is_ok_and(|seconds| (1..=60).contains(&seconds)));
    assert_eq!(refresh(&shop, &granted).await.status, 200, "a good one");
    assert_eq!(refresh(&shop, &other).await.status, 200, "another good one");
    assert_eq!(refresh(&shop, &first).await.status, 401, "one that was ended is told so");
    assert_eq!(shop.send_from("192.0.2.8", wrong()).await.status, 401, "from elsewhere");
}

#[actix_web::test]
async fn generating_again_ends_the_earlier_tokens() {
    let shop = Shop::open();
    let first = shop.krmpesan("cashier", "P01");
    let access = refresh(&shop, &first).await.text("/AccessToken");
    let second = shop.krmpesan("manager", "P01");
    is_error(&refresh(&shop, &first).await, 401, "Unauthorized");
    is_error(&shop.get("/krmpesan/devices", &access).await, 401, "Unauthorized");
    assert_eq!(refresh(&shop, &second).await.status, 200);
}

#[actix_web::test]
async fn the_device_of_a_token_is_listed() {
    let shop = Shop::open();
    let granted = shop.krmpesan("cashier", "P01");
    let answer = shop.get("/krmpesan/devices", granted.id_token.as_ref().unwrap().expose()).await;
    let expected =
        format!(r#"{{"code":200,"message":"success","data":[{{"id":"{}","name":"P01"}}]}}"#, granted.session.id);
    assert_eq!(String::from_utf8_lossy(&answer.bytes), expected);
    let native = shop.native("cashier").await.text("/access_token");
    is_error(&shop.get("/krmpesan/devices", &native).await, 401, "Unauthorized");
    is_error(&shop.send(call(Method::GET, "/krmpesan/devices")).await, 401, "Unauthorized");
    let elsewhere = shop.get("/api/v1/sessions/current", granted.access_token.expose()).await;
    assert_eq!(elsewhere.status, 401, "a krmpesan token is none of the native API");
}

#[actix_web::test]
async fn other_refusals_keep_the_shape() {
    let shop = Shop::open();
    let granted = shop.krmpesan("cashier", "P01");
    is_error(&shop.send(call(Method::GET, "/krmpesan/nothing")).await, 404, "Not Found");
    is_error(&shop.send(call(Method::GET, "/krmpesan")).await, 404, "Not Found");
    let wrong = shop.send(call(Method::DELETE, &target(&granted))).await;
    is_error(&wrong, 405, "Method Not Allowed");
    assert_eq!(wrong.header("allow"), "GET, HEAD, POST");
    for (mood, status, message) in
        [(Mood::Unavailable, 503, "Service Unavailable"), (Mood::Broken, 500, "Internal Server Error")]
    {
        shop.store.set(mood);
        let answer = refresh(&shop, &granted).await;
        is_error(&answer, status, message);
        assert_eq!(answer.header("retry-after").is_empty(), status != 503);
        shop.store.set(Mood::Well);
    }
}

#[actix_web::test]
async fn another_tenants_mount_knows_no_token_of_this_one() {
    let shop = Shop::mounted(
        Settings::default(),
        vec![krmpesan("/krmpesan").tenant(tillgate_domain::Slug::parse("other").unwrap()), krmpesan("/any")],
    );
    let granted = shop.krmpesan("cashier", "P01");
    assert_ne!(refresh(&shop, &granted).await.status, 200);
    let target = target(&granted).replace("/krmpesan", "/any");
    assert_eq!(shop.send(call(Method::GET, &target)).await.status, 200);
}

#[actix_web::test]
async fn the_query_reaches_neither_log_nor_metrics() {
    let shop = Shop::open();
    let granted = shop.krmpesan("cashier", "P01");
    let token = refresh_token(&granted).to_owned();
    assert_eq!(refresh(&shop, &granted).await.status, 200);
    let foreign = "a-device-that-is-not-its-own";
    for path in ["/krmpesan/token", "/krmpesan/tokens/", "/krmpesan/tokenz", "/krmpesan/devices"] {
        for method in [Method::GET, Method::POST, Method::PUT] {
            let target = format!("{path}?refresh_token={token}&device_id={foreign}");
            assert_ne!(shop.send(call(method, &target)).await.status, 200);
        }
    }
    for mood in [Mood::Unavailable, Mood::Broken, Mood::Panics] {
        shop.store.set(mood);
        assert!(refresh(&shop, &granted).await.status.is_server_error());
    }
    shop.store.set(Mood::Well);
    let metrics = shop.send(call(Method::GET, "/metrics")).await;
    let metrics = String::from_utf8(metrics.bytes).unwrap();
    let log = crate::log::logged();
    assert!(log.contains("/krmpesan/token") && metrics.contains("/krmpesan/token"), "the calls are there");
    for secret in [token.as_str(), foreign] {
        assert!(!log.contains(secret), "in the log");
        assert!(!metrics.contains(secret), "in the metrics");
    }
    assert!(!log.contains("refresh_token="), "no query at all");
}
