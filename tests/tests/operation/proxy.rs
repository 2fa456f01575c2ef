//! A reverse proxy in front of the server: the configuration of the page, and proxies that are not
//! configured as trusted.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use tillgate_tests::{Caddy, DatabaseEngine, Installation, Nginx, PASSWORD, wait_until};

/// The first code block of this language on a page.
fn read_block(page: &str, language: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// A till's login as it is sent to a proxy.
fn login_request(headers: &str) -> String {
    let body = format!(r#"{{"login":"cashier","password":"{PASSWORD}","device":"P01"}}"#);
    format!(
        "POST /api/v1/sessions HTTP/1.1\r\nHost: pos.example\r\nConnection: close\r\n{headers}Content-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn get_request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: pos.example\r\nConnection: close\r\n\r\n")
}

/// The response to a request without a proxy.
fn send_to(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

/// Paths that are not for external clients.
const INTERNAL_PATHS: [&str; 6] = ["/healthz", "/readyz", "/metrics", "/docs", "/docs/index.html", "/openapi.json"];

const SILENT_PROXY_WARNING: &str = "sends no X-Forwarded-For";

#[test]
#[ignore = "requires nginx"]
fn documented_nginx_forwards_the_client_and_hides_internal_paths() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite)
        .with_setting("SERVER__PROXIES", "127.0.0.1/32")
        .with_setting("OPERATIONS__LISTEN", "127.0.0.1:0");
    let server = installation.serve();
    let page = read_block("proxy.md", "nginx");
    let upstream = server.address().trim_start_matches("http://");
    let page = page.replace("127.0.0.1:8080", upstream).replace("listen 443 ssl;", "listen 80;");
    let without_tls: Vec<&str> = page.lines().filter(|line| !line.contains("ssl_certificate")).collect();
    let nginx = Nginx::start(&without_tls.join("\n"));
    // the client's own claim about its address is ignored
    let response = nginx.send(&login_request("X-Forwarded-For: 203.0.113.9\r\n"));
    assert!(response.starts_with("HTTP/1.1 201 ") && response.contains("Strict-Transport-Security"), "{response}");
    wait_until(Duration::from_secs(10), "the line of the login", || server.read_log().contains("/api/v1/sessions"));
    let log = server.read_log();
    assert!(log.contains("127.0.0.1") && !log.contains("203.0.113.9") && !log.contains(SILENT_PROXY_WARNING), "{log}");
    for inside in INTERNAL_PATHS {
        assert!(nginx.send(&get_request(inside)).starts_with("HTTP/1.1 404 "), "{inside}");
    }
    assert!(nginx.send(&get_request("/.well-known/jwks.json")).starts_with("HTTP/1.1 200 "));
    assert_eq!(nginx.log(), "");
}

#[test]
#[ignore = "requires nginx and curl"]
fn documented_nginx_serves_tls() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite)
        .with_setting("SERVER__PROXIES", "127.0.0.1/32")
        .with_setting("OPERATIONS__LISTEN", "127.0.0.1:0");
    let server = installation.serve();
    let identity = rcgen::generate_simple_self_signed(["pos.example".to_owned()]).unwrap();
    let certificate = installation.folder().join("pos.example.pem");
    let key = installation.folder().join("pos.example.key");
    std::fs::write(&certificate, identity.cert.pem()).unwrap();
    std::fs::write(&key, identity.signing_key.serialize_pem()).unwrap();
    let page = read_block("proxy.md", "nginx")
        .replace("127.0.0.1:8080", server.address().trim_start_matches("http://"))
        .replace("/etc/ssl/pos.example.pem", certificate.to_str().unwrap())
        .replace("/etc/ssl/pos.example.key", key.to_str().unwrap());
    let nginx = Nginx::start(&page);
    let curl = |path: &str, body: &str| {
        let place = format!("pos.example:{}", nginx.port());
        let mut curl = std::process::Command::new("curl");
        curl.args(["--silent", "--show-error", "--include", "--max-time", "20", "--cacert"]).arg(&certificate);
        curl.args(["--resolve", &format!("{place}:127.0.0.1"), &format!("https://{place}{path}")]);
        if !body.is_empty() {
            curl.args(["--header", "content-type: application/json", "--data", body]);
        }
        let output = curl.output().expect("curl is needed: tests/run installs it");
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr)
    };
    let login = format!(r#"{{"login":"cashier","password":"{PASSWORD}","device":"P01"}}"#);
    let response = curl("/api/v1/sessions", &login);
    assert!(response.starts_with("HTTP/1.1 201 ") && response.contains("Strict-Transport-Security"), "{response}");
    // tillgate knows that the client used TLS: the cookie of POS Kasir is for TLS only
    let login = format!(r#"{{"email":"cashier@example.com","password":"{PASSWORD}"}}"#);
    let response = curl("/kasir/api/v1/auth/login", &login);
    let cookies: Vec<&str> =
        response.lines().filter(|line| line.to_ascii_lowercase().starts_with("set-cookie:")).collect();
    assert!(!cookies.is_empty() && cookies.iter().all(|cookie| cookie.contains("; Secure")), "{response}");
    assert!(curl("/healthz", "").starts_with("HTTP/1.1 404 "));
}

#[test]
#[ignore = "requires Caddy"]
fn documented_caddy_forwards_the_client_and_hides_internal_paths() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite)
        .with_setting("SERVER__PROXIES", "127.0.0.1/32")
        .with_setting("OPERATIONS__LISTEN", "127.0.0.1:0");
    let server = installation.serve();
    let upstream = server.address().trim_start_matches("http://");
    let caddy = Caddy::start(&read_block("proxy.md", "caddyfile").replace("127.0.0.1:8080", upstream));
    let response = caddy.send(&login_request("X-Forwarded-For: 203.0.113.9\r\n"));
    assert!(response.starts_with("HTTP/1.1 201 "), "{response}");
    wait_until(Duration::from_secs(10), "the line of the login", || server.read_log().contains("/api/v1/sessions"));
    let log = server.read_log();
    assert!(log.contains("127.0.0.1") && !log.contains("203.0.113.9") && !log.contains(SILENT_PROXY_WARNING), "{log}");
    for inside in INTERNAL_PATHS {
        assert!(caddy.send(&get_request(inside)).starts_with("HTTP/1.1 404 "), "{inside}");
    }
    assert!(caddy.send(&get_request("/.well-known/jwks.json")).starts_with("HTTP/1.1 200 "));
}

