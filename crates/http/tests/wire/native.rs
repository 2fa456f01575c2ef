//! The native API's sessions, request by request.

use std::time::Duration;

use serde_json::{Value, json};

use crate::shop::{PASSWORD, Shop, call, post};
use actix_web::http::Method;

const DRAWN: &[&str] = &["/access_token", "/refresh_token", "/session/id", "/session/user/id"];

#[actix_web::test]
async fn a_login_on_a_device_answers_tokens_and_the_session() {
    let shop = Shop::open();
    let answer = shop
        .post("/api/v1/sessions", json!({ "login": "cashier", "password": PASSWORD, "device": "P01", "extra": [1] }))
        .await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("location"), format!("/api/v1/sessions/{}", answer.text("/session/id")));
    let device = answer.text("/session/device/id");
    assert_eq!(
        answer.masked(DRAWN),
        json!({
            "access_token": "…",
            "token_type": "Bearer",
            "expires_in": 900,
            "expires_at": "2026-11-21T12:15:00.000Z",
            "refresh_token": "…",
            "refresh_expires_at": "2026-12-21T12:00:00.000Z",
            "session": {
                "id": "…",
                "user": { "id": "…", "user_name": "cashier" },
                "device": { "id": device, "name": "P01" },
                "mount": "native",
                "created_at": "2026-11-21T12:00:00.000Z",
                "last_used_at": null,
                "expires_at": "2026-12-21T12:00:00.000Z",
                "ended_at": null,
                "ended_why": null,
            },
        })
    );
}

#[actix_web::test]
async fn a_login_takes_an_e_mail_a_tenant_or_a_device_as_itself() {
    let shop = Shop::open();
    let by_mail = shop.native("Admin@Example.com").await;
    assert_eq!(by_mail.text("/session/user/user_name"), "admin");
    assert_eq!(by_mail.json()["session"]["device"], json!(null));

    let named =
        shop.post("/api/v1/sessions", json!({ "login": "stranger", "password": PASSWORD, "tenant": "other" })).await;
    assert_eq!(named.status, 201);
    let unnamed = shop.post("/api/v1/sessions", json!({ "login": "stranger", "password": PASSWORD })).await;
    assert_eq!(unnamed.status, 401);

    let device = shop.post("/api/v1/sessions", json!({ "device": "P01", "password": PASSWORD, "login": null })).await;
    assert_eq!(device.status, 201);
    assert_eq!(device.json()["session"]["user"], json!(null));
    let current = shop.get("/api/v1/sessions/current", &device.text("/access_token")).await;
    assert_eq!(current.json()["user"], json!(null));
    assert_eq!(current.json()["device"]["name"], "P01");
}

#[actix_web::test]
async fn an_empty_login_is_no_login_of_a_device() {
    let shop = Shop::open();
    let answer = shop.post("/api/v1/sessions", json!({ "login": "", "password": PASSWORD, "device": "P01" })).await;
    assert_eq!((answer.status.as_u16(), answer.text("/code").as_str()), (401, "login_mismatch"));
}

#[actix_web::test]
async fn whatever_stands_against_a_login_reads_as_a_wrong_password() {
    let wrong = |login: &str, device: Option<&str>, password: &str| json!({ "login": login, "password": password, "device": device });
    for body in [
        wrong("cashier", Some("P01"), "wrong"),
        wrong("cashier", Some("P01"), ""),
        wrong("cashier", Some("P01"), &"x".repeat(500)),
        wrong("nobody", Some("P01"), PASSWORD),
        wrong("cashier", Some("NOWHERE"), PASSWORD),
        wrong("cashier", Some("UNLISTED"), PASSWORD),
        wrong("cashier", Some("LOCKED"), PASSWORD),
        wrong("idle", Some("P01"), PASSWORD),
        wrong("virtual", Some("P01"), PASSWORD),
        wrong("far", None, PASSWORD),
    ] {
        let answer = Shop::open().post("/api/v1/sessions", body.clone()).await;
        assert_eq!(answer.status, 401, "{body}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.challenges(), ["Bearer realm=\"tillgate\""]);
        assert_eq!(answer.text("/trace_id"), answer.header("x-request-id"));
        assert_eq!(
            answer.masked(&["/trace_id"]),
            json!({
                "type": "about:blank",
                "title": "Unauthorized",
                "status": 401,
                "detail": "The name, the password or the device is wrong, or the user has no role there.",
                "instance": "/api/v1/sessions",
                "code": "login_mismatch",
                "trace_id": "…",
            }),
            "{body}"
        );
    }
}

