//! Connections of unusual clients: offers to switch to another protocol, and bytes that are not
//! HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use tillgate_tests::{DatabaseEngine, Installation, RunningServer, now, wait_until};

fn connect(server: &RunningServer) -> TcpStream {
    let stream = TcpStream::connect(server.address().trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// Sends a head without a body and returns the head of the answer.
fn send_head(stream: &mut TcpStream, headers: &str) -> String {
    write!(stream, "GET /api/v1/sessions/current HTTP/1.1\r\nHost: till\r\n{headers}\r\n").unwrap();
    let mut answer = vec![0; 65_536];
    let read = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..read]).to_ascii_lowercase()
}

#[test]
fn offered_upgrade_is_declined() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let server = installation.serve();
    for offer in [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAA\r\n",
        "Connection: upgrade\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        // an offer that no `Connection` names is none, and no body follows it either
        "Upgrade: websocket\r\n",
    ] {
        let mut stream = connect(&server);
        let started = now();
        let answer = send_head(&mut stream, offer);
        assert!(answer.starts_with("http/1.1 401"), "{offer}: {answer}");
        assert!(started.elapsed() < Duration::from_secs(5), "it waited for a body that nobody sends: {offer}");
        if !answer.contains("connection: close") {
            assert!(send_head(&mut stream, "").starts_with("http/1.1 401"), "{offer}");
        }
    }
    // a request with a body that makes the offer, as Java's client does; the body ends where its length says
    for (offer, after) in [
        ("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAA\r\n", ""),
        ("Connection: Upgrade\r\nUpgrade: WebSocket\r\n", ""),
        ("Connection: Upgrade\r\nUpgrade: websocket\r\n", "more than the length"),
        ("Upgrade: websocket\r\n", ""),
    ] {
        let mut stream = connect(&server);
        let body = r#"{"login":"cashier","password":"wrong"}"#;
        let started = now();
        write!(
            stream,
            "POST /api/v1/sessions HTTP/1.1\r\nHost: till\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             {offer}\r\n{body}{after}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("login_mismatch"), "{offer}: {answer}");
        assert!(answer.to_ascii_lowercase().contains("connection: close"), "{offer}: {answer}");
        assert!(started.elapsed() < Duration::from_secs(5), "it waited for more than the body: {offer}");
    }
}

#[test]
fn invalid_http_requests_are_counted_and_not_shown() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let server = installation.serve();
    for _ in 0..3 {
        let mut stream = connect(&server);
        stream.write_all(b"GET /secret-path-of-a-client HTTP/9.9\r\nHo st: x\r\n\r\n").unwrap();
        let _ = stream.read(&mut [0; 1024]);
    }
    wait_until(Duration::from_secs(30), "a line that counts them", || {
        server.read_log().lines().any(|line| line.contains("WARN") && line.contains("requests that are not valid HTTP"))
    });
    let log = server.read_log();
    assert!(!log.contains("secret-path-of-a-client") && !log.contains("ERROR"), "{log}");
}

/// Starts a server under this limit of open files, set by a shell's `ulimit`.
fn serve_with_file_limit(installation: &Installation, ulimit: &str) -> RunningServer {
    let plain = installation.tillgate_command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit {ulimit}; exec \"$0\" \"$@\"")]).arg(plain.get_program());
    limited.args(plain.get_args()).envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    RunningServer::spawn(installation, limited)
}

/// The soft and the hard limit of a server's open files.
fn file_limits(server: &RunningServer) -> (String, String) {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let mut words = line.split_whitespace().map(str::to_owned);
    (words.next().unwrap(), words.next().unwrap())
}

#[test]
fn soft_limit_of_open_files_is_raised_to_the_hard_one() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let server = serve_with_file_limit(&installation, "-S -n 128");
    let (soft, hard) = file_limits(&server);
    assert_eq!(soft, hard);
    assert_ne!(hard, "128", "this machine allows no more");
}

#[test]
fn too_few_open_files_are_logged() {
    let warning = "limits.connections times server.workers";
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite).with_setting("SERVER__WORKERS", "2");
    let server = serve_with_file_limit(&installation, "-n 512");
    assert_eq!(file_limits(&server).0, "512");
    wait_until(Duration::from_secs(30), "a warning", || server.read_log().contains(warning));
    drop(server);
    let installation = installation.with_setting("LIMITS__CONNECTIONS", "100");
    let server = serve_with_file_limit(&installation, "-n 512");
    server.wait_until_ready();
    assert!(!server.read_log().contains(warning), "{}", server.read_log());
}

#[test]
fn logout_is_done_although_its_client_hangs_up_at_once() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let server = installation.serve();
    for _ in 0..20 {
        let till = server.new_till().login("cashier", "P01");
        let mut stream = connect(&server);
        let token = &till.access;
        write!(
            stream,
            "DELETE /api/v1/sessions/current HTTP/1.1\r\nHost: till\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n"
        )
        .unwrap();
        drop(stream);
        wait_until(Duration::from_secs(10), "the end of the session", || {
            send_head(&mut connect(&server), &format!("Authorization: Bearer {token}\r\n")).starts_with("http/1.1 401")
        });
    }
}
