//! Introspection and revocation by OAuth clients: credentials, errors, metadata and public keys.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tillgate_http::{HttpSettings, Mount, OAuth};

use crate::portos_client::PortosKey;
use crate::portos_signed::create_key;
use crate::test_server::{StoreState, TestResponse, TestServer, build_request};

pub const INTROSPECT: &str = "/oauth/introspect";
pub const REVOKE: &str = "/oauth/revoke";

/// Creates a key whose user has all rights.
pub fn create_client_key(shop: &TestServer) -> PortosKey {
    create_key(shop, "admin", "OFFICE", &["tokenIntrospect", "sessionDelete"]).1
}

fn basic(key: &PortosKey) -> (&'static str, String) {
    ("Authorization", format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", key.client, key.secret))))
}

fn form(path: &str, body: &str) -> TestRequest {
    let typed = ("Content-Type", "application/x-www-form-urlencoded");
    build_request(Method::POST, path).insert_header(typed).set_payload(body.to_owned())
}

/// A request of a program about a token.
pub fn token_request(path: &str, key: &PortosKey, token: &str) -> TestRequest {
    form(path, &format!("token={}", token.replace('+', "%2B"))).insert_header(basic(key))
}

/// Introspects a token.
pub async fn introspect(shop: &TestServer, key: &PortosKey, token: &str) -> Value {
    let response = shop.send(token_request(INTROSPECT, key, token)).await;
    assert_eq!(response.status, 200, "{}", response.json());
    assert_eq!((response.header("content-type"), response.header("cache-control")), ("application/json", "no-store"));
    response.json()
}

/// A request of the rights matrix: with the key of one user, about a token of another.
pub async fn request(shop: &TestServer, path: &str, someone: &str, known: bool) -> TestRequest {
    let token = shop.log_in_native("witness").await.text_at("/access_token");
    let (_, key) = create_key(shop, someone, "OFFICE", &[]);
    if known { token_request(path, &key, &token) } else { form(path, &format!("token={token}")) }
}

fn assert_error(response: &TestResponse, status: u16, error: &str, what: &str) {
    let json = response.json();
    assert_eq!((response.status.as_u16(), json["error"].as_str()), (status, Some(error)), "{what}: {json}");
    assert_eq!(response.header("content-type"), "application/json", "{what}");
    assert_eq!(response.header("cache-control"), "no-store", "{what}");
    let description = json["error_description"].as_str().unwrap();
    assert!(!description.is_empty() && !description.contains(['"', '\\']), "{what}: {description}");
    let challenges: &[&str] = if status == 401 { &["Basic realm=\"tillgate\", charset=\"UTF-8\""] } else { &[] };
    assert_eq!(response.challenges(), challenges, "{what}");
    assert_eq!(response.header("retry-after").is_empty(), ![429, 503].contains(&status), "{what}");
    assert_eq!(response.header("allow").is_empty(), status != 405, "{what}");
}

#[actix_web::test]
async fn client_authenticates_by_its_secret_only() {
    let shop = TestServer::start();
    let held = create_client_key(&shop);
    let token = shop.log_in_native("cashier").await.text_at("/access_token");
    let body = format!("token={token}");
    let bearer = ("Authorization", format!("Bearer {token}"));
    let wrong = PortosKey { secret: held.secret.to_uppercase(), ..held.clone() };
    let longer = PortosKey { secret: format!("{}0", held.secret), ..held.clone() };
    let nobody = PortosKey { client: "nobody".to_owned(), ..held.clone() };
    for path in [INTROSPECT, REVOKE] {
        for (request, what) in [
            (form(path, &body), "nothing"),
            (form(path, &body).insert_header(bearer.clone()), "a token"),
            (form(path, &body).insert_header(basic(&wrong)), "a wrong secret"),
            (form(path, &body).insert_header(basic(&longer)), "a longer secret"),
            (form(path, &body).insert_header(basic(&nobody)), "an unknown client"),
            (form(path, &body).insert_header(("Authorization", "Basic x")), "garbage"),
            (form(path, &format!("{body}&client_id={}", held.client)), "no secret"),
        ] {
            assert_error(&shop.send(request).await, 401, "invalid_client", what);
            shop.clock.advance(Duration::from_mins(6));
        }
        let token = shop.log_in_native("cashier").await.text_at("/access_token");
        let posted = format!("token={token}&client_id={}&client_secret={}", held.client, held.secret);
        assert_error(&shop.send(form(path, &posted).insert_header(basic(&held))).await, 400, "invalid_request", "both");
        assert_eq!(shop.send(form(path, &posted)).await.status, 200, "in the form");
    }
}

#[actix_web::test]
async fn secret_guesses_are_rate_limited_and_valid_secret_is_not() {
    let shop = TestServer::start();
    let held = create_client_key(&shop);
    for number in 0..10 {
        let wrong = PortosKey { secret: number.to_string().repeat(64), ..held.clone() };
        assert_error(&shop.send(token_request(INTROSPECT, &wrong, "x")).await, 401, "invalid_client", "a free guess");
    }
    let wrong = PortosKey { secret: "a".repeat(64), ..held.clone() };
    let response = shop.send(token_request(REVOKE, &wrong, "x")).await;
    assert_error(&response, 429, "temporarily_unavailable", "held back, at each of the calls");
    assert_eq!(introspect(&shop, &held, "x").await, json!({ "active": false }), "the program itself is let in");
    let elsewhere = shop.send_from("198.51.100.9", token_request(INTROSPECT, &wrong, "x")).await;
    assert_error(&elsewhere, 401, "invalid_client", "another address");
    shop.clock.advance(Duration::from_mins(16));
    assert_error(&shop.send(token_request(INTROSPECT, &wrong, "x")).await, 401, "invalid_client", "after the wait");
}

#[actix_web::test]
async fn malformed_request_is_rejected() {
    let shop = TestServer::start();
    let held = create_client_key(&shop);
    for path in [INTROSPECT, REVOKE] {
        let sent = |body: &str| form(path, body).insert_header(basic(&held));
        let typed = |kind: &'static str, body: &'static str| {
            build_request(Method::POST, path)
                .insert_header(basic(&held))
                .insert_header(("Content-Type", kind))
                .set_payload(body)
        };
        for (request, status, what) in [
            (sent(""), 400, "nothing"),
            (sent("token="), 400, "an empty token"),
            (sent("token_type_hint=access_token"), 400, "no token"),
            (sent("token=a&token=a"), 400, "a token twice"),
            (sent("token=a&x=1&x=2"), 400, "anything twice"),
            (sent("token=%ff"), 400, "no text"),
            (typed("application/json", "{\"token\":\"a\"}"), 415, "JSON"),
            (typed("text/plain", "token=a"), 415, "text"),
            (build_request(Method::POST, path).insert_header(basic(&held)).set_payload("token=a"), 415, "no type"),
            (sent("token=a").insert_header(("Content-Encoding", "gzip")), 415, "packed"),
            (sent(&"x".repeat(64 * 1024 + 1)), 413, "too large"),
            (build_request(Method::GET, &format!("{path}?token=a")).insert_header(basic(&held)), 405, "GET"),
        ] {
            assert_error(&shop.send(request).await, status, "invalid_request", what);
        }
        let unknown = shop.send(build_request(Method::POST, &format!("{path}/x")).insert_header(basic(&held))).await;
        assert_error(&unknown, 404, "invalid_request", "an unknown route");
    }
    let spelled =
        format!("{{\"error\":\"invalid_client\",\"error_description\":\"{}\"}}", "unknown client or wrong secret");
    let response = shop.send(form(INTROSPECT, "token=a")).await;
    assert_eq!(String::from_utf8(response.bytes).unwrap(), spelled);
}

#[actix_web::test]
async fn store_outage_reveals_nothing_about_a_token() {
    for (mood, status, error) in [
        (StoreState::Unavailable, 503, "temporarily_unavailable"),
        (StoreState::Broken, 500, "server_error"),
        (StoreState::Panicking, 500, "server_error"),
    ] {
        let shop = TestServer::start();
        let held = create_client_key(&shop);
        let login = shop.log_in_native("cashier").await;
        let wrong = PortosKey { secret: "0".repeat(64), ..held.clone() };
        let refresh = login.text_at("/refresh_token");
        assert_eq!(introspect(&shop, &held, &login.text_at("/access_token")).await["active"], true);
        shop.store.set_state(mood);
        for (request, what) in [
            (token_request(INTROSPECT, &held, &refresh), "a refresh token"),
            (token_request(REVOKE, &held, &login.text_at("/access_token")), "a revocation"),
            (token_request(INTROSPECT, &wrong, &refresh), "a wrong secret"),
            (token_request(INTROSPECT, &PortosKey { client: "x".into(), ..held.clone() }, "y"), "an unknown client"),
        ] {
            assert_error(&shop.send(request).await, status, error, what);
        }
        let remembered = introspect(&shop, &held, &login.text_at("/access_token")).await;
        assert_eq!(remembered["active"], true, "from memory, the key and the token");
        assert_eq!(introspect(&shop, &held, "garbage").await["active"], false, "what is no token needs no store");
        shop.store.set_state(StoreState::Healthy);
        assert_eq!(introspect(&shop, &held, &refresh).await["active"], true);
        shop.http.readiness_gate().close();
        assert_error(
            &shop.send(token_request(INTROSPECT, &held, &refresh)).await,
            503,
            "temporarily_unavailable",
            "the gate",
        );
    }
}

#[actix_web::test]
async fn metadata_lists_every_endpoint() {
    let shop = TestServer::start();
    let token = shop.log_in_native("cashier").await.text_at("/access_token");
    let payload = token.split('.').nth(1).unwrap();
    let claims: Value =
        serde_json::from_slice(&base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let path = "/.well-known/oauth-authorization-server";
    let response = shop.send(build_request(Method::GET, path).insert_header(("Host", "auth.example.com:8443"))).await;
    assert_eq!((response.status.as_u16(), response.header("content-type")), (200, "application/json"));
    let methods = ["client_secret_basic", "client_secret_post"];
    assert_eq!(
        response.json(),
        json!({
            "issuer": claims["iss"],
            "jwks_uri": "http://auth.example.com:8443/.well-known/jwks.json",
            "response_types_supported": [],
            "grant_types_supported": [],
            "introspection_endpoint": "http://auth.example.com:8443/oauth/introspect",
            "introspection_endpoint_auth_methods_supported": methods,
            "revocation_endpoint": "http://auth.example.com:8443/oauth/revoke",
            "revocation_endpoint_auth_methods_supported": methods,
            "dpop_signing_alg_values_supported": ["ES256", "EdDSA"],
        })
    );
    assert_eq!(response.header("cache-control"), "no-store", "the response depends on the client's Host header");
    let below = shop.send(build_request(Method::GET, &format!("{path}/till"))).await;
    assert_eq!(below.status, 404, "an issuer that is not this one");
}

#[actix_web::test]
async fn metadata_follows_a_moved_mount() {
    let moved = vec![Mount::at_prefix("/native/oauth", Arc::new(OAuth::new())).unwrap()];
    let shop = TestServer::with_mounts(HttpSettings::default(), moved);
    let path = "/.well-known/oauth-authorization-server";
    let metadata = shop.send(build_request(Method::GET, path).insert_header(("Host", "till"))).await.json();
    for member in ["introspection_endpoint", "revocation_endpoint"] {
        let there = metadata[member].as_str().unwrap().strip_prefix("http://till").unwrap();
        let response = shop.send(token_request(there, &create_client_key(&shop), "x")).await;
        assert_eq!(response.status, 200, "{there}");
    }
    assert_eq!(shop.send(token_request(INTROSPECT, &create_client_key(&shop), "x")).await.status, 404);
    let without = TestServer::with_mounts(HttpSettings::default(), Vec::new());
    assert_eq!(
        without.send(build_request(Method::GET, path)).await.status,
        404,
        "where it is not served nothing leads there"
    );
}

#[actix_web::test]
async fn public_keys_are_cached_until_they_change() {
    let shop = TestServer::start();
    let path = "/.well-known/jwks.json";
    let first = shop.send(build_request(Method::GET, path)).await;
    assert_eq!((first.status.as_u16(), first.header("content-type")), (200, "application/jwk-set+json"));
    assert_eq!(first.header("cache-control"), "public, max-age=300");
    let tag = first.header("etag").to_owned();
    let again = shop.send(build_request(Method::GET, path).insert_header(("If-None-Match", tag.clone()))).await;
    assert_eq!((again.status.as_u16(), again.bytes.len()), (304, 0));
    assert_eq!((again.header("etag"), again.header("cache-control")), (&*tag, "public, max-age=300"));
    shop.auth.rotate_keys(false).unwrap();
    let after = shop.send(build_request(Method::GET, path).insert_header(("If-None-Match", tag.clone()))).await;
    assert_eq!(after.status, 200, "a key is published before it signs");
    assert_eq!(after.json()["keys"].as_array().unwrap().len(), 2);
    assert_ne!(after.header("etag"), tag);
}
