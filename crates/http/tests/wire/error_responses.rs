//! Every error in every mount: the correct status in the mount's format.

mod rendering;

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::Bytes;
use serde_json::json;
use tillgate_auth_core::{RequestCredentials, Terms};
use tillgate_domain::Slug;
use tillgate_http::{
    ApiError, BrowserSettings, Dialect, HttpSettings, Kasir, Mount, Native, Portos, Request, RequestHead, Route,
};

use crate::mounts::{native, portos};
use crate::test_server::{StoreState, TEST_PASSWORD, TestResponse, TestServer, build_request, post_request};

/// A mount with the paths of its login, its refresh and an authenticated operation.
struct ContractCase {
    login: &'static str,
    refresh: &'static str,
    own: &'static str,
    unknown: &'static str,
    members: &'static [&'static str],
    /// A login with a wrong password, different for each number.
    wrong: fn(u8) -> serde_json::Value,
    held: u16,
    fields: u16,
    /// Expected response to a refresh without a token in its body.
    bare_refresh: u16,
    /// Methods of the authenticated path.
    methods: &'static [&'static str],
    content_type: &'static str,
}

const PROBLEM: &str = "application/problem+json";

const CONTRACT_CASES: [ContractCase; 3] = [
    ContractCase {
        login: "/api/v1/sessions",
        refresh: "/api/v1/sessions/refresh",
        own: "/api/v1/sessions/current",
        unknown: "/api/v1/nothing",
        members: &["type", "title", "status", "detail", "instance", "code", "trace_id"],
        wrong: |number| json!({ "login": "cashier", "password": format!("wrong {number}"), "device": "P01" }),
        held: 429,
        fields: 422,
        bare_refresh: 422,
        methods: &["DELETE", "GET"],
        content_type: PROBLEM,
    },
    ContractCase {
        login: "/portos/api/auth",
        refresh: "/portos/api/auth/refresh",
        own: "/portos/api/v1/auth",
        unknown: "/portos/api/nothing",
        members: &["title", "status", "instance", "traceId"],
        wrong: |number| json!({ "UserName": "cashier", "Password": format!("wrong {number}"), "DeviceName": "P01" }),
        held: 423,
        fields: 400,
        bare_refresh: 400,
        methods: &["DELETE", "GET"],
        content_type: PROBLEM,
    },
    ContractCase {
        login: "/kasir/api/v1/auth/login",
        refresh: "/kasir/api/v1/auth/refresh",
        own: "/kasir/api/v1/auth/me",
        unknown: "/kasir/api/v1/nothing",
        members: &["message", "error", "data"],
        wrong: |number| json!({ "email": "cashier", "password": format!("wrong {number}") }),
        held: 429,
        fields: 400,
        bare_refresh: 401,
        methods: &["GET"],
        content_type: "application/json",
    },
];

/// Asserts that the response is a problem with this status in the mount's format.
fn assert_problem(place: &ContractCase, response: &TestResponse, status: u16, what: &str) {
    assert_eq!(response.status, status, "{what} at {}: {:?}", place.login, String::from_utf8_lossy(&response.bytes));
    assert_eq!(response.header("content-type"), place.content_type, "{what}");
    let json = response.json();
    for member in place.members {
        assert!(json.get(member).is_some(), "{what} without {member}: {json}");
    }
    assert!(place.content_type != PROBLEM || json["status"] == status, "{what}");
    for foreign in ["trace_id", "traceId", "message"].iter().filter(|member| !place.members.contains(member)) {
        assert!(json.get(foreign).is_none(), "{what} in another format: {json}");
    }
    assert_eq!(response.challenges().is_empty(), status != 401, "{what}");
    assert_eq!(response.header("retry-after").is_empty(), ![423, 429, 503].contains(&status), "{what}");
}

