//! E-mail addresses in requests: every contract rejects undeliverable ones, and a domain has one
//! normal form.

use serde_json::json;

use crate::office::OfficeClient;
use crate::test_server::{TEST_PASSWORD, TestServer, post_request, with_bearer};

/// One undeliverable address of each kind.
const UNDELIVERABLE: [&str; 7] = [
    "a,b@example.com",
    "old..style@example.com",
    "u@example.com.",
    "u@example..com",
    "u@[127.0.0.1]",
    "u\u{200b}@example.com",
    "u@-example.com",
];

#[actix_web::test]
async fn undeliverable_address_is_rejected_on_entry() {
    let desk = OfficeClient::open().await;
    let witness = format!("/users/{}", desk.shop.log_in_native("witness").await.text_at("/session/user/id"));
    let kasir = desk.shop.log_in_kasir("admin@example.com").await.text_at("/data/Token");
    for email in UNDELIVERABLE {
        let added = desk.post("/users", json!({ "user_name": "nina", "email": email })).await;
        assert_eq!((added.status.as_u16(), added.text_at("/errors/0/pointer").as_str()), (422, "/email"), "{email}");
        assert_eq!(desk.patch(&witness, "*", json!({ "email": email })).await.status, 422, "{email}");
        let nina = json!({ "username": "nina", "email": email, "password": "staple battery", "role": "cashier" });
        let response = desk.shop.send(with_bearer(post_request("/kasir/api/v1/users", nina), &kasir)).await;
        assert_eq!(response.status, 400, "{email}: {}", response.json());
        let rita = json!({ "name": "Rita", "email": email, "password": "a song in the rain", "business_name": "Shop", "industry": "grocery" });
        let response = desk.shop.post("/posstar/api/v1/auth/register", rita).await;
        assert_eq!(response.status, 400, "{email}: {}", response.json());
        let expected = if email.contains('\u{200b}') {
            "email must not contain U+200B"
        } else {
            "email must be an e-mail address"
        };
        assert!(response.text_at("/message").contains(expected), "{}", response.json());
    }
}

#[actix_web::test]
async fn domain_equals_its_punycode_form() {
    let desk = OfficeClient::open().await;
    let forms = ["nina@münchen.example", "Nina@XN--MNCHEN-3YA.example"];
    for (first, second) in [(forms[0], forms[1]), (forms[1], forms[0])] {
        let new = json!({ "user_name": "nina", "email": first, "password": TEST_PASSWORD, "roles": ["cashier"] });
        let added = desk.post("/users", new).await;
        assert_eq!((added.status.as_u16(), added.text_at("/email").as_str()), (201, first), "{}", added.json());
        let other = desk.post("/users", json!({ "user_name": "nora", "email": second })).await;
        assert_eq!(other.text_at("/errors/0/code"), "taken", "{}", other.json());
        for form in forms {
            assert_eq!(login(&desk.shop, form).await, 201, "{form}");
        }
        let path = format!("/users/{}", added.text_at("/id"));
        assert_eq!(desk.send(actix_web::http::Method::DELETE, &path, Some("*"), None).await.status, 204);
    }
}

async fn login(shop: &TestServer, login: &str) -> u16 {
    shop.post("/api/v1/sessions", json!({ "login": login, "password": TEST_PASSWORD })).await.status.as_u16()
}
