//! Every mount by every refusal: the right status, in the mount's own shape.

mod words;

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::Bytes;
use serde_json::json;
use tillgate_auth_core::{Evidence, Terms};
use tillgate_domain::Slug;
use tillgate_http::{Call, Dialect, Failure, Head, Kasir, Mount, Native, Portos, Route, Settings, Web};

use crate::mounts::{native, portos};
use crate::shop::{Answer, Mood, PASSWORD, Shop, call, post};

/// A mount with a login path, a refresh path and a path that asks for a caller.
struct Place {
    login: &'static str,
    refresh: &'static str,
    own: &'static str,
    unknown: &'static str,
    members: &'static [&'static str],
    /// A login with a wrong password, another one for each number.
    wrong: fn(u8) -> serde_json::Value,
    held: u16,
    fields: u16,
    /// What a refresh without a token in its body is answered.
    bare_refresh: u16,
    /// What the path that asks for a caller is there for.
    methods: &'static [&'static str],
    content_type: &'static str,
}

const PROBLEM: &str = "application/problem+json";

const PLACES: [Place; 3] = [
    Place {
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
    Place {
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
    Place {
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

/// The answer is a problem of this status in the mount's shape.
fn is_problem(place: &Place, answer: &Answer, status: u16, what: &str) {
    assert_eq!(answer.status, status, "{what} at {}: {:?}", place.login, String::from_utf8_lossy(&answer.bytes));
    assert_eq!(answer.header("content-type"), place.content_type, "{what}");
    let json = answer.json();
    for member in place.members {
        assert!(json.get(member).is_some(), "{what} without {member}: {json}");
    }
    assert!(place.content_type != PROBLEM || json["status"] == status, "{what}");
    for foreign in ["trace_id", "traceId", "message"].iter().filter(|member| !place.members.contains(member)) {
        assert!(json.get(foreign).is_none(), "{what} in foreign words: {json}");
    }
    assert_eq!(answer.challenges().is_empty(), status != 401, "{what}");
    assert_eq!(answer.header("retry-after").is_empty(), ![423, 429, 503].contains(&status), "{what}");
}

#[actix_web::test]
async fn what_does_not_keep_to_the_contract() {
    let shop = Shop::open();
    for place in &PLACES {
        for (path, bare) in [(place.login, place.fields), (place.refresh, place.bare_refresh)] {
            let raw = |kind: &'static str, body: &'static [u8]| {
                call(Method::POST, path).insert_header(("Content-Type", kind)).set_payload(body)
            };
            for (body, what) in [
                (&b"{\"login\":"[..], "cut short"),
                (b"{login}", "no JSON"),
                (b"{\"x\":\"\xff\"}", "no UTF-8"),
                (b"{} {}", "two bodies"),
            ] {
                is_problem(place, &shop.send(raw("application/json", body)).await, 400, what);
            }
            let empty = if bare == 401 { bare } else { 400 };
            is_problem(place, &shop.send(raw("application/json", b"")).await, empty, "empty");
            is_problem(place, &shop.send(raw("application/json", b"[]")).await, place.fields, "a list");
            is_problem(place, &shop.send(raw("application/json", b"{}")).await, bare, "nothing in it");
            is_problem(place, &shop.send(raw("text/plain", b"{}")).await, 415, "text");
            is_problem(place, &shop.send(raw("application/x-www-form-urlencoded", b"a=b")).await, 415, "a form");
            is_problem(place, &shop.send(call(Method::POST, path).set_payload("{}")).await, 415, "no type");
            let packed = raw("application/json", b"{}").insert_header(("Content-Encoding", "gzip"));
            is_problem(place, &shop.send(packed).await, 415, "packed");
            let large = raw("application/json", b"{}").set_payload(vec![b' '; 64 * 1024 + 1]);
            is_problem(place, &shop.send(large).await, 413, "too large");
            let claimed = raw("application/json", b"{}").insert_header(("Content-Length", "99999999"));
            is_problem(place, &shop.send(claimed).await, 413, "claims to be too large");
            let deep =
                raw("application/json", b"").set_payload(format!("{{\"x\":{}{}}}", "[".repeat(9000), "]".repeat(9000)));
            is_problem(place, &shop.send(deep).await, 400, "too deep, in a member that nobody reads");
            let put = shop.send(call(Method::PUT, path).set_json(json!({}))).await;
            is_problem(place, &put, 405, "PUT");
            assert!(put.header("allow").contains("POST"), "{}", put.header("allow"));
        }
        let allow = shop.send(call(Method::PATCH, place.own)).await;
        is_problem(place, &allow, 405, "PATCH");
        for method in place.methods.iter().chain(&["HEAD"]) {
            assert!(allow.header("allow").split(", ").any(|each| each == *method), "{}", allow.header("allow"));
        }
        for token in ["", "garbage"] {
            is_problem(place, &shop.get(place.unknown, token).await, 404, "unknown route");
        }
    }
    let nowhere = shop.send(call(Method::GET, "/")).await;
    is_problem(&PLACES[0], &nowhere, 404, "nowhere");
    let health = shop.send(call(Method::POST, "/healthz")).await;
    is_problem(&PLACES[0], &health, 405, "health");
    assert_eq!(health.header("allow"), "GET, HEAD");
}

#[actix_web::test]
async fn what_is_no_token_of_this_mount() {
    let shop = Shop::open();
    let native = shop.native("cashier").await;
    let portos = shop.portos("cashier", "OFFICE").await;
    let kasir = shop.kasir("cashier").await;
    let of = [native.text("/access_token"), portos.text("/tokenId"), kasir.text("/data/Token")];
    let refreshes = [native.text("/refresh_token"), portos.text("/refreshToken"), kasir.text("/data/refresh_token")];
    for (at, place) in PLACES.iter().enumerate() {
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
                is_problem(place, &shop.with_token(method.parse().unwrap(), place.own, token).await, 401, what);
            }
        }
        let none = shop.send(call(Method::GET, place.own)).await;
        is_problem(place, &none, 401, "no token");
        let basic = shop.send(call(Method::GET, place.own).insert_header(("Authorization", "Basic YTpi"))).await;
        is_problem(place, &basic, 401, "another scheme");
        let twice = call(Method::GET, place.own)
            .append_header(("Authorization", format!("Bearer {own}")))
            .append_header(("Authorization", "Bearer other"));
        is_problem(place, &shop.send(twice).await, 401, "two tokens");
        let bytes = call(Method::GET, place.own).insert_header(("Authorization", &b"Bearer \xff\xfe"[..]));
        is_problem(place, &shop.send(bytes).await, 401, "bytes");
        let bare = shop.send(call(Method::GET, place.own).insert_header(("Authorization", "Bearer"))).await;
        is_problem(place, &bare, 401, "a bare scheme");
        assert_eq!(shop.get(place.own, own).await.status, 200, "none of it ended the session");
        let lower = call(Method::GET, place.own).insert_header(("Authorization", format!("bearer  {own}")));
        assert_eq!(shop.send(lower).await.status, 200, "a scheme has no case");
    }
    let swapped = shop.post("/api/v1/sessions/refresh", json!({ "refresh_token": portos.text("/refreshToken") })).await;
    is_problem(&PLACES[0], &swapped, 401, "a foreign refresh token");
    let native = json!({ "refresh_token": native.text("/refresh_token") });
    is_problem(&PLACES[2], &shop.post(PLACES[2].refresh, native).await, 401, "a foreign refresh token");
}

/// The same contract for another tenant: neither its access tokens nor its refresh tokens are taken, and the session lives on.
#[actix_web::test]
async fn what_is_no_token_of_this_tenant() {
    let tenant = |slug| Slug::parse(slug).unwrap();
    let mounts =
        vec![native("/one").tenant(tenant("default")), native("/two").tenant(tenant("other")), portos("/portos")];
    let shop = Shop::mounted(Settings::default(), mounts);
    let login = shop.post("/one/sessions", json!({ "login": "cashier", "password": PASSWORD })).await;
    assert_eq!(login.status, 201);
    let (token, refresh) = (login.text("/access_token"), json!({ "refresh_token": login.text("/refresh_token") }));
    let foreign = shop.get("/two/sessions/current", &token).await;
    assert_eq!((foreign.status.as_u16(), foreign.text("/code").as_str()), (401, "token_foreign"));
    assert_eq!(shop.post("/two/sessions/refresh", refresh.clone()).await.status, 401);
    let crossed = json!({ "login": "cashier", "password": PASSWORD, "tenant": "default" });
    assert_eq!(shop.post("/two/sessions", crossed).await.status, 401, "a tenant in the body must be the mount's");
    assert_eq!(shop.get("/one/sessions/current", &token).await.status, 200);
    assert_eq!(shop.post("/one/sessions/refresh", refresh).await.status, 200);
}

#[actix_web::test]
async fn a_mount_of_a_tenant_that_is_not_there_judges_nobody() {
    let shop = Shop::mounted(
        Settings::default(),
        vec![native("/api/v1"), portos("/portos").tenant(Slug::parse("nowhere").unwrap())],
    );
    let answer = shop.get("/portos/api/auth", "garbage").await;
    assert_eq!(answer.status, 503);
}

#[actix_web::test]
async fn a_login_is_held_back_after_wrong_passwords() {
    for place in &PLACES {
        let shop = Shop::open();
        let mut last = shop.post(place.login, (place.wrong)(0)).await;
        for number in 1..=10 {
            last = shop.post(place.login, (place.wrong)(number)).await;
        }
        is_problem(place, &last, place.held, "held back");
    }
}

/// A contract with calls that fail as no contract may.
struct Rigged<D>(D);

impl<D: Dialect> Dialect for Rigged<D> {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn terms(&self) -> &Terms {
        self.0.terms()
    }
    fn admit(&self, head: &Head) -> Result<(), Failure> {
        self.0.admit(head)
    }
    fn evidence<'r>(&self, head: &'r Head, body: &'r Bytes) -> Result<Evidence<'r>, Failure> {
        self.0.evidence(head, body)
    }
    fn routes(&self) -> Vec<Route> {
        let mut routes = self.0.routes();
        routes.extend([
            Route::open(Method::GET, "/rig/panic", |_| async { panic!("a handler panics") }),
            Route::open(
                Method::GET,
                "/rig/panic/early",
                |_: Call| -> std::future::Ready<Result<HttpResponse, Failure>> { panic!("before it is polled") },
            ),
            Route::open(Method::GET, "/rig/panic/blocking", |call: Call| async move {
                call.block(|_| panic!("a blocking call panics")).await.map(|()| HttpResponse::Ok().finish())
            }),
            Route::open(Method::GET, "/rig/fault", |_| async { Err(Failure::Fault("the secret of the fault".into())) }),
            Route::open(Method::GET, "/rig/slow", |_| async {
                actix_web::rt::time::sleep(Duration::from_mins(1)).await;
                Ok(HttpResponse::Ok().finish())
            }),
        ]);
        routes
    }
    fn word(&self, failure: &Failure, head: &Head) -> HttpResponse {
        self.0.word(failure, head)
    }
}

fn rigged() -> Vec<Mount> {
    vec![
        Mount::at("/api/v1", Arc::new(Rigged(Native::new(Native::terms())))).unwrap(),
        Mount::at("/portos", Arc::new(Rigged(Portos::new(Portos::terms())))).unwrap(),
        Mount::at("/kasir", Arc::new(Rigged(Kasir::new(Kasir::terms(), Web::default(), Kasir::PER_MINUTE)))).unwrap(),
    ]
}

#[actix_web::test]
async fn what_nobody_foresaw_is_500_and_what_takes_too_long_503() {
    let shop = Shop::mounted(Settings { deadline: Duration::from_millis(50), ..Settings::default() }, rigged());
    for (place, prefix) in PLACES.iter().zip(["/api/v1", "/portos", "/kasir"]) {
        for (path, status) in [
            ("/rig/panic", 500),
            ("/rig/panic/early", 500),
            ("/rig/panic/blocking", 500),
            ("/rig/fault", 500),
            ("/rig/slow", 503),
        ] {
            let answer = shop.get(&format!("{prefix}{path}"), "").await;
            is_problem(place, &answer, status, path);
            let text = String::from_utf8_lossy(&answer.bytes).into_owned();
            assert!(!text.contains("panics") && !text.contains("secret"), "{text}");
        }
    }
}

#[actix_web::test]
async fn a_store_that_hangs_is_503_at_the_deadline() {
    let shop = Shop::with(Settings { deadline: Duration::from_millis(50), ..Settings::default() });
    shop.store.set(Mood::Hangs);
    for place in &PLACES {
        is_problem(place, &shop.post(place.login, (place.wrong)(0)).await, 503, "a store that hangs");
    }
    shop.store.set(Mood::Well);
    assert_eq!(shop.send(post(PLACES[0].login, json!({ "login": "admin", "password": PASSWORD }))).await.status, 201);
}