#[actix_web::test]
async fn malformed_request_is_rejected() {
    let shop = TestServer::start();
    for place in &CONTRACT_CASES {
        for (path, bare) in [(place.login, place.fields), (place.refresh, place.bare_refresh)] {
            let raw = |kind: &'static str, body: &'static [u8]| {
                build_request(Method::POST, path).insert_header(("Content-Type", kind)).set_payload(body)
            };
            for (body, what) in [
                (&b"{\"login\":"[..], "cut short"),
                (b"{login}", "no JSON"),
                (b"{\"x\":\"\xff\"}", "not UTF-8"),
                (b"{} {}", "two bodies"),
            ] {
                assert_problem(place, &shop.send(raw("application/json", body)).await, 400, what);
            }
            let empty = if bare == 401 { bare } else { 400 };
            assert_problem(place, &shop.send(raw("application/json", b"")).await, empty, "empty");
            assert_problem(place, &shop.send(raw("application/json", b"[]")).await, place.fields, "a list");
            assert_problem(place, &shop.send(raw("application/json", b"{}")).await, bare, "nothing in it");
            assert_problem(place, &shop.send(raw("text/plain", b"{}")).await, 415, "text");
            assert_problem(place, &shop.send(raw("application/x-www-form-urlencoded", b"a=b")).await, 415, "a form");
            assert_problem(
                place,
                &shop.send(build_request(Method::POST, path).set_payload("{}")).await,
                415,
                "no type",
            );
            let packed = raw("application/json", b"{}").insert_header(("Content-Encoding", "gzip"));
            assert_problem(place, &shop.send(packed).await, 415, "packed");
            let large = raw("application/json", b"{}").set_payload(vec![b' '; 64 * 1024 + 1]);
            assert_problem(place, &shop.send(large).await, 413, "too large");
            let claimed = raw("application/json", b"{}").insert_header(("Content-Length", "99999999"));
            assert_problem(place, &shop.send(claimed).await, 413, "claims to be too large");
            let deep =
                raw("application/json", b"").set_payload(format!("{{\"x\":{}{}}}", "[".repeat(9000), "]".repeat(9000)));
            assert_problem(place, &shop.send(deep).await, 400, "too deep, in an ignored member");
            let put = shop.send(build_request(Method::PUT, path).set_json(json!({}))).await;
            assert_problem(place, &put, 405, "PUT");
            assert!(put.header("allow").contains("POST"), "{}", put.header("allow"));
        }
        let allow = shop.send(build_request(Method::PATCH, place.own)).await;
        assert_problem(place, &allow, 405, "PATCH");
        for method in place.methods.iter().chain(&["HEAD"]) {
            assert!(allow.header("allow").split(", ").any(|each| each == *method), "{}", allow.header("allow"));
        }
        for token in ["", "garbage"] {
            assert_problem(place, &shop.get(place.unknown, token).await, 404, "unknown route");
        }
    }
    let nowhere = shop.send(build_request(Method::GET, "/")).await;
    assert_problem(&CONTRACT_CASES[0], &nowhere, 404, "nowhere");
    let health = shop.send(build_request(Method::POST, "/healthz")).await;
    assert_problem(&CONTRACT_CASES[0], &health, 405, "health");
    assert_eq!(health.header("allow"), "GET, HEAD");
}

