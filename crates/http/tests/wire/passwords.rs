//! Setting passwords, what a stolen access token cannot do, and API keys that a password change
//! does not revoke.

use actix_web::http::Method;
use serde_json::{Value, json};
use tillgate_domain::Action;

use crate::office::{OfficeClient, create_role, expected_pointers, violations};
use crate::test_server::{
    TEST_PASSWORD, TestResponse, TestServer, build_request, post_request, put_request, with_bearer,
};

const NEW_PASSWORD: &str = "staple battery";

/// A request of the native API by a user.
async fn send_as(shop: &TestServer, token: &str, method: Method, path: &str, body: Value) -> TestResponse {
    let request = build_request(method, &format!("/api/v1{path}")).insert_header(("If-Match", "*")).set_json(body);
    shop.send(with_bearer(request, token)).await
}

fn find_audit_details(shop: &TestServer, action: Action) -> serde_json::Map<String, Value> {
    shop.store.inner.audit_events().into_iter().rfind(|event| event.action == action).unwrap().details
}

#[actix_web::test]
async fn password_matches_across_unicode_forms() {
    let desk = OfficeClient::open().await;
    for (number, (set, typed)) in [
        ("žltý kôň a cesta", "z\u{30c}lty\u{301} ko\u{302}n\u{30c} a cesta"),
        ("z\u{30c}lty\u{301} ko\u{302}n\u{30c} a cesta", "žltý kôň a cesta"),
        ("sea salt and honey", "sea\u{a0}salt\u{2003}and honey"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("typist{number}");
        let new = json!({ "user_name": name, "password": set, "roles": ["cashier"] });
        assert_eq!(desk.post("/users", new).await.status, 201);
        for password in [set, typed] {
            let login = json!({ "login": name, "password": password });
            assert_eq!(desk.shop.post("/api/v1/sessions", login).await.status, 201, "{password:?}");
        }
        let other = json!({ "login": name, "password": set.to_uppercase() });
        assert_eq!(desk.shop.post("/api/v1/sessions", other).await.status, 401, "no other folding");
    }
}

#[actix_web::test]
async fn passwords_made_of_account_names_are_rejected() {
    let desk = OfficeClient::open().await;
    let weak = |response: &TestResponse| {
        violations(response) == (422, "password_weak".to_owned(), expected_pointers(&[("/password", "weak")]))
    };
    for password in [
        "tillgate-1",
        "Nina-2026!",
        "ｎｉｎａ１９８４",
        "nina@example.com",
        "office-OFFICE",
        "        ",
        "bell\u{7}rings",
    ] {
        let new = json!({ "user_name": "nina", "email": "nina@example.com", "password": password });
        let response = desk.post("/users", new).await;
        assert!(weak(&response), "{password}: {}", response.json());
    }
    let device = json!({ "name": "KIOSK7", "environment": "PDA", "password": "kiosk7kiosk7" });
    assert!(weak(&desk.post("/devices", device).await));
    let cashier = desk.shop.log_in_native("cashier").await.text_at("/session/user/id");
    let set = json!({ "password": "cashier1" });
    assert!(weak(&desk.send(Method::PUT, &format!("/users/{cashier}/password"), None, Some(set)).await));
    let own = json!({ "current_password": TEST_PASSWORD, "password": "witness-1" });
    let witness = desk.shop.log_in_native("witness").await.text_at("/access_token");
    assert!(weak(&send_as(&desk.shop, &witness, Method::PUT, "/sessions/current/password", own).await));

    let kasir = desk.shop.log_in_kasir("admin@example.com").await.text_at("/data/Token");
    let nina = json!({ "username": "nina", "email": "nina@example.com", "password": "nina1984", "role": "cashier" });
    let response = desk.shop.send(with_bearer(post_request("/kasir/api/v1/users", nina), &kasir)).await;
    assert_eq!(response.status, 400, "{}", response.json());
    assert!(response.text_at("/error").contains("\"nina\""), "{}", response.json());
    let change = json!({ "old_password": TEST_PASSWORD, "new_password": "Admin-Admin" });
    assert_eq!(
        desk.shop.send(with_bearer(put_request("/kasir/api/v1/auth/me/password", change), &kasir)).await.status,
        400
    );

    let vendor = json!({ "name": "Rita", "email": "rosalinda@example.com", "password": "Rosalinda1", "business_name": "Shop", "industry": "grocery" });
    let response = desk.shop.post("/posstar/api/v1/auth/register", vendor).await;
    assert_eq!(response.status, 400, "{}", response.json());
}

#[actix_web::test]
async fn access_token_alone_changes_neither_own_password_nor_own_email() {
    let desk = OfficeClient::open().await;
    let own = format!("/users/{}", desk.get("/sessions/current").await.text_at("/user/id"));
    let set = desk.send(Method::PUT, &format!("{own}/password"), None, Some(json!({ "password": NEW_PASSWORD }))).await;
    assert_eq!(violations(&set), (403, "own_password".to_owned(), vec![]));
    assert!(set.text_at("/detail").contains("/sessions/current/password"), "{}", set.json());
    assert_eq!(desk.get("/sessions/current").await.status, 200, "nothing has changed");

    let missing =
        (422, "current_password_required".to_owned(), expected_pointers(&[("/current_password", "required")]));
    for email in [json!("mine@example.com"), Value::Null] {
        assert_eq!(violations(&desk.patch(&own, "*", json!({ "email": email })).await), missing, "{email}");
    }
    let wrong = json!({ "email": "mine@example.com", "current_password": "wrong horse" });
    assert_eq!(violations(&desk.patch(&own, "*", wrong).await), (403, "password_wrong".to_owned(), vec![]));
    assert_eq!(find_audit_details(&desk.shop, Action::Password)["why"], "password_wrong");
    assert_eq!(desk.get(&own).await.text_at("/email"), "admin@example.com");
    let same = json!({ "email": "admin@example.com", "display_name": "The admin" });
    assert_eq!(desk.patch(&own, "*", same).await.status, 200, "the same address is not a change");
    let right = json!({ "email": "mine@example.com", "current_password": TEST_PASSWORD });
    let changed = desk.patch(&own, "*", right).await;
    assert_eq!((changed.status.as_u16(), changed.text_at("/email").as_str()), (200, "mine@example.com"));

    let other = format!("/users/{}", desk.shop.log_in_native("cashier").await.text_at("/session/user/id"));
    let response = desk.patch(&other, "*", json!({ "email": "cash@example.com" })).await;
    assert_eq!(response.status, 200, "addresses of others require only the right: {}", response.json());
}

#[actix_web::test]
async fn kasir_requires_password_to_change_own_email() {
    let shop = TestServer::start();
    let login = shop.log_in_kasir("admin@example.com").await;
    let (token, id) = (login.text_at("/data/Token"), login.text_at("/data/profile/id"));
    let change = async |body: Value| {
        shop.send(with_bearer(put_request(&format!("/kasir/api/v1/users/{id}"), body), &token)).await
    };
    let refused = change(json!({ "email": "mine@example.com" })).await;
    assert_eq!(refused.status, 400, "{}", refused.json());
    assert!(refused.text_at("/error").starts_with("old_password is required"), "{}", refused.json());
    let wrong = change(json!({ "email": "mine@example.com", "old_password": "wrong horse" })).await;
    assert_eq!((wrong.status.as_u16(), wrong.text_at("/message").as_str()), (401, "Invalid current password"));
    assert_eq!(change(json!({ "email": "admin@example.com" })).await.status, 200, "the same address is not a change");
    let right = change(json!({ "email": "mine@example.com", "old_password": TEST_PASSWORD })).await;
    assert_eq!((right.status.as_u16(), right.text_at("/data/email").as_str()), (200, "mine@example.com"));
}

#[actix_web::test]
async fn password_change_reports_api_keys_and_revokes_them_on_request() {
    let desk = OfficeClient::open().await;
    let login = desk.shop.log_in_native("cashier").await;
    let (token, id) = (login.text_at("/access_token"), login.text_at("/session/user/id"));
    let new = json!({ "name": "Window", "user": "cashier", "device": "P01", "permissions": ["ticketClose"] });
    let key = desk.post("/api-keys", new).await;
    let (key_id, client) = (key.text_at("/id"), key.text_at("/client_id"));
    let named = |status: &str| json!({ "api_keys": [{ "id": key_id, "client_id": client, "name": "Window", "status": status }] });
    let status = async || desk.get(&format!("/api-keys/{key_id}")).await.text_at("/status");

    let own = json!({ "current_password": TEST_PASSWORD, "password": NEW_PASSWORD });
    let changed = send_as(&desk.shop, &token, Method::PUT, "/sessions/current/password", own).await;
    assert_eq!((changed.status.as_u16(), changed.json()), (200, named("active")));
    assert_eq!(status().await, "active");
    let details = find_audit_details(&desk.shop, Action::Password);
    assert_eq!((&details["api_keys"][0]["client"], &details["api_keys_ended"]), (&json!(client), &json!(false)));

    let path = format!("/users/{id}/password");
    let set = async |body: Value| desk.send(Method::PUT, &path, None, Some(body)).await;
    assert_eq!(set(json!({ "password": "third horse" })).await.json(), named("active"));
    assert_eq!(set(json!({ "password": "fourth horse", "keys": true })).await.json(), named("revoked"));
    assert_eq!(status().await, "revoked");
    assert_eq!(find_audit_details(&desk.shop, Action::Password)["api_keys_ended"], true);
    assert_eq!(set(json!({ "password": "fifth horse", "keys": true })).await.json(), json!({ "api_keys": [] }));

    assert_eq!(desk.patch(&format!("/api-keys/{key_id}"), "*", json!({ "status": "active" })).await.status, 200);
    let again = json!({ "login": "cashier", "password": "fifth horse" });
    let token = desk.shop.post("/api/v1/sessions", again).await.text_at("/access_token");
    let own = json!({ "current_password": "fifth horse", "password": NEW_PASSWORD, "keys": true });
    let changed = send_as(&desk.shop, &token, Method::PUT, "/sessions/current/password", own).await;
    assert_eq!((changed.json(), status().await.as_str()), (named("revoked"), "revoked"));
}

#[actix_web::test]
async fn unrestricted_api_key_requires_admin_and_promotion_reports_it() {
    let desk = OfficeClient::open().await;
    let cashiers = [
        "apiKeyCreate",
        "apiKeyUpdate",
        "fiscalOpenDrawer",
        "ticketClose",
        "ticketCreate",
        "ticketSetCustomer",
        "ticketUpdate",
    ];
    create_role(&desk.shop, "keeper", &cashiers);
    let keeper = json!({ "user_name": "keeper", "password": TEST_PASSWORD, "roles": ["keeper"] });
    assert_eq!(desk.post("/users", keeper).await.status, 201);
    let token = desk.shop.log_in_native("keeper").await.text_at("/access_token");
    let new = |name: &str| json!({ "name": name, "user": "cashier", "device": "P01" });
    let narrow = send_as(&desk.shop, &token, Method::POST, "/api-keys", new("Narrow")).await;
    let fixed = json!(["fiscalOpenDrawer", "ticketClose", "ticketCreate", "ticketSetCustomer", "ticketUpdate"]);
    assert_eq!((narrow.status.as_u16(), &narrow.json()["permissions"]), (201, &fixed), "{}", narrow.json());
    let path = format!("/api-keys/{}", narrow.text_at("/id"));
    let widened = send_as(&desk.shop, &token, Method::PATCH, &path, json!({ "permissions": [] })).await;
    assert_eq!(widened.json()["permissions"], fixed, "{}", widened.json());

    let wide = desk.post("/api-keys", new("Wide")).await;
    assert_eq!(wide.json()["permissions"], json!([]), "an admin answers for it");
    let path = format!("/api-keys/{}", wide.text_at("/id"));
    let renamed = send_as(&desk.shop, &token, Method::PATCH, &path, json!({ "description": "at night" })).await;
    assert_eq!(renamed.json()["permissions"], json!([]), "what is there goes on");

    let person = format!("/users/{}", desk.shop.log_in_native("cashier").await.text_at("/session/user/id"));
    let promoted = desk.patch(&person, "*", json!({ "devices": [{ "device": "P01", "roles": ["admin"] }] })).await;
    assert_eq!(promoted.status, 200, "{}", promoted.json());
    let growing = promoted.json()["growing_api_keys"].as_array().unwrap().clone();
    assert_eq!(growing.iter().map(|key| key["name"].as_str().unwrap()).collect::<Vec<_>>(), ["Wide"]);
    assert_eq!(find_audit_details(&desk.shop, Action::UserRoles)["growing_api_keys"][0]["name"], "Wide");
    let named = desk.patch(&person, "*", json!({ "display_name": "Cash" })).await;
    assert!(named.json().get("growing_api_keys").is_none(), "{}", named.json());
}

#[actix_web::test]
async fn wrong_password_of_a_live_session_is_403_and_ends_nothing() {
    let desk = OfficeClient::open().await;
    let native = desk.shop.log_in_native("manager").await.text_at("/access_token");
    let calls = |password: &str| {
        [
            (
                Method::PUT,
                "/sessions/current/password",
                json!({ "current_password": password, "password": NEW_PASSWORD }),
            ),
            (Method::POST, "/sessions/current/step-up", json!({ "password": password })),
            (Method::PUT, "/sessions/current/pin", json!({ "password": password, "new_pin": "384017" })),
        ]
    };
    for (method, path, body) in calls("wrong horse") {
        let response = send_as(&desk.shop, &native, method, path, body).await;
        assert_eq!(violations(&response), (403, "password_wrong".to_owned(), vec![]), "{path}");
        assert_eq!(response.text_at("/detail"), "The password is wrong.", "{path}");
        assert!(response.challenges().is_empty(), "{path}: a challenge asks for another token");
        assert_eq!(desk.shop.get("/api/v1/sessions/current", &native).await.status, 200, "{path}");
    }
    // the same password counted once; five wrong ones are the limit
    for number in 0..4 {
        let [change, ..] = calls(&format!("wrong horse {number}"));
        assert_eq!(send_as(&desk.shop, &native, change.0, change.1, change.2).await.status, 403, "{number}");
    }
    for (method, path, body) in calls("one more wrong horse") {
        let held = send_as(&desk.shop, &native, method, path, body).await;
        assert_eq!(violations(&held), (429, "login_held".to_owned(), vec![]), "{path}");
        assert!(!held.header("retry-after").is_empty(), "{path}");
    }
    assert_eq!(desk.shop.get("/api/v1/sessions/current", &native).await.status, 200);
}
