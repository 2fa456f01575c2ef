//! POS Kasir's answers byte for byte: each shape of its page with its members in their order, and the headers that go with it.

use actix_web::http::Method;
use serde_json::json;

use crate::kasir::{LOGIN, LOGOUT, ME, REFRESH};
use crate::kasir_users::{ADD, USERS, nina};
use crate::shop::{Answer, PASSWORD, Shop, bearer, call, post, put};

const SECOND: &str = "2026-11-21T12:00:00Z";
const HOUR: &str = "2026-11-21T13:00:00Z";

/// The answer is this, byte for byte, as JSON that nobody keeps.
#[track_caller]
fn is(answer: &Answer, status: u16, body: &str) {
    assert_eq!((answer.status.as_u16(), String::from_utf8_lossy(&answer.bytes).as_ref()), (status, body));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

fn profile(id: &str, name: &str, email: &str, role: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"username\":\"{name}\",\"email\":\"{email}\",\"role\":\"{role}\",\"avatar\":null,\
         \"is_active\":true,\"created_at\":\"{SECOND}\",\"updated_at\":\"{SECOND}\"}}"
    )
}

fn under(message: &str, data: &str) -> String {
    format!("{{\"message\":\"{message}\",\"data\":{data}}}")
}

#[actix_web::test]
async fn every_example_of_the_page() {
    let shop = Shop::open();
    let login = shop.kasir("admin@example.com").await;
    let (token, refresh, id) =
        (login.text("/data/Token"), login.text("/data/refresh_token"), login.text("/data/profile/id"));
    let admin = profile(&id, "admin", "admin@example.com", "admin");
    let data = format!(
        "{{\"Token\":\"{token}\",\"refresh_token\":\"{refresh}\",\"expired_at\":\"{HOUR}\",\"profile\":{admin}}}"
    );
    is(&login, 200, &under("Login successful", &data));
    is(&shop.get(ME, &token).await, 200, &under("Success", &admin));

    let added = shop.send(bearer(post(ADD, nina()), &token)).await;
    let nina = profile(&added.text("/data/id"), "nina", "nina@example.com", "cashier");
    is(&added, 200, &under("User added successfully", &nina));
    let mara = json!({ "username": "mara", "email": "mara@example.com", "password": PASSWORD, "role": "manager", "is_active": true });
    let created = shop.send(bearer(post(USERS, mara), &token)).await;
    let mara = created.text("/data/id");
    is(&created, 201, &under("User created successfully", &profile(&mara, "mara", "mara@example.com", "manager")));

    let list = shop.get(&format!("{USERS}?search=nina@&limit=1"), &token).await;
    let pagination = "{\"current_page\":1,\"total_page\":1,\"total_data\":1,\"per_page\":1}";
    let users = format!("{{\"users\":[{nina}],\"pagination\":{pagination}}}");
    is(&list, 200, &under("Users retrieved successfully", &users));
    let path = format!("{USERS}/{mara}");
    let one = shop.get(&path, &token).await;
    is(&one, 200, &under("User retrieved successfully", &profile(&mara, "mara", "mara@example.com", "manager")));
    let changed = shop.send(bearer(put(&path, json!({ "username": "Mara", "role": "cashier" })), &token)).await;
    is(&changed, 200, &under("User updated successfully", &profile(&mara, "Mara", "mara@example.com", "cashier")));
    let toggle = call(Method::POST, &format!("{path}/toggle-status"));
    is(&shop.send(bearer(toggle, &token)).await, 200, "{\"message\":\"User status toggled successfully\"}");
    is(&shop.delete(&path, &token).await, 200, "{\"message\":\"User deleted successfully\"}");
    let gone = profile(&mara, "Mara", "mara@example.com", "cashier").replace("true", "false");
    let gone = gone.replace('}', &format!(",\"deleted_at\":\"{SECOND}\"}}"));
    let deleted = shop.get(&format!("{USERS}?status=deleted&limit=1"), &token).await;
    let users = format!("{{\"users\":[{gone}],\"pagination\":{pagination}}}");
    is(&deleted, 200, &under("Users retrieved successfully", &users));

    let logs = shop.get("/kasir/api/v1/activity-logs?limit=1&action_type=REGISTER", &token).await;
    let (log, nina) = (logs.text("/data/logs/0/id"), added.text("/data/id"));
    let details = "{\"devices\":{},\"roles\":[\"cashier\"],\"status\":\"active\",\"user_name\":\"nina\"}";
    let log = format!(
        "{{\"id\":\"{log}\",\"user_id\":\"{id}\",\"user_name\":\"admin\",\"action_type\":\"REGISTER\",\
         \"entity_type\":\"USER\",\"entity_id\":\"{nina}\",\"details\":{details},\"created_at\":\"{SECOND}\"}}"
    );
    let rest = "\"total_items\":1,\"total_pages\":1,\"page\":1,\"limit\":1";
    is(&logs, 200, &under("Success", &format!("{{\"logs\":[{log}],{rest}}}")));

    let renewed = shop.post(REFRESH, json!({ "refresh_token": refresh })).await;
    let (next, newer) = (renewed.text("/data/Token"), renewed.text("/data/refresh_token"));
    let data = format!("{{\"Token\":\"{next}\",\"refresh_token\":\"{newer}\",\"expired_at\":\"{HOUR}\"}}");
    is(&renewed, 200, &under("Token refreshed successfully", &data));
    let other = json!({ "old_password": PASSWORD, "new_password": "staple battery" });
    let change = shop.send(bearer(put("/kasir/api/v1/auth/me/password", other), &next)).await;
    is(&change, 200, "{\"message\":\"Password updated successfully\"}");
    let out = shop.with_token(Method::POST, LOGOUT, &next).await;
    is(&out, 200, "{\"message\":\"Successfully logged out\",\"data\":null}");
    for answer in [&login, &renewed, &out] {
        assert_eq!(answer.cookies().len(), 2);
    }
    for answer in [&added, &created, &list, &one, &changed, &logs, &change] {
        assert!(answer.cookies().is_empty());
    }
}

