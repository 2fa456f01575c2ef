//! A request for each route of every contract that takes text, well formed and by somebody who may, and where in it text stands.

use serde_json::{Map, Value, json};
use tillgate_tests::{PASSWORD, Running, Till};

/// The body of a request.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    None,
    Json(Value),
    Form(Vec<(String, String)>),
}

/// A place for a text in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    Nothing,
    Path,
    Query(String),
    Header(String),
    Form(String),
    /// A string in the body, by its pointer.
    Json(String),
    /// A further member of an object in the body, by its pointer.
    Key(String),
}

/// A request. `{}` in its path is a segment that the odd text takes the place of.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
}

impl Sample {
    fn new(method: &str, path: &str, body: Body) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), query: Vec::new(), headers: Vec::new(), body }
    }

    fn json(method: &str, path: &str, body: Value) -> Self {
        Self::new(method, path, Body::Json(body))
    }

    fn get(path: &str, query: &[&str]) -> Self {
        let query = query.iter().map(|name| ((*name).to_owned(), String::new())).collect();
        Self { query, ..Self::new("GET", path, Body::None) }
    }

    fn form(path: &str, fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self::new("POST", path, Body::Form(fields))
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn by(self, token: &str) -> Self {
        self.with("Authorization", &format!("Bearer {token}"))
    }

    /// Every place for a text in it.
    pub(crate) fn slots(&self) -> Vec<Slot> {
        let mut slots = Vec::new();
        if self.path.contains("{}") {
            slots.push(Slot::Path);
        }
        slots.extend(self.query.iter().map(|(name, _)| Slot::Query(name.clone())));
        slots.extend(self.headers.iter().map(|(name, _)| Slot::Header(name.clone())));
        match &self.body {
            Body::None => {}
            Body::Form(fields) => slots.extend(fields.iter().map(|(name, _)| Slot::Form(name.clone()))),
            Body::Json(value) => gather(value, "", &mut slots),
        }
        slots
    }
}

