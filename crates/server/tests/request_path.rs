//! The path from a request to its first SQL statement is short enough to follow.
//!
//! The test runs a demo shop in its own process, and takes the stack at the first statement that a
//! request sends. It counts the functions on it that are in the files of tillgate's crates; those
//! of other crates are ignored. A function that the compiler made for a closure counts like any
//! other: a reader has to follow it. `cargo test -p tillgate-server --test request_path --
//! --nocapture` prints the paths.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::backtrace::Backtrace;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::Duration;

use clap::Parser;
use diesel::connection::{InstrumentationEvent, set_default_instrumentation};
use rustix::process::{Signal, getpid, kill_process};
use serde_json::{Value, json};
use tillgate_server::{Cli, run_cli};

/// The functions of tillgate between a native login and its first statement.
const MAX_LOGIN_FRAMES: usize = 14;

/// The closures among those between a native change of a user and its first statement.
const MAX_UPDATE_CLOSURES: usize = 4;

const PASSWORD: &str = "frames-of-a-request";

/// A function of tillgate that is on the stack.
struct Frame {
    name: String,
    /// The file below `crates`.
    file: String,
    /// The line and the column of the call.
    position: String,
}

/// The functions of tillgate between a request and its first statement, outermost first.
struct RequestPath(Vec<Frame>);

impl RequestPath {
    fn frame_count(&self) -> usize {
        self.0.len()
    }

    fn closure_count(&self) -> usize {
        self.0.iter().filter(|frame| frame.name.contains("{closure")).count()
    }

    fn file_count(&self) -> usize {
        self.0.iter().map(|frame| &frame.file).collect::<BTreeSet<_>>().len()
    }
}

impl fmt::Display for RequestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Frame { name, file, position } in &self.0 {
            writeln!(f, "  {name}  ({file}:{position})")?;
        }
        let [frames, files, closures] = [self.frame_count(), self.file_count(), self.closure_count()];
        writeln!(f, "  = {frames} frames in {files} files, {closures} of them closures")
    }
}

/// What the test waits for.
enum Capture {
    Off,
    /// The first statement of a request.
    Waiting,
    Taken(RequestPath),
}

static CAPTURE: Mutex<Capture> = Mutex::new(Capture::Off);

#[expect(clippy::needless_pass_by_value, reason = "the type that diesel calls")]
fn capture_first_statement(event: InstrumentationEvent<'_>) {
    let mut capture = CAPTURE.lock().unwrap();
    if !matches!(*capture, Capture::Waiting) || !matches!(event, InstrumentationEvent::StartQuery { .. }) {
        return;
    }
    // with full paths of the files
    let path = read_path(&format!("{:#}", Backtrace::force_capture()));
    // a thread that serves no request may send a statement at the same time
    if path.0.iter().any(|frame| frame.file.starts_with("http/")) {
        *capture = Capture::Taken(path);
    }
}

/// Reads the functions of tillgate that call diesel, and their callers.
fn read_path(backtrace: &str) -> RequestPath {
    let crates = format!("{}/", Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().display());
    // the pool passes the events of a connection on to this test
    let calls = parse_backtrace(backtrace).skip_while(|(_, position)| !position.contains("/diesel"));
    let own = calls.filter_map(|(name, position)| {
        let (file, position) = position.strip_prefix(&crates)?.split_once(':')?;
        // the compiler adds a hash
        let name = name.rsplit_once("::h").filter(|(_, hash)| hash.len() == 16).map_or(name, |(name, _)| name);
        Some(Frame { name: name.to_owned(), file: file.to_owned(), position: position.to_owned() })
    });
    let mut frames: Vec<Frame> = own.collect();
    frames.reverse();
    RequestPath(frames)
}

