//! A running server that tests call, kill or stop. Its log is searched for secrets when it ends.

use std::io::{BufRead, BufReader};
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::server_log::ServerLog;
use crate::{Installation, Secrets, TestResponse, TillClient, wait_until};

/// How long a server may take to listen, or to stop.
const SERVER_TIMEOUT: Duration = Duration::from_secs(30);

/// A server process.
pub struct RunningServer {
    child: Child,
    address: String,
    log: ServerLog,
    secrets: Secrets,
}

impl RunningServer {
    /// Starts `serve` or `demo` on a free port and waits until it is ready.
    pub fn start(installation: &Installation, arguments: &[&str]) -> Self {
        let running = Self::start_unready(installation, arguments);
        running.wait_until_ready();
        running
    }

    /// Waits until the server is ready.
    pub fn wait_until_ready(&self) {
        let is_ready = || self.new_till().call_once("GET", "/readyz", None).status() == 200;
        wait_until(SERVER_TIMEOUT, "readiness", is_ready);
    }

    /// Starts the server and waits until it listens.
    pub fn start_unready(installation: &Installation, arguments: &[&str]) -> Self {
        let mut command = installation.tillgate_command(arguments);
        command.args(["--listen", "127.0.0.1:0"]);
        Self::spawn(installation, command)
    }

    /// Starts a prepared command and waits until the server listens.
    pub fn spawn(installation: &Installation, mut command: std::process::Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = ServerLog::read_from(child.stderr.take().unwrap());
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("listening on ") {
            line.clear();
            let read = output.read_line(&mut line).unwrap();
            assert!(read > 0, "the server did not listen: {}", log.text());
        }
        let address = line.trim_start_matches("listening on ").trim().to_owned();
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Self { child, address, log, secrets: installation.secrets().clone() }
    }

    /// The address of the server: `http://127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A client of this server, without a token.
    pub fn new_till(&self) -> TillClient {
        TillClient::new(&self.address, self.secrets.clone())
    }

    /// The process id of the server.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The log of the server so far.
    pub fn read_log(&self) -> String {
        self.log.text()
    }

    /// Sends a signal to the server.
    pub fn send_signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Kills the server, as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Stops the server and returns its exit status.
    pub fn stop(&mut self) -> ExitStatus {
        self.send_signal(Signal::TERM);
        self.wait_until_ended()
    }

    /// Waits until the server has ended and returns its exit status.
    pub fn wait_until_ended(&mut self) -> ExitStatus {
        let mut ended = None;
        wait_until(SERVER_TIMEOUT, "the end of a server that was stopped", || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        ended.unwrap()
    }

    /// The metrics of the server.
    pub fn read_metrics(&self) -> TestResponse {
        self.new_till().get("/metrics")
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        let alive = self.child.try_wait().is_ok_and(|ended| ended.is_none());
        if alive && !std::thread::panicking() {
            if let Ok(metrics) = self.new_till().try_get("/metrics") {
                self.secrets.assert_absent("the metrics", metrics.text());
            }
            self.send_signal(Signal::CONT);
            let ended = self.stop();
            assert!(ended.success(), "the server ended with {ended}: {}", self.read_log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.log.finish();
        if std::thread::panicking() {
            eprintln!("the server's log:\n{}", self.read_log());
        } else {
            self.secrets.assert_absent("the log", &self.read_log());
        }
    }
}
