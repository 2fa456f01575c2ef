//! Sessions that are bound to a key of the client (RFC 9449): logins, refreshes and calls with
//! proofs, and what they are compared with.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::{Value, json};
use tillgate_domain::Rank;
use tillgate_http::{AccessRequirement, AccessRule, HttpSettings};
use tillgate_testkit::ProofSigner;

use crate::oauth::{create_client_key, introspect};
use crate::test_server::{TEST_PASSWORD, TestResponse, TestServer, build_request, post_request, with_bearer};

const ORIGIN: &str = "https://pos.example";
const LOGIN: &str = "/api/v1/sessions";
const REFRESH: &str = "/api/v1/sessions/refresh";
const CURRENT: &str = "/api/v1/sessions/current";

fn start_server() -> TestServer {
    let rule = AccessRule {
        methods: Vec::new(),
        path: "/goods/*".parse().unwrap(),
        mounts: vec!["native".to_owned(), "portos".to_owned()],
        tenant: None,
        requirement: AccessRequirement::Role(Rank::Cashier),
    };
    TestServer::with_settings(HttpSettings {
        public_url: Some(ORIGIN.to_owned()),
        access_rules: vec![rule],
        proxies: vec!["198.51.100.0/24".parse().unwrap()],
        ..HttpSettings::default()
    })
}

fn login_body() -> Value {
    json!({ "login": "cashier", "password": TEST_PASSWORD, "device": "P01" })
}

fn with_proof(request: TestRequest, proof: impl Into<String>) -> TestRequest {
    request.insert_header(("DPoP", proof.into()))
}

fn with_token(request: TestRequest, token: &str) -> TestRequest {
    request.insert_header(("Authorization", format!("DPoP {token}")))
}

/// A client with a key, and its newest tokens.
struct Till {
    signer: ProofSigner,
    access: String,
    refresh: String,
}

impl Till {
    async fn log_in(shop: &TestServer) -> Self {
        let signer = ProofSigner::p256();
        let proof = signer.prove("POST", &format!("{ORIGIN}{LOGIN}"), &shop.auth.dpop_nonce(), None);
        let response = shop.send(with_proof(post_request(LOGIN, login_body()), proof)).await;
        assert_eq!((response.status.as_u16(), &*response.text_at("/token_type")), (201, "DPoP"), "{}", response.json());
        Self { signer, access: response.text_at("/access_token"), refresh: response.text_at("/refresh_token") }
    }

    fn prove_refresh(&self, shop: &TestServer) -> String {
        self.signer.prove("POST", &format!("{ORIGIN}{REFRESH}"), &shop.auth.dpop_nonce(), None)
    }

    fn refresh_request(&self) -> TestRequest {
        post_request(REFRESH, json!({ "refresh_token": self.refresh }))
    }

    /// A call with the access token and a proof for it.
    fn call(&self, shop: &TestServer, method: &Method, path: &str) -> TestRequest {
        let (nonce, uri) = (shop.auth.dpop_nonce(), format!("{ORIGIN}{path}"));
        let proof = self.signer.prove(method.as_str(), &uri, &nonce, Some(&self.access));
        with_proof(with_token(build_request(method.clone(), path), &self.access), proof)
    }

    /// Refreshes as a client does, which must succeed.
    async fn refresh(&self, shop: &TestServer) -> TestResponse {
        let response = shop.send(with_proof(self.refresh_request(), self.prove_refresh(shop))).await;
        assert_eq!((response.status.as_u16(), &*response.text_at("/token_type")), (200, "DPoP"), "{}", response.json());
        assert_eq!(response.header("dpop-nonce"), shop.auth.dpop_nonce());
        response
    }
}

#[actix_web::test]
async fn bound_session_works_with_proofs() {
    let shop = start_server();
    let till = Till::log_in(&shop).await;
    for (method, path) in [(Method::GET, CURRENT), (Method::HEAD, CURRENT), (Method::GET, "/api/v1/sessions")] {
        let response = shop.send(till.call(&shop, &method, path)).await;
        assert_eq!(response.status, 200, "{method} {path}");
        assert_eq!(response.header("dpop-nonce"), shop.auth.dpop_nonce(), "{method} {path}");
    }
    till.refresh(&shop).await;
    assert_eq!(shop.send(till.call(&shop, &Method::DELETE, CURRENT)).await.status, 204);
    let over = shop.send(with_proof(till.refresh_request(), till.prove_refresh(&shop))).await;
    assert_eq!((over.status.as_u16(), &*over.text_at("/code")), (401, "session_over"));
}

