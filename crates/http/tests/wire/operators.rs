//! Operators of a till in till mode: the list of users, the sign-in with a PIN and the sign-out.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};
use tillgate_domain::Action;
use tillgate_testkit::ProofSigner;

use crate::enrollments::{outcome, post_with_proof, start, till_path};
use crate::office::{OfficeClient, expected_pointers, violations};
use crate::test_server::{TEST_PASSWORD, TestResponse, build_request, put_request, with_bearer};

const HOST: &str = "pos.example";
const TILL: &str = "/api/v1/till";
const OPERATORS: &str = "/api/v1/till/operators";
const OPERATOR: &str = "/api/v1/till/operator";
const PIN: &str = "905817";

/// An enrolled till, whose users have PINs.
struct Till {
    desk: OfficeClient,
    signer: ProofSigner,
    tokens: Value,
}

impl Till {
    async fn open(till_mode: bool) -> Self {
        let desk = OfficeClient::open().await;
        let signer = ProofSigner::ed25519(1);
        let body = json!({ "code": start(&desk, json!({})).await, "storage": "software" });
        let enrolled = post_with_proof(&desk.shop, &signer, "/api/v1/enrollments", body).await;
        assert_eq!(enrolled.status, 201, "{}", enrolled.json());
        for name in ["cashier", "manager"] {
            let token = desk.shop.log_in_native(name).await.text_at("/access_token");
            let body = json!({ "password": TEST_PASSWORD, "new_pin": PIN });
            let set = desk.shop.send(with_bearer(put_request("/api/v1/sessions/current/pin", body), &token)).await;
            assert_eq!(set.status, 200, "{}", set.json());
        }
        if till_mode {
            let changed = desk.patch(&till_path(&desk.shop), "*", json!({ "till_mode": true })).await;
            assert_eq!((changed.status.as_u16(), &changed.json()["till_mode"]), (200, &json!(true)));
        }
        let tokens = enrolled.json();
        Self { desk, signer, tokens }
    }

    async fn send_with(&self, tokens: &Value, method: Method, path: &str, body: Option<Value>) -> TestResponse {
        let token = tokens["access_token"].as_str().unwrap();
        let nonce = self.desk.shop.auth.dpop_nonce();
        let proof = self.signer.prove(method.as_str(), &format!("http://{HOST}{path}"), &nonce, Some(token));
        let request = build_request(method, path)
            .insert_header(("Host", HOST))
            .insert_header(("Authorization", format!("DPoP {token}")))
            .insert_header(("DPoP", proof));
        self.desk.shop.send(if let Some(body) = body { request.set_json(body) } else { request }).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> TestResponse {
        self.send_with(&self.tokens, method, path, body).await
    }

    async fn get(&self, path: &str) -> TestResponse {
        self.send(Method::GET, path, None).await
    }

    async fn user(&self, name: &str) -> String {
        self.desk.get(&format!("/users?search={name}")).await.text_at("/items/0/id")
    }

    async fn sign_in(&self, name: &str, pin: &str) -> TestResponse {
        let user = self.user(name).await;
        self.send(Method::POST, OPERATOR, Some(json!({ "user": user, "pin": pin }))).await
    }
}

#[actix_web::test]
async fn users_sign_in_on_a_till_one_after_another() {
    let till = Till::open(true).await;
    let listed = till.get(OPERATORS).await;
    assert_eq!(listed.status, 200, "{}", listed.json());
    let cashier = till.user("cashier").await;
    let item = listed.json()["items"].as_array().unwrap().iter().find(|item| item["id"] == *cashier).cloned().unwrap();
    let expected =
        json!({ "id": cashier, "user_name": "cashier", "display_name": item["display_name"], "proofs": ["pin"] });
    assert_eq!(item, expected);
    let nobody = till.get(TILL).await;
    assert_eq!(
        (nobody.status.as_u16(), &nobody.json()["operator"], &nobody.json()["device"]["till_mode"]),
        (200, &Value::Null, &json!(true))
    );

    let first = till.sign_in("cashier", PIN).await;
    assert_eq!(first.status, 201, "{}", first.json());
    let tokens = first.json();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("DPoP"), &json!(300)));
    assert_eq!(tokens["session"]["parent"], till.tokens["session"]["id"]);
    assert_eq!((&tokens["replaced"], &tokens["pin_due"]), (&Value::Null, &json!(false)));
    assert!(tokens["rights"].as_array().unwrap().contains(&json!("ticketClose")));
    assert_eq!(first.header("location"), format!("/api/v1/sessions/{}", first.text_at("/session/id")));
    let own = till.send_with(&tokens, Method::GET, "/api/v1/sessions/current", None).await;
    assert_eq!((own.status.as_u16(), own.text_at("/user/user_name")), (200, "cashier".to_owned()));
    let listed = till.desk.get(&format!("/sessions/{}", first.text_at("/session/id"))).await.json();
    assert_eq!(
        (&listed["kind"], &listed["methods"], &listed["parent"]),
        (&json!("person"), &json!(["pin"]), &tokens["session"]["parent"])
    );
    let shown = till.get(TILL).await.json();
    assert_eq!((&shown["operator"]["user"]["id"], &shown["operator"]["by"]), (&json!(cashier), &json!("pin")));

    let second = till.sign_in("manager", PIN).await;
    assert_eq!(second.text_at("/replaced"), first.text_at("/session/id"));
    assert!(!second.header("revocation").is_empty());
    let over = till.send_with(&tokens, Method::GET, "/api/v1/sessions/current", None).await;
    assert_eq!(outcome(&over), (401, "session_over".to_owned()));
    for _ in 0..2 {
        assert_eq!(till.send(Method::DELETE, OPERATOR, None).await.status, 204);
    }
    assert_eq!(till.get(TILL).await.json()["operator"], Value::Null);
}

