//! Databases that are locked, full, frozen, read-only or lost: the response is 503 with
//! `Retry-After` within five seconds in the format of each mount, and never one that makes a till
//! discard its tokens. Sessions continue afterwards. A server that receives SIGTERM during the
//! outage stops.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use rustix::process::Signal;
use serde_json::{Value, json};
use tillgate_testkit::postgres::Server;
use tillgate_tests::{
    DatabaseEngine, Installation, PASSWORD, RunningServer, TestResponse, TillClient, now, wait_until,
};

mod failover;

/// The time within which a till has its response, with a margin for a busy machine.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(5_500);

/// A call that a test makes.
type WriteCall<'c> = Box<dyn Fn() -> TestResponse + Send + Sync + 'c>;

/// A native session and a PORTOS session that continue, and one of each that logs out: a logout
/// that was answered with 503 may still be carried out once the database is back.
struct DatabaseDownFixture {
    native: TillClient,
    portos: TillClient,
    portos_pair: Value,
    native_leaves: TillClient,
    portos_leaves: TillClient,
}

impl DatabaseDownFixture {
    fn log_in(server: &RunningServer, installation: &Installation) -> Self {
        let native = server.new_till().login("cashier", "P01");
        let native_leaves = server.new_till().login("cashier", "OFFICE");
        let (portos, pair) = portos_log_in(server, installation, "P02");
        let portos_pair = json!({"tokenId": pair["tokenId"], "refreshToken": pair["refreshToken"]});
        let (portos_leaves, _) = portos_log_in(server, installation, "OFFICE");
        let tills = Self { native, portos, portos_pair, native_leaves, portos_leaves };
        tills.check_reads();
        tills
    }

    /// Calls that need no database succeed.
    fn check_reads(&self) {
        self.native.get_current_session().expect_status(200);
        self.portos.get("/portos/api/auth").expect_status(200);
    }

