//! Invitations: who may invite whom, and how the invited user chooses a password.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};
use tillgate_domain::Action;
use tillgate_http::HttpSettings;

use crate::mounts::{native, office, posstar};
use crate::office::{OfficeClient, create_role, violations};
use crate::office_browser::{Browser, server};
use crate::posstar::register;
use crate::test_server::{TEST_PASSWORD, TestResponse, TestServer, build_request, post_request, with_bearer};

const PAGE: &str = "/office/invitation";
const NEW_PASSWORD: &str = "a staple of batteries";

async fn user_id(shop: &TestServer, login: &str) -> String {
    shop.log_in_native(login).await.text_at("/session/user/id")
}

/// Invites a user through the native API.
async fn invite_as(shop: &TestServer, inviter: &str, id: &str) -> TestResponse {
    let token = shop.log_in_native(inviter).await.text_at("/access_token");
    let request = build_request(Method::POST, &format!("/api/v1/users/{id}/invitations"));
    shop.send(with_bearer(request, &token)).await
}

async fn invite(shop: &TestServer, id: &str) -> String {
    let invited = invite_as(shop, "admin", id).await;
    assert_eq!(invited.status, 201, "{}", invited.json());
    invited.text_at("/token")
}

/// Sends the form of the page as a browser does.
async fn accept(shop: &TestServer, token: &str, password: &str) -> TestResponse {
    let form = [("token", token), ("new_password", password)];
    let request = build_request(Method::POST, PAGE).insert_header(("Sec-Fetch-Site", "same-origin")).set_form(form);
    Browser::new(shop).send_raw(request).await
}

fn text(answer: &TestResponse) -> String {
    String::from_utf8(answer.bytes.clone()).unwrap()
}

fn assert_invalid(answer: &TestResponse) {
    assert_eq!(answer.status, 422, "{}", text(answer));
    assert!(text(answer).contains("This invitation is wrong, used or expired"), "{}", text(answer));
}

async fn log_in(shop: &TestServer, password: &str) -> u16 {
    shop.post("/api/v1/sessions", json!({ "login": "cashier", "password": password })).await.status.as_u16()
}

#[actix_web::test]
async fn invited_user_chooses_a_password_once() {
    let shop = server();
    let session = shop.log_in_native("cashier").await;
    let id = session.text_at("/session/user/id");
    let invited = invite_as(&shop, "admin", &id).await;
    let token = invited.text_at("/token");
    assert_eq!(invited.text_at("/path"), format!("{PAGE}#{token}"));
    assert_eq!(invited.text_at("/expires_at"), "2026-11-22T12:00:00.000Z");
    assert_eq!(invited.header("cache-control"), "no-store");
    assert_eq!(log_in(&shop, TEST_PASSWORD).await, 201, "an invitation alone changes nothing");

    let page = Browser::new(&shop).get(PAGE).await;
    assert_eq!(page.status, 200);
    assert!(
        text(&page).contains("name=\"token\"") && page.header("content-security-policy").contains("script-src 'self'")
    );
    let weak = accept(&shop, &token, "cashier1").await;
    assert_eq!(weak.status, 422);
    assert!(text(&weak).contains("too weak") && text(&weak).contains(&token), "{}", text(&weak));
    assert!(!text(&weak).contains("cashier1"));

    let accepted = accept(&shop, &format!(" {token} "), NEW_PASSWORD).await;
    assert_eq!((accepted.status.as_u16(), accepted.header("location")), (303, "/office/sign-in?login=cashier"));
    let events = shop.store.memory.audit_events();
    assert!(events.iter().any(|event| event.action == Action::UserInvite));
    let last = events.into_iter().rfind(|event| event.action == Action::Password).unwrap();
    assert_eq!(last.details["why"], "invitation");
    assert_eq!((log_in(&shop, TEST_PASSWORD).await, log_in(&shop, NEW_PASSWORD).await), (401, 201));
    let old = shop.get("/api/v1/sessions/current", &session.text_at("/access_token")).await;
    assert_eq!(old.status, 401, "a new password ends sessions");
    assert_invalid(&accept(&shop, &token, "a third password").await);
}