#[actix_web::test]
async fn one_body_is_sent_for_every_mismatch_and_waits_have_retry_after() {
    let till = Till::open(true).await;
    let working = till.sign_in("manager", PIN).await.json();
    let mut responses = vec![till.sign_in("cashier", "000000").await, till.sign_in("admin", PIN).await];
    let suspended = format!("/users/{}", till.user("cashier").await);
    assert_eq!(till.desk.patch(&suspended, "*", json!({ "status": "suspended" })).await.status, 200);
    responses.push(till.sign_in("cashier", PIN).await);
    let unknown = "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5";
    for _ in 0..3 {
        let body = json!({ "user": unknown, "pin": PIN });
        responses.push(till.send(Method::POST, OPERATOR, Some(body)).await);
    }
    for response in &responses {
        assert_eq!(outcome(response), (403, "operator_mismatch".to_owned()), "{}", response.json());
        assert_eq!(response.json_masked(&["/trace_id"]), responses[0].json_masked(&["/trace_id"]));
    }
    let limited = till.send(Method::POST, OPERATOR, Some(json!({ "user": unknown, "pin": PIN }))).await;
    assert_eq!(outcome(&limited), (429, "operator_throttled".to_owned()));
    assert_eq!(limited.header("retry-after"), "30");
    let own = till.send_with(&working, Method::GET, "/api/v1/sessions/current", None).await;
    assert_eq!(own.status, 200, "who works on the till goes on");
}

#[actix_web::test]
async fn stopped_pins_are_unlocked() {
    let till = Till::open(true).await;
    let shop = &till.desk.shop;
    let (mut wrong, mut tokens) = (0, till.tokens.clone());
    let cashier = till.user("cashier").await;
    while wrong < 10 {
        let body = json!({ "user": cashier, "pin": "000000" });
        let response = till.send_with(&tokens, Method::POST, OPERATOR, Some(body)).await;
        match response.status.as_u16() {
            403 => wrong += 1,
            429 => shop.clock.advance(Duration::from_secs(response.header("retry-after").parse().unwrap())),
            401 => {
                let body = json!({ "refresh_token": tokens["refresh_token"] });
                tokens = post_with_proof(shop, &till.signer, "/api/v1/sessions/refresh", body).await.json();
            }
            other => panic!("{other}: {}", response.json()),
        }
    }
    let right = || {
        let (till, tokens, body) = (&till, &tokens, json!({ "user": cashier, "pin": PIN }));
        async move { till.send_with(tokens, Method::POST, OPERATOR, Some(body)).await }
    };
    let stopped = right().await;
    assert_eq!((outcome(&stopped).0, stopped.header("retry-after")), (429, "3600"));
    let path = format!("{}/unlock-pins", till_path(shop));
    let manager = shop.log_in_native("manager").await.text_at("/access_token");
    let request = with_bearer(build_request(Method::POST, &format!("/api/v1{path}")), &manager);
    assert_eq!(shop.send(request).await.status, 204, "a manager may");
    let cashier_token = shop.log_in_native("cashier").await.text_at("/access_token");
    let request = with_bearer(build_request(Method::POST, &format!("/api/v1{path}")), &cashier_token);
    let denied = shop.send(request).await;
    assert_eq!((denied.status.as_u16(), denied.text_at("/right").as_str()), (403, "pinReset"));
    let unknown = "/devices/0192f0c1-a2b3-7c4d-8e5f-60718293a4b5/unlock-pins";
    let request = with_bearer(build_request(Method::POST, &format!("/api/v1{unknown}")), &manager);
    assert_eq!(shop.send(request).await.status, 404);
    assert_eq!(right().await.status, 201);
    let events = shop.store.inner.audit_events();
    let count = |action: Action| events.iter().filter(|event| event.action == action).count();
    assert_eq!((count(Action::PinStopped), count(Action::PinUnlock)), (1, 1));
}

#[actix_web::test]
async fn device_without_till_mode_has_no_operators() {
    let till = Till::open(false).await;
    assert_eq!(till.get(TILL).await.json()["device"]["till_mode"], json!(false));
    for response in
        [till.get(OPERATORS).await, till.sign_in("cashier", PIN).await, till.send(Method::DELETE, OPERATOR, None).await]
    {
        assert_eq!(outcome(&response), (409, "till_mode_off".to_owned()));
    }
    let path = till_path(&till.desk.shop);
    for value in [Value::Null, json!("yes")] {
        let code = if value.is_null() { "required" } else { "type" };
        let response = till.desk.patch(&path, "*", json!({ "till_mode": value })).await;
        assert_eq!(violations(&response).2, expected_pointers(&[("/till_mode", code)]));
    }
}

#[actix_web::test]
async fn only_an_enrolled_till_signs_operators_in() {
    let desk = OfficeClient::open().await;
    let body = json!({ "user": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5", "pin": PIN });
    for (method, path, body) in [
        (Method::GET, "/till", None),
        (Method::GET, "/till/operators", None),
        (Method::POST, "/till/operator", Some(body)),
        (Method::DELETE, "/till/operator", None),
    ] {
        let response = desk.send(method, path, None, body).await;
        assert_eq!(outcome(&response), (409, "till_required".to_owned()), "{path}");
    }
    let till = Till::open(true).await;
    let response = till.send(Method::POST, OPERATOR, Some(json!({ "user": "cashier", "badge": 1 }))).await;
    let expected = expected_pointers(&[("/badge", "unknown"), ("/pin", "required"), ("/user", "format")]);
    assert_eq!(violations(&response), (422, "fields_invalid".to_owned(), expected));
}
