//! nginx with the configuration and the access table of docs/gateway.md in front of another API:
//! permitted requests pass with the caller's name, no other request reaches the API, and if
//! tillgate is unavailable, no request passes.

mod signatures;

use std::time::Duration;

use serde_json::json;
use tillgate_testkit::postgres::Server;
use tillgate_tests::gateway::{GatewayResponse, code_block, header_values, parse_error};
use tillgate_tests::{DatabaseEngine, EchoServer, Installation, Nginx, PASSWORD, RunningServer, wait_until};

/// nginx, the API behind it, and tillgate.
struct Gateway {
    nginx: Nginx,
    api: EchoServer,
    server: RunningServer,
}

impl Gateway {
    fn before(installation: &Installation) -> Self {
        // the page's table has no row for native logins and PORTOS programs: these rows allow a
        // test to check them
        let more = "[[access]]\nmount = [\"native\", \"kasir\"]\nmethod = \"*\"\npath = \"/reports/*\"\nrights = [\"sessionDelete\"]\ntenant = \"default\"\n\
            [[access]]\nmount = \"portos\"\nmethod = \"*\"\npath = \"/stock/*\"\nrights = [\"ticketCreate\"]\n";
        std::fs::write(installation.folder().join("tillgate.toml"), code_block("toml") + more).unwrap();
        let server = installation.serve_behind_proxy("127.0.0.1/32");
        let api = EchoServer::start();
        let blocks = code_block("nginx")
            .replace("127.0.0.1:8080", server.address().trim_start_matches("http://"))
            .replace("127.0.0.1:9000", &api.address().to_string());
        Self { nginx: Nginx::start(&blocks), api, server }
    }

    /// Sends a request with exactly this target and these headers.
    fn send(&self, method: &str, target: &str, headers: &str) -> GatewayResponse {
        let body = if method == "GET" { "" } else { "{}" };
        let head = format!("{method} {target} HTTP/1.1\r\nHost: pos.example\r\nConnection: close\r\n");
        let length = body.len();
        let text = self.nginx.send(&format!("{head}{headers}Content-Length: {length}\r\n\r\n{body}"));
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
        GatewayResponse { status: status.unwrap_or_else(|| panic!("{method} {target}: {text:?}")), text }
    }

    fn bearer(&self, method: &str, target: &str, token: &str) -> GatewayResponse {
        self.send(method, target, &format!("Authorization: Bearer {token}\r\n"))
    }

    /// The head that reached the API.
    #[track_caller]
    fn reached(&self, response: &GatewayResponse) -> String {
        assert_eq!(response.status, 200, "{}", response.text);
        let [head]: [String; 1] = self.api.take_heads().try_into().unwrap();
        head
    }

    /// Checks that nothing reached the API.
    #[track_caller]
    fn refused(&self, response: &GatewayResponse, status: u16, what: &str) {
        assert_eq!(response.status, status, "{what}: {}", response.text);
        assert_eq!(self.api.take_heads(), Vec::<String>::new(), "{what} reached the API");
    }

    /// Sends a body through nginx, and returns the response with its head.
    fn post(&self, path: &str, body: &serde_json::Value) -> String {
        let body = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: pos.example\r\nConnection: close\r\nContent-Type: application/json\r\n"
        );
        self.nginx.send(&format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()))
    }

    /// Logs in with POS Kasir through nginx, as its clients do, and returns the access token.
    fn log_in(&self, installation: &Installation, user: &str) -> String {
        let body = json!({ "email": format!("{user}@example.com"), "password": PASSWORD });
        let text = self.post("/kasir/api/v1/auth/login", &body);
        let token =
            text.split_once("\"Token\":\"").unwrap_or_else(|| panic!("{text}")).1.split_once('"').unwrap().0.to_owned();
        installation.secrets().add(&token);
        token
    }
}

#[test]
#[ignore = "requires nginx"]
fn logins_of_every_listed_mount_reach_tillgate() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let gateway = Gateway::before(&installation);
    for (path, body) in [
        ("/api/v1/sessions", json!({ "login": "cashier", "password": PASSWORD, "device": "P01" })),
        ("/portos/api/auth", json!({ "UserName": "cashier", "Password": PASSWORD, "DeviceName": "P02" })),
        ("/kasir/api/v1/auth/login", json!({ "email": "cashier@example.com", "password": PASSWORD })),
    ] {
        let response = gateway.post(path, &body);
        assert!(response.starts_with("HTTP/1.1 20"), "{path}: {response}");
        assert_eq!(gateway.api.take_heads(), Vec::<String>::new(), "{path} reached the API");
    }
    // what only begins like one of them is checked
    for target in ["/portosx/", "/kasirx", "/x/kasir/"] {
        let response = gateway.send("GET", target, "");
        assert!([401, 403].contains(&response.status), "{target}: {}", response.text);
        assert_eq!(gateway.api.take_heads(), Vec::<String>::new(), "{target} reached the API");
    }
}

