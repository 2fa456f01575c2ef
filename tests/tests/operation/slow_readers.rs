//! Clients that send many requests and read nothing: each costs the server a few kilobytes of
//! memory, not its responses.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use tillgate_tests::{DatabaseEngine, Installation, RunningServer, wait_until};

/// The number of such clients.
const CLIENT_COUNT: usize = 200;

/// How many requests each sends at once.
const PIPELINED_REQUESTS: usize = 16;

/// The memory that a client may cost in kilobytes, in a debug build. A response has 1.5 megabytes.
const MAX_KILOBYTES_PER_CLIENT: usize = 200;

/// The server's memory in kilobytes.
fn memory_kilobytes(server: &RunningServer) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn send_without_reading(server: &RunningServer) -> TcpStream {
    let mut stream = TcpStream::connect(server.address().trim_start_matches("http://")).unwrap();
    let request = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: till\r\n\r\n".repeat(PIPELINED_REQUESTS);
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

#[test]
fn non_reading_clients_use_little_memory_and_are_disconnected() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite).with_setting("LIMITS__WRITE", "4s");
    let server = installation.serve();
    server.new_till().login("cashier", "OFFICE").get_current_session().expect_status(200);
    let before = memory_kilobytes(&server);
    let clients: Vec<TcpStream> = (0..CLIENT_COUNT).map(|_| send_without_reading(&server)).collect();
    for client in &clients {
        client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        client.peek(&mut [0]).unwrap();
    }
    // other clients are served meanwhile
    server.new_till().login("cashier", "P01").get_current_session().expect_status(200);
    let each = memory_kilobytes(&server).saturating_sub(before) / CLIENT_COUNT;
    println!("{each} kB for each client that does not read");
    assert!(each < MAX_KILOBYTES_PER_CLIENT, "a client that does not read holds {each} kB");
    let closed = format!("tillgate_connections_closed_total{{reason=\"unread\"}} {CLIENT_COUNT}");
    wait_until(Duration::from_mins(1), "the end of all of them", || server.read_metrics().text().contains(&closed));
    for mut client in clients {
        // what was sent can be read, and then the connection is closed
        let mut part = vec![0; 65_536];
        while client.read(&mut part).is_ok_and(|read| read > 0) {}
    }
}

#[test]
fn pipelined_responses_arrive_complete_and_in_order() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let server = installation.serve();
    let whole = server.new_till().get("/docs/swagger-ui-bundle.js");
    let mut stream = send_without_reading(&server);
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: till\r\nConnection: close\r\n\r\n").unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    let text = String::from_utf8(all).unwrap();
    assert_eq!(text.matches(whole.text()).count(), PIPELINED_REQUESTS);
    assert!(text.ends_with(r#"{"status":"ok"}"#));
}
