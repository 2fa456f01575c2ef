//! A client of the server's own API: one request for each connection, over loopback.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long a connection may take to open, and a request to be answered.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The greatest length of a response.
const MAX_ANSWER_BYTES: u64 = 1 << 20;

/// A client of the server at this address.
pub(super) struct LoopbackClient {
    address: SocketAddr,
}

/// A request.
#[derive(Clone, Copy)]
pub(super) struct Request<'r> {
    pub(super) method: &'r str,
    pub(super) path: &'r str,
    /// The access token; `None` for a login.
    pub(super) token: Option<&'r str>,
    /// The version that must still be current.
    pub(super) if_match: Option<&'r str>,
    pub(super) body: Option<&'r Value>,
}

/// The response to a request.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) etag: Option<String>,
    /// The body; `Null` if there is none.
    pub(super) body: Value,
}

impl LoopbackClient {
    /// A client of the server with this URL; `None` if it does not use plain HTTP.
    pub(super) fn from_url(url: &str) -> Option<Self> {
        let mut address: SocketAddr = url.strip_prefix("http://")?.trim_end_matches('/').parse().ok()?;
        if address.ip().is_unspecified() {
            address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        Some(Self { address })
    }

    /// Sends a request and reads the whole response.
    pub(super) fn send(&self, request: Request<'_>) -> io::Result<Response> {
        let mut connection = TcpStream::connect_timeout(&self.address, REQUEST_TIMEOUT)?;
        connection.set_read_timeout(Some(REQUEST_TIMEOUT))?;
        connection.set_write_timeout(Some(REQUEST_TIMEOUT))?;
        connection.write_all(render_request(self.address, request).as_bytes())?;
        let mut received = Vec::new();
        connection.take(MAX_ANSWER_BYTES).read_to_end(&mut received)?;
        parse_response(&received)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a response of this server"))
    }
}

fn render_request(address: SocketAddr, request: Request<'_>) -> String {
    let Request { method, path, token, if_match, body } = request;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    if let Some(token) = token {
        head = format!("{head}Authorization: Bearer {token}\r\n");
    }
    if let Some(version) = if_match {
        head = format!("{head}If-Match: {version}\r\n");
    }
    match body.map(Value::to_string) {
        Some(body) => {
            format!("{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        }
        None => format!("{head}Content-Length: 0\r\n\r\n"),
    }
}

/// Parses a response with a body of known length; `None` if it is not one.
fn parse_response(received: &[u8]) -> Option<Response> {
    let end = received.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, body) = received.split_at_checked(end)?;
    let head = std::str::from_utf8(head).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut etag = None;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return None;
        }
        if name.eq_ignore_ascii_case("etag") {
            etag = Some(value.trim().to_owned());
        }
    }
    let body = body.get(4..)?;
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(body).ok()? };
    Some(Response { status, etag, body })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn client_is_of_plain_http_only() {
        assert_eq!(LoopbackClient::from_url("http://127.0.0.1:8080").unwrap().address.to_string(), "127.0.0.1:8080");
        assert_eq!(LoopbackClient::from_url("http://0.0.0.0:8080").unwrap().address.to_string(), "127.0.0.1:8080");
        assert!(LoopbackClient::from_url("https://127.0.0.1:8443").is_none());
    }

    #[test]
    fn request_has_the_length_of_its_body() {
        let body = json!({ "login": "zuzana" });
        let request =
            Request { method: "POST", path: "/x", token: Some("t"), if_match: Some("\"1\""), body: Some(&body) };
        let text = render_request("127.0.0.1:1".parse().unwrap(), request);
        assert!(text.starts_with("POST /x HTTP/1.1\r\nHost: 127.0.0.1:1\r\n"), "{text}");
        assert!(text.contains("\r\nAuthorization: Bearer t\r\nIf-Match: \"1\"\r\n"), "{text}");
        assert!(text.ends_with("Content-Length: 18\r\n\r\n{\"login\":\"zuzana\"}"), "{text}");
    }

    #[test]
    fn response_is_parsed_whole_or_not_at_all() {
        let response =
            parse_response(b"HTTP/1.1 201 Created\r\nETag: \"3\"\r\ncontent-length: 8\r\n\r\n{\"a\": 1}").unwrap();
        assert_eq!((response.status, response.etag.as_deref(), response.body), (201, Some("\"3\""), json!({ "a": 1 })));
        assert_eq!(parse_response(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap().body, Value::Null);
        for wrong in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\n{\"a\"", "HTTP/1.1\r\n\r\n"] {
            assert!(parse_response(wrong.as_bytes()).is_none(), "{wrong}");
        }
        assert!(parse_response(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").is_none());
    }
}
