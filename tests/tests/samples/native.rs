//! The native API and OAuth: a request for each call that takes text, with every text that it takes.

use serde_json::{Value, json};

use super::Sample;

/// A ticket with every text that one has.
pub(super) fn ticket() -> Value {
    json!({
        "currency": "EUR", "owner": "manager", "name": "Table", "external_id": "x", "discount_rate": "10", "rounding": "0.01",
        "location": { "zone": "garden", "table": "5" },
        "customer": {
            "id": "c", "external_id": "x", "card_serial_number": "1", "first_name": "Jana", "last_name": "Malá",
            "full_name": "Jana Malá", "phone": "+421", "email": "jana@example.com", "credit_rate": "1", "discount_rate": "10",
            "meta": { "note": "none" }, "extra": { "gender": "Female" },
        },
        "items": [item()], "payments": [payment("0.01")], "extra": { "purchaseType": "WalkIn" },
    })
}

fn item() -> Value {
    json!({
        "external_id": "x", "kind": "positive", "comment": "hot", "unit_price": "5", "quantity": "1", "unit": "kg",
        "discount_rate": "1",
        "article": {
            "name": "Cheese", "description": "hard", "stock": "S01", "code": "1", "category": "food", "kind": "goods",
            "vat_category": "1", "vat_rate": "10", "order_endpoints": ["kitchen"], "extra": { "specialRegulation": "UsedGood" },
        },
    })
}

fn payment(amount: &str) -> Value {
    json!({ "means": "cash", "name": "Cash", "amount": amount })
}

/// What is there to be changed.
pub(super) struct Ids {
    pub(super) user: String,
    pub(super) device: String,
    pub(super) role: String,
    pub(super) store: String,
    pub(super) key: String,
    pub(super) tenant: String,
    pub(super) ticket: String,
}

/// The samples of the native API and of OAuth.
pub(super) fn all(office: &str, till: &str, ids: &Ids) -> Vec<Sample> {
    [of_people(office, ids), of_things(office, ids), of_tickets(till, &ids.ticket), of_programs(office)].concat()
}

fn at(path: &str, id: &str) -> String {
    format!("/api/v1/{path}/{id}")
}

fn change(method: &str, path: &str, body: Value, token: &str) -> Sample {
    Sample::json(method, path, body).by(token).with("If-Match", "*")
}

/// Logging in, and users.
fn of_people(office: &str, Ids { user, device, .. }: &Ids) -> Vec<Sample> {
    let of_office =
        |method: &str, path: &str, body: Value| change(method, path, body, office).with("Accept-Language", "sk");
    vec![
        Sample::json(
            "POST",
            "/api/v1/sessions",
            json!({
                "login": "nobody", "password": "x", "new_password": "sea salt and honey", "device": "P01", "tenant": "default",
                "previous_refresh_token": "x",
            }),
        )
        .with("User-Agent", "till"),
        Sample::json("POST", "/api/v1/sessions", json!({ "login": "a@example.com", "password": "x" })),
        Sample::json("POST", "/api/v1/sessions", json!({ "device": "P01", "password": "x" })),
        Sample::json("POST", "/api/v1/sessions/refresh", json!({ "refresh_token": "x" })),
        of_office("POST", "/api/v1/sessions/end", json!({ "user": user })),
        of_office("POST", "/api/v1/sessions/end", json!({ "device": device })),
        of_office(
            "PUT",
            "/api/v1/sessions/current/password",
            json!({ "current_password": "x", "password": "sea salt and honey" }),
        ),
        of_office(
            "POST",
            "/api/v1/users",
            json!({
                "user_name": "new", "email": "new@example.com", "display_name": "New", "password": "sea salt and honey",
                "status": "active", "roles": ["cashier"], "devices": [{ "device": "P01", "roles": ["cashier"] }],
            }),
        ),
        of_office("POST", "/api/v1/users", json!({ "user_name": "virtual", "feature": "kiosk" })),
        of_office(
            "PATCH",
            &at("users", user),
            json!({
                "user_name": "odd", "email": "odd@example.com", "display_name": "Odd", "current_password": "x",
                "status": "active", "roles": ["cashier"], "devices": [{ "device": "P01", "roles": ["cashier"] }],
            }),
        ),
        of_office("PUT", &format!("{}/password", at("users", user)), json!({ "password": "sea salt and honey" })),
    ]
}

