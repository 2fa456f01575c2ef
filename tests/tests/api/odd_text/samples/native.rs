//! Samples of the native API and OAuth: a request for each call that accepts text, with every text
//! that it accepts.

use serde_json::{Value, json};

use super::Sample;

/// A ticket with every text field.
pub(super) fn ticket_json() -> Value {
    json!({
        "currency": "EUR", "owner": "manager", "name": "Table", "external_id": "x", "discount_rate": "10", "rounding": "0.01",
        "location": { "zone": "garden", "table": "5" },
        "customer": {
            "id": "c", "external_id": "x", "card_serial_number": "1", "first_name": "Jana", "last_name": "Malá",
            "full_name": "Jana Malá", "phone": "+421", "email": "jana@example.com", "credit_rate": "1", "discount_rate": "10",
            "meta": { "note": "none" }, "extra": { "gender": "Female" },
        },
        "items": [item_json()], "payments": [payment_json("0.01")], "extra": { "purchaseType": "WalkIn" },
    })
}

fn item_json() -> Value {
    json!({
        "external_id": "x", "kind": "positive", "comment": "hot", "unit_price": "5", "quantity": "1", "unit": "kg",
        "discount_rate": "1",
        "article": {
            "name": "Cheese", "description": "hard", "stock": "S01", "code": "1", "category": "food", "kind": "goods",
            "vat_category": "1", "vat_rate": "10", "order_endpoints": ["kitchen"], "extra": { "specialRegulation": "UsedGood" },
        },
    })
}

fn payment_json(amount: &str) -> Value {
    json!({ "means": "cash", "name": "Cash", "amount": amount })
}

/// The ids of records that can be changed.
pub(super) struct SampleIds {
    pub(super) user: String,
    pub(super) device: String,
    pub(super) role: String,
    pub(super) store: String,
    pub(super) key: String,
    pub(super) tenant: String,
    pub(super) ticket: String,
}

/// The samples of the native API and of OAuth.
pub(super) fn all_samples(office: &str, till: &str, ids: &SampleIds) -> Vec<Sample> {
    [
        user_samples(office, ids),
        directory_samples(office, ids),
        ticket_samples(till, &ids.ticket),
        api_key_samples(office),
    ]
    .concat()
}

fn path_with_id(path: &str, id: &str) -> String {
    format!("/api/v1/{path}/{id}")
}

fn change_sample(method: &str, path: &str, body: Value, token: &str) -> Sample {
    Sample::json(method, path, body).with_token(token).call_with_header("If-Match", "*")
}

/// Logins and users.
fn user_samples(office: &str, SampleIds { user, device, .. }: &SampleIds) -> Vec<Sample> {
    let of_office = |method: &str, path: &str, body: Value| {
        change_sample(method, path, body, office).call_with_header("Accept-Language", "sk")
    };
    vec![
        Sample::json(
            "POST",
            "/api/v1/sessions",
            json!({
                "login": "nobody", "password": "x", "new_password": "sea salt and honey", "device": "P01", "tenant": "default",
                "previous_refresh_token": "x",
            }),
        )
        .call_with_header("User-Agent", "till"),
        Sample::json("POST", "/api/v1/sessions", json!({ "login": "a@example.com", "password": "x" })),
        Sample::json("POST", "/api/v1/sessions", json!({ "device": "P01", "password": "x" }))
            .call_with_header("DPoP", "x.y.z"),
        Sample::json("POST", "/api/v1/sessions/refresh", json!({ "refresh_token": "x" }))
            .call_with_header("DPoP", "x.y.z"),
        of_office("POST", "/api/v1/sessions/end", json!({ "user": user })),
        of_office("POST", "/api/v1/sessions/end", json!({ "device": device })),
        of_office(
            "PUT",
            "/api/v1/sessions/current/password",
            json!({ "current_password": "x", "password": "sea salt and honey" }),
        ),
        of_office("POST", "/api/v1/sessions/current/step-up", json!({ "password": "x" })),
        of_office("PUT", "/api/v1/sessions/current/pin", json!({ "password": "x", "new_pin": "905817" })),
        of_office("POST", "/api/v1/till/operator", json!({ "user": user, "pin": "905817" })),
        of_office(
            "POST",
            "/api/v1/users",
            json!({
                "user_name": "new", "email": "new@example.com", "display_name": "New", "password": "sea salt and honey",
                "locale": "sk",
                "status": "active", "roles": ["cashier"], "devices": [{ "device": "P01", "roles": ["cashier"] }],
            }),
        ),
        of_office("POST", "/api/v1/users", json!({ "user_name": "virtual", "feature": "kiosk" })),
        of_office(
            "PATCH",
            &path_with_id("users", user),
            json!({
                "user_name": "odd", "email": "odd@example.com", "display_name": "Odd", "current_password": "x",
                "locale": "sk",
                "status": "active", "roles": ["cashier"], "devices": [{ "device": "P01", "roles": ["cashier"] }],
            }),
        ),
        of_office("PUT", &format!("{}/password", path_with_id("users", user)), json!({ "password": "sea salt and honey" })),
        of_office("POST", &format!("{}/invitations", path_with_id("users", user)), json!({ "deliver": "mail" })),
    ]
}