#[actix_web::test]
async fn user_shows_password_and_invitation() {
    let shop = server();
    let admin = shop.log_in_native("admin").await.text_at("/access_token");
    let added = with_bearer(post_request("/api/v1/users", json!({ "user_name": "nora" })), &admin);
    let id = shop.send(added).await.text_at("/id");
    let show = async || {
        let members = |user: &Value| (user["has_password"].clone(), user["invited_until"].clone());
        let user = shop.get(&format!("/api/v1/users/{id}"), &admin).await.json();
        let listed = shop.get("/api/v1/users?search=nora", &admin).await.json();
        assert_eq!(members(&user), members(&listed["items"][0]));
        members(&user)
    };
    assert_eq!(show().await, (json!(false), json!(null)));
    let token = invite(&shop, &id).await;
    assert_eq!(show().await, (json!(false), json!("2026-11-22T12:00:00.000Z")));
    assert_eq!(accept(&shop, &token, NEW_PASSWORD).await.status, 303);
    assert_eq!(show().await, (json!(true), json!(null)));
}

#[actix_web::test]
async fn newer_invitation_password_suspension_and_time_revoke_an_invitation() {
    let shop = server();
    let id = user_id(&shop, "cashier").await;
    let first = invite(&shop, &id).await;
    let second = invite(&shop, &id).await;
    assert_invalid(&accept(&shop, &first, NEW_PASSWORD).await);
    for unknown in ["", "x", &"x".repeat(10_000)] {
        assert_invalid(&accept(&shop, unknown, NEW_PASSWORD).await);
    }
    let admin = shop.log_in_native("admin").await.text_at("/access_token");
    let send = async |method: Method, path: String, body: Value| {
        let request = build_request(method, &path).insert_header(("If-Match", "*")).set_json(body);
        let answer = shop.send(with_bearer(request, &admin)).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
    };
    let set = json!({ "password": TEST_PASSWORD });
    send(Method::PUT, format!("/api/v1/users/{id}/password"), set).await;
    assert_invalid(&accept(&shop, &second, NEW_PASSWORD).await);

    let third = invite(&shop, &id).await;
    let own = json!({ "current_password": TEST_PASSWORD, "password": NEW_PASSWORD });
    let cashier = shop.log_in_native("cashier").await.text_at("/access_token");
    let change = build_request(Method::PUT, "/api/v1/sessions/current/password").set_json(own);
    assert_eq!(shop.send(with_bearer(change, &cashier)).await.status, 200);
    assert_invalid(&accept(&shop, &third, NEW_PASSWORD).await);

    let fourth = invite(&shop, &id).await;
    send(Method::PATCH, format!("/api/v1/users/{id}"), json!({ "status": "suspended" })).await;
    let refused = invite_as(&shop, "admin", &id).await;
    assert_eq!((refused.status.as_u16(), refused.text_at("/code").as_str()), (409, "user_suspended"));
    send(Method::PATCH, format!("/api/v1/users/{id}"), json!({ "status": "active" })).await;
    assert_invalid(&accept(&shop, &fourth, NEW_PASSWORD).await);

    let fifth = invite(&shop, &id).await;
    shop.clock.advance(Duration::from_hours(24));
    assert_invalid(&accept(&shop, &fifth, NEW_PASSWORD).await);
}

#[actix_web::test]
async fn invitation_requires_what_setting_the_password_requires() {
    let desk = OfficeClient::open().await;
    create_role(&desk.shop, "staffing", &["userUpdate", "userRead"]);
    let witness = user_id(&desk.shop, "witness").await;
    desk.shop.set_user_role(&witness, "staffing");
    let admin = user_id(&desk.shop, "admin").await;
    let above = invite_as(&desk.shop, "witness", &admin).await;
    assert_eq!((above.status.as_u16(), above.text_at("/code").as_str()), (403, "right_missing"), "{}", above.json());
    let without = invite_as(&desk.shop, "cashier", &admin).await;
    assert_eq!(without.status, 403);
    let own = invite_as(&desk.shop, "admin", &admin).await;
    assert_eq!(violations(&own), (403, "own_password".to_owned(), vec![]));
    let nobody = "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5";
    assert_eq!(invite_as(&desk.shop, "admin", nobody).await.status, 404);
    assert!(!desk.shop.store.memory.audit_events().iter().any(|event| event.action == Action::UserInvite));
}

