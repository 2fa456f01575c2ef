//! PosStar's password reset: a token by mail sets a new password once.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::json;
use tillgate_auth_core::OneTimeToken;
use tillgate_domain::office::ports::ResetRequest;
use tillgate_domain::office::{self, Office, OfficePorts, ResetDispatch, ResetGrant};
use tillgate_domain::{Action, Email, EventOutcome, ResetId, Store, StoreExt, User, UserId, UserStatus};

use crate::invitations::set_email;
use crate::posstar::{ME, REFRESH, assert_error, assert_unauthorized, login, register};
use crate::test_server::{TestResponse, TestServer, build_request, with_bearer};

const FORGOT: &str = "/posstar/api/v1/auth/forgot-password";
const RESET: &str = "/posstar/api/v1/auth/reset-password";
const SENT_BODY: &str = r#"{"message":"If the email exists, a reset link has been sent."}"#;

/// The pending requests.
fn pending_requests(shop: &TestServer) -> Vec<ResetRequest> {
    let (store, now): (&dyn Store<OfficePorts>, _) = (&*shop.store.inner, shop.auth.time().at);
    store.read("test", |tx| tx.resets().list_due(now, 100)).unwrap()
}

/// Takes the only request like the thread that sends mail, and returns the address and the token of
/// the mail.
fn take_mail(shop: &TestServer) -> Option<(String, String)> {
    let [request] = pending_requests(shop).try_into().unwrap();
    let OneTimeToken { token, digest } = shop.auth.generate_link_token().unwrap();
    let now = shop.auth.time().at;
    let (expires_at, again_at) =
        (now.saturating_add(Duration::from_mins(30)), now.saturating_add(Duration::from_mins(2)));
    let stamp = shop.auth.system_context(None).unwrap();
    let grant = ResetGrant { digest, expires_at, retry_at: again_at };
    let taken = office::unguarded::grant_reset(&*shop.store, &stamp, &request, &grant).unwrap();
    if let ResetDispatch::Mail { to, locale } = taken {
        assert_eq!(locale.as_str(), "en", "the language of a registered vendor");
        office::unguarded::complete_reset(&*shop.store, request.id).unwrap();
        Some((to.to_string(), token.expose().clone()))
    } else {
        assert_eq!(taken, ResetDispatch::Discarded);
        None
    }
}

async fn forgot(shop: &TestServer, email: &str) {
    let response = shop.post(FORGOT, json!({ "email": email })).await;
    assert_eq!(
        (response.status.as_u16(), String::from_utf8_lossy(&response.bytes).as_ref()),
        (200, SENT_BODY),
        "{email}"
    );
    assert_eq!(response.header("content-type"), "application/json");
}

async fn reset(shop: &TestServer, token: &str, password: &str) -> TestResponse {
    shop.post(RESET, json!({ "token": token, "password": password })).await
}

const SPENT_MESSAGE: &str = "token is invalid or has expired";

#[actix_web::test]
async fn password_reset_sets_password_and_ends_sessions() {
    let shop = TestServer::start();
    let before = register(&shop, "Rita@example.com").await.text_at("/access_token");
    let other = register(&shop, "other@example.com").await.text_at("/access_token");
    forgot(&shop, " rita@EXAMPLE.com ").await;
    let (to, token) = take_mail(&shop).unwrap();
    assert_eq!(to, "Rita@example.com");
    assert!(pending_requests(&shop).is_empty());
    assert_eq!(shop.get(ME, &before).await.status, 200, "asking ends nothing");

    assert_error(&reset(&shop, &token, "short").await, 400, "password must have at least 8 characters", "Bad Request");
    let response = reset(&shop, &token, "another song entirely").await;
    let done = r#"{"message":"Password has been reset."}"#;
    assert_eq!((response.status.as_u16(), String::from_utf8_lossy(&response.bytes).as_ref()), (200, done));
    assert_unauthorized(&shop.get(ME, &before).await);
    assert_unauthorized(&shop.post(REFRESH, json!({ "token": before })).await);
    assert_eq!(shop.get(ME, &other).await.status, 200, "sessions of others continue");
    assert_unauthorized(&login(&shop, "rita@example.com", "a song in the rain").await);
    assert_eq!(login(&shop, "rita@example.com", "another song entirely").await.status, 200);
    assert_error(&reset(&shop, &token, "a third song of hers").await, 400, SPENT_MESSAGE, "Bad Request");
    let denied = shop.store.inner.audit_events().pop().unwrap();
    assert_eq!((denied.action, denied.outcome), (Action::OneTimeTokenUse, EventOutcome::Refused));
    assert_eq!(denied.details["token"], "password_reset");
    assert!(!format!("{:?}", denied.details).contains(&token), "the token is not recorded");
}

