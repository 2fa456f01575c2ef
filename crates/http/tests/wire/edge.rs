//! Headers of all responses, the content of the access log, and client addresses behind proxies.

use std::collections::BTreeSet;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::json;
use tillgate_http::HttpSettings;

use crate::test_server::{TEST_PASSWORD, TestServer, build_request, post_request};

#[actix_web::test]
async fn every_response_has_security_headers_and_trace_id() {
    let shop = TestServer::start();
    let token = shop.log_in_native("cashier").await.text_at("/access_token");
    for response in [
        shop.get("/api/v1/sessions/current", &token).await,
        shop.get("/api/v1/nothing", "").await,
        shop.get("/nothing", "").await,
        shop.get("/portos/nothing", "").await,
        shop.get("/metrics", "").await,
        shop.get("/portos/api/auth", "").await,
        shop.with_token(Method::PUT, "/api/v1/sessions", "").await,
    ] {
        assert_eq!(response.header("cache-control"), "no-store");
        assert_eq!(response.header("x-content-type-options"), "nosniff");
        assert_eq!(response.header("referrer-policy"), "no-referrer");
        assert!(response.header("content-security-policy").contains("frame-ancestors 'none'"));
        assert!(response.header("x-request-id").len() >= 8);
    }
}

#[actix_web::test]
async fn proxy_headers_are_read_from_trusted_proxies_only() {
    let shop = TestServer::with_settings(HttpSettings {
        proxies: vec!["10.0.0.0/8".parse().unwrap()],
        ..HttpSettings::default()
    });
    let ask = || {
        build_request(Method::GET, "/healthz")
            .insert_header(("X-Request-Id", "edge-0123456789"))
            .insert_header(("X-Forwarded-For", "198.51.100.1"))
    };
    assert_eq!(shop.send_from("10.0.0.1", ask()).await.header("x-request-id"), "edge-0123456789");
    assert_ne!(shop.send_from("192.0.2.7", ask()).await.header("x-request-id"), "edge-0123456789");
    let odd = build_request(Method::GET, "/healthz").insert_header(("X-Request-Id", "a b\"c"));
    assert_eq!(shop.send_from("10.0.0.1", odd).await.header("x-request-id").len(), 32);
}

/// Failed logins are counted by address: the client's behind a trusted proxy, the peer's if a
/// stranger forges the header.
#[actix_web::test]
async fn failed_logins_count_by_address_behind_the_proxy() {
    let settings = || HttpSettings { proxies: vec!["10.0.0.0/8".parse().unwrap()], ..HttpSettings::default() };
    let wrong = |from: &str, name: usize| {
        post_request("/api/v1/sessions", json!({ "login": format!("nobody{name}"), "password": "wrong" }))
            .insert_header(("X-Forwarded-For", from.to_owned()))
    };
    let behind = TestServer::with_settings(settings());
    for name in 0..60 {
        let response = behind.send_from("10.0.0.1", wrong(&format!("198.51.{name}.1"), name)).await;
        assert_eq!(response.status, 401, "sixty clients, one failure each");
    }
    let forged = TestServer::with_settings(settings());
    let mut held = 0;
    for name in 0..60 {
        let response = forged.send_from("203.0.113.9", wrong(&format!("198.51.{name}.1"), name)).await;
        held += usize::from(response.status == 429);
    }
    assert!(held > 0, "one stranger with sixty forged addresses is one address");
}