/// Devices, roles, stores, the tenant and API keys.
fn directory_samples(office: &str, SampleIds { device, role, store, key, tenant, .. }: &SampleIds) -> Vec<Sample> {
    let of_office = |method: &str, path: &str, body: Value| {
        change_sample(method, path, body, office).call_with_header("Accept-Language", "sk")
    };
    vec![
        of_office(
            "POST",
            "/api/v1/devices",
            json!({
                "name": "NEW", "environment": "CashRegister", "description": "new", "preferences": { "a": "b" },
                "settings": { "a": "b" }, "roles": ["cashier"], "password": "sea salt and honey", "status": "active",
                "store": store,
            }),
        ),
        of_office(
            "PATCH",
            &path_with_id("devices", device),
            json!({
                "name": "ODD", "environment": "CashRegister", "status": "active", "description": "odd",
                "preferences": { "a": "b" }, "settings": { "a": "b" }, "roles": ["cashier"], "store": store,
            }),
        ),
        of_office(
            "PUT",
            &format!("{}/password", path_with_id("devices", device)),
            json!({ "password": "sea salt and honey" }),
        ),
        of_office("POST", &format!("{}/enrollment", path_with_id("devices", device)), json!({ "expires_in": 600 })),
        Sample::json(
            "POST",
            "/api/v1/enrollments",
            json!({ "code": "KQLZ-SGBV", "storage": "software", "label": "Box", "app": "Kasa 5.1" }),
        )
        .call_with_header("DPoP", "x"),
        Sample::json(
            "POST",
            "/api/v1/enrollments/start",
            json!({ "storage": "software", "label": "Box", "app": "Kasa 5.1", "tenant": "default" }),
        )
        .call_with_header("DPoP", "x"),
        Sample::json("POST", "/api/v1/enrollments/poll", json!({ "device_code": "x" })).call_with_header("DPoP", "x"),
        of_office(
            "POST",
            "/api/v1/enrollments/KQLZ-SGBV/accept",
            json!({ "device": "P01", "fingerprint": "4712", "replace": false }),
        ),
        of_office(
            "POST",
            &format!("{}/enrollment/confirm", path_with_id("devices", device)),
            json!({ "fingerprint": "4712" }),
        ),
        of_office(
            "POST",
            "/api/v1/roles",
            json!({ "name": "new", "label": "New", "description": "new", "rights": ["storno"], "environments": ["PDA"] }),
        ),
        of_office(
            "PATCH",
            &path_with_id("roles", role),
            json!({
                "name": "odd", "label": "Odd", "description": "odd", "rights": ["storno"], "environments": ["PDA"],
            }),
        ),
        of_office("POST", "/api/v1/stores", json!({ "name": "New", "zone": "Europe/Bratislava" })),
        of_office("PATCH", &path_with_id("stores", store), json!({ "name": "Odd", "zone": "Europe/Bratislava" })),
        of_office(
            "PATCH",
            &path_with_id("tenants", tenant),
            json!({ "name": "Shop", "zone": "Europe/Bratislava", "locale": "sk", "accent_color": "#0b6b5e", "machine_codes": true }),
        ),
        of_office(
            "POST",
            "/api/v1/api-keys",
            json!({
                "name": "New", "description": "new", "status": "active", "user": "admin", "device": "P01",
                "permissions": ["storno"], "expires_at": "2199-12-31T08:00:00Z",
            }),
        ),
        of_office(
            "PATCH",
            &path_with_id("api-keys", key),
            json!({
                "name": "Odd", "description": "odd", "status": "active", "user": "admin", "device": "P01",
                "permissions": ["storno"], "expires_at": "2199-12-31T08:00:00Z",
            }),
        ),
    ]
}

fn ticket_samples(till: &str, id: &str) -> Vec<Sample> {
    let of_till = |method: &str, path: &str, body: Value| change_sample(method, path, body, till);
    let mut changed = ticket_json();
    changed.as_object_mut().unwrap().remove("currency");
    vec![
        of_till("POST", "/api/v1/tickets", ticket_json()).call_with_header("Idempotency-Key", "odd"),
        of_till("PATCH", &path_with_id("tickets", id), changed),
        of_till(
            "POST",
            &format!("{}/close", path_with_id("tickets", id)),
            json!({ "payments": [payment_json("0.01")], "fiscal": "eKasa" }),
        ),
        of_till(
            "POST",
            &format!("{}/refund", path_with_id("tickets", id)),
            json!({ "items": [{ "id": 1, "quantity": "1" }] }),
        )
        .call_with_header("Idempotency-Key", "odd"),
    ]
}

/// The access check of gateways, and OAuth.
fn api_key_samples(office: &str) -> Vec<Sample> {
    vec![
        Sample::get("/api/v1/access", &[])
            .with_token(office)
            .call_with_header("X-Original-Method", "GET")
            .call_with_header("X-Original-URI", "/reports/x")
            .call_with_header("X-Original-URL", "https://shop.example/reports/x")
            .call_with_header("X-Forwarded-For", "1.2.3.4")
            .call_with_header("Cookie", "a=b"),
        Sample::get("/api/v1/access", &[])
            .with_token(office)
            .call_with_header("X-Original-Method", "GET")
            .call_with_header("X-Original-URL", "https://shop.example/reports/x"),
        Sample::get("/api/v1/access", &[])
            .with_token(office)
            .call_with_header("X-Forwarded-Method", "GET")
            .call_with_header("X-Forwarded-Uri", "/reports/x"),
        Sample::form(
            "/oauth/introspect",
            &[("token", "x"), ("token_type_hint", "access_token"), ("client_id", "nobody"), ("client_secret", "x")],
        ),
        Sample::form("/oauth/revoke", &[("token", "x"), ("client_id", "nobody"), ("client_secret", "x")]),
        // nobody: a NUL
        Sample::form("/oauth/introspect", &[("token", "x")])
            .call_with_header("Authorization", "Basic AG5vYm9keQA6eA=="),
    ]
}