#[actix_web::test]
async fn token_of_another_mount_is_rejected() {
    let shop = TestServer::start();
    let native = shop.log_in_native("cashier").await;
    let portos = shop.log_in_portos("cashier", "OFFICE").await;
    let kasir = shop.log_in_kasir("cashier").await;
    let of = [native.text_at("/access_token"), portos.text_at("/tokenId"), kasir.text_at("/data/Token")];
    let refreshes =
        [native.text_at("/refresh_token"), portos.text_at("/refreshToken"), kasir.text_at("/data/refresh_token")];
    for (at, place) in CONTRACT_CASES.iter().enumerate() {
        let (own, foreign) = (&of[at], &of[(at + 1) % of.len()]);
        let (head, tail) = own.split_at(own.len() - 1);
        let forged = format!("{head}{}", if tail == "A" { "B" } else { "A" });
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", own.split('.').nth(1).unwrap());
        let short = own.split('.').next().unwrap();
        for (token, what) in [
            ("", "an empty token"),
            ("garbage", "garbage"),
            (foreign, "a foreign mount's token"),
            (&forged, "a forged token"),
            (&unsigned, "an unsigned token"),
            (short, "a part of a token"),
            (&refreshes[at], "a refresh token"),
            (&"x".repeat(20_000), "a long token"),
        ] {
            for method in place.methods {
                assert_problem(place, &shop.with_token(method.parse().unwrap(), place.own, token).await, 401, what);
            }
        }
        let none = shop.send(build_request(Method::GET, place.own)).await;
        assert_problem(place, &none, 401, "no token");
        let basic =
            shop.send(build_request(Method::GET, place.own).insert_header(("Authorization", "Basic YTpi"))).await;
        assert_problem(place, &basic, 401, "another scheme");
        let twice = build_request(Method::GET, place.own)
            .append_header(("Authorization", format!("Bearer {own}")))
            .append_header(("Authorization", "Bearer other"));
        assert_problem(place, &shop.send(twice).await, 401, "two tokens");
        let bytes = build_request(Method::GET, place.own).insert_header(("Authorization", &b"Bearer \xff\xfe"[..]));
        assert_problem(place, &shop.send(bytes).await, 401, "bytes");
        let bare = shop.send(build_request(Method::GET, place.own).insert_header(("Authorization", "Bearer"))).await;
        assert_problem(place, &bare, 401, "a bare scheme");
        assert_eq!(shop.get(place.own, own).await.status, 200, "none of it ended the session");
        let lower = build_request(Method::GET, place.own).insert_header(("Authorization", format!("bearer  {own}")));
        assert_eq!(shop.send(lower).await.status, 200, "a scheme has no case");
    }
    let swapped =
        shop.post("/api/v1/sessions/refresh", json!({ "refresh_token": portos.text_at("/refreshToken") })).await;
    assert_problem(&CONTRACT_CASES[0], &swapped, 401, "a foreign refresh token");
    let native = json!({ "refresh_token": native.text_at("/refresh_token") });
    assert_problem(
        &CONTRACT_CASES[2],
        &shop.post(CONTRACT_CASES[2].refresh, native).await,
        401,
        "a foreign refresh token",
    );
}

/// The same contract for another tenant accepts neither the access tokens nor the refresh tokens,
/// and the session stays live.
#[actix_web::test]
async fn token_of_another_tenant_is_rejected() {
    let tenant = |slug| Slug::parse(slug).unwrap();
    let mounts = vec![
        native("/one").with_tenant(tenant("default")),
        native("/two").with_tenant(tenant("other")),
        portos("/portos"),
    ];
    let shop = TestServer::with_mounts(HttpSettings::default(), mounts);
    let login = shop.post("/one/sessions", json!({ "login": "cashier", "password": TEST_PASSWORD })).await;
    assert_eq!(login.status, 201);
    let (token, refresh) =
        (login.text_at("/access_token"), json!({ "refresh_token": login.text_at("/refresh_token") }));
    let foreign = shop.get("/two/sessions/current", &token).await;
    assert_eq!((foreign.status.as_u16(), foreign.text_at("/code").as_str()), (401, "token_foreign"));
    assert_eq!(shop.post("/two/sessions/refresh", refresh.clone()).await.status, 401);
    let crossed = json!({ "login": "cashier", "password": TEST_PASSWORD, "tenant": "default" });
    assert_eq!(shop.post("/two/sessions", crossed).await.status, 401, "a tenant in the body must be the mount's");
    assert_eq!(shop.get("/one/sessions/current", &token).await.status, 200);
    assert_eq!(shop.post("/one/sessions/refresh", refresh).await.status, 200);
}

#[actix_web::test]
async fn mount_of_a_missing_tenant_is_unavailable() {
    let shop = TestServer::with_mounts(
        HttpSettings::default(),
        vec![native("/api/v1"), portos("/portos").with_tenant(Slug::parse("nowhere").unwrap())],
    );
    let response = shop.get("/portos/api/auth", "garbage").await;
    assert_eq!(response.status, 503);
}

#[actix_web::test]
async fn login_is_rate_limited_after_wrong_passwords() {
    for place in &CONTRACT_CASES {
        let shop = TestServer::start();
        let mut last = shop.post(place.login, (place.wrong)(0)).await;
        for number in 1..=10 {
            last = shop.post(place.login, (place.wrong)(number)).await;
        }
        assert_problem(place, &last, place.held, "held back");
    }
}

