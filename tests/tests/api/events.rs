//! The event stream over real sockets, with several processes on one database.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use tillgate_tests::{DatabaseEngine, EventStream, Installation, RunningServer, TillClient, wait_until};
use ureq::http::Request;

/// How long an event may take in a test.
const EVENT_TIMEOUT: Duration = Duration::from_secs(10);

tillgate_testkit::on_both_databases!(
    event_of_another_process_arrives,
    client_that_continues_misses_nothing,
    stream_ends_with_its_session_in_every_process,
    viewer_sees_no_events_of_other_rights,
    revocation_has_an_acknowledgment_of_every_process
);

/// The id of the caller's session.
fn session_id(till: &TillClient) -> String {
    till.get_current_session().expect_status(200).text_at("/session/id")
}

fn open(server: &RunningServer, till: &TillClient) -> EventStream {
    let mut stream = EventStream::open(server, &till.access, None);
    assert_eq!(stream.status(), 200, "{}", stream.head);
    assert_eq!(stream.next_event(EVENT_TIMEOUT).unwrap().name, "reset");
    stream
}

fn event_of_another_process_arrives(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let (one, other) = (installation.serve(), installation.serve());
    let admin = one.new_till().login("admin", "OFFICE");
    let mut stream = open(&one, &admin);
    for server in [&one, &other] {
        let till = server.new_till().login("cashier", "P01");
        stream.wait_for(&session_id(&till), EVENT_TIMEOUT);
        let changed = admin.get("/api/v1/devices?search=P02").json()["items"][0]["id"].as_str().unwrap().to_owned();
        installation.run_ok(&["device", "status", "P02", "locked"], "");
        stream.wait_for(&changed, EVENT_TIMEOUT);
        installation.run_ok(&["device", "status", "P02", "active"], "");
        stream.wait_for(&changed, EVENT_TIMEOUT);
    }
}

fn client_that_continues_misses_nothing(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let (mut one, other) = (installation.serve(), installation.serve());
    let admin = one.new_till().login("admin", "OFFICE");
    let mut stream = open(&one, &admin);
    let first = session_id(&other.new_till().login("cashier", "P01"));
    stream.wait_for(&first, EVENT_TIMEOUT);
    // several logins at the same time, while the stream is opened and dropped
    let mut position = stream.position.clone();
    let mut missing: Vec<String> = std::thread::scope(|scope| {
        let logins = ["P01", "P02", "PDA1"].map(|device| {
            let other = &other;
            scope.spawn(move || {
                let log_in = |_| session_id(&other.new_till().login("cashier", device));
                (0..6).map(log_in).collect::<Vec<_>>()
            })
        });
        drop(stream);
        logins.into_iter().flat_map(|login| login.join().unwrap()).collect()
    });
    one.stop();
    let one = installation.serve();
    while !missing.is_empty() {
        let mut stream = EventStream::open(&one, &admin.access, position.as_deref());
        let event = stream.next_event(EVENT_TIMEOUT).expect("what was missed");
        assert_eq!(event.name, "change", "the position is known");
        let mut next = Some(event);
        while let Some(event) = next {
            missing.retain(|id| event.data["id"] != id.as_str());
            next = stream.next_event(Duration::from_millis(300));
        }
        position.clone_from(&stream.position);
    }
}

fn stream_ends_with_its_session_in_every_process(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let (one, other) = (installation.serve(), installation.serve());
    let log_in = || one.new_till().login("manager", "OFFICE");
    let (first, second) = (log_in(), log_in());
    let (mut here, mut there) = (open(&one, &first), open(&other, &first));
    let mut kept = open(&one, &second);
    first.delete("/api/v1/sessions/current").expect_status(204);
    assert!(here.ends(EVENT_TIMEOUT) && there.ends(EVENT_TIMEOUT));
    installation.run_ok(&["user", "status", "manager", "suspended"], "");
    assert!(kept.ends(EVENT_TIMEOUT), "by a change of the command line");
    let refused = EventStream::open(&one, &first.access, None);
    assert_eq!(refused.status(), 401, "{}", refused.head);
}

fn viewer_sees_no_events_of_other_rights(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let (one, other) = (installation.serve(), installation.serve());
    let cashier = one.new_till().login("cashier", "P01");
    let mut stream = open(&one, &cashier);
    other.new_till().login("manager", "OFFICE");
    let own = other.new_till().login("cashier", "P02");
    let before = stream.wait_for(&session_id(&own), EVENT_TIMEOUT);
    assert!(before.is_empty(), "neither audit events nor the manager's session: {before:?}");
}

/// The short name of a server, which it logs at its start.
fn short_name(server: &RunningServer) -> String {
    let find = || Some(server.read_log().split("process=\"").nth(1)?.split('"').next()?.to_owned());
    wait_until(EVENT_TIMEOUT, "the name in the log", || find().is_some());
    find().unwrap()
}

