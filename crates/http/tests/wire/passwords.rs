//! Passwords as they are typed and set, what a stolen access token cannot do, and the API keys that a password does not end.

use actix_web::http::Method;
use serde_json::{Value, json};
use tillgate_domain::Action;

use crate::office::{Desk, faults, invent_role, pointers};
use crate::shop::{Answer, PASSWORD, Shop, bearer, call, post, put};

const NEW: &str = "staple battery";

/// A call of the native API by somebody.
async fn by(shop: &Shop, token: &str, method: Method, path: &str, body: Value) -> Answer {
    let request = call(method, &format!("/api/v1{path}")).insert_header(("If-Match", "*")).set_json(body);
    shop.send(bearer(request, token)).await
}

fn audited(shop: &Shop, action: Action) -> serde_json::Map<String, Value> {
    shop.store.memory.audit().into_iter().rfind(|event| event.action == action).unwrap().details
}

#[actix_web::test]
async fn password_set_on_one_keyboard_is_typed_on_another() {
    let desk = Desk::open().await;
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
        assert_eq!(desk.shop.post("/api/v1/sessions", other).await.status, 401, "nothing else is folded");
    }
}

#[actix_web::test]
async fn names_of_the_account_are_refused_wherever_a_password_is_set() {
    let desk = Desk::open().await;
    let weak =
        |answer: &Answer| faults(answer) == (422, "password_weak".to_owned(), pointers(&[("/password", "weak")]));
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
        let answer = desk.post("/users", new).await;
        assert!(weak(&answer), "{password}: {}", answer.json());
    }
    let device = json!({ "name": "KIOSK7", "environment": "PDA", "password": "kiosk7kiosk7" });
    assert!(weak(&desk.post("/devices", device).await));
    let cashier = desk.shop.native("cashier").await.text("/session/user/id");
    let set = json!({ "password": "cashier1" });
    assert!(weak(&desk.send(Method::PUT, &format!("/users/{cashier}/password"), None, Some(set)).await));
    let own = json!({ "current_password": PASSWORD, "password": "witness-1" });
    let witness = desk.shop.native("witness").await.text("/access_token");
    assert!(weak(&by(&desk.shop, &witness, Method::PUT, "/sessions/current/password", own).await));

    let kasir = desk.shop.kasir("admin@example.com").await.text("/data/Token");
    let nina = json!({ "username": "nina", "email": "nina@example.com", "password": "nina1984", "role": "cashier" });
    let answer = desk.shop.send(bearer(post("/kasir/api/v1/users", nina), &kasir)).await;
    assert_eq!(answer.status, 400, "{}", answer.json());
    assert!(answer.text("/error").contains("\"nina\""), "{}", answer.json());
    let change = json!({ "old_password": PASSWORD, "new_password": "Admin-Admin" });
    assert_eq!(desk.shop.send(bearer(put("/kasir/api/v1/auth/me/password", change), &kasir)).await.status, 400);

    let vendor = json!({ "name": "Rita", "email": "rosalinda@example.com", "password": "Rosalinda1", "business_name": "Shop", "industry": "grocery" });
    let answer = desk.shop.post("/posstar/api/v1/auth/register", vendor).await;
    assert_eq!(answer.status, 400, "{}", answer.json());
}

#[actix_web::test]
async fn access_token_alone_changes_neither_ones_own_password_nor_ones_own_address() {
    let desk = Desk::open().await;
    let own = format!("/users/{}", desk.get("/sessions/current").await.text("/user/id"));
    let set = desk.send(Method::PUT, &format!("{own}/password"), None, Some(json!({ "password": NEW }))).await;
    assert_eq!(faults(&set), (403, "own_password".to_owned(), vec![]));
    assert!(set.text("/detail").contains("/sessions/current/password"), "{}", set.json());
    assert_eq!(desk.get("/sessions/current").await.status, 200, "nothing was changed");

    let missing = (422, "current_password_required".to_owned(), pointers(&[("/current_password", "required")]));
    for email in [json!("mine@example.com"), Value::Null] {
        assert_eq!(faults(&desk.patch(&own, "*", json!({ "email": email })).await), missing, "{email}");
    }
    let wrong = json!({ "email": "mine@example.com", "current_password": "wrong horse" });
    assert_eq!(desk.patch(&own, "*", wrong).await.status, 401);
    assert_eq!(audited(&desk.shop, Action::Password)["why"], "login_mismatch");
    assert_eq!(desk.get(&own).await.text("/email"), "admin@example.com");
    let same = json!({ "email": "admin@example.com", "display_name": "The admin" });
    assert_eq!(desk.patch(&own, "*", same).await.status, 200, "the same address is no change");
    let right = json!({ "email": "mine@example.com", "current_password": PASSWORD });
    let changed = desk.patch(&own, "*", right).await;
    assert_eq!((changed.status.as_u16(), changed.text("/email").as_str()), (200, "mine@example.com"));

    let other = format!("/users/{}", desk.shop.native("cashier").await.text("/session/user/id"));
    let answer = desk.patch(&other, "*", json!({ "email": "cash@example.com" })).await;
    assert_eq!(answer.status, 200, "others' addresses ask for the right alone: {}", answer.json());
}

