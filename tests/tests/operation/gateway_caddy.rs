//! Caddy with the configuration of docs/gateway.md in front of another API: it checks each request,
//! and passes denials on in the format of the contract.

use serde_json::json;
use tillgate_tests::gateway::{GatewayResponse, code_block, header_values, parse_error};
use tillgate_tests::{Caddy, DatabaseEngine, EchoServer, Installation, PASSWORD};

#[test]
#[ignore = "requires Caddy"]
fn documented_caddy_configuration_authorizes_and_refuses() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    std::fs::write(installation.folder().join("tillgate.toml"), code_block("toml")).unwrap();
    let server = installation.serve_behind_proxy("127.0.0.1/32");
    let api = EchoServer::start();
    let site = code_block("caddyfile")
        .replace("127.0.0.1:8080", server.address().trim_start_matches("http://"))
        .replace("127.0.0.1:9000", &api.address().to_string());
    let caddy = Caddy::start(&site);
    let ask = |method: &str, path: &str, headers: &str, body: &str| {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: pos.example\r\nConnection: close\r\n{headers}");
        caddy.send(&format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()))
    };
    let login = json!({ "email": "cashier@example.com", "password": PASSWORD }).to_string();
    let text = ask("POST", "/kasir/api/v1/auth/login", "Content-Type: application/json\r\n", &login);
    let token = text.split_once("\"Token\":\"").unwrap_or_else(|| panic!("{text}")).1.split_once('"').unwrap().0;
    installation.secrets().add(token);

    // headers of a client that use tillgate's names are removed
    let headers = format!("Authorization: Bearer {token}\r\nX-Tillgate-User: admin\r\nX-Tillgate-Made-Up: yes\r\n");
    let response = ask("GET", "/api/v1/products?page=2", &headers, "");
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    let [head]: [String; 1] = api.take_heads().try_into().unwrap();
    assert!(head.starts_with("GET /api/v1/products?page=2 HTTP/1."), "{head}");
    assert_eq!(
        (header_values(&head, "X-Tillgate-User"), header_values(&head, "X-Tillgate-Role")),
        (vec!["cashier"], vec!["cashier"]),
        "{head}"
    );
    assert!(header_values(&head, "X-Tillgate-Made-Up").is_empty(), "{head}");

    for (method, headers, status, code) in [
        ("POST", headers.as_str(), 403, "rank_missing"),
        ("GET", "", 401, "token_missing"),
        ("GET", "Authorization: Bearer garbage\r\n", 401, "token_invalid"),
    ] {
        let text = ask(method, "/api/v1/products", headers, "");
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{text}");
        let (found, body) = parse_error(&GatewayResponse { status, text });
        assert_eq!(found, code);
        assert!(body["message"].is_string() && body.get("data").is_some(), "{body}");
        assert_eq!(api.take_heads(), Vec::<String>::new());
    }
}
