//! A server that is stopped answers the requests that were sent, announces on each answer that the
//! connection ends, and does not wait for idle connections.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rustix::process::Signal;
use tillgate_tests::{DatabaseEngine, Installation, RunningServer};

/// How often it is tried: a loss occurs in some trials only.
const TRIAL_COUNT: usize = 8;

/// The number of connections that were used before, and the number of new ones.
const CONNECTION_COUNT: usize = 40;

fn connect(server: &RunningServer) -> TcpStream {
    let stream = TcpStream::connect(server.address().trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

fn request_head(token: &str) -> String {
    format!("GET /api/v1/sessions HTTP/1.1\r\nHost: till\r\nAuthorization: Bearer {token}\r\n\r\n")
}

/// The rest of what the server sends until it closes the connection.
fn read_rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).unwrap();
    String::from_utf8(text).unwrap().to_ascii_lowercase()
}

#[test]
fn requests_sent_before_the_signal_are_answered() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let mut said_close = 0;
    for trial in 0..TRIAL_COUNT {
        let mut server = installation.serve();
        let till = server.new_till().login("cashier", "OFFICE");
        let request = request_head(&till.access);
        let mut kept: Vec<TcpStream> = (0..CONNECTION_COUNT).map(|_| connect(&server)).collect();
        for stream in &mut kept {
            stream.write_all(request.as_bytes()).unwrap();
        }
        for stream in &mut kept {
            let mut part = vec![0; 65_536];
            let read = stream.read(&mut part).unwrap();
            assert!(part[..read].starts_with(b"HTTP/1.1 200"));
        }
        let mut idle = kept.pop().unwrap();
        for stream in &mut kept {
            stream.write_all(request.as_bytes()).unwrap();
        }
        let mut fresh: Vec<TcpStream> = (0..CONNECTION_COUNT).map(|_| connect(&server)).collect();
        for stream in &mut fresh {
            stream.write_all(request.as_bytes()).unwrap();
        }
        std::thread::sleep(Duration::from_millis(u64::try_from(trial).unwrap()));
        server.send_signal(Signal::TERM);
        for (number, stream) in kept.iter_mut().chain(&mut fresh).enumerate() {
            let answer = read_rest(stream);
            assert!(answer.starts_with("http/1.1 200"), "trial {trial}, connection {number}: {answer:?}");
            said_close += usize::from(answer.contains("connection: close"));
        }
        assert_eq!(read_rest(&mut idle), "");
        assert!(server.wait_until_ended().success());
    }
    assert!(said_close > 0, "no answer said that its connection ends");
}
