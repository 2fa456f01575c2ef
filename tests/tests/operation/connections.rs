//! Connections of unusual clients: offers to switch to another protocol, and bytes that are not
//! HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use tillgate_tests::{DatabaseEngine, Installation, RunningServer, wait_until};

fn connect(server: &RunningServer) -> TcpStream {
    let stream = TcpStream::connect(server.address().trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// Sends a head without a body and returns the head of the response.
fn send_head(stream: &mut TcpStream, headers: &str) -> String {
    write!(stream, "GET /api/v1/sessions/current HTTP/1.1\r\nHost: till\r\n{headers}\r\n").unwrap();
    read_response(stream)
}

/// Reads the next response, which is sent in one piece, in lower case.
fn read_response(stream: &mut TcpStream) -> String {
    let mut response = vec![0; 65_536];
    let read = stream.read(&mut response).unwrap();
    String::from_utf8_lossy(&response[..read]).to_ascii_lowercase()
}

/// Offers to switch to another protocol. The framework takes the one of WebSocket for one without
/// `Connection`, too.
const UPGRADE_OFFERS: [&str; 6] = [
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAA\r\n",
    "Upgrade: h2c\r\n",
    "Connection: upgrade\r\n",
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    "Upgrade: WebSocket\r\n",
    "Connection: keep-alive\r\nUpgrade: websocket\r\n",
];

/// The body of a login that fails.
const LOGIN: &str = r#"{"login":"cashier","password":"wrong"}"#;

/// Checks that a request is answered without waiting for more of it, and completely, and that the
/// connection stays open unless the response says `close`. A server that waits answers 408.
fn assert_declined(server: &RunningServer, request: &str, expected: &str) {
    let mut stream = connect(server);
    stream.write_all(request.as_bytes()).unwrap();
    let response = read_response(&mut stream);
    assert!(response.contains(expected), "{request}: {response}");
    if response.contains("connection: close") {
        let mut rest = String::new();
        stream.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "{request}");
    } else {
        assert!(send_head(&mut stream, "").starts_with("http/1.1 401"), "{request}");
    }
}

#[test]
fn offered_upgrade_is_declined() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let server = installation.serve();
    for offer in UPGRADE_OFFERS {
        let get = format!("GET /api/v1/sessions/current HTTP/1.1\r\nHost: till\r\n{offer}\r\n");
        assert_declined(&server, &get, "http/1.1 401");
        assert_declined(&server, &get.replace("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n"), "http/1.1 401");
        // as Java's client does; what follows the length is not the body
        let post = format!("POST /api/v1/sessions HTTP/1.1\r\nHost: till\r\nContent-Type: application/json\r\n{offer}");
        let length = LOGIN.len();
        assert_declined(&server, &format!("{post}Content-Length: {length}\r\n\r\n{LOGIN}"), "login_mismatch");
        let chunks = format!("{post}Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{LOGIN}\r\n0\r\n\r\n");
        assert_declined(&server, &chunks, "login_mismatch");
        assert_declined(&server, &format!("{post}\r\n"), "http/1.1 400");
    }
    let offer = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let post = format!("POST /api/v1/sessions HTTP/1.1\r\nHost: till\r\nContent-Type: application/json\r\n{offer}");
    let more = format!("{post}Content-Length: {}\r\n\r\n{LOGIN}more than the length", LOGIN.len());
    assert_declined(&server, &more, "login_mismatch");
}

#[test]
fn logout_after_an_announced_close_is_not_executed() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let server = installation.serve();
    for announcing in ["Connection: close\r\n", UPGRADE_OFFERS[0], UPGRADE_OFFERS[3]] {
        let till = server.new_till().login("cashier", "P01");
        let token = &till.access;
        let mut stream = connect(&server);
        write!(
            stream,
            "POST /api/v1/sessions HTTP/1.1\r\nHost: till\r\nContent-Type: application/json\r\n\
             {announcing}Content-Length: {}\r\n\r\n{LOGIN}\
             DELETE /api/v1/sessions/current HTTP/1.1\r\nHost: till\r\nAuthorization: Bearer {token}\r\n\r\n",
            LOGIN.len()
        )
        .unwrap();
        let mut responses = String::new();
        stream.read_to_string(&mut responses).unwrap();
        assert_eq!(responses.matches("HTTP/1.1").count(), 1, "{announcing}: {responses}");
        let head = send_head(&mut connect(&server), &format!("Authorization: Bearer {token}\r\n"));
        assert!(head.starts_with("http/1.1 200"), "{announcing}: {head}");
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