#[actix_web::test]
async fn all_faults_of_a_body_are_told_at_once() {
    let shop = Shop::open();
    let answer = shop.post("/api/v1/sessions", json!({ "login": 5, "device": "x".repeat(101), "tenant": [] })).await;
    assert_eq!(answer.status, 422);
    assert_eq!(
        answer.json()["errors"],
        json!([
            { "pointer": "/device", "code": "length", "detail": "must have at most 100 characters" },
            { "pointer": "/login", "code": "type", "detail": "must be a string" },
            { "pointer": "/password", "code": "required", "detail": "is required" },
            { "pointer": "/tenant", "code": "type", "detail": "must be a string" },
        ])
    );
    let nobody = shop.post("/api/v1/sessions", json!({ "password": PASSWORD })).await;
    assert_eq!(nobody.json()["errors"][0]["pointer"], "/login");
    let list = shop.post("/api/v1/sessions", json!(["cashier", PASSWORD, "P01"])).await;
    assert_eq!((list.status.as_u16(), list.json()["errors"][0]["pointer"].clone()), (422, json!("")));
}

#[actix_web::test]
async fn a_caller_is_told_who_they_are_and_what_they_may() {
    let shop = Shop::open();
    let login = shop.post("/api/v1/sessions", json!({ "login": "admin", "password": PASSWORD, "device": "P01" })).await;
    let answer = shop.get("/api/v1/sessions/current", &login.text("/access_token")).await;
    assert_eq!(answer.status, 200);
    let session = login.json()["session"].clone();
    assert_eq!(
        answer.json(),
        json!({
            "session": {
                "id": session["id"],
                "user": { "id": session["user"]["id"] },
                "device": { "id": session["device"]["id"] },
                "mount": "native",
                "created_at": "2026-11-21T12:00:00.000Z",
                "last_used_at": "2026-11-21T12:00:00.000Z",
                "expires_at": "2026-12-21T12:00:00.000Z",
                "ended_at": null,
                "ended_why": null,
            },
            "user": { "id": session["user"]["id"], "user_name": "admin", "display_name": "Ada Admin", "email": "admin@example.com" },
            "device": {
                "id": session["device"]["id"],
                "name": "P01",
                "environment": "CashRegister",
                "settings": {
                    "DefaultFiscalName": "eKasa", "DefaultOrderEndpointName": "", "DefaultStockName": "S01", "MaxQuantity": "200",
                    "NoticeOnNegativeSale": "false", "OpenedPrices": "false", "VisibleQuantities": "false",
                },
            },
            "rights": ["admin"],
        })
    );
}

#[actix_web::test]
async fn a_refresh_rotates_once_per_overlap_and_a_replay_ends_the_session() {
    let shop = Shop::open();
    let login = shop.native("cashier").await;
    let refresh = async |token: &str| shop.post("/api/v1/sessions/refresh", json!({ "refresh_token": token })).await;
    let first = login.text("/refresh_token");
    let second = refresh(&first).await;
    assert_eq!(second.status, 200);
    assert_eq!(second.text("/session/id"), login.text("/session/id"));
    assert_ne!(second.text("/refresh_token"), first);
    assert_eq!(second.header("cache-control"), "no-store");
    let repeat = refresh(&first).await;
    assert_eq!(repeat.text("/refresh_token"), second.text("/refresh_token"));
    // the successor is used, and the overlap passes: the first is a replay now
    assert_eq!(shop.get("/api/v1/sessions/current", &second.text("/access_token")).await.status, 200);
    shop.clock.pass(Duration::from_secs(121));
    let replay = refresh(&first).await;
    assert_eq!((replay.status.as_u16(), replay.text("/code").as_str()), (401, "token_replayed"));
    assert!(replay.challenges()[0].contains("error=\"invalid_token\""), "{:?}", replay.challenges());
    let over = shop.get("/api/v1/sessions/current", &second.text("/access_token")).await;
    assert_eq!((over.status.as_u16(), over.text("/code").as_str()), (401, "session_over"));
}

#[actix_web::test]
async fn a_logout_ends_the_session_at_once() {
    let shop = Shop::open();
    let login = shop.native("cashier").await;
    let token = login.text("/access_token");
    let out = shop.delete("/api/v1/sessions/current", &token).await;
    assert_eq!((out.status.as_u16(), out.bytes.len()), (204, 0));
    assert_eq!(shop.get("/api/v1/sessions/current", &token).await.status, 401);
    let refresh = shop.post("/api/v1/sessions/refresh", json!({ "refresh_token": login.text("/refresh_token") })).await;
    assert_eq!(refresh.status, 401);
}

