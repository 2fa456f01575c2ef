//! The response of a server.

use serde_json::Value;
use ureq::http::{HeaderMap, StatusCode};

use crate::server_log;

/// A complete response.
#[derive(Clone, Debug)]
pub struct TestResponse {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl TestResponse {
    pub(crate) fn new(status: StatusCode, headers: HeaderMap, text: String) -> Self {
        Self { status, headers, text }
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The value of a header; empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text))
    }

    /// The text in the body at a JSON pointer.
    pub fn text_at(&self, pointer: &str) -> String {
        let json = self.json();
        json.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no text at {pointer}: {json}"))
            .to_owned()
    }

    /// The lines about this request in the log of its server.
    pub fn find_log_lines(&self) -> Vec<String> {
        server_log::find_lines(self.header("x-request-id"))
    }

    /// Returns the response if it has this status; otherwise panics with it and its lines in the
    /// log.
    #[track_caller]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status(), status, "{}\n{}", self.text, self.find_log_lines().join("\n"));
        self
    }
}
