//! A server that is stopped answers the requests that were sent, announces on each response that
//! the connection ends, and does not wait for idle connections. A server that is stopped during its
//! start ends, whatever the start waits for.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tillgate_testkit::postgres::Server;
use tillgate_tests::{DatabaseEngine, Installation, RunningServer, wait_until};

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
            let response = read_rest(stream);
            assert!(response.starts_with("http/1.1 200"), "trial {trial}, connection {number}: {response:?}");
            said_close += usize::from(response.contains("connection: close"));
        }
        assert_eq!(read_rest(&mut idle), "");
        assert!(server.wait_until_ended().success());
    }
    assert!(said_close > 0, "no response said that its connection ends");
}

/// How long a process may take for a step, with a margin for a busy machine.
const STEP_TIMEOUT: Duration = Duration::from_mins(1);

/// A process that is killed when it is dropped.
struct KilledChild(Child);

impl KilledChild {
    fn spawn(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn wait_until_ended(&mut self) -> ExitStatus {
        let mut ended = None;
        wait_until(STEP_TIMEOUT, "the end of the process", || {
            ended = self.0.try_wait().unwrap();
            ended.is_some()
        });
        ended.unwrap()
    }
}

impl Drop for KilledChild {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The server gives the step in which it was, and no session of it waits for the lock any more.
#[test]
#[ignore = "requires PostgreSQL"]
fn start_that_waits_for_a_lock_obeys_signals() {
    let database = Server::start(&[]).unwrap();
    let installation = Installation::with_database(DatabaseEngine::Postgres, database.create_database());
    installation.run_ok(&["init"], "");
    let count = |condition: &str| {
        let query = format!("SELECT count(*) FROM pg_stat_activity WHERE {condition}");
        database.sql("postgres", &query).unwrap().parse::<u32>().unwrap()
    };
    let waiting = "application_name = 'tillgate' AND wait_event_type = 'Lock'";
    let holding = "application_name = 'psql' AND wait_event = 'PgSleep'";
    let locks = [
        ("the lock that one process holds during migrations", "SELECT pg_advisory_lock(8388354993800967269)"),
        ("a table that every migration uses", "LOCK TABLE __diesel_schema_migrations IN ACCESS EXCLUSIVE MODE"),
    ];
    for ((what, lock), signal) in locks.into_iter().zip([Signal::TERM, Signal::INT]) {
        let statements = format!("{lock}; SELECT pg_sleep(600)");
        let address = database.address("shop_0");
        let mut psql = Command::new(database.program_folder().join("psql"));
        let _holder = KilledChild::spawn(psql.args(["-X", "-q", "-d", &address, "-c", &statements]));
        wait_until(STEP_TIMEOUT, "a session that holds the lock", || count(holding) == 1);
        let mut server = KilledChild::spawn(&mut installation.tillgate_command(&["serve", "--listen", "127.0.0.1:0"]));
        wait_until(STEP_TIMEOUT, "a start that waits for the lock", || count(waiting) == 1);
        kill_process(Pid::from_child(&server.0), signal).unwrap();
        let status = server.wait_until_ended();
        let mut log = String::new();
        server.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert_eq!(status.code(), Some(0), "{what}: {log}");
        let stopped = log.lines().find(|line| line.contains("stopped before the start was complete"));
        assert!(stopped.is_some_and(|line| line.contains("updating the database")), "{what}: {log}");
        wait_until(STEP_TIMEOUT, "the end of the session that waits for the lock", || count(waiting) == 0);
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {holding}");
        database.sql("postgres", &end).unwrap();
    }
    assert_eq!(installation.serve().stop().code(), Some(0));
}
