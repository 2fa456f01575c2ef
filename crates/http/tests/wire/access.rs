//! The access check for gateways: tokens of all mounts, the access table, and the identity in
//! response headers.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::json;
use tillgate_domain::{Rank, Right, Slug};
use tillgate_http::{AccessRequirement, AccessRule, BrowserSettings, HttpSettings, Kasir};

use crate::mounts::{kasir, krmpesan, native, portos};
use crate::test_server::{StoreState, TEST_PASSWORD, TestResponse, TestServer, build_request, post_request};

fn rule(method: &str, path: &str, mounts: &[&str], need: AccessRequirement) -> AccessRule {
    let methods = if method == "*" { vec![] } else { vec![method.parse().unwrap()] };
    let mounts = mounts.iter().map(|mount| (*mount).to_owned()).collect();
    AccessRule { methods, path: path.parse().unwrap(), mounts, tenant: None, requirement: need }
}

fn rights(names: &[&str]) -> AccessRequirement {
    AccessRequirement::Rights(names.iter().map(|name| Right::parse(name).unwrap()).collect())
}

/// The access table of the tests; the first matching row decides.
fn table() -> Vec<AccessRule> {
    vec![
        rule("GET", "/api/v1/products/*", &["kasir"], AccessRequirement::Role(Rank::Cashier)),
        rule("DELETE", "/api/v1/products/{id}", &["kasir"], AccessRequirement::Role(Rank::Admin)),
        rule("*", "/api/v1/products/*", &["kasir"], AccessRequirement::Role(Rank::Manager)),
        rule("*", "/tickets", &["native", "portos", "krmpesan"], rights(&["ticketCreate", "ticketClose"])),
        rule("*", "/tickets/{id}", &["native", "portos"], rights(&["ticketCreate", "storno"])),
        rule("GET", "/native/*", &["native"], AccessRequirement::Role(Rank::Cashier)),
    ]
}

fn settings() -> HttpSettings {
    HttpSettings { access_rules: table(), ..HttpSettings::default() }
}

pub fn start_server() -> TestServer {
    TestServer::with_settings(settings())
}

/// The access check of a gateway.
fn check_access(method: &str, target: &str) -> TestRequest {
    build_request(Method::GET, "/api/v1/access")
        .insert_header(("X-Original-Method", method))
        .insert_header(("X-Original-URI", target))
}

fn with_token(request: TestRequest, token: &str) -> TestRequest {
    request.insert_header(("Authorization", format!("Bearer {token}")))
}

fn assert_denied(response: &TestResponse, status: u16, code: &str, what: &str) {
    let said = String::from_utf8_lossy(&response.bytes).into_owned();
    assert_eq!(response.status.as_u16(), status, "{what}: {said}");
    assert_eq!(response.header("x-tillgate-code"), code, "{what}: {said}");
    // in the format of any contract
    assert!(response.header("content-type").ends_with("json") && response.json().is_object(), "{what}: {said}");
    let identity = response.headers.iter().filter(|(name, _)| name.as_str().starts_with("x-tillgate-"));
    assert_eq!(identity.count(), 1, "{what}: no identity");
    assert_eq!(response.challenges().len(), usize::from(status == 401), "{what}");
}

#[actix_web::test]
async fn original_url_header_of_ingress_nginx_suffices() {
    let shop = start_server();
    let cashier = shop.log_in_kasir("cashier").await.text_at("/data/Token");
    let by_url = |url: &'static str| {
        build_request(Method::GET, "/api/v1/access")
            .insert_header(("X-Original-Method", "GET"))
            .insert_header(("X-Original-URL", url))
    };
    let response =
        shop.send(with_token(by_url("https://shop.example:8443/api/v1/products/7?fields=x"), &cashier)).await;
    assert_eq!((response.status.as_u16(), response.header("x-tillgate-user")), (204, "cashier"));
    for url in ["https://shop.example/nothing/here", "/api/v1/products/7", "https://shop.example"] {
        let refused = shop.send(with_token(by_url(url), &cashier)).await;
        assert_denied(&refused, 403, "access_unlisted", url);
    }
}

