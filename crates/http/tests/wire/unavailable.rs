//! 401 means 401: a store that is away, broken or not yet complete is never read as a refusal, on any route.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::json;
use tillgate_domain::Rank;
use tillgate_http::{AccessRule, Need, Settings};

use crate::office;
use crate::portos_client::PortosKey;
use crate::shop::{Mood, PASSWORD, Shop, call, post, put};

/// Every route with a request that is good as long as the store is. Fails for a route that it does not know.
fn good(method: &str, path: &str, sent: &Sent) -> TestRequest {
    let bearer =
        |request: TestRequest, token: &str| request.insert_header(("Authorization", format!("Bearer {token}")));
    let get = |path: &str| call(Method::GET, path);
    let delete = |path: &str| call(Method::DELETE, path);
    let (native, portos) = (sent.native.as_str(), sent.portos.as_str());
    match (method, path) {
        ("POST", "/api/v1/sessions") => post(path, json!({ "login": "cashier", "password": PASSWORD })),
        ("POST", "/api/v1/sessions/refresh") => post(path, json!({ "refresh_token": sent.native_refresh })),
        ("GET", "/api/v1/sessions" | "/api/v1/sessions/current") => bearer(get(path), native),
        ("DELETE", "/api/v1/sessions/current") => bearer(delete(path), native),
        ("GET", "/api/v1/sessions/{id}") => bearer(get(&path.replace("{id}", &sent.id)), native),
        ("DELETE", "/api/v1/sessions/{id}") => bearer(delete(&path.replace("{id}", &sent.id)), native),
        ("POST", "/portos/api/auth" | "/portos/api/v1/auth") => {
            post(path, json!({ "UserName": "cashier", "Password": PASSWORD, "DeviceName": "OFFICE" }))
        }
        ("GET", "/portos/api/auth" | "/portos/api/v1/auth") => bearer(get(path), portos),
        ("DELETE", "/portos/api/auth" | "/portos/api/v1/auth") => bearer(delete(path), portos),
        ("POST", "/portos/api/auth/refresh" | "/portos/api/v1/auth/refresh") => {
            post(path, json!({ "tokenId": portos, "refreshToken": sent.portos_refresh }))
        }
        (method, path) if path.starts_with("/portos/") => {
            let at = path.replace("{name}", "P01").replace("{id}", &sent.id);
            let body = json!({ "name": "x", "userName": "cashier", "deviceName": "OFFICE" });
            let request = call(method.parse().unwrap(), &at);
            let request = match method {
                "POST" | "PUT" => request.set_json(body),
                "PATCH" => request.set_json(json!([{ "id": sent.id }])),
                _ => request,
            };
            bearer(request, &sent.portos_admin)
        }
        ("POST", "/kasir/api/v1/auth/login") => post(path, json!({ "email": "cashier", "password": PASSWORD })),
        ("POST", "/kasir/api/v1/auth/refresh") => post(path, json!({ "refresh_token": sent.kasir_refresh })),
        ("PUT", "/kasir/api/v1/auth/me/password") => {
            let body = json!({ "old_password": PASSWORD, "new_password": "staple battery" });
            bearer(put(path, body), &sent.kasir)
        }
        ("POST", "/kasir/api/v1/auth/add" | "/kasir/api/v1/users") => {
            bearer(post(path, crate::kasir_users::nina()), &sent.kasir)
        }
        ("PUT", "/kasir/api/v1/users/{id}") => {
            bearer(put(&path.replace("{id}", &sent.id), json!({ "role": "manager" })), &sent.kasir)
        }
        (method, path) if path.starts_with("/kasir/") => {
            bearer(call(method.parse().unwrap(), &path.replace("{id}", &sent.id)), &sent.kasir)
        }
        (method, path) if office::is_ours(path) => {
            // another's tenant is refused on knowledge, without the store
            let named = if path.starts_with("/api/v1/tenants/") { &sent.tenant } else { &sent.user };
            bearer(office::well_formed(method, path, named), &sent.native_admin)
        }
        ("GET", "/api/v1/access") => {
            let asked = get(path).insert_header(("X-Original-Method", "GET"));
            bearer(asked.insert_header(("X-Original-URI", "/products")), native)
        }
        ("POST", "/krmpesan/app/login") => post(path, json!({ "login": "cashier", "password": PASSWORD })),
        ("GET", "/krmpesan/app/devices") => bearer(get(path), &sent.krmpesan_visit),
        ("POST", "/krmpesan/app/generate") => {
            bearer(post(path, json!({ "device": "OFFICE", "password": PASSWORD })), &sent.krmpesan_visit)
        }
        ("POST", "/krmpesan/app/logout") => bearer(call(Method::POST, path), &sent.krmpesan_visit),
        ("POST", "/posstar/api/v1/auth/register") => post(path, crate::posstar::registration("new@example.com")),
        ("POST", "/posstar/api/v1/auth/login") => {
            post(path, json!({ "email": "admin@example.com", "password": PASSWORD }))
        }
        ("POST", "/posstar/api/v1/auth/forgot-password") => post(path, json!({ "email": "admin@example.com" })),
        ("POST", "/posstar/api/v1/auth/reset-password") => {
            post(path, json!({ "token": "none", "password": "a third song of hers" }))
        }
        ("POST", "/posstar/api/v1/auth/refresh") => post(path, json!({ "token": sent.posstar })),
        ("GET", "/posstar/api/v1/auth/me") => bearer(get(path), &sent.posstar),
        ("POST", "/posstar/api/v1/auth/logout") => bearer(call(Method::POST, path), &sent.posstar),
        ("POST", "/fiuu/auth/login") => post(path, json!({ "posId": "P01", "password": PASSWORD })),
        ("POST", "/fiuu/auth/refresh") => bearer(call(Method::POST, path), &sent.fiuu_refresh),
        (method, path) if path.starts_with("/fiuu/") => bearer(call(method.parse().unwrap(), path), &sent.fiuu),
        ("GET", "/krmpesan/devices") => bearer(get(path), &sent.krmpesan),
        (method, "/krmpesan/token" | "/krmpesan/tokens") => {
            call(method.parse().unwrap(), &format!("{path}?{}", sent.krmpesan_refresh))
        }
        ("POST", "/oauth/introspect" | "/oauth/revoke") => {
            crate::oauth::about(path, &sent.program, &sent.native_refresh)
        }
        ("GET", "/.well-known/oauth-authorization-server/{issuer:.*}") => get(&path.replace("{issuer:.*}", "")),
        (
            "GET",
            "/healthz"
            | "/readyz"
            | "/metrics"
            | "/.well-known/jwks.json"
            | "/.well-known/oauth-authorization-server"
            | "/openapi.json"
            | "/docs"
            | "/docs/"
            | "/krmpesan/app"
            | "/krmpesan/app/page.css"
            | "/krmpesan/app/page.js",
        ) => get(path),
        ("GET", "/docs/{file}") => get("/docs/index.html"),
        _ => panic!("{method} {path} is not among the routes that are tried without a store: add it"),
    }
}

