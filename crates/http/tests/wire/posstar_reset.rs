//! PosStar: whoever has forgotten their password is mailed a token that sets another, once.

use std::time::Duration;

use serde_json::json;
use tillgate_domain::office::ports::ResetRequest;
use tillgate_domain::office::{self, Grant, OfficeView, Taken};
use tillgate_domain::{Email, ResetId, Store, StoreExt, User, UserId, UserStatus};

use crate::posstar::{ME, REFRESH, login, refused, register, unauthorized};
use crate::shop::{Answer, Shop};

const FORGOT: &str = "/posstar/api/v1/auth/forgot-password";
const RESET: &str = "/posstar/api/v1/auth/reset-password";
const SENT: &str = r#"{"message":"If the email exists, a reset link has been sent."}"#;

/// The requests that wait to be looked at.
fn waiting(shop: &Shop) -> Vec<ResetRequest> {
    let (store, now): (&dyn Store<OfficeView>, _) = (&*shop.store.memory, shop.auth.time().at);
    store.read(|tx| tx.resets().due(now, 100)).unwrap()
}

/// Takes the only request up as whoever sends mail does: where the mail goes, and the token in it.
fn mailed(shop: &Shop) -> Option<(String, String)> {
    let [request] = waiting(shop).try_into().unwrap();
    let (token, digest) = shop.auth.draw_reset().unwrap();
    let now = shop.auth.time().at;
    let (expires_at, again_at) = (now.after(Duration::from_mins(30)), now.after(Duration::from_mins(2)));
    let stamp = shop.auth.own_stamp(None).unwrap();
    let grant = Grant { digest, expires_at, again_at };
    let taken = office::grant_reset(&*shop.store, &stamp, &request, &grant).unwrap();
    if let Taken::Mail(to) = taken {
        office::settle_reset(&*shop.store, request.id).unwrap();
        Some((to.to_string(), token.expose().clone()))
    } else {
        assert_eq!(taken, Taken::Nobody);
        None
    }
}

async fn forgot(shop: &Shop, email: &str) {
    let answer = shop.post(FORGOT, json!({ "email": email })).await;
    assert_eq!((answer.status.as_u16(), String::from_utf8_lossy(&answer.bytes).as_ref()), (200, SENT), "{email}");
    assert_eq!(answer.header("content-type"), "application/json");
}

async fn reset(shop: &Shop, token: &str, password: &str) -> Answer {
    shop.post(RESET, json!({ "token": token, "password": password })).await
}

const SPENT: &str = "token is not valid, or no longer";

#[actix_web::test]
async fn whoever_forgot_their_password_sets_another_and_every_session_ends() {
    let shop = Shop::open();
    let before = register(&shop, "Rita@example.com").await.text("/access_token");
    let other = register(&shop, "other@example.com").await.text("/access_token");
    forgot(&shop, " rita@EXAMPLE.com ").await;
    let (to, token) = mailed(&shop).unwrap();
    assert_eq!(to, "Rita@example.com");
    assert!(waiting(&shop).is_empty());
    assert_eq!(shop.get(ME, &before).await.status, 200, "asking ends nothing");

    refused(&reset(&shop, &token, "short").await, 400, "password must have at least 8 characters", "Bad Request");
    let answer = reset(&shop, &token, "another song entirely").await;
    let done = r#"{"message":"Password has been reset."}"#;
    assert_eq!((answer.status.as_u16(), String::from_utf8_lossy(&answer.bytes).as_ref()), (200, done));
    unauthorized(&shop.get(ME, &before).await);
    unauthorized(&shop.post(REFRESH, json!({ "token": before })).await);
    assert_eq!(shop.get(ME, &other).await.status, 200, "nobody else's");
    unauthorized(&login(&shop, "rita@example.com", "a song in the rain").await);
    assert_eq!(login(&shop, "rita@example.com", "another song entirely").await.status, 200);
    refused(&reset(&shop, &token, "a third song of hers").await, 400, SPENT, "Bad Request");
}