#[test]
#[ignore = "requires nginx"]
fn proxy_without_forwarding_header_is_reported_once() {
    let operations = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite)
        .with_setting("SERVER__PROXIES", "127.0.0.1/32")
        .with_setting("OPERATIONS__LISTEN", &operations.to_string());
    let server = installation.serve();
    let upstream = server.address();
    let nginx = Nginx::start(&format!("server {{ listen 80; location / {{ proxy_pass {upstream}; }} }}"));
    assert!(nginx.send(&get_request("/readyz")).starts_with("HTTP/1.1 200 "));
    assert!(!server.read_log().contains(SILENT_PROXY_WARNING), "a probe calls for nobody");
    let scraped = send_to(operations, &get_request("/metrics"));
    assert!(scraped.starts_with("HTTP/1.1 200 "), "{scraped}");
    assert!(!server.read_log().contains(SILENT_PROXY_WARNING), "no proxy forwards to the operations listener");
    for _ in 0..3 {
        assert!(nginx.send(&login_request("")).starts_with("HTTP/1.1 201 "));
    }
    wait_until(Duration::from_secs(10), "a warning", || server.read_log().contains(SILENT_PROXY_WARNING));
    assert_eq!(server.read_log().matches(SILENT_PROXY_WARNING).count(), 1);
}
