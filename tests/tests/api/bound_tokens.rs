//! Tokens that are bound to a key, through nginx and Caddy: the address that a proof must contain,
//! and access checks of requests with proofs.

use std::cell::RefCell;

use serde_json::{Value, json};
use tillgate_testkit::ProofSigner;
use tillgate_tests::gateway::{code_block, header_values};
use tillgate_tests::{Caddy, DatabaseEngine, EchoServer, Installation, Nginx, PASSWORD, RunningServer};

const LOGIN: &str = "/api/v1/sessions";
const CURRENT: &str = "/api/v1/sessions/current";
const REFRESH: &str = "/api/v1/sessions/refresh";

/// A table with which native tokens pass the access check.
const ACCESS_TABLE: &str = "[[access]]\nmount = \"native\"\nmethod = \"*\"\npath = \"/goods/*\"\nrole = \"cashier\"\ntenant = \"default\"\n\
    [[access]]\nmount = \"native\"\nmethod = \"*\"\npath = \"/prices/*\"\nrole = \"admin\"\ntenant = \"default\"\n";

struct Response {
    status: u16,
    text: String,
}

impl Response {
    fn json(&self) -> Value {
        let (from, to) = (self.text.find('{'), self.text.rfind('}'));
        serde_json::from_str(&self.text[from.unwrap()..=to.unwrap()]).unwrap_or_else(|_| panic!("{}", self.text))
    }

    fn text_at(&self, pointer: &str) -> String {
        self.json().pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{}", self.text)).to_owned()
    }
}

/// A till with a key behind a proxy, which it knows by this origin.
struct KeyTill<'p> {
    send: Box<dyn Fn(&str) -> String + 'p>,
    origin: &'static str,
    signer: ProofSigner,
    nonce: RefCell<String>,
}

impl<'p> KeyTill<'p> {
    fn new(origin: &'static str, send: impl Fn(&str) -> String + 'p) -> Self {
        let nonce = RefCell::new("none".to_owned());
        Self { send: Box::new(send), origin, signer: ProofSigner::p256(), nonce }
    }

    fn prove(&self, method: &str, path: &str, token: Option<&str>) -> String {
        self.signer.prove(method, &format!("{}{path}", self.origin), &self.nonce.borrow(), token)
    }

