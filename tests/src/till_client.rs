//! A client: a till, or a program in the office. It stores the tokens of a response before it uses
//! any of them.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Request;

use crate::{PASSWORD, Secrets, TestResponse, retry_while_overloaded};

/// How long a client waits for a response.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// A client with the tokens of its session.
#[derive(Clone)]
pub struct TillClient {
    agent: Agent,
    server: String,
    secrets: Secrets,
    /// The current access token.
    pub access: String,
    /// The current refresh token.
    pub refresh: String,
}

impl TillClient {
    pub(crate) fn new(server: &str, secrets: Secrets) -> Self {
        let agent =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(REQUEST_TIMEOUT)).build().into();
        Self { agent, server: server.to_owned(), secrets, access: String::new(), refresh: String::new() }
    }

    /// A client with this access token, in whichever contract.
    pub fn with_token(server: &crate::RunningServer, access: &str) -> Self {
        Self { access: access.to_owned(), ..server.new_till() }
    }

    /// The address of a path on the server.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server)
    }

    /// The same session on another server.
    pub fn at_server(&self, server: &str) -> Self {
        Self { server: server.to_owned(), ..self.clone() }
    }

    /// Sends a request, again if the server is overloaded. Panics if there is no response.
    #[track_caller]
    pub fn send(&self, request: &Request<String>) -> TestResponse {
        retry_while_overloaded(|| {
            let (method, uri) = (request.method(), request.uri());
            self.try_send(request.clone()).unwrap_or_else(|error| panic!("{method} {uri}: {error}"))
        })
    }

    /// Sends a request once; an error means that there was no response.
    pub fn try_send(&self, request: Request<String>) -> Result<TestResponse, ureq::Error> {
        let mut response = self.agent.run(request)?;
        let text = response.body_mut().read_to_string()?;
        let response = TestResponse::new(response.status(), response.headers().clone(), text);
        if response.status() >= 400 {
            self.secrets.assert_absent("an error's body", response.text());
        }
        Ok(response)
    }

    fn build_request(&self, method: &str, path: &str, body: Option<&Value>) -> Request<String> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.server));
        if !self.access.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.access));
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        request.body(body.map(Value::to_string).unwrap_or_default()).unwrap()
    }

    /// Sends a request with this body, if any, and the access token, if any: again if the server is
    /// overloaded. Panics if there is no response.
    #[track_caller]
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> TestResponse {
        self.send(&self.build_request(method, path, body))
    }

    /// As [`call`](Self::call), but sends the request once; an error means that there was no
    /// response.
    pub fn try_call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<TestResponse, ureq::Error> {
        self.try_send(self.build_request(method, path, body))
    }

    /// As [`call`](Self::call), but sends the request once, for tests of an unavailable server.
    #[track_caller]
    pub fn call_once(&self, method: &str, path: &str, body: Option<&Value>) -> TestResponse {
        self.try_call(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Sends a GET request.
    #[track_caller]
    pub fn get(&self, path: &str) -> TestResponse {
        self.call("GET", path, None)
    }

    /// Sends a GET request once; an error means that there was no response.
    pub fn try_get(&self, path: &str) -> Result<TestResponse, ureq::Error> {
        self.try_call("GET", path, None)
    }

    /// Sends a POST request.
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> TestResponse {
        self.call("POST", path, Some(body))
    }

    /// Changes a resource in whatever version it is.
    #[track_caller]
    pub fn change(&self, method: &str, path: &str, body: &Value) -> TestResponse {
        let mut request = self.build_request(method, path, Some(body));
        request.headers_mut().insert("if-match", ureq::http::HeaderValue::from_static("*"));
        self.send(&request)
    }

    /// Sends a DELETE request.
    #[track_caller]
    pub fn delete(&self, path: &str) -> TestResponse {
        self.call("DELETE", path, None)
    }

    /// Stores the tokens in a response of the native API.
    pub fn store_tokens(&mut self, response: &TestResponse) {
        let json = response.json();
        for (token, slot) in [("access_token", &mut self.access), ("refresh_token", &mut self.refresh)] {
            if let Some(value) = json.get(token).and_then(Value::as_str) {
                value.clone_into(slot);
                self.secrets.add(value);
            }
        }
    }

    /// Logs a user of the demo shop in on a device, with the native API.
    #[track_caller]
    pub fn login(mut self, user: &str, device: &str) -> Self {
        let response = self.post("/api/v1/sessions", &json!({"login": user, "password": PASSWORD, "device": device}));
        let response = response.expect_status(201);
        self.store_tokens(&response);
        self
    }

    /// As [`login`](Self::login), but returns `None` if the login is denied or there is no
    /// response.
    pub fn try_login(mut self, user: &str, device: &str) -> Option<Self> {
        let body = json!({"login": user, "password": PASSWORD, "device": device});
        let response = self.try_call("POST", "/api/v1/sessions", Some(&body)).ok()?;
        (response.status() == 201).then(|| {
            self.store_tokens(&response);
            self
        })
    }

    /// As [`refresh`](Self::refresh); an error means that there was no response.
    pub fn try_refresh(&mut self) -> Result<TestResponse, ureq::Error> {
        let body = json!({"refresh_token": self.refresh});
        let response = self.try_call("POST", "/api/v1/sessions/refresh", Some(&body))?;
        if response.status() == 200 {
            self.store_tokens(&response);
        }
        Ok(response)
    }

    /// Refreshes with the native API, and stores the new tokens if the refresh succeeds.
    pub fn refresh(&mut self) -> TestResponse {
        let response = self.post("/api/v1/sessions/refresh", &json!({"refresh_token": self.refresh}));
        if response.status() == 200 {
            self.store_tokens(&response);
        }
        response
    }

    /// Reads the current session with the native API.
    #[track_caller]
    pub fn get_current_session(&self) -> TestResponse {
        self.get("/api/v1/sessions/current")
    }
}