struct Sent {
    id: String,
    user: String,
    tenant: String,
    native: String,
    native_admin: String,
    native_refresh: String,
    portos: String,
    portos_refresh: String,
    portos_admin: String,
    kasir: String,
    kasir_refresh: String,
    posstar: String,
    fiuu: String,
    fiuu_refresh: String,
    krmpesan: String,
    krmpesan_refresh: String,
    krmpesan_visit: String,
    program: PortosKey,
}

async fn logged_in(shop: &Shop) -> Sent {
    // a key is made for the admin, which touches them: what was remembered of them before is read again
    let program = crate::oauth::program(shop);
    let native = shop.native("cashier").await;
    let portos = shop.portos("cashier", "OFFICE").await;
    let kasir = shop.kasir("admin").await;
    let fiuu = shop.fiuu().await;
    let login = json!({ "email": "admin@example.com", "password": PASSWORD });
    let posstar = shop.post("/posstar/api/v1/auth/login", login).await;
    let paired = shop.krmpesan("cashier", "OFFICE");
    let krmpesan_refresh =
        format!("refresh_token={}&device_id={}", paired.refresh_token.as_ref().unwrap().expose(), paired.session.id);
    let krmpesan = shop.send(call(Method::GET, &format!("/krmpesan/token?{krmpesan_refresh}"))).await;
    Sent {
        id: native.text("/session/id"),
        user: native.text("/session/user/id"),
        tenant: office::tenant(shop).id.to_string(),
        native: native.text("/access_token"),
        native_admin: shop.native("admin").await.text("/access_token"),
        native_refresh: native.text("/refresh_token"),
        portos: portos.text("/tokenId"),
        portos_refresh: portos.text("/refreshToken"),
        portos_admin: shop.portos("admin", "OFFICE").await.text("/tokenId"),
        kasir: kasir.text("/data/Token"),
        kasir_refresh: kasir.text("/data/refresh_token"),
        posstar: posstar.text("/access_token"),
        fiuu: fiuu.text("/access/token"),
        fiuu_refresh: fiuu.text("/refresh/token"),
        krmpesan: krmpesan.text("/IdToken"),
        krmpesan_refresh,
        krmpesan_visit: shop.krmpesan_visit("cashier").await.text("/data/token"),
        program,
    }
}

