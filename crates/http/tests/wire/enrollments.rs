//! Enrollment of devices: from the code in the back office to a session that is bound to the
//! device's key.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};
use tillgate_domain::Action;
use tillgate_domain::office::DeviceChange;
use tillgate_testkit::ProofSigner;

use crate::office::{OfficeClient, create_role, device, expected_pointers, violations};
use crate::test_server::{TestResponse, TestServer, build_request, post_request, with_bearer};

const HOST: &str = "pos.example";
const PATH: &str = "/api/v1/enrollments";
const REFRESH: &str = "/api/v1/sessions/refresh";

pub fn till_path(shop: &TestServer) -> String {
    format!("/devices/{}", device(shop, "P01").id)
}

/// Starts an enrollment of the till, and returns its code.
pub async fn start(desk: &OfficeClient, body: Value) -> String {
    let started = desk.post(&format!("{}/enrollment", till_path(&desk.shop)), body).await;
    assert_eq!(started.status, 201, "{}", started.json());
    assert!(started.text_at("/qr_code").contains("<svg xmlns="), "{}", started.json());
    started.text_at("/code")
}

/// Sends a proof of this key with a request.
pub async fn post_with_proof(shop: &TestServer, signer: &ProofSigner, path: &str, body: Value) -> TestResponse {
    let proof = signer.prove("POST", &format!("http://{HOST}{path}"), &shop.auth.dpop_nonce(), None);
    shop.send(post_request(path, body).insert_header(("Host", HOST)).insert_header(("DPoP", proof))).await
}

async fn enroll(shop: &TestServer, code: &str, signer: &ProofSigner) -> TestResponse {
    enroll_with_storage(shop, code, signer, "hardware").await
}

async fn enroll_with_storage(shop: &TestServer, code: &str, signer: &ProofSigner, storage: &str) -> TestResponse {
    let body = json!({ "code": code, "storage": storage, "label": "Box", "app": "Kasa 5.1", "newer": 1 });
    post_with_proof(shop, signer, PATH, body).await
}

/// Enrolls a key that is kept there, and refreshes the session every 80 days and one day before 400
/// days have passed. Returns the response to the refresh after 400 days.
async fn refresh_for_400_days(storage: &str) -> TestResponse {
    const DAY: Duration = Duration::from_hours(24);
    let desk = OfficeClient::open().await;
    let (shop, signer) = (&desk.shop, ProofSigner::ed25519(1));
    let enrolled = enroll_with_storage(shop, &start(&desk, json!({})).await, &signer, storage).await;
    let mut token = enrolled.text_at("/refresh_token");
    for passed in [80 * DAY, 80 * DAY, 80 * DAY, 80 * DAY, 79 * DAY] {
        shop.clock.advance(passed);
        let refreshed = post_with_proof(shop, &signer, REFRESH, json!({ "refresh_token": token })).await;
        assert_eq!(refreshed.status, 200, "{storage}: {}", refreshed.json());
        token = refreshed.text_at("/refresh_token");
    }
    shop.clock.advance(DAY);
    post_with_proof(shop, &signer, REFRESH, json!({ "refresh_token": token })).await
}

pub fn outcome(response: &TestResponse) -> (u16, String) {
    (response.status.as_u16(), response.text_at("/code"))
}

#[actix_web::test]
async fn code_gets_a_session_that_is_bound_to_the_key() {
    let desk = OfficeClient::open().await;
    let (shop, signer) = (&desk.shop, ProofSigner::p256());
    let path = format!("{}/enrollment", till_path(shop));
    assert_eq!(outcome(&desk.get(&path).await), (404, "not_found".to_owned()));
    let code = start(&desk, json!({})).await;
    assert_eq!(code.len(), 9, "{code}");
    let waiting = desk.get(&path).await;
    assert_eq!((waiting.status.as_u16(), waiting.text_at("/state").as_str()), (200, "waiting"));
    for member in ["code", "qr_code"] {
        assert!(waiting.json().get(member).is_none(), "the {member} is shown once");
    }

    let enrolled = enroll(shop, &code.to_lowercase(), &signer).await;
    assert_eq!(enrolled.status, 201, "{}", enrolled.json());
    assert_eq!(enrolled.text_at("/token_type"), "DPoP");
    assert_eq!(
        (enrolled.text_at("/session/device/name").as_str(), enrolled.json()["session"]["user"].clone()),
        ("P01", Value::Null)
    );
    assert_eq!(enrolled.header("location"), format!("/api/v1/sessions/{}", enrolled.text_at("/session/id")));
    assert!(!enrolled.header("dpop-nonce").is_empty());

    let done = desk.get(&path).await;
    let keys = desk.get(&format!("{}/keys", till_path(shop))).await;
    let key = &keys.json()["items"][0];
    assert_eq!((done.text_at("/state"), &done.json()["thumbprint"]), ("completed".to_owned(), &key["thumbprint"]));
    let shown = ["algorithm", "storage", "state", "label", "app"].map(|name| key[name].as_str().unwrap().to_owned());
    assert_eq!(shown, ["ES256", "hardware", "current", "Box", "Kasa 5.1"]);

    let (access, refresh) = (enrolled.text_at("/access_token"), enrolled.text_at("/refresh_token"));
    assert_eq!(shop.get("/api/v1/sessions/current", &access).await.status, 401, "not as a bearer token");
    let body = json!({ "refresh_token": refresh });
    let unproven = shop.post(REFRESH, body.clone()).await;
    assert_eq!(outcome(&unproven), (400, "proof_missing".to_owned()));
    let refreshed = post_with_proof(shop, &signer, REFRESH, body).await;
    assert_eq!((refreshed.status.as_u16(), refreshed.text_at("/token_type").as_str()), (200, "DPoP"));
}

