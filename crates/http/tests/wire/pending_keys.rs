//! Keys of machines that wait to be accepted: from the code that a machine shows to its session.

use actix_web::http::Method;
use serde_json::{Value, json};
use tillgate_domain::pending_key::POLL_INTERVAL;
use tillgate_testkit::ProofSigner;

use crate::enrollments::{outcome, post_with_proof, start, till_path};
use crate::office::{OfficeClient, expected_pointers, tenant, violations};
use crate::test_server::{TestResponse, TestServer};

const START: &str = "/api/v1/enrollments/start";
const POLL: &str = "/api/v1/enrollments/poll";

async fn start_key(shop: &TestServer, signer: &ProofSigner) -> TestResponse {
    let body = json!({ "storage": "software", "label": "Box", "app": "Kasa 5.1", "client_id": "kasa" });
    let started = post_with_proof(shop, signer, START, body).await;
    assert_eq!(started.status, 200, "{}", started.json());
    started
}

async fn poll(shop: &TestServer, signer: &ProofSigner, started: &TestResponse) -> TestResponse {
    let body = json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": started.text_at("/device_code"),
    });
    post_with_proof(shop, signer, POLL, body).await
}

async fn accept(desk: &OfficeClient, started: &TestResponse, fingerprint: &str) -> TestResponse {
    let path = format!("/enrollments/{}/accept", started.text_at("/user_code"));
    desk.post(&path, json!({ "device": "P01", "fingerprint": fingerprint })).await
}

#[actix_web::test]
async fn machine_shows_a_code_and_gets_its_session_once_it_is_accepted() {
    let desk = OfficeClient::open().await;
    let (shop, signer) = (&desk.shop, ProofSigner::p256());
    let started = start_key(shop, &signer).await;
    let (code, page) = (started.text_at("/user_code"), started.text_at("/verification_uri"));
    assert_eq!((code.len(), page.as_str()), (9, "http://pos.example/office/enroll"));
    assert_eq!(started.text_at("/verification_uri_complete"), format!("{page}#{}", code.replace('-', "")));
    assert_eq!((&started.json()["interval"], &started.json()["expires_in"]), (&json!(5), &json!(600)));

    let pending = poll(shop, &signer, &started).await;
    assert_eq!(outcome(&pending), (400, "authorization_pending".to_owned()));
    assert_eq!(pending.text_at("/error"), "authorization_pending", "as clients of OAuth read it");
    assert_eq!(outcome(&poll(shop, &signer, &started).await), (400, "slow_down".to_owned()));
    shop.clock.advance(POLL_INTERVAL);
    assert_eq!(outcome(&poll(shop, &signer, &started).await), (400, "authorization_pending".to_owned()));

    let shown = desk.get(&format!("/enrollments/{}", code.to_lowercase())).await;
    assert_eq!((shown.status.as_u16(), shown.text_at("/label")), (200, "Box".to_owned()));
    assert_eq!(shown.text_at("/state"), "waiting");
    assert!(shown.json().get("fingerprint").is_none(), "a person reads it from the machine");
    assert!(shown.json()["same_network"].is_boolean() || shown.json()["same_network"].is_null());
    let fingerprint = started.text_at("/fingerprint");
    let wrong = if fingerprint == "0000" { "0001" } else { "0000" };
    assert_eq!(outcome(&accept(&desk, &started, wrong).await), (409, "fingerprint_mismatch".to_owned()));
    let accepted = accept(&desk, &started, &fingerprint).await;
    assert_eq!((accepted.status.as_u16(), accepted.text_at("/state")), (200, "waiting".to_owned()));
    assert_eq!(outcome(&accept(&desk, &started, &fingerprint).await), (404, "not_found".to_owned()));
    let shown = desk.get(&format!("/enrollments/{code}")).await;
    assert_eq!((shown.status.as_u16(), shown.text_at("/state")), (200, "accepted".to_owned()));

    let enrolled = poll(shop, &signer, &started).await;
    assert_eq!(enrolled.status, 200, "{}", enrolled.json());
    assert_eq!(
        (enrolled.text_at("/token_type"), enrolled.text_at("/session/device/name")),
        ("DPoP".into(), "P01".into())
    );
    let again = poll(shop, &signer, &started).await;
    assert_eq!((again.status.as_u16(), again.text_at("/session/id")), (200, enrolled.text_at("/session/id")));
    let keys = desk.get(&format!("{}/keys", till_path(shop))).await;
    assert_eq!(keys.json()["items"][0]["label"], json!("Box"));
}