/// The functions of a backtrace with their positions, innermost first. A function without debug
/// information is not among them.
fn parse_backtrace(backtrace: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = backtrace.lines().map(str::trim_start);
    lines.clone().zip(lines.skip(1)).filter_map(|(function, position)| {
        let position = position.strip_prefix("at ")?;
        // a function that was inlined has no number and no address of its own
        Some((function.rsplit_once(" - ").map_or(function, |(_, name)| name), position))
    })
}

/// A demo shop that runs in this process.
struct DemoServer {
    data: PathBuf,
    address: String,
    thread: Option<JoinHandle<ExitCode>>,
}

impl DemoServer {
    fn start() -> Self {
        set_default_instrumentation(|| Some(Box::new(capture_first_statement as fn(InstrumentationEvent<'_>))))
            .unwrap();
        let data = std::env::temp_dir().join(format!("tillgate-request-path-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&data);
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let line = ["tillgate", "demo", "--small", "--password", PASSWORD, "--listen", &address, "--data"];
        let cli = Cli::try_parse_from(line.iter().map(AsRef::as_ref).chain([data.as_os_str()])).unwrap();
        let thread = std::thread::spawn(move || run_cli(cli, Vec::new()));
        let server = Self { data, address, thread: Some(thread) };
        while !server.is_ready() {
            assert!(server.is_running(), "the server did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    fn is_ready(&self) -> bool {
        TcpStream::connect(&self.address).is_ok() && self.request("GET", "/readyz", "", &Value::Null).0 == 200
    }

    /// Sends a request with these header lines, and returns status and body.
    fn request(&self, method: &str, path: &str, headers: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: till.example\r\nconnection: close\r\ncontent-type: \
             application/json\r\n{headers}content-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
    }

    /// Sends a request that must succeed, and returns its path to its first statement.
    fn path_of(&self, method: &str, path: &str, headers: &str, body: &Value) -> RequestPath {
        *CAPTURE.lock().unwrap() = Capture::Waiting;
        let (status, response) = self.request(method, path, headers, body);
        assert!((200..300).contains(&status), "{status} {response}");
        match std::mem::replace(&mut *CAPTURE.lock().unwrap(), Capture::Off) {
            Capture::Taken(taken) => taken,
            Capture::Off | Capture::Waiting => panic!("no statement of {method} {path}, or no debug information"),
        }
    }
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        if self.is_running() {
            kill_process(getpid(), Signal::TERM).unwrap();
        }
        let _ = self.thread.take().map(JoinHandle::join);
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

#[test]
fn login_and_user_change_have_a_short_path_to_the_database() {
    let server = DemoServer::start();
    let (_, admin) = server.request("POST", "/api/v1/sessions", "", &json!({ "login": "admin", "password": PASSWORD }));
    let bearer = format!("authorization: Bearer {}\r\n", admin["access_token"].as_str().unwrap());
    let (_, users) = server.request("GET", "/api/v1/users?search=cashier", &bearer, &Value::Null);
    let user = format!("/api/v1/users/{}", users["items"][0]["id"].as_str().unwrap());

    let login = json!({ "login": "cashier", "password": PASSWORD, "device": "P01" });
    let login = server.path_of("POST", "/api/v1/sessions", "", &login);
    let update = format!("{bearer}if-match: *\r\n");
    let update = server.path_of("PATCH", &user, &update, &json!({ "display_name": "Cora" }));

    let paths = format!("POST /sessions\n{login}\nPATCH /users/{{id}}\n{update}");
    println!("{paths}");
    for RequestPath(frames) in [&login, &update] {
        assert!(frames.first().is_some_and(|frame| frame.file.starts_with("http/")), "{paths}");
        assert!(frames.last().is_some_and(|frame| frame.file.starts_with("persistence/")), "{paths}");
    }
    assert!(login.frame_count() <= MAX_LOGIN_FRAMES, "the path of a login is longer than promised:\n{paths}");
    assert!(update.closure_count() <= MAX_UPDATE_CLOSURES, "a change has more closures than promised:\n{paths}");
}
