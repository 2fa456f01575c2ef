//! One request over a new connection, and its response if it is complete: a minimal HTTP client.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use tillgate_tests::now;

/// An HTTP request.
#[derive(Clone, Debug)]
pub(crate) struct HttpRequest {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    /// `{host}` in a value stands for the server's address.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl HttpRequest {
    pub(crate) fn new(method: &'static str, target: impl Into<String>) -> Self {
        Self { method, target: target.into(), headers: Vec::new(), body: String::new() }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string();
        self.header("content-type", "application/json")
    }

    pub(crate) fn form(mut self, body: String) -> Self {
        self.body = body;
        self.header("content-type", "application/x-www-form-urlencoded")
    }

    /// Sends the request and waits for the response until the timeout.
    pub(crate) fn send(&self, address: &str, timeout: Duration) -> Option<HttpReply> {
        let until = now() + timeout;
        let left = || Some(until.saturating_duration_since(now())).filter(|left| !left.is_zero());
        let mut lines = vec![format!("{} {} HTTP/1.1", self.method, self.target), format!("host: {address}")];
        lines.extend(self.headers.iter().map(|(name, value)| format!("{name}: {}", value.replace("{host}", address))));
        lines.push(format!("connection: close\r\ncontent-length: {}\r\n\r\n", self.body.len()));
        let head = lines.join("\r\n");
        let mut socket = TcpStream::connect_timeout(&address.parse().ok()?, left()?).ok()?;
        socket.set_write_timeout(left()).ok()?;
        socket.write_all(&[head.as_bytes(), self.body.as_bytes()].concat()).ok()?;
        let (mut response, mut part) = (Vec::new(), [0; 16_384]);
        loop {
            socket.set_read_timeout(Some(left()?)).ok()?;
            match socket.read(&mut part).ok()? {
                0 => return HttpReply::parse(&response),
                read => response.extend_from_slice(&part[..read]),
            }
        }
    }
}

/// A complete response.
#[derive(Clone, Debug)]
pub(crate) struct HttpReply {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl HttpReply {
    /// Returns `None` if bytes are missing.
    fn parse(response: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(response);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        let missing = length.is_some_and(|length| body.len() < length) || (length.is_none() && status != 204);
        (!missing).then(|| Self { status, body: body.to_owned() })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// The text in the body at a JSON pointer; empty if there is none.
    pub(crate) fn text(&self, pointer: &str) -> String {
        self.json().pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}
