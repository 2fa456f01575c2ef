//! A server in its own process: tillgate, or the bare handler with which it is compared. Its log
//! goes to a file.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take to stop.
const SERVER_TIMEOUT: Duration = Duration::from_secs(20);

/// A running server, which is stopped when this is dropped.
pub(crate) struct BenchServer {
    child: Child,
    /// The address and port on which it listens.
    pub(crate) address: String,
    log: PathBuf,
}

/// The `tillgate` executable that was built next to this program.
pub(crate) fn find_program() -> PathBuf {
    let program = std::env::current_exe().unwrap().with_file_name("tillgate");
    assert!(program.is_file(), "{} is missing: cargo build --release --bin tillgate", program.display());
    program
}

/// The command that runs tillgate on a data folder and a database, with settings as environment
/// variables (`SESSIONS__OVERLAP`).
pub(crate) fn tillgate_command(arguments: &[&str], data: &Path, database: &str, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(find_program());
    command.args(arguments).arg("--data").arg(data).args(["--database", database]);
    if arguments != ["init"] {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    command.env_clear().envs(settings.iter().map(|(name, value)| (format!("TILLGATE_{name}"), value)));
    command
}

impl BenchServer {
    /// Starts the server and waits until it reports its address.
    pub(crate) fn start(mut command: Command, log: PathBuf) -> Self {
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("listening on http://") {
            line.clear();
            let read = output.read_line(&mut line).unwrap();
            assert!(read > 0, "{command:?} did not listen: {}", fs::read_to_string(&log).unwrap_or_default());
        }
        let address = line.trim().trim_start_matches("listening on http://").to_owned();
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Self { child, address, log }
    }

    /// A value from `/proc/PID/status` in KiB, by its name.
    pub(crate) fn memory_kibibytes(&self, name: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The processor time used so far, in seconds.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // the name in the second field may contain spaces; the fields behind it count from the
        // third (proc(5))
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
        ticks / rustix::param::clock_ticks_per_second() as f64
    }

    /// Waits until the server is ready.
    pub(crate) fn wait_until_ready(self) -> Self {
        let deadline = Instant::now() + SERVER_TIMEOUT;
        while crate::http_client::get(&self.address, "/readyz").0 != 200 {
            assert!(Instant::now() < deadline, "the server is not ready: {}", self.read_log());
            std::thread::sleep(Duration::from_millis(20));
        }
        self
    }

    fn read_log(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let telling = log.lines().filter(|line| !line.contains(" INFO ")).rev();
        telling.take(20).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for BenchServer {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let deadline = Instant::now() + SERVER_TIMEOUT;
        while self.child.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the newest of what it complained about:\n{}", self.read_log());
        }
        let _ = fs::remove_file(&self.log);
    }
}
