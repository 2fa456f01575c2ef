//! For each route of every contract that accepts text, a valid request by an authorized caller, and
//! the positions of text in it.

mod dialects;
mod document;
mod native;
mod portos;

use serde_json::{Value, json};
use tillgate_tests::{PASSWORD, RunningServer, TillClient};

/// The body of a request.
#[derive(Clone, Debug)]
pub(crate) enum SampleBody {
    None,
    Json(Value),
    Form(Vec<(String, String)>),
}

/// A position for text in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TextSlot {
    Nothing,
    Path,
    Query(String),
    Header(String),
    Form(String),
    /// A string in the body, by its JSON pointer.
    Json(String),
    /// An additional member of an object in the body, by its JSON pointer.
    Key(String),
}

/// A request. `{}` in its path is a segment that the unusual text replaces.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: SampleBody,
    /// Whether each request comes from another address, because one address may send few of them.
    pub(crate) from_other_addresses: bool,
}

impl Sample {
    fn new(method: &str, path: &str, body: SampleBody) -> Self {
        let (method, path) = (method.to_owned(), path.to_owned());
        Self { method, path, query: Vec::new(), headers: Vec::new(), body, from_other_addresses: false }
    }

    fn json(method: &str, path: &str, body: Value) -> Self {
        Self::new(method, path, SampleBody::Json(body))
    }

    fn get(path: &str, query: &[&str]) -> Self {
        let query = query.iter().map(|name| ((*name).to_owned(), String::new())).collect();
        Self { query, ..Self::new("GET", path, SampleBody::None) }
    }

    fn form(path: &str, fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self::new("POST", path, SampleBody::Form(fields))
    }

    fn call_with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn spread_addresses(self) -> Self {
        Self { from_other_addresses: true, ..self }
    }

    fn with_token(self, token: &str) -> Self {
        self.call_with_header("Authorization", &format!("Bearer {token}"))
    }

    /// All positions for text in it.
    pub(crate) fn text_slots(&self) -> Vec<TextSlot> {
        let mut slots = Vec::new();
        if self.path.contains("{}") {
            slots.push(TextSlot::Path);
        }
        slots.extend(self.query.iter().map(|(name, _)| TextSlot::Query(name.clone())));
        slots.extend(self.headers.iter().map(|(name, _)| TextSlot::Header(name.clone())));
        match &self.body {
            SampleBody::None => {}
            SampleBody::Form(fields) => slots.extend(fields.iter().map(|(name, _)| TextSlot::Form(name.clone()))),
            SampleBody::Json(value) => gather_slots(value, "", &mut slots),
        }
        slots
    }
}

fn gather_slots(value: &Value, at: &str, slots: &mut Vec<TextSlot>) {
    match value {
        Value::String(_) => slots.push(TextSlot::Json(at.to_owned())),
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(number, value)| gather_slots(value, &format!("{at}/{number}"), slots));
        }
        Value::Object(members) => {
            if !members.is_empty() {
                slots.push(TextSlot::Key(at.to_owned()));
            }
            members.iter().for_each(|(key, value)| gather_slots(value, &format!("{at}/{key}"), slots));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

pub(crate) use document::{missing_headers, missing_samples};
pub(crate) use portos::read_filters;

/// All samples for this server, on which the records that they use exist.
pub(crate) fn all_samples(server: &RunningServer) -> Vec<Sample> {
    let office = log_in(server, "admin", None);
    let till = log_in(server, "manager", Some("P01"));
    let made = |path: &str, body: Value, token: &str| {
        TillClient::with_token(server, token).post(path, &body).expect_status(201).text_at("/id")
    };
    let user = made("/api/v1/users", json!({ "user_name": "odd", "password": "sea salt and honey" }), &office);
    let device = made("/api/v1/devices", json!({ "name": "ODD", "environment": "CashRegister" }), &office);
    let role = made("/api/v1/roles", json!({ "name": "odd", "rights": ["storno"], "environments": ["PDA"] }), &office);
    let store = made("/api/v1/stores", json!({ "name": "Odd" }), &office);
    let key = made("/api/v1/api-keys", json!({ "name": "Odd", "user": "admin", "device": "P01" }), &office);
    let ticket = made("/api/v1/tickets", native::ticket_json(), &till);
    let tenant =
        TillClient::with_token(server, &office).get("/api/v1/tenants").expect_status(200).text_at("/items/0/id");
    let ids = native::SampleIds { user, device, role, store, key, tenant, ticket };
    let mut samples = native::all_samples(&office, &till, &ids);
    samples.extend(document::all_samples(server, &office));
    samples.extend(portos::all_samples(server));
    samples.extend(dialects::all_samples(server));
    samples
}

fn log_in(server: &RunningServer, name: &str, device: Option<&str>) -> String {
    let mut body = json!({ "login": name, "password": PASSWORD });
    if let Some(device) = device {
        body["device"] = device.into();
    }
    server.new_till().post("/api/v1/sessions", &body).expect_status(201).text_at("/access_token")
}