#[actix_web::test]
async fn a_token_is_good_for_half_an_hour_and_voids_all_before_it_when_it_is_used() {
    let shop = Shop::open();
    register(&shop, "rita@example.com").await;
    forgot(&shop, "rita@example.com").await;
    let (_, first) = mailed(&shop).unwrap();
    forgot(&shop, "rita@example.com").await;
    assert_eq!(mailed(&shop), None, "a moment ago somebody was mailed already");
    shop.clock.pass(Duration::from_mins(1));
    forgot(&shop, "rita@example.com").await;
    let (_, second) = mailed(&shop).unwrap();
    assert_eq!(reset(&shop, &second, "another song entirely").await.status, 200);
    refused(&reset(&shop, &first, "a third song of hers").await, 400, SPENT, "Bad Request");
    shop.clock.pass(Duration::from_mins(1));
    forgot(&shop, "rita@example.com").await;
    let (_, late) = mailed(&shop).unwrap();
    shop.clock.pass(Duration::from_mins(30));
    refused(&reset(&shop, &late, "a third song of hers").await, 400, SPENT, "Bad Request");
    assert_eq!(login(&shop, "rita@example.com", "another song entirely").await.status, 200);
}

#[actix_web::test]
async fn nobody_is_mailed_who_could_not_log_in() {
    let shop = Shop::open();
    for email in ["nobody@example.com", "idle@example.com", "virtual@example.com"] {
        forgot(&shop, email).await;
        assert_eq!(mailed(&shop), None, "{email}");
        assert!(waiting(&shop).is_empty(), "{email}");
    }
    for email in ["no address", "", "@"] {
        forgot(&shop, email).await;
        assert!(waiting(&shop).is_empty(), "{email}");
    }
    for body in [json!({}), json!({ "email": null }), json!({ "email": 7 })] {
        assert_eq!(shop.post(FORGOT, body).await.status, 400);
    }
    for body in [json!({}), json!({ "token": "x" }), json!({ "password": "a third song of hers" })] {
        assert_eq!(shop.post(RESET, body).await.status, 400);
    }
    for token in ["", "x", &"x".repeat(10_000)] {
        refused(&reset(&shop, token, "a third song of hers").await, 400, SPENT, "Bad Request");
    }
}

#[actix_web::test]
async fn a_token_is_for_the_address_that_it_went_to_and_for_who_is_still_there() {
    for (status, email) in [(UserStatus::Suspended, "rita@example.com"), (UserStatus::Active, "new@example.com")] {
        let shop = Shop::open();
        let id: UserId = register(&shop, "rita@example.com").await.text("/user/id").parse().unwrap();
        forgot(&shop, "rita@example.com").await;
        let (_, token) = mailed(&shop).unwrap();
        let store: &dyn Store<OfficeView> = &*shop.store;
        let changed = store.write(|tx| {
            let user = tx.users().find(id)?.unwrap();
            tx.users().update(&User { status, email: Some(Email::parse(email).unwrap()), ..user })
        });
        assert!(changed.unwrap());
        refused(&reset(&shop, &token, "another song entirely").await, 400, SPENT, "Bad Request");
    }
}

#[actix_web::test]
async fn a_mail_that_cannot_be_sent_is_tried_again_with_another_token() {
    let shop = Shop::open();
    register(&shop, "rita@example.com").await;
    forgot(&shop, "rita@example.com").await;
    let [request] = waiting(&shop).try_into().unwrap();
    let now = shop.auth.time().at;
    let (token, digest) = shop.auth.draw_reset().unwrap();
    let grant =
        Grant { digest, expires_at: now.after(Duration::from_mins(30)), again_at: now.after(Duration::from_mins(2)) };
    let stamp = || shop.auth.own_stamp(None).unwrap();
    assert!(matches!(office::grant_reset(&*shop.store, &stamp(), &request, &grant).unwrap(), Taken::Mail(_)));
    assert_eq!(office::grant_reset(&*shop.store, &stamp(), &request, &grant).unwrap(), Taken::Lost, "one takes it up");
    assert!(waiting(&shop).is_empty(), "it is left to them for a while");
    office::retry_reset(&*shop.store, request.id, &grant, now.after(Duration::from_secs(5))).unwrap();
    refused(&reset(&shop, token.expose(), "another song entirely").await, 400, SPENT, "Bad Request");
    assert!(waiting(&shop).is_empty(), "not yet");
    shop.clock.pass(Duration::from_secs(5));
    let (_, token) = mailed(&shop).unwrap();
    assert_eq!(reset(&shop, &token, "another song entirely").await.status, 200);
}

