//! Verification of e-mail addresses: who may request the mail, and what its link does.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::json;
use tillgate_domain::Action;

use crate::invitations::{mailing_server, send_queued_mails, set_email};
use crate::office::create_role;
use crate::office_browser::{Browser, server};
use crate::test_server::{StoreState, TEST_PASSWORD, TestResponse, TestServer, build_request, with_bearer};

const PAGE: &str = "/office/verify-email";

fn text(response: &TestResponse) -> String {
    String::from_utf8(response.bytes.clone()).unwrap()
}

/// Requests the verification mail of a user, as a user of this name.
async fn request_as(shop: &TestServer, login: &str, id: &str) -> TestResponse {
    let token = shop.log_in_native(login).await.text_at("/access_token");
    let request = build_request(Method::POST, &format!("/api/v1/users/{id}/email-verification"));
    shop.send(with_bearer(request, &token)).await
}

async fn user_id(shop: &TestServer, login: &str) -> String {
    shop.log_in_native(login).await.text_at("/session/user/id")
}

/// The instant at which the user's address was verified, if it was.
async fn verified_at(shop: &TestServer, id: &str) -> Option<String> {
    let admin = shop.log_in_native("admin").await.text_at("/access_token");
    let user = shop.get(&format!("/api/v1/users/{id}"), &admin).await.json();
    user["email_verified_at"].as_str().map(str::to_owned)
}

/// Presses the button of the page.
async fn press(shop: &TestServer, token: &str) -> TestResponse {
    let request = build_request(Method::POST, PAGE).insert_header(("Sec-Fetch-Site", "same-origin"));
    Browser::new(shop).send_raw(request.set_form([("token", token)])).await
}

#[actix_web::test]
async fn address_is_verified_by_the_button_once_and_not_by_the_link() {
    let shop = mailing_server();
    let id = user_id(&shop, "cashier").await;
    set_email(&shop, &id, Some("cashier@example.com")).await;
    let requested = request_as(&shop, "cashier", &id).await;
    assert_eq!(requested.status, 202, "{}", requested.json());
    let expected = json!({ "email": "cashier@example.com", "expires_at": "2026-11-22T12:00:00.000Z" });
    assert_eq!(requested.json(), expected);
    let again = request_as(&shop, "admin", &id).await;
    assert_eq!((again.status.as_u16(), again.text_at("/code").as_str()), (429, "mailed_recently"));
    let mails = send_queued_mails(&shop);
    let [(to, token)] = mails.as_slice() else { panic!("{mails:?}") };
    assert_eq!(to, "cashier@example.com");

    for _ in 0..3 {
        let page = Browser::new(&shop).get(&format!("{PAGE}?token={token}")).await;
        assert_eq!(page.status, 200);
        assert!(text(&page).contains(&format!("value=\"{token}\"")) && !text(&page).contains("<script"));
    }
    assert_eq!(verified_at(&shop, &id).await, None, "opening the link changes nothing");
    let foreign = build_request(Method::POST, PAGE).insert_header(("Sec-Fetch-Site", "cross-site"));
    assert_eq!(Browser::new(&shop).send_raw(foreign.set_form([("token", token)])).await.status, 403);

    let verified = press(&shop, token).await;
    assert_eq!(verified.status, 200);
    assert!(text(&verified).contains("is verified"), "{}", text(&verified));
    assert_eq!(verified_at(&shop, &id).await.as_deref(), Some("2026-11-21T12:00:00.000Z"));
    let used = press(&shop, token).await;
    assert_eq!(used.status, 422);
    assert!(text(&used).contains("wrong, used or expired"), "{}", text(&used));
    let events = shop.store.inner.audit_events();
    let of = |action| events.iter().rfind(|event| event.action == action).unwrap();
    assert_eq!(of(Action::EmailVerify).details["mailed_to"], "cashier@example.com");
    assert_eq!(of(Action::EmailVerified).details["email"], "cashier@example.com");
    shop.clock.advance(Duration::from_mins(2));
    let done = request_as(&shop, "cashier", &id).await;
    assert_eq!((done.status.as_u16(), done.text_at("/code").as_str()), (409, "email_already_verified"));
}

#[actix_web::test]
async fn page_names_shop_and_address_only_to_the_owner_of_a_valid_token() {
    let shop = mailing_server();
    let id = user_id(&shop, "cashier").await;
    set_email(&shop, &id, Some("cashier@example.com")).await;
    assert_eq!(request_as(&shop, "cashier", &id).await.status, 202);
    let token = send_queued_mails(&shop).pop().unwrap().1;
    let open = async |token: &str| Browser::new(&shop).get(&format!("{PAGE}?token={token}")).await;
    let subject = ["<dd>default</dd>", "<dd>cashier@example.com</dd>"];
    let valid = open(&token).await;
    assert_eq!(valid.status, 200);
    assert!(subject.iter().all(|part| text(&valid).contains(part)), "{}", text(&valid));

    shop.store.set_state(StoreState::Unavailable);
    let unavailable = open(&token).await;
    assert_eq!((unavailable.status.as_u16(), unavailable.header("retry-after")), (503, "1"));
    assert!(text(&unavailable).contains(&format!("value=\"{token}\"")), "{}", text(&unavailable));
    shop.store.set_state(StoreState::Healthy);

    let denials = || {
        let events = shop.store.inner.audit_events().into_iter();
        events.filter(|event| event.action == Action::OneTimeTokenUse).collect::<Vec<_>>()
    };
    assert_eq!(denials().len(), 0, "nothing was decided about the token");
    let unknown = open("guess").await;
    assert_eq!(unknown.status, 422);
    assert_eq!(denials()[0].details["token"], "email_verification");
    assert!(text(&unknown).contains("wrong, used or expired"), "{}", text(&unknown));
    assert!(!text(&unknown).contains("<dd>") && !text(&unknown).contains("<form"), "{}", text(&unknown));
    shop.clock.advance(Duration::from_hours(24));
    for invalid in [open(&token).await, open("").await] {
        assert_eq!((invalid.status, text(&invalid)), (unknown.status, text(&unknown)), "the reason is not revealed");
    }
    assert_eq!(denials().len(), 2, "the page without a token is no guess");
    assert_eq!(press(&shop, &token).await.status, 422);
    assert_eq!(denials().len(), 3);
}