#[actix_web::test]
async fn enrollment_requires_a_proof_with_a_nonce() {
    let desk = OfficeClient::open().await;
    let (shop, signer) = (&desk.shop, ProofSigner::ed25519(1));
    let code = start(&desk, json!({})).await;
    let body = json!({ "code": code, "storage": "software" });
    let missing = shop.post(PATH, body.clone()).await;
    assert_eq!(outcome(&missing), (400, "proof_missing".to_owned()));
    let proof = signer.prove("POST", &format!("http://{HOST}{PATH}"), "old", None);
    let request = post_request(PATH, body.clone()).insert_header(("Host", HOST)).insert_header(("DPoP", proof));
    let stale = shop.send(request).await;
    assert_eq!(outcome(&stale), (400, "use_dpop_nonce".to_owned()));
    let nonce = stale.header("dpop-nonce").to_owned();
    let proof = signer.prove("POST", &format!("http://{HOST}{PATH}"), &nonce, None);
    let request =
        || post_request(PATH, body.clone()).insert_header(("Host", HOST)).insert_header(("DPoP", proof.clone()));
    assert_eq!(shop.send(request()).await.status, 201);
    assert_eq!(outcome(&shop.send(request()).await), (400, "proof_invalid".to_owned()), "a proof is accepted once");
}

#[actix_web::test]
async fn lost_response_is_repeated_for_the_same_key_only() {
    let desk = OfficeClient::open().await;
    let shop = &desk.shop;
    let code = start(&desk, json!({})).await;
    let (till, thief) = (ProofSigner::ed25519(1), ProofSigner::ed25519(2));
    let first = enroll(shop, &code, &till).await;
    let again = enroll(shop, &code, &till).await;
    assert_eq!((again.status.as_u16(), again.text_at("/session/id")), (201, first.text_at("/session/id")));
    assert_eq!(again.text_at("/refresh_token"), first.text_at("/refresh_token"));
    let spent = enroll(shop, &code, &thief).await;
    let wrong = enroll(shop, "BCDF-GHJK", &thief).await;
    shop.clock.advance(Duration::from_mins(11));
    let expired = enroll(shop, &code, &till).await;
    let without_trace = |response: &TestResponse| {
        let mut json = response.json();
        json["trace_id"] = Value::Null;
        json
    };
    for response in [&spent, &wrong, &expired] {
        assert_eq!(outcome(response), (403, "enrollment_unknown".to_owned()));
        assert_eq!(without_trace(response), without_trace(&spent), "one response for every reason");
    }
    let events = shop.store.inner.audit_events();
    assert_eq!(events.iter().filter(|event| event.action == Action::DeviceEnrollReplay).count(), 1);
}

