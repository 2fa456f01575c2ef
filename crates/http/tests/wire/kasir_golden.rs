//! POS Kasir's responses byte for byte: each published format with its members in order, and their
//! headers.

use actix_web::http::Method;
use serde_json::json;

use crate::kasir::{LOGIN, LOGOUT, ME, REFRESH};
use crate::kasir_users::{ADD, USERS, create_user_body};
use crate::test_server::{
    TEST_PASSWORD, TestResponse, TestServer, build_request, post_request, put_request, with_bearer,
};

const NOW: &str = "2026-11-21T12:00:00Z";
const IN_ONE_HOUR: &str = "2026-11-21T13:00:00Z";

/// Asserts that the response is this JSON, byte for byte, and is not cached.
#[track_caller]
fn assert_body(response: &TestResponse, status: u16, body: &str) {
    assert_eq!((response.status.as_u16(), String::from_utf8_lossy(&response.bytes).as_ref()), (status, body));
    assert_eq!(response.header("content-type"), "application/json");
    assert_eq!(response.header("cache-control"), "no-store");
    assert_eq!(response.header("x-content-type-options"), "nosniff");
}

fn profile(id: &str, name: &str, email: &str, role: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"username\":\"{name}\",\"email\":\"{email}\",\"role\":\"{role}\",\"avatar\":null,\
         \"is_active\":true,\"created_at\":\"{NOW}\",\"updated_at\":\"{NOW}\"}}"
    )
}

fn success_body(message: &str, data: &str) -> String {
    format!("{{\"message\":\"{message}\",\"data\":{data}}}")
}

#[actix_web::test]
async fn published_examples_match() {
    let shop = TestServer::start();
    let login = shop.log_in_kasir("admin@example.com").await;
    let (token, refresh, id) =
        (login.text_at("/data/Token"), login.text_at("/data/refresh_token"), login.text_at("/data/profile/id"));
    let admin = profile(&id, "admin", "admin@example.com", "admin");
    let data = format!(
        "{{\"Token\":\"{token}\",\"refresh_token\":\"{refresh}\",\"expired_at\":\"{IN_ONE_HOUR}\",\"profile\":{admin}}}"
    );
    assert_body(&login, 200, &success_body("Login successful", &data));
    assert_body(&shop.get(ME, &token).await, 200, &success_body("Success", &admin));

    let added = shop.send(with_bearer(post_request(ADD, create_user_body()), &token)).await;
    let nina = profile(&added.text_at("/data/id"), "nina", "nina@example.com", "cashier");
    assert_body(&added, 200, &success_body("User added successfully", &nina));
    let mara = json!({ "username": "mara", "email": "mara@example.com", "password": TEST_PASSWORD, "role": "manager", "is_active": true });
    let created = shop.send(with_bearer(post_request(USERS, mara), &token)).await;
    let mara = created.text_at("/data/id");
    assert_body(
        &created,
        201,
        &success_body("User created successfully", &profile(&mara, "mara", "mara@example.com", "manager")),
    );

    let list = shop.get(&format!("{USERS}?search=nina@&limit=1"), &token).await;
    let pagination = "{\"current_page\":1,\"total_page\":1,\"total_data\":1,\"per_page\":1}";
    let users = format!("{{\"users\":[{nina}],\"pagination\":{pagination}}}");
    assert_body(&list, 200, &success_body("Users retrieved successfully", &users));
    let path = format!("{USERS}/{mara}");
    let one = shop.get(&path, &token).await;
    assert_body(
        &one,
        200,
        &success_body("User retrieved successfully", &profile(&mara, "mara", "mara@example.com", "manager")),
    );
    let changed =
        shop.send(with_bearer(put_request(&path, json!({ "username": "Mara", "role": "cashier" })), &token)).await;
    assert_body(
        &changed,
        200,
        &success_body("User updated successfully", &profile(&mara, "Mara", "mara@example.com", "cashier")),
    );
    let toggle = build_request(Method::POST, &format!("{path}/toggle-status"));
    assert_body(
        &shop.send(with_bearer(toggle, &token)).await,
        200,
        "{\"message\":\"User status toggled successfully\"}",
    );
    assert_body(&shop.delete(&path, &token).await, 200, "{\"message\":\"User deleted successfully\"}");
    let gone = profile(&mara, "Mara", "mara@example.com", "cashier").replace("true", "false");
    let gone = gone.replace('}', &format!(",\"deleted_at\":\"{NOW}\"}}"));
    let deleted = shop.get(&format!("{USERS}?status=deleted&limit=1"), &token).await;
    let users = format!("{{\"users\":[{gone}],\"pagination\":{pagination}}}");
    assert_body(&deleted, 200, &success_body("Users retrieved successfully", &users));

    let logs = shop.get("/kasir/api/v1/activity-logs?limit=1&action_type=REGISTER", &token).await;
    let (log, nina) = (logs.text_at("/data/logs/0/id"), added.text_at("/data/id"));
    let details = "{\"devices\":{},\"roles\":[\"cashier\"],\"status\":\"active\",\"user_name\":\"nina\"}";
    let log = format!(
        "{{\"id\":\"{log}\",\"user_id\":\"{id}\",\"user_name\":\"admin\",\"action_type\":\"REGISTER\",\
         \"entity_type\":\"USER\",\"entity_id\":\"{nina}\",\"details\":{details},\"created_at\":\"{NOW}\"}}"
    );
    let rest = "\"total_items\":1,\"total_pages\":1,\"page\":1,\"limit\":1";
    assert_body(&logs, 200, &success_body("Success", &format!("{{\"logs\":[{log}],{rest}}}")));

    let renewed = shop.post(REFRESH, json!({ "refresh_token": refresh })).await;
    let (next, newer) = (renewed.text_at("/data/Token"), renewed.text_at("/data/refresh_token"));
    let data = format!("{{\"Token\":\"{next}\",\"refresh_token\":\"{newer}\",\"expired_at\":\"{IN_ONE_HOUR}\"}}");
    assert_body(&renewed, 200, &success_body("Token refreshed successfully", &data));
    let other = json!({ "old_password": TEST_PASSWORD, "new_password": "staple battery" });
    let change = shop.send(with_bearer(put_request("/kasir/api/v1/auth/me/password", other), &next)).await;
    assert_body(&change, 200, "{\"message\":\"Password updated successfully\"}");
    let out = shop.with_token(Method::POST, LOGOUT, &next).await;
    assert_body(&out, 200, "{\"message\":\"Successfully logged out\",\"data\":null}");
    for response in [&login, &renewed, &out] {
        assert_eq!(response.cookies().len(), 2);
    }
    for response in [&added, &created, &list, &one, &changed, &logs, &change] {
        assert!(response.cookies().is_empty());
    }
}