#[actix_web::test]
async fn unbound_client_sees_no_change() {
    let shop = start_server();
    let login = shop.post(LOGIN, login_body()).await;
    let refresh = shop.post(REFRESH, json!({ "refresh_token": login.text_at("/refresh_token") })).await;
    for (response, status) in [(&login, 201), (&refresh, 200)] {
        assert_eq!((response.status.as_u16(), &*response.text_at("/token_type")), (status, "Bearer"));
    }
    let current = shop.get(CURRENT, &login.text_at("/access_token")).await;
    let nobody = shop.send(build_request(Method::GET, CURRENT)).await;
    assert_eq!((current.status.as_u16(), nobody.status.as_u16()), (200, 401));
    assert_eq!(nobody.challenges(), ["Bearer realm=\"tillgate\""]);
    for response in [login, refresh, current, nobody] {
        assert!(!response.headers.contains_key("dpop-nonce"));
    }
}

#[actix_web::test]
async fn challenge_supplies_the_nonce() {
    let shop = start_server();
    let signer = ProofSigner::ed25519(7);
    let uri = format!("{ORIGIN}{LOGIN}");
    let send = |nonce: String| {
        let proof = signer.prove("POST", &uri, &nonce, None);
        shop.send(with_proof(post_request(LOGIN, login_body()), proof))
    };
    let challenge = send("mine".to_owned()).await;
    assert_eq!((challenge.status.as_u16(), &*challenge.text_at("/code")), (400, "use_dpop_nonce"));
    let login = send(challenge.header("dpop-nonce").to_owned()).await;
    assert_eq!(login.status, 201, "{}", login.json());
    let access = login.text_at("/access_token");
    let call = |nonce: String| {
        let proof = signer.prove("GET", &format!("{ORIGIN}{CURRENT}"), &nonce, Some(&access));
        shop.send(with_proof(with_token(build_request(Method::GET, CURRENT), &access), proof))
    };
    let challenge = call("mine".to_owned()).await;
    assert_eq!((challenge.status.as_u16(), &*challenge.text_at("/code")), (401, "use_dpop_nonce"));
    let [scheme] = challenge.challenges()[..] else { panic!("{:?}", challenge.challenges()) };
    assert!(scheme.starts_with("DPoP ") && scheme.contains("error=\"use_dpop_nonce\""), "{scheme}");
    assert!(scheme.ends_with("algs=\"ES256 EdDSA\""), "{scheme}");
    assert_eq!(call(challenge.header("dpop-nonce").to_owned()).await.status, 200);
}

#[actix_web::test]
async fn clock_of_the_client_does_not_matter() {
    let shop = start_server();
    let till = Till::log_in(&shop).await;
    let (now, ten_years) = (shop.auth.time().at.seconds(), 315_360_000);
    for iat in [json!(now - ten_years), json!(now + ten_years), json!(0), json!(1.5), json!(-1)] {
        let mut claims = ProofSigner::claims("POST", &format!("{ORIGIN}{REFRESH}"), &shop.auth.dpop_nonce(), None);
        claims["iat"] = iat.clone();
        let proof = till.signer.sign(&till.signer.header(), &claims);
        assert_eq!(shop.send(with_proof(till.refresh_request(), proof)).await.status, 200, "{iat}");
    }
}