/// What memory answers: who calls, and what the process says of itself.
fn from_memory(path: &str) -> bool {
    matches!(
        path,
        "GET /api/v1/sessions/current"
            | "GET /portos/api/auth"
            | "GET /portos/api/v1/auth"
            | "GET /kasir/api/v1/auth/me"
            | "GET /krmpesan/devices"
            | "GET /posstar/api/v1/auth/me"
            | "GET /krmpesan/app"
            | "GET /krmpesan/app/page.css"
            | "GET /krmpesan/app/page.js"
            | "GET /healthz"
            | "GET /metrics"
            | "GET /.well-known/jwks.json"
            | "GET /.well-known/oauth-authorization-server"
            | "GET /.well-known/oauth-authorization-server/{issuer:.*}"
            | "GET /openapi.json"
            | "GET /docs/{file}"
    )
}

#[actix_web::test]
async fn without_a_store_every_route_is_503_or_answered_from_memory() {
    let listed = AccessRule {
        methods: Vec::new(),
        path: "/products".parse().unwrap(),
        mounts: vec!["native".to_owned()],
        tenant: None,
        need: Need::Role(Rank::Cashier),
    };
    let shop = Shop::with(Settings { access: vec![listed], ..Settings::default() });
    let sent = logged_in(&shop).await;
    let routes = shop.http.routes();
    assert!(routes.len() >= 19, "{routes:?}");
    for (mood, otherwise) in [(Mood::Unavailable, 503), (Mood::Broken, 500), (Mood::Panics, 500)] {
        shop.store.set(mood);
        for route in &routes {
            let named = format!("{} {}", route.method, route.path);
            let answer = shop.send(good(&route.method, &route.path, &sent)).await;
            let status = match named.as_str() {
                "GET /api/v1/access" => 204,
                "GET /docs" | "GET /docs/" => 308,
                named if from_memory(named) => 200,
                // readiness says that the store is away, whatever the reason
                "GET /readyz" if mood == Mood::Broken => 503,
                _ => otherwise,
            };
            assert_eq!(answer.status, status, "{named}: {}", String::from_utf8_lossy(&answer.bytes));
            assert_eq!(answer.header("retry-after").is_empty(), status != 503, "{named}");
            let text = String::from_utf8_lossy(&answer.bytes).into_owned();
            let gives_away = ["disk", "table", "panic"].iter().any(|word| text.contains(word));
            assert!(status < 300 || !gives_away, "{named}: {text}");
        }
    }
    shop.store.set(Mood::Well);
    assert_eq!(shop.get("/api/v1/sessions/current", &sent.native).await.status, 200, "nothing was ended");
    assert_eq!(shop.get("/portos/api/auth", &sent.portos).await.status, 200, "nothing was ended");
}

/// A token that is right, of somebody whom this process has not met, while the store is away.
#[actix_web::test]
async fn whom_memory_does_not_know_is_503_without_a_store() {
    let shop = Shop::open();
    let token = shop.native("cashier").await.text("/access_token");
    // the user's profile is forgotten by a change that names them
    let ended = shop.native("cashier").await.text("/session/user/id").parse().unwrap();
    tillgate_domain::StoreExt::<tillgate_auth_core::AuthView>::write(&*shop.store, |tx| {
        tx.endings().touch(tillgate_domain::Scope::User(ended), crate::shop::NOON)
    })
    .unwrap();
    shop.store.set(Mood::Unavailable);
    assert_eq!(shop.get("/api/v1/sessions/current", &token).await.status, 503);
    assert_eq!(shop.get("/api/v1/sessions/current", "garbage").await.status, 401, "what is no token needs no store");
    shop.store.set(Mood::Well);
    assert_eq!(shop.get("/api/v1/sessions/current", &token).await.status, 200);
}

#[actix_web::test]
async fn while_the_gate_is_shut_all_that_needs_the_engine_is_503() {
    let shop = Shop::open();
    let sent = logged_in(&shop).await;
    shop.http.gate().shut();
    for route in shop.http.routes() {
        let named = format!("{} {}", route.method, route.path);
        let answer = shop.send(good(&route.method, &route.path, &sent)).await;
        let status = match named.as_str() {
            "GET /healthz" | "GET /metrics" | "GET /openapi.json" | "GET /docs/{file}" => 200,
            "GET /docs" | "GET /docs/" => 308,
            _ => 503,
        };
        assert_eq!(answer.status, status, "{named}");
    }
    let ready = shop.send(call(Method::GET, "/readyz")).await;
    assert_eq!(ready.json()["parts"]["complete"], json!(false));
    assert_eq!(shop.get("/api/v1/nothing", "").await.status, 404);
    shop.http.gate().open();
    assert_eq!(shop.send(call(Method::GET, "/readyz")).await.status, 200);
    assert_eq!(shop.get("/api/v1/sessions/current", &sent.native).await.status, 200);
}
