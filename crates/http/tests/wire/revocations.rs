//! The header `Revocation` of the native API: calls that end sessions or API keys have it, and no
//! others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tillgate_domain::Change;
use tillgate_domain::change::Observer;

use crate::every_route;
use crate::office::well_formed;
use crate::openapi::{document, operations};
use crate::portos_signed::create_key;
use crate::test_server::{TestResponse, TestServer, build_request, with_bearer};

/// Counts the commits that end sessions.
#[derive(Default)]
struct EndingCounter(AtomicUsize);

impl Observer for EndingCounter {
    fn on_commit(&self, changes: &[Change]) {
        if changes.iter().any(|change| !matches!(change, Change::Invalidated(_))) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Whether the operation documents the header for its success.
fn is_documented(operation: &Value) -> bool {
    let responses = operation["responses"].as_object().unwrap();
    responses.iter().any(|(status, response)| status.starts_with('2') && response["headers"]["Revocation"].is_object())
}

/// The header of a successful response, which the acknowledgments can be asked for.
async fn position(shop: &TestServer, response: &TestResponse, call: &str) -> Option<String> {
    assert!(response.status.is_success(), "{call}: {}", response.status);
    let position = response.headers.get("revocation")?.to_str().unwrap().to_owned();
    let manager = shop.log_in_native("manager").await.text_at("/access_token");
    let found = shop.get(&format!("/api/v1/revocations/{position}"), &manager).await;
    assert_eq!((found.status.as_u16(), found.text_at("/position")), (200, position.clone()), "{call}");
    Some(position)
}

#[actix_web::test]
async fn every_call_that_ends_sessions_documents_and_returns_its_position() {
    let described = document(&TestServer::start()).await;
    let mut documented = 0;
    for (method, path, operation) in operations(&described) {
        if method == "GET" || !path.starts_with("/api/v1/") {
            continue;
        }
        // a mail without a public address is a conflict: see email_verification.rs
        if path.ends_with("/email-verification") {
            continue;
        }
        // they require the session of an enrolled till: see operators.rs
        if path.starts_with("/api/v1/till") {
            continue;
        }
        // they require a started enrollment and a proof of its key: see enrollments.rs
        if path.starts_with("/api/v1/enrollments")
            || path.contains("/enrollment")
            || path.ends_with("/keys/{thumbprint}")
        {
            continue;
        }
        let call = format!("{method} {path}");
        let shop = TestServer::start();
        let request = every_route::request(&shop, &method, &path, "another's", Some("admin")).await;
        let counter = Arc::new(EndingCounter::default());
        shop.store.inner.add_observer(Arc::clone(&counter) as Arc<dyn Observer>);
        let response = shop.send(request).await;
        let ended = counter.0.load(Ordering::SeqCst) > 0;
        let has_position = position(&shop, &response, &call).await.is_some();
        assert!(has_position || !ended, "{call} ends sessions without a position");
        assert!(is_documented(operation) || !has_position, "{call} does not document the position");
        documented += usize::from(is_documented(operation));
    }
    assert!(documented >= 14, "only {documented} calls document a position");
}

#[actix_web::test]
async fn change_has_a_position_only_if_it_ends_something() {
    let device = "/api/v1/devices/{id}";
    let user = "/api/v1/users/{id}";
    let key = "/api/v1/api-keys/{id}";
    for (path, change, ends) in [
        (device, json!({ "status": "locked" }), true),
        (device, json!({ "status": "retired" }), true),
        (device, json!({ "environment": "PDA" }), true),
        (device, json!({ "status": "active", "description": "By the door" }), false),
        (device, json!({ "roles": ["cashier"] }), false),
        (user, json!({ "status": "suspended" }), true),
        (user, json!({ "status": "deleted" }), true),
        (user, json!({ "status": "active", "display_name": "Another" }), false),
        (user, json!({ "roles": ["cashier"] }), false),
        (key, json!({ "status": "revoked" }), true),
        (key, json!({ "status": "active" }), false),
        (key, json!({ "description": "Another" }), false),
    ] {
        let shop = TestServer::start();
        let id = match path {
            "/api/v1/devices/{id}" => crate::office::device(&shop, "P01").id.to_string(),
            "/api/v1/users/{id}" => shop.log_in_native("witness").await.text_at("/session/user/id"),
            _ => create_key(&shop, "cashier", "P01", &[]).0.id.to_string(),
        };
        let admin = shop.log_in_native("admin").await.text_at("/access_token");
        let request = build_request("PATCH".parse().unwrap(), &path.replace("{id}", &id))
            .insert_header(("If-Match", "*"))
            .set_json(&change);
        let response = shop.send(with_bearer(request, &admin)).await;
        let call = format!("PATCH {path} {change}");
        assert_eq!(position(&shop, &response, &call).await.is_some(), ends, "{call}");
    }
}

#[actix_web::test]
async fn rotation_has_a_position_only_without_an_overlap() {
    for (hours, ends) in [(0, true), (1, false)] {
        let shop = TestServer::start();
        let id = create_key(&shop, "cashier", "P01", &[]).0.id.to_string();
        let admin = shop.log_in_native("admin").await.text_at("/access_token");
        let path = "/api/v1/api-keys/{id}/rotate";
        let request = well_formed("POST", path, &id).set_json(json!({ "overlap_hours": hours }));
        let response = shop.send(with_bearer(request, &admin)).await;
        assert_eq!(position(&shop, &response, path).await.is_some(), ends, "{hours} hours");
    }
}