fn revocation_has_an_acknowledgment_of_every_process(engine: DatabaseEngine) {
    let installation = Installation::with_fixture(engine);
    let (one, other) = (installation.serve(), installation.serve());
    let admin = one.new_till().login("admin", "OFFICE");
    let till = other.new_till().login("cashier", "P01");
    let ended = admin.delete(&format!("/api/v1/sessions/{}", session_id(&till))).expect_status(204);
    let path = format!("/api/v1/revocations/{}", ended.header("revocation"));
    let mut expected = [&one, &other].map(short_name);
    expected.sort_unstable();
    let applied = || {
        let response = admin.get(&path).expect_status(200).json();
        let processes = response["processes"].as_array().unwrap().clone();
        let mut names: Vec<&str> = processes.iter().map(|process| process["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, expected, "neither machines nor process numbers");
        processes.iter().filter(|process| process["applied_at"].is_string()).count()
    };
    wait_until(EVENT_TIMEOUT, "the acknowledgments of both", || applied() == 2);
    // the acknowledgment of the other process is never early
    assert_eq!(till.get_current_session().status(), 401);
    let cashier = one.new_till().login("cashier", "P01");
    cashier.get(&path).expect_status(403);
    assert_eq!(admin.get("/api/v1/revocations/x").status(), 404);
    let doctor = String::from_utf8(installation.run(&["doctor"], "").stdout).unwrap();
    let line = doctor.lines().find_map(|line| line.strip_prefix("ok    processes: ")).unwrap();
    for server in [&one, &other] {
        let (start, number) = (format!("{} is ", short_name(server)), format!(":{} (heartbeat ", server.pid()));
        let is_named = |process: &str| process.starts_with(&start) && process.contains(&number);
        assert!(line.split(", ").any(is_named), "{line}");
    }
    let later = admin.get("/api/v1/revocations/9223372036854775807").expect_status(200).json();
    assert!(later["processes"].as_array().unwrap().iter().all(|process| process["applied_at"].is_null()), "{later}");
}

#[test]
fn fifth_stream_is_refused_until_one_is_closed() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let server = installation.serve();
    let till = server.new_till().login("cashier", "OFFICE");
    let mut streams: Vec<EventStream> = (0..4).map(|_| open(&server, &till)).collect();
    let refused = EventStream::open(&server, &till.access, None);
    assert_eq!(refused.status(), 429);
    assert!(refused.head.to_ascii_lowercase().contains("retry-after: 30"), "{}", refused.head);
    // the end of a client is noticed without a heartbeat
    streams.pop();
    let mut fourth = None;
    wait_until(EVENT_TIMEOUT, "a free stream", || {
        fourth = Some(EventStream::open(&server, &till.access, None)).filter(|stream| stream.status() == 200);
        fourth.is_some()
    });
    let metrics = server.read_metrics();
    let count = metrics.text().lines().find_map(|line| line.strip_prefix("tillgate_event_streams "));
    assert_eq!(count, Some("4"));
}

#[test]
fn shutdown_ends_streams_at_once() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite).with_setting("SERVER__GRACE", "2m");
    let mut server = installation.serve();
    let till = server.new_till().login("cashier", "OFFICE");
    let mut streams: Vec<EventStream> = (0..3).map(|_| open(&server, &till)).collect();
    server.send_signal(Signal::TERM);
    for stream in &mut streams {
        assert!(stream.ends(EVENT_TIMEOUT), "long before the grace period");
    }
    assert!(server.wait_until_ended().success());
}

/// A client that opens a stream and does not read it costs the server little memory, and is
/// disconnected. What it misses does not disturb other clients.
#[test]
fn client_that_does_not_read_is_disconnected() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite).with_setting("LIMITS__WRITE", "2s");
    let server = installation.serve();
    let admin = server.new_till().login("admin", "OFFICE");
    let mut reader = open(&server, &admin);
    let stalled = open(&server, &admin);
    stalled.shrink_buffer();
    let closed = "tillgate_connections_closed_total{reason=\"unread\"} 1";
    let is_closed = || server.read_metrics().text().contains(closed);
    let store = admin.post("/api/v1/stores", &json!({"name": "Harbor"})).expect_status(201).text_at("/id");
    reader.wait_for(&store, EVENT_TIMEOUT);
    let rename = |name: &str| {
        let request = Request::builder().method("PATCH").uri(format!("{}/api/v1/stores/{store}", server.address()));
        let request = request.header("authorization", format!("Bearer {}", admin.access)).header("if-match", "*");
        let request = request.header("content-type", "application/json").body(json!({ "name": name }).to_string());
        admin.send(&request.unwrap()).expect_status(200);
    };
    wait_until(Duration::from_mins(3), "the end of the client that does not read", || {
        for _ in 0..50 {
            rename("Pier");
            rename("Harbor");
            while reader.next_event(Duration::ZERO).is_some() {}
        }
        is_closed()
    });
    drop(stalled);
    // while the server's poller is behind, the next login may be part of what a reset replaces
    wait_until(Duration::from_mins(1), "the change of a login", || {
        let last = session_id(&server.new_till().login("cashier", "P01"));
        loop {
            let event = reader.next_event(EVENT_TIMEOUT).expect("an event of the login");
            if event.name == "reset" || event.data["id"] == last.as_str() {
                return event.name != "reset";
            }
        }
    });
}