#[actix_web::test]
async fn failed_check_of_a_refresh_is_named_and_the_session_continues() {
    let shop = start_server();
    let till = Till::log_in(&shop).await;
    let (nonce, uri) = (shop.auth.dpop_nonce(), format!("{ORIGIN}{REFRESH}"));
    let with = |member: &str, value: Value| {
        let (mut header, mut claims) = (till.signer.header(), ProofSigner::claims("POST", &uri, &nonce, None));
        let part = if header.get(member).is_some() { &mut header } else { &mut claims };
        part[member] = value;
        till.signer.sign(&header, &claims)
    };
    let mut private = till.signer.jwk().clone();
    private["d"] = json!("AAAA");
    let used = till.prove_refresh(&shop);
    assert_eq!(shop.send(with_proof(till.refresh_request(), used.clone())).await.status, 200);
    for (proof, check) in [
        (with("alg", json!("none")), "alg"),
        (with("alg", json!("HS256")), "alg"),
        (with("alg", json!("RS256")), "alg"),
        (with("typ", json!("JWT")), "typ"),
        (with("jwk", private), "jwk"),
        (with("jwk", json!("x")), "jwk"),
        (with("jti", json!("x".repeat(8 << 10))), "format"),
        (with("jti", json!("")), "jti"),
        (with("htm", json!("GET")), "htm"),
        (ProofSigner::p256().prove("POST", &uri, &nonce, None), "key"),
        (used, "jti"),
        (String::new(), "format"),
    ] {
        let response = shop.send(with_proof(till.refresh_request(), proof)).await;
        assert_eq!((response.status.as_u16(), &*response.text_at("/code")), (400, "proof_invalid"), "{check}");
        assert_eq!(response.text_at("/check"), check);
        assert_eq!(response.header("dpop-nonce"), nonce, "{check}");
    }
    let twice = till.refresh_request().append_header(("DPoP", till.prove_refresh(&shop)));
    let twice = shop.send(twice.append_header(("DPoP", till.prove_refresh(&shop)))).await;
    assert_eq!((twice.status.as_u16(), &*twice.text_at("/check")), (400, "format"));
    let nothing = shop.send(till.refresh_request()).await;
    assert_eq!((nothing.status.as_u16(), &*nothing.text_at("/code")), (400, "proof_missing"));
    assert_eq!(nothing.header("dpop-nonce"), nonce);
    assert_eq!(till.refresh(&shop).await.text_at("/session/id").len(), 36);
}

#[actix_web::test]
async fn wrong_uri_is_answered_with_the_right_one() {
    let shop = start_server();
    let till = Till::log_in(&shop).await;
    let wrong =
        till.signer.prove("POST", "http://10.0.0.7:8080/api/v1/sessions/refresh", &shop.auth.dpop_nonce(), None);
    let response = shop.send(with_proof(till.refresh_request(), wrong)).await;
    let said = ["/code", "/check", "/expected", "/received"].map(|member| response.text_at(member));
    let expected = format!("{ORIGIN}{REFRESH}");
    assert_eq!(said, ["proof_invalid", "htu", &*expected, "http://10.0.0.7:8080/api/v1/sessions/refresh"]);
}

#[actix_web::test]
async fn without_public_url_the_proxy_names_the_address() {
    let settings = HttpSettings { proxies: vec!["198.51.100.0/24".parse().unwrap()], ..HttpSettings::default() };
    let shop = TestServer::with_settings(settings);
    let signer = ProofSigner::ed25519(1);
    let log_in = |uri: &str, headers: &[(&'static str, &'static str)]| {
        let proof = signer.prove("POST", uri, &shop.auth.dpop_nonce(), None);
        let request = with_proof(post_request(LOGIN, login_body()), proof);
        let request = headers.iter().fold(request, |request, header| request.insert_header(*header));
        shop.send_from("198.51.100.1", request)
    };
    let behind = [("Host", "10.0.0.7:8080"), ("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-Host", "pos.example")];
    let with_scheme = [behind.as_slice(), [("X-Forwarded-Proto", "https")].as_slice()].concat();
    assert_eq!(log_in("https://pos.example/api/v1/sessions", &with_scheme).await.status, 201);
    let response = log_in("https://pos.example/api/v1/sessions", &behind).await;
    assert_eq!((response.status.as_u16(), &*response.text_at("/check")), (400, "htu"));
    assert_eq!(response.text_at("/expected"), "http://pos.example/api/v1/sessions");
    let direct = [("Host", "till.local:8080")];
    assert_eq!(log_in("http://till.local:8080/api/v1/sessions", &direct).await.status, 201);
}

