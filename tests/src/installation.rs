//! An installation: a data folder with its keys, and a database on one of the two engines.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use tillgate_testkit::{DatabaseEngine, TestFolder};

use crate::demo_shop::small_demo_shop;
use crate::{RunningServer, Secrets};

/// The password of every demo account in the tests.
pub const PASSWORD: &str = "correct-horse-till";

/// A data folder and a database. The folder is removed when this is dropped.
pub struct Installation {
    folder: TestFolder,
    database: String,
    engine: DatabaseEngine,
    secrets: Secrets,
    settings: Vec<(String, String)>,
    program: fn() -> &'static Path,
}

impl Installation {
    /// Creates an empty installation: a SQLite file in the data folder, or a new database on the
    /// PostgreSQL server of this test process.
    pub fn new(engine: DatabaseEngine) -> Self {
        let database = match engine {
            DatabaseEngine::Sqlite => "sqlite:tillgate.db".to_owned(),
            DatabaseEngine::Postgres => tillgate_testkit::postgres::create_database(),
        };
        Self::with_database(engine, database)
    }

    /// Creates an empty data folder for an existing database.
    pub fn with_database(engine: DatabaseEngine, database: String) -> Self {
        Self { folder: TestFolder::new(), database, engine, secrets: Secrets::default(), settings: Vec::new(), program }
    }

    /// Creates an installation with the small demo shop: users admin, manager, cashier, devices
    /// P01, P02, PDA1, OFFICE, all with [`PASSWORD`].
    pub fn with_fixture(engine: DatabaseEngine) -> Self {
        small_demo_shop(engine).new_installation()
    }

    /// Creates the small demo shop in the database.
    pub fn create_demo_shop(&self) {
        self.secrets.add(PASSWORD);
        drop(RunningServer::start(self, &["demo", "--small", "--password", PASSWORD, "--yes"]));
    }

    /// Creates the full demo shop, with two stores and a day of work, in the database.
    pub fn create_full_demo_shop(&self) {
        self.secrets.add(PASSWORD);
        drop(RunningServer::start(self, &["demo", "--password", PASSWORD, "--yes"]));
    }

    /// Adds a setting by the name of its environment variable, such as `SESSIONS__OVERLAP`.
    pub fn with_setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((format!("TILLGATE_{name}"), value.to_owned()));
        self
    }

    /// Adds a mount of PosStar, which is not served by default.
    #[must_use]
    pub fn with_posstar(self) -> Self {
        let mounts = "[[mounts]]\ndialect = \"posstar\"\nprefix = \"/posstar\"\n";
        std::fs::write(self.folder.join("tillgate.toml"), mounts).expect("the data folder can be written to");
        self
    }

    /// Uses the executable with all features: TLS to PostgreSQL, and traces.
    pub fn with_every_feature(mut self) -> Self {
        self.program = program_with_every_feature;
        self
    }

    /// The executable that the tests start: the debug build of this source.
    pub fn program() -> &'static Path {
        program()
    }

    /// The database engine of this installation.
    pub fn engine(&self) -> DatabaseEngine {
        self.engine
    }

    /// The data folder of this installation.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The address of the database.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The secrets that tests of this installation have used and that no server may reveal.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Starts a server on this installation.
    pub fn serve(&self) -> RunningServer {
        RunningServer::start(self, &["serve"])
    }

    /// Starts a server with additional command line arguments.
    pub fn serve_with(&self, flags: &[&str]) -> RunningServer {
        RunningServer::start(self, &[&["serve"], flags].concat())
    }

    /// Starts a server that trusts the proxies of a network. Health and metrics are on another free
    /// port, so that many servers can run at the same time.
    pub fn serve_behind_proxy(&self, network: &str) -> RunningServer {
        let mut command = self.tillgate_command(&["serve", "--behind-proxy", network, "--listen", "127.0.0.1:0"]);
        command.env("TILLGATE_OPERATIONS__LISTEN", "127.0.0.1:0");
        let running = RunningServer::spawn(self, command);
        running.wait_until_ready();
        running
    }

    /// Creates another data folder with a copy of the master key, for the same database.
    pub fn clone_with_new_folder(&self) -> Self {
        let second = Self {
            folder: TestFolder::new(),
            database: self.database.clone(),
            engine: self.engine,
            secrets: self.secrets.clone(),
            settings: self.settings.clone(),
            program: self.program,
        };
        std::fs::copy(self.folder.join("master.key"), second.folder.join("master.key")).unwrap();
        second
    }

    /// A command of the executable with this data folder and database.
    pub fn tillgate_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new((self.program)());
        command.args(arguments).arg("--data").arg(self.folder()).args(["--database", &self.database]);
        command.env_clear().env("RUST_BACKTRACE", "1").envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end, with `input` on its standard input.
    pub fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self
            .tillgate_command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        for text in [&output.stdout, &output.stderr] {
            self.secrets.assert_absent(&format!("what {arguments:?} prints"), &String::from_utf8_lossy(text));
        }
        output
    }

    /// Runs a command that must succeed, and returns its output.
    pub fn run_ok(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?} failed: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The executable, built once per test process, so that no test runs an outdated one. `tests/run`
/// has built it, and names it in the variable `TEST_PROGRAM`.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let built = || std::env::var_os("TEST_PROGRAM").map(PathBuf::from);
    PROGRAM.get_or_init(|| built().unwrap_or_else(|| build_program(&[], "")))
}

fn program_with_every_feature() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| build_program(&["--features", "postgres-tls,otlp"], "features"))
}

/// Builds the executable in this folder of the target folder.
fn build_program(features: &[&str], folder: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from).join(folder);
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "tillgate-server", "--bin", "tillgate", "--target-dir"]);
    cargo.arg(&target).args(features).current_dir(root);
    // Cargo describes the test's package to it. These variables would differ from those of a build
    // by hand, and the build script of ring runs again when they change, with everything behind it.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            cargo.env_remove(name);
        }
    }
    assert!(cargo.status().unwrap().success(), "the program could not be built");
    target.join("debug/tillgate")
}
