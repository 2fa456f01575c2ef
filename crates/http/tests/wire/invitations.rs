//! Invitations: who may invite whom, and how the invited user chooses a password.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};
use tillgate_auth_core::{Clock, OneTimeToken};
use tillgate_domain::office::ports::QueuedMail;
use tillgate_domain::office::{self, MailDispatch, MailToken};
use tillgate_domain::{Action, EventOutcome};
use tillgate_http::HttpSettings;

use crate::mounts::{self, native, posstar};
use crate::office::{OfficeClient, create_role, violations};
use crate::office_browser::{Browser, server};
use crate::posstar::register;
use crate::test_server::{
    StoreState, TEST_PASSWORD, TestResponse, TestServer, build_request, post_request, with_bearer,
};

const PAGE: &str = "/office/invitation";
const NEW_PASSWORD: &str = "a staple of batteries";

async fn user_id(shop: &TestServer, login: &str) -> String {
    shop.log_in_native(login).await.text_at("/session/user/id")
}

/// A server that can send mails with a link to the back office.
pub(crate) fn mailing_server() -> TestServer {
    let settings = HttpSettings { public_url: Some("https://pos.example".to_owned()), ..HttpSettings::default() };
    TestServer::with_mounts(settings, [vec![native("/api/v1")], mounts::office()].concat())
}

/// Gives a user an e-mail address, or removes it.
pub(crate) async fn set_email(shop: &TestServer, id: &str, email: Option<&str>) {
    let admin = shop.log_in_native("admin").await.text_at("/access_token");
    let request = build_request(Method::PATCH, &format!("/api/v1/users/{id}"));
    let request = request.insert_header(("If-Match", "*")).set_json(json!({ "email": email }));
    let changed = shop.send(with_bearer(request, &admin)).await;
    assert_eq!(changed.status, 200, "{}", changed.json());
}