#[actix_web::test]
async fn host_cannot_hide_the_path_of_a_request_from_its_proof() {
    let shop = TestServer::start();
    let signer = ProofSigner::ed25519(1);
    let log_in = |uri: &str, host: &str| {
        let proof = signer.prove("POST", uri, &shop.auth.dpop_nonce(), None);
        shop.send(with_proof(post_request(LOGIN, login_body()), proof).insert_header(("Host", host)))
    };
    for (uri, host) in [
        ("http://pos.example/api/v1/sessions/current", "pos.example/api/v1/sessions/current?"),
        ("http://pos.example/api/v1/sessions/current", "pos.example/api/v1/sessions/current#"),
        ("http://pos.example/x/api/v1/sessions", "pos.example/x"),
        ("http://pos.example/", "pos.example?"),
        ("http://pos.example/", "pos.example#"),
        ("http://pos.example/api/v1/sessions", "@pos.example"),
        ("http://pos.example/api/v1/sessions", "till@pos.example"),
        ("http://pos.example/api/v1/sessions", "pos.example\\"),
        ("http://api/v1/sessions", ""),
    ] {
        let response = log_in(uri, host).await;
        assert_eq!((response.status.as_u16(), &*response.text_at("/check")), (400, "htu"), "{host:?}");
        assert_eq!(response.text_at("/expected"), LOGIN, "{host:?}");
    }
    for host in ["pos.example", "pos.example:8080", "[::1]:8080", "192.0.2.1"] {
        assert_eq!(log_in(&format!("http://{host}{LOGIN}"), host).await.status, 201, "{host}");
    }
}

#[actix_web::test]
async fn bound_access_token_is_no_bearer_token() {
    let shop = start_server();
    let till = Till::log_in(&shop).await;
    for (method, path) in [
        (Method::GET, CURRENT),
        (Method::DELETE, CURRENT),
        (Method::GET, "/api/v1/users"),
        (Method::GET, "/api/v1/events"),
        (Method::POST, "/api/v1/sessions/end"),
    ] {
        let response = shop.with_token(method.clone(), path, &till.access).await;
        assert_eq!((response.status.as_u16(), &*response.text_at("/code")), (401, "proof_missing"), "{method} {path}");
        let [challenge] = response.challenges()[..] else { panic!("{method} {path}") };
        assert!(challenge.starts_with("DPoP ") && challenge.contains("error=\"invalid_token\""), "{challenge}");
        assert_eq!(response.header("dpop-nonce"), shop.auth.dpop_nonce(), "{method} {path}");
        let bare = shop.send(with_token(build_request(method, path), &till.access)).await;
        assert_eq!((bare.status.as_u16(), &*bare.text_at("/code")), (401, "proof_missing"), "{path}");
    }
    for path in [
        "/portos/api/auth",
        "/kasir/api/v1/users",
        "/posstar/api/v1/auth/me",
        "/fiuu/api/terminals",
        "/krmpesan/devices",
    ] {
        assert_eq!(shop.get(path, &till.access).await.status, 401, "{path}");
    }
    assert_eq!(shop.send(till.call(&shop, &Method::GET, CURRENT)).await.status, 200, "the session lives");
}

#[actix_web::test]
async fn proof_of_a_call_is_accepted_once() {
    let shop = start_server();
    let till = Till::log_in(&shop).await;
    let uri = format!("{ORIGIN}{CURRENT}");
    for method in [Method::GET, Method::DELETE] {
        let proof = till.signer.prove(method.as_str(), &uri, &shop.auth.dpop_nonce(), Some(&till.access));
        let send = || shop.send(with_proof(with_token(build_request(method.clone(), CURRENT), &till.access), &*proof));
        assert!(send().await.status.is_success(), "{method}");
        let again = send().await;
        assert_eq!(again.status, 401, "{method}");
        if method == Method::GET {
            assert_eq!([again.text_at("/code"), again.text_at("/check")], ["proof_invalid", "jti"]);
        }
    }
}