#[actix_web::test]
async fn published_errors_match() {
    let shop = TestServer::start();
    let admin = shop.log_in_kasir("admin@example.com").await.text_at("/data/Token");
    let john = shop.log_in_kasir("john@example.com").await.text_at("/data/Token");
    let failed = |message: &str, error: &str| format!("{{\"message\":\"{message}\",\"error\":{error},\"data\":null}}");
    let taken = |name: &str, email: &str| json!({ "username": name, "email": email, "password": TEST_PASSWORD, "role": "cashier" });
    let equal = json!({ "username": "olga", "email": "olga@example.com", "password": TEST_PASSWORD, "role": "admin" });
    let wrong = json!({ "old_password": "wrong", "new_password": "staple battery" });
    let nobody = format!("{USERS}/00000000-0000-7000-8000-000000000000");
    for (request, status, message, error) in [
        (
            post_request(LOGIN, json!({ "email": "a@b.c", "password": "wrong" })),
            401,
            "Invalid username or password",
            "{}",
        ),
        (
            post_request(LOGIN, json!({ "email": "clerk", "password": TEST_PASSWORD })),
            403,
            "Insufficient permissions",
            "{}",
        ),
        (
            post_request(LOGIN, json!({})),
            400,
            "Failed to parse request body",
            "\"email is required; password is required\"",
        ),
        (build_request(Method::GET, ME), 401, "Authorization header required", "{}"),
        (with_bearer(build_request(Method::GET, ME), "x"), 401, "Invalid or expired token", "{}"),
        (build_request(Method::POST, REFRESH), 401, "Refresh token missing", "{}"),
        (with_bearer(build_request(Method::POST, REFRESH), "x"), 401, "Invalid or expired session", "{}"),
        (
            with_bearer(put_request("/kasir/api/v1/auth/me/password", wrong), &john),
            401,
            "Invalid current password",
            "\"the current password is wrong\"",
        ),
        (with_bearer(post_request(ADD, create_user_body()), &john), 403, "Insufficient permissions", "{}"),
        (
            with_bearer(post_request(ADD, equal), &admin),
            403,
            "Cannot assign a role equal to or higher than your own",
            "\"the admin role is not below your own; ask somebody with a higher role\"",
        ),
        (
            with_bearer(post_request(USERS, taken("john_doe", "new@example.com")), &admin),
            409,
            "Username already exists",
            "\"username is already in use; choose another\"",
        ),
        (
            with_bearer(post_request(USERS, taken("new", "john@example.com")), &admin),
            409,
            "Email already exists",
            "\"email is already in use; choose another\"",
        ),
        (with_bearer(build_request(Method::GET, &nobody), &admin), 404, "User not found", "{}"),
        (
            build_request(Method::POST, LOGOUT)
                .insert_header(("Cookie", format!("access_token={john}")))
                .insert_header(("Sec-Fetch-Site", "cross-site")),
            403,
            "Origin not allowed",
            "{}",
        ),
    ] {
        let response = shop.send(request).await;
        assert_body(&response, status, &failed(message, error));
        let challenges: &[&str] = if status == 401 { &["Bearer realm=\"tillgate\""] } else { &[] };
        assert_eq!(response.challenges(), challenges, "{message}");
        assert!(response.cookies().is_empty(), "{message}");
    }
    let wrong_method = shop.send(build_request(Method::PATCH, USERS)).await;
    assert_body(&wrong_method, 405, &failed("Method Not Allowed", "{}"));
    assert_eq!(wrong_method.header("allow"), "GET, HEAD, POST");
    let text = build_request(Method::POST, LOGIN).insert_header(("Content-Type", "text/plain")).set_payload("{}");
    assert_body(&shop.send(text).await, 415, &failed("Unsupported Media Type", "{}"));
}