/// Sends the queued mails as the server's thread does. Returns the address and the token of each.
pub(crate) fn send_queued_mails(shop: &TestServer) -> Vec<(String, String)> {
    let (store, now) = (&*shop.store.inner, shop.clock.now());
    let send = |mail: &QueuedMail| {
        let OneTimeToken { token: secret, digest } = shop.auth.generate_link_token().unwrap();
        let token = MailToken { digest, retry_at: now.saturating_add(Duration::from_mins(2)) };
        match office::unguarded::claim_mail(store, now, mail, &token).unwrap() {
            MailDispatch::Send(link) => {
                office::unguarded::complete_mail(store, mail, &token).unwrap();
                Some((link.to.to_string(), secret.expose().clone()))
            }
            _ => None,
        }
    };
    office::unguarded::list_due_mails(store, now, 9).unwrap().iter().filter_map(send).collect()
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

fn text(response: &TestResponse) -> String {
    String::from_utf8(response.bytes.clone()).unwrap()
}

fn assert_invalid(response: &TestResponse) {
    assert_eq!(response.status, 422, "{}", text(response));
    assert!(text(response).contains("This invitation is wrong, used or expired"), "{}", text(response));
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
    assert_eq!((accepted.status.as_u16(), accepted.header("location")), (303, "/office/sign-in?login=cashier&saved=1"));
    let page = Browser::new(&shop).get("/office/sign-in?login=cashier&saved=1").await;
    assert!(text(&page).contains("Your password is saved") && text(&page).contains("value=\"cashier\""));
    let events = shop.store.inner.audit_events();
    assert!(events.iter().any(|event| event.action == Action::UserInvite));
    let last = events.into_iter().rfind(|event| event.action == Action::Password).unwrap();
    assert_eq!(last.details["why"], "invitation");
    assert_eq!((log_in(&shop, TEST_PASSWORD).await, log_in(&shop, NEW_PASSWORD).await), (401, 201));
    let old = shop.get("/api/v1/sessions/current", &session.text_at("/access_token")).await;
    assert_eq!(old.status, 401, "a new password ends sessions");
    assert_invalid(&accept(&shop, &token, "a third password").await);
    let denied = shop.store.inner.audit_events().pop().unwrap();
    assert_eq!((denied.action, denied.outcome), (Action::OneTimeTokenUse, EventOutcome::Refused));
    assert_eq!(denied.details["token"], "invitation");
}

async fn invite_by_mail(shop: &TestServer, inviter: &str, id: &str) -> TestResponse {
    let token = shop.log_in_native(inviter).await.text_at("/access_token");
    let request = post_request(&format!("/api/v1/users/{id}/invitations"), json!({ "deliver": "mail" }));
    shop.send(with_bearer(request, &token)).await
}

#[actix_web::test]
async fn mailed_invitation_shows_no_token_and_verifies_the_address() {
    let shop = mailing_server();
    let id = user_id(&shop, "cashier").await;
    set_email(&shop, &id, Some("cashier@example.com")).await;
    let invited = invite_by_mail(&shop, "admin", &id).await;
    assert_eq!(invited.status, 202, "{}", invited.json());
    let expected = json!({ "email": "cashier@example.com", "expires_at": "2026-11-22T12:00:00.000Z" });
    assert_eq!(invited.json(), expected);
    let last = shop.store.inner.audit_events().into_iter().rfind(|event| event.action == Action::UserInvite).unwrap();
    assert_eq!(last.details["mailed_to"], "cashier@example.com");
    let again = invite_by_mail(&shop, "admin", &id).await;
    assert_eq!((again.status.as_u16(), again.text_at("/code").as_str()), (429, "mailed_recently"));
    assert_eq!(again.header("retry-after"), "60");
    let shown = invite_as(&shop, "admin", &id).await;
    assert_eq!(shown.status, 429, "one that is shown would hide when the last was mailed");

    let mails = send_queued_mails(&shop);
    let [(to, token)] = mails.as_slice() else { panic!("{mails:?}") };
    assert_eq!(to, "cashier@example.com");
    assert_eq!(send_queued_mails(&shop), [], "a mail is sent once");
    let accepted = accept(&shop, token, NEW_PASSWORD).await;
    assert_eq!(accepted.status, 303, "{}", text(&accepted));
    let last = shop.store.inner.audit_events().into_iter().rfind(|event| event.action == Action::Password).unwrap();
    assert_eq!(last.details["email_verified"], "cashier@example.com");
    let admin = shop.log_in_native("admin").await.text_at("/access_token");
    let user = shop.get(&format!("/api/v1/users/{id}"), &admin).await;
    assert_eq!(user.text_at("/email_verified_at"), "2026-11-21T12:00:00.000Z");
}

#[actix_web::test]
async fn mailed_invitation_is_void_after_a_change_of_the_address() {
    let shop = mailing_server();
    let id = user_id(&shop, "cashier").await;
    set_email(&shop, &id, Some("cashier@example.com")).await;
    assert_eq!(invite_by_mail(&shop, "admin", &id).await.status, 202);
    let mails = send_queued_mails(&shop);
    set_email(&shop, &id, Some("other@example.com")).await;
    assert_invalid(&accept(&shop, &mails[0].1, NEW_PASSWORD).await);
    shop.clock.advance(Duration::from_mins(1));
    assert_eq!(invite_by_mail(&shop, "admin", &id).await.status, 202);
    set_email(&shop, &id, Some("third@example.com")).await;
    assert_eq!(send_queued_mails(&shop), [], "nothing is mailed to an address that the user does not have");
}

#[actix_web::test]
async fn invitation_is_mailed_only_if_it_can_arrive() {
    let shop = mailing_server();
    let id = user_id(&shop, "cashier").await;
    let admin = shop.log_in_native("admin").await.text_at("/access_token");
    let without = invite_by_mail(&shop, "admin", &id).await;
    assert_eq!((without.status.as_u16(), without.text_at("/code").as_str()), (409, "email_missing"));
    let request = post_request(&format!("/api/v1/users/{id}/invitations"), json!({ "deliver": "pigeon" }));
    let other = shop.send(with_bearer(request, &admin)).await;
    assert_eq!(violations(&other).0, 422);
    assert_eq!(other.text_at("/errors/0/pointer"), "/deliver");
    let request = post_request(&format!("/api/v1/users/{id}/invitations"), json!({ "deliver": "show" }));
    assert_eq!(shop.send(with_bearer(request, &admin)).await.status, 201);

    let shop = server();
    let id = user_id(&shop, "cashier").await;
    let refused = invite_by_mail(&shop, "admin", &id).await;
    assert_eq!((refused.status.as_u16(), refused.text_at("/code").as_str()), (409, "mail_not_configured"));
    assert!(refused.text_at("/detail").contains("server.public_url"), "{}", refused.json());
    let refused = invite_by_mail(&shop, "cashier", &id).await;
    assert_eq!(refused.status, 403, "who may not invite does not learn the configuration");
    let settings = HttpSettings { public_url: Some("https://pos.example".to_owned()), ..HttpSettings::default() };
    let shop = TestServer::with_mounts(settings, vec![native("/api/v1")]);
    let id = user_id(&shop, "cashier").await;
    let refused = invite_by_mail(&shop, "admin", &id).await;
    assert_eq!(refused.text_at("/code"), "mail_not_configured");
    assert!(refused.text_at("/detail").contains("`office`"), "{}", refused.json());
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
async fn newer_invitation_password_suspension_rights_and_time_revoke_an_invitation() {
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
        let response = shop.send(with_bearer(request, &admin)).await;
        assert_eq!(response.status, 200, "{}", response.json());
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

    // who has the token would get the rights that the user gains
    let sixth = invite(&shop, &id).await;
    send(Method::PATCH, format!("/api/v1/users/{id}"), json!({ "roles": ["manager"] })).await;
    assert_invalid(&accept(&shop, &sixth, NEW_PASSWORD).await);
    create_role(&shop, "helper", &["ticketRead"]);
    shop.set_user_role(&id, "helper");
    let roles = shop.get("/api/v1/roles", &admin).await.json();
    let helper = roles["items"].as_array().unwrap().iter().find(|role| role["name"] == "helper").unwrap();
    let path = format!("/api/v1/roles/{}", helper["id"].as_str().unwrap());
    let seventh = invite(&shop, &id).await;
    send(Method::PATCH, path, json!({ "rights": ["ticketRead", "userUpdate"] })).await;
    assert_invalid(&accept(&shop, &seventh, NEW_PASSWORD).await);

    let fifth = invite(&shop, &id).await;
    shop.clock.advance(Duration::from_hours(24));
    assert_invalid(&accept(&shop, &fifth, NEW_PASSWORD).await);
}

#[actix_web::test]
async fn unavailable_store_keeps_the_token_and_says_when_to_retry() {
    let shop = server();
    let token = invite(&shop, &user_id(&shop, "cashier").await).await;
    for page in [PAGE, "/office/verify-email"] {
        shop.store.set_state(StoreState::Unavailable);
        let form = [("token", token.as_str()), ("new_password", NEW_PASSWORD)];
        let request = build_request(Method::POST, page).insert_header(("Sec-Fetch-Site", "same-origin")).set_form(form);
        let response = Browser::new(&shop).send_raw(request).await;
        assert_eq!((response.status.as_u16(), response.header("retry-after")), (503, "1"), "{page}");
        assert!(text(&response).contains(&token), "{page}: {}", text(&response));
        shop.store.set_state(StoreState::Healthy);
    }
    assert_eq!(accept(&shop, &token, NEW_PASSWORD).await.status, 303);
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
    assert!(!desk.shop.store.inner.audit_events().iter().any(|event| event.action == Action::UserInvite));
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
    let mounts = [vec![native("/api/v1"), posstar("/posstar")], mounts::office()].concat();
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
        let response = accept(&shop, "guess", NEW_PASSWORD).await;
        if response.status == 429 {
            refused = Some(response);
            break;
        }
        assert_invalid(&response);
    }
    assert!(refused.unwrap().header("retry-after").parse::<u64>().unwrap() > 0);
    assert_eq!(log_in(&shop, TEST_PASSWORD).await, 201, "nothing was set");
}
