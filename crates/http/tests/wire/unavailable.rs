//! 401 means 401: an unavailable, broken or incomplete store never leads to a denial, on any route.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::json;
use tillgate_domain::Rank;
use tillgate_http::{AccessRequirement, AccessRule, HttpSettings};
use tillgate_testkit::ProofSigner;

use crate::enrollments::post_with_proof;
use crate::office;
use crate::portos_client::PortosKey;
use crate::test_server::{StoreState, TEST_PASSWORD, TestServer, build_request, post_request, put_request};

/// Paths that are served without a token and without a body.
const PUBLIC_PATHS: [&str; 11] = [
    "/healthz",
    "/readyz",
    "/metrics",
    "/.well-known/jwks.json",
    "/.well-known/oauth-authorization-server",
    "/openapi.json",
    "/docs",
    "/docs/",
    "/krmpesan/app",
    "/krmpesan/app/page.css",
    "/krmpesan/app/page.js",
];

/// A request for every route that succeeds while the store works. Fails for an unknown route.
fn valid_request(method: &str, path: &str, sent: &Samples) -> TestRequest {
    let bearer =
        |request: TestRequest, token: &str| request.insert_header(("Authorization", format!("Bearer {token}")));
    let get = |path: &str| build_request(Method::GET, path);
    let delete = |path: &str| build_request(Method::DELETE, path);
    let (native, portos) = (sent.native.as_str(), sent.portos.as_str());
    let password = TEST_PASSWORD;
    match (method, path) {
        ("POST", "/api/v1/sessions") => post_request(path, json!({ "login": "cashier", "password": password })),
        ("POST", "/api/v1/sessions/refresh") => post_request(path, json!({ "refresh_token": sent.native_refresh })),
        ("GET", "/api/v1/sessions" | "/api/v1/sessions/current") => bearer(get(path), native),
        ("DELETE", "/api/v1/sessions/current") => bearer(delete(path), native),
        ("GET", "/api/v1/sessions/{id}") => bearer(get(&path.replace("{id}", &sent.id)), native),
        ("DELETE", "/api/v1/sessions/{id}") => bearer(delete(&path.replace("{id}", &sent.id)), native),
        ("POST", "/portos/api/auth" | "/portos/api/v1/auth") => {
            post_request(path, json!({ "UserName": "cashier", "Password": password, "DeviceName": "OFFICE" }))
        }
        ("GET", "/portos/api/auth" | "/portos/api/v1/auth") => bearer(get(path), portos),
        ("DELETE", "/portos/api/auth" | "/portos/api/v1/auth") => bearer(delete(path), portos),
        ("POST", "/portos/api/auth/refresh" | "/portos/api/v1/auth/refresh") => {
            post_request(path, json!({ "tokenId": portos, "refreshToken": sent.portos_refresh }))
        }
        (method, path) if path.starts_with("/portos/") => {
            let at = path.replace("{name}", "P01").replace("{id}", &sent.id);
            let body = json!({ "name": "x", "userName": "cashier", "deviceName": "OFFICE" });
            let request = build_request(method.parse().unwrap(), &at);
            let request = match method {
                "POST" | "PUT" => request.set_json(body),
                "PATCH" => request.set_json(json!([{ "id": sent.id }])),
                _ => request,
            };
            bearer(request, &sent.portos_admin)
        }
        ("POST", "/kasir/api/v1/auth/login") => post_request(path, json!({ "email": "cashier", "password": password })),
        ("POST", "/kasir/api/v1/auth/refresh") => post_request(path, json!({ "refresh_token": sent.kasir_refresh })),
        ("PUT", "/kasir/api/v1/auth/me/password") => {
            let body = json!({ "old_password": password, "new_password": "staple battery" });
            bearer(put_request(path, body), &sent.kasir)
        }
        ("POST", "/kasir/api/v1/auth/add" | "/kasir/api/v1/users") => {
            bearer(post_request(path, crate::kasir_users::create_user_body()), &sent.kasir)
        }
        ("PUT", "/kasir/api/v1/users/{id}") => {
            bearer(put_request(&path.replace("{id}", &sent.id), json!({ "role": "manager" })), &sent.kasir)
        }
        (method, path) if path.starts_with("/kasir/") => {
            bearer(build_request(method.parse().unwrap(), &path.replace("{id}", &sent.id)), &sent.kasir)
        }
        ("POST", "/api/v1/enrollments" | "/api/v1/enrollments/start" | "/api/v1/enrollments/poll") => {
            let uri = format!("http://pos.example{path}");
            let proof = ProofSigner::ed25519(1).prove(method, &uri, &sent.nonce, None);
            let request = office::well_formed(method, path, &sent.user).insert_header(("Host", "pos.example"));
            request.insert_header(("DPoP", proof))
        }
        (method, path) if path.starts_with("/api/v1/till") => till_request(method, path, sent),
        (method, path) if office::is_office_path(path) => {
            // another tenant is denied by what is known in memory, without the store
            let named = if path.starts_with("/api/v1/tenants/") { &sent.tenant } else { &sent.user };
            bearer(office::well_formed(method, path, named), &sent.native_admin)
        }
        ("GET", "/api/v1/access") => {
            let asked = get(path).insert_header(("X-Original-Method", "GET"));
            bearer(asked.insert_header(("X-Original-URI", "/products")), native)
        }
        ("POST", "/krmpesan/app/login") => post_request(path, json!({ "login": "cashier", "password": password })),
        ("GET", "/krmpesan/app/devices") => bearer(get(path), &sent.krmpesan_visit),
        ("POST", "/krmpesan/app/generate") => {
            bearer(post_request(path, json!({ "device": "OFFICE", "password": password })), &sent.krmpesan_visit)
        }
        ("POST", "/krmpesan/app/logout") => bearer(build_request(Method::POST, path), &sent.krmpesan_visit),
        ("POST", "/posstar/api/v1/auth/register") => {
            post_request(path, crate::posstar::registration("new@example.com"))
        }
        ("POST", "/posstar/api/v1/auth/login") => {
            post_request(path, json!({ "email": "admin@example.com", "password": password }))
        }
        ("POST", "/posstar/api/v1/auth/forgot-password") => post_request(path, json!({ "email": "admin@example.com" })),
        ("POST", "/posstar/api/v1/auth/reset-password") => {
            post_request(path, json!({ "token": "none", "password": "a third song of hers" }))
        }
        ("POST", "/posstar/api/v1/auth/refresh") => post_request(path, json!({ "token": sent.posstar })),
        ("GET", "/posstar/api/v1/auth/me") => bearer(get(path), &sent.posstar),
        ("POST", "/posstar/api/v1/auth/logout") => bearer(build_request(Method::POST, path), &sent.posstar),
        ("POST", "/fiuu/auth/login") => post_request(path, json!({ "posId": "P01", "password": password })),
        ("POST", "/fiuu/auth/refresh") => bearer(build_request(Method::POST, path), &sent.fiuu_refresh),
        (method, path) if path.starts_with("/fiuu/") => {
            bearer(build_request(method.parse().unwrap(), path), &sent.fiuu)
        }
        ("GET", "/krmpesan/devices") => bearer(get(path), &sent.krmpesan),
        (method, "/krmpesan/token" | "/krmpesan/tokens") => {
            build_request(method.parse().unwrap(), &format!("{path}?{}", sent.krmpesan_refresh))
        }
        ("POST", "/oauth/introspect" | "/oauth/revoke") => {
            crate::oauth::token_request(path, &sent.program, &sent.native_refresh)
        }
        ("GET", "/.well-known/oauth-authorization-server/{issuer:.*}") => get(&path.replace("{issuer:.*}", "")),
        ("GET", path) if PUBLIC_PATHS.contains(&path) => get(path),
        ("GET", "/docs/{file}") => get("/docs/index.html"),
        _ => panic!("{method} {path} is not among the routes that are tried without a store: add it"),
    }
}