#[actix_web::test]
async fn key_is_replaced_and_revoked() {
    let desk = OfficeClient::open().await;
    let (shop, path) = (&desk.shop, till_path(&desk.shop));
    let [first, second, third] = [1, 2, 3].map(ProofSigner::ed25519);
    let enrolled = enroll(shop, &start(&desk, json!({})).await, &first).await;
    assert_eq!(enrolled.status, 201);
    let again = desk.post(&format!("{path}/enrollment"), json!({})).await;
    assert_eq!(outcome(&again), (409, "device_enrolled".to_owned()));
    let code = start(&desk, json!({ "replace": true })).await;
    assert_eq!(outcome(&enroll(shop, &code, &first).await), (409, "key_known".to_owned()));
    let replaced = enroll(shop, &code, &second).await;
    let repeated = enroll(shop, &code, &second).await;
    for response in [&replaced, &repeated] {
        assert_eq!(response.status, 201);
        assert!(!response.header("revocation").is_empty(), "sessions on the device have ended");
    }
    assert!(enrolled.header("revocation").is_empty(), "nothing has ended");
    let body = json!({ "refresh_token": enrolled.text_at("/refresh_token") });
    let over = post_with_proof(shop, &first, REFRESH, body).await;
    assert_eq!(outcome(&over), (401, "session_over".to_owned()));

    let keys = desk.get(&format!("{path}/keys")).await.json();
    let thumbprint = |at: usize| keys["items"][at]["thumbprint"].as_str().unwrap().to_owned();
    assert_eq!((&keys["items"][0]["state"], &keys["items"][1]["state"]), (&json!("current"), &json!("retired")));
    let revoke = |thumbprint: String| {
        let path = format!("{path}/keys/{thumbprint}");
        let desk = &desk;
        async move { desk.send(Method::DELETE, &path, None, None).await }
    };
    for unknown in [thumbprint(1), "none".to_owned()] {
        assert_eq!(outcome(&revoke(unknown).await), (404, "not_found".to_owned()));
    }
    let revoked = revoke(thumbprint(0)).await;
    assert_eq!(revoked.status, 204);
    assert!(!revoked.header("revocation").is_empty());
    assert_eq!(revoke(thumbprint(0)).await.status, 404, "it is not current any more");
    assert_eq!(enroll(shop, &start(&desk, json!({})).await, &third).await.status, 201);
}

#[actix_web::test]
async fn session_ends_after_its_absolute_timeout_wherever_the_device_claims_to_keep_its_key() {
    for storage in ["software", "hardware"] {
        assert_eq!(outcome(&refresh_for_400_days(storage).await), (401, "token_expired".to_owned()), "{storage}");
    }
}

#[actix_web::test]
async fn enrollment_is_canceled_and_denied_to_inactive_devices() {
    let desk = OfficeClient::open().await;
    let (shop, path) = (&desk.shop, format!("{}/enrollment", till_path(&desk.shop)));
    let code = start(&desk, json!({ "expires_in": 604_800 })).await;
    assert_eq!(code.len(), 14, "a code that is valid for long is longer: {code}");
    assert_eq!(desk.send(Method::DELETE, &path, None, None).await.status, 204);
    assert_eq!(outcome(&desk.send(Method::DELETE, &path, None, None).await), (404, "not_found".to_owned()));
    assert_eq!(enroll(shop, &code, &ProofSigner::ed25519(1)).await.status, 403);
    let locked = DeviceChange { status: Some(tillgate_domain::DeviceStatus::Locked), ..DeviceChange::default() };
    shop.change_device("P01", &locked);
    assert_eq!(outcome(&desk.post(&path, json!({})).await), (409, "device_not_active".to_owned()));
}

#[actix_web::test]
async fn violations_of_a_body_are_reported_at_once() {
    let desk = OfficeClient::open().await;
    let path = format!("{}/enrollment", till_path(&desk.shop));
    for (body, expected) in [
        (
            json!({ "expires_in": "long", "replace": 1, "code": "x" }),
            &[("/code", "unknown"), ("/expires_in", "type"), ("/replace", "type")][..],
        ),
        (json!({ "expires_in": 59 }), &[("/expires_in", "range")]),
        (json!({ "expires_in": 59, "replace": "x" }), &[("/expires_in", "range"), ("/replace", "type")]),
        (json!({ "expires_in": 2_592_001 }), &[("/expires_in", "range")]),
    ] {
        let response = desk.post(&path, body.clone()).await;
        let expected = (422, "fields_invalid".to_owned(), expected_pointers(expected));
        assert_eq!(violations(&response), expected, "{body}");
    }
    let long = "x".repeat(201);
    let response = desk.shop.post(PATH, json!({ "storage": "cloud", "label": long, "app": 5 })).await;
    let expected = [("/app", "type"), ("/code", "required"), ("/label", "length"), ("/storage", "format")];
    assert_eq!(violations(&response), (422, "fields_invalid".to_owned(), expected_pointers(&expected)));
}

#[actix_web::test]
async fn manager_enrolls_devices_with_no_more_rights_than_their_own() {
    let desk = OfficeClient::log_in_as("manager").await;
    let path = format!("{}/enrollment", till_path(&desk.shop));
    assert_eq!(desk.post(&path, json!({})).await.status, 201);
    create_role(&desk.shop, "chief", &["userDelete"]);
    desk.shop.set_device_role("P01", "chief");
    let denied = desk.post(&path, json!({})).await;
    assert_eq!((denied.status.as_u16(), denied.text_at("/right").as_str()), (403, "userDelete"));
    let cashier = desk.shop.log_in_native("cashier").await.text_at("/access_token");
    let request = build_request(Method::GET, &format!("/api/v1{}/keys", till_path(&desk.shop)));
    let denied = desk.shop.send(with_bearer(request, &cashier)).await;
    assert_eq!((denied.status.as_u16(), denied.text_at("/right").as_str()), (403, "deviceEnroll"));
}