#[actix_web::test]
async fn browser_invites_after_a_recent_proof_only() {
    let shop = server();
    let id = user_id(&shop, "cashier").await;
    let browser = Browser::new(&shop);
    browser.sign_in("admin").await;
    let path = format!("/office/api/v1/users/{id}/invitations");
    shop.clock.advance(Duration::from_mins(6));
    let refused = browser.send(Method::POST, &path, None).await;
    assert_eq!((refused.status.as_u16(), refused.text_at("/code").as_str()), (403, "proof_too_old"));
    let proof = json!({ "password": TEST_PASSWORD });
    assert_eq!(browser.post("/office/api/v1/sessions/current/step-up", proof).await.status, 200);
    let invited = browser.send(Method::POST, &path, None).await;
    assert_eq!(invited.status, 201, "{}", invited.json());
    assert!(invited.text_at("/path").starts_with("/office/invitation#"));
}

#[actix_web::test]
async fn invitation_of_another_tenant_is_unknown() {
    let mounts = [vec![native("/api/v1"), posstar("/posstar")], office()].concat();
    let shop = TestServer::with_mounts(HttpSettings::default(), mounts);
    let vendor = register(&shop, "rita@example.com").await;
    let (stranger, cashier) = (vendor.text_at("/user/id"), user_id(&shop, "cashier").await);
    assert_eq!(invite_as(&shop, "admin", &stranger).await.status, 404);

    // a colleague at the vendor, whom its admin invites
    let login = json!({ "login": "rita@example.com", "password": "a song in the rain" });
    let rita = shop.post("/api/v1/sessions", login).await.text_at("/access_token");
    let invitations = |id: &str| build_request(Method::POST, &format!("/api/v1/users/{id}/invitations"));
    assert_eq!(shop.send(with_bearer(invitations(&cashier), &rita)).await.status, 404);
    let colleague = json!({ "user_name": "nina", "password": "a tune in the snow" });
    let colleague = shop.send(with_bearer(post_request("/api/v1/users", colleague), &rita)).await;
    assert_eq!(colleague.status, 201, "{}", colleague.json());
    let invited = shop.send(with_bearer(invitations(&colleague.text_at("/id")), &rita)).await;
    assert_eq!(invited.status, 201, "{}", invited.json());
    assert_eq!(invited.json()["path"], Value::Null, "no back office serves the tenant");
    assert_invalid(&accept(&shop, &invited.text_at("/token"), NEW_PASSWORD).await);
}

#[actix_web::test]
async fn page_accepts_its_own_form_only_and_limits_guesses_per_address() {
    let shop = server();
    let id = user_id(&shop, "cashier").await;
    let token = invite(&shop, &id).await;
    let form = [("token", token.as_str()), ("new_password", NEW_PASSWORD)];
    let foreign = build_request(Method::POST, PAGE).insert_header(("Sec-Fetch-Site", "cross-site")).set_form(form);
    assert_eq!(Browser::new(&shop).send_raw(foreign).await.status, 403);
    let plain = build_request(Method::POST, PAGE).insert_header(("Sec-Fetch-Site", "same-origin")).set_form(form);
    assert_eq!(shop.send_from("192.0.2.7", plain).await.status, 403, "a password without TLS");
    let mut refused = None;
    for _ in 0..25 {
        let answer = accept(&shop, "guess", NEW_PASSWORD).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        assert_invalid(&answer);
    }
    assert!(refused.unwrap().header("retry-after").parse::<u64>().unwrap() > 0);
    assert_eq!(log_in(&shop, TEST_PASSWORD).await, 201, "nothing was set");
}