#[actix_web::test]
async fn allowed_request_returns_204_with_identity() {
    let shop = start_server();
    let login = shop.log_in_kasir("cashier").await;
    let (cashier, id) = (login.text_at("/data/Token"), login.text_at("/data/profile/id"));
    let response = shop.send(with_token(check_access("GET", "/api/v1/products/7?fields=%2e%2e//"), &cashier)).await;
    assert_eq!((response.status.as_u16(), response.bytes.len()), (204, 0));
    for (name, value) in [
        ("x-tillgate-user", "cashier"),
        ("x-tillgate-user-id", &*id),
        ("x-tillgate-device-id", ""),
        ("x-tillgate-device", ""),
        ("x-tillgate-role", "cashier"),
        ("x-tillgate-rights", "fiscalOpenDrawer ticketClose ticketCreate ticketSetCustomer ticketUpdate"),
        ("x-tillgate-tenant", "default"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(response.headers.get(name).map(|value| value.to_str().unwrap()), Some(value), "{name}");
    }
    let till = shop.log_in_portos("999", "P01").await.text_at("/tokenId");
    let response = shop.send(with_token(check_access("POST", "/tickets"), &till)).await;
    let reported = ["x-tillgate-user", "x-tillgate-device", "x-tillgate-role", "x-tillgate-rights"]
        .map(|name| response.header(name));
    assert_eq!((response.status.as_u16(), reported), (204, ["999", "P01", "admin", "admin"]));
    assert!(response.header("x-tillgate-device-id").parse::<tillgate_domain::DeviceId>().is_ok());
}

#[actix_web::test]
async fn first_matching_rule_decides() {
    let shop = start_server();
    for (role, expected) in
        [("cashier", [204, 204, 403, 403, 403]), ("manager", [204, 204, 403, 204, 204]), ("admin", [204; 5])]
    {
        let token = shop.log_in_kasir(role).await.text_at("/data/Token");
        let asked = [
            ("GET", "/api/v1/products"),
            ("HEAD", "/api/v1/products/1"),
            ("DELETE", "/api/v1/products/1"),
            ("POST", "/api/v1/products"),
            ("DELETE", "/api/v1/products/1/options/2"),
        ];
        for ((method, path), expected) in asked.into_iter().zip(expected) {
            let response = shop.send(with_token(check_access(method, path), &token)).await;
            if expected == 403 {
                assert_denied(&response, 403, "rank_missing", &format!("{role} {method} {path}"));
            } else {
                assert_eq!(response.status, expected, "{role} {method} {path}");
            }
        }
    }
    let token = shop.log_in_native("cashier").await.text_at("/access_token");
    assert_eq!(shop.send(with_token(check_access("PUT", "/tickets"), &token)).await.status, 204);
    let response = shop.send(with_token(check_access("PUT", "/tickets/1"), &token)).await;
    assert_denied(&response, 403, "right_missing", "storno");
    assert_eq!(response.text_at("/right"), "storno");
    let token = shop.log_in_native("manager").await.text_at("/access_token");
    assert_eq!(shop.send(with_token(check_access("PUT", "/tickets/1"), &token)).await.status, 204);
}

#[actix_web::test]
async fn request_without_rule_is_denied() {
    let shop = start_server();
    let admin = shop.log_in_kasir("admin").await.text_at("/data/Token");
    for (method, target) in [
        ("GET", "/"),
        ("GET", "/api/v1/orders"),
        ("get", "/api/v1/activity-logs"),
        ("POST", "/native/a"),
        ("GET", "/api/v1/productsx"),
        ("GET", "/api/v1/products/../products"),
        ("GET", "/api/v1//products"),
        ("GET", "//api/v1/products"),
        ("GET", "/api/v1/products/%2e%2e/orders"),
        ("GET", "/api/v1/products/..%2forders"),
        ("GET", "/api/v1/products/a%5cb"),
        ("GET", "/api/v1/products/%252e%252e/orders"),
        ("GET", "/api/v1/products;a/1"),
        ("GET", "/api/v1/products#/../orders"),
        ("GET", "http://pos.example/api/v1/products"),
        ("GET", ""),
        ("OPTIONS", "*"),
    ] {
        let response = shop.send(with_token(check_access(method, target), &admin)).await;
        assert_denied(&response, 403, "access_unlisted", target);
        assert_denied(
            &shop.send(check_access(method, target)).await,
            403,
            "access_unlisted",
            "without a look at any token",
        );
    }
    let none = TestServer::start();
    let admin = none.log_in_kasir("admin").await.text_at("/data/Token");
    assert_denied(
        &none.send(with_token(check_access("GET", "/"), &admin)).await,
        403,
        "access_unlisted",
        "a table without rows",
    );
}

#[actix_web::test]
async fn path_case_does_not_bypass_a_rule() {
    let shop = start_server();
    let token = shop.log_in_kasir("manager").await.text_at("/data/Token");
    for path in ["/API/v1/Products/1", "/api/v1/%70RODUCTS/1", "/api/v1/products/1/"] {
        let response = shop.send(with_token(check_access("DELETE", path), &token)).await;
        assert_denied(&response, 403, "rank_missing", path);
    }
}

/// A client can send the headers of a gateway; a gateway that does not overwrite them must not be
/// misled.
#[actix_web::test]
async fn contradicting_gateway_headers_are_rejected() {
    let shop = start_server();
    let token = shop.log_in_kasir("cashier").await.text_at("/data/Token");
    let allowed = [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/api/v1/products")];
    let forwarded = |method, uri| {
        let request = build_request(Method::GET, "/api/v1/access").insert_header(("X-Forwarded-Method", method));
        with_token(request.insert_header(("X-Forwarded-Uri", uri)), &token)
    };
    assert_eq!(shop.send(forwarded("GET", "/api/v1/products")).await.status, 204, "as Traefik and Caddy ask");
    assert_denied(&shop.send(forwarded("POST", "/api/v1/products")).await, 403, "rank_missing", "as they ask");
    for (method, uri) in [("POST", "/api/v1/products"), ("GET", "/api/v1/orders")] {
        for header in allowed {
            let request = with_token(check_access(method, uri), &token).insert_header(header);
            assert_denied(&shop.send(request).await, 403, "access_unlisted", "half of another request");
        }
        let request = with_token(check_access(method, uri), &token).insert_header(allowed[0]).insert_header(allowed[1]);
        assert_denied(&shop.send(request).await, 403, "access_unlisted", "another request");
        let twice = with_token(check_access(method, uri), &token).append_header(("X-Original-URI", "/api/v1/products"));
        assert_denied(&shop.send(twice).await, 403, "access_unlisted", "a second target");
    }
    let nothing = with_token(build_request(Method::GET, "/api/v1/access"), &token);
    assert_denied(&shop.send(nothing).await, 400, "access_nothing_asked", "nothing");
}

#[actix_web::test]
async fn rule_accepts_tokens_of_its_mounts_only() {
    let shop = start_server();
    let [native, portos, kasir] = [
        shop.log_in_native("admin").await.text_at("/access_token"),
        shop.log_in_portos("admin", "OFFICE").await.text_at("/tokenId"),
        shop.log_in_kasir("admin").await.text_at("/data/Token"),
    ];
    let permanent = shop.generate_krmpesan_tokens("admin", "OFFICE");
    let tokens = [native.as_str(), &portos, &kasir, permanent.id_token.as_ref().unwrap().expose()];
    for (method, path, takes) in [
        ("GET", "/api/v1/products", [false, false, true, false]),
        ("PUT", "/tickets", [true, true, false, true]),
        ("PUT", "/tickets/1", [true, true, false, false]),
        ("GET", "/native/x", [true, false, false, false]),
    ] {
        for (token, takes) in tokens.into_iter().zip(takes) {
            let response = shop.send(with_token(check_access(method, path), token)).await;
            if takes {
                assert_eq!(response.status, 204, "{path}");
            } else {
                assert_denied(&response, 401, "token_foreign", path);
            }
        }
        assert_denied(&shop.send(check_access(method, path)).await, 401, "token_missing", path);
        assert_denied(&shop.send(with_token(check_access(method, path), "garbage")).await, 401, "token_invalid", path);
    }
    let refresh = shop.log_in_native("admin").await.text_at("/refresh_token");
    assert_denied(
        &shop.send(with_token(check_access("GET", "/native/x"), &refresh)).await,
        401,
        "token_invalid",
        "a refresh token",
    );
    assert_eq!(shop.delete("/api/v1/sessions/current", &native).await.status, 204);
    assert_denied(
        &shop.send(with_token(check_access("GET", "/native/x"), &native)).await,
        401,
        "session_over",
        "a session that is over",
    );
}

#[actix_web::test]
async fn token_of_another_tenant_is_denied_by_a_tenant_rule() {
    let tenant = |slug| Some(Slug::parse(slug).unwrap());
    let only = |path: &str, slug| AccessRule {
        tenant: tenant(slug),
        ..rule("*", path, &["native"], AccessRequirement::Role(Rank::Admin))
    };
    let any = rule("*", "/any", &["native"], AccessRequirement::Role(Rank::Admin));
    let settings = HttpSettings {
        access_rules: vec![only("/default", "default"), only("/other", "other"), any],
        ..HttpSettings::default()
    };
    let shop = TestServer::with_settings(settings);
    let (own, other) = (shop.log_in_native("admin").await, shop.log_in_native("stranger@example.com").await);
    for (login, path, passes) in [
        (&own, "/default", true),
        (&own, "/other", false),
        (&own, "/any", true),
        (&other, "/default", false),
        (&other, "/other", true),
        (&other, "/any", true),
    ] {
        let response = shop.send(with_token(check_access("GET", path), &login.text_at("/access_token"))).await;
        if passes {
            assert_eq!(response.status, 204, "{path}");
        } else {
            assert_denied(&response, 401, "token_foreign", path);
        }
    }
}

#[actix_web::test]
async fn cookie_counts_by_origin_of_the_change() {
    let web = BrowserSettings { origins: vec!["https://front.example".parse().unwrap()], ..BrowserSettings::default() };
    let shop = TestServer::with_mounts(
        settings(),
        vec![native("/api/v1"), kasir(web), portos("/portos"), krmpesan("/krmpesan")],
    );
    let token = shop.log_in_kasir("admin").await.text_at("/data/Token");
    let cookie = |method| {
        let request =
            check_access(method, "/api/v1/products").insert_header(("Cookie", format!("access_token={token}")));
        request.insert_header(("Host", "pos.example"))
    };
    let from = |method, headers: &[(&'static str, &'static str)]| {
        headers.iter().fold(cookie(method), |request, header| request.insert_header(*header))
    };
    for (method, headers, passes) in [
        ("GET", &[][..], true),
        ("GET", &[("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")], true),
        ("POST", &[], true),
        ("POST", &[("Origin", "https://pos.example")], true),
        ("POST", &[("Origin", "https://front.example"), ("Sec-Fetch-Site", "cross-site")], true),
        ("POST", &[("Sec-Fetch-Site", "same-origin")], true),
        ("POST", &[("Origin", "https://evil.example")], false),
        ("POST", &[("Origin", "null")], false),
        ("POST", &[("Sec-Fetch-Site", "cross-site")], false),
        ("DELETE", &[("Sec-Fetch-Site", "same-site")], false),
    ] {
        let response = shop.send(from(method, headers)).await;
        if passes {
            assert_eq!(response.status, 204, "{method} {headers:?}");
        } else {
            assert_denied(&response, 403, "origin_foreign", &format!("{method} {headers:?}"));
        }
    }
    // the header has precedence over a cookie, and other contracts ignore the cookie
    assert_denied(
        &shop.send(with_token(cookie("GET"), "garbage")).await,
        401,
        "token_invalid",
        "a header beside a cookie",
    );
    let native = check_access("GET", "/native/x").insert_header(("Cookie", format!("access_token={token}")));
    assert_denied(&shop.send(native).await, 401, "token_missing", "a row without POS Kasir");
}

#[actix_web::test]
async fn gateway_checks_do_not_count_against_client_rate_limit() {
    let shop = start_server();
    let token = shop.log_in_kasir("cashier").await.text_at("/data/Token");
    for _ in 0..=Kasir::DEFAULT_REQUESTS_PER_MINUTE {
        assert_eq!(shop.send(with_token(check_access("GET", "/api/v1/products"), &token)).await.status, 204);
    }
    assert_eq!(shop.get("/kasir/api/v1/auth/me", &token).await.status, 200);
}

#[actix_web::test]
async fn store_outage_is_503_for_unknown_callers() {
    let shop = start_server();
    let login = shop.log_in_kasir("cashier").await;
    let (token, user) = (login.text_at("/data/Token"), login.text_at("/data/profile/id").parse().unwrap());
    assert_eq!(shop.send(with_token(check_access("GET", "/api/v1/products"), &token)).await.status, 204);
    shop.store.set_state(StoreState::Unavailable);
    assert_eq!(shop.send(with_token(check_access("GET", "/api/v1/products"), &token)).await.status, 204, "from memory");
    shop.store.set_state(StoreState::Healthy);
    tillgate_domain::StoreExt::<tillgate_auth_core::AuthPorts>::write(&*shop.store, "test", |tx| {
        tx.revocations().invalidate(tillgate_domain::Scope::User(user), crate::test_server::NOON)
    })
    .unwrap();
    for (mood, status, code) in [
        (StoreState::Unavailable, 503, "unavailable"),
        (StoreState::Broken, 500, "internal"),
        (StoreState::Panicking, 500, "internal"),
    ] {
        shop.store.set_state(mood);
        assert_denied(
            &shop.send(with_token(check_access("GET", "/api/v1/products"), &token)).await,
            status,
            code,
            "not known",
        );
    }
    shop.store.set_state(StoreState::Healthy);
    assert_eq!(shop.send(with_token(check_access("GET", "/api/v1/products"), &token)).await.status, 204);
    shop.http.readiness_gate().close();
    assert_denied(
        &shop.send(with_token(check_access("GET", "/api/v1/products"), &token)).await,
        503,
        "unavailable",
        "the gate is shut",
    );
    assert_eq!(shop.send(post_request("/api/v1/access", json!({ "password": TEST_PASSWORD }))).await.status, 405);
}

#[actix_web::test]
async fn error_code_header_is_for_gateways_only() {
    let shop = start_server();
    for (path, body) in [
        ("/api/v1/sessions", json!({"login": "cashier", "password": "not the password"})),
        ("/kasir/api/v1/auth/login", json!({"email": "cashier@example.com", "password": "not the password"})),
        ("/portos/api/auth", json!({"UserName": "cashier", "Password": "not the password", "DeviceName": "P01"})),
    ] {
        let response = shop.send(post_request(path, body)).await;
        assert!(response.status.is_client_error(), "{path}");
        assert_eq!(response.header("x-tillgate-code"), "", "{path}: it may say more than the contract does");
    }
}