#[actix_web::test]
async fn every_refusal_of_the_page() {
    let shop = Shop::open();
    let admin = shop.kasir("admin@example.com").await.text("/data/Token");
    let john = shop.kasir("john@example.com").await.text("/data/Token");
    let failed = |message: &str, error: &str| format!("{{\"message\":\"{message}\",\"error\":{error},\"data\":null}}");
    let taken =
        |name: &str, email: &str| json!({ "username": name, "email": email, "password": PASSWORD, "role": "cashier" });
    let equal = json!({ "username": "olga", "email": "olga@example.com", "password": PASSWORD, "role": "admin" });
    let wrong = json!({ "old_password": "wrong", "new_password": "staple battery" });
    let nobody = format!("{USERS}/00000000-0000-7000-8000-000000000000");
    for (request, status, message, error) in [
        (post(LOGIN, json!({ "email": "a@b.c", "password": "wrong" })), 401, "Invalid username or password", "{}"),
        (post(LOGIN, json!({ "email": "clerk", "password": PASSWORD })), 403, "Insufficient permissions", "{}"),
        (post(LOGIN, json!({})), 400, "Failed to parse request body", "\"email is required; password is required\""),
        (call(Method::GET, ME), 401, "Authorization header required", "{}"),
        (bearer(call(Method::GET, ME), "x"), 401, "Invalid or expired token", "{}"),
        (call(Method::POST, REFRESH), 401, "Refresh token missing", "{}"),
        (bearer(call(Method::POST, REFRESH), "x"), 401, "Invalid or expired session", "{}"),
        (
            bearer(put("/kasir/api/v1/auth/me/password", wrong), &john),
            401,
            "Invalid current password",
            "\"the current password is wrong\"",
        ),
        (bearer(post(ADD, nina()), &john), 403, "Insufficient permissions", "{}"),
        (
            bearer(post(ADD, equal), &admin),
            403,
            "Cannot assign a role equal to or higher than your own",
            "\"the role admin is not below your own; somebody above it can give it\"",
        ),
        (
            bearer(post(USERS, taken("john_doe", "new@example.com")), &admin),
            409,
            "Username already exists",
            "\"username is taken; choose another\"",
        ),
        (
            bearer(post(USERS, taken("new", "john@example.com")), &admin),
            409,
            "Email already exists",
            "\"email is taken; choose another\"",
        ),
        (bearer(call(Method::GET, &nobody), &admin), 404, "User not found", "{}"),
        (
            call(Method::POST, LOGOUT)
                .insert_header(("Cookie", format!("access_token={john}")))
                .insert_header(("Sec-Fetch-Site", "cross-site")),
            403,
            "Origin not allowed",
            "{}",
        ),
    ] {
        let answer = shop.send(request).await;
        is(&answer, status, &failed(message, error));
        let challenges: &[&str] = if status == 401 { &["Bearer realm=\"tillgate\""] } else { &[] };
        assert_eq!(answer.challenges(), challenges, "{message}");
        assert!(answer.cookies().is_empty(), "{message}");
    }
    let wrong_method = shop.send(call(Method::PATCH, USERS)).await;
    is(&wrong_method, 405, &failed("Method Not Allowed", "{}"));
    assert_eq!(wrong_method.header("allow"), "GET, HEAD, POST");
    let text = call(Method::POST, LOGIN).insert_header(("Content-Type", "text/plain")).set_payload("{}");
    is(&shop.send(text).await, 415, &failed("Unsupported Media Type", "{}"));
}