/// A contract whose operations fail in ways in which no operation should.
struct FaultyDialect<D>(D);

impl<D: Dialect> Dialect for FaultyDialect<D> {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn terms(&self) -> Option<&Terms> {
        self.0.terms()
    }
    fn rate_limit(&self, head: &RequestHead) -> Result<(), ApiError> {
        self.0.rate_limit(head)
    }
    fn read_credentials<'r>(&self, head: &'r RequestHead, body: &'r Bytes) -> Result<RequestCredentials<'r>, ApiError> {
        self.0.read_credentials(head, body)
    }
    fn routes(&self) -> Vec<Route> {
        let mut routes = self.0.routes();
        routes.extend([
            Route::public(Method::GET, "/rig/panic", |_| async { panic!("a handler panics") }),
            Route::public(
                Method::GET,
                "/rig/panic/early",
                |_: Request| -> std::future::Ready<Result<HttpResponse, ApiError>> { panic!("before it is polled") },
            ),
            Route::public(Method::GET, "/rig/panic/blocking", |call: Request| async move {
                call.run_blocking(|_| panic!("a blocking call panics")).await.map(|()| HttpResponse::Ok().finish())
            }),
            Route::public(Method::GET, "/rig/fault", |_| async {
                Err(ApiError::Fault("the secret of the fault".into()))
            }),
            Route::public(Method::GET, "/rig/slow", |_| async {
                actix_web::rt::time::sleep(Duration::from_mins(1)).await;
                Ok(HttpResponse::Ok().finish())
            }),
        ]);
        routes
    }
    fn render_error(&self, failure: &ApiError, head: &RequestHead) -> HttpResponse {
        self.0.render_error(failure, head)
    }
}

fn faulty_server() -> Vec<Mount> {
    vec![
        Mount::at_prefix("/api/v1", Arc::new(FaultyDialect(Native::new(Native::default_terms())))).unwrap(),
        Mount::at_prefix("/portos", Arc::new(FaultyDialect(Portos::new(Portos::default_terms())))).unwrap(),
        Mount::at_prefix(
            "/kasir",
            Arc::new(FaultyDialect(Kasir::new(
                Kasir::default_terms(),
                BrowserSettings::default(),
                Kasir::DEFAULT_REQUESTS_PER_MINUTE,
            ))),
        )
        .unwrap(),
    ]
}

#[actix_web::test]
async fn panic_is_500_and_timeout_503() {
    let shop = TestServer::with_mounts(
        HttpSettings { deadline: Duration::from_millis(50), ..HttpSettings::default() },
        faulty_server(),
    );
    for (place, prefix) in CONTRACT_CASES.iter().zip(["/api/v1", "/portos", "/kasir"]) {
        for (path, status) in [
            ("/rig/panic", 500),
            ("/rig/panic/early", 500),
            ("/rig/panic/blocking", 500),
            ("/rig/fault", 500),
            ("/rig/slow", 503),
        ] {
            let response = shop.get(&format!("{prefix}{path}"), "").await;
            assert_problem(place, &response, status, path);
            let text = String::from_utf8_lossy(&response.bytes).into_owned();
            assert!(!text.contains("panics") && !text.contains("secret"), "{text}");
        }
    }
}

#[actix_web::test]
async fn hanging_store_is_503_at_the_deadline() {
    let settings = HttpSettings { deadline: Duration::from_millis(50), ..HttpSettings::default() };
    let shop = TestServer::in_memory("a login on a database may take longer than this deadline", settings);
    shop.store.set_state(StoreState::Hanging);
    for place in &CONTRACT_CASES {
        assert_problem(place, &shop.post(place.login, (place.wrong)(0)).await, 503, "a store that hangs");
    }
    shop.store.set_state(StoreState::Healthy);
    assert_eq!(
        shop.send(post_request(CONTRACT_CASES[0].login, json!({ "login": "admin", "password": TEST_PASSWORD })))
            .await
            .status,
        201
    );
}
