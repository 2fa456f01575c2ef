//! A reverse proxy in front: the configuration of the page as it stands there, and what is said of a proxy that names nobody.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use tillgate_tests::{Caddy, Engine, Installation, Nginx, PASSWORD, eventually};

/// The first block of this language on a page.
fn block(page: &str, language: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// A login of a till, as it is sent to a proxy.
fn login(headers: &str) -> String {
    let body = format!(r#"{{"login":"cashier","password":"{PASSWORD}","device":"P01"}}"#);
    format!(
        "POST /api/v1/sessions HTTP/1.1\r\nHost: pos.example\r\nConnection: close\r\n{headers}Content-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: pos.example\r\nConnection: close\r\n\r\n")
}

/// What is not for strangers.
const INSIDE: [&str; 6] = ["/healthz", "/readyz", "/metrics", "/docs", "/docs/index.html", "/openapi.json"];

const SILENT: &str = "sends no X-Forwarded-For";

#[test]
fn nginx_as_the_page_has_it_names_the_client_and_keeps_the_inside_inside() {
    let shop = Installation::with_shop(Engine::Sqlite)
        .with_setting("SERVER__PROXIES", "127.0.0.1/32")
        .with_setting("OPERATIONS__LISTEN", "127.0.0.1:0");
    let server = shop.serve();
    let page = block("proxy.md", "nginx");
    let upstream = server.address().trim_start_matches("http://");
    let page = page.replace("127.0.0.1:8080", upstream).replace("listen 443 ssl;", "listen 80;");
    let without_tls: Vec<&str> = page.lines().filter(|line| !line.contains("ssl_certificate")).collect();
    let nginx = Nginx::start(&without_tls.join("\n"));
    // what the client says of itself is not believed
    let answer = nginx.send(&login("X-Forwarded-For: 203.0.113.9\r\n"));
    assert!(answer.starts_with("HTTP/1.1 201 ") && answer.contains("Strict-Transport-Security"), "{answer}");
    eventually(Duration::from_secs(10), "the line of the login", || server.log().contains("/api/v1/sessions"));
    let log = server.log();
    assert!(log.contains("127.0.0.1") && !log.contains("203.0.113.9") && !log.contains(SILENT), "{log}");
    for inside in INSIDE {
        assert!(nginx.send(&get(inside)).starts_with("HTTP/1.1 404 "), "{inside}");
    }
    assert!(nginx.send(&get("/.well-known/jwks.json")).starts_with("HTTP/1.1 200 "));
    assert_eq!(nginx.log(), "");
}

#[test]
fn caddy_as_the_page_has_it_names_the_client_and_keeps_the_inside_inside() {
    let shop = Installation::with_shop(Engine::Sqlite)
        .with_setting("SERVER__PROXIES", "127.0.0.1/32")
        .with_setting("OPERATIONS__LISTEN", "127.0.0.1:0");
    let server = shop.serve();
    let upstream = server.address().trim_start_matches("http://");
    let caddy = Caddy::start(&block("proxy.md", "caddyfile").replace("127.0.0.1:8080", upstream));
    let answer = caddy.send(&login("X-Forwarded-For: 203.0.113.9\r\n"));
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    eventually(Duration::from_secs(10), "the line of the login", || server.log().contains("/api/v1/sessions"));
    let log = server.log();
    assert!(log.contains("127.0.0.1") && !log.contains("203.0.113.9") && !log.contains(SILENT), "{log}");
    for inside in INSIDE {
        assert!(caddy.send(&get(inside)).starts_with("HTTP/1.1 404 "), "{inside}");
    }
    assert!(caddy.send(&get("/.well-known/jwks.json")).starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_proxy_that_does_not_say_for_whom_it_calls_is_told_once() {
    let shop = Installation::with_shop(Engine::Sqlite)
        .with_setting("SERVER__PROXIES", "127.0.0.1/32")
        .with_setting("OPERATIONS__LISTEN", "127.0.0.1:0");
    let server = shop.serve();
    let upstream = server.address();
    let nginx = Nginx::start(&format!("server {{ listen 80; location / {{ proxy_pass {upstream}; }} }}"));
    assert!(nginx.send(&get("/readyz")).starts_with("HTTP/1.1 200 "));
    assert!(!server.log().contains(SILENT), "a probe calls for nobody");
    for _ in 0..3 {
        assert!(nginx.send(&login("")).starts_with("HTTP/1.1 201 "));
    }
    eventually(Duration::from_secs(10), "a warning", || server.log().contains(SILENT));
    assert_eq!(server.log().matches(SILENT).count(), 1);
}