/// A request in the session of a till, with a proof of its key.
fn till_request(method: &str, path: &str, sent: &Samples) -> TestRequest {
    let uri = format!("http://pos.example{path}");
    let proof = ProofSigner::ed25519(2).prove(method, &uri, &sent.nonce, Some(&sent.till));
    let request = office::well_formed(method, path, &sent.user).insert_header(("Host", "pos.example"));
    let request = request.insert_header(("Authorization", format!("DPoP {}", sent.till)));
    request.insert_header(("DPoP", proof))
}

struct Samples {
    id: String,
    nonce: String,
    user: String,
    tenant: String,
    native: String,
    native_admin: String,
    native_refresh: String,
    /// The access token of a till, which is bound to its key.
    till: String,
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

async fn create_samples(shop: &TestServer) -> Samples {
    // creating a key changes the admin, so cached data of the admin becomes outdated
    let program = crate::oauth::create_client_key(shop);
    let native = shop.log_in_native("cashier").await;
    let body = json!({ "device": "P01", "password": TEST_PASSWORD });
    let till = post_with_proof(shop, &ProofSigner::ed25519(2), "/api/v1/sessions", body).await;
    let portos = shop.log_in_portos("cashier", "OFFICE").await;
    let kasir = shop.log_in_kasir("admin").await;
    let fiuu = shop.log_in_fiuu().await;
    let login = json!({ "email": "admin@example.com", "password": TEST_PASSWORD });
    let posstar = shop.post("/posstar/api/v1/auth/login", login).await;
    let paired = shop.generate_krmpesan_tokens("cashier", "OFFICE");
    let krmpesan_refresh =
        format!("refresh_token={}&device_id={}", paired.refresh_token.as_ref().unwrap().expose(), paired.session.id);
    let krmpesan = shop.send(build_request(Method::GET, &format!("/krmpesan/token?{krmpesan_refresh}"))).await;
    Samples {
        id: native.text_at("/session/id"),
        nonce: shop.auth.dpop_nonce(),
        user: native.text_at("/session/user/id"),
        tenant: office::tenant(shop).id.to_string(),
        native: native.text_at("/access_token"),
        native_admin: shop.log_in_native("admin").await.text_at("/access_token"),
        native_refresh: native.text_at("/refresh_token"),
        till: till.text_at("/access_token"),
        portos: portos.text_at("/tokenId"),
        portos_refresh: portos.text_at("/refreshToken"),
        portos_admin: shop.log_in_portos("admin", "OFFICE").await.text_at("/tokenId"),
        kasir: kasir.text_at("/data/Token"),
        kasir_refresh: kasir.text_at("/data/refresh_token"),
        posstar: posstar.text_at("/access_token"),
        fiuu: fiuu.text_at("/access/token"),
        fiuu_refresh: fiuu.text_at("/refresh/token"),
        krmpesan: krmpesan.text_at("/IdToken"),
        krmpesan_refresh,
        krmpesan_visit: shop.log_in_krmpesan_page("cashier").await.text_at("/data/token"),
        program,
    }
}

/// Routes that are answered from memory: the caller, and the state of the process.
fn is_answered_from_memory(path: &str) -> bool {
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
async fn store_outage_is_503_or_answered_from_memory_on_every_route() {
    let listed = AccessRule {
        methods: Vec::new(),
        path: "/products".parse().unwrap(),
        mounts: vec!["native".to_owned()],
        tenant: None,
        requirement: AccessRequirement::Role(Rank::Cashier),
    };
    let shop = TestServer::with_settings(HttpSettings { access_rules: vec![listed], ..HttpSettings::default() });
    let sent = create_samples(&shop).await;
    let routes = shop.http.routes();
    assert!(routes.len() >= 19, "{routes:?}");
    for (mood, otherwise) in [(StoreState::Unavailable, 503), (StoreState::Broken, 500), (StoreState::Panicking, 500)] {
        shop.store.set_state(mood);
        for route in &routes {
            let named = format!("{} {}", route.method, route.path);
            let response = shop.send(valid_request(&route.method, &route.path, &sent)).await;
            let status = match named.as_str() {
                "GET /api/v1/access" => 204,
                "GET /docs" | "GET /docs/" => 308,
                named if is_answered_from_memory(named) => 200,
                // readiness reports the unavailable store, whatever the reason
                "GET /readyz" if mood == StoreState::Broken => 503,
                _ => otherwise,
            };
            assert_eq!(response.status, status, "{named}: {}", String::from_utf8_lossy(&response.bytes));
            assert_eq!(response.header("retry-after").is_empty(), status != 503, "{named}");
            let text = String::from_utf8_lossy(&response.bytes).into_owned();
            let gives_away = ["disk", "table", "panic"].iter().any(|word| text.contains(word));
            assert!(status < 300 || !gives_away, "{named}: {text}");
        }
    }
    shop.store.set_state(StoreState::Healthy);
    assert_eq!(shop.get("/api/v1/sessions/current", &sent.native).await.status, 200, "nothing was ended");
    assert_eq!(shop.get("/portos/api/auth", &sent.portos).await.status, 200, "nothing was ended");
}

/// Returns a valid token of a user that this process has not authenticated yet, while the store is
/// unavailable.
#[actix_web::test]
async fn store_outage_is_503_for_unknown_callers() {
    let shop = TestServer::start();
    let token = shop.log_in_native("cashier").await.text_at("/access_token");
    // a change of the user makes the cached profile outdated
    let ended = shop.log_in_native("cashier").await.text_at("/session/user/id").parse().unwrap();
    tillgate_domain::StoreExt::<tillgate_auth_core::AuthPorts>::write(&*shop.store, "test", |tx| {
        tx.revocations().invalidate(tillgate_domain::Scope::User(ended), crate::test_server::NOON)
    })
    .unwrap();
    shop.store.set_state(StoreState::Unavailable);
    assert_eq!(shop.get("/api/v1/sessions/current", &token).await.status, 503);
    assert_eq!(shop.get("/api/v1/sessions/current", "garbage").await.status, 401, "what is no token needs no store");
    shop.store.set_state(StoreState::Healthy);
    assert_eq!(shop.get("/api/v1/sessions/current", &token).await.status, 200);
}

#[actix_web::test]
async fn closed_readiness_gate_is_503_for_routes_that_need_auth() {
    let shop = TestServer::start();
    let sent = create_samples(&shop).await;
    shop.http.readiness_gate().close();
    for route in shop.http.routes() {
        let named = format!("{} {}", route.method, route.path);
        let response = shop.send(valid_request(&route.method, &route.path, &sent)).await;
        let status = match named.as_str() {
            "GET /healthz" | "GET /metrics" | "GET /openapi.json" | "GET /docs/{file}" => 200,
            "GET /docs" | "GET /docs/" => 308,
            _ => 503,
        };
        assert_eq!(response.status, status, "{named}");
    }
    let ready = shop.send(build_request(Method::GET, "/readyz")).await;
    assert_eq!(ready.json()["parts"]["complete"], json!(false));
    assert_eq!(shop.get("/api/v1/nothing", "").await.status, 404);
    shop.http.readiness_gate().open();
    assert_eq!(shop.send(build_request(Method::GET, "/readyz")).await.status, 200);
    assert_eq!(shop.get("/api/v1/sessions/current", &sent.native).await.status, 200);
}