#[test]
#[ignore = "requires nginx"]
fn authorized_request_is_forwarded_with_its_identity() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let gateway = Gateway::before(&installation);
    let [cashier, manager, admin] = ["cashier", "manager", "admin"].map(|user| gateway.log_in(&installation, user));
    for (method, target, may) in [
        ("GET", "/api/v1/products?page=2&q=a%2Fb", [true, true, true]),
        ("GET", "/api/v1/products/7", [true, true, true]),
        ("POST", "/api/v1/products", [false, true, true]),
        ("PATCH", "/api/v1/products/7/options/1", [false, true, true]),
        ("DELETE", "/api/v1/products/7", [false, false, true]),
        ("GET", "/api/v1/categories/count", [true, true, true]),
        ("GET", "/api/v1/categories/7", [false, true, true]),
        ("POST", "/api/v1/orders", [true, true, true]),
        ("POST", "/api/v1/orders/7/pay", [true, true, true]),
        ("GET", "/api/v1/activity-logs", [false, false, true]),
        ("DELETE", "/api/v1/orders/7", [false, false, false]),
        ("GET", "/", [false, false, false]),
    ] {
        for (token, may) in [&cashier, &manager, &admin].into_iter().zip(may) {
            let response = gateway.bearer(method, target, token);
            if may {
                let head = gateway.reached(&response);
                assert!(head.starts_with(&format!("{method} {target} HTTP/1.")), "as it was sent: {head}");
            } else {
                gateway.refused(&response, 403, &format!("{method} {target}"));
            }
        }
    }
    let head = gateway.reached(&gateway.bearer("GET", "/api/v1/products", &manager));
    for (name, value) in
        [("X-Tillgate-User", "manager"), ("X-Tillgate-Role", "manager"), ("X-Tillgate-Tenant", "default")]
    {
        assert_eq!(header_values(&head, name), [value], "{head}");
    }
    assert!(header_values(&head, "X-Tillgate-Rights")[0].split(' ').any(|right| right == "sessionDelete"), "{head}");
    assert!(header_values(&head, "X-Tillgate-Device").is_empty(), "{head}");

    // a token of the native API, on a device
    let till = gateway.server.new_till().login("manager", "P01");
    let head = gateway.reached(&gateway.bearer("PUT", "/reports/2026/11", &till.access));
    assert_eq!(
        (header_values(&head, "X-Tillgate-User"), header_values(&head, "X-Tillgate-Device")),
        (vec!["manager"], vec!["P01"])
    );
    gateway.refused(&gateway.bearer("GET", "/api/v1/products", &till.access), 401, "of another mount");
    gateway.refused(&gateway.bearer("PUT", "/reports/2026/11", &cashier), 403, "without the right");

    let none = gateway.send("GET", "/api/v1/products", "");
    gateway.refused(&none, 401, "no token");
    assert_eq!(header_values(&none.text, "WWW-Authenticate").len(), 1, "{}", none.text);
    gateway.refused(&gateway.bearer("GET", "/api/v1/products", "garbage"), 401, "no token of ours");
    installation.run_ok(&["session", "end", "--user", "cashier"], "");
    wait_until(Duration::from_secs(10), "the end of a session", || {
        let status = gateway.bearer("GET", "/api/v1/products", &cashier).status;
        gateway.api.take_heads();
        status == 401
    });
}

#[test]
#[ignore = "requires nginx"]
fn refusals_use_the_dialects_format_and_are_logged() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let gateway = Gateway::before(&installation);
    let cashier = gateway.log_in(&installation, "cashier");
    for (response, code, status) in [
        (gateway.send("GET", "/api/v1/products", ""), "token_missing", 401),
        (gateway.bearer("GET", "/api/v1/products", "garbage"), "token_invalid", 401),
        (gateway.bearer("POST", "/api/v1/products?token=secret", &cashier), "rank_missing", 403),
    ] {
        assert_eq!(response.status, status, "{}", response.text);
        let (found, body) = parse_error(&response);
        assert_eq!(found, code, "{}", response.text);
        assert!(body["message"].is_string() && body.get("data").is_some_and(serde_json::Value::is_null), "{body}");
        assert_eq!(
            header_values(&response.text, "WWW-Authenticate").len(),
            usize::from(status == 401),
            "{}",
            response.text
        );
    }
    // a row with several contracts: the error has the format of the first one
    let (code, body) = parse_error(&gateway.bearer("PUT", "/reports/2026", "garbage"));
    assert_eq!((code.as_str(), body["code"].as_str()), ("token_invalid", Some("token_invalid")), "{body}");
    // PORTOS' format
    let (code, body) = parse_error(&gateway.bearer("PUT", "/stock/7", "garbage"));
    assert_eq!((code.as_str(), body["traceId"].is_string()), ("token_invalid", true), "{body}");
    // no row: the table contains several contracts
    let (code, body) = parse_error(&gateway.bearer("GET", "/nothing", &cashier));
    assert_eq!((code.as_str(), body["code"].as_str()), ("access_unlisted", Some("access_unlisted")), "{body}");
    let log = gateway.server.read_log();
    assert!(log.contains("asked=\"POST /api/v1/products\""), "{log}");
    assert!(!log.contains("token=secret"), "{log}");
}

