//! NWS4-HMAC-SHA256 as PORTOS' programs send it: every call may be signed instead of bearing a token.

use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::json;
use tillgate_domain::office::{self, ApiKeyChange, Authority, NewApiKey, Stamp};
use tillgate_domain::{Actor, ApiKey, DeviceName, DeviceStatus, EventId, Right, Slug, TenantId, UserName, UserStatus};
use tillgate_http::Settings;

use crate::mounts::{native, portos};
use crate::portos_client::{PortosKey, Unsigned};
use crate::shop::{Answer, Mood, NOON, Shop, call};

const HOST: &str = "till.example.com:8443";

fn stamp(shop: &Shop) -> Stamp {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let mut drawn = [0; 10];
    drawn[..8].copy_from_slice(&NUMBER.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    Stamp {
        at: shop.auth.time().at,
        event: EventId::new(shop.auth.time().at, drawn),
        actor: Actor::default(),
        authority: Authority::Host,
        shell: None,
    }
}

fn tenant_named(shop: &Shop, name: &str) -> TenantId {
    shop.auth.tenant(&Slug::parse(name).unwrap()).unwrap().unwrap()
}

/// A key for a user on a device.
pub fn key(shop: &Shop, user: &str, device: &str, permissions: &[&str]) -> (ApiKey, PortosKey) {
    key_in(shop, "default", user, device, permissions)
}

/// The same in a tenant.
pub fn key_in(shop: &Shop, whose: &str, user: &str, device: &str, permissions: &[&str]) -> (ApiKey, PortosKey) {
    let drawn = shop.auth.draw_api_key().unwrap();
    let held = PortosKey { client: drawn.client.clone(), secret: drawn.secret.expose().clone() };
    let new = NewApiKey {
        id: drawn.id,
        client: drawn.client,
        wrapped: drawn.wrapped,
        name: "Shop window".into(),
        description: String::new(),
        active: true,
        user: UserName::parse(user).unwrap(),
        device: DeviceName::parse(device).unwrap(),
        permissions: permissions.iter().map(|name| Right::parse(name).unwrap()).collect(),
    };
    let made =
        office::add_api_key(&*shop.store.memory, tenant_named(shop, whose), &stamp(shop), &new).unwrap().unwrap();
    (made, held)
}

/// The request, signed.
pub fn signed(key: &PortosKey, request: &Unsigned<'_>) -> TestRequest {
    let mut sent = call(request.method.parse().unwrap(), request.target).insert_header(("Host", request.host));
    for header in request.headers {
        sent = sent.append_header(*header);
    }
    for (name, value) in key.sign(request) {
        sent = sent.insert_header((name, value));
    }
    if request.body.is_empty() { sent } else { sent.set_payload(request.body.to_vec()) }
}

pub fn get(target: &str) -> Unsigned<'_> {
    Unsigned { method: "GET", target, host: HOST, headers: &[], body: b"", at: NOON.millis() }
}

fn is_unauthenticated(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 401, "{what}");
    assert_eq!(
        answer.masked(&["/traceId", "/instance"]),
        json!({ "title": "Nie ste prihlásený.", "status": 401, "instance": "…", "errorCode": "Unauthenticated",
                "traceId": "…" }),
        "{what}"
    );
    assert_eq!(
        answer.challenges(),
        ["Bearer realm=\"tillgate\"", "NWS4-HMAC-SHA256 realm=\"tillgate\", charset=\"UTF-8\""],
        "{what}"
    );
}

#[actix_web::test]
async fn a_signed_call_is_answered_as_its_user_on_its_device() {
    let shop = Shop::open();
    let (_, key) = key(&shop, "999", "P01", &[]);
    let login = shop.portos("999", "P01").await;
    let answer = shop.send(signed(&key, &get("/portos/api/auth"))).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, login.json()["user"].clone()));
    assert_eq!(shop.get("/portos/api/auth", &login.text("/tokenId")).await.status, 200, "nobody's session ended");
    let narrowed = self::key(&shop, "999", "P01", &["storno", "ticketClose"]).1;
    let answer = shop.send(signed(&narrowed, &get("/portos/api/v1/auth"))).await;
    assert_eq!(answer.json()["rights"], json!(["storno", "ticketClose"]));
}

#[actix_web::test]
async fn whatever_the_target_and_the_headers_look_like_the_signature_holds() {
    let shop = Shop::open();
    let (_, key) = key(&shop, "cashier", "P01", &[]);
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
    for (target, at) in targets.into_iter().zip(NOON.millis()..) {
        let answer = shop.send(signed(&key, &Unsigned { at, ..get(target) })).await;
        assert_eq!(answer.status, 200, "{target}: {}", answer.json());
        assert_eq!(answer.text("/userName"), "cashier");
    }
    let headers = [("X-List", "b"), ("__tenant", "x y"), ("Accept", "  text/html,\t */* "), ("X-List", "a")];
    let odd = Unsigned { headers: &headers, ..get("/portos/api/auth?headers") };
    assert_eq!(shop.send(signed(&key, &odd)).await.status, 200);
    // a path that no route has is found out before anybody asks who it is
    let unknown = shop.send(signed(&key, &get("/portos/api/%C5%88/a%2Fb+c:d"))).await;
    assert_eq!(unknown.status, 404);
}