#[actix_web::test]
async fn reset_token_lasts_half_an_hour_and_voids_earlier_ones() {
    let shop = TestServer::start();
    register(&shop, "rita@example.com").await;
    forgot(&shop, "rita@example.com").await;
    let (_, first) = take_mail(&shop).unwrap();
    forgot(&shop, "rita@example.com").await;
    assert_eq!(take_mail(&shop), None, "a mail was sent a moment ago");
    shop.clock.advance(Duration::from_mins(1));
    forgot(&shop, "rita@example.com").await;
    let (_, second) = take_mail(&shop).unwrap();
    assert_eq!(reset(&shop, &second, "another song entirely").await.status, 200);
    assert_error(&reset(&shop, &first, "a third song of hers").await, 400, SPENT_MESSAGE, "Bad Request");
    shop.clock.advance(Duration::from_mins(1));
    forgot(&shop, "rita@example.com").await;
    let (_, late) = take_mail(&shop).unwrap();
    shop.clock.advance(Duration::from_mins(30));
    assert_error(&reset(&shop, &late, "a third song of hers").await, 400, SPENT_MESSAGE, "Bad Request");
    assert_eq!(login(&shop, "rita@example.com", "another song entirely").await.status, 200);
}

#[actix_web::test]
async fn password_set_otherwise_and_suspension_void_a_reset_token() {
    let shop = TestServer::start();
    register(&shop, "rita@example.com").await;
    forgot(&shop, "rita@example.com").await;
    let (_, token) = take_mail(&shop).unwrap();
    let login = json!({ "login": "rita@example.com", "password": "a song in the rain" });
    let access = shop.post("/api/v1/sessions", login).await.text_at("/access_token");
    let own = json!({ "current_password": "a song in the rain", "password": "a tune in the snow" });
    let change = build_request(Method::PUT, "/api/v1/sessions/current/password").set_json(own);
    assert_eq!(shop.send(with_bearer(change, &access)).await.status, 200);
    assert_error(&reset(&shop, &token, "another song entirely").await, 400, SPENT_MESSAGE, "Bad Request");

    let id = shop.log_in_native("cashier").await.text_at("/session/user/id");
    set_email(&shop, &id, Some("cashier@example.com")).await;
    forgot(&shop, "cashier@example.com").await;
    let (_, token) = take_mail(&shop).unwrap();
    let id: UserId = id.parse().unwrap();
    let store: &dyn Store<OfficePorts> = &*shop.store;
    let tenant = store.read("test", |tx| tx.users().find(id)).unwrap().unwrap().tenant;
    for status in [UserStatus::Suspended, UserStatus::Active] {
        let office = Office::new(store, tenant, shop.auth.system_context(None).unwrap());
        office.set_user_status(id, status).unwrap().unwrap();
    }
    assert_error(&reset(&shop, &token, "another song entirely").await, 400, SPENT_MESSAGE, "Bad Request");
    shop.log_in_native("cashier").await;
}

#[actix_web::test]
async fn ineligible_account_gets_no_mail() {
    let shop = TestServer::start();
    for email in ["nobody@example.com", "idle@example.com", "virtual@example.com"] {
        forgot(&shop, email).await;
        assert_eq!(take_mail(&shop), None, "{email}");
        assert!(pending_requests(&shop).is_empty(), "{email}");
    }
    for email in ["no address", "", "@"] {
        forgot(&shop, email).await;
        assert!(pending_requests(&shop).is_empty(), "{email}");
    }
    for body in [json!({}), json!({ "email": null }), json!({ "email": 7 })] {
        assert_eq!(shop.post(FORGOT, body).await.status, 400);
    }
    for body in [json!({}), json!({ "token": "x" }), json!({ "password": "a third song of hers" })] {
        assert_eq!(shop.post(RESET, body).await.status, 400);
    }
    for token in ["", "x", &"x".repeat(10_000)] {
        assert_error(&reset(&shop, token, "a third song of hers").await, 400, SPENT_MESSAGE, "Bad Request");
    }
}

#[actix_web::test]
async fn reset_token_is_bound_to_its_address_and_user() {
    for (status, email) in [(UserStatus::Suspended, "rita@example.com"), (UserStatus::Active, "new@example.com")] {
        let shop = TestServer::start();
        let id: UserId = register(&shop, "rita@example.com").await.text_at("/user/id").parse().unwrap();
        forgot(&shop, "rita@example.com").await;
        let (_, token) = take_mail(&shop).unwrap();
        let store: &dyn Store<OfficePorts> = &*shop.store;
        let changed = store.write("test", |tx| {
            let user = tx.users().find(id)?.unwrap();
            tx.users().update(&User { status, email: Some(Email::parse(email).unwrap()), ..user })
        });
        assert!(changed.unwrap());
        assert_error(&reset(&shop, &token, "another song entirely").await, 400, SPENT_MESSAGE, "Bad Request");
    }
}