#[actix_web::test]
async fn gateway_checks_proof_against_the_original_request() {
    let shop = start_server();
    let till = Till::log_in(&shop).await;
    let check = |method: &str, target: &str| {
        build_request(Method::GET, "/api/v1/access")
            .insert_header(("X-Original-Method", method))
            .insert_header(("X-Original-URI", target))
    };
    let prove = |method: &str, uri: &str| till.signer.prove(method, uri, &shop.auth.dpop_nonce(), Some(&till.access));
    for method in ["GET", "POST"] {
        let request = with_token(check(method, "/goods/7?x=1"), &till.access);
        let response = shop.send(with_proof(request, prove(method, "https://pos.example/goods/7"))).await;
        assert_eq!((response.status.as_u16(), response.header("x-tillgate-user")), (204, "cashier"));
        assert_eq!(response.header("dpop-nonce"), shop.auth.dpop_nonce());
    }
    for (request, code) in [
        (with_bearer(check("GET", "/goods/7"), &till.access), "proof_missing"),
        (with_token(check("GET", "/goods/7"), &till.access), "proof_missing"),
        (
            with_proof(
                with_token(check("GET", "/goods/7"), &till.access),
                prove("GET", "https://pos.example/api/v1/access"),
            ),
            "proof_invalid",
        ),
        (
            with_proof(with_token(check("PUT", "/goods/7"), &till.access), prove("GET", "https://pos.example/goods/7")),
            "proof_invalid",
        ),
    ] {
        let response = shop.send(request).await;
        assert_eq!((response.status.as_u16(), response.header("x-tillgate-code")), (401, code));
        assert!(response.challenges()[0].starts_with("DPoP "), "{:?}", response.challenges());
        assert_eq!(response.header("dpop-nonce"), shop.auth.dpop_nonce());
    }
    // a gateway with an address of its own
    let request = with_token(check("GET", "/goods/7"), &till.access)
        .insert_header(("X-Forwarded-For", "192.0.2.7"))
        .insert_header(("X-Forwarded-Proto", "https"))
        .insert_header(("X-Forwarded-Host", "goods.example"));
    let request = with_proof(request, prove("GET", "https://goods.example/goods/7"));
    assert_eq!(shop.send_from("198.51.100.1", request).await.status, 204);
}

#[actix_web::test]
async fn gateway_accepts_a_proof_once_unless_the_request_was_denied() {
    let rule = |path: &str, least| AccessRule {
        methods: Vec::new(),
        path: path.parse().unwrap(),
        mounts: vec!["native".to_owned()],
        tenant: None,
        requirement: AccessRequirement::Role(least),
    };
    let shop = TestServer::with_settings(HttpSettings {
        public_url: Some(ORIGIN.to_owned()),
        access_rules: vec![rule("/goods/*", Rank::Cashier), rule("/prices/*", Rank::Admin)],
        ..HttpSettings::default()
    });
    let till = Till::log_in(&shop).await;
    for method in ["GET", "POST"] {
        for (path, outcomes) in [
            ("/goods/7", [(204, ""), (401, "proof_invalid")]),
            // nginx asks again, for the body of the response
            ("/prices/7", [(403, "rank_missing"), (403, "rank_missing")]),
        ] {
            let proof =
                till.signer.prove(method, &format!("{ORIGIN}{path}"), &shop.auth.dpop_nonce(), Some(&till.access));
            for outcome in outcomes {
                let request = build_request(Method::GET, "/api/v1/access")
                    .insert_header(("X-Original-Method", method))
                    .insert_header(("X-Original-URI", path));
                let response = shop.send(with_proof(with_token(request, &till.access), &*proof)).await;
                let found = (response.status.as_u16(), response.header("x-tillgate-code"));
                assert_eq!(found, outcome, "{method} {path}");
            }
        }
    }
}

#[actix_web::test]
async fn introspection_and_metadata_name_proofs() {
    let shop = start_server();
    let till = Till::log_in(&shop).await;
    let client = create_client_key(&shop);
    let access = introspect(&shop, &client, &till.access).await;
    let refresh = introspect(&shop, &client, &till.refresh).await;
    assert_eq!((&access["token_type"], &refresh["token_type"]), (&json!("DPoP"), &json!("N_A")));
    assert_eq!(access["cnf"]["jkt"].as_str().map(str::len), Some(43));
    assert_eq!(access["cnf"], refresh["cnf"]);
    let unbound = introspect(&shop, &client, &shop.log_in_native("manager").await.text_at("/access_token")).await;
    assert_eq!((&unbound["token_type"], &unbound["cnf"]), (&json!("Bearer"), &Value::Null));
    let metadata = shop.send(build_request(Method::GET, "/.well-known/oauth-authorization-server")).await;
    assert_eq!(metadata.json()["dpop_signing_alg_values_supported"], json!(["ES256", "EdDSA"]));
}