#[actix_web::test]
async fn a_signature_counts_once_but_for_what_only_reads() {
    let shop = Shop::open();
    let (_, key) = key(&shop, "cashier", "P01", &[]);
    let request = Unsigned { method: "DELETE", ..get("/portos/api/auth") };
    assert_eq!(shop.send(signed(&key, &request)).await.status, 200);
    is_unauthenticated(&shop.send(signed(&key, &request)).await, "again");
    assert!(crate::log::logged().contains("signature_repeated"), "the log tells why");
    let later = Unsigned { at: request.at + 1, ..request };
    assert_eq!(shop.send(signed(&key, &later)).await.status, 200, "a millisecond later");
    for method in ["GET", "HEAD"] {
        let request = Unsigned { method, ..get("/portos/api/auth") };
        for _ in 0..3 {
            assert_eq!(shop.send(signed(&key, &request)).await.status, 200, "{method}");
        }
    }
    // what was signed for one method proves no other
    let read = key.sign(&get("/portos/api/auth"));
    for method in [Method::HEAD, Method::DELETE] {
        let other = call(method, "/portos/api/auth").insert_header(("Host", HOST));
        let other = read.iter().cloned().fold(other, TestRequest::insert_header);
        assert_eq!(shop.send(other).await.status, 401);
    }
    shop.clock.pass(std::time::Duration::from_secs(151));
    is_unauthenticated(&shop.send(signed(&key, &get("/portos/api/auth"))).await, "out of its time");
}

#[actix_web::test]
async fn text_after_a_second_equals_sign_is_covered_by_no_signature() {
    let shop = Shop::open();
    let (_, key) = key(&shop, "cashier", "P01", &[]);
    let login = shop.portos("cashier", "P01").await.text("/tokenId");
    for (query, status) in [
        ("name=a=b", 401),
        ("name==b", 401),
        ("x=1&name=a==b&y", 401),
        ("i=1$ref=1&validate", 401),
        ("name=a=", 200),
        ("name=YQ==", 200),
    ] {
        let target = format!("/portos/api/tickets?{query}");
        let answer = shop.send(signed(&key, &get(&target))).await;
        assert_eq!(answer.status, status, "{query}");
        assert_eq!(shop.get(&target, &login).await.status, 200, "{query}: a token covers no query");
    }
}

#[actix_web::test]
async fn what_was_changed_on_the_way_does_not_hold() {
    let shop = Shop::open();
    let (_, key) = key(&shop, "cashier", "P01", &[]);
    let target = "/portos/api/auth";
    let sign = |at: i64| key.sign(&Unsigned { at: NOON.millis() + at, ..get(target) });
    let with = |request: TestRequest, headers: Vec<(&'static str, String)>| {
        headers.into_iter().fold(request.insert_header(("Host", HOST)), TestRequest::insert_header)
    };
    for (what, request) in [
        ("another method", with(call(Method::DELETE, target), sign(1))),
        ("another path", with(call(Method::GET, "/portos/api/v1/auth"), sign(2))),
        ("another query", with(call(Method::GET, "/portos/api/auth?a"), sign(3))),
        ("another host", with(call(Method::GET, target), sign(4)).insert_header(("Host", "other.example.com"))),
        ("a body", with(call(Method::GET, target).set_payload("{}"), sign(5))),
        (
            "another date",
            with(call(Method::GET, target), sign(6)).insert_header(("x-nd-date", "2026-11-21T12:00:00.001Z")),
        ),
        (
            "two dates",
            with(call(Method::GET, target), sign(7)).append_header(("x-nd-date", "2026-11-21T12:00:00.007Z")),
        ),
        ("a bearer besides", with(call(Method::GET, target), sign(8)).append_header(("Authorization", "Bearer x"))),
    ] {
        is_unauthenticated(&shop.send(request).await, what);
    }
    let stranger = PortosKey { client: key.client.clone(), secret: "0".repeat(64) };
    is_unauthenticated(&shop.send(signed(&stranger, &get(target))).await, "another secret");
    let nobody = PortosKey { client: "f".repeat(32), ..key.clone() };
    is_unauthenticated(&shop.send(signed(&nobody, &get(target))).await, "no such key");
    assert_eq!(shop.send(signed(&key, &get(target))).await.status, 200, "none of it was remembered");
}

#[actix_web::test]
async fn a_signature_is_good_for_150_seconds_either_way() {
    let shop = Shop::open();
    let (_, key) = key(&shop, "cashier", "P01", &[]);
    for (millis, status) in [(150_000, 200), (-150_000, 200), (150_001, 401), (-150_001, 401), (86_400_000, 401)] {
        let request = Unsigned { at: NOON.millis() + millis, ..get("/portos/api/auth") };
        assert_eq!(shop.send(signed(&key, &request)).await.status, status, "{millis}");
    }
}

