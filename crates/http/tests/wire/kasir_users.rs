//! POS Kasir's users as in its documentation: create, list, update, activate or deactivate, delete.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::kasir::{LOGIN, ME, assert_error};
use crate::test_server::{TEST_PASSWORD, TestResponse, TestServer, build_request, post_request, put_request};

pub const ADD: &str = "/kasir/api/v1/auth/add";
pub const USERS: &str = "/kasir/api/v1/users";

/// The body of a new user.
pub fn create_user_body() -> Value {
    json!({ "username": "nina", "email": "nina@example.com", "password": "staple battery", "role": "cashier" })
}

/// A server with an admin's token.
pub struct AdminClient {
    pub shop: TestServer,
    token: String,
}

impl AdminClient {
    pub async fn open() -> Self {
        let shop = TestServer::start();
        let token = shop.log_in_kasir("admin@example.com").await.text_at("/data/Token");
        Self { shop, token }
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> TestResponse {
        let request = build_request(method, path).insert_header(("Authorization", format!("Bearer {}", self.token)));
        self.shop.send(if let Some(body) = body { request.set_json(body) } else { request }).await
    }

    pub async fn get(&self, path: &str) -> TestResponse {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> TestResponse {
        self.send(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> TestResponse {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// Returns the names in a list, and the total number on all pages.
    pub async fn names(&self, query: &str) -> (Vec<String>, u64) {
        let response = self.get(&format!("{USERS}?{query}")).await;
        assert_eq!(
            (response.status.as_u16(), response.text_at("/message").as_str()),
            (200, "Users retrieved successfully")
        );
        let data = &response.json()["data"];
        let names = data["users"].as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap().to_owned());
        (names.collect(), data["pagination"]["total_data"].as_u64().unwrap())
    }

    pub async fn id(&self, name: &str) -> String {
        let found = self.get(&format!("{USERS}?search={name}&limit=1")).await;
        found.text_at("/data/users/0/id")
    }
}

/// Asserts that the response has this status, message and error text.
pub fn assert_error_sentence(response: &TestResponse, status: u16, message: &str, sentence: &str) {
    let expected = json!({ "message": message, "error": sentence, "data": null });
    assert_eq!((response.status.as_u16(), response.json()), (status, expected));
}

pub const UNREADABLE: &str = "Failed to parse request body";

#[actix_web::test]
async fn admin_adds_user_below_own_rank() {
    let admin = AdminClient::open().await;
    let added = admin.post(ADD, create_user_body()).await;
    assert_eq!(added.status, 200);
    let id = added.text_at("/data/id");
    assert_eq!(
        String::from_utf8_lossy(&added.bytes),
        format!(
            "{{\"message\":\"User added successfully\",\"data\":{{\"id\":\"{id}\",\"username\":\"nina\",\
             \"email\":\"nina@example.com\",\"role\":\"cashier\",\"avatar\":null,\"is_active\":true,\
             \"created_at\":\"2026-11-21T12:00:00Z\",\"updated_at\":\"2026-11-21T12:00:00Z\"}}}}"
        )
    );
    let login = json!({ "email": "nina@example.com", "password": "staple battery" });
    let own = admin.shop.post(LOGIN, login).await;
    assert_eq!((own.status.as_u16(), &own.json()["data"]["profile"]), (200, &added.json()["data"]));
    let manager =
        json!({ "username": "mara", "email": "mara@example.com", "password": TEST_PASSWORD, "role": "manager" });
    assert_eq!(admin.post(ADD, manager).await.text_at("/data/role"), "manager");
    let equal = json!({ "username": "olga", "email": "olga@example.com", "password": TEST_PASSWORD, "role": "admin" });
    let sentence = "the admin role is not below your own; ask somebody with a higher role";
    assert_error_sentence(
        &admin.post(ADD, equal).await,
        403,
        "Cannot assign a role equal to or higher than your own",
        sentence,
    );
    assert_eq!(admin.names("search=olga").await, (vec![], 0));
}

#[actix_web::test]
async fn duplicate_user_is_reported_by_field() {
    let admin = AdminClient::open().await;
    for path in [ADD, USERS] {
        for (name, email, field, message) in [
            ("JOHN_DOE", "new@example.com", "username", "Username already exists"),
            ("newcomer", "John@Example.com", "email", "Email already exists"),
            ("newcomer", "stranger@example.com", "email", "Email already exists"),
        ] {
            let body = json!({ "username": name, "email": email, "password": TEST_PASSWORD, "role": "cashier" });
            let sentence = format!("{field} is already in use; choose another");
            assert_error_sentence(&admin.post(path, body).await, 409, message, &sentence);
        }
    }
    assert_eq!(admin.names("search=newcomer").await.1, 0);
}

#[actix_web::test]
async fn invalid_user_is_reported_in_a_sentence() {
    let admin = AdminClient::open().await;
    for path in [ADD, USERS] {
        let with = |field: &str, value: Value| {
            let mut body = create_user_body();
            body[field] = value;
            body
        };
        for (body, sentence) in [
            (json!({}), "email is required; password is required; role is required; username is required"),
            (with("username", json!("")), "username must not be empty"),
            (with("username", json!("a@b")), "username must not contain \"@\", which marks an e-mail address"),
            (with("username", json!("x".repeat(101))), "username must have at most 100 characters"),
            (with("username", json!(5)), "username must be a string"),
            (with("email", json!("nina")), "email must be an e-mail address such as anna@example.com"),
            (with("role", json!("boss")), "role must be admin, manager or cashier"),
            (with("role", json!("Cashier")), "role must be admin, manager or cashier"),
            (with("password", json!("short")), "password must have at least 8 characters"),
            (with("is_active", json!("yes")), "is_active must be true or false"),
            (with("password", json!("nina-1984")), "password must not be made of the name \"nina\"; add other words"),
            (
                json!({ "username": 7, "password": "short", "role": "boss", "is_active": 1 }),
                "email is required; is_active must be true or false; password must have at least 8 characters; \
                 role must be admin, manager or cashier; username must be a string",
            ),
            (
                json!({ "username": "otto", "email": "a..b@example.com", "password": "Otto-2026", "role": null }),
                "email must be an e-mail address such as anna@example.com; \
                 password must not be made of the name \"otto\"; add other words; role is required",
            ),
        ] {
            assert_error_sentence(&admin.post(path, body).await, 400, UNREADABLE, sentence);
        }
        let search = admin.get(&format!("{USERS}?search=%FF")).await;
        assert_error_sentence(&search, 400, UNREADABLE, "search must be percent-encoded UTF-8");
        let list = admin.post(path, json!([])).await;
        assert_error_sentence(&list, 400, UNREADABLE, "the body must be an object");
    }
    assert_eq!(admin.names("search=nina").await.1, 0);
}

#[actix_web::test]
async fn admin_assigns_any_role() {
    let admin = AdminClient::open().await;
    for role in ["admin", "manager", "cashier"] {
        let body = json!({ "username": format!("new-{role}"), "email": format!("{role}@shop.example"),
            "password": "staple battery", "role": role });
        let added = admin.post(USERS, body).await;
        assert_eq!((added.status.as_u16(), added.text_at("/message").as_str()), (201, "User created successfully"));
        assert_eq!((added.text_at("/data/role").as_str(), &added.json()["data"]["is_active"]), (role, &json!(true)));
        assert_eq!(
            admin.get(&format!("{USERS}/{}", added.text_at("/data/id"))).await.json()["data"],
            added.json()["data"]
        );
    }
    let mut body = create_user_body();
    body["is_active"] = json!(false);
    let added = admin.post(USERS, body).await;
    assert_eq!((added.status.as_u16(), &added.json()["data"]["is_active"]), (201, &json!(false)));
    let login = json!({ "email": "nina", "password": "staple battery" });
    assert_error(&admin.shop.post(LOGIN, login.clone()).await, 401, "Invalid username or password", "not active");
    let toggle = format!("{USERS}/{}/toggle-status", added.text_at("/data/id"));
    assert_eq!(admin.send(Method::POST, &toggle, None).await.status, 200);
    assert_eq!(admin.shop.post(LOGIN, login).await.status, 200);
}

#[actix_web::test]
async fn user_change_takes_effect_at_once() {
    let admin = AdminClient::open().await;
    let id = admin.id("john_doe").await;
    let path = format!("{USERS}/{id}");
    let john = admin.shop.log_in_kasir("john@example.com").await.text_at("/data/Token");
    assert_error(&admin.shop.get(&path, &john).await, 403, "Insufficient permissions", "a cashier");
    let changed = admin.put(&path, json!({ "role": "manager" })).await;
    assert_eq!(
        (changed.status.as_u16(), changed.text_at("/message").as_str(), changed.text_at("/data/role").as_str()),
        (200, "User updated successfully", "manager")
    );
    assert_eq!(admin.shop.get(&path, &john).await.status, 200, "the same token, another role");
    assert_eq!(admin.put(&path, json!({ "role": "cashier" })).await.text_at("/data/role"), "cashier");
    assert_error(&admin.shop.get(&path, &john).await, 403, "Insufficient permissions", "a cashier again");
    let body = json!({ "username": "john", "email": "j@example.com", "unknown": 1, "role": null });
    let renamed = admin.put(&path, body).await;
    assert_eq!(
        (renamed.text_at("/data/username"), renamed.text_at("/data/email")),
        ("john".into(), "j@example.com".into())
    );
    assert_eq!(renamed.text_at("/data/role"), "cashier", "what is not sent stays");
    assert_eq!(admin.shop.get(ME, &john).await.text_at("/data/username"), "john");
    assert_eq!(admin.put(&path, json!({})).await.json()["data"], renamed.json()["data"], "nothing to change");
    let taken = admin.put(&path, json!({ "username": "CASHIER" })).await;
    assert_error_sentence(&taken, 409, "Username already exists", "username is already in use; choose another");
    assert_error_sentence(
        &admin.put(&path, json!({ "role": "boss" })).await,
        400,
        UNREADABLE,
        "role must be admin, manager or cashier",
    );
    let inactive = admin.put(&path, json!({ "is_active": false })).await;
    assert_eq!(inactive.json()["data"]["is_active"], json!(false));
    assert_error(&admin.shop.get(ME, &john).await, 401, "Invalid or expired token", "not active any more");
    let login = json!({ "email": "j@example.com", "password": TEST_PASSWORD });
    assert_error(&admin.shop.post(LOGIN, login.clone()).await, 401, "Invalid username or password", "not active");
    assert_eq!(admin.put(&path, json!({ "is_active": true })).await.status, 200);
    assert_eq!(admin.shop.post(LOGIN, login).await.status, 200);
}

#[actix_web::test]
async fn custom_role_stays_beside_the_rank() {
    let admin = AdminClient::open().await;
    let clerk = admin.id("clerk").await;
    assert_eq!(admin.get(&format!("{USERS}/{clerk}")).await.json()["data"]["role"], Value::Null);
    assert_eq!(
        admin.put(&format!("{USERS}/{clerk}"), json!({ "role": "cashier" })).await.text_at("/data/role"),
        "cashier"
    );
    let user = admin.shop.store.inner.clone();
    let id: tillgate_domain::UserId = clerk.parse().unwrap();
    let office: &dyn tillgate_domain::Store<tillgate_domain::office::OfficePorts> = &*user;
    let held =
        tillgate_domain::StoreExt::read(office, "test", |tx| tx.users().find(id)).unwrap().unwrap().assignment.office;
    assert_eq!(held.len(), 2, "clerk and cashier");
}

#[actix_web::test]
async fn status_toggle_ends_sessions_and_allows_login_again() {
    let admin = AdminClient::open().await;
    let path = format!("{USERS}/{}/toggle-status", admin.id("john_doe").await);
    let john = admin.shop.log_in_kasir("john@example.com").await.text_at("/data/Token");
    let off = admin.send(Method::POST, &path, None).await;
    assert_eq!(
        (off.status.as_u16(), String::from_utf8_lossy(&off.bytes).as_ref()),
        (200, "{\"message\":\"User status toggled successfully\"}")
    );
    assert_error(&admin.shop.get(ME, &john).await, 401, "Invalid or expired token", "switched off");
    assert_eq!(admin.names("search=john&is_active=false").await.1, 1);
    assert_eq!(admin.send(Method::POST, &path, None).await.status, 200);
    assert_error(&admin.shop.get(ME, &john).await, 401, "Invalid or expired token", "what has ended has ended");
    assert_eq!(admin.shop.log_in_kasir("john@example.com").await.status, 200);
}

#[actix_web::test]
async fn deleted_user_is_listed_among_deleted_only() {
    let admin = AdminClient::open().await;
    let id = admin.id("john_doe").await;
    let path = format!("{USERS}/{id}");
    let john = admin.shop.log_in_kasir("john@example.com").await.text_at("/data/Token");
    let deleted = admin.send(Method::DELETE, &path, None).await;
    assert_eq!(
        (deleted.status.as_u16(), String::from_utf8_lossy(&deleted.bytes).as_ref()),
        (200, "{\"message\":\"User deleted successfully\"}")
    );
    assert_error(&admin.shop.get(ME, &john).await, 401, "Invalid or expired token", "deleted");
    let login = json!({ "email": "john@example.com", "password": TEST_PASSWORD });
    assert_error(&admin.shop.post(LOGIN, login).await, 401, "Invalid username or password", "deleted");
    assert_error(&admin.get(&path).await, 404, "User not found", "deleted");
    assert_error(&admin.send(Method::DELETE, &path, None).await, 404, "User not found", "twice");
    assert_eq!(admin.names("search=john").await.1, 0);
    let list = admin.get(&format!("{USERS}?status=deleted")).await.json();
    let gone = &list["data"]["users"][0];
    assert_eq!((&gone["id"], &gone["is_active"]), (&json!(id), &json!(false)));
    assert_eq!(gone["deleted_at"], json!("2026-11-21T12:00:00Z"));
    assert_eq!(admin.names("status=all&search=john").await.1, 1);
    let again =
        json!({ "username": "john_doe", "email": "john@example.com", "password": TEST_PASSWORD, "role": "cashier" });
    assert_eq!(admin.post(USERS, again).await.status, 201, "the name is free again");
}

#[actix_web::test]
async fn last_admin_cannot_be_removed() {
    let admin = AdminClient::open().await;
    let path = format!("{USERS}/{}", admin.shop.get(ME, &admin.token).await.text_at("/data/id"));
    let majitel = format!("{USERS}/{}", admin.id("999").await);
    assert_eq!(admin.send(Method::DELETE, &majitel, None).await.status, 200, "an admin on a device is one too");
    let sentence = "this is the last active admin; add another admin first";
    for (method, path, body) in [
        (Method::DELETE, path.clone(), None),
        (Method::PUT, path.clone(), Some(json!({ "is_active": false }))),
        (Method::POST, format!("{path}/toggle-status"), None),
    ] {
        assert_error_sentence(&admin.send(method, &path, body).await, 409, "Conflict", sentence);
    }
    assert_eq!(admin.get(ME).await.status, 200, "nothing has ended");
}

#[actix_web::test]
async fn page_of_another_origin_changes_no_user() {
    let admin = AdminClient::open().await;
    let id = admin.id("john_doe").await;
    for request in [
        post_request(ADD, create_user_body()),
        post_request(USERS, create_user_body()),
        put_request(&format!("{USERS}/{id}"), json!({ "role": "admin" })),
        build_request(Method::DELETE, &format!("{USERS}/{id}")),
        build_request(Method::POST, &format!("{USERS}/{id}/toggle-status")),
    ] {
        let request = request.insert_header(("Cookie", format!("access_token={}", admin.token)));
        let foreign = admin.shop.send(request.insert_header(("Origin", "https://evil.example"))).await;
        assert_error(&foreign, 403, "Origin not allowed", "by cookie alone");
    }
    assert_eq!(admin.names("search=nina").await.1, 0);
    assert_eq!(admin.get(&format!("{USERS}/{id}")).await.text_at("/data/role"), "cashier");
    let by_cookie =
        build_request(Method::GET, USERS).insert_header(("Cookie", format!("access_token={}", admin.token)));
    assert_eq!(admin.shop.send(by_cookie).await.status, 200, "reading is no change");
}
