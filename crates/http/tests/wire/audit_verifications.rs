//! The seals of the audit log over HTTP, and its verification in the background.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};
use tillgate_domain::audit::chain::ChainError;
use tillgate_domain::audit::seal::{Seal, SealedEvent, StoredEvent};
use tillgate_domain::office::{
    self, AuditFault, AuditVerification, MAX_PAGE_SIZE, VERIFICATION_INTERVAL, VerificationReport,
};
use tillgate_domain::{Action, EventId, Subject};
use tillgate_http::{AuditVerifier, VerifiedAudit};

use crate::office::{OfficeClient, tenant};
use crate::test_server::{StoreState, TestResponse};

const START: &str = "/audit/verifications";

/// A verifier that waits for its result, and reports progress before.
struct WaitingVerifier {
    results: Mutex<Receiver<Result<VerifiedAudit, String>>>,
    started: Sender<()>,
}

impl AuditVerifier for WaitingVerifier {
    fn verify_audit(&self, progress: &mut dyn FnMut(i64)) -> Result<VerifiedAudit, String> {
        progress(41);
        self.started.send(()).unwrap();
        self.results.lock().unwrap().recv_timeout(Duration::from_mins(1)).unwrap()
    }
}

/// A server whose verifications wait, the sender of their results, and the receiver of their
/// starts.
async fn open_desk() -> (OfficeClient, Sender<Result<VerifiedAudit, String>>, Receiver<()>) {
    let desk = OfficeClient::open().await;
    let ((results, receiver), (started, starts)) = (channel(), channel());
    desk.shop.http.set_audit_verifier(Arc::new(WaitingVerifier { results: Mutex::new(receiver), started }));
    (desk, results, starts)
}

fn intact(verified: i64) -> VerifiedAudit {
    let verification = AuditVerification { last: Seal { sequence: verified, hash: vec![1] }, fault: None };
    VerifiedAudit { verification, explanation: String::new(), missing_seal: None }
}

/// A fault in the event 57, which is one of the given tenant.
fn changed(tenant: uuid::Uuid) -> VerifiedAudit {
    let event = StoredEvent {
        id: uuid::Uuid::from_u128(7).as_bytes().to_vec(),
        at: 1_795_251_296_789,
        tenant: Some(tenant.as_bytes().to_vec()),
        ..StoredEvent::default()
    };
    let event = SealedEvent { event, sequence: 57, previous: None, hash: None };
    let verification = AuditVerification {
        last: Seal { sequence: 56, hash: vec![1] },
        fault: Some(AuditFault { error: ChainError::Changed, event: Some(event) }),
    };
    VerifiedAudit { verification, explanation: ". Perhaps it is harmless".to_owned(), missing_seal: None }
}

/// Waits for the state of a verification to be another than running.
async fn follow(desk: &OfficeClient, location: &str) -> Value {
    let path = location.strip_prefix("/api/v1").unwrap();
    loop {
        let response = desk.get(path).await;
        assert_eq!(response.status, 200);
        if response.json()["state"] != "running" {
            return response.json();
        }
        actix_web::rt::time::sleep(Duration::from_millis(5)).await;
    }
}

fn assert_accepted(response: &TestResponse) -> String {
    assert_eq!(
        (response.status.as_u16(), response.text_at("/state").as_str()),
        (202, "running"),
        "{}",
        response.json()
    );
    let location = response.header("location").to_owned();
    assert_eq!(location, format!("/api/v1{START}/{}", response.text_at("/id")));
    location
}

#[actix_web::test]
async fn verification_runs_in_background_once_at_a_time() {
    let (desk, results, starts) = open_desk().await;
    let first = desk.post(START, json!({})).await;
    let location = assert_accepted(&first);
    starts.recv_timeout(Duration::from_mins(1)).unwrap();
    let running = desk.get(location.strip_prefix("/api/v1").unwrap()).await.json();
    assert_eq!((&running["state"], &running["checked"]), (&json!("running"), &json!(41)), "{running}");
    assert_eq!((&running["fault"], &running["finished_at"]), (&Value::Null, &Value::Null));
    // the one that runs is named, by whomever of the tenant
    let second = desk.send(Method::POST, START, None, None).await;
    assert_eq!(assert_accepted(&second), location);
    assert_eq!(desk.get("/audit/seal").await.json()["last_verification"], Value::Null);
    results.send(Ok(intact(56))).unwrap();
    let done = follow(&desk, &location).await;
    assert_eq!((&done["state"], &done["checked"], &done["fault"]), (&json!("done"), &json!(56), &Value::Null));
    assert_eq!(done["finished_at"], "2026-11-21T12:00:00.000Z");
    assert_eq!(desk.get("/audit/seal").await.json()["last_verification"], done);
    // the start and the result are events, and the next verification is another one
    let events = desk.shop.store.inner.audit_events();
    let found: Vec<_> = events
        .iter()
        .filter(|event| matches!(event.action, Action::AuditVerify | Action::AuditVerified))
        .map(|event| (event.action, event.subject, event.actor.user.is_some()))
        .collect();
    let subject = Subject::Tenant(tenant(&desk.shop).id);
    assert_eq!(found, [(Action::AuditVerify, subject, true), (Action::AuditVerified, subject, false)]);
    // a verification that ended recently is not repeated
    desk.shop.clock.advance(VERIFICATION_INTERVAL.saturating_sub(Duration::from_millis(1)));
    let recent = desk.post(START, json!({})).await;
    assert_eq!((recent.status.as_u16(), recent.json()), (200, done.clone()));
    assert_eq!(desk.shop.store.inner.audit_events().len(), events.len());
    desk.shop.clock.advance(Duration::from_millis(1));
    let third = assert_accepted(&desk.post(START, json!({})).await);
    assert_ne!(third, location);
    results.send(Ok(intact(58))).unwrap();
    follow(&desk, &third).await;
    assert_eq!(follow(&desk, &location).await, done, "an earlier result stays");
    assert_eq!(desk.get("/audit/seal").await.json()["last_verification"]["checked"], 58);
}

