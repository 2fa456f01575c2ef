//! Connections as clients of all kinds use them: offers to speak another protocol, and bytes that are no HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use tillgate_tests::{Engine, Installation, Running, eventually, now};

fn connect(server: &Running) -> TcpStream {
    let stream = TcpStream::connect(server.address().trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// Sends a head without a body and returns the head of the answer.
fn ask(stream: &mut TcpStream, headers: &str) -> String {
    write!(stream, "GET /api/v1/sessions/current HTTP/1.1\r\nHost: till\r\n{headers}\r\n").unwrap();
    let mut answer = vec![0; 65_536];
    let read = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..read]).to_ascii_lowercase()
}

#[test]
fn offered_upgrade_is_declined_and_the_connection_says_how_it_goes_on() {
    let shop = Installation::with_shop(Engine::Sqlite);
    let server = shop.serve();
    for offer in [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAA\r\n",
        "Connection: upgrade\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    ] {
        let mut stream = connect(&server);
        let asked = now();
        let answer = ask(&mut stream, offer);
        assert!(answer.starts_with("http/1.1 401"), "{offer}: {answer}");
        assert!(asked.elapsed() < Duration::from_secs(5), "it waited for a body that nobody sends: {offer}");
        if !answer.contains("connection: close") {
            assert!(ask(&mut stream, "").starts_with("http/1.1 401"), "{offer}");
        }
    }
    // a call with a body that makes the offer, as Java's client does
    let mut stream = connect(&server);
    let body = r#"{"login":"cashier","password":"wrong"}"#;
    write!(
        stream,
        "POST /api/v1/sessions HTTP/1.1\r\nHost: till\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAA\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("login_mismatch"), "{answer}");
}

#[test]
fn requests_that_are_no_http_are_counted_and_not_shown() {
    let shop = Installation::with_shop(Engine::Sqlite);
    let server = shop.serve();
    for _ in 0..3 {
        let mut stream = connect(&server);
        stream.write_all(b"GET /secret-path-of-a-client HTTP/9.9\r\nHo st: x\r\n\r\n").unwrap();
        let _ = stream.read(&mut [0; 1024]);
    }
    eventually(Duration::from_secs(30), "a line that counts them", || {
        server.log().lines().any(|line| line.contains("WARN") && line.contains("could not be parsed as HTTP"))
    });
    let log = server.log();
    assert!(!log.contains("secret-path-of-a-client") && !log.contains("ERROR"), "{log}");
}