#[actix_web::test]
async fn kasir_asks_for_the_password_with_another_address_of_ones_own() {
    let shop = Shop::open();
    let login = shop.kasir("admin@example.com").await;
    let (token, id) = (login.text("/data/Token"), login.text("/data/profile/id"));
    let change = async |body: Value| shop.send(bearer(put(&format!("/kasir/api/v1/users/{id}"), body), &token)).await;
    let refused = change(json!({ "email": "mine@example.com" })).await;
    assert_eq!(refused.status, 400, "{}", refused.json());
    assert!(refused.text("/error").starts_with("old_password is required"), "{}", refused.json());
    let wrong = change(json!({ "email": "mine@example.com", "old_password": "wrong horse" })).await;
    assert_eq!((wrong.status.as_u16(), wrong.text("/message").as_str()), (401, "Invalid current password"));
    assert_eq!(change(json!({ "email": "admin@example.com" })).await.status, 200, "the same address is no change");
    let right = change(json!({ "email": "mine@example.com", "old_password": PASSWORD })).await;
    assert_eq!((right.status.as_u16(), right.text("/data/email").as_str()), (200, "mine@example.com"));
}

#[actix_web::test]
async fn changed_password_names_the_api_keys_of_its_user_and_ends_them_when_asked() {
    let desk = Desk::open().await;
    let login = desk.shop.native("cashier").await;
    let (token, id) = (login.text("/access_token"), login.text("/session/user/id"));
    let new = json!({ "name": "Window", "user": "cashier", "device": "P01", "permissions": ["ticketClose"] });
    let key = desk.post("/api-keys", new).await;
    let (key_id, client) = (key.text("/id"), key.text("/client_id"));
    let named = |status: &str| json!({ "api_keys": [{ "id": key_id, "client_id": client, "name": "Window", "status": status }] });
    let status = async || desk.get(&format!("/api-keys/{key_id}")).await.text("/status");

    let own = json!({ "current_password": PASSWORD, "password": NEW });
    let changed = by(&desk.shop, &token, Method::PUT, "/sessions/current/password", own).await;
    assert_eq!((changed.status.as_u16(), changed.json()), (200, named("active")));
    assert_eq!(status().await, "active");
    let details = audited(&desk.shop, Action::Password);
    assert_eq!((&details["api_keys"][0]["client"], &details["api_keys_ended"]), (&json!(client), &json!(false)));

    let path = format!("/users/{id}/password");
    let set = async |body: Value| desk.send(Method::PUT, &path, None, Some(body)).await;
    assert_eq!(set(json!({ "password": "third horse" })).await.json(), named("active"));
    assert_eq!(set(json!({ "password": "fourth horse", "keys": true })).await.json(), named("revoked"));
    assert_eq!(status().await, "revoked");
    assert_eq!(audited(&desk.shop, Action::Password)["api_keys_ended"], true);
    assert_eq!(set(json!({ "password": "fifth horse", "keys": true })).await.json(), json!({ "api_keys": [] }));

    assert_eq!(desk.patch(&format!("/api-keys/{key_id}"), "*", json!({ "status": "active" })).await.status, 200);
    let again = json!({ "login": "cashier", "password": "fifth horse" });
    let token = desk.shop.post("/api/v1/sessions", again).await.text("/access_token");
    let own = json!({ "current_password": "fifth horse", "password": NEW, "keys": true });
    let changed = by(&desk.shop, &token, Method::PUT, "/sessions/current/password", own).await;
    assert_eq!((changed.json(), status().await.as_str()), (named("revoked"), "revoked"));
}

#[actix_web::test]
async fn key_without_permissions_is_an_admins_and_a_promotion_names_it() {
    let desk = Desk::open().await;
    let cashiers = [
        "apiKeyCreate",
        "apiKeyUpdate",
        "fiscalOpenDrawer",
        "ticketClose",
        "ticketCreate",
        "ticketSetCustomer",
        "ticketUpdate",
    ];
    invent_role(&desk.shop, "keeper", &cashiers);
    let keeper = json!({ "user_name": "keeper", "password": PASSWORD, "roles": ["keeper"] });
    assert_eq!(desk.post("/users", keeper).await.status, 201);
    let token = desk.shop.native("keeper").await.text("/access_token");
    let new = |name: &str| json!({ "name": name, "user": "cashier", "device": "P01" });
    let narrow = by(&desk.shop, &token, Method::POST, "/api-keys", new("Narrow")).await;
    let fixed = json!(["fiscalOpenDrawer", "ticketClose", "ticketCreate", "ticketSetCustomer", "ticketUpdate"]);
    assert_eq!((narrow.status.as_u16(), &narrow.json()["permissions"]), (201, &fixed), "{}", narrow.json());
    let path = format!("/api-keys/{}", narrow.text("/id"));
    let widened = by(&desk.shop, &token, Method::PATCH, &path, json!({ "permissions": [] })).await;
    assert_eq!(widened.json()["permissions"], fixed, "{}", widened.json());

    let wide = desk.post("/api-keys", new("Wide")).await;
    assert_eq!(wide.json()["permissions"], json!([]), "an admin answers for it");
    let path = format!("/api-keys/{}", wide.text("/id"));
    let renamed = by(&desk.shop, &token, Method::PATCH, &path, json!({ "description": "at night" })).await;
    assert_eq!(renamed.json()["permissions"], json!([]), "what is there goes on");

    let person = format!("/users/{}", desk.shop.native("cashier").await.text("/session/user/id"));
    let promoted = desk.patch(&person, "*", json!({ "devices": [{ "device": "P01", "roles": ["admin"] }] })).await;
    assert_eq!(promoted.status, 200, "{}", promoted.json());
    let growing = promoted.json()["growing_api_keys"].as_array().unwrap().clone();
    assert_eq!(growing.iter().map(|key| key["name"].as_str().unwrap()).collect::<Vec<_>>(), ["Wide"]);
    assert_eq!(audited(&desk.shop, Action::UserRoles)["growing_api_keys"][0]["name"], "Wide");
    let named = desk.patch(&person, "*", json!({ "display_name": "Cash" })).await;
    assert!(named.json().get("growing_api_keys").is_none(), "{}", named.json());
}