/// Devices, roles, stores, the tenant and API keys.
fn of_things(office: &str, Ids { device, role, store, key, tenant, .. }: &Ids) -> Vec<Sample> {
    let of_office =
        |method: &str, path: &str, body: Value| change(method, path, body, office).with("Accept-Language", "sk");
    vec![
        of_office(
            "POST",
            "/api/v1/devices",
            json!({
                "name": "NEW", "environment": "CashRegister", "description": "new", "preferences": { "a": "b" },
                "settings": { "a": "b" }, "roles": ["cashier"], "password": "sea salt and honey", "status": "active",
            }),
        ),
        of_office(
            "PATCH",
            &at("devices", device),
            json!({
                "name": "ODD", "environment": "CashRegister", "status": "active", "description": "odd",
                "preferences": { "a": "b" }, "settings": { "a": "b" }, "roles": ["cashier"],
            }),
        ),
        of_office("PUT", &format!("{}/password", at("devices", device)), json!({ "password": "sea salt and honey" })),
        of_office(
            "POST",
            "/api/v1/roles",
            json!({ "name": "new", "label": "New", "description": "new", "rights": ["storno"], "environments": ["PDA"] }),
        ),
        of_office(
            "PATCH",
            &at("roles", role),
            json!({
                "name": "odd", "label": "Odd", "description": "odd", "rights": ["storno"], "environments": ["PDA"],
            }),
        ),
        of_office("POST", "/api/v1/stores", json!({ "name": "New" })),
        of_office("PATCH", &at("stores", store), json!({ "name": "Odd" })),
        of_office(
            "PATCH",
            &at("tenants", tenant),
            json!({ "name": "Shop", "zone": "Europe/Bratislava", "locale": "sk" }),
        ),
        of_office(
            "POST",
            "/api/v1/api-keys",
            json!({
                "name": "New", "description": "new", "status": "active", "user": "admin", "device": "P01",
                "permissions": ["storno"],
            }),
        ),
        of_office(
            "PATCH",
            &at("api-keys", key),
            json!({
                "name": "Odd", "description": "odd", "status": "active", "user": "admin", "device": "P01",
                "permissions": ["storno"],
            }),
        ),
    ]
}

fn of_tickets(till: &str, id: &str) -> Vec<Sample> {
    let of_till = |method: &str, path: &str, body: Value| change(method, path, body, till);
    let mut changed = ticket();
    changed.as_object_mut().unwrap().remove("currency");
    vec![
        of_till("POST", "/api/v1/tickets", ticket()).with("Idempotency-Key", "odd"),
        of_till("PATCH", &at("tickets", id), changed),
        of_till(
            "POST",
            &format!("{}/close", at("tickets", id)),
            json!({ "payments": [payment("0.01")], "fiscal": "eKasa" }),
        ),
        of_till("POST", &format!("{}/refund", at("tickets", id)), json!({ "items": [{ "id": 1, "quantity": "1" }] }))
            .with("Idempotency-Key", "odd"),
    ]
}

/// The access check of gateways, and OAuth.
fn of_programs(office: &str) -> Vec<Sample> {
    vec![
        Sample::get("/api/v1/access", &[])
            .by(office)
            .with("X-Original-Method", "GET")
            .with("X-Original-URI", "/reports/x")
            .with("X-Original-URL", "https://shop.example/reports/x")
            .with("X-Forwarded-For", "1.2.3.4")
            .with("Cookie", "a=b"),
        Sample::get("/api/v1/access", &[])
            .by(office)
            .with("X-Original-Method", "GET")
            .with("X-Original-URL", "https://shop.example/reports/x"),
        Sample::get("/api/v1/access", &[])
            .by(office)
            .with("X-Forwarded-Method", "GET")
            .with("X-Forwarded-Uri", "/reports/x"),
        Sample::form(
            "/oauth/introspect",
            &[("token", "x"), ("token_type_hint", "access_token"), ("client_id", "nobody"), ("client_secret", "x")],
        ),
        Sample::form("/oauth/revoke", &[("token", "x"), ("client_id", "nobody"), ("client_secret", "x")]),
        // nobody: a NUL
        Sample::form("/oauth/introspect", &[("token", "x")]).with("Authorization", "Basic AG5vYm9keQA6eA=="),
    ]
}