fn gather(value: &Value, at: &str, slots: &mut Vec<Slot>) {
    match value {
        Value::String(_) => slots.push(Slot::Json(at.to_owned())),
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(number, value)| gather(value, &format!("{at}/{number}"), slots));
        }
        Value::Object(members) => {
            if !members.is_empty() {
                slots.push(Slot::Key(at.to_owned()));
            }
            members.iter().for_each(|(key, value)| gather(value, &format!("{at}/{key}"), slots));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// All of them, on this server: what they are about is there.
pub(crate) fn all(server: &Running) -> Vec<Sample> {
    let office = login(server, "admin", None);
    let till = login(server, "manager", Some("P01"));
    let made = |path: &str, body: Value, token: &str| {
        Till::bearing(server, token).post(path, &body).expect(201).text_at("/id")
    };
    let user = made("/api/v1/users", json!({ "user_name": "odd", "password": "sea salt and honey" }), &office);
    let device = made("/api/v1/devices", json!({ "name": "ODD", "environment": "CashRegister" }), &office);
    let role = made("/api/v1/roles", json!({ "name": "odd", "rights": ["storno"], "environments": ["PDA"] }), &office);
    let store = made("/api/v1/stores", json!({ "name": "Odd" }), &office);
    let key = made("/api/v1/api-keys", json!({ "name": "Odd", "user": "admin", "device": "P01" }), &office);
    let ticket = made("/api/v1/tickets", ticket(), &till);
    let tenant = Till::bearing(server, &office).get("/api/v1/tenants").expect(200).text_at("/items/0/id");
    let mut samples = native(&office, &till, &user, &device, &role, &store, &key, &tenant, &ticket);
    samples.extend(documented(server, &office));
    samples.extend(portos(server));
    samples.extend(kasir(server));
    samples.extend(others(server));
    samples
}

fn login(server: &Running, name: &str, device: Option<&str>) -> String {
    let mut body = json!({ "login": name, "password": PASSWORD });
    if let Some(device) = device {
        body["device"] = device.into();
    }
    server.till().post("/api/v1/sessions", &body).expect(201).text_at("/access_token")
}

fn ticket() -> Value {
    json!({
        "currency": "EUR", "name": "Table", "external_id": "x", "location": { "zone": "garden", "table": "5" },
        "customer": { "id": "c", "full_name": "Jana", "meta": { "note": "none" } },
        "items": [{ "article": { "name": "Cheese", "vat_rate": "10" }, "unit_price": "5", "quantity": "1", "unit": "kg" }],
    })
}

#[expect(clippy::too_many_arguments, reason = "what a shop has")]
fn native(
    office: &str,
    till: &str,
    user: &str,
    device: &str,
    role: &str,
    store: &str,
    key: &str,
    tenant: &str,
    ticket_id: &str,
) -> Vec<Sample> {
    let at = |path: &str, id: &str| format!("/api/v1/{path}/{id}");
    let of_office = |method: &str, path: &str, body: Value| {
        Sample::json(method, path, body).by(office).with("If-Match", "*").with("Accept-Language", "sk")
    };
    let of_till =
        |method: &str, path: &str, body: Value| Sample::json(method, path, body).by(till).with("If-Match", "*");
    vec![
        Sample::json(
            "POST",
            "/api/v1/sessions",
            json!({ "login": "nobody", "password": "x", "device": "P01", "tenant": "default" }),
        )
        .with("User-Agent", "till"),
        Sample::json("POST", "/api/v1/sessions", json!({ "login": "a@example.com", "password": "x" })),
        Sample::json("POST", "/api/v1/sessions", json!({ "device": "P01", "password": "x" })),
        Sample::json("POST", "/api/v1/sessions/refresh", json!({ "refresh_token": "x" })),
        of_office("POST", "/api/v1/sessions/end", json!({ "user": user })),
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
            json!({ "user_name": "odd", "email": "odd@example.com", "display_name": "Odd", "roles": ["cashier"] }),
        ),
        of_office("PUT", &format!("{}/password", at("users", user)), json!({ "password": "sea salt and honey" })),
        of_office(
            "POST",
            "/api/v1/devices",
            json!({
                "name": "NEW", "environment": "CashRegister", "description": "new", "preferences": { "a": "b" },
                "settings": { "a": "b" }, "roles": ["cashier"], "password": "sea salt and honey",
            }),
        ),
        of_office(
            "PATCH",
            &at("devices", device),
            json!({ "name": "ODD", "description": "odd", "preferences": { "a": "b" }, "settings": { "a": "b" } }),
        ),
        of_office("PUT", &format!("{}/password", at("devices", device)), json!({ "password": "sea salt and honey" })),
        of_office(
            "POST",
            "/api/v1/roles",
            json!({ "name": "new", "label": "New", "description": "new", "rights": ["storno"], "environments": ["PDA"] }),
        ),
        of_office("PATCH", &at("roles", role), json!({ "name": "odd", "label": "Odd", "description": "odd" })),
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
            json!({ "name": "New", "description": "new", "user": "admin", "device": "P01", "permissions": ["storno"] }),
        ),
        of_office("PATCH", &at("api-keys", key), json!({ "name": "Odd", "description": "odd" })),
        of_till("POST", "/api/v1/tickets", ticket()).with("Idempotency-Key", "odd"),
        of_till(
            "PATCH",
            &at("tickets", ticket_id),
            json!({ "name": "Table", "location": { "zone": "garden", "table": "5" }, "customer": { "full_name": "Jana" } }),
        ),
        of_till(
            "POST",
            &format!("{}/close", at("tickets", ticket_id)),
            json!({ "payments": [{ "means": "cash", "amount": "0.01" }] }),
        ),
        of_till("POST", &format!("{}/refund", at("tickets", ticket_id)), json!({ "name": "Back" })),
        Sample::get("/api/v1/access", &[])
            .by(office)
            .with("X-Original-Method", "GET")
            .with("X-Original-URI", "/reports/x")
            .with("X-Forwarded-For", "1.2.3.4")
            .with("Cookie", "a=b"),
        Sample::form(
            "/oauth/introspect",
            &[("token", "x"), ("token_type_hint", "access_token"), ("client_id", "nobody"), ("client_secret", "x")],
        ),
        Sample::form("/oauth/revoke", &[("token", "x"), ("client_id", "nobody"), ("client_secret", "x")]),
        // nobody: a NUL
        Sample::form("/oauth/introspect", &[("token", "x")]).with("Authorization", "Basic AG5vYm9keQA6eA=="),
    ]
}

