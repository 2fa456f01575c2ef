//! NWS4-HMAC-SHA256 signatures of PORTOS' programs, instead of a token on every operation.

use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::json;
use tillgate_domain::office::{ApiKeyChange, AuditContext, NewApiKey, Office};
use tillgate_domain::{
    Actor, ApiKey, Authority, DeviceName, DeviceStatus, EventId, Right, Slug, TenantId, UserName, UserStatus,
};
use tillgate_http::HttpSettings;

use crate::mounts::{native, portos};
use crate::portos_client::{PortosKey, UnsignedRequest};
use crate::test_server::{NOON, StoreState, TestResponse, TestServer, build_request};

const HOST: &str = "till.example.com:8443";

fn unique_timestamp(shop: &TestServer) -> AuditContext {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let mut drawn = [0; 10];
    drawn[..8].copy_from_slice(&NUMBER.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    AuditContext {
        at: shop.auth.time().at,
        event_id: EventId::new(shop.auth.time().at, drawn),
        actor: Actor::default(),
        authority: Authority::Host,
        os_user: None,
    }
}

fn find_tenant_id(shop: &TestServer, name: &str) -> TenantId {
    shop.auth.find_tenant_id(&Slug::parse(name).unwrap()).unwrap().unwrap()
}

/// Creates a key for a user on a device.
pub fn create_key(shop: &TestServer, user: &str, device: &str, permissions: &[&str]) -> (ApiKey, PortosKey) {
    create_key_in(shop, "default", user, device, permissions)
}

/// Creates a key in a tenant.
pub fn create_key_in(
    shop: &TestServer,
    whose: &str,
    user: &str,
    device: &str,
    permissions: &[&str],
) -> (ApiKey, PortosKey) {
    let drawn = shop.auth.generate_api_key().unwrap();
    let held = PortosKey { client: drawn.client_id.clone(), secret: drawn.secret.expose().clone() };
    let new = NewApiKey {
        id: drawn.id,
        client_id: drawn.client_id,
        wrapped_secret: drawn.wrapped_secret,
        name: "Shop window".into(),
        description: String::new(),
        active: true,
        user: UserName::parse(user).unwrap(),
        device: DeviceName::parse(device).unwrap(),
        permissions: permissions.iter().map(|name| Right::parse(name).unwrap()).collect(),
        expires_at: None,
    };
    let made = Office::new(&*shop.store.inner, find_tenant_id(shop, whose), unique_timestamp(shop))
        .add_api_key(&new)
        .unwrap()
        .unwrap();
    (made, held)
}

/// Signs the request.
pub fn sign_request(key: &PortosKey, request: &UnsignedRequest<'_>) -> TestRequest {
    let mut sent = build_request(request.method.parse().unwrap(), request.target).insert_header(("Host", request.host));
    for header in request.headers {
        sent = sent.append_header(*header);
    }
    for (name, value) in key.sign(request) {
        sent = sent.insert_header((name, value));
    }
    if request.body.is_empty() { sent } else { sent.set_payload(request.body.to_vec()) }
}

pub fn get(target: &str) -> UnsignedRequest<'_> {
    UnsignedRequest { method: "GET", target, host: HOST, headers: &[], body: b"", sent_at: NOON.millis() }
}

fn assert_unauthenticated(response: &TestResponse, what: &str) {
    assert_eq!(response.status, 401, "{what}");
    assert_eq!(
        response.json_masked(&["/traceId", "/instance"]),
        json!({ "title": "Nie ste prihlásený.", "status": 401, "instance": "…", "errorCode": "Unauthenticated",
                "traceId": "…" }),
        "{what}"
    );
    assert_eq!(
        response.challenges(),
        ["Bearer realm=\"tillgate\"", "NWS4-HMAC-SHA256 realm=\"tillgate\", charset=\"UTF-8\""],
        "{what}"
    );
}