#[test]
#[ignore = "requires nginx"]
fn path_tricks_reach_no_unlisted_path() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let gateway = Gateway::before(&installation);
    let cashier = gateway.log_in(&installation, "cashier");
    for target in [
        "/api/v1/orders/../activity-logs",
        "/api/v1/orders/./../activity-logs",
        "/api/v1/orders/%2e%2e/activity-logs",
        "/api/v1/orders/%2E./activity-logs",
        "/api/v1/orders/..%2factivity-logs",
        "/api/v1/orders/%2e%2e%2factivity-logs",
        "/api/v1/orders/%252e%252e/activity-logs",
        "/api/v1/orders/..%5cactivity-logs",
        "/api/v1/orders/..\\activity-logs",
        "/api/v1/orders/..;/activity-logs",
        "/api/v1/orders/7;/../../activity-logs",
        "//api/v1/activity-logs",
        "/api/v1//activity-logs",
        "/api//v1/orders",
        "/./api/v1/activity-logs",
        "/API/V1/ACTIVITY-LOGS",
        "/api/v1/activity-logs/",
        "/api/v1/activity%2dlogs",
        "/api/v1/%61ctivity-logs",
        "/api/v1/activity-logs?/api/v1/orders",
        "/api/v1/activity-logs?x=/../orders",
        "/api/v1/activity-logs%3f/../orders",
        "/api/v1/orders?/../../activity-logs/../../../x#/../y",
        "/api/v1/activity-logs#/../orders",
        "/api/v1/activity-logs%00",
        "/api/v1/activity-logs%23",
        "/kasir/../api/v1/activity-logs",
        "/kasir/%2e%2e/api/v1/activity-logs",
        "/kasir/..%2fapi/v1/activity-logs",
        "/tillgate-access",
        "/tillgate-access/",
        "http://pos.example/api/v1/activity-logs",
        "http://pos.example//api/v1/activity-logs",
        "*",
    ] {
        let response = gateway.bearer("GET", target, &cashier);
        // nginx itself rejects some of them; a query is not part of the path, and this path is
        // permitted to a cashier
        let passes = target.starts_with("/api/v1/orders?");
        let taken = gateway.api.take_heads();
        if passes && response.status == 200 {
            assert!(taken.iter().all(|head| head.starts_with("GET /api/v1/orders?")), "{target}: {taken:?}");
            continue;
        }
        assert!([400, 403, 404].contains(&response.status), "{target}: {}", response.text);
        assert_eq!(taken, Vec::<String>::new(), "{target} reached the API");
    }
    for method in ["get", "Delete", "PROPFIND", "GETS"] {
        let response = gateway.bearer(method, "/api/v1/orders", &cashier);
        assert!([400, 403, 405].contains(&response.status), "{method}: {}", response.text);
        assert_eq!(gateway.api.take_heads(), Vec::<String>::new(), "{method} reached the API");
    }
}