#[actix_web::test]
async fn a_logout_with_a_signature_ends_nothing() {
    let shop = Shop::open();
    let (_, key) = key(&shop, "cashier", "P01", &[]);
    let login = shop.portos("cashier", "P01").await;
    let out = shop.send(signed(&key, &Unsigned { method: "DELETE", ..get("/portos/api/auth") })).await;
    assert_eq!((out.status.as_u16(), out.json()), (200, json!({})));
    assert_eq!(shop.get("/portos/api/auth", &login.text("/tokenId")).await.status, 200);
    assert_eq!(shop.send(signed(&key, &get("/portos/api/auth"))).await.status, 200, "the key goes on too");
}

#[actix_web::test]
async fn a_key_is_over_with_its_user_its_device_and_itself() {
    let ends: [fn(&Shop, &ApiKey); 3] = [
        |shop, key| {
            let change = ApiKeyChange { active: Some(false), ..ApiKeyChange::default() };
            office::change_api_key(&*shop.store.memory, key.tenant, &stamp(shop), key.id, None, &change)
                .unwrap()
                .unwrap();
        },
        |shop, key| {
            let status = UserStatus::Suspended;
            office::set_user_status(&*shop.store.memory, key.tenant, &stamp(shop), key.user, status).unwrap().unwrap();
        },
        |shop, key| {
            let status = DeviceStatus::Locked;
            office::set_device_status(&*shop.store.memory, key.tenant, &stamp(shop), key.device, status)
                .unwrap()
                .unwrap();
        },
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let shop = Shop::open();
        let (made, key) = key(&shop, "cashier", "P01", &[]);
        assert_eq!(shop.send(signed(&key, &get("/portos/api/auth"))).await.status, 200);
        end(&shop, &made);
        is_unauthenticated(&shop.send(signed(&key, &get("/portos/api/auth?again"))).await, &format!("{number}"));
    }
}

#[actix_web::test]
async fn no_other_mount_takes_a_signature_and_no_other_tenant() {
    let tenant = |slug| Slug::parse(slug).unwrap();
    let mounts =
        vec![native("/api/v1"), portos("/one").tenant(tenant("default")), portos("/two").tenant(tenant("other"))];
    let shop = Shop::mounted(Settings::default(), mounts);
    let (_, key) = key(&shop, "cashier", "P01", &[]);
    assert_eq!(shop.send(signed(&key, &get("/one/api/auth"))).await.status, 200);
    is_unauthenticated(&shop.send(signed(&key, &get("/two/api/auth"))).await, "another tenant's mount");
    assert_eq!(shop.send(signed(&key, &get("/api/v1/sessions/current"))).await.status, 401);
}

#[actix_web::test]
async fn without_a_store_a_signature_is_503_and_not_used_up() {
    let shop = Shop::open();
    let (_, key) = key(&shop, "cashier", "P01", &[]);
    for mood in [Mood::Unavailable, Mood::Broken] {
        shop.store.set(mood);
        let status = if mood == Mood::Unavailable { 503 } else { 500 };
        assert_eq!(shop.send(signed(&key, &get("/portos/api/auth"))).await.status, status);
    }
    shop.store.set(Mood::Well);
    assert_eq!(shop.send(signed(&key, &get("/portos/api/auth"))).await.status, 200);
}

#[actix_web::test]
async fn behind_a_trusted_proxy_the_host_is_the_clients() {
    let shop = Shop::with(Settings { proxies: vec!["10.0.0.0/8".parse().unwrap()], ..Settings::default() });
    let (_, key) = key(&shop, "cashier", "P01", &[]);
    let forwarded = |at: i64| {
        let request = Unsigned { at: NOON.millis() + at, ..get("/portos/api/auth") };
        signed(&key, &request).insert_header(("Host", "backend:80")).insert_header(("X-Forwarded-Host", HOST))
    };
    assert_eq!(shop.send_from("10.0.0.1", forwarded(1)).await.status, 200);
    assert_eq!(shop.send_from("192.0.2.7", forwarded(2)).await.status, 401, "a stranger names no host");
}

/// The second scheme stands wherever the first does: on every call that asks who it is, and on the sale device's too.
#[actix_web::test]
async fn every_call_that_takes_a_bearer_takes_a_signature() {
    let shop = Shop::open();
    let (_, key) = key(&shop, "admin", "OFFICE", &[]);
    let routes: Vec<_> =
        shop.http.routes().into_iter().filter(|route| route.mount == "portos" && !route.open).collect();
    assert!(routes.len() >= 32, "{routes:?}");
    for (route, at) in routes.iter().zip(NOON.millis()..) {
        let target = route.path.replace("{id}", "nothing").replace("{name}", "nothing");
        let request = Unsigned { method: &route.method, at, ..get(&target) };
        let answer = shop.send(signed(&key, &request)).await;
        assert!([200, 404, 415].contains(&answer.status.as_u16()), "{route:?}: {}", answer.status);
        let again = shop.send(signed(&key, &request)).await;
        if route.method == "GET" {
            assert_eq!(again.status, answer.status, "{route:?}");
        } else {
            is_unauthenticated(&again, "the same again");
        }
        let bare = shop.send(call(route.method.parse().unwrap(), &target)).await;
        is_unauthenticated(&bare, "neither");
    }
}