    /// Sends a request once, with these complete header lines, and remembers the nonce of the
    /// response.
    fn send_once(&self, method: &str, path: &str, headers: &str, body: Option<&Value>) -> Response {
        let body = body.map(Value::to_string).unwrap_or_default();
        let text = (self.send)(&format!(
            "{method} {path} HTTP/1.1\r\nHost: pos.example\r\nConnection: close\r\nContent-Type: application/json\r\n\
             {headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
        if let [nonce] = header_values(&text, "DPoP-Nonce")[..] {
            nonce.clone_into(&mut self.nonce.borrow_mut());
        }
        Response { status: status.unwrap_or_else(|| panic!("{method} {path}: {text:?}")), text }
    }

    /// Sends a request with a proof, again with the nonce of the response if the server requires
    /// it.
    fn call(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Response {
        let send = || {
            let authorization = token.map(|token| format!("Authorization: DPoP {token}\r\n")).unwrap_or_default();
            let proof = self.prove(method, path, token);
            self.send_once(method, path, &format!("{authorization}DPoP: {proof}\r\n"), body)
        };
        let response = send();
        if response.text.contains("use_dpop_nonce") { send() } else { response }
    }

    fn log_in(&self) -> Response {
        let body = json!({ "login": "cashier", "password": PASSWORD, "device": "P01" });
        self.call("POST", LOGIN, None, Some(&body))
    }

    /// Logs in, refreshes and calls, with proofs for the till's own origin.
    fn assert_accepted(&self) {
        let login = self.log_in();
        assert_eq!(login.status, 201, "{}", login.text);
        let body = json!({ "refresh_token": login.text_at("/refresh_token") });
        let refreshed = self.call("POST", REFRESH, None, Some(&body));
        assert_eq!((refreshed.status, &*refreshed.text_at("/token_type")), (200, "DPoP"), "{}", refreshed.text);
        let token = refreshed.text_at("/access_token");
        let current = self.call("GET", &format!("{CURRENT}?page=1"), Some(&token), None);
        assert_eq!(current.status, 200, "{}", current.text);
    }

    /// Asserts that a login is denied because its proof is for another origin than this one.
    fn assert_told(&self, known_origin: &str) {
        let denied = self.log_in();
        assert_eq!(denied.status, 400, "{}", denied.text);
        let reported = ["/code", "/check", "/expected", "/received"].map(|member| denied.text_at(member));
        let (expected, received) = (format!("{known_origin}{LOGIN}"), format!("{}{LOGIN}", self.origin));
        assert_eq!(reported, ["proof_invalid", "htu", &*expected, &*received]);
    }
}

/// The first code block of docs/proxy.md in this language.
fn proxy_page_block(language: &str) -> String {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/proxy.md")).unwrap();
    let from = page.split_once(&format!("```{language}\n")).unwrap().1;
    from.split_once("```").unwrap().0.to_owned()
}

/// The documented nginx in front of the server, without TLS, that reports this scheme.
fn start_nginx(server: &RunningServer, forwarded_proto: &str) -> Nginx {
    let page = proxy_page_block("nginx")
        .replace("127.0.0.1:8080", server.address().trim_start_matches("http://"))
        .replace("listen 443 ssl;", "listen 80;")
        .replace("        proxy_set_header X-Forwarded-Proto $scheme;\n", forwarded_proto);
    let without_tls: Vec<&str> = page.lines().filter(|line| !line.contains("ssl_certificate")).collect();
    Nginx::start(&without_tls.join("\n"))
}

#[test]
#[ignore = "requires nginx"]
fn proof_contains_the_address_that_nginx_reports() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let server = installation.serve_behind_proxy("127.0.0.1/32");
    let as_documented = start_nginx(&server, "        proxy_set_header X-Forwarded-Proto $scheme;\n");
    KeyTill::new("http://pos.example", |request| as_documented.send(request)).assert_accepted();
    KeyTill::new("https://pos.example", |request| as_documented.send(request)).assert_told("http://pos.example");
    // as if it had received the request over TLS
    let with_tls = start_nginx(&server, "        proxy_set_header X-Forwarded-Proto https;\n");
    KeyTill::new("https://pos.example", |request| with_tls.send(request)).assert_accepted();
    KeyTill::new("https://pos.example:443", |request| with_tls.send(request)).assert_accepted();
    let silent = start_nginx(&server, "");
    KeyTill::new("https://pos.example", |request| silent.send(request)).assert_told("http://pos.example");
}

#[test]
#[ignore = "requires nginx and Caddy"]
fn public_url_counts_whatever_the_proxy_reports() {
    let installation =
        Installation::with_fixture(DatabaseEngine::Sqlite).with_setting("SERVER__PUBLIC_URL", "https://pos.example");
    let server = installation.serve_behind_proxy("127.0.0.1/32");
    let silent = start_nginx(&server, "");
    KeyTill::new("https://pos.example", |request| silent.send(request)).assert_accepted();
    KeyTill::new("http://pos.example", |request| silent.send(request)).assert_told("https://pos.example");
    let upstream = server.address().trim_start_matches("http://");
    let caddy = Caddy::start(&proxy_page_block("caddyfile").replace("127.0.0.1:8080", upstream));
    KeyTill::new("https://pos.example", |request| caddy.send(request)).assert_accepted();
}

#[test]
#[ignore = "requires Caddy"]
fn proof_contains_the_address_that_caddy_reports() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let server = installation.serve_behind_proxy("127.0.0.1/32");
    let upstream = server.address().trim_start_matches("http://");
    let caddy = Caddy::start(&proxy_page_block("caddyfile").replace("127.0.0.1:8080", upstream));
    KeyTill::new("http://pos.example", |request| caddy.send(request)).assert_accepted();
    KeyTill::new("https://pos.example", |request| caddy.send(request)).assert_told("http://pos.example");
}

/// Requests of a till with a bound token to an API behind a gateway.
fn assert_checked(till: &KeyTill<'_>, server: &RunningServer, api: &EchoServer) {
    // Caddy's page passes no native logins on: this till logs in at the server itself
    let login = server.new_till();
    let uri = login.url(LOGIN);
    let body = json!({ "login": "cashier", "password": PASSWORD, "device": "P01" }).to_string();
    let mut nonce = "none".to_owned();
    let mut log_in = || {
        let request =
            ureq::http::Request::builder().method("POST").uri(&uri).header("content-type", "application/json");
        let request = request.header("dpop", till.signer.prove("POST", &uri, &nonce, None));
        let response = login.try_send(request.body(body.clone()).unwrap()).unwrap();
        response.header("dpop-nonce").clone_into(&mut nonce);
        response
    };
    // a challenge for the nonce, and perhaps responses of an overloaded server: a new proof each
    // time
    let mut logged_in = log_in();
    for _ in 0..20 {
        if logged_in.status() != 201 {
            logged_in = log_in();
        }
    }
    let token = logged_in.expect_status(201).text_at("/access_token");
    for method in ["GET", "POST"] {
        let passed = till.call(method, "/goods/7?page=2", Some(&token), None);
        assert_eq!(passed.status, 200, "{method}: {}", passed.text);
        let [head]: [String; 1] = api.take_heads().try_into().unwrap();
        assert_eq!(header_values(&head, "X-Tillgate-User"), ["cashier"], "{head}");
    }
    let replayed = format!("Authorization: DPoP {token}\r\nDPoP: {}\r\n", till.prove("GET", "/goods/7", Some(&token)));
    assert_eq!(till.send_once("GET", "/goods/7", &replayed, None).status, 200);
    assert_eq!(api.take_heads().len(), 1);
    let other_path =
        format!("Authorization: DPoP {token}\r\nDPoP: {}\r\n", till.prove("GET", "/goods/8", Some(&token)));
    let without_proof = format!("Authorization: DPoP {token}\r\n");
    let as_bearer = format!("Authorization: Bearer {token}\r\n");
    for (headers, code) in [
        (&replayed, "proof_invalid"),
        (&other_path, "proof_invalid"),
        (&without_proof, "proof_missing"),
        (&as_bearer, "proof_missing"),
    ] {
        let denied = till.send_once("GET", "/goods/7", headers, None);
        assert_eq!((denied.status, &*header_values(&denied.text, "X-Tillgate-Code").concat()), (401, code));
        assert!(header_values(&denied.text, "WWW-Authenticate")[0].starts_with("DPoP "), "{}", denied.text);
        assert_eq!(header_values(&denied.text, "DPoP-Nonce").len(), 1, "{}", denied.text);
        assert_eq!(api.take_heads(), Vec::<String>::new(), "{headers} reached the API");
    }
    let forbidden = till.call("GET", "/prices/7", Some(&token), None);
    let code = header_values(&forbidden.text, "X-Tillgate-Code").concat();
    assert_eq!((forbidden.status, code.as_str()), (403, "rank_missing"), "{}", forbidden.text);
    assert_eq!(api.take_heads(), Vec::<String>::new());
}

#[test]
#[ignore = "requires nginx"]
fn documented_nginx_gateway_checks_proofs() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    std::fs::write(installation.folder().join("tillgate.toml"), ACCESS_TABLE).unwrap();
    let server = installation.serve_behind_proxy("127.0.0.1/32");
    let api = EchoServer::start();
    let blocks = code_block("nginx")
        .replace("127.0.0.1:8080", server.address().trim_start_matches("http://"))
        .replace("127.0.0.1:9000", &api.address().to_string());
    let nginx = Nginx::start(&blocks);
    let till = KeyTill::new("http://pos.example", |request| nginx.send(request));
    assert_checked(&till, &server, &api);
    // the API's own response has the nonce for the next proof
    till.assert_accepted();
    assert_eq!(nginx.log(), "");
}

#[test]
#[ignore = "requires Caddy"]
fn documented_caddy_gateway_checks_proofs() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    std::fs::write(installation.folder().join("tillgate.toml"), ACCESS_TABLE).unwrap();
    let server = installation.serve_behind_proxy("127.0.0.1/32");
    let api = EchoServer::start();
    let site = code_block("caddyfile")
        .replace("127.0.0.1:8080", server.address().trim_start_matches("http://"))
        .replace("127.0.0.1:9000", &api.address().to_string());
    let caddy = Caddy::start(&site);
    assert_checked(&KeyTill::new("http://pos.example", |request| caddy.send(request)), &server, &api);
}