/// What the document says of calls that read: each with all of its parameters, and an id in the path.
fn documented(server: &Running, office: &str) -> Vec<Sample> {
    let document = server.till().get("/openapi.json").expect(200).json();
    let mut samples = Vec::new();
    let none = Map::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap_or(&none) {
            if !["get", "delete", "post"].contains(&method.as_str()) || method != "get" && !path.contains("{id}") {
                continue;
            }
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let query: Vec<&str> = parameters
                .iter()
                .filter(|parameter| parameter["in"] == "query")
                .filter_map(|parameter| parameter["name"].as_str())
                .collect();
            let odd = path.split('{').next().unwrap().to_owned();
            let path = match path.split_once('}') {
                Some((_, rest)) => format!("{odd}{{}}{rest}"),
                None => odd,
            };
            let sample = Sample { method: method.to_uppercase(), ..Sample::get(&path, &[]).by(office) };
            if query.is_empty() {
                samples.push(sample);
            } else {
                // one at a time, lest one refuses what another would have met
                samples.extend(query.iter().map(|name| {
                    let query = vec![((*name).to_owned(), String::new())];
                    Sample { query, ..sample.clone() }
                }));
            }
        }
    }
    assert!(samples.len() > 30, "{}", samples.len());
    samples
}

fn portos(server: &Running) -> Vec<Sample> {
    let login = |name: &str, device: &str| {
        let body = json!({ "UserName": name, "Password": PASSWORD, "DeviceName": device });
        server.till().post("/portos/api/auth", &body).expect(200).text_at("/tokenId")
    };
    let (office, till) = (login("admin", "OFFICE"), login("manager", "P02"));
    let item = json!({
        "plu": { "name": "Syr", "vatInfo": { "rate": 10 } }, "unitPrice": { "amount": 5 },
        "quantity": { "amount": 1, "unit": "kg" },
    });
    let body = json!({
        "name": "Table", "externalId": "x", "items": [item], "location": { "zoneName": "Terasa", "tableName": "5" },
        "customer": { "id": "c1", "fullName": "Jana", "meta": { "level": "1" } },
    });
    let ticket = Till::bearing(server, &till).post("/portos/api/tickets", &body).expect(201).text_at("/id");
    let mut samples = vec![
        Sample::json("POST", "/portos/api/auth", json!({ "UserName": "nobody", "Password": "x", "DeviceName": "P01" }))
            .with("Accept-Language", "sk"),
        Sample::json("POST", "/portos/api/auth/refresh", json!({ "tokenId": "x", "refreshToken": "x" })),
        Sample::json("POST", "/portos/api/tickets", body.clone()).by(&till),
        Sample::json(
            "PUT",
            &format!("/portos/api/tickets/{ticket}"),
            json!({ "name": "x", "location": { "tableName": "5" } }),
        )
        .by(&till),
        Sample::json(
            "PATCH",
            "/portos/api/tickets",
            json!([{ "id": ticket, "name": "x", "employee": { "userName": "admin" } }]),
        )
        .by(&till),
        Sample::json(
            "POST",
            "/portos/api/apikeys",
            json!({ "Name": "x", "Description": "x", "UserName": "admin", "DeviceName": "OFFICE" }),
        )
        .by(&office),
        Sample::new("GET", "/portos/api/auth", Body::None).with(
            "Authorization",
            "NWS4-HMAC-SHA256 Credential%3Dnobody%2CSignedHeaders%3Dhost%2CTimestamp%3Dx%2CSignature%3D00",
        ),
    ];
    for path in ["devices/{}", "roles/{}", "users/{}", "sessions/{}", "apikeys/{}", "tickets/{}"] {
        samples.push(Sample::get(&format!("/portos/api/{path}"), &[]).by(&office));
    }
    for (list, names) in [
        ("sessions", &["userName", "deviceName", "sessionId"][..]),
        ("devices", &["name", "envName", "description"]),
        ("roles", &["name", "label"]),
        ("users", &["userName", "name", "email"]),
        ("apikeys", &["name", "userName", "deviceName"]),
        (
            "tickets",
            &[
                "name",
                "externalId",
                "state",
                "employee.userName",
                "customer.fullName",
                "$search",
                "$orderby",
                "$filter",
            ],
        ),
    ] {
        samples.extend(names.iter().map(|name| Sample::get(&format!("/portos/api/{list}"), &[name]).by(&office)));
    }
    samples
}