#[actix_web::test]
async fn signed_call_runs_as_its_user_on_its_device() {
    let shop = TestServer::start();
    let (_, key) = create_key(&shop, "999", "P01", &[]);
    let login = shop.log_in_portos("999", "P01").await;
    let response = shop.send(sign_request(&key, &get("/portos/api/auth"))).await;
    assert_eq!((response.status.as_u16(), response.json()), (200, login.json()["user"].clone()));
    assert_eq!(shop.get("/portos/api/auth", &login.text_at("/tokenId")).await.status, 200, "no session ended");
    let narrowed = self::create_key(&shop, "999", "P01", &["storno", "ticketClose"]).1;
    let response = shop.send(sign_request(&narrowed, &get("/portos/api/v1/auth"))).await;
    assert_eq!(response.json()["rights"], json!(["storno", "ticketClose"]));
}

#[actix_web::test]
async fn signature_verifies_for_any_target_and_headers() {
    let shop = TestServer::start();
    let (_, key) = create_key(&shop, "cashier", "P01", &[]);
    let targets = [
        "/portos/api/auth",
        "/portos/api/auth?",
        "/portos/api/auth?b=2&a=1&b=1&a=2",
        "/portos/api/auth?q=a+b&q=a%20b&q=a%2Fb&q=a/b",
        "/portos/api/auth?%C5%88=%c5%88&x",
        "/portos/api/auth?i=1$ref=&validate&q=YQ==",
        "/portos/api/auth?$sort=-name&name=contains:x;y&&=",
        "/portos/api/auth?q=*!'()~",
    ];
    for (target, sent_at) in targets.into_iter().zip(NOON.millis()..) {
        let response = shop.send(sign_request(&key, &UnsignedRequest { sent_at, ..get(target) })).await;
        assert_eq!(response.status, 200, "{target}: {}", response.json());
        assert_eq!(response.text_at("/userName"), "cashier");
    }
    let headers = [("X-List", "b"), ("__tenant", "x y"), ("Accept", "  text/html,\t */* "), ("X-List", "a")];
    let odd = UnsignedRequest { headers: &headers, ..get("/portos/api/auth?headers") };
    assert_eq!(shop.send(sign_request(&key, &odd)).await.status, 200);
    // an unknown path is detected before authentication
    let unknown = shop.send(sign_request(&key, &get("/portos/api/%C5%88/a%2Fb+c:d"))).await;
    assert_eq!(unknown.status, 404);
}

#[actix_web::test]
async fn signature_is_consumed_except_by_reads() {
    let shop = TestServer::start();
    let (_, key) = create_key(&shop, "cashier", "P01", &[]);
    let request = UnsignedRequest { method: "DELETE", ..get("/portos/api/auth") };
    assert_eq!(shop.send(sign_request(&key, &request)).await.status, 200);
    assert_unauthenticated(&shop.send(sign_request(&key, &request)).await, "again");
    assert!(crate::captured_log::captured_log().contains("signature_repeated"), "the log contains the reason");
    let later = UnsignedRequest { sent_at: request.sent_at + 1, ..request };
    assert_eq!(shop.send(sign_request(&key, &later)).await.status, 200, "a millisecond later");
    for method in ["GET", "HEAD"] {
        let request = UnsignedRequest { method, ..get("/portos/api/auth") };
        for _ in 0..3 {
            assert_eq!(shop.send(sign_request(&key, &request)).await.status, 200, "{method}");
        }
    }
    // a signature is valid for its method only
    let read = key.sign(&get("/portos/api/auth"));
    for method in [Method::HEAD, Method::DELETE] {
        let other = build_request(method, "/portos/api/auth").insert_header(("Host", HOST));
        let other = read.iter().cloned().fold(other, TestRequest::insert_header);
        assert_eq!(shop.send(other).await.status, 401);
    }
    shop.clock.advance(std::time::Duration::from_secs(151));
    assert_unauthenticated(&shop.send(sign_request(&key, &get("/portos/api/auth"))).await, "out of its time");
}

#[actix_web::test]
async fn text_after_second_equals_sign_is_rejected() {
    let shop = TestServer::start();
    let (_, key) = create_key(&shop, "cashier", "P01", &[]);
    let login = shop.log_in_portos("cashier", "P01").await.text_at("/tokenId");
    for (query, status) in [
        ("name=a=b", 401),
        ("name==b", 401),
        ("x=1&name=a==b&y", 401),
        ("i=1$ref=1&validate", 401),
        ("name=a=", 200),
        ("name=YQ==", 200),
    ] {
        let target = format!("/portos/api/tickets?{query}");
        let response = shop.send(sign_request(&key, &get(&target))).await;
        assert_eq!(response.status, status, "{query}");
        assert_eq!(shop.get(&target, &login).await.status, 200, "{query}: a token covers no query");
    }
}