#[actix_web::test]
async fn failed_mail_is_retried_with_a_new_token() {
    let shop = TestServer::start();
    register(&shop, "rita@example.com").await;
    forgot(&shop, "rita@example.com").await;
    let [request] = pending_requests(&shop).try_into().unwrap();
    let now = shop.auth.time().at;
    let OneTimeToken { token, digest } = shop.auth.generate_link_token().unwrap();
    let grant = ResetGrant {
        digest,
        expires_at: now.saturating_add(Duration::from_mins(30)),
        retry_at: now.saturating_add(Duration::from_mins(2)),
    };
    let stamp = || shop.auth.system_context(None).unwrap();
    assert!(matches!(
        office::unguarded::grant_reset(&*shop.store, &stamp(), &request, &grant).unwrap(),
        ResetDispatch::Mail { .. }
    ));
    assert_eq!(
        office::unguarded::grant_reset(&*shop.store, &stamp(), &request, &grant).unwrap(),
        ResetDispatch::AlreadyClaimed,
        "one takes it up"
    );
    assert!(pending_requests(&shop).is_empty(), "it is left to them for a while");
    office::unguarded::retry_reset(&*shop.store, request.id, &grant, now.saturating_add(Duration::from_secs(5)))
        .unwrap();
    assert_error(&reset(&shop, token.expose(), "another song entirely").await, 400, SPENT_MESSAGE, "Bad Request");
    assert!(pending_requests(&shop).is_empty(), "not yet");
    shop.clock.advance(Duration::from_secs(5));
    let (_, token) = take_mail(&shop).unwrap();
    assert_eq!(reset(&shop, &token, "another song entirely").await.status, 200);
}

#[actix_web::test]
async fn permanently_refused_mail_is_not_retried() {
    let shop = TestServer::start();
    register(&shop, "rita@example.com").await;
    forgot(&shop, "rita@example.com").await;
    let [request] = pending_requests(&shop).try_into().unwrap();
    let now = shop.auth.time().at;
    let OneTimeToken { token, digest } = shop.auth.generate_link_token().unwrap();
    let grant = ResetGrant {
        digest,
        expires_at: now.saturating_add(Duration::from_mins(30)),
        retry_at: now.saturating_add(Duration::from_mins(2)),
    };
    let stamp = shop.auth.system_context(None).unwrap();
    assert!(matches!(
        office::unguarded::grant_reset(&*shop.store, &stamp, &request, &grant).unwrap(),
        ResetDispatch::Mail { .. }
    ));
    office::unguarded::abandon_reset(&*shop.store, request.id, &grant).unwrap();
    shop.clock.advance(Duration::from_hours(1));
    assert!(pending_requests(&shop).is_empty());
    assert_error(&reset(&shop, token.expose(), "another song entirely").await, 400, SPENT_MESSAGE, "Bad Request");
}

#[actix_web::test]
async fn reset_password_must_not_contain_account_names() {
    let shop = TestServer::start();
    register(&shop, "rita@example.com").await;
    forgot(&shop, "rita@example.com").await;
    let (_, token) = take_mail(&shop).unwrap();
    let response = reset(&shop, &token, "Rita-2026").await;
    let sentence = "the password must not be made of the name \"rita\"; add other words";
    assert_eq!((response.status.as_u16(), response.text_at("/message").as_str()), (400, sentence));
    assert_eq!(reset(&shop, &token, "rita likes the rain").await.status, 200, "the token is not spent by a refusal");
}

#[actix_web::test]
async fn unknown_addresses_are_settled_together_and_others_take_turns() {
    let shop = TestServer::start();
    for number in 1..=3 {
        register(&shop, &format!("rita{number}@example.com")).await;
    }
    let now = shop.auth.time().at;
    let ask = |email: &str, from: &str| {
        let id = shop.auth.new_id(ResetId::new).unwrap();
        let (email, address) = (Email::parse(email).unwrap(), from.parse().ok());
        let request = ResetRequest { id, email, tenant: None, address, requested_at: now, due_at: now, tries: 0 };
        office::unguarded::request_reset(&*shop.store.inner, &request).unwrap();
    };
    for number in 0..2500 {
        ask(&format!("nobody{number}@example.com"), "198.51.100.7");
    }
    ask("idle@example.com", "198.51.100.7");
    for email in ["rita1@example.com", "RITA1@example.com", "rita2@example.com"] {
        ask(email, "198.51.100.8");
    }
    ask("rita3@example.com", "203.0.113.5");
    let pending = office::unguarded::select_pending_resets(&*shop.store.inner, now, 20).unwrap();
    let emails: Vec<String> = pending.iter().map(|request| request.email.to_string()).collect();
    assert_eq!(emails.len(), 3, "{emails:?}");
    // all were requested at the same time, so their ids have no order; each network has its turn
    // before one has a second
    assert!(emails[..2].contains(&"rita3@example.com".to_owned()), "{emails:?}");
    assert_eq!(pending_requests(&shop).len(), 3, "the others were removed");
    assert_eq!(office::unguarded::select_pending_resets(&*shop.store.inner, now, 1).unwrap().len(), 1);
}

#[actix_web::test]
async fn store_holds_no_reset_token_and_log_no_address() {
    let shop = TestServer::start();
    register(&shop, "quiet@example.com").await;
    forgot(&shop, "quiet@example.com").await;
    let (_, token) = take_mail(&shop).unwrap();
    assert_eq!(reset(&shop, &token, "another song entirely").await.status, 200);
    let log = crate::captured_log::captured_log();
    assert!(log.contains("/auth/reset-password") && !log.contains(&token) && !log.contains("quiet@example.com"));
}