#[actix_web::test]
async fn denied_machine_learns_it() {
    let desk = OfficeClient::open().await;
    let (shop, signer) = (&desk.shop, ProofSigner::ed25519(1));
    let started = start_key(shop, &signer).await;
    let path = format!("/enrollments/{}/deny", started.text_at("/user_code"));
    assert_eq!(desk.post(&path, json!({})).await.status, 204);
    assert_eq!(outcome(&poll(shop, &signer, &started).await), (400, "access_denied".to_owned()));
    assert_eq!(outcome(&desk.post(&path, json!({})).await), (404, "not_found".to_owned()));
    let stranger = poll(shop, &ProofSigner::ed25519(2), &started).await;
    assert_eq!((outcome(&stranger), stranger.text_at("/check")), ((400, "proof_invalid".to_owned()), "key".to_owned()));
}

#[actix_web::test]
async fn machine_is_denied_after_the_fifth_wrong_digits() {
    let desk = OfficeClient::open().await;
    let (shop, signer) = (&desk.shop, ProofSigner::ed25519(1));
    let started = start_key(shop, &signer).await;
    let fingerprint = started.text_at("/fingerprint");
    let wrong = if fingerprint == "0000" { "0001" } else { "0000" };
    for attempt in 1..5 {
        let refused = accept(&desk, &started, wrong).await;
        assert_eq!(outcome(&refused), (409, "fingerprint_mismatch".to_owned()), "{attempt}");
    }
    assert_eq!(outcome(&accept(&desk, &started, wrong).await), (409, "too_many_fingerprints".to_owned()));
    assert_eq!(outcome(&accept(&desk, &started, &fingerprint).await), (404, "not_found".to_owned()));
    assert_eq!(outcome(&poll(shop, &signer, &started).await), (400, "access_denied".to_owned()));
    let shown = desk.get(&format!("/enrollments/{}", started.text_at("/user_code"))).await;
    assert_eq!(shown.text_at("/state"), "denied");
}

#[actix_web::test]
async fn unknown_codes_are_limited() {
    let desk = OfficeClient::open().await;
    let started = start_key(&desk.shop, &ProofSigner::ed25519(1)).await;
    let known = format!("/enrollments/{}", started.text_at("/user_code"));
    for number in 0..10 {
        assert_eq!(desk.get(&known).await.status, 200, "{number}: a known code takes no token");
        let path = format!("/enrollments/BCDF-GHJ{number}");
        let unknown = match number % 3 {
            0 => desk.get(&path).await,
            1 => desk.post(&format!("{path}/accept"), json!({ "device": "P01", "fingerprint": "4712" })).await,
            _ => desk.post(&format!("{path}/deny"), json!({})).await,
        };
        assert_eq!(outcome(&unknown), (404, "not_found".to_owned()), "{number}");
    }
    let limited = desk.get(&known).await;
    assert_eq!((limited.status.as_u16(), limited.header("Retry-After")), (429, "60"));
    assert_eq!(desk.post(&format!("{known}/deny"), json!({})).await.status, 429);
    desk.shop.clock.advance(std::time::Duration::from_mins(1));
    assert_eq!(desk.get(&known).await.status, 200);
}