#[actix_web::test]
async fn mail_that_is_refused_for_good_is_not_tried_again() {
    let shop = Shop::open();
    register(&shop, "rita@example.com").await;
    forgot(&shop, "rita@example.com").await;
    let [request] = waiting(&shop).try_into().unwrap();
    let now = shop.auth.time().at;
    let (token, digest) = shop.auth.draw_reset().unwrap();
    let grant =
        Grant { digest, expires_at: now.after(Duration::from_mins(30)), again_at: now.after(Duration::from_mins(2)) };
    let stamp = shop.auth.own_stamp(None).unwrap();
    assert!(matches!(office::grant_reset(&*shop.store, &stamp, &request, &grant).unwrap(), Taken::Mail(_)));
    office::abandon_reset(&*shop.store, request.id, &grant).unwrap();
    shop.clock.pass(Duration::from_hours(1));
    assert!(waiting(&shop).is_empty());
    refused(&reset(&shop, token.expose(), "another song entirely").await, 400, SPENT, "Bad Request");
}

#[actix_web::test]
async fn password_of_a_reset_is_not_made_of_the_names_of_the_account() {
    let shop = Shop::open();
    register(&shop, "rita@example.com").await;
    forgot(&shop, "rita@example.com").await;
    let (_, token) = mailed(&shop).unwrap();
    let answer = reset(&shop, &token, "Rita-2026").await;
    let sentence = "the password must not be made of the name \"rita\"; add other words";
    assert_eq!((answer.status.as_u16(), answer.text("/message").as_str()), (400, sentence));
    assert_eq!(reset(&shop, &token, "rita likes the rain").await.status, 200, "the token is not spent by a refusal");
}

#[actix_web::test]
async fn requests_for_nobody_are_settled_together_and_the_others_take_turns() {
    let shop = Shop::open();
    for number in 1..=3 {
        register(&shop, &format!("rita{number}@example.com")).await;
    }
    let now = shop.auth.time().at;
    let ask = |email: &str, from: &str| {
        let id = shop.auth.id(ResetId::new).unwrap();
        let (email, address) = (Email::parse(email).unwrap(), from.parse().ok());
        let request = ResetRequest { id, email, tenant: None, address, asked_at: now, due_at: now, tries: 0 };
        office::ask_reset(&*shop.store.memory, &request).unwrap();
    };
    for number in 0..2500 {
        ask(&format!("nobody{number}@example.com"), "198.51.100.7");
    }
    ask("idle@example.com", "198.51.100.7");
    for email in ["rita1@example.com", "RITA1@example.com", "rita2@example.com"] {
        ask(email, "198.51.100.8");
    }
    ask("rita3@example.com", "203.0.113.5");
    let pending = office::pending_resets(&*shop.store.memory, now, 20).unwrap();
    let emails: Vec<String> = pending.iter().map(|request| request.email.to_string()).collect();
    assert_eq!(emails.len(), 3, "{emails:?}");
    // all were asked at once, so their ids say nothing; each network has its turn before one has a second
    assert!(emails[..2].contains(&"rita3@example.com".to_owned()), "{emails:?}");
    assert_eq!(waiting(&shop).len(), 3, "the others are gone");
    assert_eq!(office::pending_resets(&*shop.store.memory, now, 1).unwrap().len(), 1);
}

#[actix_web::test]
async fn the_store_holds_no_token_and_the_log_no_address() {
    let shop = Shop::open();
    register(&shop, "quiet@example.com").await;
    forgot(&shop, "quiet@example.com").await;
    let (_, token) = mailed(&shop).unwrap();
    assert_eq!(reset(&shop, &token, "another song entirely").await.status, 200);
    let log = crate::log::logged();
    assert!(log.contains("/auth/reset-password") && !log.contains(&token) && !log.contains("quiet@example.com"));
}