#[actix_web::test]
async fn an_expired_token_is_401_so_that_a_client_refreshes() {
    let shop = Shop::open();
    let login = shop.native("cashier").await;
    shop.clock.pass(Duration::from_secs(901));
    let answer = shop.get("/api/v1/sessions/current", &login.text("/access_token")).await;
    assert_eq!((answer.status.as_u16(), answer.text("/code").as_str()), (401, "token_expired"));
    assert_eq!(
        answer.challenges(),
        ["Bearer realm=\"tillgate\", error=\"invalid_token\", error_description=\"the token has expired\""]
    );
    let refresh = shop.post("/api/v1/sessions/refresh", json!({ "refresh_token": login.text("/refresh_token") })).await;
    assert_eq!(refresh.status, 200);
}

#[actix_web::test]
async fn sessions_are_listed_in_pages_newest_first() {
    let shop = Shop::open();
    let mut made = Vec::new();
    for _ in 0..5 {
        shop.clock.pass(Duration::from_secs(1));
        made.push(shop.native("cashier").await.text("/session/id"));
    }
    shop.native("witness").await;
    shop.clock.pass(Duration::from_secs(1));
    let admin = shop.native("admin").await;
    let (token, user) = (admin.text("/access_token"), shop.native("cashier").await.text("/session/user/id"));
    shop.clock.pass(Duration::from_secs(1));
    let mut seen = Vec::new();
    let mut next = String::new();
    for size in [2, 2, 2] {
        let page = shop.get(&format!("/api/v1/sessions?user={user}&limit=2{next}"), &token).await;
        assert_eq!(page.status, 200);
        let json = page.json();
        assert_eq!(json["items"].as_array().unwrap().len(), size, "{json}");
        seen.extend(json["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        next = json["next"].as_str().map(|next| format!("&after={next}")).unwrap_or_default();
    }
    assert!(next.is_empty(), "six sessions are three pages of two: {next}");
    made.reverse();
    assert_eq!(seen[1..], made);

    let first = &made[0];
    assert_eq!(shop.delete(&format!("/api/v1/sessions/{first}"), &token).await.status, 204);
    let live = shop.get(&format!("/api/v1/sessions?user={user}&live=true"), &token).await;
    assert_eq!(live.json()["items"].as_array().unwrap().len(), 5);
    let over = shop.get("/api/v1/sessions?live=false", &token).await;
    assert_eq!(over.json()["items"][0]["id"], json!(first));
    let one = shop.get(&format!("/api/v1/sessions/{first}"), &token).await;
    assert_eq!((one.text("/ended_why"), one.text("/user/user_name")), ("admin".into(), "cashier".into()));
    assert_eq!(one.text("/ended_at"), "2026-11-21T12:00:07.000Z");
}

#[actix_web::test]
async fn the_largest_page_still_tells_that_another_follows() {
    let shop = Shop::open();
    for _ in 0..201 {
        shop.native("cashier").await;
    }
    let token = shop.native("admin").await.text("/access_token");
    let page = shop.get("/api/v1/sessions?limit=200", &token).await.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 200);
    let rest =
        shop.get(&format!("/api/v1/sessions?limit=200&after={}", page["next"].as_str().unwrap()), &token).await.json();
    assert_eq!((rest["items"].as_array().unwrap().len(), rest["next"].clone()), (2, json!(null)));
}

#[actix_web::test]
async fn parameters_at_fault_are_told_at_once_unknown_ones_too() {
    let shop = Shop::open();
    let token = shop.native("cashier").await.text("/access_token");
    let answer = shop.get("/api/v1/sessions?limit=201&user=anna&live=maybe&after=x&sort=up", &token).await;
    assert_eq!(answer.status, 422);
    let named: Vec<_> = answer.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| each["parameter"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(named, ["user", "live", "after", "limit", "sort"]);
    assert_eq!(shop.get("/api/v1/sessions?sort=up&limit=1", &token).await.status, 422);
    assert_eq!(shop.get("/api/v1/sessions?limit=1", &token).await.status, 200);
    assert_eq!(shop.get("/api/v1/sessions?limit=0", &token).await.status, 422);
}

#[actix_web::test]
async fn a_session_that_outlived_its_terms_is_listed_as_expired() {
    let shop = Shop::open();
    let id = shop.native("cashier").await.text("/session/id");
    shop.clock.pass(Duration::from_hours(30 * 24));
    let token = shop.native("cashier").await.text("/access_token");
    let one = shop.get(&format!("/api/v1/sessions/{id}"), &token).await;
    assert_eq!((one.text("/ended_why"), one.text("/ended_at")), ("expired".into(), "2026-12-21T12:00:00.000Z".into()));
}

#[actix_web::test]
async fn keys_health_and_readiness_are_for_anybody() {
    let shop = Shop::open();
    let keys = shop.send(call(Method::GET, "/.well-known/jwks.json")).await;
    assert_eq!((keys.status.as_u16(), keys.header("content-type")), (200, "application/jwk-set+json"));
    assert_eq!(keys.header("cache-control"), "public, max-age=300");
    let key = &keys.json()["keys"][0];
    assert_eq!((key["kty"].as_str(), key["d"].as_str()), (Some("OKP"), None));
    assert_eq!(shop.send(call(Method::GET, "/healthz")).await.status, 200);
    let ready = shop.send(call(Method::GET, "/readyz")).await;
    assert_eq!(ready.status, 200);
    assert_eq!(
        ready.json(),
        json!({
            "status": "ready",
            "parts": { "store": true, "writes": true, "keys": true, "changes": true, "complete": true, "clock_in_doubt": false },
        })
    );
    assert_eq!(shop.send(call(Method::HEAD, "/healthz")).await.status, 200);
}

#[actix_web::test]
async fn half_a_character_and_a_bottomless_list_are_no_text() {
    let half = call(Method::POST, "/api/v1/sessions")
        .insert_header(("Content-Type", "application/json"))
        .set_payload(r#"{"login":"cashier","password":"\ud800"}"#);
    assert_eq!(Shop::open().send(half).await.status, 400);
    let deep = call(Method::POST, "/api/v1/sessions")
        .insert_header(("Content-Type", "application/json"))
        .set_payload(format!("{{\"login\":{}{}}}", "[".repeat(9000), "]".repeat(9000)));
    assert_eq!(Shop::open().send(deep).await.status, 400);
}

#[actix_web::test]
async fn a_body_that_bears_a_password_twice_is_not_taken() {
    let shop = Shop::open();
    let twice = call(Method::POST, "/api/v1/sessions")
        .insert_header(("Content-Type", "application/json"))
        .set_payload(format!("{{\"login\":\"cashier\",\"password\":\"x\",\"password\":\"{PASSWORD}\"}}"));
    let answer = shop.send(twice).await;
    assert_eq!(answer.status, 422, "{}", answer.json());
    assert!(!String::from_utf8_lossy(&answer.bytes).contains(PASSWORD));
    let ok = shop.send(post("/api/v1/sessions", json!({ "login": "cashier", "password": PASSWORD }))).await;
    assert_eq!(ok.status, 201);
}

/// Nobody else's guesses keep a till out that holds a refresh token of before.
#[actix_web::test]
async fn a_login_with_a_previous_refresh_token_is_not_held_back_by_what_others_guess() {
    let shop = Shop::open();
    let body = |password: &str| json!({ "login": "cashier", "password": password, "device": "P01" });
    let first = shop.send_from("192.0.2.1", post("/api/v1/sessions", body(PASSWORD))).await;
    assert_eq!(first.status, 201, "{}", first.json());
    for number in 0..12 {
        shop.send_from(&format!("198.51.{number}.1"), post("/api/v1/sessions", body(&format!("wrong {number}")))).await;
    }
    let with = |previous: Value| {
        let mut body = body(PASSWORD);
        body["previous_refresh_token"] = previous;
        shop.send_from("203.0.113.1", post("/api/v1/sessions", body))
    };
    let held = with(json!("garbage")).await;
    assert_eq!((held.status.as_u16(), held.header("retry-after")), (429, "960"));
    assert_eq!(with(Value::Null).await.status, 429, "as if there were none");
    assert_eq!(with(json!(7)).await.status, 422, "which it cannot be");
    assert_eq!(with(json!(first.text("/refresh_token"))).await.status, 201);
    let known = shop.send_from("192.0.2.200", post("/api/v1/sessions", body(PASSWORD))).await;
    assert_eq!(known.status, 201, "its network is known");
}