fn kasir(server: &Running) -> Vec<Sample> {
    let body = json!({ "email": "admin", "password": PASSWORD });
    let token = server.till().post("/kasir/api/v1/auth/login", &body).expect(200).text_at("/data/Token");
    let nina =
        json!({ "username": "nina", "email": "nina@example.com", "password": "staple battery", "role": "cashier" });
    let made = Till::bearing(server, &token).post("/kasir/api/v1/users", &nina).expect(201).json();
    let id = made["data"]["id"].as_str().map_or_else(String::new, str::to_owned);
    let mut samples = vec![
        Sample::json("POST", "/kasir/api/v1/auth/login", json!({ "email": "nobody", "password": "x" }))
            .with("Cookie", "refresh_token=x"),
        Sample::json("POST", "/kasir/api/v1/auth/refresh", json!({ "refresh_token": "x" })),
        Sample::json(
            "PUT",
            "/kasir/api/v1/auth/me/password",
            json!({ "old_password": "x", "new_password": "staple battery" }),
        )
        .by(&token),
        Sample::json(
            "POST",
            "/kasir/api/v1/users",
            json!({ "username": "new", "email": "kasir@example.com", "password": "staple battery", "role": "cashier" }),
        )
        .by(&token),
        Sample::json(
            "PUT",
            &format!("/kasir/api/v1/users/{id}"),
            json!({ "username": "nina", "email": "nina@example.com", "role": "cashier" }),
        )
        .by(&token),
        Sample::get("/kasir/api/v1/users/{}", &[]).by(&token),
    ];
    for (list, names) in [
        ("users", &["search", "status", "role", "sortBy", "sortOrder", "page"][..]),
        ("activity-logs", &["search", "user_id", "entity_type", "action_type", "start_date", "end_date"]),
    ] {
        samples.extend(names.iter().map(|name| Sample::get(&format!("/kasir/api/v1/{list}"), &[name]).by(&token)));
    }
    samples
}

fn others(server: &Running) -> Vec<Sample> {
    let body = json!({ "login": "admin", "password": PASSWORD });
    let page = server.till().post("/krmpesan/app/login", &body).expect(200).text_at("/data/token");
    vec![
        Sample::json("POST", "/krmpesan/app/login", json!({ "login": "nobody", "password": "x" })),
        Sample::json("POST", "/krmpesan/app/generate", json!({ "device": "P01", "password": "x" })).by(&page),
        Sample::get("/krmpesan/tokens", &["refresh_token", "device_id"]),
        Sample::json(
            "POST",
            "/posstar/api/v1/auth/register",
            json!({
                "name": "Rita Retail", "email": "rita@example.com", "password": "a song in the rain",
                "business_name": "Corner Shop", "industry": "grocery",
            }),
        ),
        Sample::json("POST", "/posstar/api/v1/auth/login", json!({ "email": "a@example.com", "password": "x" })),
        Sample::json("POST", "/posstar/api/v1/auth/forgot-password", json!({ "email": "rita@example.com" })),
        Sample::json(
            "POST",
            "/posstar/api/v1/auth/reset-password",
            json!({ "token": "x", "password": "a song in the rain" }),
        ),
        Sample::json("POST", "/posstar/api/v1/auth/refresh", json!({ "token": "x" })),
        Sample::json("POST", "/fiuu/auth/login", json!({ "posId": "P01", "password": "x" })),
        Sample::new("POST", "/fiuu/auth/refresh", Body::None).by("x"),
        Sample::get("/fiuu/api/terminals", &["posId"]).by("x"),
    ]
}