    /// Calls that write, each with the error format of its mount.
    fn call_writes(&self, server: &RunningServer) -> Vec<(&'static str, TestResponse, Duration)> {
        let bare = server.new_till();
        let refresh = json!({"refresh_token": self.native.refresh});
        let native_login = json!({"login": "manager", "password": PASSWORD, "device": "OFFICE"});
        let portos_login = json!({"UserName": "manager", "Password": PASSWORD, "DeviceName": "OFFICE"});
        let calls: Vec<(&'static str, WriteCall<'_>)> = vec![
            ("native login", Box::new(|| bare.call_once("POST", "/api/v1/sessions", Some(&native_login)))),
            ("native refresh", Box::new(|| bare.call_once("POST", "/api/v1/sessions/refresh", Some(&refresh)))),
            ("native logout", Box::new(|| self.native_leaves.call_once("DELETE", "/api/v1/sessions/current", None))),
            ("PORTOS login", Box::new(|| bare.call_once("POST", "/portos/api/auth", Some(&portos_login)))),
            (
                "PORTOS refresh",
                Box::new(|| bare.call_once("POST", "/portos/api/auth/refresh", Some(&self.portos_pair))),
            ),
            ("PORTOS logout", Box::new(|| self.portos_leaves.call_once("DELETE", "/portos/api/auth", None))),
        ];
        std::thread::scope(|scope| {
            let running: Vec<_> = calls
                .iter()
                .map(|(name, call)| {
                    scope.spawn(move || {
                        let start = now();
                        let response = call();
                        (*name, response, start.elapsed())
                    })
                })
                .collect();
            running.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    /// Every call that writes is answered with 503, in time, in the mount's format.
    fn check_unavailable(&self, server: &RunningServer, status: u16) {
        for (call, response, took) in self.call_writes(server) {
            assert_eq!(response.status(), status, "{call}: {}", response.text());
            assert!(took < ANSWER_TIMEOUT, "{call} took {took:?}");
            assert!(response.header("content-type").starts_with("application/problem+json"), "{call}");
            if status == 503 {
                assert!(response.header("retry-after").parse::<u32>().is_ok(), "{call} names no Retry-After");
            }
            let body = response.json();
            assert_eq!(body["status"], status, "{call}: {body}");
            if call.starts_with("PORTOS") {
                assert!(body["traceId"].is_string() && body.get("errorCode").is_none(), "{call}: {body}");
            } else {
                assert!(body["trace_id"].is_string() && body["code"].is_string(), "{call}: {body}");
            }
        }
        self.check_reads();
    }

    /// All sessions continue.
    fn check_available(mut self, server: &RunningServer) {
        let bare = server.new_till();
        wait_until(Duration::from_secs(20), "a refresh after the database came back", || {
            let response = self.native.try_refresh().unwrap();
            assert!([200, 503].contains(&response.status()), "{}", response.text());
            response.status() == 200
        });
        let pair = bare.post("/portos/api/auth/refresh", &self.portos_pair).expect_status(200).json();
        pair["tokenId"].as_str().unwrap().clone_into(&mut self.portos.access);
        self.check_reads();
        self.native.delete("/api/v1/sessions/current").expect_status(204);
        self.portos.delete("/portos/api/auth").expect_status(200);
    }
}

fn portos_log_in(server: &RunningServer, installation: &Installation, device: &str) -> (TillClient, Value) {
    let mut till = server.new_till();
    let login = json!({"UserName": "manager", "Password": PASSWORD, "DeviceName": device});
    let pair = till.post("/portos/api/auth", &login).expect_status(200).json();
    pair["tokenId"].as_str().unwrap().clone_into(&mut till.access);
    for token in ["tokenId", "refreshToken"] {
        installation.secrets().add(pair[token].as_str().unwrap());
    }
    (till, pair)
}

/// Waits until readiness reports whether writes are accepted: the server itself writes every five
/// seconds.
fn wait_for_readiness(server: &RunningServer, writes: bool) {
    wait_until(Duration::from_secs(20), "readiness to say whether writes are taken", || {
        let response = server.new_till().call_once("GET", "/readyz", None);
        let body = response.json();
        assert_eq!(body["parts"]["store"], true, "it can be read all the while: {body}");
        body["parts"]["writes"] == writes && response.status() == if writes { 200 } else { 503 }
    });
    let metrics = server.read_metrics().expect_status(200).text().to_owned();
    assert!(metrics.contains(&format!("\ntillgate_database_writable {}\n", u8::from(writes))), "{metrics}");
}

fn connect_sqlite(installation: &Installation) -> SqliteConnection {
    SqliteConnection::establish(installation.folder().join("tillgate.db").to_str().unwrap()).unwrap()
}

#[test]
fn writes_are_unavailable_while_sqlite_is_locked() {
    let installation = Installation::with_fixture(DatabaseEngine::Sqlite);
    let server = installation.serve();
    let tills = DatabaseDownFixture::log_in(&server, &installation);
    let mut other = connect_sqlite(&installation);
    other.batch_execute("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE").unwrap();
    tills.check_unavailable(&server, 503);
    other.batch_execute("ROLLBACK").unwrap();
    tills.check_available(&server);
}

#[test]
fn demo_is_created_although_sqlite_is_locked_longer_than_the_deadline() {
    let installation = Installation::new(DatabaseEngine::Sqlite).with_setting("DATABASE__DEADLINE", "500ms");
    let command = installation.tillgate_command(&["demo", "--password", PASSWORD, "--listen", "127.0.0.1:0"]);
    let server = RunningServer::spawn(&installation, command);
    let mut other = connect_sqlite(&installation);
    other.batch_execute("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE").unwrap();
    assert_eq!(server.new_till().get("/readyz").status(), 503, "the shop is not complete when the lock is taken");
    std::thread::sleep(Duration::from_secs(2));
    other.batch_execute("ROLLBACK").unwrap();
    server.wait_until_ready();
}

#[test]
fn writes_are_unavailable_while_the_sqlite_disk_is_full() {
    let installation = Installation::new(DatabaseEngine::Sqlite).with_setting("SESSIONS__OVERLAP", "0s");
    installation.create_demo_shop();
    // A file may not grow beyond 1.25 MiB, twice the size of the new database: the write-ahead log,
    // through which every write goes, is soon full.
    let with_limit = |arguments: &[&str]| {
        let plain = installation.tillgate_command(arguments);
        let mut limited = std::process::Command::new("sh");
        limited.args(["-c", "trap '' XFSZ; ulimit -S -f 2560; exec \"$0\" \"$@\""]).arg(plain.get_program());
        limited.args(plain.get_args()).env_clear().env("TILLGATE_SESSIONS__OVERLAP", "0s");
        limited
    };
    let report_writes = || {
        let found = String::from_utf8(with_limit(&["doctor"]).output().unwrap().stdout).unwrap();
        found.lines().find(|line| line.contains(" writes: ")).unwrap_or(&found).to_owned()
    };
    let server = RunningServer::spawn(&installation, with_limit(&["serve", "--listen", "127.0.0.1:0"]));
    server.wait_until_ready();
    let tills = DatabaseDownFixture::log_in(&server, &installation);
    // A reader that stays open keeps the log from being restarted.
    let mut reader = connect_sqlite(&installation);
    reader.batch_execute("BEGIN; SELECT count(*) FROM sessions").unwrap();
    let mut filler = server.new_till().login("admin", "OFFICE");
    assert_eq!(report_writes(), "ok    writes: the database accepts writes");
    wait_until(Duration::from_mins(1), "a full disk", || filler.try_refresh().unwrap().status() == 503);
    tills.check_unavailable(&server, 503);
    wait_for_readiness(&server, false);
    // The doctor's write is smaller than that of a refresh: it may use up the last bytes first.
    wait_until(Duration::from_mins(1), "a write of the doctor that fails", || {
        report_writes().starts_with("FIX   writes: the store is unavailable: ")
    });
    reader.batch_execute("ROLLBACK").unwrap();
    let mut more = std::process::Command::new("prlimit");
    assert!(more.args(["--fsize=unlimited", "--pid", &server.pid().to_string()]).status().unwrap().success());
    wait_for_readiness(&server, true);
    tills.check_available(&server);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn writes_are_unavailable_while_postgresql_hangs() {
    let database = Server::start(&[]).unwrap();
    let installation = Installation::with_database(DatabaseEngine::Postgres, database.create_database());
    installation.create_demo_shop();
    let server = installation.serve();
    let tills = DatabaseDownFixture::log_in(&server, &installation);
    database.freeze().unwrap();
    tills.check_unavailable(&server, 503);
    database.thaw().unwrap();
    tills.check_available(&server);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn writes_are_unavailable_while_postgresql_is_stopped() {
    let database = Server::start(&[]).unwrap();
    let installation = Installation::with_database(DatabaseEngine::Postgres, database.create_database());
    installation.create_demo_shop();
    let server = installation.serve();
    let tills = DatabaseDownFixture::log_in(&server, &installation);
    database.crash().unwrap();
    tills.check_unavailable(&server, 503);
    let sealing = "the audit log could not be sealed now";
    wait_until(Duration::from_secs(20), "a warning", || server.read_log().contains(sealing));
    database.resume().unwrap();
    tills.check_available(&server);
    let again = "connected to the database again";
    wait_until(Duration::from_secs(20), "the end of the outage", || server.read_log().contains(again));
    let log = server.read_log();
    assert!(!log.contains("the audit log is not sealed correctly"), "{log}");
    let failures = log.lines().filter(|line| line.contains("pool") && line.contains("no connection to the database"));
    assert!(failures.count() <= 1 + log.matches(again).count(), "an outage is logged once: {log}");
}

#[test]
#[ignore = "requires PostgreSQL"]
fn writes_are_unavailable_while_postgresql_is_read_only() {
    let database = Server::start(&[]).unwrap();
    let installation = Installation::with_database(DatabaseEngine::Postgres, database.create_database());
    installation.create_demo_shop();
    let server = installation.serve();
    let tills = DatabaseDownFixture::log_in(&server, &installation);
    let drop_all =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'shop_0'";
    let set = |value: &str| {
        database.sql("shop_0", &format!("ALTER DATABASE shop_0 SET default_transaction_read_only = {value}")).unwrap();
        database.sql("postgres", drop_all).unwrap();
    };
    set("on");
    tills.check_unavailable(&server, 503);
    wait_for_readiness(&server, false);
    let doctor = String::from_utf8(installation.run(&["doctor"], "").stdout).unwrap();
    assert!(doctor.contains("FIX   writes: the store is unavailable: the database is read-only"), "{doctor}");
    // psql may write again only if it requests it
    let reset =
        "SET default_transaction_read_only = off; ALTER DATABASE shop_0 SET default_transaction_read_only = off";
    database.sql("postgres", reset).unwrap();
    database.sql("postgres", drop_all).unwrap();
    wait_for_readiness(&server, true);
    tills.check_available(&server);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn closed_postgresql_connections_are_replaced() {
    let database = Server::start(&[]).unwrap();
    let installation = Installation::with_database(DatabaseEngine::Postgres, database.create_database());
    installation.create_demo_shop();
    let server = installation.serve();
    let mut tills = DatabaseDownFixture::log_in(&server, &installation);
    for _ in 0..5 {
        let all = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'shop_0'";
        database.sql("shop_0", all).unwrap();
        tills.native.refresh().expect_status(200);
    }
    tills.check_available(&server);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn role_without_write_privilege_is_an_internal_error() {
    let database = Server::start(&[]).unwrap();
    database.sql("postgres", "CREATE ROLE shop LOGIN").unwrap();
    database.sql("postgres", "CREATE DATABASE shop_a OWNER shop").unwrap();
    let address = database.address("shop_a").replace("tillgate@", "shop@");
    let installation = Installation::with_database(DatabaseEngine::Postgres, address);
    installation.create_demo_shop();
    let server = installation.serve();
    let tills = DatabaseDownFixture::log_in(&server, &installation);
    let change = |what: &str, to: &str| {
        database
            .sql("shop_a", &format!("{what} INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public {to} shop"))
            .unwrap();
    };
    change("REVOKE", "FROM");
    tills.check_unavailable(&server, 500);
    change("GRANT", "TO");
    tills.check_available(&server);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn start_waits_for_postgresql_and_obeys_signals() {
    let database = Server::start(&[]).unwrap();
    let installation = Installation::with_database(DatabaseEngine::Postgres, database.create_database());
    installation.create_demo_shop();
    database.crash().unwrap();
    let away = "the database cannot be reached yet";
    // a server that is told to stop stops
    let mut command = installation.tillgate_command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut waiting = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut log = std::io::BufReader::new(waiting.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(away) {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut log, &mut line).unwrap() > 0, "it ended");
    }
    let pid = rustix::process::Pid::from_child(&waiting);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(waiting.wait().unwrap().code(), Some(0));
    // a server that has waited long enough reports the cause
    let short = Installation::with_database(DatabaseEngine::Postgres, installation.database().to_owned())
        .with_setting("DATABASE__START_WAIT", "5s");
    let output = short.run(&["serve", "--listen", "127.0.0.1:0"], "");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(away) && said.contains("cannot be reached"), "{said}");
    // a line a second: each at least one after the last one, and more than one in five seconds
    let left = said.lines().filter_map(|line| line.split_once("seconds_left=")?.1.split(' ').next()?.parse().ok());
    let left: Vec<u64> = left.collect();
    assert!(left.len() > 1 && left.windows(2).all(|pair| pair[0] > pair[1]), "{said}");
    // a server whose database becomes available serves
    let server = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(2));
            database.resume().unwrap();
        });
        installation.serve()
    });
    assert!(server.read_log().contains(away), "{}", server.read_log());
    server.new_till().login("cashier", "P01").get_current_session().expect_status(200);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn idle_server_stops_while_postgresql_hangs() {
    check_stop_while_postgresql_hangs(0);
}

#[test]
#[ignore = "requires PostgreSQL"]
fn server_with_requests_in_progress_stops_while_postgresql_hangs() {
    check_stop_while_postgresql_hangs(12);
}

/// The process ends although the database never answers and this number of requests waits for it,
/// and logs what was not written. The sessions continue.
fn check_stop_while_postgresql_hangs(requests: usize) {
    let database = Server::start(&[]).unwrap();
    let installation = Installation::with_database(DatabaseEngine::Postgres, database.create_database())
        .with_setting("SERVER__GRACE", "1s");
    installation.create_demo_shop();
    let mut server = installation.serve();
    let tills = DatabaseDownFixture::log_in(&server, &installation);
    // one connection each for the threads that poll the change feed, seal events and send mail, and
    // one for a request: a thread that gets none has its error in time
    wait_until(Duration::from_secs(20), "four connections to the database", || {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| tills.native.get("/api/v1/sessions").expect_status(200));
            }
        });
        read_gauge(&server, "connections_busy") + read_gauge(&server, "connections_idle") >= 4
    });
    database.freeze().unwrap();
    wait_until(Duration::from_secs(20), "threads that wait for the database", || {
        read_gauge(&server, "connections_busy") >= 3
    });
    let request =
        format!("GET /api/v1/sessions HTTP/1.1\r\nHost: till\r\nAuthorization: Bearer {}\r\n\r\n", tills.native.access);
    let open = |_| {
        let mut stream = TcpStream::connect(server.address().trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    };
    let waiting: Vec<TcpStream> = (0..requests).map(open).collect();
    if requests > 0 {
        wait_until(Duration::from_secs(20), "a request that waits for the database", || {
            read_gauge(&server, "connections_busy") >= 4
        });
    }
    server.send_signal(Signal::TERM);
    for mut stream in waiting {
        let mut response = Vec::new();
        // without a response, the connection is closed or reset after the grace period
        let _ = stream.read_to_end(&mut response);
        assert!(response.is_empty() || response.starts_with(b"HTTP/1.1 503"), "{}", String::from_utf8_lossy(&response));
    }
    assert_eq!(server.wait_until_ended().code(), Some(1));
    wait_until(Duration::from_secs(20), "the log of what was not written", || {
        let log = server.read_log();
        log.contains("the process ends without its last writes") && log.contains("that this process has stopped")
    });
    database.thaw().unwrap();
    let server = installation.serve();
    tills.native.at_server(server.address()).refresh().expect_status(200);
}

/// A gauge of the database in the metrics of a server.
fn read_gauge(server: &RunningServer, name: &str) -> usize {
    let metrics = server.read_metrics().expect_status(200).text().to_owned();
    let line = format!("tillgate_database_{name} ");
    metrics.lines().find_map(|text| text.strip_prefix(&line)).unwrap().parse().unwrap()
}
