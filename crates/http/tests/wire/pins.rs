//! PINs: drawn and removed in the back office, and set by their users.

use actix_web::http::Method;
use serde_json::{Value, json};
use tillgate_domain::Action;

use crate::office::{OfficeClient, expected_pointers, violations};
use crate::test_server::{TEST_PASSWORD, TestResponse, put_request, with_bearer};

const OWN: &str = "/api/v1/sessions/current/pin";

async fn set_own(desk: &OfficeClient, token: &str, body: Value) -> TestResponse {
    desk.shop.send(with_bearer(put_request(OWN, body), token)).await
}

#[actix_web::test]
async fn back_office_draws_a_pin_and_removes_it() {
    let desk = OfficeClient::open().await;
    let login = desk.shop.log_in_native("cashier").await;
    let path = format!("/users/{}/pin", login.text_at("/session/user/id"));
    let drawn = desk.post(&path, json!({})).await;
    let pin = drawn.text_at("/pin");
    assert_eq!((drawn.status.as_u16(), drawn.json()), (201, json!({ "pin": pin, "due": true })));
    assert!(pin.len() == 6 && pin.bytes().all(|byte| byte.is_ascii_digit()), "{pin}");
    let without_body = desk.send(Method::POST, &path, None, None).await;
    assert_eq!(without_body.status, 201);
    assert_ne!(without_body.text_at("/pin"), pin);
    let session = format!("/sessions/{}", login.text_at("/session/id"));
    assert_eq!(desk.get(&session).await.json()["ended_at"], Value::Null, "sessions continue");
    for _ in 0..2 {
        assert_eq!(desk.send(Method::DELETE, &path, None, None).await.status, 204);
    }
    let events = desk.shop.store.inner.audit_events();
    let count = |action: Action| events.iter().filter(|event| event.action == action).count();
    assert_eq!((count(Action::PinSet), count(Action::PinRemove)), (2, 1));
    assert!(events.iter().all(|event| !format!("{event:?}").contains(&pin)));
}

#[actix_web::test]
async fn nobody_draws_a_pin_for_themselves() {
    let desk = OfficeClient::open().await;
    let own = desk.get("/sessions/current").await.text_at("/user/id");
    let response = desk.post(&format!("/users/{own}/pin"), json!({})).await;
    assert_eq!(violations(&response), (409, "pin_self".to_owned(), vec![]));
    assert!(response.text_at("/detail").contains("/sessions/current/pin"), "{}", response.json());
    let kiosk = json!({ "user_name": "kiosk", "feature": "kiosk" });
    let kiosk = desk.post("/users", kiosk).await.text_at("/id");
    assert_eq!(
        violations(&desk.post(&format!("/users/{kiosk}/pin"), json!({})).await),
        (409, "user_virtual".into(), vec![])
    );
    let unknown = "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5";
    assert_eq!(desk.post(&format!("/users/{unknown}/pin"), json!({})).await.status, 404);
    let extra = desk.post(&format!("/users/{kiosk}/pin"), json!({ "pin": "905817" })).await;
    assert_eq!(violations(&extra).0, 422, "a PIN is drawn, not chosen by others");
}

#[actix_web::test]
async fn users_set_their_own_pin() {
    let desk = OfficeClient::open().await;
    let token = desk.shop.log_in_native("cashier").await.text_at("/access_token");
    let chosen = set_own(&desk, &token, json!({ "password": TEST_PASSWORD, "new_pin": "905817" })).await;
    assert_eq!((chosen.status.as_u16(), chosen.json()), (200, json!({ "due": false })));
    for (pin, code) in [
        ("905817", "pin_same"),
        ("123456", "pin_common"),
        ("471", "pin_short"),
        ("47a5", "pin_malformed"),
        ("", "pin_short"),
    ] {
        let denied = set_own(&desk, &token, json!({ "password": TEST_PASSWORD, "new_pin": pin })).await;
        assert_eq!(violations(&denied), (422, code.to_owned(), expected_pointers(&[("/new_pin", "weak")])), "{pin}");
    }
    let drawn = set_own(&desk, &token, json!({ "password": TEST_PASSWORD })).await;
    assert_eq!((drawn.status.as_u16(), drawn.text_at("/pin").len()), (200, 6));
    let both = set_own(&desk, &token, json!({ "password": 5, "new_pin": "12" })).await;
    let expected = expected_pointers(&[("/new_pin", "weak"), ("/password", "type")]);
    assert_eq!(violations(&both), (422, "fields_invalid".to_owned(), expected));
    let wrong = set_own(&desk, &token, json!({ "password": "wrong horse", "new_pin": "384017" })).await;
    assert_eq!(violations(&wrong), (403, "password_wrong".to_owned(), vec![]));
    let missing = set_own(&desk, &token, json!({ "new_pin": "384017" })).await;
    assert_eq!(violations(&missing).2, expected_pointers(&[("/password", "required")]));
}