#[actix_web::test]
async fn fault_is_described_in_the_words_of_the_command_line() {
    let (desk, results, _starts) = open_desk().await;
    let run = |verified: Result<VerifiedAudit, String>| {
        results.send(verified).unwrap();
        desk.shop.clock.advance(VERIFICATION_INTERVAL);
        let desk = &desk;
        async move {
            let location = assert_accepted(&desk.post(START, json!({})).await);
            follow(desk, &location).await
        }
    };
    let done = run(Ok(changed(tenant(&desk.shop).id.0))).await;
    let id = uuid::Uuid::from_u128(7).to_string();
    let detail = format!(
        "event 57, id {id}, at 2026-11-21T08:54:56.789Z: it was changed after it was sealed. The 56 events before it are \
         intact. Perhaps it is harmless"
    );
    let fault = json!({
        "code": "changed", "wrong": "it was changed after it was sealed", "detail": detail, "sequence": 57, "id": id,
        "at": "2026-11-21T08:54:56.789Z",
    });
    assert_eq!((&done["checked"], &done["fault"]), (&json!(56), &fault), "{done}");
    // an event of another tenant is not named
    let foreign = run(Ok(changed(uuid::Uuid::from_u128(9)))).await;
    assert_eq!((&foreign["fault"]["sequence"], &foreign["fault"]["id"]), (&json!(57), &Value::Null));
    assert!(!foreign.to_string().contains(&id), "{foreign}");
    let without_seal = run(Ok(VerifiedAudit { missing_seal: Some("no file".to_owned()), ..intact(5) })).await;
    assert_eq!(
        (&without_seal["fault"]["code"], &without_seal["fault"]["detail"]),
        (&json!("seal_missing"), &json!("no file"))
    );
    let failed = run(Err("/var/lib/secret: no such file".to_owned())).await;
    assert_eq!(failed["fault"]["code"], "not_verified");
    assert!(!failed.to_string().contains("/var/lib"), "{failed}");
}

#[actix_web::test]
async fn result_of_an_old_verification_stays() {
    let (desk, results, _starts) = open_desk().await;
    results.send(Ok(intact(56))).unwrap();
    let location = assert_accepted(&desk.post(START, json!({})).await);
    let done = follow(&desk, &location).await;
    let (store, tenant) = (&*desk.shop.store.inner, tenant(&desk.shop).id);
    let report = VerificationReport { verified: 57, fault: None };
    for _ in 0..2 * MAX_PAGE_SIZE {
        desk.shop.clock.advance(Duration::from_millis(1));
        let id = desk.shop.auth.new_id(EventId::new).unwrap();
        let context = desk.shop.auth.system_context(None).unwrap();
        office::unguarded::finish_verification(store, &context, tenant, id, &report).unwrap();
    }
    assert_eq!(follow(&desk, &location).await, done);
}

#[actix_web::test]
async fn verification_without_result_is_interrupted() {
    let (desk, results, starts) = open_desk().await;
    let location = assert_accepted(&desk.post(START, json!({})).await);
    starts.recv_timeout(Duration::from_mins(1)).unwrap();
    desk.shop.store.set_state(StoreState::Unavailable);
    results.send(Ok(intact(5))).unwrap();
    // the place of the verification is free once its thread has failed to record the result
    let path = location.strip_prefix("/api/v1").unwrap();
    let state = loop {
        desk.shop.store.set_state(StoreState::Unavailable);
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        desk.shop.store.set_state(StoreState::Healthy);
        let state = desk.get(path).await.text_at("/state");
        if state != "running" {
            break state;
        }
    };
    assert_eq!(state, "interrupted");
    results.send(Ok(intact(6))).unwrap();
    let next = assert_accepted(&desk.post(START, json!({})).await);
    assert_ne!(next, location);
    assert_eq!(follow(&desk, &next).await["checked"], 6);
}

#[actix_web::test]
async fn seal_is_shown_and_other_verifications_are_not_found() {
    let desk = OfficeClient::open().await;
    let empty = desk.get("/audit/seal").await.json();
    assert_eq!((&empty["position"], &empty["hash"], &empty["sealed_at"]), (&json!(0), &Value::Null, &Value::Null));
    assert!(empty["unsealed"].as_u64().unwrap() > 0, "{empty}");
    while office::unguarded::seal_audit(&*desk.shop.store.inner, desk.shop.auth.audit_seal_key()).unwrap().has_more {}
    let sealed = desk.get("/audit/seal").await.json();
    let number = desk.shop.store.inner.audit_events().len();
    assert_eq!((&sealed["position"], &sealed["unsealed"]), (&json!(number), &json!(0)), "{sealed}");
    assert!(sealed["sealed_at"].is_string() && sealed["hash"].as_str().unwrap().len() == 66, "{sealed}");
    // without a verifier of its own, the server verifies the chain
    let location = assert_accepted(&desk.post(START, json!({})).await);
    let done = follow(&desk, &location).await;
    assert_eq!((&done["checked"], &done["fault"]), (&json!(number), &Value::Null), "{done}");
    let login = desk.shop.store.inner.audit_events()[0].id;
    for path in ["/audit/verifications/garbage".to_owned(), format!("/audit/verifications/{login}")] {
        assert_eq!(desk.get(&path).await.status, 404, "{path}");
    }
}