#[actix_web::test]
async fn tampered_request_is_rejected() {
    let shop = TestServer::start();
    let (_, key) = create_key(&shop, "cashier", "P01", &[]);
    let target = "/portos/api/auth";
    let sign = |at: i64| key.sign(&UnsignedRequest { sent_at: NOON.millis() + at, ..get(target) });
    let with = |request: TestRequest, headers: Vec<(&'static str, String)>| {
        headers.into_iter().fold(request.insert_header(("Host", HOST)), TestRequest::insert_header)
    };
    for (what, request) in [
        ("another method", with(build_request(Method::DELETE, target), sign(1))),
        ("another path", with(build_request(Method::GET, "/portos/api/v1/auth"), sign(2))),
        ("another query", with(build_request(Method::GET, "/portos/api/auth?a"), sign(3))),
        (
            "another host",
            with(build_request(Method::GET, target), sign(4)).insert_header(("Host", "other.example.com")),
        ),
        ("a body", with(build_request(Method::GET, target).set_payload("{}"), sign(5))),
        (
            "another date",
            with(build_request(Method::GET, target), sign(6)).insert_header(("x-nd-date", "2026-11-21T12:00:00.001Z")),
        ),
        (
            "two dates",
            with(build_request(Method::GET, target), sign(7)).append_header(("x-nd-date", "2026-11-21T12:00:00.007Z")),
        ),
        (
            "a bearer besides",
            with(build_request(Method::GET, target), sign(8)).append_header(("Authorization", "Bearer x")),
        ),
    ] {
        assert_unauthenticated(&shop.send(request).await, what);
    }
    let stranger = PortosKey { client: key.client.clone(), secret: "0".repeat(64) };
    assert_unauthenticated(&shop.send(sign_request(&stranger, &get(target))).await, "another secret");
    let nobody = PortosKey { client: "f".repeat(32), ..key.clone() };
    assert_unauthenticated(&shop.send(sign_request(&nobody, &get(target))).await, "no such key");
    assert_eq!(shop.send(sign_request(&key, &get(target))).await.status, 200, "none of it was remembered");
}

#[actix_web::test]
async fn signature_is_valid_for_150_seconds_either_way() {
    let shop = TestServer::start();
    let (_, key) = create_key(&shop, "cashier", "P01", &[]);
    for (millis, status) in [(150_000, 200), (-150_000, 200), (150_001, 401), (-150_001, 401), (86_400_000, 401)] {
        let request = UnsignedRequest { sent_at: NOON.millis() + millis, ..get("/portos/api/auth") };
        assert_eq!(shop.send(sign_request(&key, &request)).await.status, status, "{millis}");
    }
}

#[actix_web::test]
async fn signed_logout_ends_nothing() {
    let shop = TestServer::start();
    let (_, key) = create_key(&shop, "cashier", "P01", &[]);
    let login = shop.log_in_portos("cashier", "P01").await;
    let out = shop.send(sign_request(&key, &UnsignedRequest { method: "DELETE", ..get("/portos/api/auth") })).await;
    assert_eq!((out.status.as_u16(), out.json()), (200, json!({})));
    assert_eq!(shop.get("/portos/api/auth", &login.text_at("/tokenId")).await.status, 200);
    assert_eq!(shop.send(sign_request(&key, &get("/portos/api/auth"))).await.status, 200, "the key is still valid");
}

#[actix_web::test]
async fn api_key_ends_with_its_user_and_device() {
    let ends: [fn(&TestServer, &ApiKey); 3] = [
        |shop, key| {
            let change = ApiKeyChange { active: Some(false), ..ApiKeyChange::default() };
            Office::new(&*shop.store.inner, key.tenant, unique_timestamp(shop))
                .change_api_key(key.id, None, &change)
                .unwrap()
                .unwrap();
        },
        |shop, key| {
            let status = UserStatus::Suspended;
            Office::new(&*shop.store.inner, key.tenant, unique_timestamp(shop))
                .set_user_status(key.user, status)
                .unwrap()
                .unwrap();
        },
        |shop, key| {
            let status = DeviceStatus::Locked;
            Office::new(&*shop.store.inner, key.tenant, unique_timestamp(shop))
                .set_device_status(key.device, status)
                .unwrap()
                .unwrap();
        },
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let shop = TestServer::start();
        let (made, key) = create_key(&shop, "cashier", "P01", &[]);
        assert_eq!(shop.send(sign_request(&key, &get("/portos/api/auth"))).await.status, 200);
        end(&shop, &made);
        assert_unauthenticated(
            &shop.send(sign_request(&key, &get("/portos/api/auth?again"))).await,
            &format!("{number}"),
        );
    }
}