#[actix_web::test]
async fn machine_names_its_tenant() {
    let desk = OfficeClient::open().await;
    let (shop, signer) = (&desk.shop, ProofSigner::ed25519(1));
    let start =
        |tenant: Value| post_with_proof(shop, &signer, START, json!({ "storage": "software", "tenant": tenant }));
    assert_eq!(start(json!("default")).await.status, 200);
    assert_eq!(outcome(&start(json!("nowhere")).await), (400, "access_denied".to_owned()));
    let path = format!("/tenants/{}", tenant(shop).id);
    let off = desk.patch(&path, "*", json!({ "machine_codes": false })).await;
    assert_eq!(off.status, 200, "{}", off.json());
    assert_eq!(outcome(&start(json!("default")).await), (400, "access_denied".to_owned()));
    let unknown = desk.get("/enrollments/BCDF-GHJK").await;
    assert_eq!(outcome(&unknown), (409, "machine_codes_off".to_owned()));
}

#[actix_web::test]
async fn code_that_must_be_confirmed_is_answered_202() {
    let desk = OfficeClient::open().await;
    let (shop, signer) = (&desk.shop, ProofSigner::ed25519(1));
    let path = format!("{}/enrollment", till_path(shop));
    let code = start(&desk, json!({ "confirm": true })).await;
    let body = json!({ "code": code, "storage": "software", "label": "Box" });
    let waiting = post_with_proof(shop, &signer, "/api/v1/enrollments", body).await;
    assert_eq!(waiting.status, 202, "{}", waiting.json());
    let shown = desk.get(&path).await.json();
    assert_eq!((&shown["confirm"], &shown["pending"]["label"]), (&json!(true), &json!("Box")));
    let confirm = |fingerprint: String| {
        let (desk, path) = (&desk, format!("{path}/confirm"));
        async move { desk.post(&path, json!({ "fingerprint": fingerprint })).await }
    };
    let fingerprint = waiting.text_at("/fingerprint");
    let wrong = if fingerprint == "0000" { "0001" } else { "0000" };
    assert_eq!(outcome(&confirm(wrong.to_owned()).await), (409, "fingerprint_mismatch".to_owned()));
    assert_eq!(confirm(fingerprint.clone()).await.status, 200);
    assert_eq!(outcome(&confirm(fingerprint).await), (404, "not_found".to_owned()));
    assert_eq!(poll(shop, &signer, &waiting).await.status, 200);
    assert_eq!(desk.get(&path).await.json()["pending"], Value::Null);
}

#[actix_web::test]
async fn violations_of_bodies_are_reported_at_once() {
    let desk = OfficeClient::open().await;
    let response = desk.shop.post(START, json!({ "storage": "cloud", "label": "x".repeat(201), "app": 5 })).await;
    let expected = [("/app", "type"), ("/label", "length"), ("/storage", "format")];
    assert_eq!(violations(&response), (422, "fields_invalid".to_owned(), expected_pointers(&expected)));
    let response = desk.shop.post(POLL, json!({})).await;
    assert_eq!(
        violations(&response),
        (422, "fields_invalid".to_owned(), expected_pointers(&[("/device_code", "required")]))
    );
    let response = desk.post("/enrollments/BCDF-GHJK/accept", json!({ "device": 1, "code": "x" })).await;
    let expected = [("/code", "unknown"), ("/device", "type"), ("/fingerprint", "required")];
    assert_eq!(violations(&response), (422, "fields_invalid".to_owned(), expected_pointers(&expected)));
    let missing = desk.shop.post(START, json!({ "storage": "software" })).await;
    assert_eq!(outcome(&missing), (400, "proof_missing".to_owned()));
    let denied = desk.shop.log_in_native("cashier").await.text_at("/access_token");
    let response = desk.shop.with_token(Method::GET, "/api/v1/enrollments/BCDF-GHJK", &denied).await;
    assert_eq!((response.status.as_u16(), response.text_at("/right").as_str()), (403, "deviceEnroll"));
}
