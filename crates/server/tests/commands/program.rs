//! Runs the program under test: a folder for each test, commands with their input, servers on a
//! free port, and plain requests.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use tillgate_persistence::{Address, Database, Limits};
use tillgate_testkit::{DatabaseEngine, FolderSnapshot, TestFolder};

/// A password that passes the policy.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// The folder of one test, removed with it.
pub(crate) struct TestInstallation {
    folder: TestFolder,
    database: Option<String>,
}

/// The data folder and the database of an installation that nothing uses any more.
struct InstallationState {
    data: FolderSnapshot,
    database: Option<String>,
}

/// The exit code and output of a command.
pub(crate) struct CommandOutput {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl CommandOutput {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {} {}", self.out, self.err))
    }
}

impl TestInstallation {
    pub(crate) fn new() -> Self {
        Self { folder: TestFolder::new(), database: None }
    }

    /// An installation with its database on this engine.
    pub(crate) fn on(engine: DatabaseEngine) -> Self {
        let mut home = Self::new();
        if engine == DatabaseEngine::Postgres {
            home.database = Some(tillgate_testkit::postgres::create_database());
        }
        home
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The flags that select this installation, as hints repeat them.
    pub(crate) fn flags(&self) -> String {
        let database = self.database.as_ref().map(|url| format!(" --database {url}")).unwrap_or_default();
        format!(" --data {}{database}", self.data().display())
    }

    /// The flags that select this installation, as a command takes them.
    pub(crate) fn flags_with_database(&self) -> Vec<String> {
        let data = ["--data".to_owned(), self.data().display().to_string()];
        let database = self.database.iter().flat_map(|database| ["--database".to_owned(), database.clone()]);
        data.into_iter().chain(database).collect()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tillgate"));
        command.args(line).arg("--data").arg(self.data()).current_dir(&*self.folder).env_clear();
        if let Some(database) = &self.database {
            command.args(["--database", database]);
        }
        command
    }

    /// Runs a command with `input` on its standard input.
    pub(crate) fn run_with(&self, line: &[&str], input: &str) -> CommandOutput {
        run_to_end(self.command(line), input)
    }

    /// Runs a command on a terminal, into which `input` is typed. All of its output is in `out`.
    pub(crate) fn run_on_terminal(&self, line: &[&str], input: &str) -> CommandOutput {
        let program = [env!("CARGO_BIN_EXE_tillgate")];
        let words: Vec<String> = program.iter().chain(line).map(|word| format!("'{word}'")).collect();
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command"]).current_dir(&*self.folder);
        script.arg(format!("{} --data '{}'", words.join(" "), self.data().display())).arg("/dev/null");
        run_to_end(script, input)
    }

    pub(crate) fn run(&self, line: &[&str]) -> CommandOutput {
        self.run_with(line, "")
    }

    /// Runs a command with environment variables.
    pub(crate) fn run_with_variables(&self, line: &[&str], variables: &[(&str, &str)]) -> CommandOutput {
        let mut command = self.command(line);
        command.envs(variables.iter().copied());
        run_to_end(command, "")
    }

    /// Runs a command that must succeed.
    pub(crate) fn run_ok(&self, line: &[&str]) -> CommandOutput {
        self.run_ok_with(line, "")
    }

    pub(crate) fn run_ok_with(&self, line: &[&str], input: &str) -> CommandOutput {
        let response = self.run_with(line, input);
        assert_eq!(response.code, 0, "{line:?}: {}", response.err);
        response
    }

    /// Runs a command that must fail with this exit code, and returns its standard error.
    pub(crate) fn run_refused(&self, line: &[&str], code: i32) -> String {
        let response = self.run(line);
        assert_eq!(response.code, code, "{line:?}: {} {}", response.out, response.err);
        response.err
    }

    /// What a check of `doctor` with these flags found; null if it was not made.
    pub(crate) fn find_check(&self, flags: &[&str], check: &str) -> Value {
        let document = self.run(&[&["doctor", "--json"], flags].concat()).json();
        let checks = document["checks"].as_array().unwrap();
        checks.iter().find(|each| each["check"] == check).cloned().unwrap_or_default()
    }

    /// The database, for rows that no command adds.
    pub(crate) fn open_database(&self) -> Database {
        let url = self.database.as_deref().unwrap_or("sqlite:tillgate.db");
        Database::open(&Address::parse(url, &self.data()).unwrap(), &Limits::default()).unwrap()
    }

    /// Adds an initialized database.
    pub(crate) fn with_database(self) -> Self {
        static STATES: [OnceLock<InstallationState>; 2] = [OnceLock::new(), OnceLock::new()];
        self.in_state(&STATES, |home| drop(home.run_ok(&["init"])))
    }

    /// Adds an initialized database with an admin.
    pub(crate) fn with_admin(self) -> Self {
        static STATES: [OnceLock<InstallationState>; 2] = [OnceLock::new(), OnceLock::new()];
        self.in_state(&STATES, |home| {
            home.run_ok(&["init"]);
            home.run_ok_with(&["user", "add", "admin", "--role", "admin"], PASSWORD);
        })
    }

    /// Adds the full demo shop, in which every account has [`PASSWORD`].
    pub(crate) fn with_full_demo(self) -> Self {
        static STATES: [OnceLock<InstallationState>; 2] = [OnceLock::new(), OnceLock::new()];
        self.in_state(&STATES, |home| {
            let mut server = home.start(&["demo", "--password", PASSWORD, "--yes"]);
            server.wait_until_ready();
            server.send_signal("TERM");
            assert_eq!(server.wait_until_ended(), Some(0));
        })
    }

    /// Copies a state that is created once on each engine: that is faster than creating it again.
    fn in_state(mut self, states: &[OnceLock<InstallationState>; 2], create: fn(&Self)) -> Self {
        let engine = if self.database.is_some() { DatabaseEngine::Postgres } else { DatabaseEngine::Sqlite };
        let state = states[usize::from(self.database.is_some())].get_or_init(|| {
            let original = Self::on(engine);
            create(&original);
            InstallationState { data: FolderSnapshot::read_from(&original.data()), database: original.database.clone() }
        });
        self.database = state.database.as_deref().map(tillgate_testkit::postgres::copy_database);
        state.data.write_to(&self.data());
        self
    }

    /// Makes the database on PostgreSQL look like that of an older version: its newest migration is
    /// pending.
    pub(crate) fn make_older(&self) {
        let database = self.database.as_ref().and_then(|url| url.rsplit('/').next()).unwrap();
        let newest = "(SELECT max(version) FROM __diesel_schema_migrations)";
        let statement = format!("DELETE FROM __diesel_schema_migrations WHERE version = {newest}");
        tillgate_testkit::postgres::server().sql(database, &statement).unwrap();
    }

    /// Reverts the newest migration of the database on PostgreSQL.
    pub(crate) fn revert_newest_migration(&self) {
        let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/postgres");
        let folders = std::fs::read_dir(migrations).unwrap().map(|entry| entry.unwrap().path());
        let down = std::fs::read_to_string(folders.max().unwrap().join("down.sql")).unwrap();
        let database = self.database.as_ref().and_then(|url| url.rsplit('/').next()).unwrap();
        tillgate_testkit::postgres::server().sql(database, &down).unwrap();
        self.make_older();
    }

    /// Starts a server (`serve` or `demo`, with its flags) on a free port.
    pub(crate) fn start(&self, line: &[&str]) -> RunningServer {
        let mut command = self.command(line);
        let log = self.folder.join("server.log");
        let errors = File::options().create(true).append(true).open(&log).unwrap();
        command.args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(errors);
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut lines = String::new();
        while out.read_line(&mut lines).unwrap() > 0 {
            if let Some((before, address)) = lines.trim_end().split_once("listening on http://") {
                return RunningServer { address: address.to_owned(), announcement: before.to_owned(), child, out, log };
            }
        }
        child.wait().unwrap();
        panic!("the server did not start: {lines}{}", std::fs::read_to_string(log).unwrap());
    }
}

fn run_to_end(mut command: Command, input: &str) -> CommandOutput {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // a command that reads nothing may have ended already
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    CommandOutput { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
}

/// A running server, killed when dropped.
pub(crate) struct RunningServer {
    pub(crate) address: String,
    /// What it printed before its address.
    pub(crate) announcement: String,
    child: Child,
    out: BufReader<ChildStdout>,
    /// The file with its standard error.
    log: PathBuf,
}

impl RunningServer {
    /// The next line of its standard output.
    pub(crate) fn read_line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address)
            .unwrap_or_else(|error| panic!("{error}: {}", std::fs::read_to_string(&self.log).unwrap()));
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends a request on a new connection and returns status and body.
    pub(crate) fn request(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, String) {
        let mut stream = self.connect();
        send_request(&mut stream, method, path, body);
        read_response(stream)
    }

    /// Sends a request with an access token, and returns status and body.
    pub(crate) fn request_as(&self, token: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, String) {
        let mut stream = self.connect();
        send_request_with(&mut stream, &format!("authorization: Bearer {token}\r\n"), method, path, body);
        read_response(stream)
    }

    pub(crate) fn login(&self, body: &Value) -> u16 {
        self.request("POST", "/api/v1/sessions", Some(body)).0
    }

    /// Waits until the server is ready.
    pub(crate) fn wait_until_ready(&self) {
        for _ in 0..500 {
            if self.request("GET", "/readyz", None).0 == 200 {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the server did not become ready");
    }

    /// Sends a signal to the server.
    pub(crate) fn send_signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until the server has ended and returns its exit code.
    pub(crate) fn wait_until_ended(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn send_request(stream: &mut TcpStream, method: &str, path: &str, body: Option<&Value>) {
    send_request_with(stream, "", method, path, body);
}

/// Sends a request with these header lines.
fn send_request_with(stream: &mut TcpStream, headers: &str, method: &str, path: &str, body: Option<&Value>) {
    let body = body.map(Value::to_string).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: till.example\r\nconnection: close\r\ncontent-type: \
         application/json\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).unwrap();
}

pub(crate) fn read_response(mut stream: TcpStream) -> (u16, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    (status.unwrap_or_else(|| panic!("no response: {text:?}")), body)
}

/// The permission bits of a file.
pub(crate) fn file_mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