#[actix_web::test]
async fn other_mounts_and_tenants_reject_a_signature() {
    let tenant = |slug| Slug::parse(slug).unwrap();
    let mounts = vec![
        native("/api/v1"),
        portos("/one").with_tenant(tenant("default")),
        portos("/two").with_tenant(tenant("other")),
    ];
    let shop = TestServer::with_mounts(HttpSettings::default(), mounts);
    let (_, key) = create_key(&shop, "cashier", "P01", &[]);
    assert_eq!(shop.send(sign_request(&key, &get("/one/api/auth"))).await.status, 200);
    assert_unauthenticated(&shop.send(sign_request(&key, &get("/two/api/auth"))).await, "another tenant's mount");
    assert_eq!(shop.send(sign_request(&key, &get("/api/v1/sessions/current"))).await.status, 401);
}

#[actix_web::test]
async fn store_outage_is_503_and_does_not_consume_the_signature() {
    let shop = TestServer::start();
    let (_, key) = create_key(&shop, "cashier", "P01", &[]);
    for mood in [StoreState::Unavailable, StoreState::Broken] {
        shop.store.set_state(mood);
        let status = if mood == StoreState::Unavailable { 503 } else { 500 };
        assert_eq!(shop.send(sign_request(&key, &get("/portos/api/auth"))).await.status, status);
    }
    shop.store.set_state(StoreState::Healthy);
    assert_eq!(shop.send(sign_request(&key, &get("/portos/api/auth"))).await.status, 200);
}

#[actix_web::test]
async fn signed_host_is_the_clients_behind_a_trusted_proxy() {
    let shop = TestServer::with_settings(HttpSettings {
        proxies: vec!["10.0.0.0/8".parse().unwrap()],
        ..HttpSettings::default()
    });
    let (_, key) = create_key(&shop, "cashier", "P01", &[]);
    let forwarded = |at: i64| {
        let request = UnsignedRequest { sent_at: NOON.millis() + at, ..get("/portos/api/auth") };
        sign_request(&key, &request).insert_header(("Host", "backend:80")).insert_header(("X-Forwarded-Host", HOST))
    };
    assert_eq!(shop.send_from("10.0.0.1", forwarded(1)).await.status, 200);
    assert_eq!(shop.send_from("192.0.2.7", forwarded(2)).await.status, 401, "a stranger names no host");
}

/// Signatures are accepted wherever tokens are: on every authenticated operation, also for sale
/// devices.
#[actix_web::test]
async fn every_bearer_route_accepts_a_signature() {
    let shop = TestServer::start();
    let (_, key) = create_key(&shop, "admin", "OFFICE", &[]);
    let routes: Vec<_> =
        shop.http.routes().into_iter().filter(|route| route.mount == "portos" && route.requirement.is_some()).collect();
    assert!(routes.len() >= 32, "{routes:?}");
    for (route, sent_at) in routes.iter().zip(NOON.millis()..) {
        let target = route.path.replace("{id}", "nothing").replace("{name}", "nothing");
        let request = UnsignedRequest { method: &route.method, sent_at, ..get(&target) };
        let response = shop.send(sign_request(&key, &request)).await;
        assert!([200, 404, 415].contains(&response.status.as_u16()), "{route:?}: {}", response.status);
        let again = shop.send(sign_request(&key, &request)).await;
        if route.method == "GET" {
            assert_eq!(again.status, response.status, "{route:?}");
        } else {
            assert_unauthenticated(&again, "the same again");
        }
        let bare = shop.send(build_request(route.method.parse().unwrap(), &target)).await;
        assert_unauthenticated(&bare, "neither");
    }
}