#[test]
#[ignore = "requires nginx"]
fn client_headers_cannot_impersonate_the_gateway() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let gateway = Gateway::before(&installation);
    let cashier = gateway.log_in(&installation, "cashier");
    let with = |method: &str, target: &str, forged: &str| {
        gateway.send(method, target, &format!("Authorization: Bearer {cashier}\r\n{forged}"))
    };
    for forged in [
        "X-Original-Method: GET\r\nX-Original-URI: /api/v1/orders\r\n",
        "X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /api/v1/orders\r\n",
        "X-Original-URI: /api/v1/orders\r\nX-Original-URI: /api/v1/orders\r\n",
        "X_Original_URI: /api/v1/orders\r\nX_Forwarded_Uri: /api/v1/orders\r\n",
        "X-Rewrite-URL: /api/v1/orders\r\nX-Original-URL: /api/v1/orders\r\n",
        "X-HTTP-Method-Override: GET\r\n",
        "Connection: X-Original-Method, X-Original-URI\r\n",
        "X-Tillgate-Role: admin\r\nX-Tillgate-Rights: admin\r\n",
    ] {
        gateway.refused(&with("DELETE", "/api/v1/products/7", forged), 403, forged);
    }
    let forged = "X-Tillgate-User: admin\r\nx-tillgate-user: admin\r\nX-TILLGATE-ROLE: admin\r\nX-Tillgate-Rights: admin\r\n\
        X-Tillgate-Device: P01\r\nX-Tillgate-Device-Id: P01\r\nX-Tillgate-User-Id: p01\r\nX-Tillgate-Tenant: other\r\nX_Tillgate_User: admin\r\nX-HTTP-Method-Override: DELETE\r\n";
    let head = gateway.reached(&with("GET", "/api/v1/products", forged));
    assert_eq!(header_values(&head, "X-Tillgate-User"), ["cashier"], "{head}");
    assert_eq!(header_values(&head, "X-Tillgate-Role"), ["cashier"], "{head}");
    assert_eq!(header_values(&head, "X-Tillgate-Tenant"), ["default"], "{head}");
    assert!(!head.to_lowercase().contains("p01") && !head.to_lowercase().contains("override"), "{head}");
    assert!(
        !header_values(&head, "X-Tillgate-Rights").concat().contains("admin") && !head.contains("_Tillgate_"),
        "{head}"
    );
}

#[test]
#[ignore = "requires nginx"]
fn cookie_is_accepted_for_the_servers_own_pages() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let gateway = Gateway::before(&installation);
    let manager = gateway.log_in(&installation, "manager");
    let with = |method: &str, headers: &str| {
        gateway.send(method, "/api/v1/products", &format!("Cookie: a=b; access_token={manager}\r\n{headers}"))
    };
    for (method, headers, may) in [
        ("GET", "", true),
        ("GET", "Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n", true),
        ("POST", "Origin: http://pos.example\r\n", true),
        ("POST", "Sec-Fetch-Site: same-origin\r\n", true),
        ("POST", "", true),
        ("POST", "Origin: https://evil.example\r\n", false),
        ("POST", "Origin: https://evil.example\r\nX-Forwarded-Host: evil.example\r\n", false),
        ("POST", "Origin: https://evil.example\r\nForwarded: host=evil.example\r\n", false),
        ("POST", "Origin: null\r\n", false),
        ("POST", "Sec-Fetch-Site: cross-site\r\n", false),
        ("POST", "Sec-Fetch-Site: cross-site\r\nX-Original-Method: GET\r\nX-Forwarded-Method: GET\r\n", false),
    ] {
        let response = with(method, headers);
        if may {
            let head = gateway.reached(&response);
            assert_eq!(header_values(&head, "X-Tillgate-User"), ["manager"], "{method} {headers}");
        } else {
            gateway.refused(&response, 403, headers);
        }
    }
    gateway.refused(&with("GET", "Authorization: Bearer garbage\r\n"), 401, "a header counts over the cookie");
}

/// The response to a till if tillgate is unavailable.
fn assert_unavailable(gateway: &Gateway, response: &GatewayResponse, what: &str) {
    gateway.refused(response, 503, what);
    assert_eq!(header_values(&response.text, "Retry-After"), ["1"], "{what}: {}", response.text);
    assert!(header_values(&response.text, "WWW-Authenticate").is_empty(), "{what}");
}

#[test]
#[ignore = "requires nginx and PostgreSQL"]
fn unavailable_tillgate_forwards_nothing() {
    let database = Server::start(&[]).unwrap();
    let installation = Installation::with_database(DatabaseEngine::Postgres, database.create_database())
        .with_setting("REVOCATION__MAX_AGE", "1s");
    installation.create_demo_shop();
    let mut gateway = Gateway::before(&installation);
    let admin = gateway.log_in(&installation, "admin");
    let asks = |gateway: &Gateway| gateway.bearer("GET", "/api/v1/products", &admin);
    gateway.reached(&asks(&gateway));
    database.crash().unwrap();
    wait_until(Duration::from_secs(20), "a view that is too old", || {
        let response = asks(&gateway);
        let taken = gateway.api.take_heads();
        assert!((response.status == 200) != taken.is_empty(), "{}", response.text);
        response.status == 503
    });
    assert_unavailable(&gateway, &asks(&gateway), "without a database");
    gateway.refused(&gateway.bearer("GET", "/api/v1/products", "garbage"), 401, "what is no token needs no database");
    database.resume().unwrap();
    wait_until(Duration::from_secs(20), "the database", || {
        let status = asks(&gateway).status;
        gateway.api.take_heads();
        status == 200
    });
    gateway.server.stop();
    assert_unavailable(&gateway, &asks(&gateway), "without a tillgate");
    assert_unavailable(
        &gateway,
        &gateway.send("GET", "/api/v1/products", ""),
        "without a tillgate and without a token",
    );
}