/// Opening the link says whether a token is valid, so it counts as a guess.
#[actix_web::test]
async fn guesses_by_opening_the_link_are_limited() {
    let shop = mailing_server();
    let mut statuses = Vec::new();
    for _ in 0..25 {
        statuses.push(Browser::new(&shop).get(&format!("{PAGE}?token=guess")).await.status.as_u16());
    }
    assert!(statuses.starts_with(&[422]) && statuses.ends_with(&[429]), "{statuses:?}");
}

#[actix_web::test]
async fn new_request_time_and_another_address_revoke_the_link() {
    let shop = mailing_server();
    let id = user_id(&shop, "cashier").await;
    set_email(&shop, &id, Some("cashier@example.com")).await;
    let send = async || {
        let requested = request_as(&shop, "cashier", &id).await;
        assert_eq!(requested.status, 202, "{}", requested.json());
        send_queued_mails(&shop).pop().unwrap().1
    };
    let first = send().await;
    shop.clock.advance(Duration::from_mins(1));
    let second = send().await;
    for void in [first.as_str(), "", "x"] {
        assert_eq!(press(&shop, void).await.status, 422, "{void}");
    }
    shop.clock.advance(Duration::from_hours(24));
    assert_eq!(press(&shop, &second).await.status, 422);
    let third = send().await;
    let change = async |email: &str| set_email(&shop, &id, Some(email)).await;
    change("other@example.com").await;
    assert_eq!(press(&shop, &third).await.status, 422);
    change("cashier@example.com").await;
    assert_eq!(press(&shop, &third).await.status, 200, "the address has not changed in the end");
    assert!(verified_at(&shop, &id).await.is_some());
    change("other@example.com").await;
    assert_eq!(verified_at(&shop, &id).await, None);
}

#[actix_web::test]
async fn verification_of_another_user_requires_what_a_change_requires() {
    let shop = mailing_server();
    create_role(&shop, "staffing", &["userUpdate", "userRead"]);
    let (admin, cashier, witness) =
        (user_id(&shop, "admin").await, user_id(&shop, "cashier").await, user_id(&shop, "witness").await);
    shop.set_user_role(&witness, "staffing");
    let without = request_as(&shop, "cashier", &cashier).await;
    assert_eq!((without.status.as_u16(), without.text_at("/code").as_str()), (409, "email_missing"));
    set_email(&shop, &cashier, Some("cashier@example.com")).await;
    let above = request_as(&shop, "witness", &admin).await;
    assert_eq!((above.status.as_u16(), above.text_at("/code").as_str()), (403, "right_missing"), "{}", above.json());
    assert_eq!(request_as(&shop, "cashier", &admin).await.status, 403);
    assert_eq!(request_as(&shop, "admin", &cashier).await.status, 202);
    assert_eq!(request_as(&shop, "admin", "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5").await.status, 404);
    let stranger = shop.log_in_native("stranger@example.com").await.text_at("/session/user/id");
    assert_eq!(request_as(&shop, "admin", &stranger).await.status, 404);
    let unset = server();
    let id = user_id(&unset, "cashier").await;
    let refused = request_as(&unset, "cashier", &id).await;
    assert_eq!((refused.status.as_u16(), refused.text_at("/code").as_str()), (409, "mail_not_configured"));
}

#[actix_web::test]
async fn browser_requests_the_mail_and_guesses_are_limited() {
    let shop = mailing_server();
    let browser = Browser::new(&shop);
    browser.sign_in("admin").await;
    let id = user_id(&shop, "cashier").await;
    set_email(&shop, &id, Some("cashier@example.com")).await;
    let path = format!("/office/api/v1/users/{id}/email-verification");
    let requested = browser.send(Method::POST, &path, None).await;
    assert_eq!(requested.status, 202, "{}", requested.json());
    let limited = async || {
        for _ in 0..25 {
            let response = press(&shop, "guess").await;
            if response.status == 429 {
                return true;
            }
            assert_eq!(response.status, 422);
        }
        false
    };
    assert!(limited().await);
    let login = shop.post("/api/v1/sessions", json!({ "login": "cashier", "password": TEST_PASSWORD })).await;
    assert_eq!(login.status, 201);
}