#[actix_web::test]
async fn access_log_has_one_line_per_request_and_no_secret() {
    let shop = TestServer::with_settings(HttpSettings {
        proxies: vec!["10.0.0.0/8".parse().unwrap()],
        ..HttpSettings::default()
    });
    let login = shop.log_in_native("cashier").await;
    let (token, refresh) = (login.text_at("/access_token"), login.text_at("/refresh_token"));
    let wrong = shop.post("/api/v1/sessions", json!({ "login": "cashier", "password": "hunter2-secret" })).await;
    let query = format!("/api/v1/sessions/current?access_token={token}&q=query-secret");
    let current = build_request(Method::GET, &query)
        .insert_header(("Authorization", format!("Bearer {token}")))
        .insert_header(("Cookie", "sid=cookie-secret"))
        .insert_header(("X-Forwarded-For", "198.51.100.1"));
    let response = shop.send_from("10.0.0.1", current).await;
    assert_eq!(response.status, 200);
    let renewed = shop.post("/api/v1/sessions/refresh", json!({ "refresh_token": refresh.clone() })).await;
    let odd = shop.get(&format!("/api/v1/sessions/{refresh}"), &token).await;
    let unknown = shop.get(&format!("/api/v1/logout/{refresh}/{token}"), &token).await;

    let log = crate::captured_log::captured_log();
    let access = [&login, &wrong, &response, &renewed, &odd, &unknown].map(|response| {
        let trace = format!("trace=\"{}\"", response.header("x-request-id"));
        let lines: Vec<&str> =
            log.lines().filter(|line| line.contains("tillgate::access") && line.contains(&trace)).collect();
        assert_eq!(lines.len(), 1, "{trace}: {lines:?}");
        lines[0]
    });
    let line = access[2];
    for part in [
        "method=\"GET\"",
        "path=\"/api/v1/sessions/current\"",
        "status=200",
        "micros=",
        "address=198.51.100.1",
        "mount=\"native\"",
        &format!("trace=\"{}\"", response.header("x-request-id")),
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(access[1].contains("code=\"login_mismatch\""), "{}", access[1]);
    assert!(access[4].contains("path=\"/api/v1/sessions/{id}\""), "{}", access[4]);
    assert!(access[5].contains("path=\"/api/v1/logout/…/…\""), "{}", access[5]);
    for secret in [token.as_str(), &refresh, TEST_PASSWORD, "hunter2-secret", "query-secret", "cookie-secret", "Bearer"]
    {
        // the log of all tests that have run by now, on any thread
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[actix_web::test]
async fn metrics_count_by_route_and_outcome_without_identities() {
    let shop = TestServer::start();
    let login = shop.log_in_native("cashier").await;
    let token = login.text_at("/access_token");
    for _ in 0..3 {
        shop.get("/api/v1/sessions/current", &token).await;
    }
    shop.post("/api/v1/sessions", json!({ "login": "cashier", "password": "wrong" })).await;
    shop.post("/api/v1/sessions", json!({ "login": "cashier", "password": TEST_PASSWORD, "device": "NOWHERE" })).await;
    shop.post("/api/v1/sessions/refresh", json!({ "refresh_token": login.text_at("/refresh_token") })).await;
    shop.post("/api/v1/sessions/refresh", json!({ "refresh_token": login.text_at("/refresh_token") })).await;
    shop.get(&format!("/api/v1/sessions/{}", login.text_at("/session/id")), &token).await;
    shop.get("/made-up/cashier", "").await;
    shop.send(build_request(Method::from_bytes(b"CASHIER").unwrap(), "/healthz")).await;
    let response = shop.send(build_request(Method::GET, "/metrics")).await;
    assert_eq!(response.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let text = String::from_utf8(response.bytes).unwrap();
    let value = |parts: &[&str]| {
        let line = text.lines().find(|line| parts.iter().all(|part| line.contains(part)));
        line.and_then(|line| line.rsplit(' ').next()).map(str::to_owned)
    };
    let requests = "tillgate_http_requests_total{";
    assert_eq!(
        value(&[requests, "route=\"/api/v1/sessions/current\"", "status=\"200\""]).as_deref(),
        Some("3"),
        "{text}"
    );
    assert_eq!(value(&[requests, "route=\"/api/v1/sessions/{id}\"", "status=\"200\""]).as_deref(), Some("1"));
    assert_eq!(value(&[requests, "method=\"other\"", "status=\"405\""]).as_deref(), Some("1"));
    assert_eq!(value(&["tillgate_logins_total", "outcome=\"ok\"", "mount=\"native\""]).as_deref(), Some("1"));
    // the correct password for an unknown device counts like a wrong password
    assert_eq!(value(&["tillgate_logins_total", "outcome=\"login_mismatch\""]).as_deref(), Some("2"));
    assert!(value(&["tillgate_logins_total", "outcome=\"login_not_there\""]).is_none(), "{text}");
    assert_eq!(value(&["tillgate_refreshes_total", "verdict=\"rotated\""]).as_deref(), Some("1"));
    assert_eq!(value(&["tillgate_refreshes_total", "verdict=\"repeated\""]).as_deref(), Some("1"));
    assert!(value(&["tillgate_http_request_duration_seconds_bucket", "le=\"0.001\""]).is_some());
    assert!(value(&["route=\"/api/v1/users\""]).is_none(), "a route that nobody has called: {text}");
    assert!(!text.contains("cashier") && !text.contains("CASHIER"), "a label that a caller chose: {text}");
}

/// The files of a page have no names in the metrics, where each would have a histogram.
#[actix_web::test]
async fn files_of_a_mount_are_one_route_of_the_metrics() {
    let shop = TestServer::start();
    let files = ["/krmpesan/app", "/krmpesan/app/page.css", "/krmpesan/app/page.js"];
    for path in files.into_iter().chain(["/docs/index.html", "/docs/swagger-ui.css"]) {
        assert_eq!(shop.send(build_request(Method::GET, path)).await.status, 200, "{path}");
    }
    let text = String::from_utf8(shop.send(build_request(Method::GET, "/metrics")).await.bytes).unwrap();
    let count = |mount: &str, route: &str| {
        let labels = format!("{{mount=\"{mount}\",route=\"{route}\",method=\"GET\",status=\"200\"}} ");
        let found =
            text.lines().find_map(|line| line.strip_prefix("tillgate_http_requests_total")?.strip_prefix(&labels));
        found.map(str::to_owned)
    };
    assert_eq!(count("krmpesan", "(files)").as_deref(), Some("3"), "{text}");
    assert_eq!(count("server", "/docs/{file}").as_deref(), Some("2"), "{text}");
    for name in ["page.js", "page.css", "swagger", "index.html", "/app\""] {
        assert!(!text.contains(name), "{name}: {text}");
    }
}

/// A public route ignores a header that it does not need, even if it is malformed.
#[actix_web::test]
async fn public_routes_ignore_authorization() {
    let shop = TestServer::start();
    let refresh = shop.log_in_native("cashier").await.text_at("/refresh_token");
    let odd = with_odd_authorization;
    for which in 0..3 {
        for path in ["/healthz", "/readyz", "/.well-known/jwks.json", "/.well-known/oauth-authorization-server"] {
            assert_eq!(shop.send(odd(build_request(Method::GET, path), which)).await.status, 200, "{path} {which}");
        }
        let portos = json!({ "UserName": "cashier", "Password": TEST_PASSWORD, "DeviceName": "P01" });
        let responses = [
            (post_request("/api/v1/sessions", json!({ "login": "cashier", "password": TEST_PASSWORD })), 201),
            (post_request("/api/v1/sessions/refresh", json!({ "refresh_token": refresh })), 200),
            (post_request("/portos/api/auth", portos), 200),
        ];
        for (request, status) in responses {
            assert_eq!(shop.send(odd(request, which)).await.status, status, "{which}");
        }
        let current = shop.send(odd(build_request(Method::GET, "/api/v1/sessions/current"), which)).await;
        assert_eq!(current.status, 401, "a call that requires a token judges what it gets");
    }
}

/// One of three `Authorization` headers that no contract accepts.
fn with_odd_authorization(request: TestRequest, which: usize) -> TestRequest {
    match which {
        0 => request.append_header(("Authorization", "Bearer a")).append_header(("Authorization", "Bearer a")),
        1 => request.append_header(("Authorization", &b"Bearer \xc5\xbe"[..])),
        _ => request.append_header(("Authorization", "NWS4-HMAC-SHA256 Credential=x")),
    }
}

#[actix_web::test]
async fn no_contract_judges_authorization_where_it_requires_no_token() {
    let shop = TestServer::start();
    // these read a credential of their own there
    let reads_it = ["/kasir/api/v1/auth/refresh", "/kasir/api/v1/auth/logout", "/fiuu/auth/refresh"];
    let mut mounts = BTreeSet::new();
    for route in shop.http.routes() {
        if route.requirement.is_some() || route.mount == "oauth" || reads_it.contains(&&*route.path) {
            continue;
        }
        let request = || {
            build_request(route.method.parse().unwrap(), &route.path.replace(['{', '}', '*'], "x"))
                .insert_header(("Content-Type", "application/json"))
                .set_payload("{}")
        };
        let status = shop.send(request()).await.status;
        for which in 0..3 {
            let response = shop.send(with_odd_authorization(request(), which)).await;
            assert_eq!(response.status, status, "{which}: {route:?}");
        }
        mounts.insert(route.mount);
    }
    let expected = ["fiuu", "kasir", "krmpesan", "native", "portos", "posstar", "server"];
    assert_eq!(mounts.into_iter().collect::<Vec<_>>(), expected);
}

#[actix_web::test]
async fn absolute_target_names_the_host() {
    let shop = TestServer::start();
    let path = "http://right.example/.well-known/oauth-authorization-server";
    let metadata = shop.send(build_request(Method::GET, path).insert_header(("Host", "wrong.example"))).await;
    assert_eq!(metadata.text_at("/jwks_uri"), "http://right.example/.well-known/jwks.json");
}

#[actix_web::test]
async fn docs_page_is_found_with_and_without_slash() {
    let shop = TestServer::start();
    for path in ["/docs", "/docs/"] {
        let response = shop.get(path, "").await;
        assert_eq!((response.status.as_u16(), response.header("location")), (308, "/docs/index.html"), "{path}");
    }
    let without =
        TestServer::with_settings(HttpSettings { serve_metrics: false, serve_docs: false, ..HttpSettings::default() });
    for path in ["/metrics", "/docs", "/docs/", "/openapi.json"] {
        assert_eq!(without.get(path, "").await.status, 404, "{path}");
    }
    assert_eq!(without.get("/healthz", "").await.status, 200);
}

/// Programs that read a token from a file or an environment variable send its trailing line break.
#[actix_web::test]
async fn refresh_token_with_surrounding_blanks_is_read() {
    let shop = TestServer::start();
    let refresh = shop.log_in_native("cashier").await.text_at("/refresh_token");
    let login = json!({ "UserName": "cashier", "Password": TEST_PASSWORD, "DeviceName": "P01" });
    let portos = shop.post("/portos/api/auth", login).await;
    let pair = json!({
        "tokenId": format!(" {}\n", portos.text_at("/tokenId")),
        "refreshToken": format!("\t{}\r\n", portos.text_at("/refreshToken")),
    });
    let native = json!({ "refresh_token": format!(" {refresh}\n") });
    assert_eq!(shop.post("/api/v1/sessions/refresh", native).await.status, 200);
    assert_eq!(shop.post("/portos/api/auth/refresh", pair).await.status, 200);
    let kasir = shop.post("/kasir/api/v1/auth/login", json!({ "email": "cashier", "password": TEST_PASSWORD })).await;
    let kasir = json!({ "refresh_token": format!("{}\r\n", kasir.text_at("/data/refresh_token")) });
    assert_eq!(shop.post("/kasir/api/v1/auth/refresh", kasir).await.status, 200);
    let posstar = json!({ "email": "stranger@example.com", "password": TEST_PASSWORD });
    let posstar = shop.post("/posstar/api/v1/auth/login", posstar).await;
    let posstar = json!({ "token": format!("{} \n", posstar.text_at("/access_token")) });
    assert_eq!(shop.post("/posstar/api/v1/auth/refresh", posstar).await.status, 200);
}
